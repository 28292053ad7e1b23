//! People, as far as they need no node: what is kept before anything is sent, and what is refused.

use super::{text, Machine, Ran, GENESIS, NOWHERE};
use lockstep_client::directory::DeviceOffer;
use serde_json::Value;
use std::{os::unix::fs::PermissionsExt, path::Path};

const PERSON: &str = "0x0202020202020202020202020202020202020202020202020202020202020202";

fn register(machine: &Machine, more: &[&str]) -> Ran {
	let arguments = ["--json", "identity", "new", "anna", "--register", "--dev", "--insecure-no-passphrase"];
	machine.run(&[&arguments[..], &["--node", NOWHERE], more].concat())
}

fn offer(machine: &Machine, name: &str) -> Ran {
	machine.run(&["--json", "device", "offer", name, "--dev", "--insecure-no-passphrase", "--node", NOWHERE])
}

fn voucher(machine: &Machine, kind: &str) -> String {
	let issue = ["voucher", "issue", kind, "--sponsor", "alice", "--genesis", GENESIS, "--block", "7", "--out", kind];
	assert_eq!(machine.run(&issue).code, 0);
	kind.to_owned()
}

fn device(machine: &Machine) -> Value {
	machine.run(&["--json", "identity", "show"]).json()["person"]["device"].clone()
}

fn mode(path: &Path) -> u32 {
	std::fs::metadata(path).unwrap().permissions().mode() & 0o777
}

#[test]
fn keys_are_kept_before_a_node_is_asked_and_a_second_try_goes_on_with_them() {
	let machine = Machine::new();
	register(&machine, &[]).failed_with(2, "usage");
	register(&machine, &["--recovery-file", "-"]).failed_with(2, "usage");
	register(&machine, &["--recovery-file", "anna.recovery", "--no-recovery"]).failed_with(2, "usage");
	assert!(!machine.profile("anna").exists(), "nobody has said what is to become of the recovery key");

	register(&machine, &["--recovery-file", "anna.recovery"]).failed_with(4, "unreachable");
	let recovery = std::fs::read_to_string(machine.path("anna.recovery")).unwrap();
	assert!(recovery.starts_with("lockstep-recovery:"));
	assert_eq!((mode(&machine.path("anna.recovery")), mode(&machine.profile("anna").join("device"))), (0o600, 0o600));
	let shown = machine.run(&["--json", "identity", "show"]).json();
	assert_eq!((&shown["identity"], &shown["name"]), (&Value::Null, &"anna".into()), "it is nobody yet");
	let (key, keys) = (device(&machine), std::fs::read(machine.profile("anna").join("device")).unwrap());
	assert!(key.is_string());

	// Whatever it says of recovery now: the key is made, and handed out.
	for again in [&[][..], &["--recovery-file", "anna.recovery"], &["--no-recovery"]] {
		register(&machine, again).failed_with(4, "unreachable");
	}
	machine.run(&["--json", "identity", "register"]).failed_with(4, "unreachable");
	assert_eq!((device(&machine), std::fs::read(machine.profile("anna").join("device")).unwrap()), (key, keys));
	assert_eq!(std::fs::read_to_string(machine.path("anna.recovery")).unwrap(), recovery);

	let digits = recovery.trim().trim_start_matches("lockstep-recovery:").get(..64).unwrap().to_owned();
	let seed = hex::decode(&digits).unwrap();
	for file in std::fs::read_dir(machine.profile("anna")).unwrap() {
		let content = std::fs::read(file.unwrap().path()).unwrap_or_default();
		let holds = |what: &[u8]| content.windows(what.len()).any(|window| window == what);
		assert!(!holds(&seed) && !holds(digits.as_bytes()), "the recovery key is not kept");
	}
}

#[test]
fn a_printed_recovery_key_is_printed_before_anything_else_is_done() {
	let machine = Machine::new();
	let arguments = ["identity", "new", "anna", "--register", "--dev", "--insecure-no-passphrase", "--node", NOWHERE];
	let ran = machine.run(&[&arguments[..], &["--recovery-file", "-"]].concat());
	assert_eq!((ran.code, ran.stdout.lines().count()), (4, 1), "{}", ran.stderr);
	assert!(ran.stdout.starts_with("lockstep-recovery:"));
	assert!(!machine.path("-").exists());
}

#[test]
fn a_name_is_no_person_and_a_person_takes_no_names_place() {
	let machine = Machine::with("anna");
	register(&machine, &["--no-recovery"]).failed_with(3, "profile_exists");
	for command in [
		&["identity", "register"][..],
		&["identity", "close", "--yes"],
		&["identity", "operator"],
		&["device", "list"],
		&["device", "revoke", "00", "--yes"],
		&["keys", "stock"],
		&["keys", "gate", "clear"],
		&["identity", "safety-number", PERSON],
	] {
		machine.run(&[&["--json"], command].concat()).failed_with(5, "not_a_device");
	}
	let arguments = ["--json", "identity", "new", "bert", "--dev", "--insecure-no-passphrase", "--no-recovery"];
	machine.run(&arguments).failed_with(2, "usage");
	assert!(!machine.profile("bert").exists());
}

#[test]
fn a_device_is_offered_by_the_same_code_each_time() {
	let machine = Machine::new();
	let offered = offer(&machine, "phone");
	assert_eq!(offered.code, 0, "{}", offered.stderr);
	let code = offered.json()["code"].as_str().unwrap().to_owned();
	let key = code.parse::<DeviceOffer>().unwrap().0.key;
	assert_eq!(offered.json()["device"], format!("0x{key}"));
	assert_eq!(offer(&machine, "phone").json()["code"], code.as_str());
	assert_ne!(offer(&machine, "tablet").json()["code"], code.as_str());
	let phone = |arguments: &[&str]| machine.run(&[&["--json", "--profile", "phone"], arguments].concat());
	phone(&["device", "list"]).failed_with(5, "not_a_device");
	phone(&["identity", "backup", "phone.backup", "--insecure-no-passphrase"]).failed_with(5, "refused");
	phone(&["device", "accept", "lockstep-event:00"]).failed_with(2, "usage");
	phone(&["device", "accept", "nowhere"]).failed_with(1, "file");
	phone(&["device", "add", "lockstep-device:00"]).failed_with(2, "usage");
	phone(&["device", "add", &code]).failed_with(4, "unreachable");
}

#[test]
fn a_device_that_is_nobodys_opens_no_client() {
	let machine = Machine::new();
	let passphrase = machine.write("passphrase", "correct horse\n");
	let common = ["--json", "--passphrase-file", text(&passphrase)];
	let offer = ["device", "offer", "phone", "--node", NOWHERE, "--genesis", GENESIS];
	assert_eq!(machine.run(&[&common[..], &offer].concat()).code, 0);
	for command in [
		&["status"][..],
		&["key-package"],
		&["keys", "publish"],
		&["device", "rotate"],
		&["join"],
		&["keys", "gate", "keep"],
		&["voucher", "kept"],
		&["identity", "news"],
		&["identity", "safety-number", PERSON],
	] {
		let ran = machine.run(&[&common[..], command].concat());
		ran.failed_with(5, "not_a_device");
		assert!(ran.error()["try"].as_str().unwrap().contains("device accept"), "{}", ran.error());
	}
	assert!(!machine.profile("phone").join("store").exists());
	std::fs::write(machine.profile("phone").join("device"), "something else").unwrap();
	machine.run(&[&common[..], &["status"]].concat()).failed_with(3, "profile_damaged");
}

#[test]
fn what_pays_for_something_else_is_refused_at_once() {
	let machine = Machine::with("anna");
	let (claim, other) = (voucher(&machine, "claim"), voucher(&machine, "register"));
	let usage = |arguments: &[&str]| machine.run(&[&["--json"][..], arguments].concat()).failed_with(2, "usage");
	usage(&[
		"identity",
		"new",
		"bert",
		"--register",
		"--voucher",
		&claim,
		"--no-recovery",
		"--dev",
		"--insecure-no-passphrase",
	]);
	usage(&["identity", "register", "--voucher", &claim]);
	usage(&["keys", "claim", PERSON, "--voucher", &other]);
	usage(&["group", "add", "abcd", "--person", PERSON, "--voucher", &other]);
	usage(&["group", "add", "abcd", "--person", PERSON]);
	usage(&["group", "add", "abcd", "--person", "anna", "--voucher", &claim]);
	usage(&["group", "add", "abcd", "file", "--person", PERSON, "--voucher", &claim]);
	let gate = machine.write("gate", "lockstep-recovery:00");
	usage(&["group", "add", "abcd", "--person", PERSON, "--voucher", &claim, "--gate", text(&gate)]);
	usage(&["keys", "publish", "--count", "101"]);
	usage(&["keys", "publish", "--days", "85"]);
	usage(&["identity", "recover", "bert", PERSON, "--recovery-file", text(&gate), "--new-recovery-file", "new"]);
	assert!(!machine.profile("bert").exists());
	machine.run(&["--json", "keys", "claim", PERSON, "--voucher", &claim]).failed_with(4, "unreachable");
	machine.run(&["--json", "identity", "find", PERSON]).failed_with(4, "unreachable");
}

#[test]
fn a_proof_of_an_identity_that_does_not_hold_is_code_6() {
	let machine = Machine::new();
	let verify = |file: &str| machine.run(&["--json", "identity", "verify", "--genesis", GENESIS, file]);
	verify("nowhere.proof").failed_with(1, "file");
	for content in [&b""[..], b"hello", b"lockstep-identity", b"lockstep-identity\x01\x00\x00"] {
		let file = machine.write("anna.proof", content);
		verify(text(&file)).failed_with(6, "unverified");
	}
}

/// A profile whose `profile.json` says that it is a device of the person whose id has this byte 32 times.
fn person(name: &str, byte: u8) -> Machine {
	let machine = Machine::with(name);
	let path = machine.profile(name).join("profile.json");
	let mut facts: Value = serde_json::from_slice(&std::fs::read(&path).unwrap()).unwrap();
	let id = |byte: u8| format!("0x{}", hex::encode([byte; 32]));
	facts["version"] = 2.into();
	facts["person"] = serde_json::json!({ "id": id(byte), "device": id(0xdd) });
	std::fs::write(&path, facts.to_string()).unwrap();
	machine
}

#[test]
fn two_people_see_the_same_number_and_no_node_is_asked() {
	let number = |machine: &Machine, other: &str| machine.run(&["identity", "safety-number", other]);
	let (anna, bert) = (person("anna", 1), person("bert", 2));
	let hers = number(&anna, PERSON);
	assert_eq!(hers.code, 0, "{}", hers.stderr);
	let groups: Vec<&str> = hers.stdout.split_whitespace().collect();
	assert_eq!((hers.stdout.lines().count(), groups.len()), (1, 12));
	assert!(groups.iter().all(|group| group.len() == 5), "{groups:?}");
	// As anybody else is shown her id.
	let his = number(&bert, &format!("hex:{}", "01".repeat(32)));
	assert_eq!((his.code, &his.stdout), (0, &hers.stdout));
	let json = bert.run(&["--json", "identity", "safety-number", &"01".repeat(32)]).json();
	assert_eq!((&json["number"], &json["id"]), (&hers.stdout.trim().into(), &PERSON.into()));
	assert_eq!(json["groups"], serde_json::json!(groups));
	bert.run(&["--json", "identity", "safety-number", PERSON]).failed_with(2, "usage");
}

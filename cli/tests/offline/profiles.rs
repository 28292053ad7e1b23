//! Making identities, and getting at their secrets.

use super::{text, Machine, Ran, GENESIS, NOWHERE};
use std::os::unix::fs::PermissionsExt;

#[test]
fn a_new_identity_is_there_and_for_its_owner_alone() {
	let machine = Machine::new();
	let arguments = ["identity", "new", "anna", "--dev", "--insecure-no-passphrase", "--json"];
	let made = machine.run(&arguments);
	assert_eq!(made.code, 0, "{}", made.stderr);
	assert!(made.stderr.contains("in the clear"), "it is warned of: {}", made.stderr);
	let json = made.json();
	assert_eq!(
		(&json["identity"], &json["passphrase"], &json["sponsor"]),
		(&"anna".into(), &false.into(), &"alice".into())
	);
	assert_eq!(json["nodes"], serde_json::json!(["ws://127.0.0.1:9944"]));
	for (name, mode) in [("", 0o700), ("profile.json", 0o600), ("secret.json", 0o600)] {
		let found = std::fs::metadata(machine.profile("anna").join(name)).unwrap().permissions().mode() & 0o777;
		assert_eq!(found, mode, "{name}");
	}
	assert_eq!(machine.run(&["--json", "identity", "show"]).json(), json, "the only profile need not be named");
	assert_eq!(machine.run(&["--json", "identity", "list"]).json()["profiles"][0], json);
	machine.run(&arguments).failed_with(3, "profile_exists");
}

#[test]
fn one_of_several_profiles_has_to_be_named() {
	let machine = Machine::with("anna");
	let bert = machine.path("elsewhere/bert");
	let arguments =
		["identity", "new", "bert", "--node", NOWHERE, "--genesis", GENESIS, "--dev", "--insecure-no-passphrase"];
	machine.run(&[&["--json"][..], &arguments].concat()).failed_with(2, "usage");
	let arguments = ["identity", "new", "bert", "--dev", "--insecure-no-passphrase", "--profile", text(&bert)];
	assert_eq!(machine.run(&arguments).code, 0);
	assert_eq!(machine.run(&["--json", "identity", "show"]).json()["identity"], "anna", "bert's has no name");
	assert_eq!(machine.run(&["--json", "identity", "show", "--profile", text(&bert)]).json()["identity"], "bert");
	assert_eq!(machine.run(&["identity", "new", "carl", "--dev", "--insecure-no-passphrase"]).code, 0);
	machine.run(&["--json", "identity", "show"]).failed_with(2, "usage");
	let mut command = machine.command(&["--json", "identity", "show"]);
	command.env("LOCKSTEP_PROFILE", "carl");
	assert_eq!(Ran::of(command).json()["identity"], "carl");
	machine.run(&["--json", "identity", "show", "--profile", "nobody"]).failed_with(3, "no_profile");
}

#[test]
fn the_secret_opens_with_its_passphrase_only_and_the_passphrase_can_be_changed() {
	let machine = Machine::new();
	let (right, wrong, new) = (
		machine.write("right", "correct horse\nx"),
		machine.write("wrong", "battery"),
		machine.write("new", "staple\n"),
	);
	let made = machine.run(&["identity", "new", "anna", "--node", NOWHERE, "--passphrase-file", text(&right)]);
	assert_eq!(made.code, 0, "{}", made.stderr);
	let secret = std::fs::read_to_string(machine.profile("anna").join("secret.json")).unwrap();
	assert!(secret.contains("argon2id") && !secret.contains("correct horse"), "{secret}");
	let status = |file| machine.run(&["--json", "status", "--passphrase-file", text(file)]);
	status(&wrong).failed_with(3, "wrong_passphrase");
	status(&right).failed_with(4, "unreachable");
	machine.run(&["--json", "status"]).failed_with(3, "no_passphrase");
	let mut command = machine.command(&["--json", "status"]);
	command.env("LOCKSTEP_PASSPHRASE", "correct horse");
	Ran::of(command).failed_with(4, "unreachable");
	let change = ["identity", "passphrase", "--passphrase-file", text(&right), "--new-passphrase-file", text(&new)];
	let changed = machine.run(&change);
	assert_eq!(changed.code, 0, "{}", changed.stderr);
	status(&right).failed_with(3, "wrong_passphrase");
	status(&new).failed_with(4, "unreachable");
}

#[test]
fn a_secret_in_the_clear_has_to_be_asked_for_twice() {
	let machine = Machine::new();
	let arguments = ["--json", "identity", "new", "anna", "--node", NOWHERE];
	machine.run(&[&arguments[..], &["--insecure-no-passphrase"]].concat()).failed_with(2, "usage");
	machine.run(&arguments).failed_with(3, "no_passphrase");
	let empty = machine.write("empty", "\n");
	machine.run(&[&arguments[..], &["--passphrase-file", text(&empty)]].concat()).failed_with(3, "no_passphrase");
	assert!(!machine.profile("anna").exists(), "nothing is left of an attempt that failed");
}

#[test]
fn nodes_can_be_changed() {
	let machine = Machine::with("anna");
	let changed = machine.run(&["--json", "identity", "nodes", "ws://127.0.0.1:2", "ws://127.0.0.1:3"]);
	assert_eq!(changed.json()["nodes"], serde_json::json!(["ws://127.0.0.1:2", "ws://127.0.0.1:3"]));
	machine.run(&["--json", "identity", "nodes", "http://127.0.0.1"]).failed_with(2, "usage");
}

//! Backups, as far as they need no node: a restored profile opens without one.

use super::{text, Machine, Ran, NOWHERE};
use lockstep_client::{Backup, StoreKey};
use serde_json::json;
use std::os::unix::fs::PermissionsExt;

/// Of a profile of version 1, with two groups, in the clear.
const BACKUP: &[u8] = include_bytes!("../../../client-lib/tests/data/backup-1");

fn restore(machine: &Machine, name: &str, file: &str) -> Ran {
	machine.run(&["--json", "identity", "restore", name, file, "--insecure-no-passphrase"])
}

#[test]
fn a_restored_profile_is_the_one_that_was_backed_up_and_can_be_backed_up_again() {
	let machine = Machine::new();
	machine.write("anna.backup", BACKUP);
	let made = restore(&machine, "new", "anna.backup");
	assert_eq!(made.code, 0, "{}", made.stderr);
	let json = made.json();
	let groups = json!([format!("0x{}", "01".repeat(32)), format!("0x{}", "02".repeat(32))]);
	assert_eq!((&json["identity"], &json["profile"], &json["groups"]), (&"anna".into(), &"new".into(), &groups));
	assert_eq!((&json["nodes"], &json["sponsor"]), (&json!([NOWHERE]), &"alice".into()));
	for (name, mode) in [("", 0o700), ("profile.json", 0o600), ("secret.json", 0o600)] {
		let found = std::fs::metadata(machine.profile("new").join(name)).unwrap().permissions().mode() & 0o777;
		assert_eq!(found, mode, "{name}");
	}
	let status = machine.run(&["--json", "status"]);
	assert_eq!(status.code, 0, "{}", status.stderr);
	let (first, names) = (&status.json()["groups"][0], ["group 1", "group 2"]);
	assert_eq!((&first["state"], &first["name"]), (&"returning".into(), &names[0].into()));
	machine.run(&["--json", "send", "0101", "hello"]).failed_with(5, "returning");

	let again = machine.run(&["--json", "identity", "backup", "again.backup", "--insecure-no-passphrase"]);
	assert_eq!(again.code, 0, "{}", again.stderr);
	assert_eq!((&again.json()["groups"], &again.json()["file"]), (&groups, &"again.backup".into()));
	let mode = std::fs::metadata(machine.path("again.backup")).unwrap().permissions().mode() & 0o777;
	assert_eq!(mode, 0o600);
	machine.run(&["--json", "identity", "backup", "again.backup", "--insecure-no-passphrase"]).failed_with(1, "file");
	let other = restore(&machine, "other", "again.backup");
	assert_eq!(other.code, 0, "{}", other.stderr);
	let secret = |name: &str| std::fs::read_to_string(machine.profile(name).join("secret.json")).unwrap();
	assert_ne!(secret("new"), secret("other"), "a backup does not carry the keys of the store and the history");
}

#[test]
fn a_backup_opens_with_its_passphrase_only() {
	let machine = Machine::new();
	let open = Backup::open(BACKUP, &StoreKey::from_bytes(*b"lockstep backup of a dev profile")).unwrap();
	let sealed = open.seal(open.note().to_vec(), &StoreKey::passphrase("correct horse")).unwrap();
	machine.write("anna.backup", &sealed);
	let (right, wrong) = (machine.write("right", "correct horse\nx"), machine.write("wrong", "battery"));
	let restore = |backup, profile| {
		let arguments = ["--json", "identity", "restore", "new", "anna.backup", "--backup-passphrase-file", backup];
		machine.run(&[&arguments[..], &["--passphrase-file", profile]].concat())
	};
	restore(text(&wrong), text(&right)).failed_with(3, "wrong_passphrase");
	machine.run(&["--json", "identity", "restore", "new", "anna.backup"]).failed_with(3, "no_passphrase");
	let bare = ["--json", "identity", "restore", "new", "anna.backup", "--insecure-no-passphrase"];
	machine.run(&bare).failed_with(2, "usage");
	assert!(!machine.profile("new").exists(), "nothing is left of an attempt that failed");
	let made = restore(text(&right), text(&wrong));
	assert_eq!(made.code, 0, "{}", made.stderr);
	assert_eq!(made.json()["passphrase"], true);
	restore(text(&right), text(&wrong)).failed_with(3, "profile_exists");

	// The profile has a passphrase of its own, and its backup gets one, too.
	let backup = |more: &[&str]| {
		let arguments = ["--json", "identity", "backup", "b", "--passphrase-file", text(&wrong)];
		machine.run(&[&arguments[..], more].concat())
	};
	backup(&["--insecure-no-passphrase"]).failed_with(2, "usage");
	backup(&[]).failed_with(3, "no_passphrase");
	let arguments =
		["--json", "identity", "backup", "b", "--passphrase-file", text(&right), "--backup-passphrase-file"];
	machine.run(&[&arguments[..], &[text(&right)]].concat()).failed_with(3, "wrong_passphrase");
	assert!(!machine.path("b").exists());
	assert_eq!(backup(&["--backup-passphrase-file", text(&right)]).code, 0);
	assert!(Backup::open(&std::fs::read(machine.path("b")).unwrap(), &StoreKey::passphrase("correct horse")).is_ok());
}

#[test]
fn what_is_no_backup_makes_no_profile() {
	let machine = Machine::new();
	let mut damaged = BACKUP.to_vec();
	damaged[60] ^= 1;
	for (name, content) in [("text", &b"hello"[..]), ("damaged", &damaged), ("cut", &BACKUP[..BACKUP.len() - 1])] {
		machine.write(name, content);
		restore(&machine, "new", name).failed_with(1, "file");
	}
	machine.run(&["--json", "identity", "restore", "new", "nothing"]).failed_with(1, "file");
	assert!(!machine.profile("new").exists());
	machine.write("anna.backup", BACKUP);
	std::fs::create_dir_all(machine.profile("new").join("store")).unwrap();
	restore(&machine, "new", "anna.backup").failed_with(3, "profile_exists");
}

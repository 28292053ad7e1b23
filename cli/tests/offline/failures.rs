//! What goes wrong, goes wrong in the documented way.

use super::{text, Machine};
use std::process::Stdio;

const GROUP: &str = "abcd";

#[test]
fn without_a_node_every_command_says_so_as_json_with_a_command_to_try() {
	let machine = Machine::with("anna");
	let package = machine.write("bert.kp", "0001ff");
	let commands: [&[&str]; 17] = [
		&["key-package"],
		&["join"],
		&["join", GROUP],
		&["group", "create"],
		&["group", "create", "--sponsor", "alice"],
		&["group", "list"],
		&["group", "show", GROUP],
		&["group", "members", GROUP],
		&["group", "add", GROUP, text(&package)],
		&["group", "remove", GROUP, "bert"],
		&["group", "update", GROUP],
		&["group", "leave", GROUP],
		&["send", GROUP, "hello"],
		&["read", GROUP],
		&["chat"],
		&["events"],
		&["status"],
	];
	for command in commands {
		let ran = machine.run(&[&["--json"], command].concat());
		ran.failed_with(4, "unreachable");
		assert_eq!(ran.stdout, "", "{command:?}");
		assert_eq!(ran.error()["try"], "lockstep --profile anna doctor", "{command:?}");
		let ran = machine.run(command);
		assert_eq!((ran.code, ran.stdout.as_str()), (4, ""), "{command:?}");
		assert!(ran.stderr.contains("\n  try: lockstep --profile anna doctor\n"), "{command:?}: {}", ran.stderr);
	}
}

#[test]
fn a_node_is_waited_for_as_long_as_was_asked_for() {
	let machine = Machine::with("anna");
	let started = std::time::Instant::now();
	machine.run(&["--json", "--timeout", "1", "status"]).failed_with(4, "unreachable");
	assert!(started.elapsed() >= std::time::Duration::from_secs(1));
}

#[test]
fn without_a_profile_every_command_says_how_to_make_one() {
	let machine = Machine::new();
	for command in [&["status"][..], &["read"], &["doctor"], &["identity", "show"], &["group", "list"]] {
		let ran = machine.run(&[&["--json"], command].concat());
		ran.failed_with(3, "no_profile");
		assert!(ran.error()["try"].as_str().unwrap().starts_with("lockstep identity new"), "{command:?}");
	}
}

#[test]
fn a_wrong_command_line_is_code_2_and_json_if_that_is_asked_for() {
	let machine = Machine::with("anna");
	let commands: [&[&str]; 10] = [
		&[],
		&["unheard-of"],
		&["send", "xyz", "hello"],
		&["send", GROUP],
		&["read", GROUP, "--all", "--last", "3"],
		&["group", "add", GROUP],
		&["status", "--timeout", "0"],
		&["proof", "verify", "--genesis", "12", "file"],
		&["send", GROUP, ""],
		&["group", "remove", GROUP, "hex:0"],
	];
	for command in commands {
		let ran = machine.run(&[&["--json"], command].concat());
		ran.failed_with(2, "usage");
		assert_eq!(ran.stdout, "", "{command:?}");
		assert_eq!(machine.run(command).code, 2, "{command:?}");
	}
}

#[test]
fn the_doctor_finds_what_is_wrong_and_says_what_to_do() {
	let machine = Machine::with("anna");
	let ran = machine.run(&["--json", "doctor"]);
	ran.failed_with(4, "unreachable");
	let report = ran.json();
	assert_eq!(report["ok"], false);
	let nodes = report["findings"].as_array().unwrap().iter().find(|finding| finding["check"] == "nodes").unwrap();
	assert_eq!((&nodes["level"], &nodes["kind"]), (&"wrong".into(), &"unreachable".into()));
	assert!(
		nodes["try"].as_str().unwrap().contains("lockstep --profile anna identity nodes ws://HOST:PORT"),
		"{nodes}"
	);
	let ran = machine.run(&["doctor"]);
	assert_eq!(ran.code, 4);
	assert!(ran.stdout.contains("WRONG    nodes: node ws://127.0.0.1:1 is not reachable"), "{}", ran.stdout);
}

#[test]
fn the_doctor_tells_damage_in_a_profile_apart() {
	let machine = Machine::with("anna");
	let history = machine.profile("anna").join("history");
	std::fs::write(&history, "something else").unwrap();
	let ran = machine.run(&["--json", "doctor"]);
	ran.failed_with(3, "profile_damaged");
	assert!(ran.error()["try"].as_str().unwrap().contains("mv "), "{}", ran.error());
	machine.run(&["--json", "status"]).failed_with(3, "profile_damaged");
	assert_eq!(std::fs::read_to_string(&history).unwrap(), "something else", "it is left as it is");
	std::fs::remove_file(&history).unwrap();
	std::fs::write(machine.profile("anna").join("secret.json"), "{").unwrap();
	machine.run(&["--json", "doctor"]).failed_with(3, "profile_damaged");
	std::fs::write(machine.profile("anna").join("profile.json"), "{").unwrap();
	machine.run(&["--json", "doctor"]).failed_with(3, "profile_damaged");
}

#[test]
fn files_that_cannot_be_read_are_named() {
	let machine = Machine::with("anna");
	let ran = machine.run(&["--json", "group", "add", GROUP, "nowhere.kp"]);
	ran.failed_with(1, "file");
	assert!(ran.error()["message"].as_str().unwrap().contains("nowhere.kp"));
	let text_file = machine.write("text", "hello");
	machine.run(&["--json", "group", "add", GROUP, text(&text_file)]).failed_with(2, "usage");
	machine.run(&["--json", "group", "create", "--sponsor", "nowhere"]).failed_with(1, "file");
	machine.run(&["--json", "status", "--passphrase-file", "nowhere"]).failed_with(4, "unreachable");
}

#[test]
fn a_closed_output_is_no_error_and_no_panic() {
	let machine = Machine::with("anna");
	for command in [&["completions", "bash"][..], &["exit-codes"], &["identity", "list", "--json"], &["--help"]] {
		let mut child = machine.command(command).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
		drop(child.stdout.take());
		let output = child.wait_with_output().unwrap();
		let stderr = String::from_utf8(output.stderr).unwrap();
		assert_eq!((output.status.code(), stderr.as_str()), (Some(0), ""), "{command:?}");
	}
	// Both closed, and something to complain about.
	let mut child = machine.command(&["status"]).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
	drop((child.stdout.take(), child.stderr.take()));
	assert_eq!(child.wait().unwrap().code(), Some(4));
}

#[test]
fn completions_and_exit_codes_need_nothing() {
	let machine = Machine::new();
	for shell in ["bash", "zsh", "fish", "elvish", "powershell"] {
		let ran = machine.run(&["completions", shell]);
		assert_eq!(ran.code, 0);
		assert!(ran.stdout.contains("key-package"), "{shell}");
		assert_eq!(machine.run(&["--json", "completions", shell]).json()["shell"], shell);
	}
	let help = machine.run(&["help", "exit-codes"]);
	assert!(help.stdout.contains("  6  a proof does not hold"), "{}", help.stdout);
	let json = machine.run(&["--json", "exit-codes"]).json();
	let codes: Vec<u64> = json["exitCodes"].as_array().unwrap().iter().filter_map(|row| row["code"].as_u64()).collect();
	assert_eq!(codes, [0, 1, 2, 3, 4, 5, 6, 7, 130]);
}

//! Proofs that do not hold.

use super::{text, Machine, GENESIS, NOWHERE};

#[test]
fn a_proof_that_does_not_hold_is_code_6_and_a_missing_one_code_1() {
	let machine = Machine::new();
	let verify = |file: &str| machine.run(&["--json", "proof", "verify", "--genesis", GENESIS, file]);
	verify("nowhere.proof").failed_with(1, "file");
	for content in [&b""[..], b"hello", b"lockstep-proof", b"lockstep-proof\x01\x00\x00"] {
		let file = machine.write("group.proof", content);
		let ran = verify(text(&file));
		ran.failed_with(6, "unverified");
		assert_eq!(ran.stdout, "");
	}
	let ran = machine.run(&["proof", "verify", "--genesis", GENESIS, "group.proof"]);
	assert_eq!((ran.code, ran.stdout.as_str()), (6, ""));
	assert!(ran.stderr.starts_with("lockstep: the proof does not hold: "), "{}", ran.stderr);
}

#[test]
fn no_proof_comes_from_a_node_that_is_not_there() {
	let machine = Machine::new();
	let export =
		["--json", "proof", "export", "--node", NOWHERE, "--genesis", GENESIS, "--group", GENESIS, "--out", "x.proof"];
	machine.run(&export).failed_with(4, "unreachable");
	assert!(!machine.path("x.proof").exists());
}

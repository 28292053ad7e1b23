//! Issuing vouchers on a machine without a network, and reading them.

use super::{text, Machine, GENESIS, NOWHERE};
use lockstep_client::voucher::{HeldVoucher, PERIOD};
use std::{collections::BTreeSet, os::unix::fs::PermissionsExt};

fn issue<'a>(more: &[&'a str]) -> Vec<&'a str> {
	let first = ["voucher", "issue", "claim", "--sponsor", "alice", "--genesis", GENESIS, "--block", "100000"];
	[&first[..], more].concat()
}

#[test]
fn as_many_as_were_asked_for_are_issued_and_each_is_another() {
	let machine = Machine::new();
	let issued = machine.run(&issue(&["--count", "20"]));
	assert_eq!(issued.code, 0, "{}", issued.stderr);
	let keys: BTreeSet<_> =
		issued.stdout.lines().map(|line| line.parse::<HeldVoucher>().unwrap().voucher().key).collect();
	assert_eq!(keys.len(), 20);
	assert!(issued.stderr.contains(&format!("up to block {}", 2 * PERIOD)), "{}", issued.stderr);
	let json = machine.run(&issue(&["--json"])).json();
	assert_eq!((&json["kind"], &json["expiry"], &json["count"]), (&"claim".into(), &(2 * PERIOD).into(), &1.into()));
	let voucher: HeldVoucher = json["vouchers"][0].as_str().unwrap().parse().unwrap();
	assert_eq!(json["sponsor"], hex::encode(voucher.voucher().sponsor.0));
}

#[test]
fn a_file_of_vouchers_is_for_its_owner_and_never_in_the_place_of_another() {
	let machine = Machine::new();
	let path = machine.path("vouchers");
	let arguments = issue(&["--out", text(&path), "--json"]);
	let issued = machine.run(&arguments);
	assert_eq!(issued.code, 0, "{}", issued.stderr);
	assert_eq!(issued.json()["vouchers"], serde_json::json!([]), "they are in the file");
	let held: HeldVoucher = std::fs::read_to_string(&path).unwrap().parse().unwrap();
	assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
	machine.run(&arguments).failed_with(1, "file");

	let shown = machine.run(&["--json", "voucher", "show", text(&path)]);
	assert_eq!((&shown.json()["kind"], &shown.json()["expiry"]), (&"claim".into(), &held.voucher().expiry.into()));
	let secret = held.to_secret_text();
	assert!(!shown.stdout.contains(&secret[secret.len() - 72..secret.len() - 8]), "it is not shown");
	let cut = machine.write("cut", &secret[..100]);
	machine.run(&["--json", "voucher", "show", text(&cut)]).failed_with(2, "usage");
}

#[test]
fn what_is_wrong_is_said() {
	let machine = Machine::with("anna");
	let usage = |arguments: &[&str]| machine.run(&[&["--json"][..], arguments].concat()).failed_with(2, "usage");
	usage(&["voucher", "issue", "claim", "--sponsor", "alice"]);
	usage(&["voucher", "issue", "claim", "--sponsor", "alice", "--genesis", GENESIS]);
	usage(&["voucher", "issue", "claim", "--sponsor", "alice", "--node", NOWHERE, "--block", "7"]);
	usage(&issue(&["--count", "0"]));
	let seed = machine.write("seed", "no seed");
	usage(&["voucher", "issue", "claim", "--sponsor", text(&seed), "--genesis", GENESIS, "--block", "7"]);
	let arguments = ["--json", "voucher", "issue", "claim", "--sponsor", "alice", "--node", NOWHERE];
	machine.run(&arguments).failed_with(4, "unreachable");
	let none = machine.write("none", "money");
	usage(&["group", "create", "--voucher", text(&none)]);
	usage(&["group", "create", "--voucher", text(&none), "--sponsor", "alice"]);
	let other = machine.write("other", &machine.run(&issue(&[])).stdout);
	let said = machine.run(&["group", "create", "--voucher", text(&other)]);
	assert!(said.code == 2 && said.stderr.contains("claim"), "{}", said.stderr);
	let several = machine.write("several", &machine.run(&issue(&["--count", "3"])).stdout);
	let said = machine.run(&["voucher", "show", text(&several)]);
	assert!(said.code == 2 && said.stderr.contains("3 lines"), "{}", said.stderr);
	usage(&["voucher", "keep"]);
	let empty = machine.write("empty", "\n\n");
	usage(&["voucher", "keep", text(&several), text(&empty)]);
	let damaged = machine.write("damaged", format!("{}\nmoney\n", machine.run(&issue(&[])).stdout));
	let said = machine.run(&["voucher", "keep", text(&damaged)]);
	assert!(said.code == 2 && said.stderr.contains("damaged, line 3"), "{}", said.stderr);
}

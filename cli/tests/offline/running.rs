//! Beside a process that has the profile open: this test is that process.

use super::{Machine, Ran};
use serde_json::{json, Value};
use std::{
	io::{BufRead, BufReader, Write},
	os::unix::net::{UnixListener, UnixStream},
	process::Stdio,
	thread::JoinHandle,
	time::Duration,
};

/// How long a command may take to connect, and to say what it has to.
const PATIENCE: Duration = Duration::from_secs(60);

/// The command that connects. What it does not say in time is an error where it is read, and when this is dropped it has nobody to wait
/// for.
fn accept(listener: UnixListener) -> UnixStream {
	let accepting = async {
		listener.set_nonblocking(true).unwrap();
		let listener = tokio::net::UnixListener::from_std(listener).unwrap();
		let accepted = tokio::time::timeout(PATIENCE, listener.accept()).await;
		accepted.expect("the command connects").unwrap().0.into_std().unwrap()
	};
	let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
	let stream = runtime.block_on(accepting);
	stream.set_nonblocking(false).unwrap();
	stream.set_read_timeout(Some(PATIENCE)).unwrap();
	stream.set_write_timeout(Some(PATIENCE)).unwrap();
	stream
}

/// Answers one command with these lines; gives what was asked.
fn answer(machine: &Machine, answers: Vec<Value>) -> JoinHandle<Value> {
	let socket = machine.profile("anna").join("socket");
	drop(std::fs::remove_file(&socket));
	let listener = UnixListener::bind(socket).unwrap();
	std::thread::spawn(move || {
		let mut stream = accept(listener);
		let mut line = String::new();
		BufReader::new(stream.try_clone().unwrap()).read_line(&mut line).unwrap();
		for answer in answers {
			writeln!(stream, "{answer}").unwrap();
		}
		serde_json::from_str(&line).unwrap()
	})
}

#[test]
fn a_command_is_run_by_the_process_that_has_the_profile_open() {
	let machine = Machine::with("anna");
	let answers = vec![
		json!({ "note": "careful\n" }),
		json!({ "result": "one\n" }),
		json!({ "result": "two\n" }),
		json!({ "done": null }),
	];
	let running = answer(&machine, answers);
	let ran = machine.run(&["send", "abcd", "hello", "--timeout", "7"]);
	assert_eq!((ran.code, ran.stdout.as_str(), ran.stderr.as_str()), (0, "one\ntwo\n", "careful\n"));
	let asked = running.join().unwrap();
	assert_eq!((&asked["json"], &asked["timeout"]["secs"]), (&false.into(), &7.into()));
	assert_eq!(
		(&asked["command"]["Send"]["group"], &asked["command"]["Send"]["text"]),
		(&"abcd".into(), &"hello".into())
	);
}

#[test]
fn files_are_read_where_the_command_was_called() {
	let machine = Machine::with("anna");
	machine.write("bert.kp", "0001ff");
	let running = answer(&machine, vec![json!({ "done": null })]);
	assert_eq!(machine.run(&["group", "add", "abcd", "bert.kp"]).code, 0);
	assert_eq!(running.join().unwrap()["command"]["Group"]["Add"]["key_packages"], json!([[0, 1, 255]]));
	let running = answer(&machine, vec![json!({ "done": null })]);
	assert_eq!(machine.run(&["key-package", "--out", "anna.kp"]).code, 0);
	let asked = running.join().unwrap();
	assert_eq!(
		asked["command"]["KeyPackage"]["out"].as_str().map(std::path::Path::new),
		Some(&*machine.path("anna.kp"))
	);
}

#[test]
fn a_person_is_added_by_the_process_that_has_the_profile_open_with_the_voucher_of_this_one() {
	let machine = Machine::with("anna");
	let issue = ["voucher", "issue", "claim", "--sponsor", "alice", "--genesis", super::GENESIS, "--block", "7"];
	let voucher = machine.run(&issue).stdout.trim().to_owned();
	machine.write("voucher", &voucher);
	let running = answer(&machine, vec![json!({ "done": null })]);
	let person = format!("0x{}", "02".repeat(32));
	assert_eq!(machine.run(&["group", "add", "abcd", "--person", &person, "--voucher", "voucher"]).code, 0);
	let asked = running.join().unwrap();
	let add = &asked["command"]["Group"]["Add"];
	assert_eq!((&add["person"], &add["held"]), (&person.into(), &voucher.into()));
	// Programs that would leave out whom to add, or what for, must not run it.
	assert_ne!(asked["version"], env!("CARGO_PKG_VERSION"));
}

#[test]
fn vouchers_are_kept_by_the_process_that_has_the_profile_open() {
	let machine = Machine::with("anna");
	let issue = ["voucher", "issue", "claim", "--sponsor", "alice", "--genesis", super::GENESIS, "--block", "7"];
	let issued = machine.run(&[&issue[..], &["--count", "2"]].concat()).stdout;
	machine.write("claims", format!("\n{issued}"));
	let running = answer(&machine, vec![json!({ "done": null })]);
	assert_eq!(machine.run(&["voucher", "keep", "claims"]).code, 0);
	let asked = running.join().unwrap();
	let given = asked["command"]["KeepVouchers"]["given"].as_array().unwrap();
	let vouchers: Vec<&str> = given.iter().map(|given| given["held"].as_str().unwrap()).collect();
	assert_eq!(vouchers, issued.lines().collect::<Vec<_>>());
	assert_eq!((&given[1]["file"], &given[1]["line"]), (&"claims".into(), &3.into()), "for what is said of it");
	let running = answer(&machine, vec![json!({ "done": null })]);
	let person = format!("0x{}", "02".repeat(32));
	assert_eq!(machine.run(&["identity", "news", &person]).code, 0);
	assert_eq!(running.join().unwrap()["command"]["News"]["people"], json!([person]));
}

#[test]
fn key_packages_are_published_by_the_process_that_has_the_profile_open() {
	let machine = Machine::with("anna");
	let running = answer(&machine, vec![json!({ "done": null })]);
	assert_eq!(machine.run(&["keys", "publish", "--count", "3", "--last-resort"]).code, 0);
	let asked = running.join().unwrap();
	let publish = &asked["command"]["Publish"];
	assert_eq!((&publish["count"], &publish["last_resort"]), (&3.into(), &true.into()));
	// Programs whose last resort is a KeyPackage like others, good for one group, must not run it.
	assert_ne!(asked["version"], concat!(env!("CARGO_PKG_VERSION"), " with people"));
}

/// Has one result shown by a command that prints to this place; gives its code, and whether it said that it has.
fn shown(output: Stdio) -> (Option<i32>, bool) {
	let machine = Machine::with("anna");
	let listener = UnixListener::bind(machine.profile("anna").join("socket")).unwrap();
	let running = std::thread::spawn(move || {
		let mut stream = accept(listener);
		let mut read = BufReader::new(stream.try_clone().unwrap());
		let mut line = String::new();
		read.read_line(&mut line).unwrap();
		// It is gone before it is asked if it could not show it.
		drop(writeln!(stream, "{}\n{}", json!({ "result": "one\n" }), json!("shown")));
		line.clear();
		let said = read.read_line(&mut line).is_ok_and(|length| length > 0);
		// It may be gone.
		drop(writeln!(stream, "{}", json!({ "done": null })));
		said
	});
	let status = machine.command(&["identity", "news"]).stdout(output).stderr(Stdio::null()).status().unwrap();
	(status.code(), running.join().unwrap())
}

#[test]
fn that_process_is_told_what_was_shown_and_nothing_of_what_could_not_be() {
	assert_eq!(shown(Stdio::null()), (Some(0), true));
	let full = std::fs::File::options().write(true).open("/dev/full").unwrap();
	assert_eq!(shown(full.into()), (Some(1), false), "there is no room for it");
}

#[test]
fn its_failure_is_the_commands_failure() {
	let machine = Machine::with("anna");
	let failure = json!({ "kind": "removed", "message": "out", "try": "come back" });
	let running = answer(&machine, vec![json!({ "done": failure })]);
	let ran = machine.run(&["--json", "send", "abcd", "hello"]);
	ran.failed_with(5, "removed");
	assert_eq!(ran.error(), failure);
	running.join().unwrap();
}

#[test]
fn one_that_goes_away_without_an_answer_is_no_success() {
	let machine = Machine::with("anna");
	let running = answer(&machine, vec![json!({ "result": "{}\n" })]);
	machine.run(&["--json", "send", "abcd", "hello"]).failed_with(1, "failed");
	running.join().unwrap();
}

#[test]
fn what_cannot_be_handed_over_says_that_the_profile_is_in_use() {
	let machine = Machine::with("anna");
	let socket = machine.profile("anna").join("socket");
	let listener = UnixListener::bind(&socket).unwrap();
	let chat = machine.run(&["--json", "chat"]);
	chat.failed_with(3, "in_use");
	assert!(chat.error()["try"].as_str().unwrap().contains("read --follow"));
	machine.run(&["--json", "group", "create", "--sponsor", "alice"]).failed_with(3, "in_use");
	machine.run(&["--json", "device", "rotate"]).failed_with(3, "in_use");
	// A socket that nobody listens at was left by a process that was killed.
	drop(listener);
	assert!(socket.exists());
	Ran::of(machine.command(&["--json", "chat"])).failed_with(4, "unreachable");
}

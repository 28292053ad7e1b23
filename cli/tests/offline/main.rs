//! The command line as a process, as far as it needs no node.

mod backups;
mod failures;
mod people;
mod profiles;
mod proofs;
mod running;
mod vouchers;

use serde_json::Value;
use std::{
	path::{Path, PathBuf},
	process::{Command, Stdio},
};

/// Nothing listens here.
const NOWHERE: &str = "ws://127.0.0.1:1";
/// Some genesis.
const GENESIS: &str = "0101010101010101010101010101010101010101010101010101010101010101";

/// A user's machine, with a data folder of its own.
struct Machine {
	folder: tempfile::TempDir,
}

/// What a process left behind.
struct Ran {
	code: i32,
	stdout: String,
	stderr: String,
}

impl Machine {
	fn new() -> Self {
		Self { folder: tempfile::tempdir().unwrap() }
	}

	/// With a profile in the clear.
	fn with(profile: &str) -> Self {
		let machine = Self::new();
		let made = machine.run(&["identity", "new", profile, "--dev", "--insecure-no-passphrase", "--node", NOWHERE]);
		assert_eq!(made.code, 0, "{}", made.stderr);
		machine
	}

	fn path(&self, name: &str) -> PathBuf {
		self.folder.path().join(name)
	}

	/// The folder of a profile that has a name.
	fn profile(&self, name: &str) -> PathBuf {
		self.path("lockstep").join(name)
	}

	fn command(&self, arguments: &[&str]) -> Command {
		let mut command = Command::new(env!("CARGO_BIN_EXE_lockstep"));
		command.args(arguments).current_dir(self.folder.path()).stdin(Stdio::null());
		for name in ["LOCKSTEP_PROFILE", "LOCKSTEP_PASSPHRASE", "LOCKSTEP_PASSPHRASE_FILE", "LOCKSTEP_LOG"] {
			command.env_remove(name);
		}
		command.env("XDG_DATA_HOME", self.folder.path()).env("HOME", self.folder.path());
		command
	}

	fn run(&self, arguments: &[&str]) -> Ran {
		Ran::of(self.command(arguments))
	}

	fn write(&self, name: &str, content: impl AsRef<[u8]>) -> PathBuf {
		let path = self.path(name);
		std::fs::write(&path, content).unwrap();
		path
	}
}

impl Ran {
	fn of(mut command: Command) -> Self {
		let output = command.output().unwrap();
		let text = |bytes| String::from_utf8(bytes).unwrap();
		Self { code: output.status.code().unwrap(), stdout: text(output.stdout), stderr: text(output.stderr) }
	}

	/// Standard output, one object.
	fn json(&self) -> Value {
		assert_eq!(self.stdout.lines().count(), 1, "{:?} {:?}", self.stdout, self.stderr);
		serde_json::from_str(&self.stdout).unwrap()
	}

	/// The error on standard error, every line of which has to be JSON.
	fn error(&self) -> Value {
		let lines: Vec<Value> = self
			.stderr
			.lines()
			.map(|line| serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {line:?}")))
			.collect();
		lines.last().and_then(|line| line.get("error")).unwrap_or_else(|| panic!("{:?}", self.stderr)).clone()
	}

	#[track_caller]
	fn failed_with(&self, code: i32, kind: &str) {
		let error = self.error();
		assert_eq!((self.code, error["kind"].as_str()), (code, Some(kind)), "{error}");
		assert!(error["message"].as_str().is_some_and(|message| !message.is_empty()));
	}
}

fn text(path: &Path) -> &str {
	path.to_str().unwrap()
}

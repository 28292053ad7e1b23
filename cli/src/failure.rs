//! What goes wrong, in a form for people and one for programs, and the code that the process ends with.
//!
//! Kinds and codes are an interface: `docs/cli.md` has the same table, and a test compares the two.

mod convert;

use serde::{Deserialize, Serialize};
use std::fmt;

/// The code that the process ends with.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Exit {
	Done = 0,
	Failed = 1,
	Usage = 2,
	Profile = 3,
	Node = 4,
	Refused = 5,
	Unverified = 6,
	Unfinished = 7,
	Interrupted = 130,
}

impl Exit {
	/// Each code with what it means.
	pub const ALL: [(Self, &'static str); 9] = [
		(Self::Done, "done"),
		(Self::Failed, "failed for a reason of its own, such as a file that cannot be read"),
		(Self::Usage, "the command line is wrong"),
		(Self::Profile, "the profile or its store: missing, in use, damaged, wrong passphrase"),
		(Self::Node, "no node can be used: not reachable, or of another chain"),
		(Self::Refused, "refused by the group or the chain: not a member, removed, closed, nothing to do"),
		(Self::Unverified, "a proof does not hold"),
		(Self::Unfinished, "not finished in the time given; what was begun may still become final"),
		(Self::Interrupted, "interrupted by Ctrl-C or a signal; what was begun may still become final"),
	];
}

/// What kind of thing went wrong. The names are part of `--json`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
	/// Nobody reads the output any more: the end of a pipe such as `| head`.
	OutputClosed,
	Failed,
	File,
	Usage,
	NoProfile,
	ProfileExists,
	ProfileDamaged,
	NoPassphrase,
	WrongPassphrase,
	InUse,
	Store,
	Unreachable,
	WrongChain,
	Node,
	NoGroup,
	AmbiguousGroup,
	Removed,
	Replaced,
	Returning,
	Desynchronized,
	Closed,
	Halted,
	Refused,
	NoIdentity,
	NotADevice,
	Unverified,
	Timeout,
	Interrupted,
}

impl Kind {
	/// The kinds that a program may meet, in the order of their codes.
	pub const ALL: [Self; 27] = [
		Self::Failed,
		Self::File,
		Self::Usage,
		Self::NoProfile,
		Self::ProfileExists,
		Self::ProfileDamaged,
		Self::NoPassphrase,
		Self::WrongPassphrase,
		Self::InUse,
		Self::Store,
		Self::Unreachable,
		Self::WrongChain,
		Self::Node,
		Self::NoGroup,
		Self::AmbiguousGroup,
		Self::Removed,
		Self::Replaced,
		Self::Returning,
		Self::Desynchronized,
		Self::Closed,
		Self::Halted,
		Self::Refused,
		Self::NoIdentity,
		Self::NotADevice,
		Self::Unverified,
		Self::Timeout,
		Self::Interrupted,
	];

	/// The code that goes with it.
	pub fn exit(self) -> Exit {
		match self {
			Self::OutputClosed => Exit::Done,
			Self::Failed | Self::File => Exit::Failed,
			Self::Usage => Exit::Usage,
			Self::NoProfile
			| Self::ProfileExists
			| Self::ProfileDamaged
			| Self::NoPassphrase
			| Self::WrongPassphrase
			| Self::InUse
			| Self::Store => Exit::Profile,
			Self::Unreachable | Self::WrongChain | Self::Node => Exit::Node,
			Self::NoGroup
			| Self::AmbiguousGroup
			| Self::Removed
			| Self::Replaced
			| Self::Returning
			| Self::Desynchronized
			| Self::Closed
			| Self::Halted
			| Self::Refused
			| Self::NoIdentity
			| Self::NotADevice => Exit::Refused,
			Self::Unverified => Exit::Unverified,
			Self::Timeout => Exit::Unfinished,
			Self::Interrupted => Exit::Interrupted,
		}
	}

	/// Its name in `--json`.
	pub fn name(self) -> String {
		serde_json::to_value(self).ok().and_then(|name| name.as_str().map(str::to_owned)).unwrap_or_default()
	}
}

/// Why a command came to nothing.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Failure {
	/// What kind of thing went wrong.
	pub kind: Kind,
	/// What went wrong, for people.
	pub message: String,
	/// What to do about it: mostly a command.
	#[serde(rename = "try", default, skip_serializing_if = "Option::is_none")]
	pub advice: Option<String>,
}

impl Failure {
	/// A failure without advice.
	pub fn new(kind: Kind, message: impl fmt::Display) -> Self {
		Self { kind, message: message.to_string(), advice: None }
	}

	/// Says what to do.
	pub fn advise(mut self, advice: impl Into<String>) -> Self {
		self.advice = Some(advice.into());
		self
	}

	/// A file that cannot be read or written.
	pub fn file(path: &std::path::Path, error: &std::io::Error) -> Self {
		Self::new(Kind::File, format!("{}: {error}", path.display()))
	}

	/// The code that the process ends with.
	pub fn exit(&self) -> Exit {
		self.kind.exit()
	}

	/// With the advice that its kind calls for, unless it has some; `command` is how this profile's commands begin.
	pub fn in_profile(mut self, command: &str) -> Self {
		let usual = match self.kind {
			Kind::InUse => {
				Some("close the other `lockstep` of this profile, or the program that uses its store".to_owned())
			}
			Kind::Unreachable | Kind::WrongChain | Kind::Node => Some(format!("{command} doctor")),
			Kind::NoGroup | Kind::AmbiguousGroup => Some(format!("{command} group list")),
			Kind::Removed | Kind::Desynchronized => {
				Some(format!("give a member a new KeyPackage to be invited with: {command} key-package --out me.kp"))
			}
			Kind::Replaced => Some(format!(
				"use the device that has its place; if there is none: {command} group rejoin GROUP, then {command} group rotate GROUP"
			)),
			Kind::Returning => Some(format!(
				"{command} join GROUP, which waits for it; or hand a member the output of: {command} group rejoin GROUP"
			)),
			Kind::Closed => Some(format!("{command} group create")),
			Kind::Halted | Kind::Store => Some(format!("{command} doctor")),
			_ => None,
		};
		self.advice = self.advice.or(usual);
		self
	}
}

impl fmt::Display for Failure {
	fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
		write!(f, "lockstep: {}", self.message)?;
		match &self.advice {
			Some(advice) => write!(f, "\n  try: {advice}"),
			None => Ok(()),
		}
	}
}

#[cfg(test)]
mod tests {
	use super::*;

	#[test]
	fn the_codes_and_kinds_are_those_that_are_documented() {
		let manual = include_str!("../../docs/cli.md");
		for (exit, meaning) in Exit::ALL {
			let row = format!("| {} | {meaning} |", exit as u8);
			assert!(manual.contains(&row), "docs/cli.md lacks: {row}");
		}
		for kind in Kind::ALL {
			let row = format!("| `{}` | {} |", kind.name(), kind.exit() as u8);
			assert!(manual.contains(&row), "docs/cli.md lacks: {row}");
		}
	}

	#[test]
	fn a_failure_is_one_json_object_with_the_command_to_try() {
		let failure = Failure::new(Kind::Unreachable, "no node").in_profile("lockstep --profile anna");
		let json = serde_json::to_value(&failure).unwrap();
		let expected = serde_json::json!({
			"kind": "unreachable", "message": "no node", "try": "lockstep --profile anna doctor"
		});
		assert_eq!(json, expected);
		assert_eq!(serde_json::from_value::<Failure>(json).unwrap(), failure);
		let without = serde_json::to_value(Failure::new(Kind::Failed, "x")).unwrap();
		assert_eq!(without, serde_json::json!({ "kind": "failed", "message": "x" }));
	}

	#[test]
	fn advice_that_is_there_already_stays() {
		let failure = Failure::new(Kind::Unreachable, "no node").advise("wait").in_profile("lockstep");
		assert_eq!(failure.to_string(), "lockstep: no node\n  try: wait");
	}

	#[test]
	fn what_has_too_long_a_path_comes_with_what_to_do() {
		use lockstep_client::{BuildError, CommitError};
		let long = BuildError::LongPath { nodes: 780, length: 70_000, max: 65_536 };
		let failure = Failure::from(CommitError::from(long));
		assert_eq!((failure.kind, failure.exit()), (Kind::Refused, Exit::Refused));
		assert!(failure.advice.unwrap().starts_with("have other members keep their clients open"));
		assert_eq!(Failure::from(CommitError::from(BuildError::Empty)).advice, None);
	}

	#[test]
	fn key_packages_that_are_refused_are_told_from_those_that_may_still_come() {
		use lockstep_client::directory::{DirectoryError, KeyPackageRefusal};
		let half = |inside| Failure::from(DirectoryError::NotPublished(Box::new(inside))).kind;
		assert_eq!(half(DirectoryError::KeyPackages(KeyPackageRefusal::BadSequence)), Kind::Refused);
		assert_eq!(half(DirectoryError::NotFinal { said: String::new() }), Kind::Timeout);
	}
}

//! What a line of a conversation means.

use crate::name;
use std::{path::PathBuf, str::FromStr};

pub const HELP: &str = "\
/update           renews this member's keys
/rotate           gives this member another signature key
/rename NAME      gives the group another name
/members          who is in the group
/add FILE         adds the owner of a KeyPackage
/remove IDENTITY  removes a member
/leave            asks the others to remove this member
/quit             ends; the group stays
//text            says /text";

/// What a line means.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Line {
	Nothing,
	Say(String),
	Help,
	Update,
	Rotate,
	Rename(String),
	Members,
	Add(PathBuf),
	Remove(Vec<u8>),
	Leave,
	Quit,
}

impl FromStr for Line {
	type Err = String;

	fn from_str(line: &str) -> Result<Self, String> {
		let line = line.trim_end();
		let Some(command) = line.strip_prefix('/') else {
			return Ok(if line.is_empty() { Self::Nothing } else { Self::Say(line.to_owned()) });
		};
		if command.starts_with('/') {
			return Ok(Self::Say(command.to_owned()));
		}
		let (verb, rest) = command.split_once(' ').map_or((command, ""), |(verb, rest)| (verb, rest.trim()));
		match (verb, rest) {
			("help", "") => Ok(Self::Help),
			("update", "") => Ok(Self::Update),
			("rotate", "") => Ok(Self::Rotate),
			("rename", name) if !name.is_empty() => Ok(Self::Rename(name.to_owned())),
			("members", "") => Ok(Self::Members),
			("leave", "") => Ok(Self::Leave),
			("quit", "") => Ok(Self::Quit),
			("add", path) if !path.is_empty() => Ok(Self::Add(path.into())),
			("remove", identity) if !identity.is_empty() => name::parse(identity).map(Self::Remove),
			_ => Err(format!("/{verb} is not a command, or lacks something: nothing was sent. /help lists commands")),
		}
	}
}

#[cfg(test)]
mod tests {
	use super::*;

	#[test]
	fn lines_are_said_unless_they_begin_with_a_slash() {
		let parsed = |line: &str| line.parse::<Line>();
		assert_eq!(parsed("hello  \r"), Ok(Line::Say("hello".into())));
		assert_eq!(parsed(" /update"), Ok(Line::Say(" /update".into())));
		assert_eq!(parsed("//update"), Ok(Line::Say("/update".into())));
		assert_eq!(parsed(""), Ok(Line::Nothing));
		assert_eq!(parsed("/update"), Ok(Line::Update));
		assert_eq!(parsed("/rotate"), Ok(Line::Rotate));
		assert_eq!(parsed("/rename our group"), Ok(Line::Rename("our group".into())));
		assert_eq!(parsed("/add a b.kp"), Ok(Line::Add("a b.kp".into())));
		assert_eq!(parsed("/remove hex:ff"), Ok(Line::Remove(vec![0xff])));
	}

	#[test]
	fn a_mistyped_command_is_not_said_to_everybody() {
		for line in ["/", "/remove", "/add ", "/rename", "/rotate it", "/updat", "/update now", "/remove hex:zz"] {
			assert!(line.parse::<Line>().is_err(), "{line}");
		}
	}
}

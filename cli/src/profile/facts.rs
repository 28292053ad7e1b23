//! What `profile.json` says.

use crate::name;
use lockstep_client::{
	directory::{IdentityId, IdentityKey},
	GenesisHash,
};
use serde::{Deserialize, Serialize};

/// The version of `profile.json` of an identity that is a name,
const VERSION: u32 = 1;
/// and of a person, which programs that know no persons must not take for a name.
const OF_PERSON: u32 = 2;

/// What `profile.json` says.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Facts {
	/// Of the file.
	pub version: u32,
	/// The name that the members of its groups see; of a person, what the user calls the profile.
	pub identity: String,
	/// URLs of nodes.
	pub nodes: Vec<String>,
	/// The chain; set when the first node is met, if it was not given.
	pub genesis: Option<GenesisHash>,
	/// Who pays for groups: `alice`, or the path of a file with a seed.
	pub sponsor: Option<String>,
	/// Of a profile that is a device of a person.
	#[serde(default, skip_serializing_if = "Option::is_none")]
	pub person: Option<Person>,
}

/// Whose device a profile is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Person {
	/// The identity; not known before it is made, or the device has accepted to be one of it.
	pub id: Option<IdentityId>,
	/// The device's key.
	pub device: IdentityKey,
}

impl Facts {
	/// Of a new profile.
	pub fn new(identity: String, nodes: Vec<String>) -> Self {
		Self { version: VERSION, identity, nodes, genesis: None, sponsor: None, person: None }
	}

	/// The same for a person with this device.
	pub fn of_person(self, device: IdentityKey) -> Self {
		Self { version: OF_PERSON, person: Some(Person { id: None, device }), ..self }
	}

	/// What the members of its groups see; `None` if that is not known yet.
	pub fn member(&self) -> Option<String> {
		match self.person {
			None => Some(self.identity.clone()),
			Some(person) => person.id.map(|id| name::show(&id.0)),
		}
	}

	/// Why this program cannot use them, if it cannot.
	pub fn fault(&self) -> Option<String> {
		match (self.version, self.person) {
			(VERSION, None) | (OF_PERSON, Some(_)) => None,
			(VERSION | OF_PERSON, _) => Some("its version does not fit what it says".to_owned()),
			(version, _) => Some(format!("it has version {version}, and this program knows {VERSION} and {OF_PERSON}")),
		}
	}
}

#[cfg(test)]
mod tests {
	use super::*;

	#[test]
	fn a_person_is_no_name_and_a_name_no_person() {
		let anna = Facts::new("anna".into(), Vec::new());
		assert_eq!((anna.member(), anna.fault()), (Some("anna".into()), None));
		let mut person = anna.clone().of_person(IdentityKey([1; 32]));
		assert_eq!((person.member(), person.fault()), (None, None), "nobody sees her name");
		person.person = Some(Person { id: Some(IdentityId([0xff; 32])), device: IdentityKey([1; 32]) });
		assert_eq!(person.member(), Some(format!("hex:{}", "ff".repeat(32))));
		assert!(Facts { person: person.person, ..anna.clone() }.fault().is_some());
		assert!(Facts { version: 2, ..anna.clone() }.fault().is_some());
		assert!(Facts { version: 3, ..anna.clone() }.fault().is_some());
		let json = serde_json::to_string(&anna).unwrap();
		assert!(!json.contains("person"), "older programs read it as before: {json}");
		assert_eq!(serde_json::from_str::<Facts>(&serde_json::to_string(&person).unwrap()).unwrap(), person);
	}
}

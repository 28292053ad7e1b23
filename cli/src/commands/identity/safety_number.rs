//! `lockstep identity safety-number`.

use crate::{
	failure::{Failure, Kind},
	globals::Globals,
	output::Out,
	person,
};
use clap::Args;
use lockstep_client::directory::{IdentityId, SafetyNumber};
use serde_json::json;

/// Prints the number by which this person and another one make sure that each has the other's identity
///
/// Compare it face to face, or in a call: it is the same for both, or one of the two has somebody else's identity in the place of the
/// other's. It does not change with devices and keys. No node is asked.
#[derive(Args)]
pub struct ShowSafetyNumber {
	/// The other person's id
	#[arg(value_name = "ID", value_parser = person::identity)]
	id: IdentityId,
}

impl ShowSafetyNumber {
	pub fn run(&self, globals: &Globals, out: &Out) -> Result<(), Failure> {
		let profile = globals.profile()?;
		let person = profile.facts().person.ok_or_else(|| profile.no_person())?;
		let own = person.id.ok_or_else(|| {
			Failure::new(Kind::NotADevice, "this device is nobody's yet")
				.advise(format!("{} device accept EVENT", profile.command()))
		})?;
		if own == self.id {
			return Err(Failure::new(Kind::Usage, "this is the identity of this profile itself")
				.advise("give the id of the other person, as it is shown here in a group, or by `identity find`"));
		}
		let number = SafetyNumber::of(&own, &self.id);
		let groups: Vec<String> = number.groups().collect();
		out.note("lockstep: the other person has to see the same number with the id of this one");
		let json = json!({ "id": own, "with": self.id, "number": number.to_string(), "groups": groups });
		out.result(&number.to_string(), &json)
	}
}

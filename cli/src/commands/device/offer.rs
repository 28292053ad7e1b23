//! `lockstep device offer`.

use crate::{
	commands::identity::make::{self, Make},
	failure::{Failure, Kind},
	globals::Globals,
	keyring::{KeyFile, Keyring, Standing},
	output::Out,
	person,
	profile::Profile,
};
use clap::Args;
use lockstep_client::directory::DeviceOffer;
use serde_json::json;

/// Makes a profile for a further device of a person, and prints the code by which another device adds it
///
/// The code is no secret; but who can replace it on its way is added instead. Run it again to see the code again.
#[derive(Args)]
pub struct Offer {
	/// What to call the profile
	#[arg(value_name = "NAME", value_parser = make::name)]
	name: String,
	#[command(flatten)]
	make: Make,
}

impl Offer {
	pub fn run(self, globals: &Globals, out: &Out) -> Result<(), Failure> {
		let (profile, secret) = match Profile::open(make::place(globals, &self.name)?) {
			Ok(profile) => {
				let secret = person::unlock(globals, &profile)?;
				(profile, secret)
			}
			Err(_) => self.make.ready(self.name, globals)?.of_person(&Keyring::new(Standing::Offered), out)?,
		};
		let keyring = KeyFile::of(&profile, &secret).read()?;
		if keyring.standing != Standing::Offered {
			let message = format!("the profile {} is a device already, or on its way to be one", profile.name());
			return Err(Failure::new(Kind::ProfileExists, message).advise("choose another name"));
		}
		let offer = DeviceOffer(keyring.keys.device());
		out.note(format!(
			"lockstep: on another device of yours: lockstep device add CODE; then here: {} device accept EVENT",
			profile.command()
		));
		let json = json!({ "profile": profile.name(), "code": offer.to_string(), "device": offer.0.key });
		out.result(&offer.to_string(), &json)
	}
}

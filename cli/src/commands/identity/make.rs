//! What it takes to make a profile.

use crate::{
	failure::{Failure, Kind},
	globals::Globals,
	keyring::{KeyFile, Keyring},
	output::Out,
	profile::{self, Facts, Place, Profile},
	secret::{Passphrase, Secret},
};
use clap::Args;
use lockstep_client::GenesisHash;

/// Where the node of `lockstep-node --dev` listens.
const DEV_NODE: &str = "ws://127.0.0.1:9944";
/// Longest name, in bytes.
const MAX_NAME: usize = 256;

/// What every command that makes a profile takes.
#[derive(Args)]
pub struct Make {
	/// URL of a node, ws://HOST:PORT; give several for the case that one is silent or lies
	#[arg(long, value_name = "URL", value_parser = super::node_url)]
	node: Vec<String>,
	/// Genesis hash of the chain; without it the first node that is met is believed, once
	#[arg(long, value_name = "HASH", conflicts_with = "dev")]
	genesis: Option<GenesisHash>,
	/// For a chain of `lockstep-node --dev`: its node, and Alice as the sponsor, unless others are named
	#[arg(long)]
	dev: bool,
	/// Who pays for groups that it makes: `alice`, on development chains, or a file with a seed of 64 hexadecimal digits
	#[arg(long, value_name = "alice|FILE")]
	sponsor: Option<String>,
	/// Keeps the secret in the clear; with --dev only
	#[arg(long, requires = "dev")]
	insecure_no_passphrase: bool,
}

/// Where a profile goes: under its name, unless --profile names another place.
pub fn place(globals: &Globals, name: &str) -> Result<Place, Failure> {
	Place::named(globals.profile.as_deref().filter(|named| !named.is_empty()).unwrap_or(name))
}

/// A profile that can be made.
pub struct Ready {
	place: Place,
	facts: Facts,
	passphrase: Option<Passphrase>,
}

impl Make {
	/// Looks at all that can be wrong, and asks for the passphrase.
	pub fn ready(self, name: String, globals: &Globals) -> Result<Ready, Failure> {
		let Self { mut node, genesis, dev, sponsor, insecure_no_passphrase } = self;
		if node.is_empty() {
			if !dev {
				return Err(Failure::new(Kind::Usage, "no node is named")
					.advise("--node ws://HOST:PORT, or --dev for a development chain on this machine"));
			}
			node.push(DEV_NODE.to_owned());
		}
		let sponsor = sponsor.or_else(|| dev.then(|| "alice".to_owned())).map(checked).transpose()?;
		let place = place(globals, &name)?;
		if Profile::open(place.clone()).is_ok() {
			let message = format!("there is a profile {} already, in {}", place.name(), place.folder().display());
			return Err(Failure::new(Kind::ProfileExists, message).advise("choose another name, or --profile PATH"));
		}
		let passphrase = if insecure_no_passphrase { None } else { Some(globals.new_passphrase()?) };
		Ok(Ready { place, facts: Facts { genesis, sponsor, ..Facts::new(name, node) }, passphrase })
	}
}

impl Ready {
	/// Makes it, for an identity that is a name.
	pub fn of_name(self, out: &Out) -> Result<Profile, Failure> {
		let profile = Profile::create(self.place, self.facts, self.passphrase.as_ref())?;
		warn(self.passphrase.as_ref(), out);
		Ok(profile)
	}

	/// Whether nothing is where it goes, before a key is handed out that is of no use without it.
	pub fn vacant(&self) -> Result<(), Failure> {
		Profile::vacant(&self.place)
	}

	/// Makes it, for a person's device with these keys.
	pub fn of_person(self, keyring: &Keyring, out: &Out) -> Result<(Profile, Secret), Failure> {
		let secret = Secret::random();
		let mut facts = self.facts.of_person(keyring.keys.current.key());
		if let Some(person) = &mut facts.person {
			person.id = keyring.identity;
		}
		let profile = Profile::make(self.place, facts, &secret, self.passphrase.as_ref(), |new| {
			KeyFile::of(new, &secret).create(keyring)
		})?;
		warn(self.passphrase.as_ref(), out);
		Ok((profile, secret))
	}
}

fn warn(passphrase: Option<&Passphrase>, out: &Out) {
	if passphrase.is_none() {
		out.warn("the secret of this identity lies in the clear: whoever reads the folder can be it");
	}
}

/// A sponsor that can be used from any folder, later.
fn checked(named: String) -> Result<String, Failure> {
	profile::account(&named)?;
	if named == "alice" {
		return Ok(named);
	}
	let path = std::path::absolute(&named).map_err(|error| Failure::file(named.as_ref(), &error))?;
	Ok(path.to_string_lossy().into_owned())
}

/// A name on the command line.
pub fn name(text: &str) -> Result<String, String> {
	if text.is_empty() || text.len() > MAX_NAME {
		return Err(format!("an identity has 1 to {MAX_NAME} bytes"));
	}
	// What others would be shown as digits.
	match crate::name::show(text.as_bytes()) == text {
		true => Ok(text.to_owned()),
		false => Err("an identity has no control characters and does not begin with `hex:`".to_owned()),
	}
}

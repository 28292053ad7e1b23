//! `lockstep identity new`.

use crate::{
	failure::{Failure, Kind},
	globals::Globals,
	output::Out,
	profile::{self, Facts, Place, Profile},
};
use clap::Args;
use lockstep_client::GenesisHash;

/// Where the node of `lockstep-node --dev` listens.
const DEV_NODE: &str = "ws://127.0.0.1:9944";
/// Longest identity, in bytes.
const MAX_IDENTITY: usize = 256;

/// Makes an identity, in a profile of its own
#[derive(Args)]
pub struct New {
	/// The name that members of its groups see; the profile gets it too, unless --profile names another
	#[arg(value_name = "NAME", value_parser = identity)]
	name: String,
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

impl New {
	pub fn run(self, globals: &Globals, out: &Out) -> Result<(), Failure> {
		let Self { name, mut node, genesis, dev, sponsor, insecure_no_passphrase } = self;
		if node.is_empty() {
			if !dev {
				return Err(Failure::new(Kind::Usage, "no node is named")
					.advise("--node ws://HOST:PORT, or --dev for a development chain on this machine"));
			}
			node.push(DEV_NODE.to_owned());
		}
		let sponsor = sponsor.or_else(|| dev.then(|| "alice".to_owned())).map(checked).transpose()?;
		let place = Place::named(globals.profile.as_deref().filter(|named| !named.is_empty()).unwrap_or(&name))?;
		if Profile::open(place.clone()).is_ok() {
			let message = format!("there is a profile {} already, in {}", place.name(), place.folder().display());
			return Err(Failure::new(Kind::ProfileExists, message).advise("choose another name, or --profile PATH"));
		}
		let passphrase = if insecure_no_passphrase { None } else { Some(globals.new_passphrase()?) };
		let facts = Facts { genesis, sponsor, ..Facts::new(name, node) };
		let profile = Profile::create(place, facts, passphrase.as_ref())?;
		if insecure_no_passphrase {
			out.warn("the secret of this identity lies in the clear: whoever reads the folder can be it");
		}
		out.result(&super::text(&profile), &super::json(&profile))
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

fn identity(text: &str) -> Result<String, String> {
	if text.is_empty() || text.len() > MAX_IDENTITY {
		return Err(format!("an identity has 1 to {MAX_IDENTITY} bytes"));
	}
	// What others would be shown as digits.
	match crate::name::show(text.as_bytes()) == text {
		true => Ok(text.to_owned()),
		false => Err("an identity has no control characters and does not begin with `hex:`".to_owned()),
	}
}

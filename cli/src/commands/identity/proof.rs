//! `lockstep identity export` and `lockstep identity verify`.

use crate::{
	failure::Failure,
	files,
	globals::Globals,
	output::Out,
	person::{self, IdentityView, Reach},
};
use clap::Args;
use lockstep_client::{
	directory::{export_identity, verify_identity, IdentityId},
	GenesisHash,
};
use serde_json::json;
use std::path::PathBuf;

/// Longest file with a proof, in bytes.
const MAX_PROOF: u64 = 256 << 20;

/// Writes a proof of an identity to a file: who has the genesis of the chain can check it, without a node
#[derive(Args)]
pub struct Export {
	/// The person's id
	#[arg(value_name = "ID", value_parser = person::identity)]
	id: IdentityId,
	/// Where the proof is written to
	#[arg(long, short, value_name = "FILE")]
	out: PathBuf,
}

impl Export {
	pub async fn run(self, globals: &Globals, out: &Out) -> Result<(), Failure> {
		let mut profile = globals.profile()?;
		let command = profile.command();
		let collected = async {
			let genesis = Reach::of(&mut profile, globals.patience(), out).await?.genesis;
			let mut collected = Err(Failure::new(crate::failure::Kind::Unreachable, "the profile names no node"));
			for url in &profile.facts().nodes {
				collected = out
					.wait("collecting the proof", export_identity(url, genesis, self.id))
					.await
					.map_err(Failure::from);
				if collected.is_ok() {
					break;
				}
			}
			collected
		};
		let proof = collected.await.map_err(|failure| failure.in_profile(&command))?;
		files::write(&self.out, &proof)?;
		out.note(format!("lockstep: {} bytes in {}, verified", proof.len(), self.out.display()));
		out.result("", &json!({ "id": self.id, "file": self.out, "bytes": proof.len() }))
	}
}

/// Checks a proof of an identity, with the genesis of the chain and nothing else, and shows the identity
#[derive(Args)]
pub struct Verify {
	/// Genesis hash of the chain: all that is believed
	#[arg(long, value_name = "HASH")]
	genesis: GenesisHash,
	/// The proof
	#[arg(value_name = "FILE")]
	file: PathBuf,
}

impl Verify {
	pub fn run(self, out: &Out) -> Result<(), Failure> {
		let file = files::read_up_to(&self.file, MAX_PROOF)?;
		let (history, _) = verify_identity(self.genesis, &file)?;
		let view = IdentityView::new(&history, None);
		out.result(&format!("{}\nVERIFIED: all of this was final in block {}", view.text(), view.block), &view)
	}
}

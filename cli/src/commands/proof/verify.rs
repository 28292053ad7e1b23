//! `lockstep proof verify`.

use super::show;
use crate::{failure::Failure, output::Out};
use clap::Args;
use lockstep_client::{proof::verify_proof, GenesisHash};
use std::path::PathBuf;

/// Checks a proof, with the genesis of the chain and nothing else, and shows the rotations
#[derive(Args)]
pub struct Verify {
	/// Genesis hash of the chain: all that is believed
	#[arg(long)]
	genesis: GenesisHash,
	/// The proof
	file: PathBuf,
}

impl Verify {
	pub fn run(self, out: &Out) -> Result<(), Failure> {
		let file = std::fs::read(&self.file).map_err(|error| Failure::file(&self.file, &error))?;
		let rotations = verify_proof(self.genesis, &file)?;
		out.result(&show::Text(&rotations).to_string(), &show::json(&rotations))
	}
}

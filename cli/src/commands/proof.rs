//! `lockstep proof`.

mod export;
mod show;
mod verify;

use crate::{failure::Failure, output::Out};
use clap::Subcommand;

/// Portable proofs of the key rotations of a group
#[derive(Subcommand)]
pub enum Proof {
	Export(export::Export),
	Verify(verify::Verify),
}

impl Proof {
	pub async fn run(self, out: &Out) -> Result<(), Failure> {
		match self {
			Self::Export(command) => command.run(out).await,
			Self::Verify(command) => command.run(out),
		}
	}
}

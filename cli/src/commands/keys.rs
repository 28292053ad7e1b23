//! `lockstep keys`.

pub mod claim;
pub mod gate;
pub mod publish;
pub mod stock;

use crate::{failure::Failure, globals::Globals, output::Out};
use clap::Subcommand;

/// KeyPackages in the directory, by which others add a person to groups who is not there
#[derive(Subcommand)]
pub enum Keys {
	Publish(publish::Publish),
	Stock(stock::Show),
	#[command(subcommand)]
	Gate(gate::Gate),
	Claim(claim::Claim),
}

impl Keys {
	pub async fn run(self, globals: &Globals, out: &Out) -> Result<(), Failure> {
		match self {
			// It needs an open client.
			Self::Publish(_) => Ok(()),
			Self::Stock(command) => command.run(globals, out).await,
			Self::Gate(command) => command.run(globals, out).await,
			Self::Claim(command) => command.run(globals, out).await,
		}
	}
}

//! `lockstep device`.

mod accept;
mod add;
mod list;
mod offer;
mod revoke;
pub mod rotate;

use crate::{failure::Failure, globals::Globals, output::Out};
use clap::Subcommand;

/// The devices of a person: one more, another key for one, one less
///
/// On the new machine `device offer` makes a profile and prints a code; on one that is in already `device add CODE` prints an event; on
/// the new one `device accept EVENT` records it.
#[derive(Subcommand)]
pub enum Device {
	Offer(offer::Offer),
	Add(add::Add),
	Accept(accept::Accept),
	List(list::List),
	Revoke(revoke::Revoke),
	Rotate(rotate::Rotate),
}

impl Device {
	pub async fn run(self, globals: &Globals, out: &Out) -> Result<(), Failure> {
		match self {
			Self::Offer(command) => command.run(globals, out),
			Self::Add(command) => command.run(globals, out).await,
			Self::Accept(command) => command.run(globals, out).await,
			Self::List(command) => command.run(globals, out).await,
			Self::Revoke(command) => command.run(globals, out).await,
			// It needs an open client.
			Self::Rotate(_) => Ok(()),
		}
	}
}

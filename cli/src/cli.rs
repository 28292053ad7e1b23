//! The command line.

use crate::{commands::Command, globals::Globals};
use clap::Parser;

/// Lockstep: groups whose keys move only on finalized order
///
/// A profile holds one identity and its groups. `lockstep identity new NAME --dev --insecure-no-passphrase` makes one for a
/// development chain; docs/cli.md shows a conversation from beginning to end.
#[derive(Parser)]
#[command(
	name = "lockstep",
	version,
	max_term_width = 100,
	after_help = "`lockstep help exit-codes` lists the exit codes."
)]
pub struct Cli {
	/// What to do.
	#[command(subcommand)]
	pub command: Command,
	/// What every command takes.
	#[command(flatten)]
	pub globals: Globals,
}

//! The command line.

use sc_cli::{Database, DatabaseParams, RunCmd};
use std::time::Duration;

/// The arguments of the node.
#[derive(Debug, clap::Parser)]
pub struct Cli {
	/// What to do, other than to run the node.
	#[command(subcommand)]
	pub subcommand: Option<Subcommand>,

	/// How to run the node.
	#[clap(flatten)]
	pub run: RunCmd,

	/// What is Lockstep's own.
	#[clap(flatten)]
	pub lockstep: LockstepArgs,
}

/// Arguments that other Substrate nodes do not have.
#[derive(Clone, Copy, Debug, clap::Args)]
pub struct LockstepArgs {
	/// How long finality votes are given to travel between all validators, in milliseconds. Lower values finalize
	/// sooner and cost more traffic. Default: 100 on development and local chains, 333 elsewhere.
	#[arg(long, value_name = "MILLISECONDS", value_parser = clap::value_parser!(u64).range(10..=10_000))]
	pub grandpa_gossip_ms: Option<u64>,
}

/// Bytes of state that a node caches, unless the command line says otherwise. What groups in use need of it is small;
/// with the SDK's default of 1 GiB a node grows for days.
const TRIE_CACHE: usize = 16 * 1024 * 1024;
/// MiB that a RocksDB may use, unless the command line says otherwise; ParityDB has no such cache. Most of it are writes
/// that are not in a file yet: with the SDK's default of 1 GiB they fill memory for hours before the first of them is.
const DATABASE_CACHE: usize = 32;

impl Cli {
	/// The command line of this process, with the defaults that differ from those of other Substrate nodes.
	pub fn read() -> Self {
		let mut cli = <Self as sc_cli::SubstrateCli>::from_args();
		let named = |argument: std::ffi::OsString| argument.to_string_lossy().starts_with("--trie-cache-size");
		if !std::env::args_os().any(named) {
			cli.run.import_params.trie_cache_size = TRIE_CACHE;
		}
		cli.run.import_params.database_params.database_cache_size.get_or_insert(DATABASE_CACHE);
		if let Some(params) = cli.database() {
			params.database.get_or_insert(Database::Auto);
		}
		cli
	}

	/// What the command line says of the database; [`settled`](crate::database::settled) says what comes of it if that is nothing.
	fn database(&mut self) -> Option<&mut DatabaseParams> {
		Some(match &mut self.subcommand {
			None => &mut self.run.import_params.database_params,
			Some(Subcommand::CheckBlock(command)) => &mut command.import_params.database_params,
			Some(Subcommand::ExportBlocks(command)) => &mut command.database_params,
			Some(Subcommand::ExportState(command)) => &mut command.database_params,
			Some(Subcommand::ImportBlocks(command)) => &mut command.import_params.database_params,
			Some(Subcommand::PurgeChain(command)) => &mut command.database_params,
			Some(Subcommand::Revert(command)) => &mut command.database_params,
			Some(Subcommand::ChainInfo(command)) => &mut command.database_params,
			Some(Subcommand::Key(_) | Subcommand::ExportChainSpec(_)) => return None,
		})
	}
}

impl LockstepArgs {
	/// The gossip duration for a chain of this type.
	pub fn gossip_duration(&self, chain_type: &sc_service::ChainType) -> Duration {
		use sc_service::ChainType::{Development, Local};
		let default = if matches!(chain_type, Development | Local) { 100 } else { 333 };
		Duration::from_millis(self.grandpa_gossip_ms.unwrap_or(default))
	}
}

/// What the node can do other than run.
#[derive(Debug, clap::Subcommand)]
pub enum Subcommand {
	/// Make, inspect and insert keys.
	#[command(subcommand)]
	Key(sc_cli::KeySubcommand),

	/// Write a chain specification.
	ExportChainSpec(sc_cli::ExportChainSpecCmd),

	/// Validate blocks.
	CheckBlock(sc_cli::CheckBlockCmd),

	/// Export blocks.
	ExportBlocks(sc_cli::ExportBlocksCmd),

	/// Export the state of a block as a chain specification.
	ExportState(sc_cli::ExportStateCmd),

	/// Import blocks.
	ImportBlocks(sc_cli::ImportBlocksCmd),

	/// Remove the whole chain.
	PurgeChain(sc_cli::PurgeChainCmd),

	/// Revert the chain to an earlier block.
	Revert(sc_cli::RevertCmd),

	/// Show what the database holds.
	ChainInfo(sc_cli::ChainInfoCmd),
}

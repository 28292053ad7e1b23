//! Measures the calls of the pallets: `benchmark pallet` of the SDK's `frame-benchmarking-cli`, the command that
//! `frame-omni-bencher` is made of, and no other. `scripts/weights` builds and runs it.
//!
//! As a dependency, that crate would bring its other commands, and with them a hundred and fifty crates for
//! parachains, through which most of the SDK gets other features and is compiled anew. The two modules that this one
//! needs get by with what the node is made of. They are compiled from the published source as it is: `scripts/weights`
//! fetches it, checks its hash, and writes the declarations of the modules into the file that is included here.

// The SDK's error type is large; it is made once, at the end.
#![allow(clippy::result_large_err)]

include!(env!("LOCKSTEP_BENCHER_MODULES", "the source of frame-benchmarking-cli is missing; use scripts/weights"));

// The module names itself by this.
pub use pallet::PalletCmd;

use clap::Parser;
use sp_runtime::traits::BlakeTwo256;
use tracing_subscriber::EnvFilter;

/// Stands in for another command, from which the module for genesis states takes one type: what it looks for in the file
/// of a chain specification. There is no such file here.
mod overhead {
	pub mod command {
		use sc_chain_spec::ChainSpecExtension;
		use serde::{Deserialize, Serialize};

		#[derive(Clone, Serialize, Deserialize, ChainSpecExtension)]
		pub struct ParachainExtension {
			pub para_id: Option<u32>,
		}
	}
}

/// What our runtime imports beside what every runtime does.
type HostFunctions = sp_statement_store::runtime_api::HostFunctions;

fn main() -> sc_cli::Result<()> {
	let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new("info"));
	tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr).init();
	PalletCmd::parse().run_with_spec::<BlakeTwo256, HostFunctions>(None)
}

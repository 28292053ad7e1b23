//! The node of a Lockstep chain.

#![forbid(unsafe_code)]
// The error type of the SDK's command line is large; it is made once, when the node stops.
#![allow(clippy::result_large_err)]

mod chain_spec;
mod cli;
mod command;
mod database;
mod entries;
mod finality;
mod metrics;
mod rpc;
mod service;

/// The system's allocator leaves a node that runs for long with holes in its memory.
#[cfg(target_os = "linux")]
#[global_allocator]
static ALLOCATOR: tikv_jemallocator::Jemalloc = tikv_jemallocator::Jemalloc;

fn main() -> sc_cli::Result<()> {
	command::run()
}

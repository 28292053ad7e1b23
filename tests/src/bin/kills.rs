//! Kills members while they race on a real network, and checks that nothing was lost or done twice.

use clap::Parser;
use lockstep_tests::{crashes, Network, Result};

/// Members that are killed again and again
#[derive(Parser)]
struct Arguments {
	/// How often members are killed, all together
	#[arg(long, default_value_t = 500)]
	kills: usize,
	/// Decides when those are killed that are killed from outside
	#[arg(long, default_value_t = 1)]
	seed: u64,
}

#[tokio::main]
async fn main() -> Result<()> {
	let Arguments { kills, seed } = Arguments::parse();
	let network = Network::start().await?;
	let report = crashes::kill_members(&network, kills, seed).await?;
	network.finish().await?;
	println!(
		"{}killed {} times at a write and {} times from outside; {} intents came about once \
		 each; each of {} messages was read once by each of the others, but for {} that their senders reported as given up; all members are in epoch {}, alike",
		report.at_writes,
		report.at_writes.total(),
		report.from_outside,
		report.intents,
		report.messages,
		report.given_up,
		report.epoch
	);
	Ok(())
}

//! P5: a client killed at any moment continues; nothing that was reported as done is lost, and nothing is done twice.

use lockstep_tests::{crashes, Error, Network, Result};

/// Five members race, and each is killed at its writes, of one kind after the other, and from outside in between.
/// `make kills` does it five hundred times.
pub async fn members_are_killed_again_and_again(network: &Network) -> Result<()> {
	let report = crashes::kill_members(network, 60, 5).await?;
	if report.at_writes.total() < 20 || report.intents == 0 || report.messages == 0 {
		return Err(Error::Broken(format!("too little happened to show anything: {report:?}")));
	}
	Ok(())
}

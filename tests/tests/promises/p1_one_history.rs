//! P1: two honest members of a group never apply different commits to the same epoch.

use super::p7_forks::OneVoucher;
use futures::{future::try_join_all, FutureExt};
use lockstep_primitives::GroupId;
use lockstep_tests::{members::ADVANCING, network::Options, Members, Network, Result};
use std::time::{Duration, Instant};

const NAMES: [&str; 5] = ["anna", "boris", "chiara", "dmitri", "elena"];
const ALL: [usize; 5] = [0, 1, 2, 3, 4];
/// For a race that is disturbed on purpose.
const DISTURBED: Duration = Duration::from_secs(150);

/// All members race until `over`; each begins its next attempt as soon as it knows what came of the last one.
async fn race_until(
	members: &Members,
	group: GroupId,
	over: impl std::future::Future<Output = Result<()>>,
) -> Result<u64> {
	let over = over.shared_result();
	let racing = try_join_all(members.iter().map(|member| {
		let over = over.clone();
		async move {
			let mut attempts = 0u64;
			while over.clone().now_or_never().is_none() {
				member.update_once(group).await?;
				attempts += 1;
			}
			Ok::<_, lockstep_tests::Error>(attempts)
		}
	}));
	let (attempts, ended) = futures::join!(racing, over);
	ended.map_err(lockstep_tests::Error::Broken)?;
	Ok(attempts?.into_iter().sum())
}

/// A future whose outcome several can wait for.
trait SharedResult: std::future::Future<Output = Result<()>> + Sized {
	fn shared_result(self) -> futures::future::Shared<impl std::future::Future<Output = Result<(), String>>> {
		self.map(|result| result.map_err(|error| error.to_string())).shared()
	}
}

impl<F: std::future::Future<Output = Result<()>>> SharedResult for F {}

/// In the end: the same epoch, the same entry, equal authenticators, one history behind them, and everybody reads
/// everybody.
async fn in_lockstep(members: &Members, group: GroupId, who: &[usize], limit: Duration) -> Result<u64> {
	let agreement = members.agree(group, who, limit).await?;
	assert!(members.one_history(group)? > 0, "no epoch was seen by two members");
	members.everybody_hears_everybody(group, who, "in the end").await?;
	Ok(agreement.epoch)
}

pub async fn five_members_race_a_hundred_times(network: &Network) -> Result<()> {
	let members = Members::open(network, &NAMES).await?;
	let group = members.found().await?;
	let founded = members[0].status(group).await?.epoch;
	let mut opened = 0;
	for round in 0..100 {
		let race = members.race(group, &ALL, ADVANCING).await?;
		let winners = race.winners();
		let Some((_, last)) = winners.last() else { panic!("round {round} opened no epoch") };
		opened += winners.len() as u64;
		members.agree_at(group, &ALL, last.epoch, ADVANCING).await?;
	}
	let epoch = in_lockstep(&members, group, &ALL, ADVANCING).await?;
	assert_eq!(epoch, founded + opened, "an epoch was opened by nobody's attempt, or by two");
	members.close().await;
	Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_node_is_killed_and_comes_back_while_members_race() -> Result<()> {
	let mut network = Network::start().await?;
	let members = Members::open(&network, &NAMES).await?;
	let group = members.found().await?;
	let disturbance = async {
		let height = network.finalized_past(0, 0, ADVANCING).await?;
		network.finalized_past(0, height + 5, ADVANCING).await?;
		network.stop(1).await?;
		let height = network.finalized_past(0, height + 5, ADVANCING).await?;
		network.finalized_past(0, height + 10, ADVANCING).await?;
		network.restart(1).await?;
		network.finalized_past(1, height + 15, DISTURBED).await?;
		Ok(())
	};
	let attempts = race_until(&members, group, disturbance).await?;
	assert!(attempts > 10, "{attempts} attempts are no race");
	in_lockstep(&members, group, &ALL, DISTURBED).await?;
	members.close().await;
	network.finish().await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_node_is_cut_off_for_thirty_seconds_while_members_race() -> Result<()> {
	// A node that is alone goes on making blocks: a fork.
	let arguments = vec!["--force-authoring".into()];
	let network = Network::start_with(Options { isolatable: true, arguments }).await?;
	let members = Members::open(&network, &NAMES).await?;
	let (group, voucher) = tokio::try_join!(members.found(), OneVoucher::over(&network, 0))?;
	let alone = 2;
	let disturbance = async {
		// It knows of whom the voucher can claim.
		network.finalized_past(alone, network.rpc(0).await?.finalized().await?, ADVANCING).await?;
		network.cut_off(alone).await?;
		let start = Instant::now();
		let stuck = network.rpc(alone).await?.finalized().await?;
		let spent = voucher.spend_twice(&network, alone).await?;
		// The rest goes on: thirty seconds are measured by its blocks.
		let mut height = network.rpc(0).await?.finalized().await?;
		while start.elapsed() < Duration::from_secs(30) {
			height = network.finalized_past(0, height, ADVANCING).await?;
		}
		let still = network.rpc(alone).await?.finalized().await?;
		assert!(still <= stuck + 1, "the node that was cut off finalized {stuck} to {still}");
		network.reconnect(alone).await?;
		network.finalized_past(alone, height, DISTURBED).await?;
		voucher.was_spent_once(&network, alone, &spent).await
	};
	let attempts = race_until(&members, group, disturbance).await?;
	assert!(attempts > 10, "{attempts} attempts are no race");
	in_lockstep(&members, group, &ALL, DISTURBED).await?;
	members.close().await;
	network.finish().await
}

//! P2: nobody acts on an entry that is not in a finalized block.

use lockstep_primitives::BlockNumber;
use lockstep_tests::{members::ADVANCING, network::QUORUM, within, Error, Members, Network, Result};
use std::time::Duration;

/// How many blocks are built on the entry while none is finalized.
const BUILT_ON: BlockNumber = 5;
/// For finality to return.
const RECOVERY: Duration = Duration::from_secs(120);

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_imported_entry_moves_nobody_until_it_is_final() -> Result<()> {
	let mut network = Network::start().await?;
	// Everybody uses one of the two nodes that stay.
	let members = Members::open_on(&network, &["anna", "boris", "chiara"], &[0, 1, 0]).await?;
	let everybody = [0, 1, 2];
	let group = members.found().await?;
	let before = members.agree_at(group, &everybody, 1, ADVANCING).await?;
	let rpc = network.rpc(0).await?;

	for stopped in QUORUM - 1..network.size() {
		network.stop(stopped).await?;
	}
	// What was under way when they stopped may still become final; after that nothing does.
	let start = rpc.best().await?;
	let commit = members[0].update(group);
	let watching = async {
		let block = within(ADVANCING, "an entry in a block", rpc.included(group, start)).await??;
		let mut heads = rpc.best_heads().await?;
		let built_on = async {
			while let Some(Ok(head)) = heads.next().await {
				if head.number >= block + BUILT_ON {
					return;
				}
			}
		};
		within(ADVANCING, "blocks on top of the entry", built_on).await?;
		let finalized = rpc.finalized().await?;
		assert!(finalized < block, "two of four validators finalized block {finalized}");
		for member in members.iter() {
			let status = member.status(group).await?;
			assert_eq!((status.epoch, status.entry), (before.epoch, before.entry), "{} moved", member.name());
		}
		for stopped in QUORUM - 1..network.size() {
			network.restart(stopped).await?;
		}
		Ok::<_, Error>(())
	};
	let (committed, watched) = futures::join!(within(RECOVERY, "the commit", commit), watching);
	watched?;
	let committed = committed??;
	assert_eq!(committed.epoch, before.epoch + 1);
	let after = members.agree_at(group, &everybody, committed.epoch, RECOVERY).await?;
	assert_eq!(after.entry, committed.entry);
	members.everybody_hears_everybody(group, &everybody, "finality is back").await?;
	members.one_history(group)?;
	members.close().await;
	network.finish().await
}

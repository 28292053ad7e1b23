//! P4: a removed member cannot place anything into the order of the epochs after its removal.

use lockstep_primitives::OrderingParameters;
use lockstep_tests::attack;
use lockstep_tests::{members::ADVANCING, Members, Network, Result};

const EVERYBODY: [usize; 4] = [0, 1, 2, 3];
const STAYING: [usize; 3] = [0, 1, 2];
const REMOVED: usize = 3;

pub async fn every_key_of_a_removed_member_is_worthless(network: &Network) -> Result<()> {
	let members = Members::open(network, &["anna", "boris", "chiara", "mallory"]).await?;
	let group = members.found().await?;
	let mallory = &members[REMOVED];
	for member in members.iter() {
		member.update(group).await?;
	}
	let epoch = members.agree(group, &EVERYBODY, ADVANCING).await?.epoch;
	let keys = attack::keys(mallory, group).await?;
	assert!(keys.len() > 2, "the attack needs keys to try");
	// Commits made while it was a member, kept back. Two, for a pool remembers what was refused.
	let kept = [attack::commit(mallory, group).await?, attack::commit(mallory, group).await?];
	members[0].remove(group, mallory.name()).await?;
	let removal = members.agree_at(group, &STAYING, epoch + 1, ADVANCING).await?;

	let rpc = network.rpc(REMOVED).await?;
	let genesis = rpc.genesis().await?;
	let try_all = |payload: Vec<u8>| {
		let (keys, rpc, genesis) = (&keys, &rpc, &genesis);
		async move {
			let mut refusals = Vec::new();
			for held in keys {
				for parent in keys.iter().map(|held| held.entry).chain([removal.entry]) {
					let append =
						attack::endorse(&held.key, genesis, group, parent, payload.clone(), attack::stray_key(9));
					refusals.push((held.entry, parent, attack::submit(rpc, &append).await?));
				}
			}
			Ok::<_, lockstep_tests::Error>(refusals)
		}
	};

	// At once: everything is refused, and under the new epoch because of the key.
	for (key, parent, refusal) in try_all(vec![1; 64]).await? {
		let name = refusal.unwrap_or_else(|| panic!("the key of {key} placed an entry under {parent}"));
		if parent == removal.entry {
			assert_eq!(name, "bad_endorsement");
		} else {
			assert!(["superseded", "bad_endorsement", "parent_not_open"].contains(&name.as_str()), "{name}");
		}
	}
	assert!(attack::submit(&rpc, &kept[0]).await?.is_some(), "the commit that was kept back came first");

	// When the interval has passed, the chain admits rivals of the removal, for it cannot know which child the members
	// follow. They follow the first valid one; the rest is noise.
	let parameters: OrderingParameters = rpc.request("ordering_parameters", Vec::new()).await?;
	let now = rpc.finalized().await?;
	network.finalized_past(REMOVED, now + parameters.candidate_interval, ADVANCING).await?;
	assert_eq!(attack::submit(&rpc, &kept[1]).await?, None, "the interval has passed");
	for (key, parent, refusal) in try_all(vec![2; 64]).await? {
		if parent == removal.entry {
			assert_eq!(refusal.as_deref(), Some("bad_endorsement"), "the key of {key}");
		}
	}

	for position in STAYING {
		members[position].update(group).await?;
	}
	let agreement = members.agree(group, &STAYING, ADVANCING).await?;
	assert_eq!(agreement.epoch, removal.epoch + STAYING.len() as u64, "nothing of the removed member opened an epoch");
	assert!(members[0].status(group).await?.contested, "the rival is in the log");
	members.everybody_hears_everybody(group, &STAYING, "without mallory").await?;
	let chronicle = mallory.chronicle(group);
	assert!(chronicle.removed);
	assert!(chronicle.heard.is_empty(), "the removed member read {:?}", chronicle.heard);
	members.one_history(group)?;
	members.close().await;
	Ok(())
}

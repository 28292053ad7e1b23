//! P3: a bad or unprocessable commit of a faulty member delays a group by a bounded number of blocks.

use lockstep_primitives::{extrinsic::Append, EntryHash, GroupId, OrderingParameters};
use lockstep_tests::attack;
use lockstep_tests::{
	members::{Chronicle, ADVANCING},
	rpc::NodeRpc,
	within, Error, Members, Network, Result,
};
use std::{collections::BTreeSet, time::Duration};

/// Blocks beyond the interval in which the group has to be going on: a random wait, authoring and finality.
const GRACE: u32 = 20;

/// A group whose last member is hostile.
struct Scene {
	members: Members,
	group: GroupId,
	rpc: NodeRpc,
	parameters: OrderingParameters,
}

const HONEST: [usize; 3] = [0, 1, 2];
const HOSTILE: usize = 3;

impl Scene {
	async fn new(network: &Network) -> Result<Self> {
		let members = Members::open(network, &["anna", "boris", "chiara", "mallory"]).await?;
		let group = members.found().await?;
		let rpc = network.rpc(HOSTILE).await?;
		let parameters = rpc.request("ordering_parameters", Vec::new()).await?;
		Ok(Self { members, group, rpc, parameters })
	}

	/// Everybody is where the foremost is; the entry that opened that epoch.
	async fn tip(&self) -> Result<(u64, EntryHash)> {
		let agreement = self.members.agree(self.group, &HONEST, ADVANCING).await?;
		self.members[HOSTILE].reached(self.group, agreement.epoch, ADVANCING).await?;
		Ok((agreement.epoch, agreement.entry))
	}

	/// The chain takes the entry; every honest member passes it over, and without anybody asking for a commit the
	/// group is in the next epoch within the interval.
	async fn is_overcome(&self, append: &Append) -> Result<()> {
		let (epoch, _) = self.tip().await?;
		let refused = attack::submit(&self.rpc, append).await?;
		assert_eq!(refused, None, "the chain knows nothing of commits and admits what is endorsed");
		let wait = Duration::from_secs(u64::from(self.parameters.candidate_interval + GRACE));
		let first = &self.members[0];
		let passed_over = |seen: &Chronicle| !seen.found_invalid().is_empty();
		let seen = first.until(self.group, ADVANCING, "passes the entry over", passed_over).await?;
		let bad = seen.found_invalid().pop().unwrap_or(append.parent);
		let agreement = self.members.agree_at(self.group, &HONEST, epoch + 1, wait + ADVANCING).await?;
		assert_ne!(agreement.entry, bad);
		for position in HONEST {
			let chronicle = self.members[position].chronicle(self.group);
			assert!(chronicle.found_invalid().contains(&bad), "every honest member passes over the same");
			assert_eq!(chronicle.desynchronized, None);
		}
		self.within_the_interval(bad, agreement.entry).await
	}

	/// Compares the blocks of the bad entry and of the one that replaced it.
	async fn within_the_interval(&self, bad: EntryHash, good: EntryHash) -> Result<()> {
		let parent_of = |entry: EntryHash| {
			let chronicle = self.members[0].chronicle(self.group);
			chronicle.epochs.values().find(|advance| advance.entry == entry).map(|advance| advance.block)
		};
		let good_block = parent_of(good).ok_or_else(|| Error::Broken("the new epoch has no block".into()))?;
		let log = self.log().await?;
		let bad_block = log.iter().find(|(hash, _)| *hash == bad).map(|(_, block)| *block);
		let bad_block = bad_block.ok_or_else(|| Error::Broken("the bad entry is not in the log".into()))?;
		let (interval, took) = (self.parameters.candidate_interval, good_block - bad_block);
		assert!(took >= interval, "a rival was admitted after {took} blocks, {interval} is the interval");
		assert!(took <= interval + GRACE, "the group stood still for {took} blocks");
		Ok(())
	}

	/// The group's log: hash and block of each entry.
	async fn log(&self) -> Result<Vec<(EntryHash, u32)>> {
		let genesis = self.rpc.genesis().await?;
		let mut head =
			lockstep_primitives::LogHead::empty(lockstep_primitives::LogKind::Group, &genesis, self.group.as_bytes());
		let mut log = Vec::new();
		for entry in self.rpc.entries(&self.group, 0, 64).await? {
			head = head.append(entry.block, &entry.body).ok_or_else(|| Error::Broken("the log is full".into()))?;
			log.push((head.hash, entry.block));
		}
		Ok(log)
	}

	async fn end(self) -> Result<()> {
		self.members.everybody_hears_everybody(self.group, &HONEST, "after the attack").await?;
		self.members.one_history(self.group)?;
		self.members.close().await;
		Ok(())
	}
}

pub async fn endorsed_garbage_is_passed_over(network: &Network) -> Result<()> {
	let scene = Scene::new(network).await?;
	let (_, parent) = scene.tip().await?;
	let held = attack::current_key(&scene.members[HOSTILE], scene.group).await?;
	let genesis = scene.rpc.genesis().await?;
	let garbage = vec![0xa5; 4096];
	let append = attack::endorse(&held.key, &genesis, scene.group, parent, garbage, attack::stray_key(1));
	scene.is_overcome(&append).await?;
	scene.end().await
}

pub async fn a_bundle_for_another_epoch_is_passed_over(network: &Network) -> Result<()> {
	let scene = Scene::new(network).await?;
	// A commit that was good in its own epoch, kept back until the group has moved on.
	let mallory = &scene.members[HOSTILE];
	scene.tip().await?;
	let old = attack::commit(mallory, scene.group).await?;
	let opened = attack::bundle(mallory, scene.group, &old).await?;
	scene.members[0].update(scene.group).await?;
	let (_, parent) = scene.tip().await?;
	let held = attack::current_key(mallory, scene.group).await?;
	let genesis = scene.rpc.genesis().await?;
	let sealed = attack::seal(mallory, scene.group, opened).await?;
	let append = attack::endorse(&held.key, &genesis, scene.group, parent, sealed, old.next_key);
	scene.is_overcome(&append).await?;
	scene.end().await
}

pub async fn a_commit_under_a_key_that_is_not_its_own_is_passed_over(network: &Network) -> Result<()> {
	let scene = Scene::new(network).await?;
	let mallory = &scene.members[HOSTILE];
	let (_, parent) = scene.tip().await?;
	let good = attack::commit(mallory, scene.group).await?;
	let held = attack::current_key(mallory, scene.group).await?;
	let genesis = scene.rpc.genesis().await?;
	let append = attack::endorse(&held.key, &genesis, scene.group, parent, good.payload, attack::stray_key(2));
	scene.is_overcome(&append).await?;
	scene.end().await
}

pub async fn commits_that_lost_against_garbage_come_through(network: &Network) -> Result<()> {
	let scene = Scene::new(network).await?;
	let (epoch, parent) = scene.tip().await?;
	let held = attack::current_key(&scene.members[HOSTILE], scene.group).await?;
	let genesis = scene.rpc.genesis().await?;
	let append = attack::endorse(&held.key, &genesis, scene.group, parent, vec![0x5a; 512], attack::stray_key(3));
	let now = scene.rpc.best().await?;
	assert_eq!(attack::submit(&scene.rpc, &append).await?, None);
	within(ADVANCING, "the garbage in a block", scene.rpc.included(scene.group, now)).await??;
	// Every honest member wants something before it can know: all are refused, on every node.
	let commits = HONEST.map(|position| scene.members[position].update(scene.group));
	let wait = Duration::from_secs(u64::from(scene.parameters.candidate_interval + GRACE)) + ADVANCING;
	let committed = within(wait, "the commits of all honest members", futures::future::try_join_all(commits)).await??;
	let epochs: BTreeSet<u64> = committed.iter().map(|committed| committed.epoch).collect();
	assert_eq!(epochs.len(), HONEST.len(), "two commits opened the same epoch");
	let chronicle = scene.members[0].chronicle(scene.group);
	let bad = chronicle.found_invalid().pop().unwrap_or(parent);
	let next = chronicle.epochs.get(&(epoch + 1)).map_or(parent, |advance| advance.entry);
	scene.within_the_interval(bad, next).await?;
	let last = epochs.last().copied().unwrap_or(epoch);
	scene.members.agree_at(scene.group, &HONEST, last, ADVANCING).await?;
	scene.end().await
}

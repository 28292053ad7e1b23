//! Random histories: after every block the invariants hold, and admission is what a plain model of it says.

use crate::{mock::*, types::CandidateDigest, OpenEntries};
use frame_support::weights::Weight;
use lockstep_primitives::{payload_hash, EntryHash, GroupId, Refusal};
use std::collections::BTreeMap;

/// A small generator (SplitMix64): the same seed gives the same history.
struct Dice(u64);

impl Dice {
	fn next(&mut self) -> u64 {
		self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
		let mut z = self.0;
		z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
		z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
		z ^ (z >> 31)
	}

	fn below(&mut self, bound: usize) -> usize {
		(self.next() % bound as u64) as usize
	}
}

/// An entry as the model knows it, kept for ever.
struct Known {
	group: GroupId,
	hash: EntryHash,
	key: u32,
	children: Vec<u32>,
	digests: Vec<CandidateDigest>,
}

#[derive(Default)]
struct Model {
	entries: Vec<Known>,
	open_groups: BTreeMap<GroupId, u32>,
	next_key: u32,
	next_group: u8,
	admitted: u32,
	refused: BTreeMap<Refusal, u32>,
}

impl Model {
	fn fresh_key(&mut self) -> u32 {
		self.next_key += 1;
		self.next_key
	}

	fn create(&mut self) {
		self.next_group += 1;
		let group = GroupId([self.next_group; 32]);
		let key = self.fresh_key();
		let hash = create(group, key);
		self.entries.push(Known { group, hash, key, children: Vec::new(), digests: Vec::new() });
		self.open_groups.insert(group, now());
	}

	/// Whether the rules of time, written out the long way, let the entry have a child now.
	fn may_have_child(&self, at: usize, digest: &CandidateDigest) -> Result<(), Refusal> {
		let known = &self.entries[at];
		if !self.open_groups.contains_key(&known.group) {
			return Err(Refusal::UnknownGroup);
		}
		let Some(first) = known.children.first() else { return Ok(()) };
		if now() - first >= WINDOW {
			return Err(Refusal::ParentNotOpen);
		}
		let wait = (1..known.children.len()).fold(INTERVAL, |wait, _| wait * 2);
		let youngest = known.children.last().expect("there is a first one");
		if now() - youngest < wait || known.digests.contains(digest) {
			return Err(Refusal::Superseded);
		}
		Ok(())
	}

	fn append(&mut self, dice: &mut Dice) {
		// Mostly recent parents; now and then any that ever was.
		let total = self.entries.len();
		let at = match dice.below(4) {
			0 => dice.below(total),
			_ => total - 1 - dice.below(total.min(8)),
		};
		let (group, parent, signer) = (self.entries[at].group, self.entries[at].hash, self.entries[at].key);
		let next = if dice.below(5) == 0 { 1 + dice.below(3) as u32 } else { self.fresh_key() };
		let commit = Commit::new(parent, signer, next).in_group(group, signer);
		let digest = CandidateDigest::new(&payload_hash(&commit.payload), &commit.next_key);
		let expected = self.may_have_child(at, &digest);
		match (commit.append(), expected) {
			(Ok(hash), Ok(())) => {
				self.entries[at].children.push(now());
				self.entries[at].digests.push(digest);
				self.entries.push(Known { group, hash, key: next, children: Vec::new(), digests: Vec::new() });
				self.open_groups.insert(group, now());
				self.admitted += 1;
			}
			// The model keeps no budgets, and does not follow which leaves were too old.
			(Err(Refusal::OverBudget), Ok(())) => *self.refused.entry(Refusal::OverBudget).or_default() += 1,
			(Err(Refusal::ParentNotOpen), Ok(())) => {
				assert!(self.entries[at].children.is_empty() && head(group) != parent, "only an old leaf goes early");
				*self.refused.entry(Refusal::ParentNotOpen).or_default() += 1;
			}
			(Err(refusal), Err(expected)) if refusal == expected => *self.refused.entry(refusal).or_default() += 1,
			(answer, expected) => panic!("the chain says {answer:?}, the model {expected:?}"),
		}
	}

	fn close(&mut self, dice: &mut Dice) {
		let groups: Vec<_> = self.open_groups.iter().map(|(group, since)| (*group, *since)).collect();
		let (group, since) = groups[dice.below(groups.len())];
		let closed = Ordering::close_group(RuntimeOrigin::signed(SPONSOR), group, None).is_ok();
		assert_eq!(closed, now() - since >= RETENTION);
		if closed {
			self.open_groups.remove(&group);
		}
	}
}

fn history(seed: u64, blocks: u32) -> Model {
	let mut dice = Dice(seed);
	let mut model = Model::default();
	new_test_ext().execute_with(|| {
		model.create();
		model.create();
		for _ in 0..blocks {
			for _ in 0..dice.below(4) {
				match dice.below(40) {
					0 if model.open_groups.len() < 6 => model.create(),
					1 => model.close(&mut dice),
					_ => model.append(&mut dice),
				}
			}
			let limit = match dice.below(4) {
				0 => Weight::zero(),
				1 => Weight::from_parts(1_500_000_000, 100_000),
				_ => NO_LIMIT,
			};
			match dice.below(30) {
				0 => skip(RETENTION + dice.below(50) as u32),
				1 => skip(WINDOW),
				2 => skip(INTERVAL * 2),
				_ => {
					next_block_with(limit);
				}
			}
			check();
		}
		// When everything is due, what is left is the newest entry of each group.
		skip(2 * RETENTION);
		check();
		assert_eq!(OpenEntries::<Test>::iter().count(), model.open_groups.len());
	});
	model
}

#[test]
fn random_histories_keep_every_invariant() {
	let mut refused = BTreeMap::new();
	let mut admitted = 0;
	for seed in 0..6 {
		let model = history(seed, 150);
		admitted += model.admitted;
		for (refusal, count) in model.refused {
			*refused.entry(refusal).or_insert(0) += count;
		}
	}
	// The histories are worth something only if they get everywhere.
	assert!(admitted > 200, "{admitted} entries were admitted");
	for refusal in [Refusal::UnknownGroup, Refusal::ParentNotOpen, Refusal::Superseded] {
		assert!(refused.get(&refusal).is_some_and(|count| *count > 10), "{refusal:?}: {refused:?}");
	}
}

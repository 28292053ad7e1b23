//! Histories made at random, with an oracle for the verdicts that is the same for all members but for the one who
//! is attacked.

use super::*;
use lockstep_primitives::{EntryHash, GenesisHash, GroupId, OrderingKey, PayloadHash};
use proptest::prelude::*;

/// What the members find an entry to be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
	Valid,
	Invalid,
	/// Valid for all but the attacked member.
	Divisive,
}

/// An entry of a history: which earlier entry is its parent, and what it is.
#[derive(Clone, Debug)]
struct Made {
	header: EntryHeader,
	kind: Kind,
}

fn name(index: u64) -> EntryHash {
	let mut bytes = [0; 32];
	bytes[..8].copy_from_slice(&index.to_le_bytes());
	bytes[31] = 1;
	EntryHash(bytes)
}

fn header(index: u64, parent: EntryHash) -> EntryHeader {
	let hash = name(index);
	EntryHeader {
		index,
		hash,
		parent,
		block: u32::try_from(index).unwrap().saturating_mul(3),
		payload_hash: PayloadHash(hash.0),
		next_key: OrderingKey(hash.0),
	}
}

fn start() -> EntryHeader {
	header(0, LogCursor::start(&GenesisHash([0; 32]), &GroupId([0; 32])).head.hash)
}

/// Trees in log order. Parents are mostly recent entries, so that branches grow beside each other.
fn history() -> impl Strategy<Value = Vec<Made>> {
	let kind = prop_oneof![4 => Just(Kind::Valid), 3 => Just(Kind::Invalid), 1 => Just(Kind::Divisive)];
	prop::collection::vec((0u64..4, kind), 1..40).prop_map(|choices| {
		let made = choices.into_iter().zip(1u64..).map(|((back, kind), index)| {
			let parent = name(index.saturating_sub(1).saturating_sub(back));
			Made { header: header(index, parent), kind }
		});
		made.collect()
	})
}

/// A member: a gate, and the verdicts that this member comes to.
struct Member {
	gate: Gate,
	attacked: bool,
	merged_own: bool,
}

impl Member {
	fn new(attacked: bool, seed: u64) -> Self {
		let gate = Gate::at(&start(), 0, false, 20).unwrap();
		let (gate, _) = step(gate, Input::Random(seed));
		Self { gate, attacked, merged_own: false }
	}

	fn judge(&self, history: &[Made], entry: &EntryHeader) -> Verdict {
		let made = history.iter().find(|made| made.header.hash == entry.hash).unwrap();
		match made.kind {
			Kind::Valid => Verdict::Valid { removes_me: false },
			Kind::Invalid => Verdict::PubliclyInvalid,
			Kind::Divisive if self.attacked => Verdict::PrivatelyFailing,
			Kind::Divisive => Verdict::Valid { removes_me: false },
		}
	}

	fn feed(&mut self, history: &[Made], input: Input) {
		let (gate, effects) = step(self.gate.clone(), input);
		self.gate = gate;
		for effect in effects {
			match effect {
				Effect::Evaluate(entry) => {
					let verdict = self.judge(history, &entry);
					self.feed(history, Input::Verdict { entry: entry.hash, verdict });
				}
				Effect::MergeOwn(_) => self.merged_own = true,
				_ => {}
			}
		}
	}

	/// A commit of this member that will turn up in the log as `entry`.
	fn prepare(&mut self, history: &[Made], entry: &EntryHeader) {
		if self.gate.takes_commit() {
			let own = Pending::new(self.gate.tip().entry, entry.payload_hash, entry.next_key);
			self.feed(history, Input::Prepared(own));
		}
	}
}

/// The rule of `docs/protocol.md` section 6, written the other way round: from the tip to its first valid child, and so on.
fn expected_tip(history: &[Made]) -> EntryHash {
	let mut tip = start().hash;
	while let Some(next) = history.iter().find(|made| made.header.parent == tip && made.kind != Kind::Invalid) {
		tip = next.header.hash;
	}
	tip
}

/// The parents of entry, entry's parent, and so on up to entry 0.
fn branch(history: &[Made], mut entry: EntryHash) -> Vec<EntryHash> {
	let mut path = vec![entry];
	while let Some(made) = history.iter().find(|made| made.header.hash == entry) {
		entry = made.header.parent;
		path.push(entry);
	}
	path
}

proptest! {
	#![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

	/// Whatever is pending, repeated, out of order or refused on the way.
	#[test]
	fn members_come_to_the_same_tip(
		history in history(),
		noise in prop::collection::vec((any::<prop::sample::Index>(), 0u8..4), 0..120),
		own in prop::collection::vec(any::<bool>(), 40),
		seeds in any::<[u64; 2]>(),
	) {
		let mut plain = Member::new(false, seeds[0]);
		let mut busy = Member::new(false, seeds[1]);
		let mut noise = noise.into_iter();
		for (made, own) in history.iter().zip(own) {
			for (at, what) in noise.by_ref().take(3) {
				let other = &history[at.index(history.len())];
				match what {
					// Repeats and entries ahead of their turn; the right next one does no harm either.
					0 if other.header.index != busy.gate.cursor().head.length =>
						busy.feed(&history, Input::Entry(other.header)),
					1 => busy.feed(&history, Input::Refused),
					2 => busy.feed(&history, Input::Finalized(other.header.block)),
					// A commit that never gets into the log, or one that does: an entry found valid by all.
					_ => busy.prepare(&history, &header(1_000, made.header.parent)),
				}
			}
			if own && made.kind == Kind::Valid && made.header.parent == busy.gate.tip().entry {
				busy.prepare(&history, &made.header);
			}
			plain.feed(&history, Input::Entry(made.header));
			busy.feed(&history, Input::Entry(made.header));
			prop_assert_eq!(plain.gate.tip(), busy.gate.tip());
			prop_assert_eq!(plain.gate.cursor(), busy.gate.cursor());
			prop_assert_eq!(plain.gate.is_contested(), busy.gate.is_contested());
		}
		prop_assert_eq!(plain.gate.tip().entry, expected_tip(&history));
		let depth = branch(&history, plain.gate.tip().entry).len() - 1;
		prop_assert_eq!(plain.gate.tip().epoch, depth as u64);
	}

	/// A member that is cut off stops on the common branch and stays there: it never takes a sibling.
	#[test]
	fn a_private_failure_is_never_followed_by_a_sibling(history in history(), seed in any::<u64>()) {
		let mut honest = Member::new(false, seed);
		let mut attacked = Member::new(true, seed);
		for made in &history {
			honest.feed(&history, Input::Entry(made.header));
			attacked.feed(&history, Input::Entry(made.header));
			let path = branch(&history, honest.gate.tip().entry);
			prop_assert!(path.contains(&attacked.gate.tip().entry), "the attacked member is on another branch");
			if attacked.gate.tip() != honest.gate.tip() {
				prop_assert!(matches!(attacked.gate.mode(), Mode::Desynchronized(_)));
			}
		}
	}

	/// The contested flag is what it says: some entry has two children.
	#[test]
	fn contested_means_that_an_entry_has_two_children(history in history(), seed in any::<u64>()) {
		let mut member = Member::new(false, seed);
		for (at, made) in history.iter().enumerate() {
			member.feed(&history, Input::Entry(made.header));
			let read = &history[..=at];
			let twice = read.iter().any(|one| {
				read.iter().any(|two| one.header.hash != two.header.hash && one.header.parent == two.header.parent)
			});
			prop_assert_eq!(member.gate.is_contested(), twice);
		}
	}

	/// Storing and loading between any two steps changes nothing.
	#[test]
	fn a_gate_survives_restarts(history in history(), seed in any::<u64>()) {
		let mut running = Member::new(false, seed);
		let mut restarted = Member::new(false, seed);
		for made in &history {
			running.feed(&history, Input::Entry(made.header));
			let stored = serde_json::to_vec(&restarted.gate).unwrap();
			restarted.gate = serde_json::from_slice(&stored).unwrap();
			restarted.feed(&history, Input::Entry(made.header));
			restarted.feed(&history, Input::Entry(made.header));
		}
		prop_assert_eq!(running.gate, restarted.gate);
	}
}

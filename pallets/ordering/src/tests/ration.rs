//! The group's allowance of contests: what it takes from a hostile key holder, and what it leaves to the members.

use crate::{budget, mock::*, types::Contests};
use frame_support::assert_ok;
use lockstep_primitives::{
	admission::{closes_at, next_candidate_at},
	BlockNumber, Endorsement, EntryHash, OrderingKey, Refusal,
};

/// Uses up the allowance, contesting entries of a chain of its own that starts at the group's entry 0, which has the
/// key `key(0)`. Returns the newest entry of that chain and the number of its key.
fn use_up() -> (EntryHash, u32) {
	let mut chain = vec![create(GROUP, 0)];
	for next in 1..=CONTEST_CAPACITY {
		let parent = *chain.last().expect("there is entry 0");
		chain.push(Commit::new(parent, next - 1, next).append().expect("admitted"));
		next_block();
	}
	skip(INTERVAL);
	for (signer, parent) in (0..CONTEST_CAPACITY).zip(&chain) {
		assert_ok!(Commit::new(*parent, signer, 100 + signer).append());
	}
	(*chain.last().expect("there is entry 0"), CONTEST_CAPACITY)
}

/// A commit with a payload and a key of its own, for dispatch: nobody has signed it.
fn unsigned(parent: EntryHash, number: u32) -> Commit {
	let mut key = [0xcc; 32];
	key[..4].copy_from_slice(&number.to_le_bytes());
	Commit {
		genesis: GENESIS,
		group: GROUP,
		parent,
		payload: number.to_le_bytes().to_vec(),
		next_key: OrderingKey(key),
		endorsement: Endorsement([0; 64]),
	}
}

/// An entry that the attacker holds the key of.
struct Held {
	hash: EntryHash,
	children: u32,
	first_child_at: BlockNumber,
	last_child_at: BlockNumber,
}

/// Somebody who holds the key of entry 0, and thereby of all that it appends, and appends all that it can.
struct Attacker {
	held: Vec<Held>,
	appended: u32,
	contests: u32,
}

impl Attacker {
	fn new(root: EntryHash) -> Self {
		let root = Held { hash: root, children: 0, first_child_at: 0, last_child_at: 0 };
		Self { held: vec![root], appended: 0, contests: 0 }
	}

	/// Appends a child to an entry that it holds.
	fn append(&mut self, at: usize) -> bool {
		let commit = unsigned(self.held[at].hash, self.appended);
		if let Err(refused) = commit.dispatch() {
			assert_eq!(refused, error(Refusal::OverBudget), "nothing else limits it");
			return false;
		}
		let parent = &mut self.held[at];
		if parent.children == 0 {
			parent.first_child_at = now();
		} else {
			self.contests += 1;
		}
		parent.children += 1;
		parent.last_child_at = now();
		self.appended += 1;
		self.held.push(Held { hash: head(GROUP), children: 0, first_child_at: 0, last_child_at: 0 });
		true
	}

	/// Contests every entry that it may, and extends every lineage as far as its budget goes.
	fn fill_block(&mut self) {
		self.held.retain(|held| held.children == 0 || now() < closes_at(held.first_child_at, WINDOW));
		let due =
			|held: &Held| held.children > 0 && now() >= next_candidate_at(held.last_child_at, held.children, INTERVAL);
		for at in 0..self.held.len() {
			// A refusal is the group's: the next one would be refused too.
			if due(&self.held[at]) && !self.append(at) {
				break;
			}
		}
		// The list grows while it is walked: a child that was appended is a leaf itself.
		let mut at = 0;
		while at < self.held.len() {
			if self.held[at].children == 0 {
				self.append(at);
			}
			at += 1;
		}
	}
}

#[test]
fn lineages_grow_with_time_and_no_faster() {
	test(|| {
		const BLOCKS: u32 = 240;
		let mut attacker = Attacker::new(create(GROUP, 0));
		let start = now();
		for _ in 0..BLOCKS {
			attacker.fill_block();
			let age = now() - start;
			let contests = CONTEST_CAPACITY + age / CONTEST_REFILL;
			assert!(attacker.contests <= contests, "{} contests after {age} blocks", attacker.contests);
			// Each lineage has what it started with, the first an entry a block, the others one in several.
			let entries = ENTRY_CAPACITY + age + contests * (CONTEST_ENTRIES + age / CONTEST_SLOWDOWN);
			assert!(attacker.appended <= entries, "{} entries after {age} blocks", attacker.appended);
			next_block();
		}
		// The attack is one: it gets all the contests that there are, but for the first block of them.
		assert!(attacker.contests >= CONTEST_CAPACITY + (BLOCKS - 2 * INTERVAL) / CONTEST_REFILL);
	});
}

#[test]
fn what_contests_spend_at_once_is_bounded() {
	test(|| {
		let mut attacker = Attacker::new(create(GROUP, 0));
		attacker.fill_block();
		assert_eq!(attacker.appended, ENTRY_CAPACITY);
		// Its lineage is full again, and all that it has appended can be contested.
		skip(INTERVAL);
		let before = attacker.appended;
		attacker.fill_block();
		let most = ENTRY_CAPACITY + CONTEST_CAPACITY * CONTEST_ENTRIES;
		assert!(attacker.contests > 1 && attacker.appended - before <= most, "{} entries", attacker.appended);
	});
}

#[test]
fn a_group_without_contests_left_refuses_one() {
	test(|| {
		let (newest, signer) = use_up();
		assert_ok!(Commit::new(newest, signer, 50).append());
		skip(INTERVAL);
		Commit::new(newest, signer, 51).assert_refused(Refusal::OverBudget);
	});
}

#[test]
fn first_children_cost_no_contest() {
	test(|| {
		let (mut newest, mut signer) = use_up();
		assert_eq!(crate::Groups::<Test>::get(GROUP).expect("open").contests.left, 0);
		// The members' commits are first children: they go on at the full rate, block by block.
		for next in 50..50 + 2 * CONTEST_REFILL {
			newest = Commit::new(newest, signer, next).append().expect("a first child");
			signer = next;
			next_block();
		}
		assert_eq!(entry(GROUP, newest).depth, u64::from(CONTEST_CAPACITY + 2 * CONTEST_REFILL));
	});
}

#[test]
fn first_children_leave_the_allowance_as_it_is() {
	test(|| {
		let root = create(GROUP, 0);
		let before = crate::Groups::<Test>::get(GROUP).expect("open").contests;
		assert_eq!(before, Contests { left: CONTEST_CAPACITY, at: now() });
		grow(root, 0, 1, 10);
		assert_eq!(crate::Groups::<Test>::get(GROUP).expect("open").contests, before);
	});
}

#[test]
fn a_contest_comes_back_after_the_refill() {
	test(|| {
		let (newest, signer) = use_up();
		let used_up_at = now();
		assert_ok!(Commit::new(newest, signer, 50).append());
		let rival = Commit::new(newest, signer, 51);
		run_to(used_up_at + CONTEST_REFILL - 1);
		rival.assert_refused(Refusal::OverBudget);
		next_block();
		let rival = rival.append().expect("one was gained");
		// One, and no more.
		let other = Commit::new(rival, 51, 60);
		assert_ok!(other.append());
		skip(INTERVAL);
		Commit::new(rival, 51, 61).assert_refused(Refusal::OverBudget);
		run_to(used_up_at + 2 * CONTEST_REFILL);
		assert_ok!(Commit::new(rival, 51, 61).append());
	});
}

#[test]
fn a_refused_contest_costs_none() {
	test(|| {
		let root = create(GROUP, 0);
		assert_ok!(Commit::new(root, 0, 1).append());
		let before = crate::Groups::<Test>::get(GROUP).expect("open").contests;
		Commit::new(root, 0, 2).assert_refused(Refusal::Superseded);
		skip(INTERVAL);
		// Signed by someone who does not hold the key.
		Commit::new(root, 9, 2).assert_refused(Refusal::BadEndorsement);
		assert_eq!(crate::Groups::<Test>::get(GROUP).expect("open").contests, before);
	});
}

#[test]
fn the_allowance_is_asked_before_the_signature() {
	test(|| {
		let (newest, signer) = use_up();
		assert_ok!(Commit::new(newest, signer, 50).append());
		skip(INTERVAL);
		Commit::new(newest, 9, 51).assert_refused(Refusal::OverBudget);
	});
}

#[test]
fn groups_do_not_share_the_allowance() {
	test(|| {
		use_up();
		let other = create(OTHER_GROUP, 0);
		assert_ok!(Commit::new(other, 0, 1).in_group(OTHER_GROUP, 0).append());
		skip(INTERVAL);
		assert_ok!(Commit::new(other, 0, 2).in_group(OTHER_GROUP, 0).append());
	});
}

/// A contest of the group's entry 0, which has a child already; the number of its key is 2.
fn contest() -> EntryHash {
	let root = create(GROUP, 0);
	assert_ok!(Commit::new(root, 0, 1).append());
	skip(INTERVAL);
	Commit::new(root, 0, 2).append().expect("admitted")
}

#[test]
fn a_contesting_lineage_grows_slowly_to_the_full_budget() {
	test(|| {
		let rival = contest();
		let child = Commit::new(rival, 2, 3).sized(MAX_PAYLOAD, 2).append().expect("within its budget");
		let next = Commit::new(child, 3, 4);
		for _ in 0..CONTEST_SLOWDOWN {
			next.assert_refused(Refusal::OverBudget);
			next_block();
		}
		let budget = |contesting| budget::refill::<Test>(&entry(GROUP, child).budget, contesting, now());
		assert_eq!(budget(true).entries, 1);
		skip(CONTEST_SLOWDOWN * BYTE_CAPACITY / BYTE_REFILL);
		assert_eq!((budget(true).entries, budget(true).bytes), (ENTRY_CAPACITY, BYTE_CAPACITY));
	});
}

#[test]
fn what_contests_started_stays_slow() {
	test(|| {
		// One commit in each block that it may: as many as blocks at the full rate, a fraction of them here.
		let (mut newest, mut signer, mut appended) = (contest(), 2, 1);
		const BLOCKS: u32 = 20 * CONTEST_SLOWDOWN;
		for next in 50..50 + BLOCKS {
			let commit = Commit::new(newest, signer, next);
			match commit.append() {
				Ok(entry) => (newest, signer, appended) = (entry, next, appended + 1),
				Err(_) => commit.assert_refused(Refusal::OverBudget),
			}
			next_block();
		}
		assert_eq!(appended, CONTEST_ENTRIES + (BLOCKS - 1) / CONTEST_SLOWDOWN, "asking in each block loses nothing");
	});
}

#[test]
fn the_allowance_keeps_parts_and_saturates() {
	test(|| {
		let refill = |left, at, now| budget::refill_contests::<Test>(&Contests { left, at }, now);
		// What has passed of a refill is not lost when one is looked at or taken.
		assert_eq!(refill(0, 10, 9 + CONTEST_REFILL), Contests { left: 0, at: 10 });
		assert_eq!(refill(0, 10, 15 + CONTEST_REFILL), Contests { left: 1, at: 10 + CONTEST_REFILL });
		// A full allowance gains nothing, not even a part.
		let full = |at| Contests { left: CONTEST_CAPACITY, at };
		assert_eq!(refill(CONTEST_CAPACITY, 10, 50), full(50));
		assert_eq!(refill(0, 0, u32::MAX), full(u32::MAX));
		// Nor does one from a time when the capacity was larger stay above it.
		assert_eq!(refill(u32::MAX, 0, u32::MAX), full(u32::MAX));
		assert_eq!(refill(1, 10, 5), Contests { left: 1, at: 10 }, "no gain from the past");
	});
}

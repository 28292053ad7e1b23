//! Each rule of the gate, one at a time.

use super::*;
use lockstep_primitives::{BlockNumber, EntryHash, GenesisHash, GroupId, OrderingKey, PayloadHash};

const INTERVAL: BlockNumber = 20;

fn hash(seed: u8) -> EntryHash {
	EntryHash([seed; 32])
}

fn entry(index: u64, seed: u8, parent: EntryHash, block: BlockNumber) -> EntryHeader {
	EntryHeader {
		index,
		hash: hash(seed),
		parent,
		block,
		payload_hash: PayloadHash([seed; 32]),
		next_key: OrderingKey([seed; 32]),
	}
}

/// A gate at entry 0, in block 10, epoch 0.
fn gate() -> Gate {
	let start = LogCursor::start(&GenesisHash([0; 32]), &GroupId([0; 32]));
	Gate::at(&entry(0, 1, start.head.hash, 10), 0, false, INTERVAL).unwrap()
}

fn pending(gate: &Gate, seed: u8) -> Pending {
	Pending::new(gate.tip().entry, PayloadHash([seed; 32]), OrderingKey([seed; 32]))
}

fn verdict(seed: u8, verdict: Verdict) -> Input {
	Input::Verdict { entry: hash(seed), verdict }
}

const VALID: Verdict = Verdict::Valid { removes_me: false };

/// Runs the inputs one after the other; returns all effects.
fn run(mut gate: Gate, inputs: impl IntoIterator<Item = Input>) -> (Gate, Vec<Effect>) {
	let mut all = Vec::new();
	for input in inputs {
		let (next, effects) = step(gate, input);
		gate = next;
		all.extend(effects);
	}
	(gate, all)
}

#[test]
fn a_valid_first_child_opens_the_epoch() {
	let child = entry(1, 2, hash(1), 11);
	let (gate, effects) = step(gate(), Input::Entry(child));
	assert_eq!(effects, [Effect::Evaluate(child)]);
	assert_eq!(gate.tip().epoch, 0);
	assert_eq!(gate.cursor().head.length, 1, "the candidate is not read before its verdict");
	let (gate, effects) = step(gate, verdict(2, VALID));
	assert_eq!(effects, [Effect::Apply(child), Effect::Advance { entry: child, epoch: 1, own: false }]);
	assert_eq!(*gate.tip(), Tip { entry: hash(2), index: 1, epoch: 1, block: 11 });
	assert_eq!(gate.cursor().head.length, 2);
	assert!(!gate.is_contested());
}

#[test]
fn a_publicly_invalid_child_is_skipped_and_its_sibling_counts() {
	let hostile = entry(1, 2, hash(1), 11);
	let sibling = entry(2, 3, hash(1), 31);
	let (gate, effects) =
		run(gate(), [Input::Entry(hostile), verdict(2, Verdict::PubliclyInvalid), Input::Entry(sibling)]);
	assert_eq!(effects.get(1), Some(&Effect::Skip { entry: hostile, reason: SkipReason::PubliclyInvalid }));
	assert_eq!(effects.last(), Some(&Effect::Evaluate(sibling)));
	let (gate, _) = step(gate, verdict(3, VALID));
	assert_eq!((gate.tip().entry, gate.tip().epoch), (hash(3), 1));
	assert!(gate.is_contested());
}

#[test]
fn children_of_a_skipped_entry_never_count() {
	let hostile = entry(1, 2, hash(1), 11);
	let grandchild = entry(2, 3, hash(2), 12);
	let (gate, effects) =
		run(gate(), [Input::Entry(hostile), verdict(2, Verdict::PubliclyInvalid), Input::Entry(grandchild)]);
	assert_eq!(effects.last(), Some(&Effect::Skip { entry: grandchild, reason: SkipReason::NotFromTip }));
	assert_eq!(gate.tip().entry, hash(1));
	assert_eq!(gate.cursor().head.length, 3);
	assert!(!gate.is_contested(), "no entry has two children yet");
}

#[test]
fn a_sibling_of_the_winner_is_passed_over() {
	let winner = entry(1, 2, hash(1), 11);
	let late = entry(2, 3, hash(1), 31);
	let (gate, effects) = run(gate(), [Input::Entry(winner), verdict(2, VALID), Input::Entry(late)]);
	assert_eq!(effects.last(), Some(&Effect::Skip { entry: late, reason: SkipReason::NotFromTip }));
	assert_eq!(gate.tip().entry, hash(2));
	assert!(gate.is_contested());
}

#[test]
fn a_private_failure_stops_for_good() {
	let first = entry(1, 2, hash(1), 11);
	let sibling = entry(2, 3, hash(1), 31);
	let (gate, effects) = run(gate(), [Input::Entry(first), verdict(2, Verdict::PrivatelyFailing)]);
	assert_eq!(effects.last(), Some(&Effect::Stop(Stop::Desynchronized(first))));
	let stopped = gate.clone();
	let own = pending(&gate, 9);
	let (gate, effects) = run(
		gate,
		[
			Input::Entry(first),
			Input::Entry(entry(1, 3, hash(1), 31)),
			Input::Entry(sibling),
			verdict(2, VALID),
			verdict(3, VALID),
			Input::Prepared(own),
			Input::Finalized(1000),
			Input::Refused,
		],
	);
	assert_eq!(effects, []);
	assert_eq!(gate, stopped);
}

#[test]
fn being_removed_stops_after_the_commit_was_applied() {
	let removal = entry(1, 2, hash(1), 11);
	let (gate, effects) = run(gate(), [Input::Entry(removal), verdict(2, Verdict::Valid { removes_me: true })]);
	assert_eq!(
		effects.get(1..),
		Some(
			&[
				Effect::Apply(removal),
				Effect::Advance { entry: removal, epoch: 1, own: false },
				Effect::Stop(Stop::Removed)
			][..]
		)
	);
	assert!(gate.is_stopped());
	assert_eq!(step(gate, Input::Entry(entry(2, 3, hash(2), 12))).1, []);
}

#[test]
fn the_own_commit_is_submitted_and_merged_when_it_wins() {
	let gate = gate();
	let own = pending(&gate, 5);
	let (gate, effects) = step(gate, Input::Prepared(own));
	assert_eq!(effects, [Effect::Submit { again: false }]);
	let won = entry(1, 5, hash(1), 11);
	let (gate, effects) = step(gate, Input::Entry(won));
	assert_eq!(effects, [Effect::MergeOwn(won), Effect::Advance { entry: won, epoch: 1, own: true }]);
	assert_eq!(gate.pending(), None);
}

#[test]
fn the_own_commit_is_dropped_when_another_wins() {
	let gate = gate();
	let own = pending(&gate, 5);
	let winner = entry(1, 2, hash(1), 11);
	let (gate, effects) = run(gate, [Input::Prepared(own), Input::Entry(winner), verdict(2, VALID)]);
	assert_eq!(
		effects.get(2..),
		Some(
			&[Effect::Apply(winner), Effect::DropPending, Effect::Advance { entry: winner, epoch: 1, own: false }][..]
		)
	);
	assert!(gate.takes_commit());
}

#[test]
fn the_own_bundle_under_another_key_is_judged_and_the_own_commit_stays() {
	let gate = gate();
	let own = pending(&gate, 5);
	let stolen = EntryHeader { next_key: OrderingKey([6; 32]), ..entry(1, 4, hash(1), 11) };
	let stolen = EntryHeader { payload_hash: own.payload_hash, ..stolen };
	let (gate, effects) = run(gate, [Input::Prepared(own), Input::Entry(stolen)]);
	assert_eq!(effects.last(), Some(&Effect::Evaluate(stolen)));
	let (gate, effects) = step(gate, verdict(4, Verdict::PubliclyInvalid));
	assert_eq!(effects, [Effect::Skip { entry: stolen, reason: SkipReason::PubliclyInvalid }]);
	assert!(gate.pending().is_some());
	let won = entry(2, 5, hash(1), 31);
	let (gate, effects) = step(gate, Input::Entry(won));
	assert_eq!(effects.first(), Some(&Effect::MergeOwn(won)));
	assert_eq!(gate.tip().entry, hash(5));
}

#[test]
fn an_own_commit_whose_block_has_a_say_is_judged_like_others() {
	let gate = gate();
	let own = Pending { conditional: true, ..pending(&gate, 5) };
	let won = entry(1, 5, hash(1), 11);
	let (gate, effects) = run(gate, [Input::Prepared(own), Input::Entry(won)]);
	assert_eq!(effects.last(), Some(&Effect::Evaluate(won)));
	let (merged, effects) = step(gate.clone(), verdict(5, Verdict::Own));
	assert_eq!(effects, [Effect::MergeOwn(won), Effect::Advance { entry: won, epoch: 1, own: true }]);
	assert_eq!(merged.pending(), None);
	// If it is invalid there it is invalid for all, and is not submitted again.
	let (gate, effects) = step(gate, verdict(5, Verdict::PubliclyInvalid));
	assert_eq!(effects, [Effect::DropPending, Effect::Skip { entry: won, reason: SkipReason::PubliclyInvalid }]);
	assert_eq!((gate.pending(), gate.tip().entry), (None, hash(1)));
	let sibling = pending(&gate, 6);
	assert_eq!(
		step(gate, Input::Prepared(sibling)).0.pending().map(|own| own.payload_hash),
		Some(sibling.payload_hash)
	);
}

#[test]
fn the_own_commit_sealed_anew_by_another_is_merged_all_the_same() {
	let gate = gate();
	let own = pending(&gate, 5);
	let resealed = entry(1, 4, hash(1), 11);
	let (gate, effects) = run(gate, [Input::Prepared(own), Input::Entry(resealed), verdict(4, Verdict::Own)]);
	assert_eq!(
		effects.get(2..),
		Some(&[Effect::MergeOwn(resealed), Effect::Advance { entry: resealed, epoch: 1, own: true }][..])
	);
	assert_eq!(gate.pending(), None);

	// Without its secrets it is a commit that only this member cannot process.
	let (_, effects) = run(super::tests::gate(), [Input::Entry(resealed), verdict(4, Verdict::Own)]);
	assert_eq!(effects.last(), Some(&Effect::Stop(Stop::Desynchronized(resealed))));
}

#[test]
fn a_commit_that_cannot_be_taken_is_handed_back() {
	let gate = gate();
	let own = pending(&gate, 5);
	let (gate, _) = step(gate, Input::Prepared(own));
	let (gate, effects) = step(gate, Input::Prepared(Pending { payload_hash: PayloadHash([6; 32]), ..own }));
	assert_eq!(effects, [Effect::Reject]);
	assert_eq!(gate.pending().map(|pending| pending.payload_hash), Some(own.payload_hash), "the first one stays");
	let stale = Pending { parent: hash(77), ..own };
	let (_, effects) = step(super::tests::gate(), Input::Prepared(stale));
	assert_eq!(effects, [Effect::Reject]);
}

#[test]
fn entries_out_of_order_and_repeats_change_nothing() {
	let before = gate();
	for wrong in [entry(0, 1, hash(0), 10), entry(2, 9, hash(1), 12), entry(u64::MAX, 9, hash(1), 12)] {
		let (after, effects) = step(before.clone(), Input::Entry(wrong));
		assert_eq!((after, effects), (before.clone(), Vec::new()));
	}
	let (after, effects) = step(before.clone(), verdict(2, VALID));
	assert_eq!((after, effects), (before, Vec::new()), "a verdict that nobody asked for");
}

#[test]
fn a_candidate_is_judged_again_after_a_restart_and_no_other_entry_before() {
	let candidate = entry(1, 2, hash(1), 11);
	let (gate, _) = step(gate(), Input::Entry(candidate));
	let stored = serde_json::to_vec(&gate).unwrap();
	let restored: Gate = serde_json::from_slice(&stored).unwrap();
	assert_eq!(restored, gate);
	assert_eq!(step(restored.clone(), Input::Entry(candidate)).1, [Effect::Evaluate(candidate)]);
	assert_eq!(step(restored.clone(), Input::Entry(entry(1, 3, hash(1), 11))).1, []);
	assert_eq!(step(restored.clone(), Input::Entry(entry(2, 3, hash(1), 31))).1, []);
	assert_eq!(step(restored, verdict(3, VALID)).1, [], "the verdict on another entry");
}

#[test]
fn a_submission_that_stays_out_of_the_log_is_repeated() {
	let gate = gate();
	let own = pending(&gate, 5);
	let (gate, _) = run(gate, [Input::Finalized(10), Input::Prepared(own)]);
	let (gate, effects) = run(gate, [Input::Finalized(11), Input::Finalized(12), Input::Finalized(13)]);
	assert_eq!(effects, []);
	let (gate, effects) = step(gate, Input::Finalized(10 + RESUBMIT_AFTER));
	assert_eq!(effects, [Effect::Submit { again: true }]);
	let (gate, effects) = run(gate, [Input::Finalized(10), Input::Refused, Input::Finalized(15)]);
	assert_eq!(effects, [], "blocks that were final before and refusals bring nothing forward");
	assert_eq!(step(gate, Input::Finalized(18)).1, [Effect::Submit { again: true }]);
}

#[test]
fn a_refusal_counts_from_when_it_came() {
	let gate = gate();
	let own = pending(&gate, 5);
	let (gate, _) = run(gate, [Input::Finalized(10), Input::Prepared(own), Input::Finalized(12), Input::Refused]);
	let (gate, effects) = run(gate, (13..12 + RESUBMIT_AFTER).map(Input::Finalized));
	assert_eq!(effects, []);
	assert_eq!(step(gate, Input::Finalized(12 + RESUBMIT_AFTER)).1, [Effect::Submit { again: true }]);
}

#[test]
fn a_refusal_never_drops_the_commit() {
	let gate = gate();
	let own = pending(&gate, 5);
	let (gate, effects) = run(gate, [Input::Prepared(own), Input::Refused]);
	assert_eq!(effects, [Effect::Submit { again: false }]);
	let won = entry(1, 5, hash(1), 11);
	assert_eq!(step(gate, Input::Entry(won)).1.first(), Some(&Effect::MergeOwn(won)));
}

#[test]
fn against_invalid_children_the_commit_at_hand_is_submitted_once_the_chain_admits_it() {
	let gate = gate();
	let own = pending(&gate, 5);
	let (gate, effects) =
		run(gate, [Input::Prepared(own), Input::Entry(entry(1, 2, hash(1), 11)), verdict(2, Verdict::PubliclyInvalid)]);
	assert!(!effects.contains(&Effect::Contest));
	let (gate, effects) = run(gate, (11..30).map(Input::Finalized));
	assert_eq!(effects, [], "block 31 is the first that takes a rival");
	let (gate, effects) = step(gate, Input::Finalized(30));
	assert_eq!(effects, [Effect::Submit { again: true }]);

	// A second hostile child: twice the interval.
	let (gate, effects) = run(gate, [Input::Entry(entry(2, 3, hash(1), 31)), verdict(3, Verdict::PubliclyInvalid)]);
	assert_eq!(effects.len(), 2);
	let (gate, effects) = run(gate, (31..70).map(Input::Finalized));
	assert_eq!(effects, []);
	assert_eq!(step(gate, Input::Finalized(70)).1, [Effect::Submit { again: true }]);
}

#[test]
fn without_a_commit_at_hand_a_contest_starts_after_a_random_wait() {
	let mut starts = std::collections::BTreeSet::new();
	for seed in 0..64 {
		let (mut gate, _) = run(
			gate(),
			[Input::Random(seed), Input::Entry(entry(1, 2, hash(1), 11)), verdict(2, Verdict::PubliclyInvalid)],
		);
		let mut block = 11;
		loop {
			let (next, effects) = step(gate, Input::Finalized(block));
			gate = next;
			if effects == [Effect::Contest] {
				break;
			}
			assert_eq!(effects, []);
			block += 1;
			assert!(block < 31 + CONTEST_SPREAD, "a contest must start");
		}
		assert!(block >= 30, "no block before 31 takes a rival");
		starts.insert(block);
		// The driver answers with a commit, which goes out at once.
		let own = pending(&gate, 5);
		assert_eq!(step(gate, Input::Prepared(own)).1, [Effect::Submit { again: false }]);
	}
	assert_eq!(starts.len(), CONTEST_SPREAD as usize, "all waits occur");
}

#[test]
fn a_contest_that_could_not_be_started_is_due_again() {
	let (gate, _) = run(gate(), [Input::Entry(entry(1, 2, hash(1), 11)), verdict(2, Verdict::PubliclyInvalid)]);
	let (gate, effects) = step(gate, Input::Finalized(100));
	assert_eq!(effects, [Effect::Contest]);
	let (gate, effects) = run(gate, [Input::Finalized(101), Input::Finalized(102)]);
	assert_eq!(effects, []);
	assert_eq!(step(gate, Input::Finalized(104)).1, [Effect::Contest]);
}

#[test]
fn a_new_tip_ends_the_contest() {
	let (gate, _) = run(
		gate(),
		[
			Input::Entry(entry(1, 2, hash(1), 11)),
			verdict(2, Verdict::PubliclyInvalid),
			Input::Entry(entry(2, 3, hash(1), 31)),
			verdict(3, VALID),
		],
	);
	assert_eq!(run(gate, [Input::Finalized(100), Input::Finalized(200)]).1, []);
}

#[test]
fn a_commit_on_a_new_tip_does_not_wait_for_the_children_of_the_old_one() {
	let (gate, _) = run(
		gate(),
		[
			Input::Entry(entry(1, 2, hash(1), 11)),
			verdict(2, Verdict::PubliclyInvalid),
			Input::Entry(entry(2, 3, hash(1), 31)),
			verdict(3, VALID),
		],
	);
	let own = pending(&gate, 5);
	let (gate, effects) = step(gate, Input::Prepared(own));
	assert_eq!(effects, [Effect::Submit { again: false }]);
	// Nor do the old ones count for how long a contest has to wait.
	let (gate, _) = run(gate, [Input::Entry(entry(3, 4, hash(3), 32)), verdict(4, Verdict::PubliclyInvalid)]);
	let (gate, effects) = run(gate, (32..32 + INTERVAL - 1).map(Input::Finalized));
	assert_eq!(effects, []);
	assert_eq!(step(gate, Input::Finalized(32 + INTERVAL - 1)).1, [Effect::Submit { again: true }]);
}

#[test]
fn numbers_at_their_ends_do_not_overflow() {
	let start = LogCursor::start(&GenesisHash([0; 32]), &GroupId([0; 32]));
	assert_eq!(Gate::at(&entry(u64::MAX, 1, start.head.hash, 1), 0, false, INTERVAL), None);
	let last = entry(u64::MAX - 1, 1, start.head.hash, u32::MAX);
	let gate = Gate::at(&last, u64::MAX, false, u32::MAX).unwrap();
	let own = pending(&gate, 5);
	let (gate, _) = run(gate, [Input::Random(u64::MAX), Input::Prepared(own), Input::Finalized(u32::MAX)]);
	let (_, effects) = step(gate, Input::Entry(entry(u64::MAX, 2, hash(1), u32::MAX)));
	assert_eq!(effects, [], "a full log takes no entry");
}

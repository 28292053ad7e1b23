//! `close_group`: who may, when, and what is left.

use crate::{mock::*, ClosedGroups, Error, Event, HoldReason};
use frame_support::{
	assert_noop, assert_ok,
	traits::{
		fungible::{InspectHold, MutateHold},
		tokens::{Fortitude, Precision},
	},
};
use lockstep_primitives::{extrinsic::release_payload, Endorsement, EntryHash, GenesisHash, GroupId, Refusal};
use sp_runtime::{DispatchError, DispatchResult};

fn close(by: u64, release: Option<Endorsement>) -> DispatchResult {
	Ordering::close_group(RuntimeOrigin::signed(by), GROUP, release)
}

fn release(signer: u32, group: GroupId, head: EntryHash) -> Option<Endorsement> {
	Some(sign(&key(signer), &release_payload(&GENESIS, &group, &head)))
}

#[test]
fn the_sponsor_closes_a_group_that_has_been_silent_for_long() {
	test(|| {
		let root = create(GROUP, 0);
		let child = Commit::new(root, 0, 1).append().expect("admitted");
		run_to(now() + RETENTION - 1);
		assert_noop!(close(SPONSOR, None), Error::<Test>::GroupActive);
		next_block();
		assert_ok!(close(SPONSOR, None));
		System::assert_has_event(Event::GroupClosed { group: GROUP }.into());
		assert_eq!(Balances::balance_on_hold(&HoldReason::Group.into(), &SPONSOR), 0);
		assert_eq!(Balances::free_balance(SPONSOR), FUNDS);
		assert_eq!(Ordering::group_count(), 0);
		// At once, although its entries are still to be removed.
		Commit::new(child, 1, 2).assert_refused(Refusal::UnknownGroup);
	});
}

#[test]
fn nobody_else_closes_it() {
	test(|| {
		let root = create(GROUP, 0);
		skip(RETENTION);
		assert_noop!(close(OTHER, None), Error::<Test>::NotSponsor);
		assert_noop!(close(OTHER, release(0, GROUP, root)), Error::<Test>::NotSponsor);
		for origin in [RuntimeOrigin::none(), RuntimeOrigin::root(), frame_system::RawOrigin::Authorized.into()] {
			assert_noop!(Ordering::close_group(origin, GROUP, None), DispatchError::BadOrigin);
		}
	});
}

#[test]
fn an_unknown_or_closed_group_cannot_be_closed() {
	test(|| {
		assert_noop!(close(SPONSOR, None), Error::<Test>::UnknownGroup);
		create(GROUP, 0);
		skip(RETENTION);
		assert_ok!(close(SPONSOR, None));
		assert_noop!(close(SPONSOR, None), Error::<Test>::UnknownGroup);
	});
}

#[test]
fn a_sponsor_alone_cannot_end_a_living_group() {
	test(|| {
		let mut parent = create(GROUP, 0);
		for next in 1..10 {
			skip(RETENTION / 4);
			assert_noop!(close(SPONSOR, None), Error::<Test>::GroupActive);
			parent = Commit::new(parent, next - 1, next).append().expect("admitted");
		}
	});
}

#[test]
fn with_a_release_it_can_end_sooner() {
	test(|| {
		let root = create(GROUP, 0);
		run_to(now() + WINDOW - 1);
		assert_noop!(close(SPONSOR, release(0, GROUP, root)), Error::<Test>::GroupActive);
		next_block();
		assert_noop!(close(SPONSOR, None), Error::<Test>::GroupActive);
		assert_ok!(close(SPONSOR, release(0, GROUP, root)));
	});
}

#[test]
fn sponsor_and_one_hostile_member_cannot_end_a_group_in_use() {
	test(|| {
		// The hostile member signs a release of every head as soon as it sees it.
		let mut parent = create(GROUP, 0);
		for next in 1..6 {
			skip(WINDOW - 1);
			let early = release(next - 1, GROUP, parent);
			assert_noop!(close(SPONSOR, early), Error::<Test>::GroupActive);
			parent = Commit::new(parent, next - 1, next).append().expect("admitted");
			// The window is over for the old head, and starts anew with the new one.
			assert_noop!(close(SPONSOR, early), Error::<Test>::GroupActive);
			assert_noop!(close(SPONSOR, release(next, GROUP, parent)), Error::<Test>::GroupActive);
		}
	});
}

#[test]
fn a_release_is_good_for_one_head_of_one_group_on_one_chain() {
	test(|| {
		let root = create(GROUP, 0);
		create(OTHER_GROUP, 0);
		let child = Commit::new(root, 0, 1).append().expect("admitted");
		skip(WINDOW);
		let elsewhere = sign(&key(1), &release_payload(&GenesisHash([8; 32]), &GROUP, &child));
		for bad in [
			release(0, GROUP, child),       // the key of an earlier epoch
			release(1, GROUP, root),        // another head
			release(1, OTHER_GROUP, child), // another group
			Some(elsewhere),                // another chain
			Some(Endorsement([0; 64])),
		] {
			assert_noop!(close(SPONSOR, bad), Error::<Test>::BadRelease);
		}
		// An endorsement is no release.
		let endorsement = Commit::new(child, 1, 2).endorsement;
		assert_noop!(close(SPONSOR, Some(endorsement)), Error::<Test>::BadRelease);
		assert_ok!(close(SPONSOR, release(1, GROUP, child)));
	});
}

#[test]
fn a_long_silence_needs_no_release_and_minds_no_bad_one() {
	test(|| {
		create(GROUP, 0);
		skip(RETENTION);
		assert_ok!(close(SPONSOR, Some(Endorsement([0; 64]))));
	});
}

#[test]
fn an_id_is_used_once_ever() {
	test(|| {
		create(GROUP, 0);
		skip(RETENTION);
		assert_ok!(close(SPONSOR, None));
		let again = || {
			let endorsement = self_endorsement(GENESIS, GROUP, &key(0));
			Ordering::create_group(RuntimeOrigin::signed(SPONSOR), GROUP, public(&key(0)), endorsement)
		};
		assert_noop!(again(), Error::<Test>::GroupIdUsed);
		// Also when nothing but the tombstone is left of it.
		skip(2 * RETENTION);
		assert_eq!(crate::OpenEntries::<Test>::iter().count(), 0);
		assert!(ClosedGroups::<Test>::contains_key(GROUP));
		assert_noop!(again(), Error::<Test>::GroupIdUsed);
	});
}

#[test]
fn the_deposits_of_other_groups_stay_held() {
	test(|| {
		create(OTHER_GROUP, 0);
		create(GROUP, 0);
		skip(RETENTION);
		assert_ok!(close(SPONSOR, None));
		assert_eq!(Balances::balance_on_hold(&HoldReason::Group.into(), &SPONSOR), DEPOSIT);
	});
}

#[test]
fn a_group_whose_deposit_was_taken_can_still_be_closed() {
	test(|| {
		create(GROUP, 0);
		skip(RETENTION);
		let reason = HoldReason::Group.into();
		assert_ok!(Balances::burn_held(&reason, &SPONSOR, DEPOSIT / 2, Precision::Exact, Fortitude::Force));
		assert_ok!(close(SPONSOR, None));
		assert_eq!(Balances::balance_on_hold(&reason, &SPONSOR), 0);
	});
}

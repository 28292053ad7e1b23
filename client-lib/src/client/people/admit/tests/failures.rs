//! What comes to nothing, and what that costs.

use super::*;
use crate::{client::GroupError, directory::KeyPackageRefusal, mls::EngineError, voucher::VoucherRefusal};
use lockstep_primitives::key_package::CLAIM_LIFE;

const SPENT: NotAddedBecause = NotAddedBecause::Voucher(VoucherRefusal::Spent);
const EXPIRED: NotAddedBecause = NotAddedBecause::Voucher(VoucherRefusal::Expired);

#[test]
fn a_voucher_that_was_shown_before_does_not_go_back() {
	let mut computer = Computer::that_claims(2);
	computer.reopen();
	computer.pass(1);
	// The look says that nothing was submitted. Before the restart something was, perhaps.
	let voucher = computer.claims[0].voucher.clone();
	computer.fail(NotAddedBecause::NoKeyPackages, VoucherIs::NotShown);
	assert_eq!((computer.left(), computer.is_bound()), (1, true));
	assert_eq!(computer.claims_after(2 * TURN), Some(2 * TURN));
	assert_eq!(computer.claims[0].voucher, voucher);
}

#[test]
fn nodes_that_refuse_everything_cost_three_vouchers_in_the_end() {
	let mut computer = Computer::that_claims(3);
	let voucher = computer.claims[0].voucher.clone();
	for times in 0..9 {
		computer.fail(SPENT, VoucherIs::Doubted);
		assert_eq!((computer.left(), computer.told()), (2, (0, vec![SPENT])), "told once");
		let wait = AGAIN << times;
		computer.jump(wait - 1);
		assert!(computer.claims.is_empty());
		computer.pass(1);
		assert_eq!(computer.claims[0].voucher, voucher, "the same, after twice as long");
	}
	computer.fail(SPENT, VoucherIs::Doubted);
	assert_eq!((computer.is_bound(), computer.left()), (false, 2));
	// One of three that may come to nothing.
	assert_eq!(computer.claims_after(3 * AGAIN), Some(AGAIN + 1));
	assert_ne!(computer.claims[0].voucher, voucher);
}

/// What is said against the claim says nothing of the voucher.
#[test]
fn a_claim_that_nodes_refuse_is_made_until_the_voucher_expires() {
	let mut computer = Computer::that_claims(2);
	let voucher = computer.claims[0].voucher.clone();
	let busy = || NotAddedBecause::Refused(KeyPackageRefusal::TooManyClaims);
	for times in 0..9 {
		computer.fail(busy(), VoucherIs::Doubted);
		computer.jump((AGAIN << times) - 1);
		assert!(computer.claims.is_empty());
		computer.pass(1);
		assert_eq!(computer.claims[0].voucher, voucher);
	}
	computer.fail(busy(), VoucherIs::Doubted);
	assert!(computer.is_bound());
	assert_eq!(computer.left(), 1);
}

/// After a day the chain has forgotten what was claimed with it, and not that it was spent.
#[test]
fn a_voucher_that_was_claimed_with_long_ago_makes_way_for_the_next() {
	let mut computer = Computer::that_claims(2);
	let voucher = computer.claims[0].voucher.clone();
	computer.jump(CLAIM_LIFE);
	computer.reopen();
	computer.pass(1);
	assert_eq!(computer.claims[0].voucher, voucher);
	computer.fail(SPENT, VoucherIs::Doubted);
	assert_eq!((computer.is_bound(), computer.left()), (false, 1));
	assert_eq!(computer.claims_after(3 * AGAIN), Some(AGAIN + 1));
	assert_ne!(computer.claims[0].voucher, voucher);
}

/// Only a voucher of which it is said that it is spent is given up for its age.
#[test]
fn a_voucher_of_a_sponsor_without_funds_is_kept_for_as_long_as_any() {
	let mut computer = Computer::that_claims(2);
	let voucher = computer.claims[0].voucher.clone();
	computer.jump(CLAIM_LIFE);
	computer.reopen();
	computer.pass(1);
	computer.fail(NotAddedBecause::Voucher(VoucherRefusal::NoFunds), VoucherIs::Doubted);
	assert_eq!((computer.is_bound(), computer.left()), (true, 1));
	assert_eq!(computer.claims_after(2 * AGAIN), Some(AGAIN));
	assert_eq!(computer.claims[0].voucher, voucher);
}

#[test]
fn a_commit_blames_the_voucher_for_what_was_claimed_alone() {
	let group = GroupId([7; 32]);
	let engine = EngineError::NoSuchGroup(group);
	let other = [
		CommitError::Exhausted { attempts: 256 },
		CommitError::Busy(256),
		CommitError::Group(GroupError::Closed),
		CommitError::Group(GroupError::Removed(group)),
		// Trouble of this client.
		CommitError::Build(BuildError::Engine(engine)),
	];
	for error in other {
		assert_eq!(blames(&error), None, "{error}");
	}
	let revoked = InvalidReason::Policy(PolicyError::NotADevice { identity: ANNA.0.to_vec() });
	assert_eq!(blames(&CommitError::Build(BuildError::Refused(revoked))), Some(VoucherIs::Doubted));
	let claimed = [
		CommitError::ClaimLapsed,
		CommitError::TooLarge { length: 70_000, max: 65_536 },
		CommitError::Build(BuildError::KeyPackage { index: 0, reason: "it is another's".to_owned() }),
	];
	for error in claimed {
		assert_eq!(blames(&error), Some(VoucherIs::Spent), "{error}");
	}
}

#[test]
fn a_restart_makes_no_wait_shorter() {
	let mut computer = Computer::that_claims(2);
	computer.fail(SPENT, VoucherIs::Doubted);
	computer.reopen();
	computer.pass(AGAIN - 1);
	assert!(computer.claims.is_empty());
	computer.pass(1);
	computer.fail(EXPIRED, VoucherIs::Spent);
	computer.reopen();
	computer.pass(AGAIN);
	assert!(computer.claims.is_empty());
	computer.pass(1);
	assert_eq!(computer.claims.len(), 1);
}

#[test]
fn three_vouchers_are_spent_on_a_device_in_vain() {
	let mut computer = Computer::that_claims(5);
	for (left, wait) in [(4, AGAIN), (3, 2 * AGAIN)] {
		computer.fail(EXPIRED, VoucherIs::Spent);
		assert_eq!((computer.left(), computer.is_bound()), (left, false));
		// From the next block on.
		assert_eq!(computer.claims_after(3 * AGAIN), Some(wait + 1));
	}
	// A claim that gives nothing of the device is one, too.
	computer.answer(Ok(vec![package(COMPUTER)]));
	assert_eq!(computer.claims_after(8 * AGAIN), None);
	assert_eq!(computer.told(), (1, vec![EXPIRED, NotAddedBecause::OtherDevices]));
	computer.reopen();
	assert_eq!(computer.claims_after(8 * AGAIN), None);
	assert_eq!((computer.left(), computer.told().0), (2, 1));
	computer.knows(&[(0, &[COMPUTER, PHONE]), (1, &[COMPUTER, [22; 32]])], &[(PHONE, [22; 32])]);
	assert_eq!(computer.claims_after(1), Some(1), "with another key it counts anew");
}

#[test]
fn what_becomes_of_one_device_makes_the_wait_for_another_no_shorter() {
	let mut computer = Computer::that_claims(4);
	computer.fail(EXPIRED, VoucherIs::Spent);
	assert_eq!(computer.claims_after(3 * AGAIN), Some(AGAIN + 1));
	computer.fail(EXPIRED, VoucherIs::Spent);
	// From the next block on.
	let due = computer.block + 1 + 2 * AGAIN;
	computer.pass(1);
	computer.knows(&[(0, &[COMPUTER, PHONE, TABLET])], &[]);
	computer.pass(1);
	assert_eq!(computer.claims.len(), 1, "the tablet does not wait");
	computer.answer(Ok(vec![package(TABLET)]));
	computer.win();
	assert_eq!(computer.devices(), 2);
	assert!(computer.claims_after(3 * AGAIN).is_some());
	assert_eq!((computer.block, &computer.claims[0].devices[..]), (due, &[key(PHONE)][..]));
}

#[test]
fn a_claim_that_gives_one_of_two_is_for_that_one() {
	let mut computer = Computer::with_vouchers(2);
	computer.knows(&[(0, &[COMPUTER, PHONE, TABLET])], &[]);
	computer.pass(1);
	assert_eq!(computer.claims[0].devices.len(), 2);
	computer.answer(Ok(vec![package(PHONE)]));
	let left = |event: &&Event| {
		matches!(event, Event::DeviceNotAdded { key: device, reason: NotAddedBecause::OtherDevices, .. }
			if *device == key(TABLET).0)
	};
	assert_eq!(computer.events.iter().filter(left).count(), 1);
	computer.win();
	computer.pass(1);
	assert_eq!((computer.devices(), computer.is_bound(), computer.left()), (2, false, 1));
	computer.pass(AGAIN);
	let left = computer.left();
	assert_eq!((&computer.claims[0].devices[..], left), (&[key(TABLET)][..], 0));
}

#[test]
fn a_device_that_is_revoked_meanwhile_takes_no_other_with_it() {
	let mut computer = Computer::with_vouchers(2);
	computer.knows(&[(0, &[COMPUTER, PHONE, TABLET])], &[]);
	computer.pass(1);
	let voucher = computer.claims[0].voucher.clone();
	computer.knows(&[(0, &[COMPUTER, PHONE, TABLET]), (1, &[COMPUTER, PHONE])], &[]);
	computer.answer(Ok(vec![package(PHONE), package(TABLET)]));
	assert!(computer.submitted.is_none(), "the tablet may not come in");
	assert_eq!(computer.claims_after(2 * AGAIN), Some(AGAIN + 1));
	assert_eq!(computer.claims[0].voucher, voucher);
	// Now that is left out.
	computer.answer(Ok(vec![package(PHONE)]));
	computer.win();
	assert_eq!((computer.devices(), computer.left()), (2, 1));
}

#[test]
fn a_device_without_key_packages_is_looked_at_ever_more_seldom() {
	let mut computer = Computer::that_claims(1);
	for wait in [2 * TURN, 4 * TURN, AGAIN, AGAIN] {
		computer.fail(NotAddedBecause::NoKeyPackages, VoucherIs::NotShown);
		assert_eq!((computer.left(), computer.is_bound()), (1, false), "no voucher waits for it");
		computer.pass(wait - 1);
		assert!(computer.claims.is_empty());
		computer.pass(1);
		assert_eq!(computer.claims.len(), 1);
	}
	assert_eq!(computer.told(), (0, vec![NotAddedBecause::NoKeyPackages]));
}

#[test]
fn while_it_is_not_known_what_came_of_a_claim_the_voucher_stays_bound() {
	let mut computer = Computer::that_claims(2);
	let voucher = computer.claims[0].voucher.clone();
	let unknown = |times: usize| format!("no node, {times}");
	for (times, wait) in [2 * TURN, 4 * TURN, AGAIN, AGAIN].into_iter().enumerate() {
		computer.answer(Err(NotClaimed::Unknown(unknown(times))));
		assert_eq!(computer.claims_after(AGAIN), Some(wait));
		assert_eq!((computer.left(), &computer.claims[0].voucher), (1, &voucher));
	}
	assert_eq!(computer.told(), (0, vec![NotAddedBecause::Unanswered(unknown(2))]));
}

#[test]
fn a_claim_that_has_lapsed_makes_way_for_the_next_voucher() {
	let mut computer = Computer::that_claims(2);
	let old = computer.claims.pop().unwrap().voucher.voucher().key;
	let packages = vec![package(PHONE)].try_into().unwrap();
	computer.core.finalized = 50_000;
	computer.block = 50_000;
	let outcome = Ok(Claimed { target: ANNA, block: 1, packages });
	computer.core.on_claimed(ClaimAnswer { group: computer.group, voucher: old, outcome });
	computer.pass(1);
	let lapsed = NotAddedBecause::Commit(Box::new(CommitError::ClaimLapsed));
	assert_eq!(computer.told(), (0, vec![lapsed]));
	assert_eq!(computer.claims_after(AGAIN + 1), Some(AGAIN + 1));
	assert_eq!(computer.left(), 0);
	assert_ne!(computer.claims[0].voucher.voucher().key, old);
}

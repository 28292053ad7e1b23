//! Two candidates at once: in the pool, and in one block.

use crate::{
	admission::{APPEND_PRIORITY, APPEND_TAG},
	mock::*,
};
use codec::Encode;
use frame_support::{assert_ok, dispatch::GetDispatchInfo, dispatch::Pays};
use lockstep_primitives::Refusal;

#[test]
fn the_pool_holds_one_candidate_for_a_parent() {
	test(|| {
		let root = create(GROUP, 0);
		let one = Commit::new(root, 0, 1).validate().expect("admitted");
		let two = Commit::new(root, 0, 2).sized(MAX_PAYLOAD, 0).validate().expect("admitted");
		// Equal in every respect, so that the second replaces the first under no circumstance.
		assert_eq!(one, two);
		assert_eq!(one.provides, vec![(APPEND_TAG, GROUP, root).encode()]);
		assert_eq!(one.priority, APPEND_PRIORITY);
		assert_eq!((one.longevity, one.propagate, one.requires.is_empty()), (64, true, true));
	});
}

#[test]
fn candidates_for_different_parents_do_not_exclude_each_other() {
	test(|| {
		let root = create(GROUP, 0);
		let other = create(OTHER_GROUP, 0);
		let here = Commit::new(root, 0, 1).validate().expect("admitted");
		let there = Commit::new(other, 0, 1).in_group(OTHER_GROUP, 0).validate().expect("admitted");
		assert_ne!(here.provides, there.provides);
	});
}

#[test]
fn two_that_passed_the_pool_meet_in_a_block() {
	test(|| {
		let root = create(GROUP, 0);
		let (one, two) = (Commit::new(root, 0, 1), Commit::new(root, 0, 2));
		assert_ok!(one.validate());
		assert_ok!(two.validate());
		assert_ok!(one.append());
		// The block asks again, and so does dispatch, whatever was answered before.
		two.assert_refused(Refusal::Superseded);
	});
}

#[test]
fn a_failed_dispatch_changes_nothing() {
	test(|| {
		let root = create(GROUP, 0);
		let child = Commit::new(root, 0, 1).append().expect("admitted");
		let before = self::root();
		assert_eq!(Commit::new(root, 0, 2).dispatch(), Err(error(Refusal::Superseded)));
		assert_eq!(Commit::new(child, 1, 2).sized(0, 1).dispatch(), Err(error(Refusal::PayloadEmpty)));
		assert_eq!(Commit::new(empty_head(GROUP), 0, 2).dispatch(), Err(error(Refusal::ParentNotOpen)));
		assert_eq!(self::root(), before);
	});
}

#[test]
fn no_fee_is_due() {
	test(|| {
		let root = create(GROUP, 0);
		let info = Commit::new(root, 0, 1).call().get_dispatch_info();
		assert_eq!(info.pays_fee, Pays::No);
		assert!(info.call_weight.ref_time() > 0);
	});
}

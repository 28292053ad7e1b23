//! Who may set which validators.

use crate::{mock::*, ChangeWaits, Error, Event};
use frame_support::{assert_noop, assert_ok, dispatch::GetDispatchInfo};
use frame_system::RawOrigin;
use sp_runtime::DispatchError;

#[test]
fn only_the_set_origin_may() {
	test(|| {
		for origin in [RawOrigin::Signed(1), RawOrigin::None] {
			assert_noop!(Validators::set_validators(origin.into(), vec![4, 5]), DispatchError::BadOrigin);
		}
	});
}

#[test]
fn the_set_is_stored_in_its_order_and_told() {
	test(|| {
		assert_ok!(set(&[5, 2, 4]));
		assert_eq!(crate::Validators::<Test>::get().into_inner(), [5, 2, 4]);
		assert!(ChangeWaits::<Test>::get());
		System::assert_last_event(Event::ValidatorsSet { validators: vec![5, 2, 4] }.into());
	});
}

#[test]
fn the_least_and_the_largest_number_are_allowed() {
	test(|| {
		assert_ok!(set(&WITH_KEYS[..MIN as usize]));
		assert_ok!(set(&WITH_KEYS[..MAX as usize]));
	});
}

#[test]
fn too_few_are_refused() {
	test(|| {
		assert_noop!(set(&[]), Error::<Test>::TooFewValidators);
		assert_noop!(set(&WITH_KEYS[..MIN as usize - 1]), Error::<Test>::TooFewValidators);
	});
}

#[test]
fn too_many_are_refused() {
	test(|| {
		assert_noop!(set(&WITH_KEYS[..MAX as usize + 1]), Error::<Test>::TooManyValidators);
	});
}

#[test]
fn duplicates_are_refused() {
	test(|| {
		assert_noop!(set(&[4, 4]), Error::<Test>::DuplicateValidator);
		assert_noop!(set(&[4, 5, 6, 4]), Error::<Test>::DuplicateValidator);
	});
}

#[test]
fn an_account_without_session_keys_is_refused() {
	test(|| {
		assert_noop!(set(&[1, 2, WITHOUT_KEYS]), Error::<Test>::NoSessionKeys);
		assert_ok!(set_keys(WITHOUT_KEYS, 70));
		assert_ok!(set(&[1, 2, WITHOUT_KEYS]));
	});
}

#[test]
fn there_is_room_for_it_in_a_block_full_of_entries() {
	let call = crate::Call::<Test>::set_validators { validators: vec![1, 2] };
	assert_eq!(call.get_dispatch_info().class, frame_support::dispatch::DispatchClass::Operational);
}

//! When sessions end, and what consensus is told.

use crate::{mock::*, Validators as Wanted};
use frame_support::assert_ok;

#[test]
fn without_a_change_sessions_end_by_their_length_and_nothing_changes() {
	test(|| {
		run_to(3 * SESSION);
		let expected: Vec<_> = (1..=3).map(|n| started(n * SESSION, false, &FIRST)).collect();
		assert_eq!(Sessions::get(), expected);
	});
}

#[test]
fn a_change_is_effective_two_blocks_later_and_told_once() {
	test(|| {
		run_to(3);
		assert_ok!(set(&[4, 2]));
		run_to(SESSION);
		assert_eq!(
			Sessions::get(),
			[started(4, false, &FIRST), started(5, true, &[4, 2]), started(SESSION, false, &[4, 2])]
		);
		assert_eq!(Session::validators(), [4, 2]);
	});
}

#[test]
fn a_change_at_the_end_of_a_session_is_told_once_too() {
	for set_at in [SESSION - 2, SESSION - 1, SESSION] {
		Sessions::set(Vec::new());
		test(|| {
			run_to(set_at);
			assert_ok!(set(&[4, 2]));
			run_to(2 * SESSION);
			let changes: Vec<_> = Sessions::get().into_iter().filter(|session| session.changed).collect();
			assert_eq!(changes, [started(set_at + 2, true, &[4, 2])]);
		});
	}
}

#[test]
fn of_two_changes_in_a_block_the_last_one_counts() {
	test(|| {
		assert_ok!(set(&[4, 2]));
		assert_ok!(set(&[5, 6]));
		run_to(SESSION - 1);
		assert_eq!(Sessions::get(), [started(2, false, &FIRST), started(3, true, &[5, 6])]);
	});
}

#[test]
fn a_change_while_another_is_planned_follows_it() {
	test(|| {
		assert_ok!(set(&[4, 2]));
		run_to(2);
		assert_ok!(set(&[5, 6]));
		run_to(SESSION - 1);
		assert_eq!(Sessions::get(), [started(2, false, &FIRST), started(3, true, &[4, 2]), started(4, true, &[5, 6])]);
	});
}

#[test]
fn a_change_that_is_taken_back_while_it_is_planned_is_undone() {
	test(|| {
		assert_ok!(set(&[4, 2]));
		run_to(2);
		assert_ok!(set(&FIRST));
		run_to(SESSION - 1);
		assert_eq!(Sessions::get(), [started(2, false, &FIRST), started(3, true, &[4, 2]), started(4, true, &FIRST)]);
	});
}

#[test]
fn setting_the_active_validators_changes_nothing() {
	test(|| {
		assert_ok!(set(&FIRST));
		run_to(3);
		// there and back in one block
		assert_ok!(set(&[4, 2]));
		assert_ok!(set(&FIRST));
		run_to(SESSION - 1);
		assert_eq!(Sessions::get(), [started(2, false, &FIRST), started(4, false, &FIRST)]);
	});
}

#[test]
fn another_order_is_a_change() {
	test(|| {
		assert_ok!(set(&[3, 2, 1]));
		run_to(SESSION - 1);
		assert_eq!(Sessions::get(), [started(2, false, &FIRST), started(3, true, &[3, 2, 1])]);
	});
}

#[test]
fn new_keys_come_into_use_when_the_session_ends() {
	test(|| {
		run_to(3);
		assert_ok!(set_keys(2, 20));
		run_to(3 * SESSION);
		assert_eq!(
			Sessions::get(),
			[
				started(SESSION, false, &FIRST),
				started(SESSION + 1, true, &[1, 20, 3]),
				started(2 * SESSION, false, &[1, 20, 3]),
				started(3 * SESSION, false, &[1, 20, 3]),
			]
		);
	});
}

#[test]
fn a_change_takes_new_keys_with_it() {
	test(|| {
		assert_ok!(set_keys(2, 20));
		assert_ok!(set_keys(4, 40));
		assert_ok!(set(&[4, 2]));
		run_to(SESSION);
		assert_eq!(
			Sessions::get(),
			[started(2, false, &FIRST), started(3, true, &[40, 20]), started(SESSION, false, &[40, 20])]
		);
	});
}

#[test]
fn who_removes_its_keys_before_the_change_is_left_out_of_it() {
	new_test_ext().execute_with(|| {
		assert_ok!(set(&[4, 5, 6]));
		purge_keys(5);
		assert_eq!(Validators::check_state(), Err("a validator has no session keys"));
		run_to(SESSION - 1);
		assert_eq!(Sessions::get(), [started(2, false, &FIRST), started(3, true, &[4, 6])]);
	});
}

#[test]
fn a_change_to_too_few_with_keys_does_not_happen() {
	new_test_ext().execute_with(|| {
		assert_ok!(set(&[5, 6]));
		purge_keys(5);
		run_to(SESSION);
		assert_eq!(Sessions::get(), [started(2, false, &FIRST), started(SESSION, false, &FIRST)]);
		// the next one does
		assert_ok!(set(&[4, 6]));
		run_to(SESSION + 2);
		assert_eq!(Sessions::get().last(), Some(&started(SESSION + 2, true, &[4, 6])));
		assert_eq!(Wanted::<Test>::get().into_inner(), [4, 6]);
		Validators::check_state().expect("the state is consistent");
	});
}

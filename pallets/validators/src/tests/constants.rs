//! Which constants a runtime may have.

use crate::mock::*;
use frame_support::traits::Hooks;

#[test]
fn the_constants_fit_together() {
	Validators::integrity_test();
}

#[test]
#[should_panic(expected = "MinValidators must be at least 1")]
fn there_is_at_least_one_validator() {
	MinValidators::set(0);
	Validators::integrity_test();
}

#[test]
#[should_panic(expected = "MinValidators must not be more than MaxValidators")]
fn the_least_number_is_not_above_the_largest() {
	MinValidators::set(MAX + 1);
	Validators::integrity_test();
}

#[test]
#[should_panic(expected = "SessionLength must leave blocks between rotations")]
fn rotations_leave_room_for_other_blocks() {
	SessionLength::set(2);
	Validators::integrity_test();
}

//! What a genesis may say.

use crate::mock::*;
use frame_support::traits::{GetStorageVersion, StorageVersion};

#[test]
fn the_first_session_has_the_validators_of_the_genesis() {
	test(|| {
		assert_eq!(Validators::on_chain_storage_version(), StorageVersion::new(1));
		assert_eq!(crate::Validators::<Test>::get().into_inner(), FIRST);
		assert!(!crate::ChangeWaits::<Test>::get());
		assert_eq!(Session::validators(), FIRST);
		assert_eq!(Session::queued_keys().iter().map(|(account, _)| *account).collect::<Vec<_>>(), FIRST);
	});
}

#[test]
fn a_genesis_may_leave_the_validators_to_the_session() {
	ext(&genesis(&[])).execute_with(|| {
		assert!(crate::Validators::<Test>::get().is_empty());
		assert_eq!(Session::validators(), WITH_KEYS);
		Validators::check_state().expect("the state is consistent");
	});
}

#[test]
#[should_panic(expected = "not admissible: TooFewValidators")]
fn a_genesis_has_enough_validators() {
	ext(&genesis(&[1]));
}

#[test]
#[should_panic(expected = "not admissible: TooManyValidators")]
fn a_genesis_does_not_have_too_many_validators() {
	ext(&genesis(&[1, 2, 3, 4, 5]));
}

#[test]
#[should_panic(expected = "not admissible: DuplicateValidator")]
fn a_genesis_names_no_validator_twice() {
	ext(&genesis(&[1, 2, 1]));
}

#[test]
#[should_panic(expected = "a validator of this genesis has no session keys")]
fn every_validator_of_a_genesis_has_keys() {
	ext(&genesis(&[1, 2, WITHOUT_KEYS]));
}

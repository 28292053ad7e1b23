//! Counters at their end: what has no place any more is refused by name, and changes nothing.

use crate::{mock::*, Identities};
use codec::Encode;
use frame_support::assert_ok;
use lockstep_primitives::{
	identity::{Action, IdentityRefusal as Refusal, IdentityState},
	IdentityId,
};

/// A person with the device 1, as it would be after a long time.
fn late(change: impl FnOnce(&mut IdentityState)) -> IdentityId {
	let first = inception(1, 101, &[201]);
	assert_ok!(register(&first));
	let id = first.event.identity;
	Identities::<Test>::mutate(id, |record| change(&mut record.as_mut().expect("it is registered").state));
	id
}

/// A recovery that overrides nothing, in the log of this length.
fn recovered(length: u64) -> Action {
	Action::Recover { rank: 0, from: length, revoked: revoked(&[]), device: device(3, 103), recovery: recovery(&[203]) }
}

#[test]
fn a_log_takes_its_last_event_and_none_after_it() {
	test(|| {
		let id = late(|state| state.head.length = u64::MAX - 1);
		assert_eq!(record(&next(id, 1, Action::SetOperator(None), None)), Ok(()));
		assert_eq!(state(id).head.length, u64::MAX);
		let events = [
			(1, Action::SetOperator(None), None),
			(1, Action::AddDevice(device(2, 102)), Some(2)),
			(101, Action::Rotate { replaces: key(1), next: key(301).commitment() }, None),
			(101, Action::Close, None),
			(201, recovered(u64::MAX), Some(3)),
		];
		for (author, action, accepting) in events {
			assert_refused(&next(id, author, action, accepting), Refusal::LogFull);
		}
	});
}

#[test]
fn the_last_number_of_a_device_is_given_once() {
	test(|| {
		let id = late(|state| state.next_number = u32::MAX - 1);
		let numbers = || state(id).devices.iter().map(|device| device.number).collect::<Vec<_>>();
		assert_eq!(record(&next(id, 1, Action::AddDevice(device(2, 102)), Some(2))), Ok(()));
		assert_eq!((numbers(), state(id).next_number), (vec![0, u32::MAX - 1], u32::MAX));
		assert_refused(&next(id, 1, Action::AddDevice(device(3, 103)), Some(3)), Refusal::TooMany);
		assert_refused(&next(id, 201, recovered(2), Some(3)), Refusal::TooMany);
		// A rotation takes no new one.
		let rotated = Action::Rotate { replaces: key(2), next: key(202).commitment() };
		assert_eq!(record(&next(id, 102, rotated, None)), Ok(()));
		assert_eq!((numbers(), state(id).next_number), (vec![0, u32::MAX - 1], u32::MAX));
	});
}

/// How many identities there are is told to whoever asks, and decides nothing. The count is wrong here, so the state is not
/// checked.
#[test]
fn the_count_of_identities_stops_and_they_do_not() {
	new_test_ext().execute_with(|| {
		sp_io::storage::set(&Identities::<Test>::counter_storage_final_key(), &u32::MAX.encode());
		assert_eq!(Directory::identity_count(), u32::MAX);
		let first = inception(1, 101, &[201]);
		assert_ok!(register(&first));
		assert_eq!(Directory::identity_count(), u32::MAX);
		assert_eq!(record(&next(first.event.identity, 1, Action::SetOperator(None), None)), Ok(()));
	});
}

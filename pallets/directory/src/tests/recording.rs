//! `record`: what is recorded, what the pool is told, and what is refused. The rules themselves have their attacks in
//! `lockstep_primitives`; here is what the chain adds.

use crate::{mock::*, recording::EVENT_PRIORITY, Event as Happened};
use codec::Encode;
use frame_support::{assert_noop, assert_ok, traits::Hooks};
use lockstep_primitives::{
	identity::{Action, IdentityRefusal as Refusal},
	IdentityId, OperatorId,
};
use sp_runtime::{traits::Dispatchable, DispatchError};

fn registered() -> IdentityId {
	let first = inception(1, 101, &[201, 202]);
	assert_ok!(register(&first));
	first.event.identity
}

/// What this pallet has emitted in this block.
fn happened() -> Vec<Happened<Test>> {
	let all = System::events().into_iter();
	all.filter_map(|record| match record.event {
		RuntimeEvent::Directory(event) => Some(event),
		_ => None,
	})
	.collect()
}

#[test]
fn events_are_recorded_and_announced() {
	test(|| {
		let id = registered();
		let added = next(id, 1, Action::AddDevice(device(2, 102)), Some(2));
		assert_eq!(record(&added), Ok(()));
		let entry = state(id).head.hash;
		System::assert_has_event(Happened::EventRecorded { identity: id, index: 1, entry }.into());
		System::assert_has_event(Happened::DeviceAdded { identity: id, key: key(2) }.into());
		assert_eq!(record(&next(id, 1, Action::RevokeDevice(key(2)), None)), Ok(()));
		System::assert_has_event(Happened::DeviceRevoked { identity: id, key: key(2) }.into());
		let recovered = Action::Recover {
			rank: 0,
			from: 1,
			revoked: revoked(&[]),
			device: device(3, 103),
			recovery: recovery(&[203]),
		};
		assert_eq!(record(&next(id, 201, recovered, Some(3))), Ok(()));
		System::assert_has_event(Happened::EventsOverridden { identity: id, from: 1, by: 3 }.into());
		assert_eq!(state(id).head.length, 4);
	});
}

/// Whoever hears of it knows by the key that goes which device it is, and by the one that comes what it has now.
#[test]
fn a_rotation_announces_the_key_that_goes_and_the_one_that_comes() {
	test(|| {
		let identity = registered();
		assert_eq!(record(&next(identity, 1, Action::AddDevice(device(2, 102)), Some(2))), Ok(()));
		skip(1);
		let action = Action::Rotate { replaces: key(2), next: key(202).commitment() };
		assert_eq!(record(&next(identity, 102, action, None)), Ok(()));
		let entry = state(identity).head.hash;
		let expected: [Happened<Test>; 3] = [
			Happened::EventRecorded { identity, index: 2, entry },
			Happened::DeviceRevoked { identity, key: key(2) },
			Happened::DeviceAdded { identity, key: key(102) },
		];
		assert_eq!(happened(), expected);
		// One that is refused is announced to nobody.
		let again = Action::Rotate { replaces: key(102), next: key(302).commitment() };
		assert_refused(&next(identity, 102, again, None), Refusal::NotAuthorised);
		assert_eq!(happened(), expected);
	});
}

#[test]
fn an_event_is_refused_alike_by_pool_block_and_dispatch() {
	test(|| {
		let id = registered();
		let good = next(id, 1, Action::AddDevice(device(2, 102)), Some(2));
		let with = |change: fn(&mut lockstep_primitives::identity::SignedEvent)| {
			let mut changed = good.clone();
			change(&mut changed);
			changed
		};
		assert_refused(&with(|signed| signed.event.identity.0[0] ^= 1), Refusal::UnknownIdentity);
		assert_refused(&with(|signed| signed.event.index += 1), Refusal::BadSequence);
		assert_refused(&with(|signed| signed.event.previous.0[0] ^= 1), Refusal::BadPrevious);
		assert_refused(&with(|signed| signed.event.author.0[0] ^= 1), Refusal::NotAuthorised);
		assert_refused(&with(|signed| signed.signature.0[0] ^= 1), Refusal::BadSignature);
		assert_refused(&with(|signed| signed.acceptance = None), Refusal::BadAcceptance);
		assert_eq!(record(&good), Ok(()));
		assert_refused(&good, Refusal::BadSequence);
	});
}

#[test]
fn of_two_events_for_one_position_in_one_block_the_first_counts() {
	test(|| {
		let id = registered();
		let one = next(id, 1, Action::SetOperator(Some(OperatorId([1; 32]))), None);
		let other = next(id, 1, Action::SetOperator(Some(OperatorId([2; 32]))), None);
		let (first, second) = (validate(&one).expect("it is good"), validate(&other).expect("it is good"));
		assert_eq!(first.provides, second.provides, "the pool holds one of them");
		assert_eq!((first.priority, first.propagate, first.longevity), (EVENT_PRIORITY, true, 64));
		assert_eq!(record(&one), Ok(()));
		assert_refused(&other, Refusal::BadSequence);
		assert_eq!(state(id).operator, Some(OperatorId([1; 32])));
	});
}

#[test]
fn a_recovery_goes_before_what_a_thief_posts() {
	test(|| {
		let id = registered();
		let recovered =
			|rank, recovery| Action::Recover { rank, from: 1, revoked: revoked(&[]), device: device(3, 103), recovery };
		let thief = validate(&next(id, 1, Action::SetOperator(None), None)).expect("it is good");
		let lower = validate(&next(id, 202, recovered(1, recovery(&[203])), Some(3))).expect("it is good");
		let higher = validate(&next(id, 201, recovered(0, recovery(&[203])), Some(3))).expect("it is good");
		assert!(thief.priority < lower.priority && lower.priority < higher.priority);
		assert_eq!(thief.provides, higher.provides, "it takes its place in the pool");
	});
}

#[test]
fn nobody_records_without_authorisation() {
	test(|| {
		let id = registered();
		let event = next(id, 1, Action::SetOperator(None), None);
		for origin in [RuntimeOrigin::none(), RuntimeOrigin::root(), RuntimeOrigin::signed(SPONSOR)] {
			let dispatched = call(&event).dispatch(origin).map(|_| ()).map_err(|error| error.error);
			assert_eq!(dispatched, Err(DispatchError::BadOrigin));
		}
		assert_noop!(Directory::record(RuntimeOrigin::signed(SPONSOR), event), DispatchError::BadOrigin);
	});
}

#[test]
fn whoever_proves_one_key_of_the_state_has_the_identity() {
	test(|| {
		let id = registered();
		let stored = crate::Identities::<Test>::get(id).expect("it is there").encode();
		assert!(stored.starts_with(&state(id).encode()), "the value starts with what clients read");
	});
}

#[test]
fn a_block_hands_out_its_events_whole_and_no_others() {
	test(|| {
		let first = inception(1, 101, &[201]);
		assert_ok!(register(&first));
		let added = next(first.event.identity, 1, Action::AddDevice(device(2, 102)), Some(2));
		assert_eq!(record(&added), Ok(()));
		assert!(record(&added).is_err());
		assert_eq!(Directory::block_events(), [first, added]);
		skip(1);
		Directory::on_initialize(now());
		assert_eq!(Directory::block_events(), []);
	});
}

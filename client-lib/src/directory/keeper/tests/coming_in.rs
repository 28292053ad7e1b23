//! A device comes in with its stock.

use super::*;

/// Has the device come in from where this begins. Wherever the process dies: it comes in, with one stock; there are private keys of all
/// that was made for it, `made`, and a keeper goes on from there.
fn comes_in_wherever_the_process_dies(begin: impl Fn(&Shared), made: usize, check: impl Fn(&World, Dies)) {
	let mut died = 0;
	for call in 0..20 {
		for dies in DIES {
			let shared = Shared::new();
			shared.world().is_device = false;
			begin(&shared);
			shared.world().dies_in = Some((call, dies));
			if shared.come_in().is_none() {
				died += 1;
				check(&shared.world(), dies);
				shared.restart();
				shared.come_in().unwrap();
			}
			shared.world().dies_in = None;
			assert!(shared.world().is_device, "call {call}, {dies:?}");
			let stock = shared.world().stock.unwrap();
			assert_eq!((stock.number, stock.left()), (1, 4), "call {call}, {dies:?}");
			assert_eq!((shared.keys(), shared.published()), (made, 1), "call {call}, {dies:?}");
			assert_eq!(shared.keep().unwrap(), [], "call {call}, {dies:?}");
		}
	}
	assert!(died >= 18, "{died}");
}

/// What is to be published was made, both were sent, and nothing has come of it.
fn begin_to_come_in(shared: &Shared) {
	shared.world().refusals = vec![None];
	let begun = shared.try_to_come_in(Some(&event())).unwrap();
	assert!(matches!(begun, Err(LookError::Directory(DirectoryError::NotFinal { .. }))), "{begun:?}");
	assert_eq!((shared.keys(), shared.published()), (5, 0));
}

#[test]
fn a_device_comes_in_with_its_stock_wherever_the_process_dies() {
	let alone = std::cell::Cell::new(0);
	comes_in_wherever_the_process_dies(
		|_| (),
		5,
		|world, dies| {
			let is_alone = world.is_device && world.stock.is_none();
			alone.set(alone.get() + usize::from(is_alone));
			assert!(dies == Dies::Halfway || !is_alone, "{dies:?}");
			assert_eq!(world.recorded_alone, 0, "{dies:?}");
		},
	);
	assert!(alone.get() > 0, "the event came alone");
}

#[test]
fn a_device_whose_event_came_alone_gets_its_stock_wherever_the_process_dies() {
	let begin = |shared: &Shared| {
		begin_to_come_in(shared);
		shared.world().is_device = true;
	};
	comes_in_wherever_the_process_dies(begin, 5, |_, _| ());
}

/// A thief of the key of before has seen both. No private key of what was refused goes: it may still be published.
#[test]
fn a_device_comes_in_though_the_chain_refuses_its_stock_wherever_the_process_dies() {
	let begin = |shared: &Shared| {
		begin_to_come_in(shared);
		shared.copy_an_init_key();
	};
	comes_in_wherever_the_process_dies(begin, 10, |_, _| ());
	let shared = Shared::new();
	shared.world().is_device = false;
	begin(&shared);
	shared.come_in().unwrap();
	assert_eq!(shared.world().recorded_alone, 1);
}

#[test]
fn a_device_whose_event_came_alone_gets_another_stock_than_the_chain_refuses_wherever_the_process_dies() {
	let begin = |shared: &Shared| {
		begin_to_come_in(shared);
		shared.copy_an_init_key();
		shared.world().is_device = true;
	};
	comes_in_wherever_the_process_dies(begin, 10, |_, _| ());
	// The event comes between the look into the log and the submission.
	let shared = Shared::new();
	begin(&shared);
	let came_in = shared.try_to_come_in(Some(&event())).unwrap();
	assert_eq!(came_in.unwrap().left(), 4);
	assert_eq!((shared.keys(), shared.published()), (10, 1));
	// A keeper finds the same.
	let shared = Shared::new();
	begin(&shared);
	let refused = shared.look();
	assert!(is_refused(&refused, Refusal::InitKeyUsed), "{refused:?}");
	shared.keep().unwrap();
	assert_eq!((shared.keys(), shared.published()), (10, 1));
}

/// Whatever it is: the event is recorded by the next call.
#[test]
fn an_event_does_not_wait_for_what_comes_with_it() {
	for refusal in [Refusal::InitKeyUsed, Refusal::BadSequence, Refusal::BadLapse, Refusal::Full, Refusal::TooSoon] {
		let shared = Shared::new();
		shared.world().is_device = false;
		shared.world().refusals = vec![Some(refusal); 2];
		let begun = shared.try_to_come_in(Some(&event())).unwrap();
		assert!(shared.world().is_device && shared.world().recorded_alone == 1, "{refusal:?}, {begun:?}");
		if let Err(error) = begun {
			assert!(matches!(error, LookError::Directory(DirectoryError::NotPublished(_))), "{refusal:?}: {error:?}");
			assert_eq!(shared.come_in().unwrap().left(), 4, "{refusal:?}");
		}
		assert_eq!(shared.published(), 1, "{refusal:?}");
	}
}

/// The log was read before the event was in it, or at a node that is behind.
#[test]
fn to_come_in_again_makes_nothing() {
	let shared = Shared::new();
	shared.world().is_device = false;
	let stock = shared.come_in().unwrap();
	assert_eq!(shared.try_to_come_in(Some(&event())).unwrap().unwrap(), stock);
	assert_eq!((shared.keys(), shared.published(), shared.draft_there()), (5, 1, None));
	shared.world().stock = None;
	for event in [None, Some(event())] {
		let behind = shared.try_to_come_in(event.as_ref()).unwrap();
		assert!(matches!(behind, Err(LookError::Behind)), "{behind:?}");
	}
	assert_eq!((shared.keys(), shared.draft_there()), (5, None));
	shared.world().stock = Some(stock);
	assert_eq!(shared.keep().unwrap(), []);
}

/// Whoever has seen both can have the event recorded alone.
#[test]
fn what_comes_with_an_event_is_published_after_it_if_that_came_alone() {
	let shared = Shared::new();
	shared.world().is_device = false;
	begin_to_come_in(&shared);
	shared.world().is_device = true;
	assert_eq!(shared.come_in().unwrap().left(), 4);
	assert_eq!((shared.keys(), shared.published()), (5, 1));
	// Once more: nothing happens.
	assert_eq!(shared.come_in().unwrap().number, 1);
	assert_eq!((shared.keys(), shared.published()), (5, 1));
}

#[test]
fn what_was_made_for_a_device_that_did_not_come_in_is_made_anew_when_it_has_lapsed() {
	let shared = Shared::new();
	shared.world().is_device = false;
	let lapse = 10_000 + KEEPING.life;
	for (block, made_for) in [(10_000, lapse), (lapse - 1, lapse), (lapse, lapse + KEEPING.life)] {
		shared.world().block = block;
		shared.world().refusals = vec![None];
		drop(shared.looker().0.come_in(Some(&event())).now_or_never().unwrap().unwrap_err());
		let draft = shared.recall(device().key()).now_or_never().unwrap().unwrap().draft.unwrap();
		assert_eq!((draft.publication.lapse, shared.keys()), (made_for, 5), "block {block}");
	}
	shared.come_in().unwrap();
	assert_eq!((shared.keys(), shared.world().published[&0].lapse), (5, lapse + KEEPING.life));
}

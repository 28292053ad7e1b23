//! What the chain refuses, or does not answer, and what becomes of it.

use super::*;

/// A keeper makes what is due, and nothing comes of it yet.
fn begin_at_a_keeper(shared: &Shared) {
	shared.world().refusals = vec![None];
	let begun = shared.look();
	assert!(matches!(begun, Err(LookError::Directory(DirectoryError::NotFinal { .. }))), "{begun:?}");
}

/// Two have published the same; the slower one takes note of it when something else is on its way.
#[test]
fn what_became_of_one_publication_is_not_taken_for_that_of_the_next() {
	let shared = Shared::new();
	begin_at_a_keeper(&shared);
	let first = shared.draft_there().unwrap();
	shared.keep().unwrap();
	shared.world().claim();
	shared.world().claim();
	begin_at_a_keeper(&shared);
	let second = shared.draft_there().unwrap();
	assert_eq!((first.publication.number, second.publication.number), (0, 1));
	for settled in [Settled::Published(10_000), Settled::Never, Settled::Unknown, Settled::Abandoned] {
		let before = shared.recall(device().key()).now_or_never().unwrap().unwrap();
		shared.settle(&first, settled).now_or_never().unwrap().unwrap();
		let after = shared.recall(device().key()).now_or_never().unwrap().unwrap();
		assert_eq!((after.shelf, after.draft.as_ref()), (before.shelf, Some(&second)), "{settled:?}");
	}
	// Nor if it has the same number.
	shared.settle(&second, Settled::Abandoned).now_or_never().unwrap().unwrap();
	begin_at_a_keeper(&shared);
	let third = shared.draft_there().unwrap();
	assert_eq!(third.publication.number, second.publication.number);
	shared.settle(&second, Settled::Published(10_000)).now_or_never().unwrap().unwrap();
	assert_eq!(shared.draft_there(), Some(third));
	shared.keep().unwrap();
	assert_eq!((shared.published(), shared.world().stock.unwrap().left()), (2, 4));
}

/// A thief of the key of another device of the person sees a refill on its way.
#[test]
fn a_stock_is_refilled_though_somebody_has_published_an_init_key_of_it() {
	let shared = Shared::new();
	shared.keep().unwrap();
	shared.world().claim();
	shared.world().claim();
	begin_at_a_keeper(&shared);
	assert_eq!(shared.keys(), 7);
	shared.copy_an_init_key();
	let refused = shared.look();
	assert!(is_refused(&refused, Refusal::InitKeyUsed), "{refused:?}");
	shared.keep().unwrap();
	assert_eq!((shared.published(), shared.world().stock.unwrap().left()), (2, 4));
	assert_eq!(shared.keys(), 9, "those of what was refused are kept");
}

/// The thief does it each time. So the store does not fill, and the device is held up for a day at most, not until all has lapsed.
#[test]
fn after_a_few_refusals_because_of_an_init_key_one_more_is_made_each_day() {
	let shared = Shared::new();
	let (mut looker, _told) = shared.looker();
	looker.keeping.life = 1_000_000;
	shared.world().refusals = vec![Some(Refusal::InitKeyUsed); 100];
	let look = |block, keys| {
		shared.world().block = block;
		for _ in 0..9 {
			let refused = looker.look().now_or_never().unwrap();
			assert!(is_refused(&refused, Refusal::InitKeyUsed), "{block}: {refused:?}");
		}
		assert_eq!(shared.keys(), keys, "{block}");
	};
	look(10_000, 20);
	look(10_000 + 86_399, 20);
	look(10_000 + 86_400, 25);
	look(10_000 + 2 * 86_400 - 1, 25);
	look(10_000 + 2 * 86_400, 30);
}

#[test]
fn however_often_it_fails_nothing_more_is_made() {
	let shared = Shared::new();
	shared.world().refusals = vec![None; 20];
	for _ in 0..20 {
		assert!(matches!(shared.look(), Err(LookError::Directory(DirectoryError::NotFinal { .. }))));
		assert_eq!(shared.keys(), 5);
	}
	shared.keep().unwrap();
	assert_eq!((shared.keys(), shared.published()), (5, 1));
}

/// It was published, and is forgotten between the two looks at it: then it looks like something else with its number.
#[test]
fn what_lapses_while_it_is_looked_for_may_have_been_published_and_keeps_its_keys() {
	for (after, keys) in [(0, 0), (1, 5)] {
		let shared = Shared::new();
		begin_at_a_keeper(&shared);
		let publication = shared.draft_there().unwrap().publication;
		let lapse = publication.lapse;
		let signature = device().sign(&publication.signing_payload(&GENESIS));
		shared.world().publish(&SignedPublication { publication, signature }).unwrap();
		shared.world().refusals = vec![Some(Refusal::BadSequence)];
		shared.world().block = lapse;
		shared.world().moves_to = Some(lapse + after);
		assert_eq!(shared.look().unwrap(), Looked::Settled);
		assert_eq!((shared.draft_there(), shared.keys()), (None, keys), "{after} blocks after the last one");
	}
}

#[test]
fn what_came_too_late_is_made_anew_and_its_keys_go() {
	let shared = Shared::new();
	shared.world().refusals = vec![None];
	shared.look().unwrap_err();
	// Somebody else with the device's key publishes with its number.
	let other = Shared::new();
	other.keep().unwrap();
	let publication = other.world().published[&0].clone();
	let signature = device().sign(&publication.signing_payload(&GENESIS));
	shared.world().publish(&SignedPublication { publication, signature }).unwrap();
	let told = shared.keep().unwrap();
	assert_eq!(told[..2], [KeeperEvent::Superseded { number: 0 }, KeeperEvent::Due { why: vec![Why::NotOurs] }]);
	let world = shared.world();
	let mine: Vec<_> = world.published[&1].all().map(|bytes| bytes.to_vec()).collect();
	assert!(world.packages.values().chain(&world.last_resort).all(|bytes| mine.contains(bytes)));
	assert_eq!(world.keys(), 5, "of those that nobody can claim there are none");
}

#[test]
fn what_the_chain_takes_no_more_is_given_up_a_few_times_and_may_still_come() {
	let shared = Shared::new();
	shared.world().refusals = vec![Some(Refusal::LastResortDue); 9];
	(0..9).for_each(|_| drop(shared.look().unwrap_err()));
	let keys = shared.keys();
	assert_eq!(keys, 20, "three were given up, and their keys kept");
	shared.keep().unwrap();
	assert_eq!((shared.keys(), shared.published()), (keys, 1));
}

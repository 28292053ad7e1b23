//! How long there are private keys, and what happens without them.

use super::*;

#[test]
fn a_store_without_the_keys_replaces_what_is_there() {
	let shared = Shared::new();
	shared.keep().unwrap();
	shared.world().disk = MemoryDisk::new();
	shared.restart();
	assert_eq!(shared.keys(), 0);
	shared.keep().unwrap();
	let world = shared.world();
	assert!(world.published[&1].replace);
	assert_eq!((world.stock.unwrap().left(), world.keys()), (4, 5));
}

#[test]
fn private_keys_are_kept_as_long_as_they_can_be_of_use_and_no_longer() {
	let shared = Shared::new();
	shared.keep().unwrap();
	let mut world = shared.world();
	let lapse = world.published[&0].lapse;
	world.pass(lapse + GRACE);
	assert_eq!(world.keys(), 5);
	world.pass(lapse + GRACE + 1);
	assert_eq!((world.keys(), world.client.as_ref().unwrap().awaited().len()), (0, 0));
}

#[test]
fn private_keys_are_deleted_in_time_by_whoever_was_away() {
	let shared = Shared::new();
	shared.keep().unwrap();
	let lapse = shared.world().published[&0].lapse;
	shared.restart();
	shared.world().pass(lapse + GRACE);
	assert_eq!(shared.keys(), 5);
	shared.restart();
	shared.world().pass(lapse + GRACE + 1);
	assert_eq!(shared.keys(), 0);
}

/// Of a last resort that was replaced there are keys for those who have it; nobody else can get it.
#[test]
fn a_last_resort_stays_for_those_who_have_claimed_it() {
	let shared = Shared::new();
	shared.keep().unwrap();
	for _ in 0..5 {
		shared.world().claim();
	}
	shared.world().pass(10_100);
	assert_eq!(shared.keys(), 5);
	shared.keep().unwrap();
	assert_eq!(shared.keys(), 10);
	let mut world = shared.world();
	world.pass(10_100 + GRACE);
	assert_eq!(world.keys(), 10);
	world.pass(10_100 + GRACE + 1);
	assert_eq!(world.keys(), 9, "the one that was replaced");
	world.pass(10_000 + KEEPING.life + GRACE + 1);
	assert_eq!(world.keys(), 5, "those that were published with it");
}

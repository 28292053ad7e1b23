//! What is published and told of, and when nothing is.

use super::*;

#[test]
fn a_stock_is_published_and_refilled_and_told_of() {
	let shared = Shared::new();
	let published =
		|number, packages, last_resort| KeeperEvent::Published { number, packages, last_resort, replaced: false };
	let due = |why: &[Why]| KeeperEvent::Due { why: why.to_vec() };
	assert_eq!(shared.keep().unwrap(), [due(&[Why::Few, Why::NoLastResort]), published(0, 4, true)]);
	assert_eq!(shared.keys(), 5);
	assert_eq!(shared.keep().unwrap(), []);
	assert!(!shared.world().claim());
	let gone = |claimed| KeeperEvent::Stock(StockNews::Gone { claimed, claimed_or_lapsed: 0 });
	assert_eq!(shared.keep().unwrap(), [gone(1)]);
	// While no keeper runs, all are claimed, and the last resort.
	assert!((0..4).any(|_| shared.world().claim()));
	shared.restart();
	let news = [
		gone(3),
		KeeperEvent::Stock(StockNews::Low { left: 0 }),
		KeeperEvent::Stock(StockNews::LastResortUsed { since: 10_000 }),
		due(&[Why::Few, Why::LastResortUsed]),
		published(1, 4, true),
	];
	assert_eq!(shared.keep().unwrap(), news);
	assert_eq!(shared.world().stock.unwrap().must_replace, None);
}

/// What is to replace a stock that lapses soon was stored, and no node took it: what others claim meanwhile is told before it goes.
#[test]
fn what_is_claimed_while_a_publication_waits_is_told() {
	let shared = Shared::new();
	shared.keep().unwrap();
	shared.world().block = 10_950;
	shared.world().refusals = vec![None];
	assert!(matches!(shared.look(), Err(LookError::Directory(DirectoryError::NotFinal { .. }))));
	shared.restart();
	for _ in 0..5 {
		shared.world().claim();
	}
	let told = [
		KeeperEvent::Stock(StockNews::Gone { claimed: 4, claimed_or_lapsed: 0 }),
		KeeperEvent::Stock(StockNews::Low { left: 0 }),
		KeeperEvent::Stock(StockNews::LastResortUsed { since: 10_950 }),
		KeeperEvent::Published { number: 1, packages: 4, last_resort: true, replaced: true },
	];
	assert_eq!(shared.keep().unwrap(), told);
	assert_eq!(shared.keep().unwrap(), []);
}

/// Wherever the process dies: what is published is published once, all of it can be joined by, and there are no private keys of
/// anything else.
#[test]
fn a_crash_anywhere_makes_nothing_twice_and_loses_no_key() {
	let mut died = 0;
	for call in 0..20 {
		for dies in [Dies::Before, Dies::After] {
			let shared = Shared::new();
			shared.world().dies_in = Some((call, dies));
			if shared.keep().is_none() {
				died += 1;
				shared.restart();
				shared.keep().unwrap();
			}
			let world = shared.world();
			let stock = world.stock.unwrap();
			assert_eq!((stock.number, stock.left(), world.published.len()), (1, 4, 1), "call {call}, {dies:?}");
			assert_eq!(world.keys(), 5, "call {call}, {dies:?}");
		}
	}
	assert!(died >= 14, "{died}");
}

#[test]
fn a_device_without_a_place_keeps_nothing() {
	let shared = Shared::new();
	shared.world().is_device = false;
	let stopped = |shared: &Shared| matches!(shared.look(), Err(LookError::Stopped(KeeperStopped::NotADevice { .. })));
	assert!(stopped(&shared));
	assert_eq!(shared.keys(), 0, "nothing was made");
	shared.world().is_device = true;
	shared.keep().unwrap();
	// It is revoked, and what the chain knew of it is cleared away.
	shared.world().is_device = false;
	shared.world().stock = None;
	assert!(stopped(&shared));
}

#[test]
fn a_node_that_is_behind_has_nothing_published_again() {
	let shared = Shared::new();
	shared.keep().unwrap();
	let stock = shared.world().stock.take();
	assert!(matches!(shared.look(), Err(LookError::Behind)));
	shared.world().stock = stock;
	assert_eq!(shared.keep().unwrap(), []);
}

#[test]
fn a_client_of_another_identity_keeps_nothing() {
	let shared = Shared::new();
	let (mut looker, _) = shared.looker();
	looker.identity = IdentityId([6; 32]);
	let looked = looker.look().now_or_never().unwrap();
	let other = KeeperStopped::Client(StockError::OtherIdentity(IdentityId([6; 32])));
	assert!(matches!(looked, Err(LookError::Stopped(stopped)) if stopped == other));
}

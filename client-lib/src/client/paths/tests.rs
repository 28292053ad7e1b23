use super::{Moment, Paths, AGAIN, LOOK, REST, TURN};
use crate::{
	client::world::{World, ANNA, BERT},
	mls::{GroupChange, Intent, LongPath},
	Ended, Event, IntentState, Upkeep, WaitingFor,
};
use lockstep_primitives::{rpc::HexBytes, BlockNumber};
use std::collections::BTreeSet;

/// By then all have looked, and those whose turn it is have renewed their keys, though they get into each other's way.
const SOON: BlockNumber = TURN - 1;

/// Anna and Bert, who renew nothing, and eight who come at once, with four branches of two; gives who these are.
fn filled(longest_path: u32) -> (World, Vec<usize>) {
	filled_with(Upkeep { longest_path, ..Upkeep::default() })
}

fn filled_with(upkeep: Upkeep) -> (World, Vec<usize>) {
	const NAMES: [&str; 8] = ["carl", "dora", "emil", "fritz", "gerd", "hans", "ida", "jule"];
	let mut world = World::new();
	world.upkeep = upkeep;
	let come: Vec<usize> = NAMES.iter().map(|name| world.meet(name)).collect();
	let packages = come.iter().map(|at| HexBytes(world.client(*at).key_package().unwrap())).collect();
	let group = world.group;
	world.client(ANNA).enqueue(&group, Intent::Add(packages)).unwrap();
	world.until("all", |world| come.iter().all(|at| world.joined(*at) == 1));
	(world, come)
}

/// How many epochs come in so many blocks.
fn epochs(world: &mut World, blocks: BlockNumber) -> u64 {
	let before = epoch(world, ANNA);
	(0..blocks).for_each(|_| world.blocks(1));
	epoch(world, ANNA) - before
}

fn epoch(world: &mut World, at: usize) -> u64 {
	let group = world.group;
	world.client(at).position(&group).unwrap().tip.epoch
}

/// The length of a commit of one of them that renews its keys.
fn renewal(world: &mut World, at: usize) -> usize {
	length(world, at, Intent::Update)
}

/// The length of a commit of one of them.
fn length(world: &mut World, at: usize, intent: Intent) -> usize {
	let group = world.group;
	world.client(at).enqueue(&group, intent).unwrap();
	world.serve();
	world.blocks(1);
	world.log.last().unwrap().payload.as_ref().unwrap().len()
}

#[test]
fn paths_of_a_group_that_was_filled_at_once_become_shorter_and_then_there_is_peace() {
	let (mut world, _) = filled(4);
	// The branches of Carl, Emil and Gerd do; that of Ida and Jule is as far from the others as half of the tree.
	let soon = epochs(&mut world, SOON);
	assert!((2..=3).contains(&soon), "{soon} commits");
	assert_eq!(epochs(&mut world, 10 * TURN), 0);
	let all: BTreeSet<u64> = (0..world.members.len()).map(|at| epoch(&mut world, at)).collect();
	assert_eq!(all.len(), 1);
	let (mut long, _) = filled(u32::MAX);
	let (short, long) = (renewal(&mut world, ANNA), renewal(&mut long, ANNA));
	assert!(short < long, "{short} and {long} bytes");
}

#[test]
fn the_next_of_a_branch_does_it_if_the_first_is_away() {
	let (mut world, come) = filled(4);
	come.iter().step_by(2).for_each(|at| world.close(*at));
	assert_eq!(epochs(&mut world, SOON), 0);
	assert!(epochs(&mut world, SOON) >= 2);
}

#[test]
fn where_no_path_is_long_nobody_renews() {
	for longest_path in [9, u32::MAX] {
		let (mut world, _) = filled(longest_path);
		assert_eq!(epochs(&mut world, 10 * TURN), 0);
	}
}

const LONG: Option<LongPath> = Some(LongPath { nodes: 80, turn: 0 });

/// 25 modulo 21, for 80 nodes.
const WAIT: BlockNumber = 4;

fn at(finalized: BlockNumber) -> Moment {
	Moment { finalized, opened: 100, renewed: 0, spread: 25 }
}

#[test]
fn the_tree_of_an_epoch_is_looked_at_once_and_before_the_keys_are_renewed() {
	let mut paths = Paths::default();
	// 25 modulo 16
	assert!((100..109).all(|block| !paths.is_time(7, block, 25)));
	assert!(paths.is_time(7, 109, 25));
	assert!(!paths.look(LONG, at(109)));
	assert!((109..109 + WAIT).all(|block| !paths.is_time(u64::from(block), block, 25)), "whatever epochs come");
	assert!(paths.is_time(8, 109 + WAIT, 25));
	assert!(paths.look(LONG, at(109 + WAIT)));
	// Nothing came of it, and then somebody else has done it.
	assert!(!paths.is_time(8, 108 + WAIT + AGAIN, 25));
	assert!(paths.is_time(8, 109 + WAIT + AGAIN, 25));
	assert!(!paths.look(None, at(109 + WAIT + AGAIN)));
	assert!(!paths.is_time(8, 5000, 25));
	assert!(!paths.is_time(9, 5000, 25) && paths.is_time(9, 5009, 25));
	let mut opened = Paths::of_epoch(7);
	assert!((0..100).all(|block| !opened.is_time(7, block, 25)), "it is as it was when the client was closed");
}

#[test]
fn a_client_that_comes_back_does_not_look_at_all_groups_in_the_same_block() {
	let first = |spread| (100..).find(|block| Paths::default().is_time(7, *block, spread)).unwrap();
	// Each has one look to come.
	let mut all: Vec<Paths> = (0..1000).map(|_| Paths::default()).collect();
	let looks = |all: &mut [Paths], block| {
		(0..).zip(all).filter_map(|(n, paths)| paths.is_time(7, block, n).then_some(n)).count()
	};
	assert_eq!(looks(&mut all, 100), 63);
	assert_eq!((100..100 + BlockNumber::try_from(LOOK).unwrap()).map(|block| looks(&mut all, block)).max(), Some(1000));
	assert_eq!(first(0), 100);
}

#[test]
fn branches_do_not_all_renew_in_the_same_block_and_members_of_one_wait_for_each_other() {
	let due = |nodes, turn, spread| {
		let mut paths = Paths::default();
		paths.look(Some(LongPath { nodes, turn }), Moment { spread, ..at(100) });
		paths.look_at.unwrap()
	};
	let blocks: BTreeSet<_> = (0..1000).map(|spread| due(800, 0, spread)).collect();
	assert_eq!((blocks.first(), blocks.last(), blocks.len()), (Some(&101), Some(&300), 200));
	assert!((0..1000).all(|spread| due(800, 1, spread) > 300 + 50), "the next of a branch comes after all first ones");
	assert_eq!(due(80, 3, 25), 100 + WAIT + 3 * (TURN + 21));
	assert!(due(u32::MAX, u32::MAX, u64::MAX) > 100, "it is no number that anybody counts to");
}

#[test]
fn one_that_comes_late_or_loses_a_race_does_not_wait_for_its_turn_anew() {
	let mut paths = Paths::default();
	let long = Some(LongPath { nodes: 80, turn: 1 });
	let turn = 100 + TURN + 21;
	assert!(!paths.look(long, at(110)));
	assert_eq!(paths.look_at, Some(turn + WAIT));
	assert!(paths.look(long, at(turn + WAIT)));
	// Another commit was faster: this is another epoch.
	assert!(paths.is_time(9, turn + 5 + WAIT, 16));
	assert!(!paths.look(long, Moment { opened: turn + 5, ..at(turn + 5 + WAIT) }));
	assert_eq!(paths.look_at, Some(turn + 5 + 2 * WAIT));
	// Then they are short for a while.
	assert!(!paths.look(None, at(turn + 20)));
	assert!(!paths.look(long, Moment { opened: 1000, ..at(1001) }));
	assert_eq!(paths.look_at, Some(1000 + TURN + 21 + WAIT));
	let mut late = Paths::default();
	assert!(!late.look(long, at(2000)));
	assert_eq!(late.look_at, Some(2000 + WAIT));
}

/// However often somebody makes paths long again.
#[test]
fn one_that_has_renewed_its_keys_rests() {
	let mut paths = Paths::default();
	assert!(!paths.look(LONG, at(100)));
	assert!(paths.look(LONG, at(100 + WAIT)));
	assert!(!paths.look(LONG, Moment { renewed: 106, opened: 110, ..at(110) }));
	assert_eq!(paths.look_at, Some(106 + REST + WAIT));
	// If nothing came of it there is nothing to rest from.
	assert!(paths.look(LONG, Moment { renewed: 106, ..at(1000) }));
	assert!(!paths.look(LONG, Moment { renewed: 106, ..at(1010) }));
	assert_eq!(paths.look_at, Some(1010 + WAIT));
}

/// What Anna wants is too large for an entry, because of those who were added at once, until they have renewed their keys.
#[test]
fn what_is_too_large_because_of_a_long_path_is_done_when_that_is_shorter() {
	let (mut long, _) = filled(u32::MAX);
	let long = renewal(&mut long, ANNA);
	let (mut world, _) = filled(4);
	let (group, before) = (world.group, epoch(&mut world, ANNA));
	let done =
		|world: &World| world.count(ANNA, |event| matches!(event, Event::IntentEnded { ended: Ended::Done(_), .. }));
	let done_before = done(&world);
	world.client(ANNA).set_max_commit(long - 1);
	world.client(ANNA).enqueue(&group, Intent::Update).unwrap();
	world.until("the renewals of others, and Anna's", |world| done(world) > done_before);
	assert!(epoch(&mut world, ANNA) >= before + 2);
}

#[test]
fn what_stays_too_large_because_of_a_long_path_is_given_up_with_the_reason() {
	let (mut world, _) = filled(u32::MAX);
	let group = world.group;
	let long = renewal(&mut world, ANNA);
	world.client(ANNA).set_max_commit(long - 1);
	world.client(ANNA).enqueue(&group, Intent::Update).unwrap();
	let failed = |world: &World| {
		world.count(ANNA, |event| match event {
			Event::IntentEnded { ended: Ended::Failed { reason }, .. } => reason.contains("renewed their keys"),
			_ => false,
		})
	};
	(0..119).for_each(|_| world.blocks(10));
	assert_eq!(failed(&world), 0);
	world.blocks(20);
	assert_eq!(failed(&world), 1);
}

/// What became of the newest things that one of them wanted.
fn newest<const COUNT: usize>(world: &mut World, at: usize) -> [IntentState; COUNT] {
	let group = world.group;
	let mut intents = world.client(at).intents(&group).unwrap();
	let newest = intents.split_off(intents.len() - COUNT);
	newest.into_iter().map(|(_, state)| state).collect::<Vec<_>>().try_into().unwrap()
}

/// Of what has not been committed.
fn is_too_long(state: &IntentState) -> bool {
	matches!(state, IntentState::Waiting { attempts: 0, waiting_for: WaitingFor::ShorterPaths { .. } })
}

/// Whether it was stored with what it waits for, or another commit was under way when it was.
#[test]
fn a_wait_for_shorter_paths_says_so_and_goes_on_when_the_client_is_opened_again() {
	for is_stored_before in [false, true] {
		let (mut world, _) = filled(u32::MAX);
		let group = world.group;
		let long = renewal(&mut world, ANNA);
		if is_stored_before {
			world.client(ANNA).enqueue(&group, Intent::Update).unwrap();
			world.serve();
		}
		world.client(ANNA).set_max_commit(long - 1);
		world.client(ANNA).enqueue(&group, Intent::Update).unwrap();
		if is_stored_before {
			world.blocks(1);
		}
		let [state] = newest::<1>(&mut world, ANNA);
		let IntentState::Waiting { attempts: 0, waiting_for: WaitingFor::ShorterPaths { nodes, length, max, until } } =
			state
		else {
			panic!("{state:?}");
		};
		assert_eq!((length, max, until), (long, long - 1, world.block + 1200));
		(0..20).for_each(|_| world.blocks(10));
		world.close(ANNA);
		(0..10).for_each(|_| world.blocks(10));
		world.open(ANNA);
		world.client(ANNA).set_max_commit(long - 1);
		assert_eq!(newest::<1>(&mut world, ANNA), [state]);
		let why = format!("to {nodes} members and branches");
		let failed = |world: &World| {
			world.count(ANNA, |event| match event {
				Event::IntentEnded { ended: Ended::Failed { reason }, .. } => reason.contains(&why),
				_ => false,
			})
		};
		while world.block + 10 < until {
			world.blocks(10);
		}
		assert_eq!(failed(&world), 0);
		world.blocks(20);
		assert_eq!(failed(&world), 1);
	}
}

/// Anna wants to add two members one by one. There is room for neither, and then for one of them at a time: the first.
#[test]
fn what_waits_for_shorter_paths_is_tried_in_its_order() {
	let (mut other, _) = filled(u32::MAX);
	let klara = other.meet("klara");
	let package = HexBytes(other.client(klara).key_package().unwrap());
	let room = length(&mut other, ANNA, Intent::Add(vec![package]));
	for pause in [0, 3] {
		let (mut world, _) = filled(u32::MAX);
		let group = world.group;
		world.client(ANNA).set_max_commit(room - 1);
		for name in ["klara", "lotte"] {
			let at = world.meet(name);
			let package = HexBytes(world.client(at).key_package().unwrap());
			world.client(ANNA).enqueue(&group, Intent::Add(vec![package])).unwrap();
			(0..pause).for_each(|_| world.blocks(1));
		}
		// After the first time that both are tried together.
		(2 * pause..pause + 11).for_each(|_| world.blocks(1));
		let both = newest::<2>(&mut world, ANNA);
		assert!(both.iter().all(is_too_long), "{both:?}");
		world.client(ANNA).set_max_commit(room);
		(pause + 11..pause + 19).for_each(|_| world.blocks(1));
		assert_eq!(newest::<2>(&mut world, ANNA), both, "it is not time yet");
		world.blocks(1);
		let states = [IntentState::Committing { attempts: 1 }, both[1].clone()];
		assert_eq!(newest::<2>(&mut world, ANNA), states);
		world.close(ANNA);
		world.open(ANNA);
		assert_eq!(newest::<2>(&mut world, ANNA), states);
	}
}

/// Anna cannot commit that Carl leaves, for her path is too long, and is asked to add him anew.
#[test]
fn what_contradicts_a_wish_to_leave_waits_for_shorter_paths_with_it() {
	let (mut other, _) = filled(u32::MAX);
	let long = renewal(&mut other, ANNA);
	let (mut world, come) = filled(u32::MAX);
	let (group, carl) = (world.group, come[0]);
	world.client(ANNA).set_max_commit(long - 1);
	world.close(BERT);
	come[1..].iter().for_each(|at| world.close(*at));
	let package = HexBytes(world.client(carl).key_package().unwrap());
	world.client(carl).leave(&group).unwrap();
	world.serve();
	world.client(ANNA).enqueue(&group, Intent::Add(vec![package])).unwrap();
	let [state] = newest::<1>(&mut world, ANNA);
	assert!(is_too_long(&state), "{state:?}");
	let before = epoch(&mut world, ANNA);
	assert_eq!(epochs(&mut world, 30), 0, "there is no room");
	world.client(ANNA).set_max_commit(usize::MAX);
	world.until("Carl to be out and in again", |world| world.joined(carl) == 2);
	assert_eq!(epoch(&mut world, ANNA), before + 2);
}

/// Anna wants to add Klara, and then to remove her again: at once, or later, and with something beside it for which there is room.
#[test]
fn what_is_to_come_after_something_that_waits_for_shorter_paths_waits_with_it() {
	let (mut other, _) = filled(u32::MAX);
	let update = renewal(&mut other, ANNA);
	for (pause, beside) in [(0, false), (0, true), (3, false), (3, true)] {
		let (mut world, _) = filled(u32::MAX);
		let (group, klara) = (world.group, world.meet("klara"));
		let package = HexBytes(world.client(klara).key_package().unwrap());
		world.client(ANNA).enqueue(&group, Intent::Update).unwrap();
		world.serve();
		world.client(ANNA).set_max_commit(update);
		world.client(ANNA).enqueue(&group, Intent::Add(vec![package])).unwrap();
		(0..pause).for_each(|_| world.blocks(1));
		world.client(ANNA).enqueue(&group, Intent::Remove(vec![HexBytes(b"klara".to_vec())])).unwrap();
		if beside {
			world.client(ANNA).enqueue(&group, Intent::Update).unwrap();
		}
		(0..5).for_each(|_| world.blocks(1));
		let [added, removed] = match beside {
			false => newest::<2>(&mut world, ANNA),
			true => {
				let [added, removed, updated] = newest::<3>(&mut world, ANNA);
				assert!(matches!(updated, IntentState::Ended(Ended::Done(_))), "{updated:?}");
				[added, removed]
			}
		};
		assert!(is_too_long(&added) && is_too_long(&removed), "{added:?}, {removed:?}");
		world.client(ANNA).set_max_commit(usize::MAX);
		let before = epoch(&mut world, ANNA);
		world.until("Klara to come", |world| world.joined(klara) == 1);
		(0..5).for_each(|_| world.blocks(1));
		assert_eq!(epoch(&mut world, ANNA), before + 2, "she has gone again");
		assert!(newest::<2>(&mut world, ANNA).iter().all(|state| matches!(state, IntentState::Ended(Ended::Done(_)))));
		assert!(!world.client(ANNA).status(&group).unwrap().members.contains(&b"klara".to_vec()));
	}
}

/// Anna gives the group a long name, for which there is no room, and makes Bert an administrator; then she takes that back, for
/// which there is.
#[test]
fn what_is_changed_again_is_in_the_end_as_it_was_wanted_last() {
	let named = || GroupChange { name: Some("a".repeat(200)), ..GroupChange::default() };
	let bert = || vec![HexBytes(b"bert".to_vec())];
	let (mut other, _) = filled(u32::MAX);
	let long = length(&mut other, ANNA, Intent::GroupData(named()));
	for pause in [0, 3] {
		let (mut world, _) = filled(u32::MAX);
		let group = world.group;
		world.client(ANNA).set_max_commit(long - 1);
		world.client(ANNA).enqueue(&group, Intent::GroupData(GroupChange { appoint: bert(), ..named() })).unwrap();
		(0..pause).for_each(|_| world.blocks(1));
		let back = GroupChange { dismiss: bert(), ..GroupChange::default() };
		world.client(ANNA).enqueue(&group, Intent::GroupData(back)).unwrap();
		let both = newest::<2>(&mut world, ANNA);
		assert!(both.iter().all(is_too_long), "{both:?}");
		world.client(ANNA).set_max_commit(usize::MAX);
		let done = |world: &World| {
			world.count(ANNA, |event| matches!(event, Event::IntentEnded { ended: Ended::Done(_), .. }))
		};
		let before = done(&world);
		world.until("both", |world| done(world) == before + 2);
		let data = world.client(ANNA).status(&group).unwrap().data;
		assert_eq!((data.name.len(), data.administrators.contains(&b"bert"[..])), (200, false));
	}
}

/// Carl's commit waits for shorter paths, is made when there is room for it, gets lost, and is too long again.
#[test]
fn a_wait_for_shorter_paths_begins_anew_after_a_commit_was_made() {
	let (mut other, come) = filled(u32::MAX);
	let room = renewal(&mut other, come[0]);
	let (mut world, come) = filled(u32::MAX);
	let (group, carl) = (world.group, come[0]);
	world.loses = true;
	world.client(carl).set_max_commit(room - 1);
	world.client(carl).enqueue(&group, Intent::Update).unwrap();
	let [state] = newest::<1>(&mut world, carl);
	assert!(is_too_long(&state), "{state:?}");
	world.client(carl).set_max_commit(room);
	(0..10).for_each(|_| world.blocks(1));
	assert_eq!(newest::<1>(&mut world, carl), [IntentState::Committing { attempts: 1 }]);
	world.client(carl).set_max_commit(room - 1);
	renewal(&mut world, ANNA);
	let [state] = newest::<1>(&mut world, carl);
	let IntentState::Waiting { attempts: 1, waiting_for: WaitingFor::ShorterPaths { until, .. } } = state else {
		panic!("{state:?}");
	};
	assert_eq!(until, world.block + 1200);
}

/// Carl wants to add somebody, which takes more than there is room for, and to renew his keys takes less.
#[test]
fn one_that_waits_for_shorter_paths_makes_them_shorter() {
	let (mut other, come) = filled(u32::MAX);
	let room = renewal(&mut other, come[0]) + 100;
	let (mut world, come) = filled(4);
	let (carl, klara) = (come[0], world.meet("klara"));
	come[1..].iter().for_each(|at| world.close(*at));
	let package = world.client(klara).key_package().unwrap();
	world.client(carl).set_max_commit(room);
	let group = world.group;
	world.client(carl).enqueue(&group, Intent::Add(vec![HexBytes(package)])).unwrap();
	assert_eq!(epochs(&mut world, SOON), 1);
	assert_eq!(world.joined(klara), 0);
}

/// The same, and he has said something, which is what he renews his keys for.
#[test]
fn what_waits_for_shorter_paths_does_not_keep_a_client_from_its_upkeep() {
	let upkeep = Upkeep { longest_path: u32::MAX, update_after_messages: 1, ..Upkeep::default() };
	let (mut other, come) = filled_with(upkeep);
	let room = renewal(&mut other, come[0]) + 100;
	let (mut world, come) = filled_with(upkeep);
	let (carl, klara) = (come[0], world.meet("klara"));
	let package = world.client(klara).key_package().unwrap();
	world.client(carl).set_max_commit(room);
	let group = world.group;
	world.client(carl).enqueue(&group, Intent::Add(vec![HexBytes(package)])).unwrap();
	assert_eq!(epochs(&mut world, SOON), 0);
	world.client(carl).send(&group, b"that is all").unwrap();
	assert_eq!(epochs(&mut world, SOON), 1);
	assert_eq!(world.joined(klara), 0);
}

/// There is no room for what Carl renews his keys for, and in the next block there is.
#[test]
fn a_renewal_with_too_long_a_path_is_tried_again_after_a_pause() {
	let upkeep = Upkeep { longest_path: u32::MAX, update_after_messages: 1, ..Upkeep::default() };
	let (mut other, come) = filled_with(upkeep);
	let room = renewal(&mut other, come[0]);
	let (mut world, come) = filled_with(upkeep);
	let (group, carl) = (world.group, come[0]);
	world.client(carl).set_max_commit(room - 1);
	world.client(carl).send(&group, b"that is all").unwrap();
	assert_eq!(epochs(&mut world, 1), 0);
	world.client(carl).set_max_commit(room);
	// It is made in the last of these, and is in the log a block later.
	assert_eq!(epochs(&mut world, 10), 0);
	assert_eq!(epochs(&mut world, 1), 1);
}

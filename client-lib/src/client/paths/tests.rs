use super::{Paths, TURN};
use crate::{
	client::world::{World, ANNA},
	mls::{Intent, LongPath},
	Upkeep,
};
use lockstep_primitives::{rpc::HexBytes, BlockNumber};
use std::collections::BTreeSet;

/// Nobody waits longer for another branch than for as many blocks.
const SOON: BlockNumber = 5;

/// Anna and Bert, who renew nothing, and eight who come at once, with four branches of two; gives who these are.
fn filled(longest_path: u32) -> (World, Vec<usize>) {
	const NAMES: [&str; 8] = ["carl", "dora", "emil", "fritz", "gerd", "hans", "ida", "jule"];
	let mut world = World::new();
	world.upkeep = Upkeep { longest_path, ..Upkeep::default() };
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

/// The length of a commit of Anna's.
fn renewal(world: &mut World) -> usize {
	let group = world.group;
	world.client(ANNA).enqueue(&group, Intent::Update).unwrap();
	world.blocks(1);
	world.log.last().unwrap().payload.as_ref().unwrap().len()
}

#[test]
fn paths_of_a_group_that_was_filled_at_once_become_shorter_and_then_there_is_peace() {
	let (mut world, _) = filled(4);
	// The branches of Carl, Emil and Gerd do; that of Ida and Jule is as far from the others as half of the tree.
	let soon = epochs(&mut world, 4 * SOON);
	assert!((2..=3).contains(&soon), "{soon} commits");
	assert_eq!(epochs(&mut world, 10 * TURN), 0);
	let all: BTreeSet<u64> = (0..world.members.len()).map(|at| epoch(&mut world, at)).collect();
	assert_eq!(all.len(), 1);
	let (mut long, _) = filled(u32::MAX);
	let (short, long) = (renewal(&mut world), renewal(&mut long));
	assert!(short < long, "{short} and {long} bytes");
}

#[test]
fn the_next_of_a_branch_does_it_if_the_first_is_away() {
	let (mut world, come) = filled(4);
	come.iter().step_by(2).for_each(|at| world.close(*at));
	assert_eq!(epochs(&mut world, TURN - 1), 0);
	assert!(epochs(&mut world, 4 * SOON) >= 2);
}

#[test]
fn where_no_path_is_long_nobody_renews() {
	for longest_path in [9, u32::MAX] {
		let (mut world, _) = filled(longest_path);
		assert_eq!(epochs(&mut world, 10 * TURN), 0);
	}
}

#[test]
fn the_tree_of_an_epoch_is_looked_at_once_until_it_is_time() {
	let long = Some(LongPath { nodes: 80, turn: 0 });
	let mut paths = Paths::unseen();
	assert!(paths.is_to_be_looked_at(7, 100));
	assert!(!paths.look(long, 100, 25));
	// 25 modulo 11, for 80 nodes
	assert!((100..103).all(|block| !paths.is_to_be_looked_at(7 + u64::from(block), block)));
	assert!(paths.is_to_be_looked_at(10, 103));
	assert!(paths.look(long, 103, 25));
	assert!(!paths.is_to_be_looked_at(10, 1000), "once");
	// By now somebody else has done it.
	assert!(paths.is_to_be_looked_at(11, 1000));
	assert!(!paths.look(long, 1000, 25));
	assert!(paths.is_to_be_looked_at(11, 1003));
	assert!(!paths.look(None, 1003, 25));
	assert!(!paths.is_to_be_looked_at(11, 2000));
	assert!(!Paths::of_epoch(7).is_to_be_looked_at(7, 2000), "it is as it was when the client was opened");
}

#[test]
fn branches_do_not_all_renew_in_the_same_block_and_members_of_one_wait_for_each_other() {
	let due = |nodes, turn, spread| {
		let mut paths = Paths::unseen();
		paths.look(Some(LongPath { nodes, turn }), 100, spread);
		paths.renew_at.unwrap()
	};
	let blocks: BTreeSet<_> = (0..1000).map(|spread| due(800, 0, spread)).collect();
	assert_eq!((blocks.first(), blocks.last(), blocks.len()), (Some(&101), Some(&200), 100));
	assert_eq!(due(80, 3, 25), 103 + 3 * TURN);
	let mut paths = Paths::unseen();
	let long = Some(LongPath { nodes: 80, turn: 1 });
	assert!(!paths.look(long, 100, 25));
	assert!(paths.look(long, 103 + TURN, 25));
	// Another commit was faster. Those before it in its branch had their time.
	assert!(!paths.look(long, 104 + TURN, 25));
	assert_eq!(paths.renew_at, Some(107 + TURN));
	assert!(!paths.look(None, 107 + TURN, 25));
	assert!(!paths.look(long, 200 + TURN, 25));
	assert_eq!(paths.renew_at, Some(203 + 2 * TURN), "this is another time");
	assert!(due(u32::MAX, u32::MAX, u64::MAX) > 100, "it is no number that anybody counts to");
}

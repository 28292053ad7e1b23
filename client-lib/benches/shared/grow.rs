//! Groups of any size, and the two shapes that their trees have.

use super::Member;

/// Members added in one commit to a fresh tree: as many as go into an entry.
const CHUNK: usize = 100;
/// Epochs after which the secrets of past ones are as many as they will be.
const SETTLED: usize = 6;

/// What has become of the nodes above the leaves. A path is encrypted to each leaf that hangs on a blank branch
/// (RFC 9420 section 4.1.1), so this is what the time of a commit depends on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tree {
	/// No node is blank, as in a group that is in use: every member, or the one beside it, has renewed its keys since it came.
	Renewed,
	/// A group just filled by its founder: the first leaf alone of each subtree that the founder's path is encrypted to
	/// has renewed its keys.
	Fresh,
}

/// Lets a founder's group grow to `size` members. Gives the second one, who has processed every commit.
pub fn grow<M: Member>(founder: &mut M, size: usize, tree: Tree) -> M {
	let mut second = match tree {
		Tree::Renewed => grow_renewed(founder, size),
		Tree::Fresh => grow_fresh(founder, size),
	};
	for _ in 0..SETTLED {
		let renewed = founder.update();
		second.process(&renewed);
	}
	assert_eq!(founder.size(), size);
	second
}

/// Members come in pairs, two leaves with one parent; the first of a pair renews its keys, which fills its whole path, and
/// is then not heard of again.
fn grow_renewed<M: Member>(founder: &mut M, size: usize) -> M {
	let mut second = founder.outside("member 00001");
	let added = founder.add(vec![second.key_package()]);
	founder.rest();
	second.join(&added);
	let renewed = second.update();
	founder.process(&renewed);
	for first in (2..size).step_by(2) {
		let mut joiners: Vec<M> =
			(first..size.min(first + 2)).map(|number| founder.outside(&format!("member {number:05}"))).collect();
		let added = founder.add(joiners.iter_mut().map(Member::key_package).collect());
		founder.rest();
		second.process(&added);
		let mut joiner = joiners.swap_remove(0);
		joiner.join(&added);
		let renewed = joiner.update();
		founder.process(&renewed);
		second.process(&renewed);
	}
	second
}

/// The founder has leaf 0. What its paths are encrypted to are the subtrees of the leaves 1, 2 to 3, 4 to 7 and so on; the
/// first leaf of each renews its keys whenever leaves have come into it.
fn grow_fresh<M: Member>(founder: &mut M, size: usize) -> M {
	let mut helpers: Vec<M> = Vec::new();
	let mut members = 1_usize;
	while members < size {
		let end = (members + 1).next_power_of_two();
		let chunk = CHUNK.min(end - members).min(size - members);
		let mut joiners: Vec<M> =
			(members..members + chunk).map(|number| founder.outside(&format!("member {number:05}"))).collect();
		let added = founder.add(joiners.iter_mut().map(Member::key_package).collect());
		founder.rest();
		helpers.iter_mut().for_each(|helper| helper.process(&added));
		if members.is_power_of_two() {
			let mut helper = joiners.swap_remove(0);
			helper.join(&added);
			helpers.push(helper);
		}
		let (newest, others) = helpers.split_last_mut().expect("there is one");
		let renewed = newest.update();
		founder.process(&renewed);
		others.iter_mut().for_each(|helper| helper.process(&renewed));
		members += chunk;
	}
	helpers.swap_remove(0)
}

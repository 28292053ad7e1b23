//! Groups of any size, and the shapes that their trees have.

use super::Member;
use lockstep_client::Upkeep;

/// Members added in one commit: whole branches.
const CHUNK: usize = 96;
/// Leaves of a branch of which the first member looks whether its renewal makes paths shorter.
const BRANCH: usize = 16;
/// Epochs after which the secrets of past ones are as many as they will be.
const SETTLED: usize = 6;

/// What has become of the nodes above the leaves. A path is encrypted to each leaf that hangs on a blank branch
/// (RFC 9420 section 4.1.1), so this is what the time of a commit depends on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tree {
	/// No node is blank, as in a group that is in use: every member, or the one beside it, has renewed its keys since it came.
	Renewed,
	/// A group just filled by its founder, after those members have renewed their keys who do so for the paths' sake
	/// (`Upkeep::longest_path`): this is what becomes of such a group within minutes.
	Filled,
	/// The same before that: of each subtree that the founder's path is encrypted to the first leaf alone has renewed its
	/// keys. With fewer, commits to 1,000 members would be too large for an entry.
	Sparse,
}

/// Lets a founder's group grow to `size` members. Gives the second one, who has processed every commit.
pub fn grow<M: Member>(founder: &mut M, size: usize, tree: Tree) -> M {
	let mut second = match tree {
		Tree::Renewed => grow_renewed(founder, size),
		Tree::Filled => fill(founder, size),
		Tree::Sparse => grow_sparse(founder, size),
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

/// The founder adds all, and what members do then for shorter paths they do when they have come.
fn fill<M: Member>(founder: &mut M, size: usize) -> M {
	let mut second: Option<M> = None;
	let mut members = 1_usize;
	while members < size {
		// The founder has leaf 0, and each that comes the next one.
		let end = size.min((members / CHUNK + 1) * CHUNK);
		let mut joiners: Vec<(usize, M)> =
			(members..end).map(|number| (number, founder.outside(&format!("member {number:05}")))).collect();
		let added = founder.add(joiners.iter_mut().map(|(_, joiner)| joiner.key_package()).collect());
		founder.rest();
		match &mut second {
			Some(second) => second.process(&added),
			None => {
				let (_, mut first) = joiners.swap_remove(0);
				first.join(&added);
				second = Some(first);
			}
		}
		joiners.retain(|(number, _)| number.is_multiple_of(BRANCH));
		let mut first_ones: Vec<M> = joiners.into_iter().map(|(_, joiner)| joiner).collect();
		first_ones.iter_mut().for_each(|joiner| joiner.join(&added));
		shorten_paths(founder, &mut second, &mut first_ones);
		members = end;
	}
	second.expect("there is one")
}

/// Until none of them has a long path that it could make shorter for others. Members of earlier chunks are not asked again, as
/// they would be in each epoch: paths stay longer than those that the library brings about.
fn shorten_paths<M: Member>(founder: &mut M, second: &mut Option<M>, members: &mut [M]) {
	let limit = Upkeep::default().longest_path;
	while let Some(place) = members.iter().position(|member| member.has_long_path(limit)) {
		let renewed = members[place].update();
		founder.process(&renewed);
		second.iter_mut().for_each(|second| second.process(&renewed));
		for (other, member) in members.iter_mut().enumerate() {
			if other != place {
				member.process(&renewed);
			}
		}
	}
}

/// The founder has leaf 0. What its paths are encrypted to are the subtrees of the leaves 1, 2 to 3, 4 to 7 and so on; the
/// first leaf of each renews its keys whenever leaves have come into it.
fn grow_sparse<M: Member>(founder: &mut M, size: usize) -> M {
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

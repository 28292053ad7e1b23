//! Groups of any size, in the shape that a group has whose members have renewed their keys: the tree has no leaves that
//! hang on a blank branch, for a path to them would be encrypted to each one.

use super::Member;

/// Members added in one commit: as many as go into an entry.
const CHUNK: usize = 100;
/// Epochs after which the secrets of past ones are as many as they will be.
const SETTLED: usize = 6;

/// Lets a founder's group grow to `size` members. Gives the second one, who has processed every commit.
///
/// The founder has leaf 0. What its paths are encrypted to are the subtrees of the leaves 1, 2 to 3, 4 to 7 and so on; the
/// first leaf of each renews its keys whenever leaves have come into it.
pub fn grow<M: Member>(founder: &mut M, size: usize) -> M {
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
	let mut second = helpers.swap_remove(0);
	for _ in 0..SETTLED {
		let renewed = founder.update();
		second.process(&renewed);
	}
	assert_eq!(founder.size(), size);
	second
}

//! What a run is like, apart from its seed.

use crate::dice::Dice;

/// The size of a run, and what may go wrong in it.
#[derive(Clone, Debug)]
pub struct Setup {
	/// Members, those who join later included.
	pub members: usize,
	/// Blocks in which things go wrong.
	pub blocks: u32,
	/// Collect what happens, to show it.
	pub trace: bool,
	/// The deliberate fault that is switched on.
	pub mutation: Option<crate::Mutation>,
}

impl Setup {
	/// So many members for so many blocks.
	pub fn new(members: usize, blocks: u32) -> Self {
		Self { members, blocks, trace: false, mutation: None }
	}
}

/// How often things go wrong in one run, in thousandths. Drawn for each seed, so that some runs are calm in one respect
/// and wild in another.
#[derive(Clone, Debug)]
pub(crate) struct Weather {
	/// A member is killed in or after a step.
	pub(crate) crash: u32,
	/// A write of a member's store fails.
	pub(crate) disk: u32,
	/// The newest blocks are replaced by others.
	pub(crate) reorganisation: u32,
	/// Finality stands still for some blocks.
	pub(crate) stall: u32,
	/// A node is cut off for some blocks.
	pub(crate) cut: u32,
	/// A submission or its answer is lost.
	pub(crate) lost_submission: u32,
	/// A node's answer is not what happened.
	pub(crate) wrong_answer: u32,
	/// A statement does not arrive, or its answer does not.
	pub(crate) lost_statement: u32,
	/// A statement arrives again.
	pub(crate) repeat: u32,
	/// An operation of some member begins, in a block.
	pub(crate) operation: u32,
	/// The longest way of a message, in blocks.
	pub(crate) delay: u32,
	/// Members that are hostile.
	pub(crate) hostile: usize,
	/// Hostile deeds in the whole run.
	pub(crate) deeds: u32,
}

impl Weather {
	pub(crate) fn draw(dice: &mut Dice, setup: &Setup) -> Self {
		let rarely = |dice: &mut Dice, most: usize| {
			if dice.chance(300) {
				0
			} else {
				u32::try_from(dice.below(most)).unwrap_or(0)
			}
		};
		let hostile = if setup.members < 4 || dice.chance(300) { 0 } else { 1 + dice.below(setup.members / 6 + 1) };
		Self {
			crash: rarely(dice, 30),
			disk: if dice.chance(800) { 0 } else { rarely(dice, 10) },
			reorganisation: rarely(dice, 250),
			stall: rarely(dice, 60),
			cut: rarely(dice, 60),
			lost_submission: rarely(dice, 300),
			wrong_answer: rarely(dice, 300),
			lost_statement: rarely(dice, 250),
			repeat: rarely(dice, 150),
			operation: 150 + u32::try_from(dice.below(700)).unwrap_or(0),
			delay: 1 + u32::try_from(dice.below(5)).unwrap_or(0),
			hostile,
			deeds: if hostile == 0 { 0 } else { dice.blocks(10) },
		}
	}

	/// Nothing goes wrong any more.
	pub(crate) fn calm(&mut self) {
		*self = Self {
			crash: 0,
			disk: 0,
			reorganisation: 0,
			stall: 0,
			cut: 0,
			lost_submission: 0,
			wrong_answer: 0,
			lost_statement: 0,
			repeat: 0,
			operation: 0,
			delay: 1,
			hostile: self.hostile,
			deeds: 0,
		};
	}
}

//! What is to be published, if anything: decided from what is proven, without a clock, a disk or a node.

use super::shelf::{Order, Shelf};
use lockstep_primitives::{
	key_package::{Stock, MAX_LIFE, MAX_STOCK},
	BlockNumber,
};

/// KeyPackages that a device may publish in a burst, and blocks after which it may publish one more (`docs/protocol.md` section
/// 14). A chain that allows less refuses, and the publication waits.
const BURST: u32 = 256;
const EVERY: BlockNumber = 300;

/// How full a stock is kept. Blocks are of one second.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Keeping {
	/// KeyPackages that there are after a publication, beside the last resort; 100 at most.
	pub target: u32,
	/// There are never fewer without more being published.
	pub refill_below: u32,
	/// For how many blocks a KeyPackage can be claimed; 84 days at most.
	pub life: BlockNumber,
	/// So many blocks before the first of them lapses all are replaced; half of their life at most.
	pub renew_before: BlockNumber,
}

impl Default for Keeping {
	/// 100, refilled below 50, of 84 days, renewed seven days before the end.
	fn default() -> Self {
		Self { target: MAX_STOCK, refill_below: 50, life: MAX_LIFE, renew_before: 7 * 86_400 }
	}
}

/// Why something is published.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[non_exhaustive]
pub enum Why {
	/// There are few left.
	Few,
	/// There is no last resort.
	NoLastResort,
	/// The last resort was claimed.
	LastResortUsed,
	/// Some that are left, or the last resort, can soon be claimed no more.
	Lapsing,
	/// What can be claimed was not published from this store, which has no private keys for it: the store is one of a backup, for
	/// example.
	NotOurs,
}

/// What is to be done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Step {
	/// Nothing.
	Rest,
	/// Nothing before this block: too much was published in too short a time.
	Wait(BlockNumber),
	/// This is to be published.
	Publish(Order, Vec<Why>),
}

impl Keeping {
	fn target(&self) -> u32 {
		self.target.clamp(1, MAX_STOCK)
	}

	fn refill_below(&self) -> u32 {
		self.refill_below.clamp(1, self.target())
	}

	/// For how many blocks a KeyPackage can be claimed.
	pub(super) fn life(&self) -> BlockNumber {
		self.life.clamp(2, MAX_LIFE)
	}

	/// Up to which block what lapses is renewed in this one.
	fn soon(&self, block: BlockNumber) -> BlockNumber {
		block.saturating_add(self.renew_before.min(self.life() / 2))
	}

	/// What a device publishes first.
	pub(super) fn first(&self, block: BlockNumber) -> Order {
		let lapse = block.saturating_add(self.life());
		Order { number: 0, first: 0, packages: self.target(), last_resort: true, replace: false, lapse }
	}

	/// Decides what is to be done, by what the chain knows as of a final block, and what this store has published.
	pub(crate) fn decide(&self, shelf: &Shelf, stock: Option<&Stock>, block: BlockNumber) -> Step {
		let Some(stock) = stock else { return Step::Publish(self.first(block), vec![Why::Few, Why::NoLastResort]) };
		let lapse = block.saturating_add(self.life());
		let (soon, left) = (self.soon(block), stock.left());
		let (allowed, more_at) = allowance(stock, block);
		// What can be claimed still is given up only for as many as have to be there, and a last resort.
		let least = self.refill_below().saturating_add(1);
		let (not_ours, lapses) = (!shelf.is_all_of(stock), shelf.lapses_by(stock, soon));
		let replace = not_ours || (lapses && allowed >= least);
		let there = if replace { 0 } else { left };
		let why = self.reasons(stock, soon, not_ours, replace);
		if why.is_empty() && lapses {
			let missing = least.saturating_sub(allowed).saturating_sub(1);
			return Step::Wait(more_at.saturating_add(missing.saturating_mul(EVERY)));
		}
		if why.is_empty() {
			return Step::Rest;
		}
		if allowed == 0 {
			return Step::Wait(more_at);
		}
		let last_resort = replace || why.iter().any(|why| *why != Why::Few);
		let wanted = if there < self.refill_below() { self.target().saturating_sub(there) } else { 0 };
		let packages = wanted.min(allowed.saturating_sub(u32::from(last_resort)));
		let order = Order { number: stock.number, first: stock.next, packages, last_resort, replace, lapse };
		Step::Publish(order, why)
	}

	fn reasons(&self, stock: &Stock, soon: BlockNumber, not_ours: bool, replace: bool) -> Vec<Why> {
		if not_ours {
			return vec![Why::NotOurs];
		}
		let of_last_resort = match stock.last_resort {
			None => Some(Why::NoLastResort),
			Some(_) if stock.must_replace.is_some() => Some(Why::LastResortUsed),
			Some(lapse) => (lapse <= soon).then_some(Why::Lapsing),
		};
		let few = (stock.left() < self.refill_below()).then_some(Why::Few);
		let lapsing = replace.then_some(Why::Lapsing);
		let mut why: Vec<Why> = few.into_iter().chain(of_last_resort).chain(lapsing).collect();
		why.dedup();
		why
	}
}

/// How many KeyPackages a device may publish in a block, and in which block one more than that.
fn allowance(stock: &Stock, block: BlockNumber) -> (u32, BlockNumber) {
	let passed = block.saturating_sub(stock.allowed_at);
	let more = passed.checked_div(EVERY).unwrap_or_default();
	let allowed = stock.allowed.saturating_add(more).min(BURST);
	(allowed, stock.allowed_at.saturating_add(more.saturating_add(1).saturating_mul(EVERY)))
}

#[cfg(test)]
mod tests;

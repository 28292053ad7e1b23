//! Decisions beside a small model of what the chain takes.

use super::*;
use crate::directory::keeper::shelf::Draft;
use lockstep_primitives::{
	key_package::{KeyPackageBytes, KeyPackageRefusal as Refusal, Publication},
	rpc::HexBytes,
	IdentityId, IdentityKey,
};
use proptest::{collection::vec, prelude::*};

const DAY: BlockNumber = 86_400;

/// A stock on the chain, and when each of its KeyPackages lapses.
#[derive(Clone, Debug)]
struct Model {
	block: BlockNumber,
	stock: Option<Stock>,
	lapses: Vec<BlockNumber>,
	shelf: Shelf,
}

impl Model {
	fn new() -> Self {
		Self { block: 1_000, stock: None, lapses: Vec::new(), shelf: Shelf::default() }
	}

	/// As `pallets/key-packages` does it.
	fn publish(&mut self, order: &Order) -> Result<(), Refusal> {
		let mut stock = self.stock.unwrap_or(Stock {
			identity: IdentityId([0; 32]),
			number: 0,
			first: 0,
			next: 0,
			last_resort: None,
			must_replace: None,
			allowed: BURST,
			allowed_at: self.block,
		});
		let steps = (self.block - stock.allowed_at) / EVERY;
		stock.allowed += steps;
		stock.allowed_at += steps * EVERY;
		if stock.allowed >= BURST {
			(stock.allowed, stock.allowed_at) = (BURST, self.block);
		}
		let due = stock.must_replace.is_some_and(|since| order.replace || self.block > since + DAY);
		if stock.number != order.number {
			return Err(Refusal::BadSequence);
		}
		if order.lapse < self.block || order.lapse > self.block + MAX_LIFE {
			return Err(Refusal::BadLapse);
		}
		let count = order.packages + u32::from(order.last_resort);
		if count == 0 {
			return Err(Refusal::Empty);
		}
		if due && !order.last_resort {
			return Err(Refusal::LastResortDue);
		}
		stock.allowed = stock.allowed.checked_sub(count).ok_or(Refusal::TooSoon)?;
		stock.number += 1;
		if order.replace {
			stock.first = stock.next;
		}
		if order.replace || order.last_resort {
			stock.last_resort = order.last_resort.then_some(order.lapse);
			stock.must_replace = None;
		}
		assert_eq!(order.first, stock.next, "it is known which places they have");
		stock.next += order.packages;
		if stock.left() > MAX_STOCK {
			return Err(Refusal::Full);
		}
		self.lapses.extend((0..order.packages).map(|_| order.lapse));
		self.stock = Some(stock);
		Ok(())
	}

	fn claim(&mut self) {
		let Some(stock) = &mut self.stock else { return };
		let block = self.block;
		match (stock.first..stock.next).take(8).find(|place| self.lapses[*place as usize] >= block) {
			Some(place) => stock.first = place + 1,
			None if stock.last_resort.is_some_and(|lapse| lapse >= block) => {
				stock.must_replace.get_or_insert(block);
			}
			None => {}
		}
	}

	fn pass(&mut self, blocks: BlockNumber) {
		self.block += blocks;
		let Some(stock) = &mut self.stock else { return };
		while stock.first < stock.next && self.lapses[stock.first as usize] < self.block {
			stock.first += 1;
		}
		if stock.last_resort.is_some_and(|lapse| lapse < self.block) {
			(stock.last_resort, stock.must_replace) = (None, None);
		}
	}

	/// Somebody else with the device's key publishes.
	fn publish_elsewhere(&mut self, packages: u32, last_resort: bool) {
		let (number, first) = self.stock.map_or((0, 0), |stock| (stock.number, stock.next));
		// No two stores publish with the same lapse.
		let lapse = self.block + MAX_LIFE - 1_000 - number;
		let _ = self.publish(&Order { number, first, packages, last_resort, replace: false, lapse });
	}

	/// Publishes what is decided; gives the last decision and how often something was published.
	fn keep(&mut self, keeping: &Keeping) -> (Step, usize) {
		for times in 0.. {
			let step = keeping.decide(&self.shelf, self.stock.as_ref(), self.block);
			let Step::Publish(order, why) = step else { return (step, times) };
			assert!(times < 3, "{order:?} because of {why:?}, again and again");
			self.publish(&order).unwrap_or_else(|refusal| panic!("{refusal:?} of {order:?} in {self:?}"));
			self.shelf.take(&draft(&order));
		}
		unreachable!("it ends");
	}
}

fn draft(order: &Order) -> Draft {
	let Order { number, first, packages, last_resort, replace, lapse } = *order;
	let package = KeyPackageBytes::default();
	Draft {
		publication: Publication {
			identity: IdentityId([0; 32]),
			device: IdentityKey([0; 32]),
			number,
			replace,
			lapse,
			packages: vec![package.clone(); packages as usize].try_into().unwrap(),
			last_resort: last_resort.then_some(package),
		},
		references: vec![HexBytes(Vec::new()); packages as usize],
		last_resort: last_resort.then(|| HexBytes(Vec::new())),
		first,
	}
}

fn stocked() -> (Model, Keeping) {
	let (mut model, keeping) = (Model::new(), Keeping::default());
	assert_eq!(model.keep(&keeping), (Step::Rest, 1));
	(model, keeping)
}

fn due(model: &Model, keeping: &Keeping) -> (Order, Vec<Why>) {
	match keeping.decide(&model.shelf, model.stock.as_ref(), model.block) {
		Step::Publish(order, why) => (order, why),
		step => panic!("{step:?}"),
	}
}

#[test]
fn a_new_device_publishes_a_full_stock_and_a_last_resort() {
	let (model, _) = stocked();
	let stock = model.stock.unwrap();
	assert_eq!((stock.left(), stock.last_resort), (100, Some(1_000 + MAX_LIFE)));
}

#[test]
fn it_is_refilled_below_fifty_and_not_before() {
	let (mut model, keeping) = stocked();
	(0..50).for_each(|_| model.claim());
	assert_eq!(model.keep(&keeping), (Step::Rest, 0));
	model.claim();
	let (order, why) = due(&model, &keeping);
	assert_eq!((order.packages, order.last_resort, order.replace, why), (51, false, false, vec![Why::Few]));
	assert_eq!(model.keep(&keeping), (Step::Rest, 1));
	assert_eq!(model.stock.unwrap().left(), 100);
}

#[test]
fn a_last_resort_that_was_used_is_replaced() {
	let (mut model, keeping) = stocked();
	(0..101).for_each(|_| model.claim());
	let (order, why) = due(&model, &keeping);
	assert_eq!((order.packages, order.last_resort, order.replace), (100, true, false));
	assert_eq!(why, [Why::Few, Why::LastResortUsed]);
}

#[test]
fn what_is_to_lapse_soon_is_replaced_before_it_does() {
	let (mut model, keeping) = stocked();
	model.pass(MAX_LIFE - keeping.renew_before - 1);
	assert_eq!(model.keep(&keeping), (Step::Rest, 0));
	model.pass(1);
	let (order, why) = due(&model, &keeping);
	assert_eq!((order.packages, order.last_resort, order.replace, why), (100, true, true, vec![Why::Lapsing]));
}

#[test]
fn what_another_store_has_published_is_replaced() {
	let (mut model, keeping) = stocked();
	// A store that was restored from a backup knows nothing.
	let before = std::mem::take(&mut model.shelf);
	let (order, why) = due(&model, &keeping);
	assert_eq!((order.packages, order.last_resort, order.replace, why), (100, true, true, vec![Why::NotOurs]));
	model.shelf = before;
	model.publish_elsewhere(0, true);
	assert_eq!(due(&model, &keeping).1, [Why::NotOurs], "of its last resort there are no keys here");
}

#[test]
fn if_the_chain_takes_no_more_it_waits_and_a_last_resort_comes_first() {
	let (mut model, keeping) = stocked();
	let stock = model.stock.as_mut().unwrap();
	(stock.allowed, stock.allowed_at) = (0, model.block);
	model.pass(10);
	(0..101).for_each(|_| model.claim());
	assert_eq!(keeping.decide(&model.shelf, model.stock.as_ref(), model.block), Step::Wait(1_300));
	model.pass(290);
	let (order, _) = due(&model, &keeping);
	assert_eq!((order.packages, order.last_resort), (0, true));
}

#[test]
fn what_can_be_claimed_still_is_not_given_up_for_a_few() {
	let (mut model, keeping) = stocked();
	model.pass(MAX_LIFE - keeping.renew_before);
	let block = model.block;
	let stock = model.stock.as_mut().unwrap();
	(stock.allowed, stock.allowed_at, stock.last_resort) = (20, block, Some(block + MAX_LIFE));
	model.shelf.last_resort.as_mut().unwrap().lapse = block + MAX_LIFE;
	let until = block + 31 * EVERY;
	assert_eq!(keeping.decide(&model.shelf, model.stock.as_ref(), block), Step::Wait(until));
	model.pass(until - block);
	assert!(due(&model, &keeping).0.replace);
}

#[derive(Clone, Debug)]
enum Move {
	Claim(u32),
	Pass(BlockNumber),
	Elsewhere(u32, bool),
}

fn moves() -> impl Strategy<Value = Vec<Move>> {
	let one = prop_oneof![
		4 => (1..160u32).prop_map(Move::Claim),
		4 => (1..10 * DAY).prop_map(Move::Pass),
		2 => (1..2 * DAY).prop_map(Move::Pass),
		1 => ((0..60u32), any::<bool>()).prop_map(|(packages, last)| Move::Elsewhere(packages, last)),
	];
	vec(one, 1..60)
}

fn keepings() -> impl Strategy<Value = Keeping> {
	let any = (1..=120u32, 0..=120u32, 1..=90 * DAY, 0..=90 * DAY);
	let any =
		any.prop_map(|(target, refill_below, life, renew_before)| Keeping { target, refill_below, life, renew_before });
	prop_oneof![Just(Keeping::default()), any]
}

proptest! {
	#![proptest_config(ProptestConfig { cases: 400, ..ProptestConfig::default() })]

	/// Whatever happens: the chain takes what is published, it is not published again and again, and where nothing is to be done
	/// nothing is missing.
	#[test]
	fn whatever_happens_the_stock_is_kept(keeping in keepings(), moves in moves()) {
		let mut model = Model::new();
		let begin = model.block;
		let mut published = 0;
		let mut elsewhere = 0;
		for one in moves {
			match one {
				Move::Claim(times) => (0..times).for_each(|_| model.claim()),
				Move::Pass(blocks) => model.pass(blocks),
				Move::Elsewhere(packages, last) => {
					model.publish_elsewhere(packages, last);
					elsewhere += 1;
				}
			}
			let (step, times) = model.keep(&keeping);
			published += times;
			let Some(stock) = model.stock else { panic!("something was published") };
			let soon = keeping.soon(model.block);
			match step {
				Step::Rest => {
					prop_assert!(stock.left() >= keeping.refill_below() && stock.left() <= MAX_STOCK);
					prop_assert!(stock.must_replace.is_none() && stock.last_resort.is_some_and(|lapse| lapse > soon));
					let left = stock.first as usize..stock.next as usize;
					prop_assert!(model.lapses[left].iter().all(|lapse| *lapse > soon), "renewed in time");
					prop_assert!(model.shelf.is_all_of(&stock));
				}
				Step::Wait(until) => {
					prop_assert!(until > model.block, "{until} of {}", model.block);
					let (allowed, _) = allowance(&stock, model.block);
					prop_assert!(allowed <= keeping.refill_below());
					// Then something is published.
					let mut later = model.clone();
					later.pass(until - model.block);
					let step = keeping.decide(&later.shelf, later.stock.as_ref(), later.block);
					prop_assert!(matches!(step, Step::Publish(..)), "{step:?}");
				}
				Step::Publish(..) => unreachable!(),
			}
		}
		let most = (BURST + (model.block - begin) / EVERY) as usize;
		prop_assert!(published <= most + elsewhere);
	}
}

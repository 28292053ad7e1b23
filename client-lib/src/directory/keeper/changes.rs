//! What became of a stock since it was told last.

use super::shelf::Shelf;
use lockstep_primitives::{key_package::Stock, BlockNumber};

/// Something that happened to the KeyPackages of this device, as the state of a final block shows. What was claimed, and by whom,
/// is not told by it: an invitation does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum StockNews {
	/// KeyPackages are gone.
	Gone {
		/// So many were claimed.
		claimed: u32,
		/// So many more have lapsed by now, and were claimed before, or not.
		claimed_or_lapsed: u32,
	},
	/// There are few left.
	Low {
		/// How many.
		left: u32,
	},
	/// The last resort was claimed, perhaps by several: others could not be had any more.
	LastResortUsed {
		/// The block in which it was first.
		since: BlockNumber,
	},
}

/// What is to be told, and what is remembered as told then.
pub(super) fn changes(shelf: &Shelf, stock: &Stock, block: BlockNumber, low: u32) -> (Vec<StockNews>, Shelf) {
	let (mut news, mut told) = (Vec::new(), shelf.clone());
	if stock.next == shelf.next {
		let gone = shelf.told..stock.first;
		let lapsed = |place: &u32| {
			let of = shelf.batches.iter().find(|batch| batch.next > *place);
			of.is_none_or(|batch| batch.lapse < block)
		};
		let all = u32::try_from(gone.len()).unwrap_or(u32::MAX);
		let claimed_or_lapsed = u32::try_from(gone.filter(lapsed).count()).unwrap_or(u32::MAX);
		let claimed = all.saturating_sub(claimed_or_lapsed);
		if all > 0 {
			news.push(StockNews::Gone { claimed, claimed_or_lapsed });
		}
		told.batches.retain(|batch| batch.next > stock.first);
	}
	told.told = told.told.max(stock.first);
	let is_low = stock.left() < low;
	if is_low && !shelf.told_low && shelf.next > 0 {
		news.push(StockNews::Low { left: stock.left() });
	}
	told.told_low = is_low;
	let own = shelf.last_resort.as_ref().map(|last| last.lapse) == stock.last_resort;
	if let Some(since) = stock.must_replace.filter(|since| own && shelf.told_used != Some(*since)) {
		news.push(StockNews::LastResortUsed { since });
		told.told_used = Some(since);
	}
	(news, told)
}

#[cfg(test)]
mod tests {
	use super::*;
	use crate::directory::keeper::shelf::{Batch, LastResort};
	use lockstep_primitives::{rpc::HexBytes, IdentityId};

	fn shelf() -> Shelf {
		Shelf {
			next: 20,
			batches: vec![Batch { next: 10, lapse: 100 }, Batch { next: 20, lapse: 200 }],
			last_resort: Some(LastResort { reference: HexBytes(vec![1]), lapse: 200 }),
			..Shelf::default()
		}
	}

	fn stock(first: u32, must_replace: Option<BlockNumber>) -> Stock {
		Stock {
			identity: IdentityId([0; 32]),
			number: 2,
			first,
			next: 20,
			last_resort: Some(200),
			must_replace,
			allowed: 256,
			allowed_at: 0,
		}
	}

	#[test]
	fn what_is_gone_is_told_once_and_what_has_lapsed_apart() {
		let (news, told) = changes(&shelf(), &stock(12, None), 150, 5);
		assert_eq!(news, [StockNews::Gone { claimed: 2, claimed_or_lapsed: 10 }]);
		assert_eq!(told.batches, [Batch { next: 20, lapse: 200 }]);
		assert_eq!(changes(&told, &stock(12, None), 151, 5), (vec![], told.clone()));
		let (news, _) = changes(&shelf(), &stock(12, None), 100, 5);
		assert_eq!(
			news,
			[StockNews::Gone { claimed: 12, claimed_or_lapsed: 0 }],
			"in the last block they can be claimed"
		);
	}

	#[test]
	fn what_is_low_or_used_is_told_once() {
		let (news, told) = changes(&shelf(), &stock(20, Some(90)), 95, 5);
		let used = StockNews::LastResortUsed { since: 90 };
		assert_eq!(news, [StockNews::Gone { claimed: 20, claimed_or_lapsed: 0 }, StockNews::Low { left: 0 }, used]);
		assert_eq!(changes(&told, &stock(20, Some(90)), 96, 5).0, []);
		assert_eq!(changes(&told, &stock(20, Some(99)), 99, 5).0, [StockNews::LastResortUsed { since: 99 }]);
	}

	#[test]
	fn of_what_others_have_published_nothing_is_told() {
		let (news, told) = changes(&Shelf::default(), &stock(3, Some(90)), 95, 50);
		assert_eq!((news, told.told), (vec![], 3));
	}
}

//! What became of the KeyPackages of this device since that was told last.

use crate::{commands::keys::stock::StockView, marks::StockMark};
use lockstep_client::directory::{IdentityKey, Stock};
use serde::Serialize;

/// A device's stock, and how it has changed.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct StockNews {
	#[serde(flatten)]
	view: StockView,
	/// KeyPackages that were claimed, have lapsed or were replaced since.
	gone: u32,
	/// Whether the last resort was claimed since, which means that there was nothing else.
	last_resort_used: bool,
	#[serde(skip)]
	first: u32,
	#[serde(skip)]
	block: u32,
}

impl StockNews {
	/// Between what was told, of this device, and this final block. Nothing, if what was told was of a later one.
	pub fn since(told: Option<StockMark>, device: IdentityKey, stock: Option<Stock>, block: u32) -> Self {
		let first = stock.map_or(0, |stock| stock.first);
		let view = StockView::new(device, stock);
		let told = told.filter(|told| told.device == device);
		let gone = told.map_or(0, |told| first.saturating_sub(told.first));
		let is_later = told.is_none_or(|told| told.block <= block);
		let last_resort_used =
			is_later && view.must_replace.is_some() && told.and_then(|told| told.must_replace) != view.must_replace;
		Self { view, gone, last_resort_used, first, block }
	}

	/// To be kept when it was told.
	pub fn mark(&self) -> StockMark {
		StockMark {
			device: self.view.device,
			first: self.first,
			must_replace: self.view.must_replace,
			block: self.block,
		}
	}

	/// For people; nothing if nothing has changed.
	pub fn lines(&self) -> Vec<String> {
		let mut lines = Vec::new();
		if self.gone > 0 {
			let left = self.view.left;
			let publish = if left == 0 { ": lockstep keys publish" } else { "" };
			lines.push(format!(
				"KeyPackages  {} were claimed, have lapsed or were replaced; {left} are left{publish}",
				self.gone
			));
		}
		if let Some(block) = self.view.must_replace.filter(|_| self.last_resort_used) {
			lines.push(format!(
				"KeyPackages  the last resort was used, first in block {block}: lockstep keys publish --last-resort"
			));
		}
		lines
	}
}

#[cfg(test)]
mod tests {
	use super::*;
	use lockstep_client::directory::IdentityId;

	const DEVICE: IdentityKey = IdentityKey([2; 32]);

	fn stock(first: u32, next: u32, must_replace: Option<u32>) -> Option<Stock> {
		let identity = IdentityId([1; 32]);
		let (number, last_resort) = (1, Some(90));
		Some(Stock { identity, number, first, next, last_resort, must_replace, allowed: 0, allowed_at: 0 })
	}

	#[test]
	fn what_became_of_a_stock_is_told_once() {
		let first = StockNews::since(None, DEVICE, stock(2, 10, None), 50);
		assert_eq!(first.lines(), Vec::<String>::new(), "nothing was told before that it could be compared to");
		let used = StockNews::since(Some(first.mark()), DEVICE, stock(10, 10, Some(70)), 71);
		let lines = used.lines();
		assert_eq!((used.gone, lines.len()), (8, 2), "{lines:?}");
		assert!(lines.iter().all(|line| line.contains("lockstep keys publish")), "{lines:?}");
		let again = StockNews::since(Some(used.mark()), DEVICE, stock(10, 10, Some(70)), 71);
		assert!(again.lines().is_empty());
		// Published since: what went before is another matter.
		let published = StockNews::since(Some(used.mark()), DEVICE, stock(11, 20, None), 72);
		assert_eq!(published.lines(), ["KeyPackages  1 were claimed, have lapsed or were replaced; 9 are left"]);
		// It was replaced, and a node that is behind does not know.
		let behind = StockNews::since(Some(published.mark()), DEVICE, stock(10, 10, Some(70)), 71);
		assert_eq!(behind.lines(), Vec::<String>::new());
		// A rotated device has a stock of its own.
		let rotated = StockNews::since(Some(used.mark()), IdentityKey([3; 32]), stock(12, 20, None), 72);
		assert!(rotated.lines().is_empty());
	}

	#[test]
	fn its_json_is_the_documented_one() {
		let json = serde_json::to_value(StockNews::since(None, DEVICE, stock(2, 10, Some(70)), 71)).unwrap();
		let expected = serde_json::json!({
			"device": DEVICE, "left": 8, "lastResort": 90, "mustReplace": 70, "number": 1, "gone": 0,
			"lastResortUsed": true
		});
		assert_eq!(json, expected);
	}
}

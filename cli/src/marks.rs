//! How far a conversation was read: for each group the number of the first record that was not shown. And what was told of the
//! device's KeyPackages.

use crate::{failure::Failure, files};
use lockstep_client::{directory::IdentityKey, GroupId};
use serde::{Deserialize, Serialize};
use std::{
	collections::BTreeMap,
	path::{Path, PathBuf},
};

/// The marks of a profile.
#[derive(Debug)]
pub struct Marks {
	path: PathBuf,
	read: Read,
}

#[derive(Debug, Default, Serialize, Deserialize)]
struct Read {
	read: BTreeMap<GroupId, usize>,
	#[serde(default, skip_serializing_if = "Option::is_none")]
	stock: Option<StockMark>,
}

/// The stock of KeyPackages when it was told of last.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct StockMark {
	/// Of the device that had this key.
	pub device: IdentityKey,
	/// The place of the next KeyPackage to be claimed.
	pub first: u32,
	/// The block since which the last resort has to be replaced.
	pub must_replace: Option<u32>,
	/// The final block of whose state that is.
	#[serde(default)]
	pub block: u32,
}

impl Marks {
	/// Those in a file. One that is missing or damaged has none: what was read is shown again.
	pub fn open(path: &Path) -> Self {
		let read = std::fs::read(path).ok().and_then(|file| serde_json::from_slice(&file).ok()).unwrap_or_default();
		Self { path: path.to_owned(), read }
	}

	/// The number of the first record of a group that was not shown.
	pub fn of(&self, group: &GroupId) -> usize {
		self.read.read.get(group).copied().unwrap_or_default()
	}

	/// Everything about these groups below `next` was shown.
	pub fn set(&mut self, groups: impl IntoIterator<Item = GroupId>, next: usize) -> Result<(), Failure> {
		let mut changed = false;
		for group in groups {
			let mark = self.read.read.entry(group).or_default();
			changed |= *mark < next;
			*mark = (*mark).max(next);
		}
		if !changed {
			return Ok(());
		}
		self.write()
	}

	/// The stock when it was told of last.
	pub fn stock(&self) -> Option<StockMark> {
		self.read.stock
	}

	/// It was told of. That of an earlier block than what was told of the same device changes nothing.
	pub fn tell_stock(&mut self, stock: StockMark) -> Result<(), Failure> {
		if self.read.stock.is_some_and(|told| told.device == stock.device && told.block >= stock.block) {
			return Ok(());
		}
		self.read.stock = Some(stock);
		self.write()
	}

	fn write(&self) -> Result<(), Failure> {
		let json = serde_json::to_vec(&self.read);
		files::replace(&self.path, &json.map_err(|error| Failure::new(crate::failure::Kind::Failed, error))?)
	}
}

#[cfg(test)]
mod tests {
	use super::*;

	#[test]
	fn marks_survive_and_only_go_forward() {
		let folder = tempfile::tempdir().unwrap();
		let path = folder.path().join("marks.json");
		let (one, other) = (GroupId([1; 32]), GroupId([2; 32]));
		let mut marks = Marks::open(&path);
		marks.set([one], 5).unwrap();
		marks.set([one, other], 3).unwrap();
		let marks = Marks::open(&path);
		assert_eq!((marks.of(&one), marks.of(&other), marks.of(&GroupId([3; 32]))), (5, 3, 0));
		let stock = StockMark { device: IdentityKey([4; 32]), first: 3, must_replace: Some(7), block: 9 };
		let mut marks = marks;
		assert_eq!(marks.stock(), None, "files of before have none");
		marks.tell_stock(stock).unwrap();
		let marks = Marks::open(&path);
		assert_eq!((marks.of(&one), marks.stock()), (5, Some(stock)));
		let mut marks = marks;
		marks.tell_stock(StockMark { first: 2, block: 8, ..stock }).unwrap();
		assert_eq!(marks.stock(), Some(stock), "a node that is behind says so");
		let rotated = StockMark { device: IdentityKey([5; 32]), first: 0, must_replace: None, block: 8 };
		marks.tell_stock(rotated).unwrap();
		assert_eq!(Marks::open(&path).stock(), Some(rotated), "another device has a stock of its own");
		std::fs::write(&path, "{").unwrap();
		assert_eq!(Marks::open(&path).of(&one), 0);
	}
}

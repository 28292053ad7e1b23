//! What a store knows of the KeyPackages that it has put into the directory.

use lockstep_primitives::{
	key_package::{Publication, Stock},
	rpc::HexBytes,
	BlockNumber,
};
use serde::{Deserialize, Serialize};

/// For how many final blocks the private keys of a KeyPackage are kept after it can be claimed no more: 14 days of seconds.
///
/// Who claims in the last block has half a day to add, and a day to send the invitation; nodes keep that for eight days at most.
pub const GRACE: BlockNumber = 14 * 86_400;

/// KeyPackages that were published together.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Batch {
	/// The place after the last of them.
	pub next: u32,
	/// The last block in which they can be claimed.
	pub lapse: BlockNumber,
}

/// The last resort that was published last.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct LastResort {
	/// Its KeyPackageRef.
	pub reference: HexBytes,
	/// The last block in which it can be claimed.
	pub lapse: BlockNumber,
}

/// What was published from this store, for one device, and what was told of it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Shelf {
	/// The number that a publication has at least that comes after them.
	#[serde(default)]
	pub number: u32,
	/// The place after the newest KeyPackage.
	#[serde(default)]
	pub next: u32,
	/// Those of which something may be left, the oldest first.
	#[serde(default)]
	pub batches: Vec<Batch>,
	#[serde(default)]
	pub last_resort: Option<LastResort>,
	/// How many publications with the next number were given up because the chain refuses them as things are.
	#[serde(default)]
	pub abandoned: u32,
	/// The place up to which it was told what became of the KeyPackages.
	#[serde(default)]
	pub told: u32,
	/// It was told that the last resort was used in this block.
	#[serde(default)]
	pub told_used: Option<BlockNumber>,
	/// It was told that there are few.
	#[serde(default)]
	pub told_low: bool,
}

/// A publication that was made and stored, and of which it is not known whether the chain has it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Draft {
	/// What is published, without the signature, which is the same each time that it is made.
	pub publication: Publication,
	/// The KeyPackageRefs of its KeyPackages, the last resort excepted.
	pub references: Vec<HexBytes>,
	/// That of its last resort.
	pub last_resort: Option<HexBytes>,
	/// The place of its first KeyPackage.
	pub first: u32,
}

/// Which draft is meant: another one may be on its way by the time that it is known what became of this one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct DraftId {
	number: u32,
	/// The reference of its first KeyPackage.
	first: Option<HexBytes>,
}

impl Draft {
	/// By which it is told from others.
	pub fn id(&self) -> DraftId {
		let first = self.references.first().or(self.last_resort.as_ref()).cloned();
		DraftId { number: self.publication.number, first }
	}
}

impl Shelf {
	/// Whether all that can be claimed of this stock was published from this store.
	pub fn is_all_of(&self, stock: &Stock) -> bool {
		let packages = stock.left() == 0 || stock.next == self.next;
		packages
			&& stock.last_resort.is_none_or(|lapse| self.last_resort.as_ref().is_some_and(|own| own.lapse == lapse))
	}

	/// Whether anything that is left, but for the last resort, cannot be claimed any more after this block.
	pub fn lapses_by(&self, stock: &Stock, block: BlockNumber) -> bool {
		stock.left() > 0 && self.batches.iter().any(|batch| batch.next > stock.first && batch.lapse <= block)
	}

	/// The draft is on the chain. Gives the last resort that it has replaced.
	pub fn take(&mut self, draft: &Draft) -> Option<LastResort> {
		let Publication { number, lapse, replace, ref packages, .. } = draft.publication;
		let count = u32::try_from(packages.len()).unwrap_or_default();
		self.next = draft.first.saturating_add(count);
		self.number = number.saturating_add(1);
		self.abandoned = 0;
		self.told_low = false;
		if replace || draft.first == 0 {
			self.batches.clear();
			self.told = draft.first;
		}
		if count > 0 {
			self.batches.push(Batch { next: self.next, lapse });
		}
		let new = draft.last_resort.clone().map(|reference| LastResort { reference, lapse });
		if new.is_none() && !replace {
			return None;
		}
		self.told_used = None;
		std::mem::replace(&mut self.last_resort, new)
	}
}

/// What is to be published.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Order {
	/// The number of the publication.
	pub number: u32,
	/// The place of its first KeyPackage.
	pub first: u32,
	/// How many KeyPackages, beside the last resort.
	pub packages: u32,
	/// Whether a last resort.
	pub last_resort: bool,
	/// Whether what is there goes.
	pub replace: bool,
	/// The last block in which they can be claimed.
	pub lapse: BlockNumber,
}

/// What became of a draft.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Settled {
	/// It is on the chain, as of this final block.
	Published(BlockNumber),
	/// It never will be: its private keys can go.
	Never,
	/// Something else has its number, or it has lapsed, and it is not remembered any more whether it was on the chain.
	Unknown,
	/// The chain refuses it as things are. It may still get there.
	Abandoned,
}

/// What a store says of one device.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Remembered {
	pub shelf: Shelf,
	pub draft: Option<Draft>,
}

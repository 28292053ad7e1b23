//! Letters that envelopes have named, and that have not come yet.

use crate::mls::LetterKey;
use std::collections::{BTreeMap, VecDeque};

/// How many are waited for. Whoever has seen a KeyPackage can name any number; the oldest go.
const MAX_AWAITED: usize = 64;

/// A letter to come.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Awaited {
	/// Where it lies, and what opens it.
	pub key: LetterKey,
	/// The KeyPackage whose mailbox the envelope was in.
	pub reference: Vec<u8>,
	/// What the statement with the envelope is remembered by.
	pub named_by: [u8; 32],
}

/// See the module.
#[derive(Debug, Default)]
pub(super) struct Letters {
	awaited: BTreeMap<[u8; 32], Awaited>,
	/// Their topics, in the order they came.
	order: VecDeque<[u8; 32]>,
}

impl Letters {
	/// Waits for a letter; gives the one that had to go for it.
	pub fn insert(&mut self, awaited: Awaited) -> Option<Awaited> {
		let topic = awaited.key.topic;
		if self.awaited.insert(topic, awaited).is_none() {
			self.order.push_back(topic);
		}
		if self.order.len() <= MAX_AWAITED {
			return None;
		}
		self.order.pop_front().and_then(|oldest| self.awaited.remove(&oldest))
	}

	/// The one under this topic.
	pub fn get(&self, topic: &[u8; 32]) -> Option<&Awaited> {
		self.awaited.get(topic)
	}

	/// Waits for it no longer.
	pub fn remove(&mut self, topic: &[u8; 32]) {
		self.awaited.remove(topic);
		self.order.retain(|other| other != topic);
	}

	/// The topics of all.
	pub fn topics(&self) -> Vec<[u8; 32]> {
		self.order.iter().copied().collect()
	}

	/// The topics of those for one KeyPackage.
	pub fn for_package(&self, reference: &[u8]) -> Vec<[u8; 32]> {
		let of = self.awaited.iter().filter(|(_, awaited)| awaited.reference == reference);
		of.map(|(topic, _)| *topic).collect()
	}
}

#[cfg(test)]
mod tests {
	use super::*;
	use codec::Decode;

	fn awaited(name: u8, package: u8) -> Awaited {
		let key = LetterKey::decode(&mut &[name; 48][..]).unwrap();
		Awaited { key, reference: vec![package], named_by: [name; 32] }
	}

	#[test]
	fn a_flood_of_envelopes_is_bounded_and_the_oldest_go() {
		let mut letters = Letters::default();
		let count = u8::try_from(MAX_AWAITED).unwrap();
		assert!((0..count).all(|name| letters.insert(awaited(name, 1)).is_none()));
		assert_eq!(letters.insert(awaited(0, 1)), None, "it is there already");
		assert_eq!(letters.insert(awaited(count, 2)), Some(awaited(0, 1)));
		assert_eq!((letters.topics().len(), letters.get(&[0; 32])), (MAX_AWAITED, None));
		assert_eq!(letters.for_package(&[2]), [[count; 32]]);
		letters.remove(&[count; 32]);
		assert_eq!(letters.for_package(&[2]).len(), 0);
		assert_eq!(letters.topics().len(), MAX_AWAITED - 1);
	}
}

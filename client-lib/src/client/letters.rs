//! Letters that envelopes have named, and that have not come yet.

use crate::mls::LetterKey;
use std::collections::{BTreeMap, VecDeque};

/// How many are waited for. Whoever has seen a KeyPackage can name any number.
const MAX_AWAITED: usize = 64;

/// A letter to come.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Awaited {
	/// Which it is, and what opens it.
	pub key: LetterKey,
	/// The KeyPackage whose mailbox the envelope was in.
	pub reference: Vec<u8>,
	/// Who signed the statement with the envelope, and what that is remembered by.
	pub signer: [u8; 32],
	pub named_by: [u8; 32],
}

/// See the module.
#[derive(Debug, Default)]
pub(super) struct Letters {
	awaited: BTreeMap<[u8; 32], Awaited>,
	/// Their topics, in the order they came.
	order: VecDeque<[u8; 32]>,
}

/// What came of an envelope.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Named {
	/// Its letter is waited for already.
	Known,
	/// Its letter is waited for from now on, under this topic, and another one no longer.
	New([u8; 32], Option<Awaited>),
}

impl Letters {
	/// Waits for a letter. If there are too many, the oldest goes of the signer that has named most: a flood costs whoever
	/// makes it, and needs keys of many groups to cost others.
	pub fn insert(&mut self, awaited: Awaited) -> Named {
		let topic = awaited.key.topic();
		if self.awaited.contains_key(&topic) {
			return Named::Known;
		}
		self.awaited.insert(topic, awaited);
		self.order.push_back(topic);
		let dropped = if self.order.len() > MAX_AWAITED { self.oldest_of_most() } else { None };
		Named::New(topic, dropped.and_then(|dropped| self.remove(&dropped)))
	}

	fn oldest_of_most(&self) -> Option<[u8; 32]> {
		let mut counts = BTreeMap::<[u8; 32], usize>::new();
		for awaited in self.awaited.values() {
			let count = counts.entry(awaited.signer).or_default();
			*count = count.saturating_add(1);
		}
		let (most, _) = counts.into_iter().max_by_key(|(_, count)| *count)?;
		self.order.iter().find(|topic| self.awaited.get(*topic).is_some_and(|it| it.signer == most)).copied()
	}

	/// The one under this topic.
	pub fn get(&self, topic: &[u8; 32]) -> Option<&Awaited> {
		self.awaited.get(topic)
	}

	/// Waits for it no longer.
	pub fn remove(&mut self, topic: &[u8; 32]) -> Option<Awaited> {
		self.order.retain(|other| other != topic);
		self.awaited.remove(topic)
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

	fn awaited(name: u8, package: u8, signer: u8) -> Awaited {
		let key = LetterKey::decode(&mut &[name; 48][..]).unwrap();
		Awaited { key, reference: vec![package], signer: [signer; 32], named_by: [name; 32] }
	}

	fn topic(name: u8) -> [u8; 32] {
		awaited(name, 0, 0).key.topic()
	}

	#[test]
	fn a_letter_is_waited_for_once_and_no_longer_than_wanted() {
		let mut letters = Letters::default();
		assert_eq!(letters.insert(awaited(1, 1, 1)), Named::New(topic(1), None));
		assert_eq!(letters.insert(awaited(1, 2, 2)), Named::Known);
		assert_eq!(letters.get(&topic(1)), Some(&awaited(1, 1, 1)), "the first one stays");
		assert_eq!((letters.for_package(&[1]), letters.topics()), (vec![topic(1)], vec![topic(1)]));
		letters.remove(&topic(1));
		assert_eq!((letters.topics().len(), letters.get(&topic(1))), (0, None));
	}

	#[test]
	fn a_flood_is_bounded_and_costs_whoever_makes_it() {
		let mut letters = Letters::default();
		letters.insert(awaited(200, 1, 1));
		let count = u8::try_from(MAX_AWAITED).unwrap();
		for name in 1..count {
			assert_eq!(letters.insert(awaited(name, 2, 2)), Named::New(topic(name), None));
		}
		for name in count..2 * count {
			let gone = awaited(name + 1 - count, 2, 2);
			assert_eq!(letters.insert(awaited(name, 2, 2)), Named::New(topic(name), Some(gone)));
		}
		assert_eq!(letters.topics().len(), MAX_AWAITED);
		assert!(letters.get(&topic(200)).is_some(), "that of another signer is there");
	}
}

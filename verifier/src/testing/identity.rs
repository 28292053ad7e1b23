//! Logs of identities whose secret keys are known.

use super::validators::{public, secret};
use crate::identity::{History, ProvenIdentity, Recorded};
use alloc::vec::Vec;
use codec::Encode;
use lockstep_primitives::{
	identity::{Action, Event, IdentityState, NewDevice, RecoveryKeys, SignedEvent},
	key_package::testing::Recipe,
	BlockNumber, EventSignature, GenesisHash, IdentityId, IdentityKey,
};

/// Keys of people are secrets of this family.
const FAMILY: u64 = 2 << 32;

/// What the directory pallet stores of an identity: the state, and what clients do not know.
pub fn identity_record(state: &IdentityState) -> Vec<u8> {
	(state, [9u8; 32], 1_000_000_000_000u128).encode()
}

/// The key with this number.
pub fn identity_key(number: u64) -> IdentityKey {
	IdentityKey(public(&secret(FAMILY, number)))
}

/// A device with the key `number`, which is to go over to the key `next`.
pub fn device(number: u64, next: u64) -> NewDevice {
	NewDevice { key: identity_key(number), next: identity_key(next).commitment() }
}

/// Recovery keys with these numbers.
pub fn recovery(numbers: &[u64]) -> RecoveryKeys {
	let keys: Vec<_> = numbers.iter().map(|number| identity_key(*number).commitment()).collect();
	RecoveryKeys::try_from(keys).expect("there is room")
}

/// An event, signed.
pub fn sign(genesis: &GenesisHash, event: Event, author: u64, accepting: Option<u64>) -> SignedEvent {
	let by = |number: u64, text: Vec<u8>| EventSignature(secret(FAMILY, number).sign(&text).to_bytes());
	SignedEvent {
		signature: by(author, event.signing_payload(genesis)),
		acceptance: accepting.map(|number| by(number, event.acceptance_payload(genesis))),
		event,
	}
}

/// A KeyPackage of the device with the key `number`, signed.
pub fn key_package(identity: &IdentityId, number: u64) -> Vec<u8> {
	let recipe = Recipe::new(identity, &identity_key(number), 0);
	recipe.signed(|text| EventSignature(secret(FAMILY, number).sign(text).to_bytes()))
}

/// A log that starts with the first event of an identity.
#[derive(Clone, Debug)]
pub struct PersonLog {
	/// The chain.
	pub genesis: GenesisHash,
	/// The identity.
	pub id: IdentityId,
	/// The events.
	pub recorded: Vec<Recorded>,
	/// What they make.
	pub history: History,
}

impl PersonLog {
	/// An identity with the device 1, which is to go over to the key 101, and the recovery keys 201 and 202, in a block.
	pub fn new(genesis: GenesisHash, block: BlockNumber) -> Self {
		let event = Event::incept(&genesis, device(1, 101), recovery(&[201, 202]), None);
		let id = event.identity;
		let mut log = Self { genesis, id, recorded: Vec::new(), history: History::new(genesis, id) };
		log.put(Recorded { block, event: sign(&genesis, event, 1, None) });
		log
	}

	/// The next event, by an author, signed.
	pub fn next(&self, author: u64, action: Action, accepting: Option<u64>) -> SignedEvent {
		let head = self.history.head();
		let (identity, author_key) = (self.id, identity_key(author));
		let event = Event { identity, index: head.length, previous: head.hash, author: author_key, action };
		sign(&self.genesis, event, author, accepting)
	}

	/// Appends the next event, in a block.
	pub fn act(&mut self, block: BlockNumber, author: u64, action: Action, accepting: Option<u64>) {
		let event = self.next(author, action, accepting);
		self.put(Recorded { block, event });
	}

	/// Appends an event.
	pub fn put(&mut self, recorded: Recorded) {
		self.history.admit(recorded.clone()).expect("it keeps the rules");
		self.recorded.push(recorded);
	}

	/// What the chain keeps.
	pub fn state(&self) -> IdentityState {
		self.history.newest().expect("it has a first event").clone()
	}

	/// What a proof of the newest state shows.
	pub fn proven(&self) -> ProvenIdentity {
		ProvenIdentity { state: Some(self.state()), ended: None, runtime: None }
	}
}

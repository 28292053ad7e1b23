//! The bytes of the extrinsics that clients make and nodes read.
//!
//! The layout is pinned here and compared with the runtime's own types in the runtime's tests. A client compares
//! [`TRANSACTION_VERSION`] with the chain's before it sends anything.

use crate::{
	identity::{SignedEvent, MAX_SIGNED_EVENT},
	key_package::{Claim, SignedGateChange, SignedPublication},
	voucher::Payment,
	Endorsement, EntryHash, GenesisHash, GroupId, IdentityId, OrderingKey,
};
use alloc::{boxed::Box, vec::Vec};
use blake2::{digest::consts::U32, Blake2b, Digest};
use codec::{Compact, Decode, DecodeAll, Encode, Input};

/// `transaction_version` of the runtimes whose extrinsics have this layout.
pub const TRANSACTION_VERSION: u32 = 1;
/// Position of the ordering pallet in the runtime.
pub const ORDERING_PALLET: u8 = 10;
/// `ordering.create_group`.
pub const CREATE_GROUP_CALL: u8 = 0;
/// `ordering.append`.
pub const APPEND_CALL: u8 = 1;
/// `ordering.close_group`.
pub const CLOSE_GROUP_CALL: u8 = 2;
/// `ordering.create_group_by_voucher`.
pub const CREATE_GROUP_BY_VOUCHER_CALL: u8 = 3;
/// Position of the directory pallet in the runtime.
pub const DIRECTORY_PALLET: u8 = 14;
/// `directory.register`.
pub const REGISTER_CALL: u8 = 0;
/// `directory.record`.
pub const RECORD_CALL: u8 = 1;
/// `directory.reclaim`.
pub const RECLAIM_CALL: u8 = 2;
/// `directory.register_by_voucher`.
pub const REGISTER_BY_VOUCHER_CALL: u8 = 3;

/// Position of the pallet of KeyPackages in the runtime.
pub const KEY_PACKAGES_PALLET: u8 = 16;
/// `key_packages.publish`.
pub const PUBLISH_CALL: u8 = 0;
/// `key_packages.set_gate`.
pub const SET_GATE_CALL: u8 = 1;
/// `key_packages.claim`.
pub const CLAIM_CALL: u8 = 2;
/// `key_packages.record_and_publish`.
pub const RECORD_AND_PUBLISH_CALL: u8 = 3;

/// A general transaction (type 1) of extrinsic format 5.
const GENERAL_V5: u8 = 0b0100_0101;
/// A signed transaction of extrinsic format 4.
const SIGNED_V4: u8 = 0b1000_0100;
const EXTENSION_VERSION: u8 = 0;
/// What the transaction extensions put into a general transaction: immortal, nonce 0, no tip, no metadata hash.
const GENERAL_EXTENSIONS: [u8; 4] = [0; 4];
const ADDRESS_ID: u8 = 0;
const SIGNATURE_ED25519: u8 = 0;
const IMMORTAL: u8 = 0;
const NO_METADATA_HASH: u8 = 0;
/// Longer payloads than this are hashed before they are signed.
const SIGNED_WHOLE: usize = 256;

/// The arguments of `ordering.append`.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub struct Append {
	/// The group whose log is to get the entry.
	pub group: GroupId,
	/// The entry in whose epoch the commit was made.
	pub parent: EntryHash,
	/// The sealed commit bundle.
	pub payload: Vec<u8>,
	/// The ordering key of the epoch that the commit opens.
	pub next_key: OrderingKey,
	/// Signature by the parent's key over [`endorsement_payload`](crate::endorsement_payload).
	pub endorsement: Endorsement,
}

impl Append {
	/// The whole extrinsic: a general transaction, authorised by the endorsement that it carries.
	pub fn to_extrinsic(&self) -> Vec<u8> {
		general(ORDERING_PALLET, APPEND_CALL, self)
	}

	/// Reads an extrinsic made by [`Self::to_extrinsic`]; `None` for any other extrinsic.
	pub fn from_extrinsic(extrinsic: &[u8]) -> Option<Self> {
		general_call(extrinsic, ORDERING_PALLET, APPEND_CALL)
	}
}

impl SignedEvent {
	/// The whole extrinsic that records the event: a general transaction of `directory.record`, authorised by the signatures
	/// that it carries.
	pub fn to_extrinsic(&self) -> Vec<u8> {
		general(DIRECTORY_PALLET, RECORD_CALL, self)
	}

	/// Reads an extrinsic made by [`Self::to_extrinsic`]; `None` for any other extrinsic.
	pub fn from_extrinsic(extrinsic: &[u8]) -> Option<Self> {
		general_call(extrinsic, DIRECTORY_PALLET, RECORD_CALL)
	}

	/// Reads an event with its signatures; `None` if the bytes are none, or too long.
	pub fn from_bytes(bytes: &[u8]) -> Option<Self> {
		(bytes.len() <= MAX_SIGNED_EVENT).then(|| Self::decode_all(&mut &bytes[..]).ok()).flatten()
	}
}

/// A group that is created at the cost of whoever has given a voucher away.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode)]
pub struct Founding {
	/// The id of the group.
	pub group: GroupId,
	/// The ordering key of epoch 0.
	pub next_key: OrderingKey,
	/// Signature by `next_key` itself over the endorsement payload of entry 0.
	pub endorsement: Endorsement,
}

impl Founding {
	/// What the voucher buys.
	pub fn order(&self) -> Vec<u8> {
		self.encode()
	}

	/// The whole extrinsic: a general transaction, authorised by the voucher and the endorsement.
	pub fn to_extrinsic(&self, payment: &Payment) -> Vec<u8> {
		general(ORDERING_PALLET, CREATE_GROUP_BY_VOUCHER_CALL, &(self, payment))
	}
}

impl SignedEvent {
	/// What a voucher buys for a first event.
	pub fn order(&self) -> Vec<u8> {
		self.encode()
	}

	/// The whole extrinsic that registers an identity by this first event: a general transaction, authorised by the voucher
	/// and the event's signature.
	pub fn to_registration(&self, payment: &Payment) -> Vec<u8> {
		general(DIRECTORY_PALLET, REGISTER_BY_VOUCHER_CALL, &(self, payment))
	}
}

impl SignedPublication {
	/// The whole extrinsic: a general transaction, authorised by the device's signature.
	pub fn to_extrinsic(&self) -> Vec<u8> {
		general(KEY_PACKAGES_PALLET, PUBLISH_CALL, self)
	}

	/// The whole extrinsic that records an event and publishes what comes with it, both or neither.
	pub fn to_extrinsic_with(&self, event: &SignedEvent) -> Vec<u8> {
		general(KEY_PACKAGES_PALLET, RECORD_AND_PUBLISH_CALL, &(event, self))
	}
}

impl SignedGateChange {
	/// The whole extrinsic: a general transaction, authorised by the device's signature.
	pub fn to_extrinsic(&self) -> Vec<u8> {
		general(KEY_PACKAGES_PALLET, SET_GATE_CALL, self)
	}
}

impl Claim {
	/// The whole extrinsic: a general transaction, authorised by the voucher.
	pub fn to_extrinsic(&self, payment: &Payment) -> Vec<u8> {
		general(KEY_PACKAGES_PALLET, CLAIM_CALL, &(self, payment))
	}
}

/// Whether an extrinsic publishes KeyPackages, or changes who may claim them.
pub fn is_publication(extrinsic: &[u8]) -> bool {
	let pallet = KEY_PACKAGES_PALLET;
	general_call::<SignedPublication>(extrinsic, pallet, PUBLISH_CALL).is_some()
		|| general_call::<SignedGateChange>(extrinsic, pallet, SET_GATE_CALL).is_some()
		|| general_call::<(SignedEvent, SignedPublication)>(extrinsic, pallet, RECORD_AND_PUBLISH_CALL).is_some()
}

/// Whether an extrinsic spends a voucher.
pub fn is_purchase(extrinsic: &[u8]) -> bool {
	general_call::<(Founding, Payment)>(extrinsic, ORDERING_PALLET, CREATE_GROUP_BY_VOUCHER_CALL).is_some()
		|| general_call::<(SignedEvent, Payment)>(extrinsic, DIRECTORY_PALLET, REGISTER_BY_VOUCHER_CALL).is_some()
		|| general_call::<(Claim, Payment)>(extrinsic, KEY_PACKAGES_PALLET, CLAIM_CALL).is_some()
}

/// The general transaction of a call.
fn general(pallet: u8, call: u8, arguments: &impl Encode) -> Vec<u8> {
	let mut bytes = Vec::with_capacity(arguments.encoded_size().saturating_add(8));
	bytes.extend([GENERAL_V5, EXTENSION_VERSION]);
	bytes.extend(GENERAL_EXTENSIONS);
	bytes.extend([pallet, call]);
	arguments.encode_to(&mut bytes);
	bytes.encode()
}

/// The arguments of a call in a general transaction; `None` if it is another call, or anything else.
fn general_call<T: Decode>(extrinsic: &[u8], pallet: u8, call: u8) -> Option<T> {
	let input = &mut &extrinsic[..];
	let Compact(length) = Compact::<u32>::decode(input).ok()?;
	if input.remaining_len().ok()? != Some(length as usize) {
		return None;
	}
	let head = <[u8; 8]>::decode(input).ok()?;
	if head != [GENERAL_V5, EXTENSION_VERSION, 0, 0, 0, 0, pallet, call] {
		return None;
	}
	T::decode_all(input).ok()
}

/// A call that an account signs and pays for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SignedCall {
	/// `ordering.create_group`: registers a group and its key of epoch 0.
	CreateGroup {
		/// The id of the group.
		group: GroupId,
		/// The ordering key of epoch 0.
		next_key: OrderingKey,
		/// Signature by `next_key` itself over the endorsement payload of entry 0.
		endorsement: Endorsement,
	},
	/// `ordering.close_group`: closes a group and returns the deposit.
	CloseGroup {
		/// The id of the group.
		group: GroupId,
		/// Signature by the newest entry's key over [`release_payload`], if the members agreed to the end.
		release: Option<Endorsement>,
	},
	/// `directory.register`: registers an identity by its first event.
	Register(Box<SignedEvent>),
	/// `directory.reclaim`: returns the deposit of an identity that has ended.
	Reclaim {
		/// The identity.
		identity: IdentityId,
	},
}

impl SignedCall {
	/// The encoded call.
	pub fn encode(&self) -> Vec<u8> {
		match self {
			Self::CreateGroup { group, next_key, endorsement } => {
				(ORDERING_PALLET, CREATE_GROUP_CALL, group, next_key, endorsement).encode()
			}
			Self::CloseGroup { group, release } => (ORDERING_PALLET, CLOSE_GROUP_CALL, group, release).encode(),
			Self::Register(event) => (DIRECTORY_PALLET, REGISTER_CALL, event).encode(),
			Self::Reclaim { identity } => (DIRECTORY_PALLET, RECLAIM_CALL, identity).encode(),
		}
	}
}

/// What a signed extrinsic needs to know of its account and chain.
#[derive(Clone, Copy, Debug)]
pub struct SigningContext {
	/// The account's public key, Ed25519.
	pub account: [u8; 32],
	/// The account's next nonce.
	pub nonce: u32,
	/// The runtime's `spec_version`.
	pub spec_version: u32,
	/// The chain's genesis.
	pub genesis: GenesisHash,
}

impl SigningContext {
	fn extensions(&self) -> Vec<u8> {
		(IMMORTAL, Compact(self.nonce), Compact(0u128), NO_METADATA_HASH).encode()
	}

	/// The bytes to sign. Of more than 256 bytes that is their BLAKE2b hash of 32 bytes, as FRAME has it.
	pub fn signing_payload(&self, call: &SignedCall) -> Vec<u8> {
		let implicit =
			(self.spec_version, TRANSACTION_VERSION, self.genesis, self.genesis, Option::<[u8; 32]>::None).encode();
		let payload = [call.encode(), self.extensions(), implicit].concat();
		if payload.len() > SIGNED_WHOLE {
			return Blake2b::<U32>::digest(&payload).to_vec();
		}
		payload
	}

	/// The whole extrinsic, signed with `signature` by the account.
	pub fn to_extrinsic(&self, call: &SignedCall, signature: [u8; 64]) -> Vec<u8> {
		let mut bytes = Vec::new();
		bytes.extend([SIGNED_V4, ADDRESS_ID]);
		bytes.extend(self.account);
		bytes.push(SIGNATURE_ED25519);
		bytes.extend(signature);
		bytes.extend(self.extensions());
		bytes.extend(call.encode());
		bytes.encode()
	}
}

const RELEASE_TAG: &[u8] = b"lockstep/release/1";

/// The bytes by which a holder of the newest entry's key agrees that the group be closed:
/// `"lockstep/release/1" | genesis | group | head`.
pub fn release_payload(genesis: &GenesisHash, group: &GroupId, head: &EntryHash) -> Vec<u8> {
	[RELEASE_TAG, genesis.as_ref(), group.as_ref(), head.as_ref()].concat()
}

#[cfg(test)]
mod tests {
	use super::*;

	fn append() -> Append {
		Append {
			group: GroupId([1; 32]),
			parent: EntryHash([2; 32]),
			payload: alloc::vec![3; 300],
			next_key: OrderingKey([4; 32]),
			endorsement: Endorsement([5; 64]),
		}
	}

	#[test]
	fn append_survives_the_round_trip() {
		assert_eq!(Append::from_extrinsic(&append().to_extrinsic()), Some(append()));
	}

	#[test]
	fn damaged_extrinsics_are_not_appends() {
		let good = append().to_extrinsic();
		for at in 0..good.len() {
			assert_eq!(Append::from_extrinsic(good.get(..at).unwrap_or_default()), None, "cut at {at}");
		}
		let longer = [good.clone(), alloc::vec![0]].concat();
		assert_eq!(Append::from_extrinsic(&longer), None);
		for at in 0..10 {
			let mut flipped = good.clone();
			flipped[at] ^= 1;
			assert_eq!(Append::from_extrinsic(&flipped), None, "flipped at {at}");
		}
	}
}

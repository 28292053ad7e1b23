//! Entries of a group log, and what their endorsement signs.

use crate::{Endorsement, EntryHash, GenesisHash, GroupId, OrderingKey, PayloadHash};
use alloc::vec::Vec;
use codec::{Decode, DecodeWithMemTracking, Encode, MaxEncodedLen};
use scale_info::TypeInfo;

const ENDORSE_TAG: &[u8] = b"lockstep/endorse/1";

/// "The holder of the key of entry `parent` endorses this commit, and names the key of the epoch it opens."
///
/// Entry 0, made by `create_group`, opens epoch 0. It has no commit: its `parent` is the head of the empty log, its
/// payload is empty, and it is endorsed by the very key that it names, which proves that its creator holds it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct EntryBody {
	/// The entry whose epoch the commit was made in.
	pub parent: EntryHash,
	/// BLAKE3-256 of the sealed commit bundle.
	pub payload_hash: PayloadHash,
	/// Length of the sealed commit bundle, in bytes.
	pub payload_len: u32,
	/// The ordering key of the epoch that the commit opens.
	pub next_key: OrderingKey,
	/// Signature by the parent's `next_key` over [`endorsement_payload`].
	pub endorsement: Endorsement,
}

/// BLAKE3-256 of a payload as it travels, that is, sealed.
pub fn payload_hash(payload: &[u8]) -> PayloadHash {
	PayloadHash(blake3::hash(payload).into())
}

/// The bytes an endorsement signs:
/// `"lockstep/endorse/1" | genesis | group | parent | payload_hash | next_key`.
///
/// The genesis keeps it on one chain, the group and the parent in one place of one log.
pub fn endorsement_payload(
	genesis: &GenesisHash,
	group: &GroupId,
	parent: &EntryHash,
	payload_hash: &PayloadHash,
	next_key: &OrderingKey,
) -> Vec<u8> {
	[ENDORSE_TAG, genesis.as_ref(), group.as_ref(), parent.as_ref(), payload_hash.as_ref(), next_key.as_ref()].concat()
}

//! What the pallet keeps in state, beyond the types that it shares with clients.

use codec::{Decode, DecodeWithMemTracking, Encode, MaxEncodedLen};
use frame_support::{pallet_prelude::TypeInfo, traits::ConstU32, BoundedVec};
use lockstep_primitives::{
	key_package::{KeyPackageBytes, MAX_STOCK},
	BlockNumber, InitKey,
};

/// The init keys of a publication.
pub type InitKeysOf = BoundedVec<InitKey, ConstU32<{ MAX_STOCK + 1 }>>;

/// A KeyPackage that nobody has claimed.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo)]
pub struct Stored {
	/// The KeyPackage.
	pub bytes: KeyPackageBytes,
	/// The last block in which it can be claimed.
	pub lapse: BlockNumber,
}

/// So many times something may be done, and more by the block.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo)]
pub struct Allowance {
	/// How often, in block `at`.
	pub left: u32,
	/// See `left`.
	pub at: BlockNumber,
}

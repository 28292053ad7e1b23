//! What the pallet keeps in state, beyond the types that it shares with clients.

use codec::{Decode, DecodeWithMemTracking, Encode, MaxEncodedLen};
use frame_support::{pallet_prelude::TypeInfo, traits::ConstU32, BoundedVec};
use lockstep_primitives::{
	key_package::{Claimed, KeyPackageBytes, MAX_STOCK},
	voucher::{Voucher, VoucherKind},
	BlockNumber, InitKey, SponsorId, VoucherKey,
};

/// Claims that are listed of one block. `integrity_test` asserts that no block has room for so many.
pub const MAX_BLOCK_CLAIMS: u32 = 1_024;

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

/// What a claim got, and who has paid for it. Clients read the beginning by proof; the rest is the pallet's own.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo)]
pub struct Kept<Balance> {
	/// What it got.
	pub claimed: Claimed,
	/// The voucher's sponsor.
	pub sponsor: SponsorId,
	/// The voucher's last block.
	pub expiry: BlockNumber,
	/// What is held from the sponsor.
	pub deposit: Balance,
}

impl<Balance> Kept<Balance> {
	/// The voucher that it was paid with.
	pub fn voucher(&self, key: VoucherKey) -> Voucher {
		Voucher { kind: VoucherKind::Claim, key, sponsor: self.sponsor, expiry: self.expiry }
	}
}

/// So many times something may be done, and more by the block.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo)]
pub struct Allowance {
	/// How often, in block `at`.
	pub left: u32,
	/// See `left`.
	pub at: BlockNumber,
}

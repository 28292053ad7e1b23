//! What is published, and what is claimed.

use crate::{BlockNumber, EventSignature, GenesisHash, IdentityId, IdentityKey, VoucherKey, VoucherSignature};
use alloc::vec::Vec;
use bounded_collections::{BoundedVec, ConstU32};
use codec::{Decode, DecodeWithMemTracking, Encode, MaxEncodedLen};
use scale_info::TypeInfo;

/// The longest KeyPackage, in bytes. One of this library has about 310.
pub const MAX_KEY_PACKAGE: u32 = 512;
/// KeyPackages that a device has at most, beside its last resort.
pub const MAX_STOCK: u32 = 100;
/// Blocks after which a KeyPackage has lapsed, at most: 84 days of seconds.
pub const MAX_LIFE: BlockNumber = 84 * 86_400;

/// Blocks for which the chain keeps what a claim got, at least, and the statement allowance of its voucher's key.
pub const CLAIM_LIFE: BlockNumber = 86_400;
/// Ciphersuites that a claim names at most.
pub const MAX_ASKED_SUITES: u32 = 8;

const PUBLICATION_TAG: &[u8] = b"lockstep/publication/1";
const GATE_CHANGE_TAG: &[u8] = b"lockstep/gate-change/1";
const GATE_TAG: &[u8] = b"lockstep/gate/1";

/// A KeyPackage in its TLS form.
pub type KeyPackageBytes = BoundedVec<u8, ConstU32<MAX_KEY_PACKAGE>>;
/// The ciphersuites that a claimant supports.
pub type AskedSuites = BoundedVec<u16, ConstU32<MAX_ASKED_SUITES>>;
/// An Ed25519 public key whose private half a person shares with its contacts: who does not have it cannot claim.
pub type Gate = IdentityKey;

/// KeyPackages of one device, for the directory.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Publication {
	/// Whose device it is.
	pub identity: IdentityId,
	/// The device.
	pub device: IdentityKey,
	/// The number of what this device has published, or changed, before: [`Stock::number`].
	pub number: u32,
	/// Whether the KeyPackages go that are there, with the last resort; one that was used goes for a new one only.
	pub replace: bool,
	/// The last block in which these can be claimed.
	pub lapse: BlockNumber,
	/// KeyPackages that are given out once each, the first one first.
	pub packages: BoundedVec<KeyPackageBytes, ConstU32<MAX_STOCK>>,
	/// The one that is given out when there are no others, in the place of the one before.
	pub last_resort: Option<KeyPackageBytes>,
}

/// A publication with the signature of its device.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct SignedPublication {
	/// The publication.
	pub publication: Publication,
	/// By the device, over [`Publication::signing_payload`].
	pub signature: EventSignature,
}

impl Publication {
	/// What the device signs: `"lockstep/publication/1" | genesis | SCALE(publication)`.
	pub fn signing_payload(&self, genesis: &GenesisHash) -> Vec<u8> {
		[PUBLICATION_TAG, genesis.as_ref(), &self.encode()].concat()
	}

	/// How many KeyPackages are in it.
	pub fn count(&self) -> u32 {
		let packages = u32::try_from(self.packages.len()).unwrap_or(u32::MAX);
		packages.saturating_add(u32::from(self.last_resort.is_some()))
	}

	/// All of them.
	pub fn all(&self) -> impl Iterator<Item = &KeyPackageBytes> {
		self.packages.iter().chain(&self.last_resort)
	}
}

/// Who may claim KeyPackages of a person from now on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct GateChange {
	/// The person.
	pub identity: IdentityId,
	/// The device that says so; any of the person's can.
	pub device: IdentityKey,
	/// As in a [`Publication`].
	pub number: u32,
	/// Who holds the private half of this key; everybody, if there is none.
	pub gate: Option<Gate>,
}

/// A change of the gate with the signature of its device.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct SignedGateChange {
	/// The change.
	pub change: GateChange,
	/// By the device, over [`GateChange::signing_payload`].
	pub signature: EventSignature,
}

impl GateChange {
	/// What the device signs: `"lockstep/gate-change/1" | genesis | SCALE(change)`.
	pub fn signing_payload(&self, genesis: &GenesisHash) -> Vec<u8> {
		[GATE_CHANGE_TAG, genesis.as_ref(), &self.encode()].concat()
	}
}

/// What somebody wants to have of a person: a KeyPackage of each device. It says nothing of who that is.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Claim {
	/// The person.
	pub target: IdentityId,
	/// The ciphersuites that the claimant supports.
	pub suites: AskedSuites,
	/// By the private half of the target's gate, over [`Self::gate_payload`], if it has one.
	pub gate: Option<VoucherSignature>,
}

impl Claim {
	/// What the voucher buys.
	pub fn order(&self) -> Vec<u8> {
		self.encode()
	}

	/// What the gate's key signs, for the claim that this voucher pays for:
	/// `"lockstep/gate/1" | genesis | voucher key | SCALE(target, suites)`.
	pub fn gate_payload(&self, genesis: &GenesisHash, voucher: &VoucherKey) -> Vec<u8> {
		[GATE_TAG, genesis.as_ref(), voucher.as_ref(), &(self.target, &self.suites).encode()].concat()
	}
}

/// A KeyPackage that was claimed.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct ClaimedKeyPackage {
	/// The device that published it.
	pub device: IdentityKey,
	/// Whether it is the device's last resort, which others get too.
	pub last_resort: bool,
	/// The KeyPackage.
	pub bytes: KeyPackageBytes,
}

/// What a claim got, as the chain keeps it for a while, by the key of the voucher.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Claimed {
	/// The person.
	pub target: IdentityId,
	/// The block that carries the claim.
	pub block: BlockNumber,
	/// One of each device that had one, in the order of the devices.
	pub packages: BoundedVec<ClaimedKeyPackage, ConstU32<{ crate::identity::MAX_DEVICES }>>,
}

/// What the chain knows of a device's KeyPackages.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Stock {
	/// Whose device it is.
	pub identity: IdentityId,
	/// The number that its next publication has.
	pub number: u32,
	/// The place of the next KeyPackage to be claimed.
	pub first: u32,
	/// The place of the next one to be published.
	pub next: u32,
	/// The last block of the last resort, if there is one.
	pub last_resort: Option<BlockNumber>,
	/// The block since which the last resort has to be replaced, since it was claimed.
	pub must_replace: Option<BlockNumber>,
	/// KeyPackages that it may publish in block `allowed_at`; more by the block.
	pub allowed: u32,
	/// See `allowed`.
	pub allowed_at: BlockNumber,
}

/// The same, as a client needs it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode, DecodeWithMemTracking, TypeInfo)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct StockView {
	/// How many KeyPackages are left, with those that have lapsed and were not cleared away yet.
	pub left: u32,
	/// What the chain knows.
	pub stock: Stock,
}

impl Stock {
	/// How many KeyPackages are left.
	pub fn left(&self) -> u32 {
		self.next.saturating_sub(self.first)
	}
}

//! Why a KeyPackage is not taken, or not given.

use codec::{Decode, DecodeWithMemTracking, Encode};
use scale_info::TypeInfo;

/// Why a publication, a change of the gate or a claim is refused. Travels as the code of `InvalidTransaction::Custom`, beside
/// those of [`Refusal`](crate::Refusal), [`IdentityRefusal`](crate::identity::IdentityRefusal) and
/// [`VoucherRefusal`](crate::voucher::VoucherRefusal).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Encode, Decode, DecodeWithMemTracking, TypeInfo)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[repr(u8)]
pub enum KeyPackageRefusal {
	/// A KeyPackage that does not decode, is too long, or does not support what it uses.
	Malformed = 97,
	/// A KeyPackage of another version or ciphersuite, or a claim that does not name the one ciphersuite.
	Suite = 98,
	/// The credential is no basic one with the id of the identity.
	WrongCredential = 99,
	/// The signature key is not the key of the device.
	WrongDevice = 100,
	/// The init key is the encryption key of the leaf.
	SameKey = 101,
	/// The init key was published before.
	InitKeyUsed = 102,
	/// A signature does not verify: of a KeyPackage, or over what is published or changed.
	BadSignature = 103,
	/// It would have lapsed already, or would not for too long.
	BadLapse = 104,
	/// It is another one's turn than that of this number.
	BadSequence = 105,
	/// The identity has no device with this key.
	UnknownDevice = 106,
	/// The device would have more KeyPackages than one may have.
	Full = 107,
	/// The device, or its identity, publishes too much in too short a time.
	TooSoon = 108,
	/// The last resort was used, and this comes without another: a day later, or to clear it away.
	LastResortDue = 109,
	/// There is nothing in it.
	Empty = 110,
	/// No identity has this id, or it is closed.
	UnknownTarget = 111,
	/// None of the target's devices has a KeyPackage.
	NothingLeft = 112,
	/// The target's contacts alone may claim, and this claim does not show that it is one's.
	GateClosed = 113,
	/// There are too many claims of this target in too short a time.
	TooManyClaims = 114,
	/// Something was claimed by a voucher with this key, and is kept still.
	AlreadyClaimed = 115,
}

impl KeyPackageRefusal {
	/// Every refusal, in the order of the codes.
	pub const ALL: [Self; 19] = [
		Self::Malformed,
		Self::Suite,
		Self::WrongCredential,
		Self::WrongDevice,
		Self::SameKey,
		Self::InitKeyUsed,
		Self::BadSignature,
		Self::BadLapse,
		Self::BadSequence,
		Self::UnknownDevice,
		Self::Full,
		Self::TooSoon,
		Self::LastResortDue,
		Self::Empty,
		Self::UnknownTarget,
		Self::NothingLeft,
		Self::GateClosed,
		Self::TooManyClaims,
		Self::AlreadyClaimed,
	];

	/// The code under which it travels.
	pub const fn code(self) -> u8 {
		self as u8
	}

	/// The refusal with this code, if there is one.
	pub fn from_code(code: u8) -> Option<Self> {
		Self::ALL.into_iter().find(|refusal| refusal.code() == code)
	}

	/// A name for logs and metric labels.
	pub const fn name(self) -> &'static str {
		match self {
			Self::Malformed => "malformed_key_package",
			Self::Suite => "wrong_suite",
			Self::WrongCredential => "wrong_credential",
			Self::WrongDevice => "wrong_device",
			Self::SameKey => "same_key",
			Self::InitKeyUsed => "init_key_used",
			Self::BadSignature => "bad_key_package_signature",
			Self::BadLapse => "bad_lapse",
			Self::BadSequence => "bad_publication_number",
			Self::UnknownDevice => "not_a_device",
			Self::Full => "stock_full",
			Self::TooSoon => "published_too_soon",
			Self::LastResortDue => "last_resort_due",
			Self::Empty => "empty_publication",
			Self::UnknownTarget => "unknown_target",
			Self::NothingLeft => "nothing_left",
			Self::GateClosed => "gate_closed",
			Self::TooManyClaims => "too_many_claims",
			Self::AlreadyClaimed => "already_claimed",
		}
	}
}

impl core::fmt::Display for KeyPackageRefusal {
	fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
		f.write_str(match self {
			Self::Malformed => "a KeyPackage does not decode, is too long, or does not support what it uses",
			Self::Suite => "it is not of the one ciphersuite (0x0001) of MLS 1.0",
			Self::WrongCredential => "a KeyPackage names another identity; make it with a basic credential of this id",
			Self::WrongDevice => "a KeyPackage is signed by another key than that of the device that publishes it",
			Self::SameKey => "a KeyPackage has its leaf's encryption key as its init key; make a new one",
			Self::InitKeyUsed => "a KeyPackage with this init key was published before; make a new one",
			Self::BadSignature => "a signature does not verify under the device's key",
			Self::BadLapse => "the last block is past, or more than 84 days ahead",
			Self::BadSequence => "the device's next publication has another number; read its stock and sign it anew",
			Self::UnknownDevice => "the identity has no device with this key, or is closed",
			Self::Full => "the device would have more than 100 KeyPackages; publish fewer, or replace those there",
			Self::TooSoon => "too much was published in too short a time; wait",
			Self::LastResortDue => "the last resort was used; publish another one with this",
			Self::Empty => "there is nothing in it to publish",
			Self::UnknownTarget => "no identity has this id, or it is closed",
			Self::NothingLeft => "none of the person's devices has a KeyPackage; try again later",
			Self::GateClosed => {
				"the person lets only contacts claim; ask for the gate's key, or to be added by someone who has it"
			}
			Self::TooManyClaims => "too many claims of this person in too short a time; try again later",
			Self::AlreadyClaimed => "a voucher with this key has claimed before; read what it got, or use another",
		})
	}
}

impl core::error::Error for KeyPackageRefusal {}

#[cfg(test)]
mod tests {
	use super::*;
	use crate::{identity::IdentityRefusal, voucher::VoucherRefusal, Refusal};

	#[test]
	fn codes_are_distinct_reversible_and_nobody_elses() {
		for refusal in KeyPackageRefusal::ALL {
			let code = refusal.code();
			assert_eq!(KeyPackageRefusal::from_code(code), Some(refusal));
			assert_eq!((Refusal::from_code(code), IdentityRefusal::from_code(code)), (None, None));
			assert_eq!(VoucherRefusal::from_code(code), None);
			let names = Refusal::ALL.map(Refusal::name).into_iter();
			let names = names.chain(IdentityRefusal::ALL.map(IdentityRefusal::name));
			let names = names.chain(VoucherRefusal::ALL.map(VoucherRefusal::name));
			let mut names = names.chain(KeyPackageRefusal::ALL.map(KeyPackageRefusal::name));
			assert_eq!(names.by_ref().filter(|name| *name == refusal.name()).count(), 1);
		}
		assert_eq!(KeyPackageRefusal::from_code(96), None);
		assert_eq!(KeyPackageRefusal::from_code(116), None);
	}
}

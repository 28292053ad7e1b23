//! Why an event is refused.

use codec::{Decode, DecodeWithMemTracking, Encode};
use scale_info::TypeInfo;

/// Why an event is refused. Travels as the code of `InvalidTransaction::Custom`, beside those of
/// [`Refusal`](crate::Refusal).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Encode, Decode, DecodeWithMemTracking, TypeInfo)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[repr(u8)]
pub enum IdentityRefusal {
	/// No identity has this id.
	UnknownIdentity = 33,
	/// The identity exists: it has a first event.
	IdentityExists = 34,
	/// The id is not the hash of the first event.
	WrongId = 35,
	/// The event is for another position in the log than the next one.
	BadSequence = 36,
	/// The event before it is another one.
	BadPrevious = 37,
	/// A first event that is none, or a later one that is.
	BadInception = 38,
	/// The identity has ended.
	Closed = 39,
	/// The author is no device of the identity, or not the key that was committed to.
	NotAuthorised = 40,
	/// The device that it is about is none of the identity's.
	UnknownDevice = 41,
	/// The author did not add that device, directly or indirectly, and is not that device.
	NotAdded = 42,
	/// The identity would have no device, or other devices are left.
	LastDevice = 43,
	/// The key, or what commits to it, was used before.
	KeyUsed = 44,
	/// The identity has as many devices, or recovery keys, as it may have.
	TooMany = 45,
	/// Too many events within the window of recovery.
	TooSoon = 46,
	/// No recovery key has this rank.
	NoSuchRank = 47,
	/// What is to be overridden is older than the window, or not in the log.
	TooLate = 48,
	/// Among what is to be overridden is a recovery of the same or a higher rank.
	Outranked = 49,
	/// A recovery names no recovery key in the place of its own.
	NoSuccessor = 50,
	/// The device that comes in has not accepted, or one has that was not asked.
	BadAcceptance = 51,
	/// The author's signature does not verify, for this chain and event.
	BadSignature = 52,
	/// The log cannot take another event.
	LogFull = 53,
}

impl IdentityRefusal {
	/// Every refusal, in the order of the codes.
	pub const ALL: [Self; 21] = [
		Self::UnknownIdentity,
		Self::IdentityExists,
		Self::WrongId,
		Self::BadSequence,
		Self::BadPrevious,
		Self::BadInception,
		Self::Closed,
		Self::NotAuthorised,
		Self::UnknownDevice,
		Self::NotAdded,
		Self::LastDevice,
		Self::KeyUsed,
		Self::TooMany,
		Self::TooSoon,
		Self::NoSuchRank,
		Self::TooLate,
		Self::Outranked,
		Self::NoSuccessor,
		Self::BadAcceptance,
		Self::BadSignature,
		Self::LogFull,
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
			Self::UnknownIdentity => "unknown_identity",
			Self::IdentityExists => "identity_exists",
			Self::WrongId => "wrong_id",
			Self::BadSequence => "bad_sequence",
			Self::BadPrevious => "bad_previous",
			Self::BadInception => "bad_inception",
			Self::Closed => "closed",
			Self::NotAuthorised => "not_authorised",
			Self::UnknownDevice => "unknown_device",
			Self::NotAdded => "not_added",
			Self::LastDevice => "last_device",
			Self::KeyUsed => "key_used",
			Self::TooMany => "too_many",
			Self::TooSoon => "too_soon",
			Self::NoSuchRank => "no_such_rank",
			Self::TooLate => "too_late",
			Self::Outranked => "outranked",
			Self::NoSuccessor => "no_successor",
			Self::BadAcceptance => "bad_acceptance",
			Self::BadSignature => "bad_signature",
			Self::LogFull => "event_log_full",
		}
	}
}

impl core::fmt::Display for IdentityRefusal {
	fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
		f.write_str(match self {
			Self::UnknownIdentity => "no identity has this id; publish its first event",
			Self::IdentityExists => "the identity exists already",
			Self::WrongId => "the id is not the hash of the first event",
			Self::BadSequence => "the event is for another position; read the log and sign it for the next one",
			Self::BadPrevious => "another event came first; read the log and sign it anew",
			Self::BadInception => "the first event of a log, and no other, makes the identity",
			Self::Closed => "the identity has ended",
			Self::NotAuthorised => "the author has no place in the identity, or another than this takes",
			Self::UnknownDevice => "the identity has no device with this key",
			Self::NotAdded => "a device revokes itself and those that it added; use a recovery key for others",
			Self::LastDevice => "revoking would leave no device, or closing leaves others; revoke those, or close",
			Self::KeyUsed => "the key was used before; make a new one",
			Self::TooMany => "the identity has as many as it may have; revoke one first",
			Self::TooSoon => "too many events of this identity in too short a time; wait, or recover",
			Self::NoSuchRank => "the identity has no recovery key of this rank",
			Self::TooLate => "what is to be overridden is too old, or not in the log",
			Self::Outranked => "a recovery key of the same or a higher rank was used since",
			Self::NoSuccessor => "a recovery has to name the recovery key that comes after its own",
			Self::BadAcceptance => "the new device has to accept, and nobody else",
			Self::BadSignature => "the signature does not verify under the author's key",
			Self::LogFull => "the log cannot take another event",
		})
	}
}

impl core::error::Error for IdentityRefusal {}

#[cfg(test)]
mod tests {
	use super::*;
	use crate::Refusal;

	#[test]
	fn codes_are_distinct_reversible_and_not_those_of_groups() {
		for refusal in IdentityRefusal::ALL {
			assert_eq!(IdentityRefusal::from_code(refusal.code()), Some(refusal));
			assert_eq!(Refusal::from_code(refusal.code()), None);
			assert!(Refusal::ALL.iter().all(|other| other.name() != refusal.name()));
			assert_eq!(IdentityRefusal::ALL.iter().filter(|other| other.name() == refusal.name()).count(), 1);
		}
		assert_eq!(IdentityRefusal::from_code(32), None);
		assert_eq!(IdentityRefusal::from_code(54), None);
	}
}

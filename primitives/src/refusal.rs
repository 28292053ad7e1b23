//! Why the chain refuses an entry.

use codec::{Decode, DecodeWithMemTracking, Encode};
use scale_info::TypeInfo;

/// Why the chain refuses an entry. Travels as the code of `InvalidTransaction::Custom`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Encode, Decode, DecodeWithMemTracking, TypeInfo)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[repr(u8)]
pub enum Refusal {
	/// The payload is larger than `MaxPayload`.
	PayloadTooLarge = 1,
	/// The payload is empty: an entry endorses a commit.
	PayloadEmpty = 2,
	/// No open group has this id.
	UnknownGroup = 3,
	/// The parent is not an open entry of this group: it never was, or its contest window has passed.
	ParentNotOpen = 4,
	/// The parent has a child that is not yet old enough to be contested, or has had this very candidate as a child
	/// before. Look at the log.
	Superseded = 5,
	/// The lineage has used up its entries or bytes for now, or the group its contests; both come back with time.
	OverBudget = 6,
	/// The endorsement does not verify under the parent's `next_key`, for this chain, group, parent, payload and key.
	BadEndorsement = 7,
	/// The log cannot take another entry.
	LogFull = 8,
	/// A group with this id is open.
	GroupExists = 9,
	/// A group had this id once.
	GroupIdUsed = 10,
}

impl Refusal {
	/// Every refusal, in the order of the codes.
	pub const ALL: [Self; 10] = [
		Self::PayloadTooLarge,
		Self::PayloadEmpty,
		Self::UnknownGroup,
		Self::ParentNotOpen,
		Self::Superseded,
		Self::OverBudget,
		Self::BadEndorsement,
		Self::LogFull,
		Self::GroupExists,
		Self::GroupIdUsed,
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
			Self::PayloadTooLarge => "payload_too_large",
			Self::PayloadEmpty => "payload_empty",
			Self::UnknownGroup => "unknown_group",
			Self::ParentNotOpen => "parent_not_open",
			Self::Superseded => "superseded",
			Self::OverBudget => "over_budget",
			Self::BadEndorsement => "bad_endorsement",
			Self::LogFull => "log_full",
			Self::GroupExists => "group_exists",
			Self::GroupIdUsed => "group_id_used",
		}
	}
}

impl core::fmt::Display for Refusal {
	fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
		f.write_str(match self {
			Self::PayloadTooLarge => "the payload is larger than the chain admits",
			Self::PayloadEmpty => "the payload is empty",
			Self::UnknownGroup => "no open group has this id",
			Self::ParentNotOpen => "the parent is not an open entry of this group",
			Self::Superseded => "another entry came first; look at the log",
			Self::OverBudget => "the group has used up its budget for now; wait some blocks",
			Self::BadEndorsement => "the endorsement does not verify under the parent's key",
			Self::LogFull => "the log cannot take another entry",
			Self::GroupExists => "a group with this id is open; draw another id",
			Self::GroupIdUsed => "a group had this id once; draw another id",
		})
	}
}

impl core::error::Error for Refusal {}

#[cfg(test)]
mod tests {
	use super::*;

	#[test]
	fn codes_are_distinct_and_reversible() {
		for refusal in Refusal::ALL {
			assert_eq!(Refusal::from_code(refusal.code()), Some(refusal));
		}
		assert_eq!(Refusal::from_code(0), None);
		assert_eq!(Refusal::from_code(11), None);
	}
}

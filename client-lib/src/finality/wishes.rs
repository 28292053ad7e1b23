//! What is to be followed.

use crate::log::LogCursor;
use lockstep_primitives::GroupId;
use std::collections::BTreeMap;

/// From where a group is to be followed; `turn` counts the requests, so that a repeated one is seen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Wanted {
	pub turn: u64,
	pub from: LogCursor,
}

/// The groups that are to be followed.
#[derive(Clone, Debug, Default)]
pub(super) struct Wishes {
	/// The number of the newest request.
	pub turn: u64,
	pub groups: BTreeMap<GroupId, Wanted>,
}

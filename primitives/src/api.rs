//! The runtime API of the ordering pallet.

use crate::{BlockEntry, EntryHash, GroupId, GroupState, OpenEntry, OrderingParameters};
use alloc::vec::Vec;

sp_api::decl_runtime_apis! {
	/// Reads the state of groups.
	pub trait OrderingApi {
		/// The group, unless it never was or is closed.
		fn group(group: GroupId) -> Option<GroupState>;
		/// One open entry of a group.
		fn open_entry(group: GroupId, entry: EntryHash) -> Option<OpenEntry>;
		/// Open entries of a group from log index `from` on, in log order; `limit` of them at most.
		fn open_entries(group: GroupId, from: u64, limit: u32) -> Vec<(EntryHash, OpenEntry)>;
		/// The entries that this block appended, in order.
		fn block_entries() -> Vec<BlockEntry>;
		/// How many groups are open.
		fn group_count() -> u32;
		/// The pallet's constants.
		fn parameters() -> OrderingParameters;
	}
}

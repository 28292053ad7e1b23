//! The runtime APIs of the pallets.

use crate::{
	identity::{IdentityState, SignedEvent},
	key_package::{Claimed, Gate, StockView},
	BlockEntry, EntryHash, GroupId, GroupState, IdentityId, IdentityKey, LogHead, OpenEntry, OrderingParameters,
	VoucherKey,
};
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

	/// Reads KeyPackages, and what was claimed.
	pub trait KeyPackagesApi {
		/// What is known of a device's KeyPackages; nothing, if it never published.
		fn stock(device: IdentityKey) -> Option<StockView>;
		/// What the claim with this voucher got, as long as that is kept.
		fn claimed(voucher: VoucherKey) -> Option<Claimed>;
		/// Whose signature a claim of this person needs.
		fn gate(identity: IdentityId) -> Option<Gate>;
	}

	/// Reads the state of identities.
	pub trait DirectoryApi {
		/// The identity, unless it never was or has ended for good.
		fn identity(identity: IdentityId) -> Option<IdentityState>;
		/// The head of the log of an identity, also of one that has ended.
		fn identity_head(identity: IdentityId) -> Option<LogHead>;
		/// The events that this block recorded, in order.
		fn block_events() -> Vec<SignedEvent>;
		/// How many identities there are.
		fn identity_count() -> u32;
	}
}

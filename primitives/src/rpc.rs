//! The JSON shapes of the `ordering_*`, `directory_*` and `finality_*` RPC methods, the same for node and client.

use crate::{BlockHash, BlockNumber, EntryBody, GroupId, GroupState, IdentityId};
use alloc::{string::String, vec::Vec};
use serde::{Deserialize, Serialize};

/// Largest `limit` of `ordering_entries`; more is refused.
pub const MAX_ENTRIES: u32 = 64;
/// Largest number of groups in one `ordering_subscribeEntries`; more is refused.
pub const MAX_GROUPS: usize = 256;

/// Bytes as `0x` and hexadecimal digits.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct HexBytes(pub Vec<u8>);

impl Serialize for HexBytes {
	fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
		const DIGITS: [char; 16] = ['0', '1', '2', '3', '4', '5', '6', '7', '8', '9', 'a', 'b', 'c', 'd', 'e', 'f'];
		let digit = |value: u8| DIGITS.get(usize::from(value)).copied().unwrap_or('0');
		let mut text = String::with_capacity(self.0.len().saturating_mul(2).saturating_add(2));
		text.push_str("0x");
		for byte in &self.0 {
			text.push(digit(byte >> 4));
			text.push(digit(byte & 15));
		}
		serializer.serialize_str(&text)
	}
}

impl<'de> Deserialize<'de> for HexBytes {
	fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
		let text = <alloc::borrow::Cow<'de, str>>::deserialize(deserializer)?;
		let digits = text.strip_prefix("0x").unwrap_or(&text).as_bytes();
		if digits.len() % 2 != 0 {
			return Err(serde::de::Error::custom("an odd number of hexadecimal digits"));
		}
		let value = |digit: &u8| (*digit as char).to_digit(16).and_then(|value| u8::try_from(value).ok());
		let byte = |pair: &[u8]| match pair {
			[high, low] => Some((value(high)? << 4) | value(low)?),
			_ => None,
		};
		let bytes: Option<Vec<u8>> = digits.chunks_exact(2).map(byte).collect();
		bytes.map(HexBytes).ok_or_else(|| serde::de::Error::custom("a character is not a hexadecimal digit"))
	}
}

/// An entry of a finalized block.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Entry {
	/// Position in the log.
	pub index: u64,
	/// The block that carries it.
	pub block: BlockNumber,
	/// What the log's hash covers.
	pub body: EntryBody,
	/// The sealed commit bundle; empty for entry 0. `None` if the node has deleted the body of that block: all else of the
	/// entry is there for as long as the node is.
	pub payload: Option<HexBytes>,
}

/// A finalized block.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FinalizedBlock {
	/// Its height.
	pub number: BlockNumber,
	/// Its hash.
	pub hash: BlockHash,
}

/// Answer of `ordering_group(group)`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Group {
	/// The finalized block that `state` is of.
	pub at: FinalizedBlock,
	/// The group, unless it never was or is closed.
	pub state: Option<GroupState>,
}

/// From where on a subscriber wants the entries of a group.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Position {
	/// The group.
	pub group: GroupId,
	/// Index of the first entry wanted.
	pub from: u64,
}

/// One message of `ordering_subscribeEntries([position, ...])`. Entries that were final before come first; then
/// there is a message for each block that validators voted for together with all those before it, also when
/// none of them holds an entry of these groups.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FinalizedEntries {
	/// Everything up to this block has been sent, this message included, unless `more` is set.
	pub at: FinalizedBlock,
	/// Entries in log order, group by group.
	pub entries: Vec<(GroupId, Entry)>,
	/// More entries up to the same block follow in the next message, and then the proof.
	pub more: bool,
	/// What shows that `at` is final and what the groups are in it. `None` if `more` is set, and for a block that the
	/// node has no justification of: its next one has.
	pub proof: Option<HeadProof>,
}

/// Shows that a block is final, and what some groups are in its state.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct HeadProof {
	/// The block's header and justification.
	pub block: Justified,
	/// The groups whose heads `state` proves: each with entries in this round, and of the others some in each
	/// message, [`AUDITED`] at most, so that every group's turn comes.
	pub groups: Vec<GroupId>,
	/// Trie nodes: a read proof of the groups' records and of what pins the storage layout.
	pub state: Vec<HexBytes>,
}

/// How many groups without new entries one message proves at most.
pub const AUDITED: usize = 16;

/// A header, and the votes that finalize it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Justified {
	/// The SCALE-encoded header.
	pub header: HexBytes,
	/// The SCALE-encoded GRANDPA justification.
	pub justification: HexBytes,
}

/// Answer of `finality_genesis()`: what the genesis hash commits to.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct GenesisProof {
	/// The SCALE-encoded header of block 0.
	pub header: HexBytes,
	/// Trie nodes: a read proof of the GRANDPA authorities in the genesis state.
	pub authorities: Vec<HexBytes>,
}

/// Answer of `finality_moment(block)`: what shows when a block was made.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Moment {
	/// The SCALE-encoded headers from the block to the next one that the node has a justification of.
	pub headers: Vec<HexBytes>,
	/// The SCALE-encoded GRANDPA justification of the last of them.
	pub justification: HexBytes,
}

/// Largest number of links in one answer of `finality_links`.
pub const MAX_LINKS: usize = 64;

/// Answer of `finality_links(after)`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Links {
	/// The last block of each authority set that ends above the block `after`, oldest first; then, unless `more` is
	/// set, the newest block that the node has a justification of, if that is above them.
	pub links: Vec<Justified>,
	/// There are more than [`MAX_LINKS`]: ask again from the last one.
	pub more: bool,
}

/// Most events in one answer of `directory_log`.
pub const MAX_EVENTS: usize = 256;

/// An event of a finalized block.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RecordedEvent {
	/// Position in the log.
	pub index: u64,
	/// The block that carries it.
	pub block: BlockNumber,
	/// The SCALE-encoded [`SignedEvent`](crate::identity::SignedEvent).
	pub event: HexBytes,
}

/// Answer of `directory_log(identity, from)`: a part of the log of an identity.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct IdentityLog {
	/// The finalized block that the log is read at.
	pub at: FinalizedBlock,
	/// The events from position `from` on, in order.
	pub events: Vec<RecordedEvent>,
	/// There are more than [`MAX_EVENTS`]: ask again from the one after the last. There is no proof then.
	pub more: bool,
	/// What shows that `at` is final and what the identity is in it. `None` if `more` is set, and for a block that the node
	/// has no justification of: ask again.
	pub proof: Option<StateProof>,
}

/// Most identities in one answer of `directory_changed`.
pub const MAX_CHANGED: usize = 1024;

/// Answer of `directory_changed(after)`: the identities whose logs have events in finalized blocks above `after`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ChangedIdentities {
	/// The finalized block up to which these are all.
	pub at: FinalizedBlock,
	/// Each once, in no particular order. `None` if there are more than [`MAX_CHANGED`], or the node has not seen all these
	/// blocks: whoever knows identities reads their logs.
	pub identities: Option<Vec<IdentityId>>,
}

/// Answer of `directory_stock(device, init_key)` and of `directory_claim(voucher)`: what shows that a block is final and what
/// its state says. `None` for a block that the node has no justification of: ask again.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct KeyPackagesProof {
	/// The finalized block that the state is read at.
	pub at: FinalizedBlock,
	/// The proof.
	pub proof: Option<StateProof>,
}

/// Shows that a block is final, and what some of its state is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct StateProof {
	/// The block's header and justification.
	pub block: Justified,
	/// Trie nodes: a read proof of what was asked for (of an identity its record, and what is left of one that has ended) and
	/// of what pins the storage layout.
	pub state: Vec<HexBytes>,
}

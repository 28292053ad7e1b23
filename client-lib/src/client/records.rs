//! What a client stores apart from MLS state.

use crate::{
	gate::{Gate, Mode},
	mls::{EnvelopeKey, Invitation},
	store::{packed, Record},
};
use lockstep_primitives::{
	rpc::HexBytes, voucher::Payment, BlockNumber, Endorsement, EntryHash, GenesisHash, GroupId, OrderingKey,
	OrderingParameters,
};
use serde::{Deserialize, Serialize};

/// Key of records of which there is one.
pub(super) const ONLY: &[u8] = b"";

/// Whose store it is, and of which chain.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Home {
	pub genesis: GenesisHash,
	pub identity: HexBytes,
	/// The public key that signs the identity's leaves.
	pub signer: HexBytes,
	/// As the chain had them when a node was last reached.
	pub parameters: OrderingParameters,
}

impl Record for Home {
	const KIND: &'static str = "home";
}

/// A group that this client is or was in, by its id.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Membership {
	pub gate: Gate,
	/// The member wants to leave, and proposes so in each epoch until it is out.
	#[serde(default)]
	pub leaving: bool,
	/// The number of the next intent.
	#[serde(default)]
	pub next_intent: u64,
	/// The block of its last own commit.
	#[serde(default)]
	pub renewed_at: BlockNumber,
	/// Messages sent since.
	#[serde(default)]
	pub sent: u32,
	/// What removed it gave its place to another client of its identity.
	#[serde(default)]
	pub replaced: bool,
}

impl Membership {
	/// Of a member that has just come in, with this gate.
	pub fn new(gate: Gate) -> Self {
		let renewed_at = gate.tip().block;
		Self { gate, leaving: false, next_intent: 0, renewed_at, sent: 0, replaced: false }
	}

	/// Whether an invitation to this epoch would set the member back, or leave it where it is. One that was removed may be
	/// invited to the epoch that its removal opened.
	pub fn is_past(&self, epoch: u64) -> bool {
		let tip = self.gate.tip().epoch;
		epoch < tip || (epoch == tip && !self.was_removed())
	}

	pub fn was_removed(&self) -> bool {
		matches!(self.gate.mode(), Mode::Removed)
	}
}

impl Record for Membership {
	const KIND: &'static str = "membership";
}

/// A group that is being created, by its id: what entry 0 is to say.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Founding {
	pub parent: EntryHash,
	pub next_key: OrderingKey,
	pub endorsement: Endorsement,
	/// If a voucher pays for it.
	#[serde(default)]
	pub payment: Option<Payment>,
}

impl Record for Founding {
	const KIND: &'static str = "founding";
}

/// An invitation that is being checked, by the id of its group.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Invited {
	pub invitation: Invitation,
	/// The KeyPackage it was for.
	pub key_package_ref: HexBytes,
}

impl Record for Invited {
	const KIND: &'static str = "invited";
}

/// A KeyPackage that was handed out and may still be used, by its KeyPackageRef.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(super) struct Mailbox {
	/// The last final block at which its private keys are kept; without one they are until they are used.
	#[serde(default)]
	pub kept_until: Option<BlockNumber>,
	/// The entries of the newest invitations to it that were accepted, if it serves again: nodes may have them still.
	#[serde(default)]
	pub joined: Vec<EntryHash>,
}

/// Accepted invitations to one KeyPackage that are remembered; the oldest go.
const MAX_JOINED: usize = 64;

impl Mailbox {
	/// That of a KeyPackage whose private keys are kept up to this final block.
	pub fn kept_until(block: BlockNumber) -> Self {
		Self { kept_until: Some(block), joined: Vec::new() }
	}

	/// An invitation to it was accepted.
	pub fn accept(&mut self, entry: EntryHash) {
		self.joined.push(entry);
		let excess = self.joined.len().saturating_sub(MAX_JOINED);
		self.joined.drain(..excess);
	}
}

impl Record for Mailbox {
	const KIND: &'static str = "mailbox";
}

/// A statement that no node has taken yet, by a number in the order of posting.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Outgoing {
	/// The group and epoch whose key signs it.
	pub group: GroupId,
	pub epoch: u64,
	/// The statement, signed; empty for a message that is not encrypted yet.
	#[serde(with = "packed")]
	pub statement: HexBytes,
	/// What a message says, for as long as no node has taken it.
	#[serde(default)]
	pub unsent: Option<Unsent>,
	/// What signs it, if that is not the epoch's key.
	#[serde(default)]
	pub key: Option<EnvelopeKey>,
}

/// A message that may have to be encrypted again, for a later epoch.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Unsent {
	/// The same for all copies.
	#[serde(with = "packed")]
	pub id: HexBytes,
	#[serde(with = "packed")]
	pub data: HexBytes,
	/// The epoch of the first copy.
	#[serde(default)]
	pub since: Option<u64>,
}

impl Outgoing {
	/// How large its statement is or will be, in bytes, about.
	pub fn size(&self) -> usize {
		let unsent = self.unsent.as_ref().map_or(0, |unsent| unsent.data.0.len());
		self.statement.0.len().max(unsent)
	}
}

impl Record for Outgoing {
	const KIND: &'static str = "outgoing";
}

/// How many lies are remembered; the oldest go.
pub(super) const MAX_EVIDENCE_KEPT: u64 = 64;

/// What a node was caught with, by a number that goes around.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Evidence {
	/// URL of the node.
	pub node: String,
	/// What it did.
	pub lie: String,
	/// What it sent, as JSON, cut if it was too long.
	pub sent: HexBytes,
}

impl Record for Evidence {
	const KIND: &'static str = "evidence";
}

#[cfg(test)]
mod tests {
	use super::*;
	use crate::log::EntryHeader;
	use lockstep_primitives::PayloadHash;

	#[test]
	fn an_invitation_leads_to_a_later_epoch_than_the_member_was_in() {
		let header = EntryHeader {
			index: 5,
			hash: EntryHash([1; 32]),
			parent: EntryHash([0; 32]),
			block: 9,
			payload_hash: PayloadHash([0; 32]),
			next_key: OrderingKey([0; 32]),
		};
		let membership = Membership::new(Gate::at(&header, 3, false, 1).unwrap());
		assert_eq!([2, 3, 4].map(|epoch| membership.is_past(epoch)), [true, true, false]);
	}
}

//! Application messages and proposals of the stand-in.

use super::{
	seal,
	state::{derive, text, State},
};
use crate::{
	mls::{
		message::Sent, proposal::ProposalView, BundleError, EngineError, EpochKeys, MessageError, ProposalError,
		Received,
	},
	store::{Overlay, Record},
};
use lockstep_primitives::{rpc::HexBytes, GroupId};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};

/// A message, as it travels.
#[derive(Serialize, Deserialize)]
struct Message {
	group: GroupId,
	epoch: u64,
	sender: String,
	/// Its number among those of its sender in the epoch: the key that it uses up.
	number: u64,
	data: HexBytes,
}

/// The keys that were used up in an epoch, by group and epoch.
#[derive(Default, Serialize, Deserialize)]
struct Used {
	numbers: BTreeMap<String, BTreeSet<u64>>,
}

impl Record for Used {
	const KIND: &'static str = "stand-in ratchets";
}

/// A member's proposal to leave, as it travels.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Proposal {
	pub(super) sender: String,
	pub(super) epoch: u64,
	#[serde(with = "super::bytes")]
	nonce: [u8; 32],
	/// Shows that it was made in the epoch.
	#[serde(with = "super::bytes")]
	mark: [u8; 32],
}

impl Proposal {
	/// Whether it was made by a member in the epoch of this state.
	pub(super) fn is_of(&self, state: &State) -> bool {
		self.epoch == state.epoch && state.is_member(&self.sender) && self.mark == mark(state, &self.nonce)
	}
}

fn mark(state: &State, nonce: &[u8; 32]) -> [u8; 32] {
	*blake3::keyed_hash(&derive("proposal", &state.secret), nonce).as_bytes()
}

pub(super) fn propose_leave(state: &State, identity: &[u8], nonce: [u8; 32]) -> Result<Vec<u8>, EngineError> {
	let proposal = Proposal { sender: text(identity), epoch: state.epoch, nonce, mark: mark(state, &nonce) };
	serde_json::to_vec(&proposal).map_err(EngineError::library("encoding a proposal"))
}

/// Reads a proposal of the current epoch.
pub(super) fn proposal(state: &State, bytes: &[u8]) -> Result<Proposal, ProposalError> {
	let proposal: Proposal = serde_json::from_slice(bytes).map_err(|_| ProposalError::Malformed)?;
	if proposal.epoch != state.epoch {
		return Err(ProposalError::Epoch { proposal: proposal.epoch, current: state.epoch });
	}
	if !proposal.is_of(state) {
		return Err(ProposalError::Invalid(BundleError::Encoding.into()));
	}
	Ok(proposal)
}

pub(super) fn inspect(state: &State, bytes: &[u8]) -> Result<ProposalView, ProposalError> {
	let Proposal { sender, epoch, nonce, .. } = proposal(state, bytes)?;
	let sender = sender.into_bytes();
	Ok(ProposalView { client: sender.clone(), sender, epoch, leaves: true, reference: nonce.to_vec() })
}

pub(super) fn encrypt(
	overlay: &Overlay<'_>,
	group: &GroupId,
	identity: &[u8],
	data: &[u8],
) -> Result<Sent, MessageError> {
	let mut state = State::active(overlay, group)?;
	let number = state.sent;
	state.sent = number.saturating_add(1);
	state.store(overlay, group)?;
	let message =
		Message { group: *group, epoch: state.epoch, sender: text(identity), number, data: HexBytes(data.to_vec()) };
	let bytes = serde_json::to_vec(&message).map_err(EngineError::library("encoding a message"))?;
	// No secret but that of the epoch is needed: what seals it is recorded with the keys of the epoch.
	let keys = EpochKeys::of_epoch(overlay, group, state.epoch)?.ok_or(EngineError::NotPlaced(*group))?;
	let sealed = seal::seal(&keys.ordering_key.0, &derive("nonce", &[0; 32]), &bytes);
	Ok(Sent { epoch: state.epoch, bytes: [&state.epoch.to_be_bytes()[..], &sealed].concat() })
}

pub(super) fn decrypt(
	overlay: &Overlay<'_>,
	group: &GroupId,
	identity: &[u8],
	bytes: &[u8],
) -> Result<Received, MessageError> {
	let state = State::active(overlay, group)?;
	let (epoch, sealed) = bytes.split_first_chunk::<8>().ok_or(MessageError::Malformed)?;
	let (epoch, current) = (u64::from_be_bytes(*epoch), state.epoch);
	if epoch > current {
		return Err(MessageError::Future { epoch, current });
	}
	let keys = EpochKeys::of_epoch(overlay, group, epoch)?.ok_or(MessageError::Past { epoch, current })?;
	let opened = seal::open(&keys.ordering_key.0, sealed).map_err(|_| MessageError::Unreadable)?;
	let message: Message = serde_json::from_slice(&opened).map_err(|_| MessageError::Malformed)?;
	if message.group != *group {
		return Err(MessageError::OtherGroup);
	}
	if message.sender.as_bytes() == identity {
		return Ok(Received::Own { epoch });
	}
	let key = [&group.as_bytes()[..], &epoch.to_be_bytes()].concat();
	let mut used: Used = overlay.get(&key).map_err(EngineError::from)?.unwrap_or_default();
	if !used.numbers.entry(message.sender.clone()).or_default().insert(message.number) {
		return Err(MessageError::Repeated);
	}
	overlay.put(&key, &used).map_err(EngineError::from)?;
	Ok(Received::Message { sender: message.sender.into_bytes(), epoch, data: message.data.0 })
}

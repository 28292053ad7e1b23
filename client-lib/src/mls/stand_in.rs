//! A stand-in for OpenMLS, for simulations: it keeps the rules that the client relies on, and no secret. It has no group
//! data and no signature keys.
//!
//! An epoch has a secret, which follows from that of the epoch before and the bytes of the commit. From it come a real
//! ordering key and what seals payloads and messages; a member that was removed does not compute it. A commit says
//! itself whether it is valid, publicly invalid, or fails for some members, so that a hostile member can make each
//! kind. All state is in the overlay, in records of its own, so that what is not atomic shows.

mod bytes;
mod commit;
mod judge;
mod letter;
mod message;
mod plan;
mod rejoin;
mod seal;
mod state;

pub use commit::Flaw;
pub use judge::StandInStaged;

use super::{
	group::{GroupView, NewGroup},
	key_package::{NewKeyPackage, Serves},
	message::Sent,
	proposal::ProposalView,
	verdict::Verdict,
	Batch, BuildError, Candidate, EngineError, EpochChange, EpochKeys, GroupData, Intent, Invitation, Joined,
	LetterKey, MemberDevice, MessageError, Mls, NewRejoinRequest, Prepared, ProposalError, Received, RejoinError,
	RejoinRequest, Seat, SignerSeed, WelcomeError, Welcomes,
};
use crate::store::Overlay;
use lockstep_primitives::{payload_hash, BlockNumber, EntryHash, GenesisHash, GroupId, IdentityId, LogHead, LogKind};
use rand::{rngs::StdRng, RngCore};
use state::State;
use std::{
	collections::BTreeSet,
	sync::{Mutex, PoisonError},
};

/// One member.
pub struct StandIn {
	identity: Vec<u8>,
	genesis: GenesisHash,
	random: Mutex<StdRng>,
}

impl StandIn {
	/// A member of this identity, on the chain with this genesis.
	pub fn new(identity: Vec<u8>, genesis: GenesisHash, random: StdRng) -> Self {
		Self { identity, genesis, random: Mutex::new(random) }
	}

	fn draw(&self) -> [u8; 32] {
		let mut bytes = [0; 32];
		self.random.lock().unwrap_or_else(PoisonError::into_inner).fill_bytes(&mut bytes);
		bytes
	}
}

impl Mls for StandIn {
	type Staged = StandInStaged;

	fn identity(&self) -> &[u8] {
		&self.identity
	}

	fn genesis(&self) -> &GenesisHash {
		&self.genesis
	}

	fn create_group(&self, overlay: &Overlay<'_>, _: &GroupData) -> Result<NewGroup, EngineError> {
		let group = GroupId(self.draw());
		let state = State::founded(self.draw(), &self.identity, self.draw());
		let parent = LogHead::empty(LogKind::Group, &self.genesis, group.as_bytes()).hash;
		let keys = state.keys(&parent);
		let next_key = keys.ordering_key;
		let endorsement = keys.endorse(&self.genesis, &group, &payload_hash(&[]), &next_key);
		state.store(overlay, &group)?;
		Ok(NewGroup { group, parent, next_key, endorsement })
	}

	fn place_group(&self, overlay: &Overlay<'_>, group: &GroupId, entry: &EntryHash) -> Result<EpochKeys, EngineError> {
		let state = State::load(overlay, group)?;
		if state.epoch != 0 {
			return Err(EngineError::NotNext { staged: 0, current: state.epoch });
		}
		let keys = state.keys(entry);
		keys.record(overlay, group)?;
		Ok(keys)
	}

	fn group(&self, overlay: &Overlay<'_>, group: &GroupId) -> Result<Option<GroupView>, EngineError> {
		Ok(State::find(overlay, group)?.map(|state| state.view(&self.identity)))
	}

	fn epoch_keys(&self, overlay: &Overlay<'_>, group: &GroupId) -> Result<Vec<EpochKeys>, EngineError> {
		EpochKeys::all(overlay, group)
	}

	fn forget_group(&self, overlay: &Overlay<'_>, group: &GroupId) -> Result<(), EngineError> {
		State::forget(overlay, group)?;
		EpochKeys::forget(overlay, group)
	}

	fn forget_past_epochs(&self, overlay: &Overlay<'_>, group: &GroupId, oldest: u64) -> Result<(), EngineError> {
		let state = State::load(overlay, group)?;
		EpochKeys::forget_before(overlay, group, oldest.min(state.epoch))
	}

	fn build_commit(&self, overlay: &Overlay<'_>, group: &GroupId, intents: &[Intent]) -> Result<Batch, EngineError> {
		self.batch(overlay, group, intents)
	}

	fn satisfied(&self, overlay: &Overlay<'_>, group: &GroupId, intent: &Intent) -> Result<bool, EngineError> {
		Ok(plan::is_satisfied(&State::active(overlay, group)?, intent))
	}

	fn as_added(
		&self,
		overlay: &Overlay<'_>,
		group: &GroupId,
		intent: &Intent,
	) -> Result<Vec<MemberDevice>, EngineError> {
		Ok(plan::as_added(&State::active(overlay, group)?, intent))
	}

	fn merge_own(
		&self,
		overlay: &Overlay<'_>,
		entry: &EntryHash,
		prepared: &Prepared,
	) -> Result<EpochChange, EngineError> {
		self.merge(overlay, entry, prepared)
	}

	fn evaluate(
		&self,
		overlay: &Overlay<'_>,
		candidate: &Candidate<'_>,
		own: Option<&Prepared>,
	) -> Result<Verdict<StandInStaged>, EngineError> {
		self.judge(overlay, candidate, own)
	}

	fn apply(
		&self,
		overlay: &Overlay<'_>,
		entry: &EntryHash,
		staged: StandInStaged,
	) -> Result<EpochChange, EngineError> {
		self.advance(overlay, entry, staged)
	}

	fn key_package(&self, overlay: &Overlay<'_>) -> Result<NewKeyPackage, EngineError> {
		letter::key_package(overlay, &self.identity, self.draw(), Serves::Once)
	}

	fn key_package_for(
		&self,
		overlay: &Overlay<'_>,
		_: &SignerSeed,
		serves: Serves,
	) -> Result<NewKeyPackage, EngineError> {
		letter::key_package(overlay, &self.identity, self.draw(), serves)
	}

	fn forget_key_package(&self, overlay: &Overlay<'_>, reference: &[u8]) -> Result<(), EngineError> {
		letter::forget(overlay, reference)
	}

	fn welcomes(
		&self,
		_: &Overlay<'_>,
		prepared: &Prepared,
		entry: &EntryHash,
		index: u64,
	) -> Result<Option<Welcomes>, EngineError> {
		letter::welcomes(prepared, entry, index)
	}

	fn open_envelope(
		&self,
		overlay: &Overlay<'_>,
		key_package_ref: &[u8],
		bytes: &[u8],
	) -> Result<LetterKey, WelcomeError> {
		letter::open_envelope(overlay, key_package_ref, bytes)
	}

	fn open_letter(&self, key: &LetterKey, bytes: &[u8]) -> Result<Invitation, WelcomeError> {
		letter::open(key, bytes)
	}

	fn rejoin(&self, overlay: &Overlay<'_>, invitation: &Invitation) -> Result<Joined, WelcomeError> {
		letter::join(overlay, &self.identity, invitation)
	}

	fn unknown_members(
		&self,
		_: &Overlay<'_>,
		_: &GroupId,
		_: BlockNumber,
	) -> Result<BTreeSet<IdentityId>, WelcomeError> {
		Ok(BTreeSet::new())
	}

	fn rejoin_request(
		&self,
		overlay: &Overlay<'_>,
		group: &GroupId,
		newest: &EntryHash,
	) -> Result<NewRejoinRequest, EngineError> {
		self.request(overlay, group, newest)
	}

	fn check_rejoin(
		&self,
		overlay: &Overlay<'_>,
		group: &GroupId,
		bytes: &[u8],
		head: &EntryHash,
	) -> Result<RejoinRequest, RejoinError> {
		self.check(overlay, group, bytes, head)
	}

	fn signer_seed(&self) -> SignerSeed {
		SignerSeed::new([0; 32])
	}

	fn seat(&self, overlay: &Overlay<'_>, group: &GroupId) -> Result<Option<Seat>, EngineError> {
		self.seated(overlay, group)
	}

	fn propose_leave(&self, overlay: &Overlay<'_>, group: &GroupId) -> Result<Vec<u8>, BuildError> {
		let state = State::active(overlay, group)?;
		Ok(message::propose_leave(&state, &self.identity, self.draw())?)
	}

	fn inspect_proposal(
		&self,
		overlay: &Overlay<'_>,
		group: &GroupId,
		bytes: &[u8],
	) -> Result<ProposalView, ProposalError> {
		message::inspect(&State::active(overlay, group)?, bytes)
	}

	fn encrypt(&self, overlay: &Overlay<'_>, group: &GroupId, data: &[u8]) -> Result<Sent, MessageError> {
		message::encrypt(overlay, group, &self.identity, data)
	}

	fn decrypt(&self, overlay: &Overlay<'_>, group: &GroupId, bytes: &[u8]) -> Result<Received, MessageError> {
		message::decrypt(overlay, group, &self.identity, bytes)
	}

	#[cfg(feature = "hostile")]
	fn seal_anything(&self, overlay: &Overlay<'_>, group: &GroupId, bytes: &[u8]) -> Result<Vec<u8>, EngineError> {
		let state = State::active(overlay, group)?;
		Ok(seal::seal(&state.payload_key(), &self.draw(), bytes))
	}

	#[cfg(feature = "hostile")]
	fn open_anything(&self, overlay: &Overlay<'_>, group: &GroupId, payload: &[u8]) -> Result<Vec<u8>, EngineError> {
		let state = State::active(overlay, group)?;
		seal::open(&state.payload_key(), payload).map_err(EngineError::library("opening"))
	}
}

//! What the client needs of MLS, and nothing else: so that the simulator can put a stand-in in the place of OpenMLS.

use super::{
	group::{GroupView, NewGroup},
	key_package::{NewKeyPackage, Serves},
	message::Sent,
	proposal::ProposalView,
	verdict::Verdict,
	Batch, BuildError, Candidate, Engine, EngineError, EpochChange, EpochKeys, GroupData, Intent, Invitation, Joined,
	LetterKey, LongPath, MemberDevice, MessageError, NewRejoinRequest, Prepared, ProposalError, Received, RejoinError,
	RejoinRequest, Seat, SignerSeed, StagedEntry, Standing, WelcomeError, Welcomes,
};
use crate::store::Overlay;
use lockstep_primitives::{BlockNumber, EntryHash, GenesisHash, GroupId, IdentityId};
use std::collections::BTreeSet;

/// A member's MLS engine. Each method works on an overlay, and what it does lasts only if the caller commits that; they
/// are documented where [`Engine`] has them.
pub trait Mls {
	/// A valid entry, staged.
	type Staged: Staged;

	/// The identity that the other members see.
	fn identity(&self) -> &[u8];
	/// The genesis of the chain that this member's groups are ordered on.
	fn genesis(&self) -> &GenesisHash;

	/// [`Engine::create_group`].
	fn create_group(&self, overlay: &Overlay<'_>, data: &GroupData) -> Result<NewGroup, EngineError>;
	/// [`Engine::place_group`].
	fn place_group(&self, overlay: &Overlay<'_>, group: &GroupId, entry: &EntryHash) -> Result<EpochKeys, EngineError>;
	/// [`Engine::group`].
	fn group(&self, overlay: &Overlay<'_>, group: &GroupId) -> Result<Option<GroupView>, EngineError>;
	/// [`Engine::epoch_keys`].
	fn epoch_keys(&self, overlay: &Overlay<'_>, group: &GroupId) -> Result<Vec<EpochKeys>, EngineError>;
	/// [`Engine::forget_group`].
	fn forget_group(&self, overlay: &Overlay<'_>, group: &GroupId) -> Result<(), EngineError>;
	/// [`Engine::forget_past_epochs`].
	fn forget_past_epochs(&self, overlay: &Overlay<'_>, group: &GroupId, oldest: u64) -> Result<(), EngineError>;
	/// [`Engine::long_path`]. Without a tree there are no paths.
	fn long_path(&self, _: &Overlay<'_>, _: &GroupId, _: u32) -> Result<Option<LongPath>, EngineError> {
		Ok(None)
	}

	/// [`Engine::build_commit`].
	fn build_commit(&self, overlay: &Overlay<'_>, group: &GroupId, intents: &[Intent]) -> Result<Batch, EngineError>;
	/// [`Engine::satisfied`].
	fn satisfied(&self, overlay: &Overlay<'_>, group: &GroupId, intent: &Intent) -> Result<bool, EngineError>;
	/// [`Engine::as_added`].
	fn as_added(
		&self,
		overlay: &Overlay<'_>,
		group: &GroupId,
		intent: &Intent,
	) -> Result<Vec<MemberDevice>, EngineError>;
	/// [`Engine::merge_own`].
	fn merge_own(
		&self,
		overlay: &Overlay<'_>,
		entry: &EntryHash,
		prepared: &Prepared,
	) -> Result<EpochChange, EngineError>;
	/// [`Engine::evaluate`].
	fn evaluate(
		&self,
		overlay: &Overlay<'_>,
		candidate: &Candidate<'_>,
		own: Option<&Prepared>,
	) -> Result<Verdict<Self::Staged>, EngineError>;
	/// [`Engine::apply`].
	fn apply(&self, overlay: &Overlay<'_>, entry: &EntryHash, staged: Self::Staged)
		-> Result<EpochChange, EngineError>;

	/// [`Engine::key_package`].
	fn key_package(&self, overlay: &Overlay<'_>) -> Result<NewKeyPackage, EngineError>;
	/// [`Engine::key_package_for`].
	fn key_package_for(
		&self,
		overlay: &Overlay<'_>,
		seed: &SignerSeed,
		serves: Serves,
	) -> Result<NewKeyPackage, EngineError>;
	/// [`Engine::forget_key_package`].
	fn forget_key_package(&self, overlay: &Overlay<'_>, key_package_ref: &[u8]) -> Result<(), EngineError>;
	/// [`Engine::welcomes`].
	fn welcomes(
		&self,
		overlay: &Overlay<'_>,
		prepared: &Prepared,
		entry: &EntryHash,
		index: u64,
	) -> Result<Option<Welcomes>, EngineError>;
	/// [`Engine::open_envelope`].
	fn open_envelope(
		&self,
		overlay: &Overlay<'_>,
		key_package_ref: &[u8],
		bytes: &[u8],
	) -> Result<LetterKey, WelcomeError>;
	/// [`Engine::open_letter`].
	fn open_letter(&self, key: &LetterKey, bytes: &[u8]) -> Result<Invitation, WelcomeError>;
	/// [`Engine::rejoin`].
	fn rejoin(&self, overlay: &Overlay<'_>, invitation: &Invitation) -> Result<Joined, WelcomeError>;

	/// [`Engine::unknown_members`].
	fn unknown_members(
		&self,
		overlay: &Overlay<'_>,
		group: &GroupId,
		block: BlockNumber,
	) -> Result<BTreeSet<IdentityId>, WelcomeError>;

	/// [`Engine::standing`]. Without people there is nothing to it.
	fn standing(
		&self,
		_: &Overlay<'_>,
		_: &GroupId,
		_: Option<&BTreeSet<IdentityId>>,
	) -> Result<Standing, EngineError> {
		Ok(Standing::default())
	}

	/// [`Engine::rejoin_request`].
	fn rejoin_request(
		&self,
		overlay: &Overlay<'_>,
		group: &GroupId,
		newest: &EntryHash,
	) -> Result<NewRejoinRequest, EngineError>;
	/// [`Engine::check_rejoin`].
	fn check_rejoin(
		&self,
		overlay: &Overlay<'_>,
		group: &GroupId,
		bytes: &[u8],
		head: &EntryHash,
	) -> Result<RejoinRequest, RejoinError>;

	/// [`Engine::signer_seed`].
	fn signer_seed(&self) -> SignerSeed;
	/// [`Engine::change_signer`]. Without signatures there is nothing to it.
	fn change_signer(&mut self, _: SignerSeed) {}
	/// [`Engine::seat`].
	fn seat(&self, overlay: &Overlay<'_>, group: &GroupId) -> Result<Option<Seat>, EngineError>;

	/// [`Engine::propose_leave`].
	fn propose_leave(&self, overlay: &Overlay<'_>, group: &GroupId) -> Result<Vec<u8>, BuildError>;
	/// [`Engine::inspect_proposal`].
	fn inspect_proposal(
		&self,
		overlay: &Overlay<'_>,
		group: &GroupId,
		bytes: &[u8],
	) -> Result<ProposalView, ProposalError>;

	/// [`Engine::encrypt`].
	fn encrypt(&self, overlay: &Overlay<'_>, group: &GroupId, data: &[u8]) -> Result<Sent, MessageError>;
	/// [`Engine::decrypt`].
	fn decrypt(&self, overlay: &Overlay<'_>, group: &GroupId, bytes: &[u8]) -> Result<Received, MessageError>;

	/// Any bytes, sealed as a payload of the current epoch.
	#[cfg(feature = "hostile")]
	fn seal_anything(&self, overlay: &Overlay<'_>, group: &GroupId, bytes: &[u8]) -> Result<Vec<u8>, EngineError>;
	/// The bundle in a payload of the current epoch.
	#[cfg(feature = "hostile")]
	fn open_anything(&self, overlay: &Overlay<'_>, group: &GroupId, payload: &[u8]) -> Result<Vec<u8>, EngineError>;
}

/// What the client asks of a staged entry.
pub trait Staged {
	/// Whether it removes this member.
	fn removes_me(&self) -> bool;
	/// Whether it is this member's own commit, whose Welcomes are due.
	fn is_own(&self) -> bool;
}

impl Staged for StagedEntry {
	fn removes_me(&self) -> bool {
		self.removes_me()
	}

	fn is_own(&self) -> bool {
		self.is_own()
	}
}

/// Calls the engine's own method of the same name.
macro_rules! of_engine {
	($($(#[$attribute:meta])* fn $name:ident(&self $(, $argument:ident: $type:ty)*) -> $result:ty;)*) => {
		$(
			$(#[$attribute])*
			fn $name(&self $(, $argument: $type)*) -> $result {
				Engine::$name(self $(, $argument)*)
			}
		)*
	};
}

impl Mls for Engine {
	type Staged = StagedEntry;

	fn change_signer(&mut self, seed: SignerSeed) {
		Engine::change_signer(self, seed);
	}

	of_engine! {
		fn identity(&self) -> &[u8];
		fn genesis(&self) -> &GenesisHash;
		fn create_group(&self, overlay: &Overlay<'_>, data: &GroupData) -> Result<NewGroup, EngineError>;
		fn place_group(&self, overlay: &Overlay<'_>, group: &GroupId, entry: &EntryHash) -> Result<EpochKeys, EngineError>;
		fn group(&self, overlay: &Overlay<'_>, group: &GroupId) -> Result<Option<GroupView>, EngineError>;
		fn epoch_keys(&self, overlay: &Overlay<'_>, group: &GroupId) -> Result<Vec<EpochKeys>, EngineError>;
		fn forget_group(&self, overlay: &Overlay<'_>, group: &GroupId) -> Result<(), EngineError>;
		fn forget_past_epochs(&self, overlay: &Overlay<'_>, group: &GroupId, oldest: u64) -> Result<(), EngineError>;
		fn long_path(&self, overlay: &Overlay<'_>, group: &GroupId, limit: u32) -> Result<Option<LongPath>, EngineError>;
		fn build_commit(&self, overlay: &Overlay<'_>, group: &GroupId, intents: &[Intent]) -> Result<Batch, EngineError>;
		fn satisfied(&self, overlay: &Overlay<'_>, group: &GroupId, intent: &Intent) -> Result<bool, EngineError>;
		fn as_added(&self, overlay: &Overlay<'_>, group: &GroupId, intent: &Intent) -> Result<Vec<MemberDevice>, EngineError>;
		fn merge_own(&self, overlay: &Overlay<'_>, entry: &EntryHash, prepared: &Prepared) -> Result<EpochChange, EngineError>;
		fn evaluate(&self, overlay: &Overlay<'_>, candidate: &Candidate<'_>, own: Option<&Prepared>) -> Result<Verdict, EngineError>;
		fn apply(&self, overlay: &Overlay<'_>, entry: &EntryHash, staged: StagedEntry) -> Result<EpochChange, EngineError>;
		fn key_package(&self, overlay: &Overlay<'_>) -> Result<NewKeyPackage, EngineError>;
		fn key_package_for(&self, overlay: &Overlay<'_>, seed: &SignerSeed, serves: Serves) -> Result<NewKeyPackage, EngineError>;
		fn forget_key_package(&self, overlay: &Overlay<'_>, reference: &[u8]) -> Result<(), EngineError>;
		fn welcomes(&self, overlay: &Overlay<'_>, prepared: &Prepared, entry: &EntryHash, index: u64) -> Result<Option<Welcomes>, EngineError>;
		fn open_envelope(&self, overlay: &Overlay<'_>, reference: &[u8], bytes: &[u8]) -> Result<LetterKey, WelcomeError>;
		fn open_letter(&self, key: &LetterKey, bytes: &[u8]) -> Result<Invitation, WelcomeError>;
		fn rejoin(&self, overlay: &Overlay<'_>, invitation: &Invitation) -> Result<Joined, WelcomeError>;
		fn unknown_members(&self, overlay: &Overlay<'_>, group: &GroupId, block: BlockNumber) -> Result<BTreeSet<IdentityId>, WelcomeError>;
		fn standing(&self, overlay: &Overlay<'_>, group: &GroupId, of: Option<&BTreeSet<IdentityId>>) -> Result<Standing, EngineError>;
		fn rejoin_request(&self, overlay: &Overlay<'_>, group: &GroupId, newest: &EntryHash) -> Result<NewRejoinRequest, EngineError>;
		fn check_rejoin(&self, overlay: &Overlay<'_>, group: &GroupId, bytes: &[u8], head: &EntryHash) -> Result<RejoinRequest, RejoinError>;
		fn signer_seed(&self) -> SignerSeed;
		fn seat(&self, overlay: &Overlay<'_>, group: &GroupId) -> Result<Option<Seat>, EngineError>;
		fn propose_leave(&self, overlay: &Overlay<'_>, group: &GroupId) -> Result<Vec<u8>, BuildError>;
		fn inspect_proposal(&self, overlay: &Overlay<'_>, group: &GroupId, bytes: &[u8]) -> Result<ProposalView, ProposalError>;
		fn encrypt(&self, overlay: &Overlay<'_>, group: &GroupId, data: &[u8]) -> Result<Sent, MessageError>;
		fn decrypt(&self, overlay: &Overlay<'_>, group: &GroupId, bytes: &[u8]) -> Result<Received, MessageError>;
		#[cfg(feature = "hostile")]
		fn seal_anything(&self, overlay: &Overlay<'_>, group: &GroupId, bytes: &[u8]) -> Result<Vec<u8>, EngineError>;
		#[cfg(feature = "hostile")]
		fn open_anything(&self, overlay: &Overlay<'_>, group: &GroupId, payload: &[u8]) -> Result<Vec<u8>, EngineError>;
	}
}

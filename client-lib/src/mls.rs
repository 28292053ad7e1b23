//! A member's MLS engine: OpenMLS, held to rules that make every member judge a log alike.
//!
//! The [`Engine`] has no state of its own. Each method works on an [`Overlay`], a transaction of the member's store,
//! and what it does lasts only if the caller commits that overlay: the caller moves the log position in the same one.
//!
//! The rules, each in the file that keeps it:
//! - A commit is planned from what is wanted ([`plan`]), built on a throw-away overlay, and its result kept aside, so
//!   that the stored group never carries a pending commit; the log decides what becomes of it ([`commit`]).
//! - An entry is judged first with public state alone, then by the group's [`policy`], and only then with this
//!   member's own keys, so that what all members see alike can be told from what fails for one ([`verdict`]).
//! - Nothing local counts in a verdict: pending proposals are put away, the clock cannot matter, and every setting
//!   that could is a protocol constant ([`constants`]).

mod apply;
mod batch;
mod bundle;
mod classify;
mod commit;
pub mod constants;
mod crypto;
mod damage;
mod error;
#[cfg(any(test, feature = "simulation"))]
mod faulty;
mod group;
mod group_data;
#[cfg(feature = "hostile")]
mod hostile;
mod hpke;
mod intent;
mod interface;
mod invitation;
mod key_package;
mod keys;
mod leaves;
mod loaded;
mod long_paths;
mod message;
mod meter;
mod native;
mod nowhere;
pub(crate) mod people;
mod plan;
pub mod policy;
mod proposal;
mod provider;
mod public_phase;
mod ratchet_tree;
mod rejoin;
mod seal;
mod seat;
mod signer;
mod staged;
#[cfg(feature = "simulation")]
pub mod stand_in;
mod standing;
#[cfg(test)]
mod tests;
mod tls;
mod verdict;

pub use apply::EpochChange;
pub use batch::{Batch, Placed};
pub use bundle::BundleError;
pub use commit::Prepared;
pub(crate) use damage::is_damaged_state;
pub(crate) use error::printable;
pub use error::{BuildError, EngineError, MessageError, ProposalError, RejoinError, WelcomeError};
pub use group::GroupView;
pub use group_data::{AuthenticationService, GroupData, GroupDataError, Rights, Who};
pub use intent::{EnvelopeKey, GroupChange, Intent};
pub use interface::{Mls, Staged};
pub use invitation::{Envelope, Invitation, Joined, LetterKey, Welcomes};
pub use key_package::{NewKeyPackage, Serves};
pub use keys::{EpochKeys, RequestKey, Voice};
#[cfg(feature = "simulation")]
pub use long_paths::long_path;
pub use long_paths::LongPath;
pub use message::Received;
pub use people::{KnownDevices, MemberDevice};
pub use rejoin::{NewRejoinRequest, RejoinRequest};
pub use seal::SealError;
pub use seat::Seat;
pub use signer::SignerSeed;
pub use standing::Standing;
pub use verdict::{Candidate, InvalidReason, PrivateReason, StagedEntry, Verdict};

use crate::store::Overlay;
use constants::{MAX_COMMIT, MAX_IDENTITY, MAX_LETTER};
use crypto::Crypto;
use lockstep_primitives::GenesisHash;
use openmls::prelude::CredentialWithKey;
use provider::{Provider, Random};
use signer::LeafSigner;

/// One member: its identity, its signature key, and the chain it is on.
pub struct Engine {
	identity: Vec<u8>,
	seed: SignerSeed,
	signer: LeafSigner,
	genesis: GenesisHash,
	crypto: Crypto,
	random: Random,
	/// [`MAX_LETTER`], but in tests.
	max_letter: usize,
	/// [`MAX_COMMIT`], but in tests.
	pub(crate) max_commit: usize,
}

impl Engine {
	/// An engine for the member `identity` on the chain with this genesis. In groups that it creates, and with
	/// KeyPackages that it makes, it signs with the Ed25519 key of this seed; in the others with the key that its leaf
	/// has there, which is stored.
	///
	/// The identity is what the other members see (RFC 9420 section 5.3, a basic credential).
	///
	/// # Errors
	/// [`EngineError::Identity`] if it is empty or longer than [`MAX_IDENTITY`].
	pub fn new(identity: Vec<u8>, signer_seed: &[u8; 32], genesis: GenesisHash) -> Result<Self, EngineError> {
		if identity.is_empty() || identity.len() > MAX_IDENTITY {
			return Err(EngineError::Identity { length: identity.len() });
		}
		let seed = SignerSeed::new(*signer_seed);
		let signer = seed.pair();
		let (crypto, random) = (Crypto::default(), Random::default());
		Ok(Self { identity, seed, signer, genesis, crypto, random, max_letter: MAX_LETTER, max_commit: MAX_COMMIT })
	}

	/// The same with random numbers from a seed, so that a simulation can be repeated. The keys that it makes can be
	/// guessed.
	#[cfg(feature = "simulation")]
	pub fn with_seed(self, seed: u64) -> Self {
		Self { random: Random::seeded(seed), ..self }
	}

	/// The identity that the other members see.
	pub fn identity(&self) -> &[u8] {
		&self.identity
	}

	/// The genesis of the chain that this member's groups are ordered on.
	pub fn genesis(&self) -> &GenesisHash {
		&self.genesis
	}

	/// From now on it signs with the key of this seed, in groups that it creates and KeyPackages that it makes.
	pub fn change_signer(&mut self, seed: SignerSeed) {
		self.signer = seed.pair();
		self.seed = seed;
	}

	fn provider<'p, 'o>(&'p self, overlay: &'p Overlay<'o>) -> Provider<'p, 'o> {
		Provider::new(&self.crypto, &self.random, overlay)
	}

	fn credential(&self) -> CredentialWithKey {
		self.credential_of(&self.seed)
	}
}

impl std::fmt::Debug for Engine {
	fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
		let identity = error::printable(&self.identity);
		f.debug_struct("Engine").field("identity", &identity).field("genesis", &self.genesis).finish_non_exhaustive()
	}
}

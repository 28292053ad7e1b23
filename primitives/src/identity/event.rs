//! Events, and what their signatures sign.

use crate::{
	BlockNumber, EntryHash, EventSignature, GenesisHash, IdentityId, IdentityKey, KeyCommitment, LogHead, LogKind,
	OperatorId,
};
use alloc::vec::Vec;
use bounded_collections::{BoundedVec, ConstU32};
use codec::{Decode, DecodeWithMemTracking, Encode, MaxEncodedLen};
use scale_info::TypeInfo;

const IDENTITY_TAG: &[u8] = b"lockstep/identity/1";
const EVENT_TAG: &[u8] = b"lockstep/event/1";
const ACCEPT_TAG: &[u8] = b"lockstep/accept/1";
const COMMIT_TAG: &[u8] = b"lockstep/next-key/1";

/// Devices that an identity has at once.
pub const MAX_DEVICES: u32 = 16;
/// Recovery keys that it has.
pub const MAX_RECOVERY_KEYS: u32 = 4;
/// For how many blocks an event can be overridden: three days. It is the same on every chain and in every runtime, for a log
/// is judged by it years later.
pub const RECOVERY_WINDOW: BlockNumber = 3 * 86_400;
/// No event with its signatures has a longer encoding, in bytes.
pub const MAX_SIGNED_EVENT: usize = 1024;

/// What is known of the recovery keys, the highest rank first: that is number 0.
pub type RecoveryKeys = BoundedVec<KeyCommitment, ConstU32<MAX_RECOVERY_KEYS>>;
/// Devices that go, by their keys.
pub type Revoked = BoundedVec<IdentityKey, ConstU32<MAX_DEVICES>>;

/// A device that comes in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct NewDevice {
	/// Its key.
	pub key: IdentityKey,
	/// What is known of the key that comes after it.
	pub next: KeyCommitment,
}

/// What an event does.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo)]
pub enum Action {
	/// The first event, by the first device.
	#[codec(index = 0)]
	Incept {
		/// The first device.
		device: NewDevice,
		/// What is known of the recovery keys. Without any, nothing can be overridden.
		recovery: RecoveryKeys,
		/// Where the person is at home.
		operator: Option<OperatorId>,
	},
	/// A device adds another one, which accepts.
	#[codec(index = 1)]
	AddDevice(NewDevice),
	/// A device revokes itself or one that it added, directly or not, and all that this one added.
	#[codec(index = 2)]
	RevokeDevice(IdentityKey),
	/// A device goes over to the key that it committed to, which is the author.
	#[codec(index = 3)]
	Rotate {
		/// The key that it has.
		replaces: IdentityKey,
		/// What is known of the key that comes after the author.
		next: KeyCommitment,
	},
	/// A recovery key, the author, overrides events, and brings in a device, which accepts.
	#[codec(index = 4)]
	Recover {
		/// Which recovery key.
		rank: u8,
		/// The first event that is overridden; the position of this one, if none is.
		from: u64,
		/// Further devices that go, each with what it added.
		revoked: Revoked,
		/// The device that comes in.
		device: NewDevice,
		/// What is known of the recovery keys from this rank on, in the place of those that were.
		recovery: RecoveryKeys,
	},
	/// A device says where the person is at home.
	#[codec(index = 5)]
	SetOperator(Option<OperatorId>),
	/// The only device ends the identity, by the key that it committed to, which is the author.
	#[codec(index = 6)]
	Close,
}

/// One event, before it is signed.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo)]
pub struct Event {
	/// Whose log it is for.
	pub identity: IdentityId,
	/// Its position there.
	pub index: u64,
	/// The hash of the event before it; the empty head of the log for the first.
	pub previous: EntryHash,
	/// The key that signs it.
	pub author: IdentityKey,
	/// What it does.
	pub action: Action,
}

/// One event with its signatures: the body of an entry of an identity log.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo)]
pub struct SignedEvent {
	/// The event.
	pub event: Event,
	/// By the author, over [`Event::signing_payload`].
	pub signature: EventSignature,
	/// By the device that [`Action::AddDevice`] or [`Action::Recover`] brings in, over [`Event::acceptance_payload`]; of
	/// other events there is none.
	pub acceptance: Option<EventSignature>,
}

impl Action {
	/// The id of the identity that this first event makes: `H("lockstep/identity/1" | genesis | SCALE(action))`.
	pub fn identity(&self, genesis: &GenesisHash) -> IdentityId {
		let mut hasher = blake3::Hasher::new();
		hasher.update(IDENTITY_TAG);
		hasher.update(genesis.as_bytes());
		self.using_encoded(|bytes| {
			hasher.update(bytes);
		});
		IdentityId(hasher.finalize().into())
	}

	/// The device that it brings in and that has to accept.
	pub fn accepting(&self) -> Option<&NewDevice> {
		match self {
			Self::AddDevice(device) | Self::Recover { device, .. } => Some(device),
			_ => None,
		}
	}
}

impl Event {
	/// The first event of an identity with this device, and its id.
	pub fn incept(
		genesis: &GenesisHash,
		device: NewDevice,
		recovery: RecoveryKeys,
		operator: Option<OperatorId>,
	) -> Self {
		let action = Action::Incept { device, recovery, operator };
		let identity = action.identity(genesis);
		let LogHead { length: index, hash: previous } = LogHead::empty(LogKind::Identity, genesis, &identity.0);
		Self { identity, index, previous, author: device.key, action }
	}

	/// What the author signs: `"lockstep/event/1" | genesis | SCALE(event)`.
	pub fn signing_payload(&self, genesis: &GenesisHash) -> Vec<u8> {
		[EVENT_TAG, genesis.as_ref(), &self.encode()].concat()
	}

	/// What a device that comes in signs: `"lockstep/accept/1" | genesis | SCALE(event)`.
	pub fn acceptance_payload(&self, genesis: &GenesisHash) -> Vec<u8> {
		[ACCEPT_TAG, genesis.as_ref(), &self.encode()].concat()
	}
}

impl IdentityKey {
	/// What is told of a key before it is shown: `H("lockstep/next-key/1" | key)`.
	pub fn commitment(&self) -> KeyCommitment {
		let mut hasher = blake3::Hasher::new();
		hasher.update(COMMIT_TAG);
		hasher.update(self.as_bytes());
		KeyCommitment(hasher.finalize().into())
	}
}

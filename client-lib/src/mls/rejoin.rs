//! Rejoin requests: how a member that lost its state, or was cut off, asks another one to readmit it.
//!
//! Another member answers by a commit that replaces the leaf ([`Intent::Readmit`]), and a Welcome. A request is good
//! once: it names the leaf that it replaces, or the newest entry of the log, and the commit that answers it changes
//! both.

use super::{
	constants::{tag, MAX_REJOIN_REQUEST},
	error::{EngineError, RejoinError},
	group,
	group_data::AuthenticationService,
	intent::Intent,
	key_package, policy, Engine,
};
use crate::store::{Overlay, Record, StoreError};
use codec::{Decode, DecodeAll, Encode};
use ed25519_dalek::Signer as _;
use lockstep_primitives::{rpc::HexBytes, EntryHash, GenesisHash, GroupId};
use openmls::prelude::{Member, MlsGroup};
use openmls_traits::{crypto::OpenMlsCrypto, types::SignatureScheme};
use serde::{Deserialize, Serialize};

const VERSION: u8 = 1;

/// A rejoin request, made and its KeyPackage stored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewRejoinRequest {
	/// The request, to send to the members.
	pub bytes: Vec<u8>,
	/// The KeyPackageRef of its KeyPackage, which names the mailbox that the Welcome comes to.
	pub reference: Vec<u8>,
	/// Whether it names the leaf that this member has in its state: then it is good for as long as that leaf is there, whichever
	/// entry it names.
	pub from_state: bool,
}

/// A rejoin request that was found good.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RejoinRequest {
	/// The member that asks.
	pub identity: Vec<u8>,
	/// The name of the leaf that it has now ([`GroupView::clients`](super::group::GroupView::clients)).
	pub client: Vec<u8>,
	/// Its new KeyPackage, in the TLS form.
	pub key_package: Vec<u8>,
	/// The encryption key of the leaf that the member has now.
	pub replaces: Vec<u8>,
	/// Whether the KeyPackage has another signature key than that leaf: to readmit it takes the rights to add and to
	/// remove, and for an administrator the right to change roles.
	pub new_key: bool,
}

impl RejoinRequest {
	/// The intent that answers it.
	pub fn intent(&self) -> Intent {
		Intent::Readmit {
			identity: HexBytes(self.identity.clone()),
			key_package: HexBytes(self.key_package.clone()),
			replaces: HexBytes(self.replaces.clone()),
		}
	}
}

/// The encryption key of the leaf that this member had in a group when a commit removed it, or when the backup was made
/// that this store was restored from, by the group's id. Whoever endorsed that commit may have given it a key that makes
/// it invalid, which the member cannot see; then it has that leaf still.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct LastLeaf {
	key: HexBytes,
}

impl Record for LastLeaf {
	const KIND: &'static str = "last leaf";
}

impl LastLeaf {
	/// That of a group, before it is removed.
	pub(super) fn of(mls: &MlsGroup) -> Option<Self> {
		own_leaf(mls).map(Self::new)
	}

	/// The one that is stored; nothing if the record is damaged.
	pub(super) fn readable(overlay: &Overlay<'_>, group: &GroupId) -> Result<Option<Self>, StoreError> {
		overlay.if_readable(|overlay| overlay.get(group.as_bytes()))
	}

	pub(super) fn new(key: Vec<u8>) -> Self {
		Self { key: HexBytes(key) }
	}

	pub(super) fn into_key(self) -> Vec<u8> {
		self.key.0
	}
}

/// What is signed, in SCALE, after `"lockstep/rejoin/1"`.
#[derive(Encode, Decode)]
struct Statement {
	version: u8,
	genesis: GenesisHash,
	group: GroupId,
	identity: Vec<u8>,
	/// The newest entry of the group's log that the member knows.
	newest: EntryHash,
	/// The encryption key of the leaf that the member has in its own state; empty if it has no state.
	replaces: Vec<u8>,
	key_package: Vec<u8>,
}

/// What travels, in SCALE.
#[derive(Encode, Decode)]
struct Request {
	statement: Statement,
	signature: [u8; 64],
}

impl Statement {
	fn signed(&self) -> Vec<u8> {
		[tag::REJOIN, &self.encode()].concat()
	}
}

impl Engine {
	/// Asks the members of a group to readmit this one, with a new KeyPackage, whose private keys are stored.
	///
	/// `newest` is the newest entry of the group's log that this member knows to be final. A member that has lost its
	/// state has nothing else to show that its request is a new one: it asks again when others have committed since. So it is
	/// with one whose state is damaged. The request is signed with the key of this member's leaf in the group if that is
	/// stored, and with the engine's own if not.
	///
	/// Commit the overlay before the request is sent.
	///
	/// # Errors
	/// [`EngineError::Store`], [`EngineError::Library`]; [`EngineError::NoSigner`] if the group's state is stored, but
	/// the key of the leaf is not.
	pub fn rejoin_request(
		&self,
		overlay: &Overlay<'_>,
		group: &GroupId,
		newest: &EntryHash,
	) -> Result<NewRejoinRequest, EngineError> {
		let step = overlay.nested();
		let stored = self.readable(&step, group)?.filter(|mls| mls.is_active());
		let (seed, replaces) = match &stored {
			Some(mls) => (self.signer_of(&step, group, mls)?, own_leaf(mls)),
			None => {
				let seed = super::signer::Of::Group(group).readable(&step)?.unwrap_or_else(|| self.seed.clone());
				(seed, LastLeaf::readable(&step, group)?.map(LastLeaf::into_key))
			}
		};
		let package = self.key_package_with(&step, &seed)?;
		let statement = Statement {
			version: VERSION,
			genesis: self.genesis,
			group: *group,
			identity: self.identity.clone(),
			newest: *newest,
			replaces: replaces.unwrap_or_default(),
			key_package: package.bytes,
		};
		let signature = seed.key().sign(&statement.signed()).to_bytes();
		step.commit()?;
		let (bytes, from_state) = (Request { statement, signature }.encode(), stored.is_some());
		Ok(NewRejoinRequest { bytes, reference: package.reference, from_state })
	}

	/// Checks a rejoin request that arrived, in the group's current epoch. Writes nothing to `overlay`. `head` is the newest
	/// entry of the log that this member has read.
	///
	/// A good request is from the member: it is signed with the key of the leaf that the member has now. It is not an
	/// old one: it names that leaf, the entry that opened this epoch, or the head. A member that cannot judge entries does
	/// not know which of the two is the one that counts; the commit that answers it changes both.
	///
	/// # Errors
	/// [`RejoinError`].
	pub fn check_rejoin(
		&self,
		overlay: &Overlay<'_>,
		group: &GroupId,
		bytes: &[u8],
		head: &EntryHash,
	) -> Result<RejoinRequest, RejoinError> {
		let Request { statement, signature } = decode(bytes)?;
		if statement.genesis != self.genesis {
			return Err(RejoinError::OtherChain);
		}
		if statement.group != *group {
			return Err(RejoinError::OtherGroup);
		}
		let mls = self.load_active(overlay, group)?;
		let tip = self.tip(overlay, group, &mls)?.entry;
		let identity = statement.identity.clone();
		let leaves = leaves_of(&mls, &identity);
		if leaves.is_empty() {
			return Err(RejoinError::NotAMember { identity });
		}
		if leaves.iter().all(|leaf| leaf.index == mls.own_leaf_index()) {
			return Err(RejoinError::Own);
		}
		let signed = statement.signed();
		let has_signed = |leaf: &Member| {
			let key = &leaf.signature_key;
			self.crypto.verify_signature(SignatureScheme::ED25519, &signed, key, &signature).is_ok()
		};
		// Of a person's several leaves it is for the one whose key has signed.
		let Some(leaf) = leaves.into_iter().find(has_signed) else {
			return Err(RejoinError::Signature { identity });
		};
		if leaf.index == mls.own_leaf_index() {
			return Err(RejoinError::Own);
		}
		let is_new = statement.newest == tip || statement.newest == *head;
		if statement.replaces != leaf.encryption_key && !is_new {
			return Err(RejoinError::Lapsed { identity });
		}
		let package = key_package::parse(&self.crypto, &statement.key_package).map_err(RejoinError::KeyPackage)?;
		if policy::identity(package.leaf_node().credential()).as_ref() != Ok(&identity) {
			return Err(RejoinError::KeyPackage("it is another member's".to_owned()));
		}
		let new_key = package.leaf_node().signature_key().as_slice() != leaf.signature_key;
		let people = group::data(&mls)?.authentication == AuthenticationService::Directory;
		let client = if people { [&identity[..], &leaf.signature_key].concat() } else { identity.clone() };
		let (key_package, replaces) = (statement.key_package, leaf.encryption_key);
		Ok(RejoinRequest { identity, client, key_package, replaces, new_key })
	}
}

/// Reads a request. Total: any bytes give one, or an error.
fn decode(bytes: &[u8]) -> Result<Request, RejoinError> {
	if bytes.len() > MAX_REJOIN_REQUEST {
		return Err(RejoinError::Malformed);
	}
	match bytes.first() {
		Some(&VERSION) => {}
		Some(&other) => return Err(RejoinError::Version(other)),
		None => return Err(RejoinError::Malformed),
	}
	// SCALE has one encoding of each value, and its decoder insists on it
	Request::decode_all(&mut &bytes[..]).map_err(|_| RejoinError::Malformed)
}

pub(super) fn own_leaf(mls: &MlsGroup) -> Option<Vec<u8>> {
	mls.members().find(|member| member.index == mls.own_leaf_index()).map(|member| member.encryption_key)
}

/// The leaves of a member: several, if it is a person with several devices.
pub(super) fn leaves_of(mls: &MlsGroup, identity: &[u8]) -> Vec<Member> {
	let is_theirs = |member: &Member| policy::named(&member.credential).is_ok_and(|found| found == identity);
	mls.members().filter(is_theirs).collect()
}

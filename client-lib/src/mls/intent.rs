//! What a member wants a commit to bring about.

use super::{
	error::BuildError,
	group_data::{GroupData, GroupDataError, Rights, Who},
	people::MemberDevice,
	signer::SignerSeed,
};
use ed25519_dalek::Signer;
use lockstep_primitives::{rpc::HexBytes, BlockNumber};
use serde::{Deserialize, Serialize};

/// What a commit is to bring about: what is wanted and not bytes, so that it can be built anew after a lost race.
///
/// Every commit also renews the committer's own keys (RFC 9420 section 7.5), whatever else it does.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub enum Intent {
	/// Adds the owners of these KeyPackages, given in their TLS form. Those who are members already are passed over.
	Add(Vec<HexBytes>),
	/// The same for KeyPackages that were claimed from the directory: nothing that leads from there to the group is signed with
	/// the group's keys.
	AddClaimed {
		/// The KeyPackages, in their TLS form.
		key_packages: Vec<HexBytes>,
		/// What signs the envelopes instead.
		envelope_key: EnvelopeKey,
	},
	/// Removes the members of these identities. Those who are no members are passed over.
	Remove(Vec<HexBytes>),
	/// Removes single devices of people. Those that have no leaf are passed over. One that its person's log has removed takes no
	/// right to remove, nor does one of the committer's own.
	RemoveDevices(Vec<MemberDevice>),
	/// Renews the committer's own keys only.
	Update,
	/// Commits proposals of other members, given as MLSMessages: how members leave.
	Proposals(Vec<HexBytes>),
	/// Changes the group data.
	GroupData(GroupChange),
	/// Gives this member's leaf another signature key, under the same identity.
	Rotate {
		/// The seed of the new key.
		seed: SignerSeed,
	},
	/// Replaces a member's leaf by that of its new KeyPackage, in one commit: how a member comes back that lost its
	/// state or was cut off. [`RejoinRequest::intent`](super::RejoinRequest::intent) makes it.
	Readmit {
		/// The member.
		identity: HexBytes,
		/// Its KeyPackage, in the TLS form.
		key_package: HexBytes,
		/// The encryption key of the leaf to be replaced. Once the member has another leaf, the wish has lapsed: so a
		/// member that is back is not put out again.
		replaces: HexBytes,
	},
}

/// The key of the voucher with which KeyPackages were claimed. It has a statement allowance for their envelopes
/// (`docs/protocol.md` section 14), for a while.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct EnvelopeKey {
	/// Its seed.
	pub seed: SignerSeed,
	/// The last block in which it is used: a wish to add that is older fails.
	pub until: BlockNumber,
}

impl EnvelopeKey {
	/// The public key.
	pub(crate) fn public(&self) -> [u8; 32] {
		self.seed.key().verifying_key().to_bytes()
	}

	/// Signs a statement.
	pub(crate) fn sign(&self, message: &[u8]) -> [u8; 64] {
		self.seed.key().sign(message).to_bytes()
	}
}

impl Intent {
	/// The KeyPackages of those whom it brings in. One who is readmitted asks again by itself.
	pub(crate) fn key_packages(&self) -> &[HexBytes] {
		match self {
			Self::Add(packages) | Self::AddClaimed { key_packages: packages, .. } => packages,
			_ => &[],
		}
	}

	/// The last block in which it can be brought about, if there is one.
	pub(crate) fn until(&self) -> Option<BlockNumber> {
		match self {
			Self::AddClaimed { envelope_key, .. } => Some(envelope_key.until),
			_ => None,
		}
	}
}

/// A change of the group data: what is not named stays as it is.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct GroupChange {
	/// The new name.
	pub name: Option<String>,
	/// The new application data.
	pub application: Option<HexBytes>,
	/// Members to become administrators.
	pub appoint: Vec<HexBytes>,
	/// Administrators to be members like others.
	pub dismiss: Vec<HexBytes>,
	/// Who may add members.
	pub add: Option<Who>,
	/// Who may remove other members.
	pub remove: Option<Who>,
	/// Who may change name and application data.
	pub data: Option<Who>,
	/// Who may change administrators and rights.
	pub roles: Option<Who>,
}

impl GroupChange {
	/// The data after the change.
	///
	/// # Errors
	/// [`BuildError::Empty`] if nothing is named, [`BuildError::GroupData`] if the result is out of bounds.
	pub fn apply(&self, data: &GroupData) -> Result<GroupData, BuildError> {
		if *self == Self::default() {
			return Err(BuildError::Empty);
		}
		let mut changed = data.clone();
		if let Some(name) = &self.name {
			changed.name.clone_from(name);
		}
		if let Some(application) = &self.application {
			changed.application.clone_from(&application.0);
		}
		for dismissed in &self.dismiss {
			changed.administrators.remove(&dismissed.0);
		}
		changed.administrators.extend(self.appoint.iter().map(|appointed| appointed.0.clone()));
		changed.rights = Rights {
			add: self.add.unwrap_or(data.rights.add),
			remove: self.remove.unwrap_or(data.rights.remove),
			data: self.data.unwrap_or(data.rights.data),
			roles: self.roles.unwrap_or(data.rights.roles),
		};
		changed.encode().map_err(|error: GroupDataError| BuildError::GroupData(error))?;
		Ok(changed)
	}
}

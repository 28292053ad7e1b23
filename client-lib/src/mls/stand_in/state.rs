//! What a member has of a group: its record, and the keys that follow from it.

use crate::{
	mls::{group::GroupView, EngineError, EpochKeys, GroupData},
	store::{Overlay, Record},
};
use ed25519_dalek::SigningKey;
use lockstep_primitives::{EntryHash, GroupId, OrderingKey};
use serde::{Deserialize, Serialize};
use std::{cell::RefCell, collections::HashMap};

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct State {
	pub(super) epoch: u64,
	#[serde(with = "super::bytes")]
	pub(super) secret: [u8; 32],
	pub(super) members: Vec<Leaf>,
	pub(super) active: bool,
	/// Messages sent in this epoch.
	pub(super) sent: u64,
}

/// A member's place in the group.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Leaf {
	pub(super) identity: String,
	/// Another one with each KeyPackage, and with each commit of the member, as the encryption key of a leaf is.
	#[serde(with = "super::bytes")]
	pub(super) key: [u8; 32],
}

impl Record for State {
	const KIND: &'static str = "stand-in group";
}

impl State {
	pub(super) fn founded(secret: [u8; 32], founder: &[u8], key: [u8; 32]) -> Self {
		Self { epoch: 0, secret, members: vec![Leaf { identity: text(founder), key }], active: true, sent: 0 }
	}

	pub(super) fn find(overlay: &Overlay<'_>, group: &GroupId) -> Result<Option<Self>, EngineError> {
		Ok(overlay.get(group.as_bytes())?)
	}

	pub(super) fn load(overlay: &Overlay<'_>, group: &GroupId) -> Result<Self, EngineError> {
		Self::find(overlay, group)?.ok_or(EngineError::NoSuchGroup(*group))
	}

	pub(super) fn active(overlay: &Overlay<'_>, group: &GroupId) -> Result<Self, EngineError> {
		let state = Self::load(overlay, group)?;
		if state.active {
			Ok(state)
		} else {
			Err(EngineError::Removed(*group))
		}
	}

	pub(super) fn store(&self, overlay: &Overlay<'_>, group: &GroupId) -> Result<(), EngineError> {
		Ok(overlay.put(group.as_bytes(), self)?)
	}

	pub(super) fn forget(overlay: &Overlay<'_>, group: &GroupId) -> Result<(), EngineError> {
		Ok(overlay.delete::<Self>(group.as_bytes())?)
	}

	/// The secret of the epoch that a commit opens.
	pub(super) fn next_secret(&self, commit: &[u8]) -> [u8; 32] {
		*blake3::keyed_hash(&self.secret, commit).as_bytes()
	}

	pub(super) fn is_member(&self, identity: &str) -> bool {
		self.leaf(identity).is_some()
	}

	pub(super) fn leaf(&self, identity: &str) -> Option<&Leaf> {
		self.members.iter().find(|member| member.identity == identity)
	}

	/// As the member with this identity sees it.
	pub(super) fn view(&self, me: &[u8]) -> GroupView {
		let members: Vec<_> = self.members.iter().map(|member| member.identity.clone().into_bytes()).collect();
		GroupView {
			epoch: self.epoch,
			authenticator: derive("authenticator", &self.secret).to_vec(),
			members: members.clone(),
			devices: Vec::new(),
			clients: members,
			me: me.to_vec(),
			data: GroupData::default(),
			active: self.active,
			ordering_key: self.active.then(|| ordering_key(&self.secret)),
		}
	}

	pub(super) fn payload_key(&self) -> [u8; 32] {
		derive("payload", &self.secret)
	}

	pub(super) fn keys(&self, entry: &EntryHash) -> EpochKeys {
		let seed = derive("ordering", &self.secret);
		EpochKeys::of_stand_in(self.epoch, *entry, ordering_key(&self.secret), seed)
	}
}

pub(super) fn derive(what: &str, secret: &[u8; 32]) -> [u8; 32] {
	*blake3::keyed_hash(secret, what.as_bytes()).as_bytes()
}

thread_local! {
	/// All members of an epoch derive the same key, and that is most of what a simulated epoch costs.
	static KEYS: RefCell<HashMap<[u8; 32], OrderingKey>> = RefCell::default();
}

/// The ordering key of the epoch with this secret.
pub(super) fn ordering_key(secret: &[u8; 32]) -> OrderingKey {
	KEYS.with_borrow_mut(|keys| {
		if keys.len() > 1024 {
			keys.clear();
		}
		let seed = derive("ordering", secret);
		*keys.entry(*secret).or_insert_with(|| OrderingKey(SigningKey::from_bytes(&seed).verifying_key().to_bytes()))
	})
}

/// An identity as text: all are, in a simulation.
pub(super) fn text(identity: &[u8]) -> String {
	String::from_utf8_lossy(identity).into_owned()
}

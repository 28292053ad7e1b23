//! What a hostile member can do: it holds the group's secrets, so it can make MLS say anything and endorse it.

use super::{
	log::{Entry, Log},
	Member,
};
pub(super) use crate::mls::faulty::{Crypto, Fault, HostileProvider};
use crate::{
	mls::{bundle::CommitBundle, keys, seal, verdict::payload_context},
	store::Overlay,
};
use lockstep_primitives::{extrinsic::Append, payload_hash, OrderingKey};
use openmls::prelude::{CommitBuilder, Initial, MlsGroup};
use openmls_rust_crypto::RustCrypto;
use openmls_traits::OpenMlsProvider;

/// A commit made outside the engine's rules.
#[derive(Clone)]
pub(super) struct Forged {
	pub(super) proposals: Vec<Vec<u8>>,
	pub(super) commit: Vec<u8>,
	pub(super) next_key: OrderingKey,
}

impl Forged {
	pub(super) fn bundle(&self) -> Vec<u8> {
		CommitBundle::new(self.proposals.clone(), self.commit.clone()).encode().unwrap()
	}

	/// Seals, endorses and appends it.
	pub(super) fn submit(&self, member: &Member, log: &mut Log) -> Entry {
		submit_bundle(member, log, &self.bundle(), &self.next_key)
	}
}

/// Makes a commit with whatever `configure` puts into it, without asking the policy.
pub(super) fn forge(
	member: &Member,
	log: &Log,
	crypto: &Crypto,
	configure: impl for<'a> FnOnce(CommitBuilder<'a, Initial>) -> CommitBuilder<'a, Initial>,
) -> Forged {
	let overlay = member.store().overlay();
	let mut mls = member.engine.load(&overlay, &log.group).unwrap();
	forge_on(member, log, crypto, &overlay, &mut mls, configure)
}

/// The same on a group that was prepared for it.
pub(super) fn forge_on(
	member: &Member,
	log: &Log,
	crypto: &Crypto,
	overlay: &Overlay<'_>,
	mls: &mut MlsGroup,
	configure: impl for<'a> FnOnce(CommitBuilder<'a, Initial>) -> CommitBuilder<'a, Initial>,
) -> Forged {
	let provider = HostileProvider { crypto, overlay };
	let signer = member.engine.signer_of(overlay, &log.group, mls).unwrap().pair();
	let messages = configure(mls.commit_builder().force_self_update(true))
		.load_psks(overlay)
		.unwrap()
		.build(provider.rand(), crypto, &signer, |_| true)
		.unwrap()
		.stage_commit(&provider)
		.unwrap();
	let staged = mls.pending_commit().unwrap();
	let next_key = keys::ordering_key(staged, &crypto.honest, &log.group).unwrap();
	Forged { proposals: Vec::new(), commit: messages.into_commit().to_bytes().unwrap(), next_key }
}

/// Seals any bytes as a payload of the member's epoch, endorses and appends it.
pub(super) fn submit_bundle(member: &Member, log: &mut Log, bundle: &[u8], next_key: &OrderingKey) -> Entry {
	let crypto = RustCrypto::default();
	let overlay = member.store().overlay();
	let mls = member.engine.load(&overlay, &log.group).unwrap();
	let key = keys::payload_key(&mls, &crypto, &log.group).unwrap();
	let context = payload_context(&log.group, &member.tip_keys(log).entry);
	let payload = seal::seal(&crypto, &key, &context, bundle).unwrap();
	submit_payload(member, log, &payload, next_key)
}

/// Opens a payload that was sealed in the member's epoch.
pub(super) fn open_payload(member: &Member, log: &Log, payload: &[u8]) -> Vec<u8> {
	let overlay = member.store().overlay();
	let mls = member.engine.load(&overlay, &log.group).unwrap();
	let key = keys::payload_key(&mls, &member.engine.crypto, &log.group).unwrap();
	let context = payload_context(&log.group, &member.tip_keys(log).entry);
	seal::open(&key, &context, payload).unwrap()
}

/// Endorses any bytes as a payload and appends them.
pub(super) fn submit_payload(member: &Member, log: &mut Log, payload: &[u8], next_key: &OrderingKey) -> Entry {
	let keys = member.tip_keys(log);
	let endorsement = keys.endorse(member.engine.genesis(), &log.group, &payload_hash(payload), next_key);
	let append =
		Append { group: log.group, parent: keys.entry, payload: payload.to_vec(), next_key: *next_key, endorsement };
	log.try_append(&append).expect("a member of the epoch can endorse anything")
}

/// The HPKE key of a member's leaf.
pub(super) fn leaf_key(members: &[Member], log: &Log, of: &str) -> Vec<u8> {
	let overlay = members[0].store().overlay();
	let mls = members[0].engine.load(&overlay, &log.group).unwrap();
	let found = mls.members().find(|member| member.credential.serialized_content() == of.as_bytes());
	found.expect("a member of that name").encryption_key
}

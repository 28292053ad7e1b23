//! One member of one group: its state in MLS, and the keys of its epochs.

use super::{
	bytes::{bundle, key_package_message},
	crypto::{crypto, export, public, seal, sign, signer, suite, SUITE},
	group::{check_members, group_data, leaves, GROUP_DATA},
	letters::{Joiner, Letter, LetterKey},
	rules::Rules,
	strict::{Provider, SMALL_ORDER},
};
use crate::person::broken;
use codec::DecodeAll;
use lockstep_client::GroupData;
use lockstep_primitives::{
	endorsement_payload, extrinsic::Append, payload_hash, Endorsement, EntryHash, GenesisHash, GroupId, OrderingKey,
};
use lockstep_tests::Result;
use mls_rs::{
	client_builder::MlsConfig,
	crypto::{HpkeCiphertext, SignatureSecretKey},
	group::ExportedTree,
	identity::{
		basic::{BasicCredential, BasicIdentityProvider},
		SigningIdentity,
	},
	mls_rs_codec::{MlsDecode, MlsEncode},
	storage_provider::in_memory::InMemoryKeyPackageStorage,
	time::MlsTime,
	CipherSuiteProvider, Client, Group, KeyPackage, MlsMessage,
};
use std::time::Duration;

/// Past epochs of which the keys are kept.
const PAST_EPOCHS: usize = 5;

/// The keys of one epoch.
#[derive(Clone)]
pub struct Keys {
	/// The entry that opened it.
	pub entry: EntryHash,
	/// What it is endorsed and stated with.
	pub ordering_seed: [u8; 32],
	pub statement: [u8; 16],
	pub payload: [u8; 16],
}

impl Keys {
	pub fn of<C: MlsConfig>(mls: &Group<C>, entry: EntryHash) -> Result<Self> {
		Ok(Self {
			entry,
			ordering_seed: export(mls, "lockstep ordering key")?,
			statement: export(mls, "lockstep statement key")?,
			payload: export(mls, "lockstep payload key")?,
		})
	}

	pub fn public(&self) -> OrderingKey {
		OrderingKey(public(&self.ordering_seed))
	}
}

/// A commit of its own that no entry has carried yet.
pub struct Pending {
	pub commit: Vec<u8>,
	pub welcome: Option<Vec<u8>>,
	pub joiners: Vec<Joiner>,
}

/// Its place in a group.
pub struct Seat<C: MlsConfig> {
	pub group: GroupId,
	pub mls: Group<C>,
	/// The oldest first; the last are those of the current epoch.
	pub keys: Vec<Keys>,
	pub pending: Option<Pending>,
	pub data: GroupData,
}

/// See the module.
pub struct Member<C: MlsConfig> {
	pub genesis: GenesisHash,
	client: Client<C>,
	/// What it verifies signatures with, also when it judges what all see.
	pub provider: Provider,
	packages: InMemoryKeyPackageStorage,
	seat: Option<Seat<C>>,
}

/// A member with a credential and the signature key of a seed.
pub fn member(identity: &[u8], seed: &[u8; 32], genesis: GenesisHash) -> Member<impl MlsConfig> {
	made(identity, &public(seed), signer(seed), genesis, Provider::new(SUITE))
}

/// A member that anybody can sign for: its signature key is of small order.
pub fn anybody(identity: &[u8], genesis: GenesisHash) -> Member<impl MlsConfig> {
	let signer = [[0; 32], SMALL_ORDER].concat().into();
	made(identity, &SMALL_ORDER, signer, genesis, Provider::careless(SUITE))
}

/// A member that takes signatures for valid as mls-rs does unless told otherwise.
pub fn careless(identity: &[u8], seed: &[u8; 32], genesis: GenesisHash) -> Member<impl MlsConfig> {
	made(identity, &public(seed), signer(seed), genesis, Provider::careless(SUITE))
}

fn made(
	identity: &[u8],
	key: &[u8; 32],
	signer: SignatureSecretKey,
	genesis: GenesisHash,
	provider: Provider,
) -> Member<impl MlsConfig> {
	let packages = InMemoryKeyPackageStorage::new();
	let credential = BasicCredential::new(identity.to_vec()).into_credential();
	let client = Client::builder()
		.crypto_provider(provider.clone())
		.identity_provider(BasicIdentityProvider::new())
		.key_package_repo(packages.clone())
		.mls_rules(Rules)
		.extension_type(GROUP_DATA.into())
		// From time 0 on, which is given when a KeyPackage is made.
		.key_package_lifetime(Duration::from_secs(u64::MAX))
		.signing_identity(SigningIdentity::new(credential, key.to_vec().into()), signer, SUITE)
		.build();
	Member { genesis, client, provider, packages, seat: None }
}

impl<C: MlsConfig> Member<C> {
	/// A KeyPackage and its KeyPackageRef.
	pub fn key_package(&self) -> Result<(Vec<u8>, Vec<u8>)> {
		let from = Some(MlsTime::from(0));
		let made = self.client.generate_key_package_message(Default::default(), Default::default(), from);
		let package = made.map_err(broken)?.into_key_package().ok_or_else(|| broken("a KeyPackage was made"))?;
		let reference = package.to_reference(&suite()).map_err(broken)?.to_vec();
		Ok((package.mls_encode_to_vec().map_err(broken)?, reference))
	}

	/// Opens an envelope from the mailbox of a KeyPackage (section 8).
	pub fn open_envelope(&self, reference: &[u8], bytes: &[u8]) -> Result<LetterKey> {
		let kept = self.packages.get(reference).ok_or_else(|| broken("no such KeyPackage"))?;
		let package = KeyPackage::mls_decode(&mut &kept.key_package_bytes[..]).map_err(broken)?;
		let mut rest = bytes;
		let sealed = HpkeCiphertext::mls_decode(&mut rest).map_err(broken)?;
		let info = b"lockstep/invitation/1";
		let opened = suite().hpke_open(&sealed, &kept.init_key, &package.hpke_init_key, info, Some(reference));
		let opened = opened.map_err(crypto)?;
		LetterKey::decode_all(&mut &opened[..]).map_err(broken).and_then(|key| {
			if rest.is_empty() {
				Ok(key)
			} else {
				Err(broken("something follows the envelope"))
			}
		})
	}

	/// The place that a letter leads to, if its entry has this depth and opens an epoch with this ordering key.
	pub fn join(&self, letter: &Letter, depth: u64, next_key: OrderingKey) -> Result<Seat<C>> {
		let welcome = MlsMessage::from_bytes(&letter.welcome).map_err(broken)?;
		let tree = (!letter.tree.is_empty()).then(|| ExportedTree::from_bytes(&letter.tree));
		let tree = tree.transpose().map_err(broken)?;
		let (mls, _) = self.client.join_group(tree, &welcome, None).map_err(broken)?;
		let keys = Keys::of(&mls, letter.entry)?;
		if mls.group_id() != letter.group.as_bytes() || mls.current_epoch() != depth || keys.public() != next_key {
			return Err(broken("the Welcome leads to another epoch than the entry opened"));
		}
		let data = group_data(&mls)?;
		check_members(&mls)?;
		Ok(Seat { group: letter.group, mls, keys: vec![keys], pending: None, data })
	}

	/// Takes a place.
	pub fn sit(&mut self, seat: Seat<C>) {
		self.seat = Some(seat);
	}

	pub fn is_seated(&self) -> bool {
		self.seat.is_some()
	}

	pub fn seat(&self) -> Result<&Seat<C>> {
		self.seat.as_ref().ok_or_else(|| broken("it is in no group"))
	}

	pub fn seat_mut(&mut self) -> Result<&mut Seat<C>> {
		self.seat.as_mut().ok_or_else(|| broken("it is in no group"))
	}

	/// The epoch, and what two members have alike exactly if their states are.
	pub fn epoch(&self) -> Result<(u64, Vec<u8>)> {
		let mls = &self.seat()?.mls;
		Ok((mls.current_epoch(), mls.epoch_authenticator().map_err(broken)?.as_bytes().to_vec()))
	}

	/// Makes a commit that adds the owners of these KeyPackages, or that renews its own keys alone; endorsed, to be submitted.
	pub fn commit(&mut self, key_packages: &[Vec<u8>]) -> Result<Append> {
		let genesis = self.genesis;
		let seat = self.seat_mut()?;
		seat.mls.clear_pending_commit();
		let mut builder = seat.mls.commit_builder();
		for package in key_packages {
			builder = builder.add_member(key_package_message(package)?).map_err(broken)?;
		}
		let made = builder.build().map_err(broken)?;
		let commit = made.commit_message.to_bytes().map_err(broken)?;
		let welcome = made.welcome_messages.first().map(MlsMessage::to_bytes).transpose().map_err(broken)?;
		let joiners = key_packages.iter().map(|package| Joiner::of(package)).collect::<Result<_>>()?;
		// Its secrets are those of the epoch that it opens, if it does; the group itself stays where it is.
		let mut next = seat.mls.clone();
		next.apply_pending_commit().map_err(broken)?;
		let next_key = OrderingKey(public(&export(&next, "lockstep ordering key")?));
		seat.pending = Some(Pending { commit: commit.clone(), welcome, joiners });

		let (group, keys) = (seat.group, seat.tip());
		let payload = seal(&keys.payload, &payload_context(&group, &keys.entry), &bundle(&[], &commit))?;
		let text = endorsement_payload(&genesis, &group, &keys.entry, &payload_hash(&payload), &next_key);
		let endorsement = Endorsement(sign(&keys.ordering_seed, &text)?);
		Ok(Append { group, parent: keys.entry, payload, next_key, endorsement })
	}
}

impl<C: MlsConfig> Seat<C> {
	/// The keys of the current epoch.
	pub fn tip(&self) -> &Keys {
		self.keys.last().expect("it has joined")
	}

	/// Goes on to the epoch that an entry has opened.
	pub fn advance(&mut self, mls: Group<C>, entry: EntryHash, data: GroupData) -> Result<()> {
		self.keys.push(Keys::of(&mls, entry)?);
		let old = self.keys.len().saturating_sub(PAST_EPOCHS + 1);
		self.keys.drain(..old);
		(self.mls, self.data, self.pending) = (mls, data, None);
		Ok(())
	}

	pub fn members(&self) -> Vec<Vec<u8>> {
		leaves(&self.mls).into_iter().map(|leaf| leaf.identity).collect()
	}
}

/// What a payload is bound to.
pub fn payload_context(group: &GroupId, parent: &EntryHash) -> Vec<u8> {
	[&b"lockstep/payload/1"[..], group.as_bytes(), parent.as_bytes()].concat()
}

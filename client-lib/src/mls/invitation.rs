//! Invitations: Welcomes (RFC 9420 section 12.4.3.1) on their way to a joiner, and joining.

use super::{
	classify::Stop,
	commit::Joiner,
	constants::{join_config, tag, CIPHERSUITE},
	error::{BuildError, EngineError, WelcomeError},
	group::{identities, mls_id},
	group_data::{AuthenticationService, GroupData},
	intent::EnvelopeKey,
	key_package::{self, Serves},
	keys::EpochKeys,
	leaves::{Leaf, Leaves},
	people::{self, When},
	policy::{self, PolicyError},
	public_phase::encryption_keys,
	ratchet_tree,
	seal::{self, SealError},
	signer, tls,
	verdict::InvalidReason,
	Engine, Prepared,
};
use crate::store::{
	packed::{self, Packed},
	Overlay,
};
use codec::{Decode, DecodeAll, Encode};
use lockstep_primitives::{rpc::HexBytes, topic, BlockNumber, EntryHash, GroupId, IdentityId, OrderingKey};
use openmls::{
	group::{StagedWelcome, WelcomeError as MlsWelcomeError},
	prelude::{
		tls_codec::{Serialize as _, VLBytes},
		KeyPackage, KeyPackageBundle, KeyPackageRef, MlsGroup, MlsMessageBodyIn, MlsMessageIn, RatchetTreeIn, Welcome,
	},
	treesync::TreeSync,
};
use openmls_traits::{crypto::OpenMlsCrypto, random::OpenMlsRand, storage::StorageProvider, types::HpkeCiphertext};
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;
use zeroize::{Zeroize, Zeroizing};

/// The Welcome of an own commit on its way: one letter for all joiners, and an envelope for each.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Welcomes {
	/// The letter, sealed: nobody can open it who has opened none of the envelopes.
	pub letter: Vec<u8>,
	/// The topic under which it is to lie.
	pub topic: [u8; 32],
	/// The envelopes.
	pub envelopes: Vec<Envelope>,
}

/// An envelope for the mailbox of one joiner: where the letter lies, and what opens it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Envelope {
	/// The KeyPackageRef that names the mailbox.
	pub key_package_ref: Vec<u8>,
	/// The identity of the joiner.
	pub identity: Vec<u8>,
	/// The envelope, sealed: nobody but the joiner can open it.
	pub bytes: Vec<u8>,
	/// What signs it, if that is not the group.
	pub key: Option<EnvelopeKey>,
}

/// An opened envelope: which letter it is for, and what opens that.
#[derive(Clone, PartialEq, Eq, Encode, Decode)]
pub struct LetterKey {
	hash: [u8; 32],
	key: [u8; seal::KEY],
}

impl LetterKey {
	/// The topic under which the letter lies. It is no topic of anything else, whatever the envelope says.
	pub fn topic(&self) -> [u8; 32] {
		topic::letter_topic(&self.key, &self.hash)
	}

	/// Whether these bytes are the letter.
	pub(super) fn is_for(&self, sealed: &[u8]) -> bool {
		topic::letter_hash(sealed) == self.hash
	}
}

impl Drop for LetterKey {
	fn drop(&mut self) {
		self.key.zeroize();
	}
}

impl std::fmt::Debug for LetterKey {
	fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
		f.debug_struct("LetterKey").field("hash", &self.hash).finish_non_exhaustive()
	}
}

#[cfg(feature = "simulation")]
impl LetterKey {
	pub(super) fn of_stand_in(hash: [u8; 32]) -> Self {
		Self { hash, key: [0; seal::KEY] }
	}
}

/// An opened letter: where in which log the joiner's epoch was opened, and the Welcome to it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Invitation {
	/// The group.
	pub group: GroupId,
	/// The entry that opened the joiner's first epoch.
	pub entry: EntryHash,
	/// Its position in the log.
	pub index: u64,
	pub(super) welcome: HexBytes,
	/// The ratchet tree of that epoch; empty if the Welcome has it in its GroupInfo.
	#[serde(default, with = "packed")]
	pub(super) tree: HexBytes,
}

#[cfg(feature = "simulation")]
impl Invitation {
	pub(super) fn of_stand_in(group: GroupId, entry: EntryHash, index: u64, welcome: HexBytes) -> Self {
		Self { group, entry, index, welcome, tree: HexBytes::default() }
	}

	pub(super) fn welcome(&self) -> &[u8] {
		&self.welcome.0
	}
}

/// The state of a group that was joined, for the caller to check against the log before it commits the overlay.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Joined {
	/// The group.
	pub group: GroupId,
	/// The KeyPackageRef of the KeyPackage that was used.
	pub key_package_ref: Vec<u8>,
	/// Whether it serves again, and its private keys are there still.
	pub serves_again: bool,
	/// The epoch: the depth of the invitation's entry must be the same.
	pub epoch: u64,
	/// The epoch's ordering key: the `next_key` of the invitation's entry must be the same.
	pub ordering_key: OrderingKey,
	/// The epoch authenticator.
	pub authenticator: Vec<u8>,
	/// The identities of the members, in the order of their leaves.
	pub members: Vec<Vec<u8>>,
	/// What they agree on: name, administrators, rights.
	pub data: GroupData,
}

/// What is sealed in a letter, in SCALE.
struct Letter {
	group: GroupId,
	entry: EntryHash,
	index: u64,
	welcome: Vec<u8>,
	/// Empty if the Welcome has it in its GroupInfo.
	tree: Vec<u8>,
}

impl Letter {
	/// What there is in it beside Welcome and tree, once it is sealed, at most: each of the two has a length of four bytes.
	const AROUND: usize = 32 + 32 + 8 + 4 + 4 + seal::ADDED;

	/// Without a tree it ends after the Welcome, as earlier versions write and read it.
	fn write(&self) -> Vec<u8> {
		let mut bytes = (&self.group, &self.entry, self.index, &self.welcome).encode();
		if !self.tree.is_empty() {
			self.tree.encode_to(&mut bytes);
		}
		bytes
	}

	/// `None` if it is none. One of an earlier version ends after the Welcome.
	fn read(mut bytes: &[u8]) -> Option<Self> {
		let rest = &mut bytes;
		let (group, entry, index, welcome) = <(GroupId, EntryHash, u64, Vec<u8>)>::decode(rest).ok()?;
		let tree = if rest.is_empty() { Vec::new() } else { Vec::decode_all(rest).ok()? };
		Some(Self { group, entry, index, welcome, tree })
	}
}

impl Engine {
	/// The Welcome of an own commit that has won: a letter that names the entry which carries the commit, with the ratchet
	/// tree beside the Welcome, and for each joiner an envelope, sealed to the init key of its KeyPackage. `None` if the
	/// commit adds nobody. Writes nothing to `overlay`, in which the commit is merged, or is the next that can be.
	///
	/// # Errors
	/// [`EngineError`]; if the group has gone on without the commit or after it, too.
	pub fn welcomes(
		&self,
		overlay: &Overlay<'_>,
		prepared: &Prepared,
		entry: &EntryHash,
		index: u64,
	) -> Result<Option<Welcomes>, EngineError> {
		let Some(Packed(HexBytes(welcome))) = &prepared.welcome else { return Ok(None) };
		let tree = if prepared.tree_beside { self.opened_tree(overlay, prepared)? } else { Vec::new() };
		let letter = Letter { group: prepared.group, entry: *entry, index, welcome: welcome.clone(), tree };
		let (letter, opens) = self.seal_letter(&letter)?;
		let topic = opens.topic();
		let seal = |joiner: Joiner| self.envelope(&opens, joiner);
		if prepared.joiners.len() == prepared.invited.len() {
			let envelopes = prepared.joiners.iter().cloned().map(seal).collect::<Result<_, EngineError>>()?;
			return Ok(Some(Welcomes { letter, topic, envelopes }));
		}
		// It was made by a version that did not keep them.
		let parse = |Packed(package): &Packed| {
			let library = EngineError::library("reading an invited KeyPackage");
			seal(self.joiner(&key_package::parse(&self.crypto, &package.0).map_err(library)?)?)
		};
		let envelopes = prepared.invited.iter().map(parse).collect::<Result<_, EngineError>>()?;
		Ok(Some(Welcomes { letter, topic, envelopes }))
	}

	/// Whether the letter with a Welcome of so many bytes, to the epoch of this tree, can be sent. To be asked before the commit is
	/// submitted: if that wins, and its joiners cannot be told, they are members all the same.
	pub(super) fn check_letter(&self, welcome: usize, tree: &TreeSync) -> Result<(), BuildError> {
		let length = Letter::AROUND.saturating_add(welcome).saturating_add(ratchet_tree::encoded_len(tree));
		let max = self.max_letter;
		if length > max {
			return Err(BuildError::LetterTooLarge { length, max });
		}
		Ok(())
	}

	/// Seals a letter with a key of its own; gives what opens it, too.
	fn seal_letter(&self, letter: &Letter) -> Result<(Vec<u8>, LetterKey), EngineError> {
		let key = self.random.random_array().map_err(EngineError::library("drawing the key of a letter"))?;
		let sealed = seal::seal(&self.crypto, &key, tag::LETTER, &letter.write());
		let sealed = sealed.map_err(EngineError::library("sealing a Welcome"))?;
		let opens = LetterKey { hash: topic::letter_hash(&sealed), key };
		Ok((sealed, opens))
	}

	/// The envelope of one joiner.
	fn envelope(&self, opens: &LetterKey, joiner: Joiner) -> Result<Envelope, EngineError> {
		let (init_key, reference) = (&joiner.init_key.0, joiner.reference.0);
		let opens = Zeroizing::new(opens.encode());
		let sealed = self
			.crypto
			.hpke_seal(CIPHERSUITE.hpke_config(), init_key, tag::INVITATION, &reference, &opens)
			.map_err(EngineError::library("sealing an envelope"))?;
		let bytes = sealed.tls_serialize_detached().map_err(EngineError::library("encoding an envelope"))?;
		let key = joiner.envelope_key;
		Ok(Envelope { key_package_ref: reference, identity: joiner.identity.0, bytes, key })
	}

	/// What is needed to address a Welcome.
	pub(super) fn joiner(&self, package: &KeyPackage) -> Result<Joiner, EngineError> {
		let library = EngineError::library("reading an invited identity");
		let identity = policy::identity(package.leaf_node().credential()).map_err(library)?;
		let library = EngineError::library("naming a KeyPackage");
		let reference = package.hash_ref(&self.crypto).map_err(library)?.as_slice().to_vec();
		let init_key = package.hpke_init_key().as_slice().to_vec();
		Ok(Joiner {
			reference: HexBytes(reference),
			identity: HexBytes(identity),
			init_key: HexBytes(init_key),
			envelope_key: None,
		})
	}

	/// Opens an envelope from the mailbox of one of this member's KeyPackages. Writes nothing to `overlay`.
	///
	/// # Errors
	/// [`WelcomeError`]; anyone who has seen the KeyPackage can fill its mailbox with such.
	pub fn open_envelope(
		&self,
		overlay: &Overlay<'_>,
		key_package_ref: &[u8],
		bytes: &[u8],
	) -> Result<LetterKey, WelcomeError> {
		let reference = reference(key_package_ref).ok_or(WelcomeError::UnknownKeyPackage)?;
		let bundle: KeyPackageBundle =
			overlay.key_package(&reference).map_err(EngineError::from)?.ok_or(WelcomeError::UnknownKeyPackage)?;
		let sealed = tls::decode::<HpkeCiphertext>(bytes).ok_or(WelcomeError::Malformed)?;
		let key = bundle.init_private_key();
		let opened = self
			.crypto
			.hpke_open(CIPHERSUITE.hpke_config(), &sealed, key, tag::INVITATION, key_package_ref)
			.map_err(|_| WelcomeError::Sealed)?;
		LetterKey::decode_all(&mut &opened[..]).map_err(|_| WelcomeError::Malformed)
	}

	/// Opens the letter that an envelope named.
	///
	/// # Errors
	/// [`WelcomeError::OtherLetter`] if it is another one, which anyone can post, and [`WelcomeError`] for one that never
	/// was good.
	pub fn open_letter(&self, key: &LetterKey, bytes: &[u8]) -> Result<Invitation, WelcomeError> {
		if !key.is_for(bytes) {
			return Err(WelcomeError::OtherLetter);
		}
		let letter = seal::open(&key.key, tag::LETTER, bytes).map_err(|error| match error {
			SealError::Library(reason) => EngineError::Library { during: "opening a letter", reason }.into(),
			_ => WelcomeError::Sealed,
		})?;
		let Letter { group, entry, index, welcome, tree } = Letter::read(&letter).ok_or(WelcomeError::Malformed)?;
		Ok(Invitation { group, entry, index, welcome: HexBytes(welcome), tree: HexBytes(tree) })
	}

	/// Joins the group of an invitation: puts its state into `overlay`, records the epoch's keys under the
	/// invitation's entry, and uses up the KeyPackage, unless that is one of last resort. A damaged state of the group
	/// gives way ([`Self::rejoin`]).
	///
	/// The caller commits the overlay only after it has checked the result against the log.
	///
	/// # Errors
	/// [`WelcomeError`]; then `overlay` is as it was, and the KeyPackage still there.
	pub fn join(&self, overlay: &Overlay<'_>, invitation: &Invitation) -> Result<Joined, WelcomeError> {
		if self.readable(overlay, &invitation.group).map_err(EngineError::from)?.is_some() {
			return Err(WelcomeError::AlreadyMember);
		}
		self.rejoin(overlay, invitation)
	}

	/// Puts the state that an invitation leads to where there is none.
	fn enter(&self, overlay: &Overlay<'_>, invitation: &Invitation) -> Result<Joined, WelcomeError> {
		let step = overlay.nested();
		let group = &invitation.group;
		let (welcome, tree) = (parse(&invitation.welcome.0)?, ratchet_tree::decode(&invitation.tree.0)?);
		let package = self.addressed(&step, &welcome)?;
		let mls = self.stage_welcome(&step, welcome, tree);
		// OpenMLS takes some failed reads for absent keys
		if let Some(fault) = step.fault() {
			return Err(EngineError::from(fault).into());
		}
		let mls = mls?;
		if mls.group_id() != &mls_id(group) {
			return Err(WelcomeError::OtherGroup);
		}
		let data = self.check_joined(&mls)?;
		let serves_again = package.as_ref().is_some_and(|(_, serves)| *serves == Serves::Again);
		if let Some((reference, serves)) = &package {
			let kept = signer::Of::Package(reference.as_slice());
			if let Some(seed) = kept.get(&step).map_err(EngineError::from)? {
				signer::Of::Group(group).keep(&step, &seed).map_err(EngineError::from)?;
				if *serves == Serves::Once {
					kept.forget(&step).map_err(EngineError::from)?;
				}
			}
		}
		self.signer_of(&step, group, &mls)?;
		let keys = EpochKeys::current(&mls, &self.crypto, group, &invitation.entry)?;
		keys.record(&step, group)?;
		let joined = Joined {
			group: *group,
			key_package_ref: package.map(|(reference, _)| reference.as_slice().to_vec()).unwrap_or_default(),
			serves_again,
			epoch: keys.epoch,
			ordering_key: keys.ordering_key,
			authenticator: mls.epoch_authenticator().as_slice().to_vec(),
			members: identities(&mls)?,
			data,
		};
		step.commit().map_err(EngineError::from)?;
		Ok(joined)
	}

	/// Joins a group anew by an invitation, in the place of the state that is stored of it, if there is any: how a
	/// member comes back that was cut off, or was removed, or whose state is damaged.
	///
	/// # Errors
	/// [`WelcomeError`]; then `overlay` is as it was. [`WelcomeError::Stale`] if the invitation leads to no later epoch
	/// than this member was in: an old one, replayed, must not set it back.
	pub fn rejoin(&self, overlay: &Overlay<'_>, invitation: &Invitation) -> Result<Joined, WelcomeError> {
		let step = overlay.nested();
		let last = self.last_epoch(&step, &invitation.group)?;
		self.forget_group(&step, &invitation.group)?;
		let joined = self.enter(&step, invitation)?;
		if let Some(stored) = last.filter(|last| joined.epoch <= *last) {
			return Err(WelcomeError::Stale { invited: joined.epoch, stored });
		}
		step.commit().map_err(EngineError::from)?;
		Ok(joined)
	}

	/// Who of the members of a group that was just joined, by an invitation to an entry in this block, is not known well enough to be
	/// judged. Others have let them in, each in a block of its own that a Welcome does not tell: so each key has to have been a device
	/// of its identity at some time.
	///
	/// # Errors
	/// [`WelcomeError::Policy`] if somebody's key never was.
	pub fn unknown_members(
		&self,
		overlay: &Overlay<'_>,
		group: &GroupId,
		block: BlockNumber,
	) -> Result<BTreeSet<IdentityId>, WelcomeError> {
		let mls = self.load_active(overlay, group)?;
		if GroupData::of_extensions(mls.extensions())?.authentication == AuthenticationService::Application {
			return Ok(BTreeSet::new());
		}
		let bindings = Leaves::of(mls.treesync()).iter().map(Leaf::binding).collect::<Result<Vec<_>, _>>()?;
		match people::check(overlay, bindings.into_iter(), When::UpTo(block)) {
			Ok(()) => Ok(BTreeSet::new()),
			Err(Stop::Unknown(people)) => Ok(people),
			Err(Stop::Engine(error)) => Err(error.into()),
			Err(Stop::Invalid(InvalidReason::Policy(reason))) => Err(reason.into()),
			Err(Stop::Invalid(reason)) => Err(WelcomeError::Mls(reason.to_string())),
			Err(Stop::Private(reason)) => Err(WelcomeError::Mls(reason.to_string())),
		}
	}

	/// The KeyPackage of this member that a Welcome is addressed to; OpenMLS takes the first one too.
	fn addressed(&self, step: &Overlay<'_>, welcome: &Welcome) -> Result<Option<(KeyPackageRef, Serves)>, EngineError> {
		for secrets in welcome.secrets() {
			let reference = secrets.new_member();
			if let Some(bundle) = step.key_package::<_, KeyPackageBundle>(&reference)? {
				let serves = if bundle.key_package().last_resort() { Serves::Again } else { Serves::Once };
				return Ok(Some((reference, serves)));
			}
		}
		Ok(None)
	}

	/// Checks a tree from beside the Welcome against the `tree_hash` in the GroupContext that the inviter has signed. A tree
	/// in the GroupInfo goes before it.
	fn stage_welcome(
		&self,
		step: &Overlay<'_>,
		welcome: Welcome,
		tree: Option<RatchetTreeIn>,
	) -> Result<MlsGroup, WelcomeError> {
		let provider = self.provider(step);
		let refusal = |error| match error {
			MlsWelcomeError::StorageError(error) => EngineError::from(error).into(),
			other => WelcomeError::Mls(other.to_string()),
		};
		let join = StagedWelcome::build_from_welcome(&provider, &join_config(), welcome).map_err(refusal)?;
		// The policy demands lifetimes that cannot lapse; the local clock has no say here either.
		let join = join.skip_lifetime_validation();
		let join = match tree {
			Some(tree) => join.with_ratchet_tree(tree),
			None => join,
		};
		join.build().and_then(|staged| staged.into_group(&provider)).map_err(refusal)
	}

	/// The rules for a group that a Welcome leads to: those that its members keep from commit to commit.
	fn check_joined(&self, mls: &MlsGroup) -> Result<GroupData, WelcomeError> {
		if mls.ciphersuite() != CIPHERSUITE {
			return Err(PolicyError::Ciphersuite.into());
		}
		let data = GroupData::of_extensions(mls.extensions())?;
		let own = mls.own_leaf_node().ok_or(PolicyError::Outsider)?;
		if policy::identity(own.credential())? != self.identity {
			return Err(PolicyError::Impersonation.into());
		}
		let tree = mls.treesync();
		tree.full_leaves().try_for_each(|(_, leaf)| policy::check_leaf(leaf))?;
		policy::check_members(&Leaves::of(tree), &data)?;
		for key in encryption_keys(tree) {
			policy::check_key(&key?)?;
		}
		Ok(data)
	}
}

/// A KeyPackageRef from its bytes: OpenMLS makes one only by hashing or decoding.
pub(super) fn reference(bytes: &[u8]) -> Option<KeyPackageRef> {
	let encoded = VLBytes::from(bytes).tls_serialize_detached().ok()?;
	tls::decode(&encoded)
}

/// The Welcome in an MLSMessage, and nothing after it.
fn parse(bytes: &[u8]) -> Result<Welcome, WelcomeError> {
	match tls::decode::<MlsMessageIn>(bytes).ok_or(WelcomeError::Malformed)?.extract() {
		MlsMessageBodyIn::Welcome(welcome) => Ok(welcome),
		_ => Err(WelcomeError::Malformed),
	}
}

#[cfg(test)]
impl Engine {
	/// What another joiner of the same commit could send to the owner of a KeyPackage: its invitation, with something else
	/// in the place of the Welcome, the tree, or neither.
	pub(crate) fn decoy(
		&self,
		invitation: &Invitation,
		key_package: &[u8],
		spoil: impl FnOnce(&mut Vec<u8>, &mut Vec<u8>),
	) -> Welcomes {
		let Invitation { group, entry, index, welcome: HexBytes(mut welcome), tree: HexBytes(mut tree) } =
			invitation.clone();
		spoil(&mut welcome, &mut tree);
		let (letter, opens) = self.seal_letter(&Letter { group, entry, index, welcome, tree }).unwrap();
		let package = key_package::parse(&self.crypto, key_package).unwrap();
		let envelope = self.envelope(&opens, self.joiner(&package).unwrap()).unwrap();
		Welcomes { letter, topic: opens.topic(), envelopes: vec![envelope] }
	}
}

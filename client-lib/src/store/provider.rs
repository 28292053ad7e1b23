//! The overlay as OpenMLS's storage.
//!
//! OpenMLS keeps a group as a dozen values under its id, and keys and KeyPackages under their own. Each becomes one
//! record, under the serialised form of what OpenMLS names it by. Lists are one record each: they hold a handful
//! of elements, and one record keeps their order.

use super::{codec::PieceHash, key::Key, parts::List, Overlay, StoreError};
use openmls_traits::storage::{traits, StorageProvider, CURRENT_VERSION as V};
use serde::{de::DeserializeOwned, Serialize};

const PROPOSALS: &str = "mls proposal";
const PROPOSAL_REFS: &str = "mls proposal refs";
const OWN_LEAVES: &str = "mls own leaves";
const GROUP_STATE: &str = "mls group state";
const EPOCH_KEY_PAIRS: &str = "mls epoch key pairs";
const SIGNATURE_KEY_PAIR: &str = "mls signature key pair";
const ENCRYPTION_KEY_PAIR: &str = "mls encryption key pair";
const KEY_PACKAGE: &str = "mls key package";
const PSK: &str = "mls psk";
const MESSAGE_SECRETS: &str = "mls message secrets";
const PAST_EPOCH: &str = "mls past epoch";
const TREE: &str = "mls tree";
const TREE_PIECE: &str = "mls tree piece";
const JOIN_CONFIG: &str = "mls join config";
const CONTEXT: &str = "mls context";
const CONFIRMATION_TAG: &str = "mls confirmation tag";
const OWN_LEAF_INDEX: &str = "mls own leaf index";
const INTERIM_HASH: &str = "mls interim hash";
const RESUMPTION_PSKS: &str = "mls resumption psks";
const EPOCH_SECRETS: &str = "mls epoch secrets";

/// What a group has one of, under its id.
const ONE: [&str; 12] = [
	PROPOSAL_REFS,
	OWN_LEAVES,
	GROUP_STATE,
	MESSAGE_SECRETS,
	TREE,
	JOIN_CONFIG,
	CONTEXT,
	CONFIRMATION_TAG,
	OWN_LEAF_INDEX,
	INTERIM_HASH,
	RESUMPTION_PSKS,
	EPOCH_SECRETS,
];

/// What a group has several of, each under a tuple of its id and more.
const SEVERAL: [&str; 4] = [PROPOSALS, EPOCH_KEY_PAIRS, PAST_EPOCH, TREE_PIECE];

/// Whether records of this kind are what OpenMLS keeps of a group.
pub(crate) fn is_of_mls_group(kind: &str) -> bool {
	ONE.contains(&kind) || SEVERAL.contains(&kind)
}

/// The secrets of past epochs, in the message secrets of a group.
fn past_epochs<G: Serialize>(group_id: &G) -> List<impl Fn(u64) -> Result<Key, StoreError> + '_> {
	List { field: "past_epoch_trees", number: "epoch", key: move |epoch| Key::of(PAST_EPOCH, &(group_id, epoch)) }
}

/// The keys of the pieces of a group's tree.
fn tree_pieces<G: Serialize>(group_id: &G) -> impl Fn(&PieceHash) -> Result<Key, StoreError> + '_ {
	move |hash| Key::of(TREE_PIECE, &(group_id, hash))
}

impl Overlay<'_> {
	fn set<K: Serialize + ?Sized, T: Serialize + ?Sized>(
		&self,
		kind: &'static str,
		key: &K,
		value: &T,
	) -> Result<(), StoreError> {
		self.write(Key::of(kind, key)?, value)
	}

	fn value<K: Serialize + ?Sized, T: DeserializeOwned>(
		&self,
		kind: &'static str,
		key: &K,
	) -> Result<Option<T>, StoreError> {
		self.read(&Key::of(kind, key)?)
	}

	fn values<K: Serialize + ?Sized, T: DeserializeOwned>(
		&self,
		kind: &'static str,
		key: &K,
	) -> Result<Vec<T>, StoreError> {
		Ok(self.value(kind, key)?.unwrap_or_default())
	}

	fn append<K: Serialize + ?Sized, T: Serialize + DeserializeOwned>(
		&self,
		kind: &'static str,
		key: &K,
		element: &T,
	) -> Result<(), StoreError> {
		let list: Vec<T> = self.values(kind, key)?;
		let list: Vec<&T> = list.iter().chain([element]).collect();
		self.set(kind, key, &list)
	}

	fn unset<K: Serialize + ?Sized>(&self, kind: &'static str, key: &K) -> Result<(), StoreError> {
		self.remove(Key::of(kind, key)?);
		Ok(())
	}

	/// Deletes everything that OpenMLS keeps of a group. No record is decoded for it, nor has one to say which others there are:
	/// so a damaged state goes as well as a good one. What stays is a record of several that does not even open, such as a piece
	/// of the tree that was exchanged.
	pub(crate) fn delete_mls_group<G: traits::GroupId<V>>(&self, group_id: &G) -> Result<(), StoreError> {
		self.counts_on_records();
		ONE.into_iter().try_for_each(|kind| self.unset(kind, group_id))?;
		SEVERAL.into_iter().try_for_each(|kind| self.remove_all(&Key::of_all(kind, group_id)?))
	}
}

/// A value that a group has one of: written, read and deleted under the group's id.
macro_rules! of_group {
	($kind:ident, $entity:ident, $write:ident, $read:ident, $delete:ident) => {
		fn $write<G: traits::GroupId<V>, E: traits::$entity<V>>(
			&self,
			group_id: &G,
			value: &E,
		) -> Result<(), StoreError> {
			self.set($kind, group_id, value)
		}

		fn $read<G: traits::GroupId<V>, E: traits::$entity<V>>(&self, group_id: &G) -> Result<Option<E>, StoreError> {
			self.value($kind, group_id)
		}

		fn $delete<G: traits::GroupId<V>>(&self, group_id: &G) -> Result<(), StoreError> {
			self.unset($kind, group_id)
		}
	};
}

impl StorageProvider<V> for Overlay<'_> {
	type Error = StoreError;

	of_group!(JOIN_CONFIG, MlsGroupJoinConfig, write_mls_join_config, mls_group_join_config, delete_group_config);
	of_group!(CONTEXT, GroupContext, write_context, group_context, delete_context);
	of_group!(CONFIRMATION_TAG, ConfirmationTag, write_confirmation_tag, confirmation_tag, delete_confirmation_tag);
	of_group!(OWN_LEAF_INDEX, LeafNodeIndex, write_own_leaf_index, own_leaf_index, delete_own_leaf_index);
	of_group!(
		INTERIM_HASH,
		InterimTranscriptHash,
		write_interim_transcript_hash,
		interim_transcript_hash,
		delete_interim_transcript_hash
	);
	of_group!(
		RESUMPTION_PSKS,
		ResumptionPskStore,
		write_resumption_psk_store,
		resumption_psk_store,
		delete_all_resumption_psk_secrets
	);
	of_group!(
		EPOCH_SECRETS,
		GroupEpochSecrets,
		write_group_epoch_secrets,
		group_epoch_secrets,
		delete_group_epoch_secrets
	);

	fn write_tree<G: traits::GroupId<V>, E: traits::TreeSync<V>>(
		&self,
		group_id: &G,
		value: &E,
	) -> Result<(), StoreError> {
		self.write_pieces(&Key::of(TREE, group_id)?, tree_pieces(group_id), value)
	}

	fn tree<G: traits::GroupId<V>, E: traits::TreeSync<V>>(&self, group_id: &G) -> Result<Option<E>, StoreError> {
		self.read_pieces(&Key::of(TREE, group_id)?, tree_pieces(group_id))
	}

	fn delete_tree<G: traits::GroupId<V>>(&self, group_id: &G) -> Result<(), StoreError> {
		self.remove_pieces(Key::of(TREE, group_id)?, tree_pieces(group_id))
	}

	fn write_message_secrets<G: traits::GroupId<V>, E: traits::MessageSecrets<V>>(
		&self,
		group_id: &G,
		value: &E,
	) -> Result<(), StoreError> {
		self.write_parts(&Key::of(MESSAGE_SECRETS, group_id)?, &past_epochs(group_id), value)
	}

	fn message_secrets<G: traits::GroupId<V>, E: traits::MessageSecrets<V>>(
		&self,
		group_id: &G,
	) -> Result<Option<E>, StoreError> {
		self.read_parts(&Key::of(MESSAGE_SECRETS, group_id)?, &past_epochs(group_id))
	}

	fn delete_message_secrets<G: traits::GroupId<V>>(&self, group_id: &G) -> Result<(), StoreError> {
		self.remove_parts(Key::of(MESSAGE_SECRETS, group_id)?, &past_epochs(group_id))
	}

	// The type parameters of these two are in another order than those of the rest.
	fn write_group_state<E: traits::GroupState<V>, G: traits::GroupId<V>>(
		&self,
		group_id: &G,
		group_state: &E,
	) -> Result<(), StoreError> {
		self.set(GROUP_STATE, group_id, group_state)
	}

	fn group_state<E: traits::GroupState<V>, G: traits::GroupId<V>>(
		&self,
		group_id: &G,
	) -> Result<Option<E>, StoreError> {
		self.value(GROUP_STATE, group_id)
	}

	fn delete_group_state<G: traits::GroupId<V>>(&self, group_id: &G) -> Result<(), StoreError> {
		self.unset(GROUP_STATE, group_id)
	}

	fn append_own_leaf_node<G: traits::GroupId<V>, E: traits::LeafNode<V>>(
		&self,
		group_id: &G,
		leaf_node: &E,
	) -> Result<(), StoreError> {
		self.append(OWN_LEAVES, group_id, leaf_node)
	}

	fn own_leaf_nodes<G: traits::GroupId<V>, E: traits::LeafNode<V>>(
		&self,
		group_id: &G,
	) -> Result<Vec<E>, StoreError> {
		self.values(OWN_LEAVES, group_id)
	}

	fn delete_own_leaf_nodes<G: traits::GroupId<V>>(&self, group_id: &G) -> Result<(), StoreError> {
		self.unset(OWN_LEAVES, group_id)
	}

	fn queue_proposal<G: traits::GroupId<V>, R: traits::ProposalRef<V>, E: traits::QueuedProposal<V>>(
		&self,
		group_id: &G,
		proposal_ref: &R,
		proposal: &E,
	) -> Result<(), StoreError> {
		self.set(PROPOSALS, &(group_id, proposal_ref), proposal)?;
		self.append(PROPOSAL_REFS, group_id, proposal_ref)
	}

	fn queued_proposal_refs<G: traits::GroupId<V>, R: traits::ProposalRef<V>>(
		&self,
		group_id: &G,
	) -> Result<Vec<R>, StoreError> {
		self.values(PROPOSAL_REFS, group_id)
	}

	fn queued_proposals<G: traits::GroupId<V>, R: traits::ProposalRef<V>, E: traits::QueuedProposal<V>>(
		&self,
		group_id: &G,
	) -> Result<Vec<(R, E)>, StoreError> {
		let refs: Vec<R> = self.values(PROPOSAL_REFS, group_id)?;
		let with_proposal = |proposal_ref| {
			let key = Key::of(PROPOSALS, &(group_id, &proposal_ref))?;
			let proposal = self.require(&key)?;
			Ok((proposal_ref, proposal))
		};
		refs.into_iter().map(with_proposal).collect()
	}

	fn remove_proposal<G: traits::GroupId<V>, R: traits::ProposalRef<V>>(
		&self,
		group_id: &G,
		proposal_ref: &R,
	) -> Result<(), StoreError> {
		let removed = Key::of(PROPOSALS, &(group_id, proposal_ref))?;
		let mut kept: Vec<R> = Vec::new();
		for other in self.values::<_, R>(PROPOSAL_REFS, group_id)? {
			// references compare by their serialised form, the only thing the trait says of them
			if Key::of(PROPOSALS, &(group_id, &other))?.bytes() != removed.bytes() {
				kept.push(other);
			}
		}
		self.set(PROPOSAL_REFS, group_id, &kept)?;
		self.remove(removed);
		Ok(())
	}

	fn clear_proposal_queue<G: traits::GroupId<V>, R: traits::ProposalRef<V>>(
		&self,
		group_id: &G,
	) -> Result<(), StoreError> {
		for proposal_ref in self.values::<_, R>(PROPOSAL_REFS, group_id)? {
			self.unset(PROPOSALS, &(group_id, &proposal_ref))?;
		}
		self.unset(PROPOSAL_REFS, group_id)
	}

	fn write_encryption_epoch_key_pairs<G: traits::GroupId<V>, K: traits::EpochKey<V>, E: traits::HpkeKeyPair<V>>(
		&self,
		group_id: &G,
		epoch: &K,
		leaf_index: u32,
		key_pairs: &[E],
	) -> Result<(), StoreError> {
		self.set(EPOCH_KEY_PAIRS, &(group_id, epoch, leaf_index), key_pairs)
	}

	fn encryption_epoch_key_pairs<G: traits::GroupId<V>, K: traits::EpochKey<V>, E: traits::HpkeKeyPair<V>>(
		&self,
		group_id: &G,
		epoch: &K,
		leaf_index: u32,
	) -> Result<Vec<E>, StoreError> {
		self.values(EPOCH_KEY_PAIRS, &(group_id, epoch, leaf_index))
	}

	fn delete_encryption_epoch_key_pairs<G: traits::GroupId<V>, K: traits::EpochKey<V>>(
		&self,
		group_id: &G,
		epoch: &K,
		leaf_index: u32,
	) -> Result<(), StoreError> {
		self.unset(EPOCH_KEY_PAIRS, &(group_id, epoch, leaf_index))
	}

	fn write_signature_key_pair<K: traits::SignaturePublicKey<V>, E: traits::SignatureKeyPair<V>>(
		&self,
		public_key: &K,
		signature_key_pair: &E,
	) -> Result<(), StoreError> {
		self.set(SIGNATURE_KEY_PAIR, public_key, signature_key_pair)
	}

	fn signature_key_pair<K: traits::SignaturePublicKey<V>, E: traits::SignatureKeyPair<V>>(
		&self,
		public_key: &K,
	) -> Result<Option<E>, StoreError> {
		self.value(SIGNATURE_KEY_PAIR, public_key)
	}

	fn delete_signature_key_pair<K: traits::SignaturePublicKey<V>>(&self, public_key: &K) -> Result<(), StoreError> {
		self.unset(SIGNATURE_KEY_PAIR, public_key)
	}

	fn write_encryption_key_pair<K: traits::EncryptionKey<V>, E: traits::HpkeKeyPair<V>>(
		&self,
		public_key: &K,
		key_pair: &E,
	) -> Result<(), StoreError> {
		self.set(ENCRYPTION_KEY_PAIR, public_key, key_pair)
	}

	fn encryption_key_pair<E: traits::HpkeKeyPair<V>, K: traits::EncryptionKey<V>>(
		&self,
		public_key: &K,
	) -> Result<Option<E>, StoreError> {
		self.value(ENCRYPTION_KEY_PAIR, public_key)
	}

	fn delete_encryption_key_pair<K: traits::EncryptionKey<V>>(&self, public_key: &K) -> Result<(), StoreError> {
		self.unset(ENCRYPTION_KEY_PAIR, public_key)
	}

	fn write_key_package<K: traits::HashReference<V>, E: traits::KeyPackage<V>>(
		&self,
		hash_ref: &K,
		key_package: &E,
	) -> Result<(), StoreError> {
		self.set(KEY_PACKAGE, hash_ref, key_package)
	}

	fn key_package<K: traits::HashReference<V>, E: traits::KeyPackage<V>>(
		&self,
		hash_ref: &K,
	) -> Result<Option<E>, StoreError> {
		self.value(KEY_PACKAGE, hash_ref)
	}

	fn delete_key_package<K: traits::HashReference<V>>(&self, hash_ref: &K) -> Result<(), StoreError> {
		self.unset(KEY_PACKAGE, hash_ref)
	}

	fn write_psk<K: traits::PskId<V>, E: traits::PskBundle<V>>(&self, psk_id: &K, psk: &E) -> Result<(), StoreError> {
		self.set(PSK, psk_id, psk)
	}

	fn psk<E: traits::PskBundle<V>, K: traits::PskId<V>>(&self, psk_id: &K) -> Result<Option<E>, StoreError> {
		self.value(PSK, psk_id)
	}

	fn delete_psk<K: traits::PskId<V>>(&self, psk_id: &K) -> Result<(), StoreError> {
		self.unset(PSK, psk_id)
	}
}

//! What OpenMLS expects of its storage: each kind is written, read and deleted under its own key, lists keep their
//! order, and all of it survives reopening.

use super::open;
use crate::store::{Overlay, Store, StoreError};
use openmls_traits::storage::{traits, Entity, Key, StorageProvider, CURRENT_VERSION as V};
use serde::{Deserialize, Serialize};

/// Stands for every key and value: the storage must not care what they are.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Any(String);

macro_rules! implement {
	($($name:ident),*) => { $(impl traits::$name<V> for Any {})* };
}

impl Key<V> for Any {}
impl Entity<V> for Any {}
implement!(
	GroupId,
	SignaturePublicKey,
	HashReference,
	PskId,
	EncryptionKey,
	EpochKey,
	QueuedProposal,
	TreeSync,
	GroupContext,
	InterimTranscriptHash,
	ConfirmationTag,
	SignatureKeyPair,
	PskBundle,
	HpkeKeyPair,
	GroupState,
	GroupEpochSecrets,
	LeafNodeIndex,
	MessageSecrets,
	ResumptionPskStore,
	KeyPackage,
	MlsGroupJoinConfig,
	LeafNode,
	ProposalRef
);

fn any(text: &str) -> Any {
	Any(text.to_owned())
}

type Write = fn(&Overlay<'_>, &Any, &Any) -> Result<(), StoreError>;
type Read = fn(&Overlay<'_>, &Any) -> Result<Option<Any>, StoreError>;
type Delete = fn(&Overlay<'_>, &Any) -> Result<(), StoreError>;

/// Everything that is one value under one key.
fn single_values() -> Vec<(&'static str, Write, Read, Delete)> {
	vec![
		(
			"config",
			|o, k, v| o.write_mls_join_config(k, v),
			|o, k| o.mls_group_join_config(k),
			|o, k| o.delete_group_config(k),
		),
		("tree", |o, k, v| o.write_tree(k, v), |o, k| o.tree(k), |o, k| o.delete_tree(k)),
		("context", |o, k, v| o.write_context(k, v), |o, k| o.group_context(k), |o, k| o.delete_context(k)),
		(
			"tag",
			|o, k, v| o.write_confirmation_tag(k, v),
			|o, k| o.confirmation_tag(k),
			|o, k| o.delete_confirmation_tag(k),
		),
		(
			"interim",
			|o, k, v| o.write_interim_transcript_hash(k, v),
			|o, k| o.interim_transcript_hash(k),
			|o, k| o.delete_interim_transcript_hash(k),
		),
		("state", |o, k, v| o.write_group_state(k, v), |o, k| o.group_state(k), |o, k| o.delete_group_state(k)),
		(
			"secrets",
			|o, k, v| o.write_message_secrets(k, v),
			|o, k| o.message_secrets(k),
			|o, k| o.delete_message_secrets(k),
		),
		(
			"psks",
			|o, k, v| o.write_resumption_psk_store(k, v),
			|o, k| o.resumption_psk_store(k),
			|o, k| o.delete_all_resumption_psk_secrets(k),
		),
		(
			"index",
			|o, k, v| o.write_own_leaf_index(k, v),
			|o, k| o.own_leaf_index(k),
			|o, k| o.delete_own_leaf_index(k),
		),
		(
			"epoch",
			|o, k, v| o.write_group_epoch_secrets(k, v),
			|o, k| o.group_epoch_secrets(k),
			|o, k| o.delete_group_epoch_secrets(k),
		),
		(
			"signature",
			|o, k, v| o.write_signature_key_pair(k, v),
			|o, k| o.signature_key_pair(k),
			|o, k| o.delete_signature_key_pair(k),
		),
		(
			"encryption",
			|o, k, v| o.write_encryption_key_pair(k, v),
			|o, k| o.encryption_key_pair(k),
			|o, k| o.delete_encryption_key_pair(k),
		),
		("package", |o, k, v| o.write_key_package(k, v), |o, k| o.key_package(k), |o, k| o.delete_key_package(k)),
		("psk", |o, k, v| o.write_psk(k, v), |o, k| o.psk(k), |o, k| o.delete_psk(k)),
	]
}

fn reopened(store: Store, folder: &tempfile::TempDir) -> Store {
	drop(store);
	open(folder.path())
}

#[test]
fn every_kind_is_kept_under_its_own_key_and_survives_reopening() {
	let folder = tempfile::tempdir().unwrap();
	let store = open(folder.path());
	let overlay = store.overlay();
	for (name, write, ..) in single_values() {
		write(&overlay, &any("g"), &any("overwritten")).unwrap();
		write(&overlay, &any("g"), &any(name)).unwrap();
		write(&overlay, &any("other"), &any("other")).unwrap();
	}
	overlay.commit().unwrap();

	let store = reopened(store, &folder);
	let overlay = store.overlay();
	for (name, _, read, delete) in single_values() {
		assert_eq!(read(&overlay, &any("g")), Ok(Some(any(name))));
		assert_eq!(read(&overlay, &any("absent")), Ok(None));
		delete(&overlay, &any("g")).unwrap();
		assert_eq!(read(&overlay, &any("g")), Ok(None), "{name} is deleted");
		assert_eq!(read(&overlay, &any("other")), Ok(Some(any("other"))), "{name} of another key is not");
	}
}

#[test]
fn epoch_key_pairs_are_kept_by_group_epoch_and_leaf() {
	let folder = tempfile::tempdir().unwrap();
	let store = open(folder.path());
	let overlay = store.overlay();
	let pairs = [any("first"), any("second")];
	overlay.write_encryption_epoch_key_pairs(&any("g"), &any("1"), 3, &pairs).unwrap();
	overlay.commit().unwrap();
	let store = reopened(store, &folder);
	let overlay = store.overlay();
	let read = |group: &str, epoch: &str, leaf| -> Vec<Any> {
		overlay.encryption_epoch_key_pairs(&any(group), &any(epoch), leaf).unwrap()
	};
	assert_eq!(read("g", "1", 3), pairs);
	assert!(read("g", "1", 2).is_empty() && read("g", "2", 3).is_empty() && read("h", "1", 3).is_empty());
	overlay.delete_encryption_epoch_key_pairs(&any("g"), &any("1"), 3).unwrap();
	assert!(read("g", "1", 3).is_empty());
}

#[test]
fn own_leaves_are_a_list_in_order() {
	let folder = tempfile::tempdir().unwrap();
	let store = open(folder.path());
	let overlay = store.overlay();
	for leaf in ["a", "b", "c"] {
		overlay.append_own_leaf_node(&any("g"), &any(leaf)).unwrap();
	}
	let leaves: Vec<Any> = overlay.own_leaf_nodes(&any("g")).unwrap();
	assert_eq!(leaves, ["a", "b", "c"].map(any));
	overlay.delete_own_leaf_nodes(&any("g")).unwrap();
	assert_eq!(overlay.own_leaf_nodes::<_, Any>(&any("g")), Ok(vec![]));
}

#[test]
fn the_proposal_queue_keeps_its_order_and_loses_what_is_removed() {
	let folder = tempfile::tempdir().unwrap();
	let store = open(folder.path());
	let overlay = store.overlay();
	for name in ["z", "a", "m"] {
		overlay.queue_proposal(&any("g"), &any(name), &any(&format!("proposal {name}"))).unwrap();
	}
	overlay.queue_proposal(&any("h"), &any("z"), &any("of another group")).unwrap();
	overlay.commit().unwrap();
	let store = reopened(store, &folder);
	let overlay = store.overlay();
	let queue = |group: &str| overlay.queued_proposals::<_, Any, Any>(&any(group)).unwrap();
	let expected = |names: &[&str]| -> Vec<(Any, Any)> {
		names.iter().map(|name| (any(name), any(&format!("proposal {name}")))).collect()
	};
	assert_eq!(queue("g"), expected(&["z", "a", "m"]));
	overlay.remove_proposal(&any("g"), &any("a")).unwrap();
	overlay.remove_proposal(&any("g"), &any("never there")).unwrap();
	assert_eq!(queue("g"), expected(&["z", "m"]));
	assert_eq!(overlay.queued_proposal_refs(&any("g")), Ok(vec![any("z"), any("m")]));
	overlay.clear_proposal_queue::<_, Any>(&any("g")).unwrap();
	assert_eq!(queue("g"), []);
	assert_eq!(queue("h").len(), 1);
	overlay.queue_proposal(&any("g"), &any("z"), &any("proposal z")).unwrap();
	assert_eq!(queue("g"), expected(&["z"]), "a cleared proposal does not come back");
}

#[test]
fn a_queue_that_names_a_missing_proposal_is_damage() {
	let folder = tempfile::tempdir().unwrap();
	let store = open(folder.path());
	let overlay = store.overlay();
	overlay.queue_proposal(&any("g"), &any("a"), &any("proposal")).unwrap();
	overlay.remove(crate::store::key::Key::of("mls proposal", &(any("g"), any("a"))).unwrap());
	let queue = overlay.queued_proposals::<_, Any, Any>(&any("g"));
	assert!(matches!(queue, Err(StoreError::Corrupt { kind: "mls proposal", .. })));
	assert!(overlay.commit().is_err());
}

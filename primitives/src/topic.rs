//! Topics under which statements are posted and found.

use crate::GroupId;

const GROUP_TAG: &[u8] = b"lockstep/topic/1";
const MAILBOX_TAG: &[u8] = b"lockstep/mailbox/1";
const LETTER_TAG: &[u8] = b"lockstep/letter/1";

/// The topic of a group's messages: `H("lockstep/topic/1" | group)`.
pub fn group_topic(group: &GroupId) -> [u8; 32] {
	let mut hasher = blake3::Hasher::new();
	hasher.update(GROUP_TAG);
	hasher.update(group.as_bytes());
	hasher.finalize().into()
}

/// The topic under which invitations for one KeyPackage arrive:
/// `H("lockstep/mailbox/1" | KeyPackageRef)` (RFC 9420 section 5.2).
///
/// Only those who have seen the KeyPackage can tell whose mailbox it is.
pub fn mailbox_topic(key_package_ref: &[u8]) -> [u8; 32] {
	let mut hasher = blake3::Hasher::new();
	hasher.update(MAILBOX_TAG);
	hasher.update(key_package_ref);
	hasher.finalize().into()
}

/// The topic under which the letter with a Welcome lies: `H("lockstep/letter/1" | key | H(sealed letter))`.
///
/// Only those who know the key can find it, or tell that it is one. It binds letter and key: whoever was told both takes
/// nothing else for the letter, and can be told no topic that is there for something else.
pub fn letter_topic(key: &[u8; 16], sealed_hash: &[u8; 32]) -> [u8; 32] {
	let mut hasher = blake3::Hasher::new();
	hasher.update(LETTER_TAG);
	hasher.update(key);
	hasher.update(sealed_hash);
	hasher.finalize().into()
}

/// What an envelope says of a sealed letter: its BLAKE3-256.
pub fn letter_hash(sealed: &[u8]) -> [u8; 32] {
	blake3::hash(sealed).into()
}

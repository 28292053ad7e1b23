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

/// The topic under which the letter with a Welcome lies: `H("lockstep/letter/1" | sealed letter)`.
///
/// It binds the letter: whoever was told the topic takes nothing else for it.
pub fn letter_topic(sealed: &[u8]) -> [u8; 32] {
	let mut hasher = blake3::Hasher::new();
	hasher.update(LETTER_TAG);
	hasher.update(sealed);
	hasher.finalize().into()
}

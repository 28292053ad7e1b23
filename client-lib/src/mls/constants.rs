//! Protocol constants.
//!
//! Each of these either decides whether a commit is valid, or whether what one member sends can be read by another.
//! A member with another value would judge the same log differently, so none of them is configuration: to change one
//! is to change the protocol's version.

use super::group_data::extension_types;
use openmls::{
	group::{MlsGroupJoinConfig, PURE_PLAINTEXT_WIRE_FORMAT_POLICY},
	key_packages::Lifetime,
	prelude::{Capabilities, CredentialType, ExtensionType, ProtocolVersion, SenderRatchetConfiguration},
};
use openmls_traits::types::Ciphersuite;

/// The one ciphersuite. A KeyPackage of another is refused, so that no member meets a suite that it does not know.
/// There is no choice of a post-quantum one: the cryptographic provider has none that is not an unfinished draft.
pub const CIPHERSUITE: Ciphersuite = Ciphersuite::MLS_128_DHKEMX25519_AES128GCM_SHA256_Ed25519;

/// How many past epochs a member can still read application messages and statements of, at most; older secrets are
/// deleted. It never touches a verdict, because commits and proposals count in their own epoch only. A member may
/// delete them earlier ([`Engine::forget_past_epochs`](super::Engine::forget_past_epochs)).
pub const MAX_PAST_EPOCHS: usize = 5;

/// The largest application message, in bytes, before it is encrypted. What carries it may set a lower bound.
pub const MAX_MESSAGE: usize = 1024 * 1024;

/// What encryption and framing may add to a message, generously: padding, tag, signature, headers.
pub(super) const MESSAGE_OVERHEAD: usize = 1024;

/// The most application messages that one member sends in one epoch, and that others read of it; a commit makes room
/// for as many again. It bounds what a hostile member can make others do, and its secrets' use (RFC 9420 section
/// 15.1).
pub const MAX_MESSAGES_PER_EPOCH: u32 = 1024;

/// How far ahead of the last message read another of the same sender and epoch may be. As far as there can be any: so
/// however many are lost, the next one is readable, for all members alike.
const MAXIMUM_FORWARD_DISTANCE: u32 = MAX_MESSAGES_PER_EPOCH;

/// How far behind the newest message read another of the same sender and epoch may be. As far as there can be any, too:
/// nodes give out what they store in any order, and a member that was away reads all of it. The keys of messages that
/// were not read yet, 64 KiB of each sender at most, are kept as long as their epoch.
const OUT_OF_ORDER_TOLERANCE: u32 = MAX_MESSAGES_PER_EPOCH;

/// Application messages are padded to a multiple of this many bytes, the same for all, so that the amount does not
/// tell who sent them.
const PADDING: usize = 64;

/// The largest sealed bundle that is looked at, in bytes. The chain admits less; this bound only has to be the same
/// for all members.
pub const MAX_PAYLOAD: usize = 1024 * 1024;

/// The largest sealed bundle that is made, in bytes: what the chain admits unless its runtime says otherwise.
pub const MAX_COMMIT: usize = 64 * 1024;

/// The largest letter that is made, in bytes, as sealed: it fits into a statement, and those have less than 1 MiB. It carries the
/// ratchet tree, so nobody can be invited to a group of much more than three thousand members, fewer if their names are long.
pub const MAX_LETTER: usize = 1024 * 1024 - 256;

/// The largest identity, in bytes. It is in every member's tree and in every Welcome.
pub const MAX_IDENTITY: usize = 256;

/// The longest name of a group, in bytes of UTF-8. Like the two bounds that follow it is in every GroupContext and in
/// every Welcome; together with the identities of the administrators they fit well into one commit.
pub const MAX_NAME: usize = 256;

/// The most application data in the group data, in bytes.
pub const MAX_APPLICATION_DATA: usize = 8 * 1024;

/// The most administrators of a group.
pub const MAX_ADMINISTRATORS: usize = 64;

/// The largest rejoin request, in bytes.
pub const MAX_REJOIN_REQUEST: usize = 16 * 1024;

/// The lifetime of every KeyPackage: from the beginning to the end of time (RFC 9420 section 7.2).
///
/// OpenMLS compares it with the local clock when it receives an Add. A lifetime that could lapse would make a commit
/// valid for one member and invalid for another whose clock differs, or who was offline. So it cannot lapse, and
/// [`policy`](super::policy) refuses every other alike for all; when a KeyPackage is too old to be used is the
/// business of whoever hands it out.
pub(super) fn lifetime() -> Lifetime {
	Lifetime::init(0, u64::MAX)
}

/// What every leaf says it supports: this suite, basic credentials, the group data, and the extensions and proposals
/// that every member must know anyway (RFC 9420 section 7.2). A group requires the group data of every leaf.
pub(super) fn capabilities() -> Capabilities {
	capabilities_with(&extension_types())
}

/// The same for a leaf in a KeyPackage of last resort, whose extension it has to list as well (RFC 9420 section 10).
pub(super) fn last_resort_capabilities() -> Capabilities {
	let [group_data] = extension_types();
	capabilities_with(&[group_data, ExtensionType::LastResort])
}

fn capabilities_with(extensions: &[ExtensionType]) -> Capabilities {
	let (versions, suites) = ([ProtocolVersion::Mls10], [CIPHERSUITE]);
	Capabilities::new(Some(&versions), Some(&suites), Some(extensions), Some(&[]), Some(&[CredentialType::Basic]))
}

/// How a member's OpenMLS group is set up.
///
/// Commits and proposals are PublicMessages: they only ever travel sealed (see [`seal`](super::seal)), so nothing is
/// shown, and judging one does not depend on, or change, the state of a ratchet that each member has its own of.
/// Application messages are always PrivateMessages. The ratchet tree goes beside the Welcome
/// ([`ratchet_tree`](super::ratchet_tree)) and not in its GroupInfo, where it would be signed, and hashed for each joiner.
pub(super) fn join_config() -> MlsGroupJoinConfig {
	MlsGroupJoinConfig::builder()
		.wire_format_policy(PURE_PLAINTEXT_WIRE_FORMAT_POLICY)
		.use_ratchet_tree_extension(false)
		.max_past_epochs(MAX_PAST_EPOCHS)
		.sender_ratchet_configuration(SenderRatchetConfiguration::new(OUT_OF_ORDER_TOLERANCE, MAXIMUM_FORWARD_DISTANCE))
		.padding_size(PADDING)
		.number_of_resumption_psks(0)
		.build()
}

/// Exporter labels (RFC 9420 section 8.5); the exporter context is the group id.
pub(super) mod label {
	pub(in crate::mls) const ORDERING_KEY: &str = "lockstep ordering key";
	pub(in crate::mls) const PAYLOAD_KEY: &str = "lockstep payload key";
	pub(in crate::mls) const STATEMENT_KEY: &str = "lockstep statement key";
	pub(in crate::mls) const REQUEST_KEY: &str = "lockstep request key";
}

/// Domain tags of what is sealed.
pub(super) mod tag {
	pub(in crate::mls) const PAYLOAD: &[u8] = b"lockstep/payload/1";
	pub(in crate::mls) const STATEMENT: &[u8] = b"lockstep/statement/1";
	pub(in crate::mls) const REJOIN: &[u8] = b"lockstep/rejoin/1";
	pub(in crate::mls) const INVITATION: &[u8] = b"lockstep/invitation/1";
	pub(in crate::mls) const LETTER: &[u8] = b"lockstep/letter/1";
}

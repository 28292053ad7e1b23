//! Letters and envelopes (section 8).

use super::{
	crypto::{crypto, random, seal, suite},
	member::Pending,
};
use crate::person::broken;
use codec::{Decode, DecodeAll, Encode};
use lockstep_primitives::{
	topic::{letter_hash, letter_topic, mailbox_topic},
	EntryHash, GroupId,
};
use lockstep_tests::Result;
use mls_rs::{
	crypto::HpkePublicKey,
	mls_rs_codec::{MlsDecode, MlsEncode},
	CipherSuiteProvider, KeyPackage,
};

const LETTER: &[u8] = b"lockstep/letter/1";

/// What an envelope holds: which letter, and what opens it.
#[derive(Clone, Encode, Decode)]
pub struct LetterKey {
	hash: [u8; 32],
	key: [u8; 16],
}

impl LetterKey {
	pub fn topic(&self) -> [u8; 32] {
		letter_topic(&self.key, &self.hash)
	}

	/// Opens the letter, if this is the one.
	pub fn open(&self, sealed: &[u8]) -> Result<Letter> {
		if letter_hash(sealed) != self.hash {
			return Err(broken("it is another letter"));
		}
		let opened =
			super::crypto::open(&self.key, LETTER, sealed).ok_or_else(|| broken("the letter does not open"))?;
		Letter::decode_all(&mut &opened[..]).map_err(broken)
	}
}

/// Which entry opened the joiner's epoch, and the Welcome to it.
#[derive(Clone, Encode, Decode)]
pub struct Letter {
	pub group: GroupId,
	pub entry: EntryHash,
	pub index: u64,
	/// An MLSMessage.
	pub welcome: Vec<u8>,
	/// The ratchet tree; empty if the Welcome has it in its GroupInfo.
	pub tree: Vec<u8>,
}

/// Who is invited.
pub struct Joiner {
	reference: Vec<u8>,
	init_key: HpkePublicKey,
}

impl Joiner {
	pub fn of(package: &[u8]) -> Result<Self> {
		let package = KeyPackage::mls_decode(&mut &package[..]).map_err(broken)?;
		let reference = package.to_reference(&suite()).map_err(broken)?.to_vec();
		Ok(Self { reference, init_key: package.hpke_init_key })
	}
}

/// What is posted for the joiners: topics and what lies under them, the letter first. The envelopes are to be signed by whoever has
/// claimed, if anybody has.
pub fn invitations(own: &Pending, group: GroupId, entry: EntryHash, index: u64) -> Result<Vec<([u8; 32], Vec<u8>)>> {
	let Some(welcome) = own.welcome.clone() else { return Ok(Vec::new()) };
	let key = random()?;
	// This member's tree is in the GroupInfo.
	let letter = seal(&key, LETTER, &Letter { group, entry, index, welcome, tree: Vec::new() }.encode())?;
	let opens = LetterKey { hash: letter_hash(&letter), key };
	let mut posted = vec![(opens.topic(), letter)];
	for Joiner { reference, init_key } in &own.joiners {
		let sealed = suite().hpke_seal(init_key, b"lockstep/invitation/1", Some(reference), &opens.encode());
		let sealed = sealed.map_err(crypto)?.mls_encode_to_vec().map_err(broken)?;
		posted.push((mailbox_topic(reference), sealed));
	}
	Ok(posted)
}

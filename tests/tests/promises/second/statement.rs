//! Statements (section 9), byte by byte.

use super::{
	crypto::{open, public, random, seal, sign},
	member::{Keys, Member},
};
use crate::person::broken;
use codec::{Compact, Decode, Encode};
use lockstep_primitives::topic::group_topic;
use lockstep_tests::Result;
use mls_rs::{client_builder::MlsConfig, group::ReceivedMessage, MlsMessage};
use std::time::{SystemTime, UNIX_EPOCH};

const VERSION: u8 = 1;
/// An application message, in what is sealed for a group.
const MESSAGE: u8 = 0;
/// Expiries are multiples of this many seconds, three days off at least.
const STEP: u64 = 1 << 17;
const THREE_DAYS: u64 = 3 * 86_400;

/// A statement that was read.
pub struct Statement {
	pub signer: [u8; 32],
	pub topic: [u8; 32],
	/// Without the version.
	pub data: Vec<u8>,
}

/// Makes one, by the key of an epoch that is so many finalized blocks old.
pub fn statement(seed: &[u8; 32], topic: &[u8; 32], data: &[u8], age: u64) -> Result<Vec<u8>> {
	let now = SystemTime::now().duration_since(UNIX_EPOCH).map_err(broken)?.as_secs();
	let least = now - age % STEP + STEP + THREE_DAYS;
	let expiry = ((least / STEP + 1) * STEP) << 32;
	let data = [&[VERSION][..], data].concat();
	let signed = [&[2][..], &expiry.encode(), &[4], topic, &[8], &data.encode()].concat();
	let proof = [&[0, 1][..], &sign(seed, &signed)?, &public(seed)].concat();
	Ok([Compact(4_u32).encode(), proof, signed].concat())
}

impl Statement {
	pub fn read(mut bytes: &[u8]) -> Option<Self> {
		let bytes = &mut bytes;
		let head = <(Compact<u32>, u8, u8, [u8; 64], [u8; 32])>::decode(bytes).ok()?;
		let (expiry, topic) = (<(u8, u64)>::decode(bytes).ok()?, <(u8, [u8; 32])>::decode(bytes).ok()?);
		let data = <(u8, Vec<u8>)>::decode(bytes).ok()?;
		let fields = (head.0 .0, head.1, head.2, expiry.0, topic.0, data.0, bytes.is_empty());
		let (&version, rest) = data.1.split_first()?;
		let is_one = fields == (4, 0, 1, 2, 4, 8, true) && version == VERSION;
		is_one.then(|| Self { signer: head.4, topic: topic.1, data: rest.to_vec() })
	}
}

fn context(topic: &[u8; 32]) -> Vec<u8> {
	[&b"lockstep/statement/1"[..], topic].concat()
}

/// What came of a statement of the group.
#[derive(Debug, PartialEq, Eq)]
pub enum Heard {
	Message {
		sender: Vec<u8>,
		data: Vec<u8>,
	},
	/// It is of an epoch that this member does not know, yet perhaps.
	Unknown,
	/// Nothing for it.
	Nothing,
}

impl<C: MlsConfig> Member<C> {
	/// A message to the group, as a statement.
	pub fn say(&mut self, text: &[u8], age: u64) -> Result<Vec<u8>> {
		let seat = self.seat_mut()?;
		let id: [u8; 16] = random()?;
		let framed = [&[VERSION][..], &id, text].concat();
		let message = seat.mls.encrypt_application_message(&framed, Vec::new()).map_err(broken)?;
		let contents = [vec![MESSAGE], message.to_bytes().map_err(broken)?].concat();
		let (topic, keys) = (group_topic(&seat.group), seat.tip());
		let sealed = seal(&keys.statement, &context(&topic), &contents)?;
		statement(&keys.ordering_seed, &topic, &sealed, age)
	}

	/// Reads a statement under the group's topic.
	pub fn hear(&mut self, statement: &Statement) -> Result<Heard> {
		let seat = self.seat_mut()?;
		let by = |keys: &&Keys| keys.public().0 == statement.signer;
		let Some(keys) = seat.keys.iter().find(by) else { return Ok(Heard::Unknown) };
		let Some(opened) = open(&keys.statement, &context(&statement.topic), &statement.data) else {
			return Ok(Heard::Nothing);
		};
		let Some((&MESSAGE, bytes)) = opened.split_first() else { return Ok(Heard::Nothing) };
		let message = MlsMessage::from_bytes(bytes).map_err(broken)?;
		// Its own it cannot read, and a repeated one not again.
		let Ok(ReceivedMessage::ApplicationMessage(read)) = seat.mls.process_incoming_message(message) else {
			return Ok(Heard::Nothing);
		};
		let sender = seat.mls.member_at_index(read.sender_index).ok_or_else(|| broken("a stranger's message"))?;
		let sender = sender.signing_identity().credential.as_basic().map(|basic| basic.identifier().to_vec());
		let data =
			read.data().strip_prefix(&[VERSION]).and_then(|framed| framed.get(16..)).unwrap_or_default().to_vec();
		Ok(Heard::Message { sender: sender.unwrap_or_default(), data })
	}
}

//! What bounds messages: how long their secrets are kept, how large they are, how many.

use super::{commit, group, Intent, MessageError, Received};
use crate::mls::{
	constants::{MAX_MESSAGE, MAX_MESSAGES_PER_EPOCH},
	group::mls_id,
	meter,
};
use ciborium::Value;
use openmls_traits::storage::{traits, Entity, StorageProvider, CURRENT_VERSION};
use serde::{Deserialize, Serialize};

/// What OpenMLS stores of the secrets of messages, as it is.
#[derive(Serialize, Deserialize)]
struct Raw(Value);

impl Entity<CURRENT_VERSION> for Raw {}
impl traits::MessageSecrets<CURRENT_VERSION> for Raw {}

fn secrets(member: &super::Member, log: &super::Log) -> Value {
	let raw = member.read(|_, overlay| overlay.message_secrets::<_, Raw>(&mls_id(&log.group)));
	raw.unwrap().expect("the group has secrets").0
}

fn field<'v>(value: &'v Value, name: &str) -> &'v Value {
	let fields = value.as_map().expect("a struct");
	&fields.iter().find(|(key, _)| key.as_text() == Some(name)).expect("the field").1
}

fn bytes(value: &Value) -> Vec<u8> {
	let mut bytes = Vec::new();
	ciborium::into_writer(value, &mut bytes).unwrap();
	bytes
}

#[test]
fn past_epochs_are_forgotten_when_the_member_wants_it() {
	let (mut log, mut members) = group(&["a", "b"]);
	let mut sent = Vec::new();
	for _ in 0..4 {
		sent.push(members[0].encrypt(&log, b"late"));
		commit(&mut members, &mut log, 0, &Intent::Update);
	}
	let before = secrets(&members[1], &log);
	let trees = field(&before, "past_epoch_trees").as_array().unwrap();
	let current = members[1].view(&log).epoch;
	assert_eq!(current, 5);
	members[1].write(|engine, overlay| engine.forget_past_epochs(overlay, &log.group, 3)).unwrap();

	let kept: Vec<u64> = members[1].keys(&log).iter().map(|keys| keys.epoch).collect();
	assert_eq!(kept, [3, 4, 5]);
	for sent in &sent[..2] {
		assert_eq!(members[1].decrypt(&log, &sent.bytes), Err(MessageError::Past { epoch: sent.epoch, current }));
	}
	for sent in &sent[2..] {
		assert!(matches!(members[1].decrypt(&log, &sent.bytes), Ok(Received::Message { .. })));
	}
	// the secrets are gone from what is stored
	let after = bytes(&secrets(&members[1], &log));
	for tree in trees {
		let epoch = u64::try_from(field(tree, "epoch").as_integer().unwrap()).unwrap();
		let sender_data = bytes(field(field(tree, "message_secrets"), "sender_data_secret"));
		assert!(sender_data.len() > 32, "{sender_data:?}");
		let found = after.windows(sender_data.len()).any(|window| window == sender_data);
		assert_eq!(found, epoch >= 3, "epoch {epoch}");
	}

	// each past epoch is a record of its own
	assert_eq!(members[1].store().damage("mls past epoch", None), 2);
	assert!(members[1].read(|_, overlay| overlay.message_secrets::<_, Raw>(&mls_id(&log.group))).is_err());
}

#[test]
fn those_of_the_current_epoch_stay_whatever_is_asked_for() {
	let (mut log, mut members) = group(&["a", "b"]);
	commit(&mut members, &mut log, 0, &Intent::Update);
	members[1].write(|engine, overlay| engine.forget_past_epochs(overlay, &log.group, u64::MAX)).unwrap();
	assert_eq!(members[1].keys(&log).len(), 1);
	super::assert_agreement(&mut members, &log);
	commit(&mut members, &mut log, 0, &Intent::Update);
	assert_eq!(members[1].keys(&log).len(), 2);
}

#[test]
fn a_message_has_a_largest_size() {
	let (log, mut members) = group(&["a", "b"]);
	let sent = members[0].encrypt(&log, &vec![7; MAX_MESSAGE]);
	assert!(
		matches!(members[1].decrypt(&log, &sent.bytes), Ok(Received::Message { data, .. }) if data.len() == MAX_MESSAGE)
	);
	let too_large = vec![7; MAX_MESSAGE + 1];
	let error = MessageError::TooLarge { length: MAX_MESSAGE + 1, max: MAX_MESSAGE };
	let refused = members[0].read(|engine, overlay| engine.encrypt(overlay, &log.group, &too_large));
	assert_eq!(refused, Err(error.clone()));
	// of a member that does not keep to it
	let forged = {
		let overlay = members[0].store().overlay();
		let engine = &members[0].engine;
		let mut mls = engine.load(&overlay, &log.group).unwrap();
		mls.create_message(&engine.provider(&overlay), &engine.signer, &too_large).unwrap().to_bytes().unwrap()
	};
	let read = members[1].read(|engine, overlay| engine.decrypt(overlay, &log.group, &forged));
	assert_eq!(read, Err(error));
	let read = members[1].read(|engine, overlay| engine.decrypt(overlay, &log.group, &vec![1; MAX_MESSAGE * 2]));
	assert!(matches!(read, Err(MessageError::TooLarge { .. })));
}

#[test]
fn a_member_sends_and_is_read_so_often_in_an_epoch() {
	let (mut log, mut members) = group(&["a", "b"]);
	for member in &members {
		member.write(|_, overlay| meter::set(overlay, &log.group, 1, 0, MAX_MESSAGES_PER_EPOCH - 1));
	}
	let last = members[0].encrypt(&log, b"last");
	let too_many = MessageError::TooMany { sender: b"a".to_vec(), epoch: 1 };
	let refused = members[0].read(|engine, overlay| engine.encrypt(overlay, &log.group, b"more"));
	assert_eq!(refused, Err(too_many.clone()));
	// one that sends more all the same is read no further, in whatever order that comes
	members[0].write(|_, overlay| meter::set(overlay, &log.group, 1, 0, 0));
	let more = members[0].encrypt(&log, b"more");
	assert!(members[1].decrypt(&log, &more.bytes).is_ok());
	assert_eq!(members[1].decrypt(&log, &last.bytes), Err(too_many));
	// others have their own count, and the next epoch another
	assert!(members[1].read(|engine, overlay| {
		let scratch = overlay.nested();
		engine.encrypt(&scratch, &log.group, b"mine").is_ok()
	}));
	commit(&mut members, &mut log, 0, &Intent::Update);
	super::assert_agreement(&mut members, &log);
}

#[test]
fn however_many_messages_are_lost_the_next_is_read() {
	let (log, mut members) = group(&["a", "b"]);
	let mut last = None;
	members[0].write(|engine, overlay| {
		// one was sent when the group was made
		for _ in 1..MAX_MESSAGES_PER_EPOCH {
			last = Some(engine.encrypt(overlay, &log.group, b"").unwrap());
		}
	});
	let read = members[1].decrypt(&log, &last.unwrap().bytes);
	assert!(matches!(read, Ok(Received::Message { .. })), "{read:?}");
}

#[test]
fn the_messages_of_an_epoch_are_read_in_any_order() {
	let (log, mut members) = group(&["a", "b"]);
	let mut sent = Vec::new();
	members[0].write(|engine, overlay| {
		// one was sent when the group was made
		for number in 1..MAX_MESSAGES_PER_EPOCH {
			sent.push((number, engine.encrypt(overlay, &log.group, &number.to_be_bytes()).unwrap()));
		}
	});
	for (number, sent) in sent.iter().rev() {
		let read = members[1].decrypt(&log, &sent.bytes);
		assert!(matches!(read, Ok(Received::Message { data, .. }) if data == number.to_be_bytes()), "message {number}");
	}
	let again = members[1].decrypt(&log, &sent[0].1.bytes);
	assert!(again.is_err(), "a second time: {again:?}");
}

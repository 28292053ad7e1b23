//! Application messages and sealed statements.

use super::{group, Engine, EngineError, Intent, Log, Member, MessageError, Received, SealError};
use crate::mls::constants::MAX_PAST_EPOCHS;

fn next_epoch(members: &mut [Member], log: &mut Log) {
	let entry = log.append(&members[0].prepare(log, &Intent::Update));
	for member in members.iter_mut() {
		member.advance(log, &entry);
	}
}

fn from_a(epoch: u64, data: &[u8]) -> Result<Received, MessageError> {
	Ok(Received::Message { sender: b"a".to_vec(), epoch, data: data.to_vec() })
}

#[test]
fn messages_arrive_in_any_order_and_once() {
	let (log, mut members) = group(&["a", "b"]);
	let sent: Vec<_> = (0..10u8).map(|n| members[0].encrypt(&log, &[n])).collect();
	for n in [3u8, 1, 9, 0, 2, 8, 4, 7, 5, 6] {
		assert_eq!(members[1].decrypt(&log, &sent[usize::from(n)].bytes), from_a(1, &[n]));
	}
	for again in &sent {
		assert_eq!(members[1].decrypt(&log, &again.bytes), Err(MessageError::Repeated));
	}
	members[1].restart(&log);
	assert_eq!(members[1].decrypt(&log, &sent[0].bytes), Err(MessageError::Repeated));
}

#[test]
fn late_messages_are_read_for_some_epochs_and_then_never() {
	let (mut log, mut members) = group(&["a", "b"]);
	let kept: Vec<_> = (0..MAX_PAST_EPOCHS + 2).map(|_| members[0].encrypt(&log, b"late")).collect();
	for (age, sent) in kept.iter().enumerate() {
		let read = members[1].decrypt(&log, &sent.bytes);
		if age <= MAX_PAST_EPOCHS {
			assert_eq!(read, from_a(1, b"late"), "{age} epochs later");
		} else {
			assert_eq!(read, Err(MessageError::Past { epoch: 1, current: 1 + age as u64 }));
		}
		next_epoch(&mut members, &mut log);
	}
}

#[test]
fn a_message_of_a_later_epoch_waits_until_the_member_gets_there() {
	let (mut log, mut members) = group(&["a", "b"]);
	let entry = log.append(&members[0].prepare(&log, &Intent::Update));
	members[0].advance(&log, &entry);
	let sent = members[0].encrypt(&log, b"early");
	assert_eq!(members[1].decrypt(&log, &sent.bytes), Err(MessageError::Future { epoch: 2, current: 1 }));
	members[1].advance(&log, &entry);
	assert_eq!(members[1].decrypt(&log, &sent.bytes), from_a(2, b"early"));
}

#[test]
fn a_joiner_reads_nothing_from_before_it_joined() {
	let (mut log, mut members) = group(&["a", "b"]);
	let before = members[0].encrypt(&log, b"before");
	let mut joiner = Member::new("j");
	let package = joiner.key_package();
	let prepared = members[0].prepare(&log, &super::add(std::slice::from_ref(&package)));
	let entry = log.append(&prepared);
	members[0].advance(&log, &entry);
	joiner.join(&log, &package, &members[0].welcomes(&prepared, &entry));
	assert_eq!(joiner.decrypt(&log, &before.bytes), Err(MessageError::Past { epoch: 1, current: 2 }));
}

#[test]
fn no_key_is_used_twice_after_an_overlay_was_lost() {
	let (log, mut members) = group(&["a", "b"]);
	let first = members[0].encrypt(&log, b"first");
	members[0].restart(&log);
	let second = members[0].encrypt(&log, b"second");
	assert_eq!(members[1].decrypt(&log, &second.bytes), from_a(1, b"second"));
	assert_eq!(members[1].decrypt(&log, &first.bytes), from_a(1, b"first"));
}

#[test]
fn changed_messages_are_errors_and_use_up_nothing() {
	let (log, mut members) = group(&["a", "b"]);
	let sent = members[0].encrypt(&log, b"hello").bytes;
	let try_read = |member: &Member, bytes: &[u8]| {
		let overlay = member.store().overlay();
		let read = member.engine.decrypt(&overlay, &log.group, bytes);
		assert!(read.is_ok() || overlay.is_clean(), "a failed read leaves no trace");
		read
	};
	for length in 0..sent.len() {
		assert!(try_read(&members[1], &sent[..length]).is_err());
	}
	for position in 0..sent.len() {
		let mut changed = sent.clone();
		changed[position] ^= 1;
		let read = try_read(&members[1], &changed);
		assert!(
			!matches!(read, Ok(Received::Message { .. }) | Err(MessageError::Engine(_))),
			"byte {position}: {read:?}"
		);
	}
	assert_eq!(try_read(&members[1], &[&sent[..], b"\0"].concat()), Err(MessageError::Malformed));
	assert_eq!(members[1].decrypt(&log, &sent), from_a(1, b"hello"));
}

#[test]
fn what_is_not_an_application_message_is_refused() {
	let (log, members) = group(&["a", "b", "c"]);
	let leave = members[2].read(|engine, overlay| engine.propose_leave(overlay, &log.group)).unwrap();
	let read = members[1].read(|engine, overlay| engine.decrypt(overlay, &log.group, &leave));
	assert_eq!(read, Err(MessageError::Malformed));
	let (other_log, mut others) = group(&["a", "x"]);
	let foreign = others[0].encrypt(&other_log, b"elsewhere").bytes;
	let read = members[1].read(|engine, overlay| engine.decrypt(overlay, &log.group, &foreign));
	assert_eq!(read, Err(MessageError::OtherGroup));
	let read = others[1].read(|engine, overlay| engine.decrypt(overlay, &log.group, &foreign));
	assert_eq!(read, Err(MessageError::Engine(EngineError::NoSuchGroup(log.group))));
}

#[test]
fn statements_open_in_their_epoch_and_topic_only() {
	let (mut log, mut members) = group(&["a", "b"]);
	let keys = members[0].tip_keys(&log);
	let topic = [1; 32];
	let sealed = keys.seal_statement(&topic, b"text").unwrap();
	let again = keys.seal_statement(&topic, b"text").unwrap();
	assert_ne!(sealed, again, "the nonce is fresh");
	next_epoch(&mut members, &mut log);
	let known = members[1].keys(&log);
	let opened: Vec<bool> = known.iter().map(|keys| keys.open_statement(&topic, &sealed).is_ok()).collect();
	assert_eq!(opened, [true, false]);
	assert_eq!(known[0].open_statement(&topic, &sealed).unwrap(), b"text");
	assert_eq!(known[0].open_statement(&[2; 32], &sealed), Err(SealError::Unauthentic));
	for length in 0..sealed.len() {
		assert!(known[0].open_statement(&topic, &sealed[..length]).is_err());
	}
	for position in 0..sealed.len() {
		let mut changed = sealed.clone();
		changed[position] ^= 1;
		assert_eq!(known[0].open_statement(&topic, &changed), Err(SealError::Unauthentic));
	}
}

#[test]
fn identities_have_bounds() {
	for length in [0, super::constants::MAX_IDENTITY + 1] {
		let engine = Engine::new(vec![b'x'; length], &[1; 32], super::log::GENESIS);
		assert_eq!(engine.err(), Some(EngineError::Identity { length }));
	}
	Engine::new(vec![b'x'; super::constants::MAX_IDENTITY], &[1; 32], super::log::GENESIS).unwrap();
}

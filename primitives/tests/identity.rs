//! Attacks on identity logs, each against the rule that stops it.

use codec::Encode;
use ed25519_dalek::{Signer, SigningKey, Verifier, VerifyingKey};
use lockstep_primitives::{
	identity::{
		judge, judge_inception, limit_of_recoveries, Action, Change, Event, IdentityRefusal as Refusal, IdentityState,
		NewDevice, Place, RecoveryKeys, Revoked, SignedEvent, MAX_DEVICES, MAX_RECENT, MAX_RECOVERIES,
		RECENT_FOR_DEVICES,
	},
	BlockNumber, EntryHash, EventSignature, GenesisHash, IdentityId, IdentityKey, OperatorId,
};
use std::collections::HashSet;

const GENESIS: GenesisHash = GenesisHash([0x11; 32]);
const WINDOW: BlockNumber = 1000;

/// The keys of a person are numbered: devices from 1 on, those to come after device n at n + 100, n + 200 ..., recovery keys
/// from 240 on.
fn secret(number: u8) -> SigningKey {
	SigningKey::from_bytes(&[number; 32])
}

fn key(number: u8) -> IdentityKey {
	IdentityKey(secret(number).verifying_key().to_bytes())
}

fn device(number: u8) -> NewDevice {
	NewDevice { key: key(number), next: key(number.wrapping_add(100)).commitment() }
}

fn recovery(numbers: &[u8]) -> RecoveryKeys {
	numbers.iter().map(|number| key(*number).commitment()).collect::<Vec<_>>().try_into().unwrap()
}

fn verify(key: &IdentityKey, text: &[u8], signature: &EventSignature) -> bool {
	// These signatures are honest ones, or of other keys and texts: all verifiers agree on them.
	let key = VerifyingKey::from_bytes(&key.0);
	key.is_ok_and(|key| key.verify(text, &ed25519_dalek::Signature::from_bytes(&signature.0)).is_ok())
}

/// An identity, as a chain keeps it.
#[derive(Clone)]
struct Log {
	id: IdentityId,
	state: IdentityState,
	used: HashSet<IdentityKey>,
	block: BlockNumber,
	events: Vec<SignedEvent>,
}

fn sign(event: Event, author: u8, accepting: Option<u8>) -> SignedEvent {
	let by = |number: u8, text: &[u8]| EventSignature(secret(number).sign(text).to_bytes());
	SignedEvent {
		signature: by(author, &event.signing_payload(&GENESIS)),
		acceptance: accepting.map(|number| by(number, &event.acceptance_payload(&GENESIS))),
		event,
	}
}

impl Log {
	/// Of the first device, 1, and the recovery keys 240, 241 and 242.
	fn new() -> Self {
		let event = Event::incept(&GENESIS, device(1), recovery(&[240, 241, 242]), None);
		let id = event.identity;
		let signed = sign(event, 1, None);
		let place = Place { genesis: &GENESIS, identity: &id, block: 10, window: WINDOW };
		let Change { state, .. } = judge_inception(&place, &signed, |_| false, verify).unwrap();
		Self { id, state, used: HashSet::from([key(1)]), block: 10, events: vec![signed] }
	}

	fn event(&self, author: u8, action: Action) -> Event {
		let (index, previous) = (self.state.head.length, self.state.head.hash);
		Event { identity: self.id, index, previous, author: key(author), action }
	}

	fn judge(&self, signed: &SignedEvent) -> Result<Change, Refusal> {
		let place = Place { genesis: &GENESIS, identity: &self.id, block: self.block, window: WINDOW };
		judge(&place, &self.state, signed, |key| self.used.contains(key), verify)
	}

	/// Takes a signed event, in a block of its own.
	fn take(&mut self, signed: SignedEvent) -> Result<Change, Refusal> {
		let change = self.judge(&signed)?;
		assert_eq!(change.state.head.hash, change.hash);
		self.state = change.state.clone();
		self.used.extend(change.added);
		self.events.push(signed);
		self.block += 1;
		Ok(change)
	}

	fn act(&mut self, author: u8, action: Action) -> Result<Change, Refusal> {
		self.take(sign(self.event(author, action), author, None))
	}

	fn add(&mut self, author: u8, new: u8) -> Result<Change, Refusal> {
		self.take(sign(self.event(author, Action::AddDevice(device(new))), author, Some(new)))
	}

	fn revoke(&mut self, author: u8, gone: u8) -> Result<Change, Refusal> {
		self.act(author, Action::RevokeDevice(key(gone)))
	}

	/// Device `of` goes over to the key that it committed to.
	fn rotate(&mut self, of: u8) -> Result<Change, Refusal> {
		let to = of.wrapping_add(100);
		let next = key(to.wrapping_add(100)).commitment();
		self.act(to, Action::Rotate { replaces: key(of), next })
	}

	/// Recovers by the key of a rank, which `successors` replace, with device `new`.
	fn recover(&mut self, by: u8, rank: u8, from: u64, new: u8, successors: &[u8]) -> Result<Change, Refusal> {
		self.recover_without(by, rank, from, new, successors, &[])
	}

	fn recover_without(
		&mut self,
		by: u8,
		rank: u8,
		from: u64,
		new: u8,
		successors: &[u8],
		without: &[u8],
	) -> Result<Change, Refusal> {
		let revoked = Revoked::try_from(without.iter().map(|number| key(*number)).collect::<Vec<_>>()).unwrap();
		let action = Action::Recover { rank, from, revoked, device: device(new), recovery: recovery(successors) };
		self.take(sign(self.event(by, action), by, Some(new)))
	}

	fn devices(&self) -> Vec<IdentityKey> {
		self.state.devices.iter().map(|device| device.key).collect()
	}

	fn length(&self) -> u64 {
		self.state.head.length
	}
}

fn keys(numbers: &[u8]) -> Vec<IdentityKey> {
	numbers.iter().map(|number| key(*number)).collect()
}

#[test]
fn an_event_is_good_in_one_place_only_also_after_add_remove_add_remove() {
	let mut log = Log::new();
	log.add(1, 2).unwrap();
	log.revoke(1, 2).unwrap();
	log.add(1, 3).unwrap();
	let third = log.events[2].clone();
	log.revoke(1, 3).unwrap();
	for event in &log.events[1..] {
		assert_eq!(log.judge(event), Err(Refusal::BadSequence));
	}
	// moved to the next position without being signed anew
	let mut moved = third.clone();
	moved.event.index = log.length();
	assert_eq!(log.judge(&moved), Err(Refusal::BadPrevious));
	moved.event.previous = log.state.head.hash;
	assert_eq!(log.judge(&moved), Err(Refusal::UnknownDevice));
	let SignedEvent { event, .. } = third;
	let again = sign(Event { index: log.length(), previous: log.state.head.hash, ..event }, 1, None);
	assert_eq!(log.judge(&again), Err(Refusal::UnknownDevice), "what is revoked stays so");
}

/// Author and action are good in both places: nothing but what was signed keeps an event in its own.
#[test]
fn what_was_signed_for_one_place_is_worth_nothing_in_another() {
	let mut log = Log::new();
	let (set, add) = (Action::SetOperator(Some(OperatorId([7; 32]))), Action::AddDevice(device(9)));
	let old = log.event(1, set.clone());
	let taken = sign(old.clone(), 1, None);
	log.take(taken.clone()).unwrap();
	for new in [2, 3] {
		log.add(1, new).unwrap();
		log.revoke(1, new).unwrap();
	}
	let (set, add) = (sign(log.event(1, set), 1, None), sign(log.event(1, add), 1, Some(9)));
	assert_eq!(log.judge(&SignedEvent { event: set.event.clone(), ..taken }), Err(Refusal::BadSignature));
	// both parts of the place are signed, each for itself
	let elsewhere = |event: &Event| {
		let (index, previous) = (old.index, old.previous);
		[
			Event { index, previous, ..event.clone() },
			Event { index, ..event.clone() },
			Event { previous, ..event.clone() },
		]
	};
	for before in elsewhere(&set.event) {
		let signature = sign(before, 1, None).signature;
		assert_eq!(log.judge(&SignedEvent { signature, ..set.clone() }), Err(Refusal::BadSignature));
	}
	// the author signs for the new place, and the device that comes in accepted for the old one
	for before in elsewhere(&add.event) {
		let acceptance = sign(before, 1, Some(9)).acceptance;
		assert_eq!(log.judge(&SignedEvent { acceptance, ..add.clone() }), Err(Refusal::BadAcceptance));
	}
	assert!(log.judge(&set).is_ok() && log.judge(&add).is_ok(), "in their own place both are good");
}

#[test]
fn an_event_of_another_chain_or_identity_is_refused() {
	let mut log = Log::new();
	let signed = sign(log.event(1, Action::AddDevice(device(2))), 1, Some(2));
	let elsewhere = GenesisHash([0x12; 32]);
	let place = Place { genesis: &elsewhere, identity: &log.id, block: 11, window: WINDOW };
	let verdict = judge(&place, &log.state, &signed, |_| false, verify);
	assert_eq!(verdict, Err(Refusal::BadAcceptance));
	let event = log.event(1, Action::SetOperator(Some(OperatorId([7; 32]))));
	let plain = sign(event.clone(), 1, None);
	assert_eq!(judge(&place, &log.state, &plain, |_| false, verify), Err(Refusal::BadSignature));
	let other = IdentityId([9; 32]);
	assert_eq!(log.judge(&sign(Event { identity: other, ..event }, 1, None)), Err(Refusal::UnknownIdentity));
	log.take(plain).unwrap();
}

#[test]
fn the_first_event_makes_the_id_and_comes_once() {
	let log = Log::new();
	let place = Place { genesis: &GENESIS, identity: &log.id, block: 10, window: WINDOW };
	let first = &log.events[0];
	let inception = |signed: &SignedEvent| judge_inception(&place, signed, |_| false, verify);
	assert!(inception(first).is_ok());
	assert_eq!(judge_inception(&place, first, |_| true, verify), Err(Refusal::KeyUsed));
	// it cannot be repeated, and another cannot come first
	let again = sign(log.event(1, first.event.action.clone()), 1, None);
	assert_eq!(log.judge(&again), Err(Refusal::BadInception));
	let missing = sign(log.event(1, Action::Close), 1, None);
	assert_eq!(inception(&missing), Err(Refusal::BadInception));
	// another device in the place of the first
	let mut claimed = first.clone();
	claimed.event.action = Action::Incept { device: device(2), recovery: recovery(&[240]), operator: None };
	assert_eq!(inception(&sign(claimed.event, 2, None)), Err(Refusal::WrongId));
	let mut other_author = first.event.clone();
	other_author.author = key(2);
	assert_eq!(inception(&sign(other_author, 2, None)), Err(Refusal::NotAuthorised));
	assert_eq!(inception(&sign(first.event.clone(), 2, None)), Err(Refusal::BadSignature));
	assert_eq!(inception(&sign(first.event.clone(), 1, Some(1))), Err(Refusal::BadAcceptance));
	let twice = Event::incept(&GENESIS, device(1), recovery(&[240, 240]), None);
	let place_of = Place { identity: &twice.identity, ..place };
	let verdict = judge_inception(&place_of, &sign(twice.clone(), 1, None), |_| false, verify);
	assert_eq!(verdict, Err(Refusal::KeyUsed), "two recovery keys that are one");
	let moved = Event { previous: EntryHash([1; 32]), ..first.event.clone() };
	assert_eq!(inception(&sign(moved, 1, None)), Err(Refusal::BadPrevious));
	let late = Event { index: 1, ..first.event.clone() };
	assert_eq!(inception(&sign(late, 1, None)), Err(Refusal::BadSequence));
}

#[test]
fn nobody_authorises_itself() {
	let log = Log::new();
	// an outsider, with everything else right
	let outsider = sign(log.event(9, Action::AddDevice(device(8))), 9, Some(8));
	assert_eq!(log.judge(&outsider), Err(Refusal::NotAuthorised));
	let itself = sign(log.event(8, Action::AddDevice(device(8))), 8, Some(8));
	assert_eq!(log.judge(&itself), Err(Refusal::NotAuthorised));
	// in the name of a device
	let forged = sign(log.event(1, Action::AddDevice(device(8))), 9, Some(8));
	assert_eq!(log.judge(&forged), Err(Refusal::BadSignature));
	for action in [Action::SetOperator(None), Action::Close, Action::RevokeDevice(key(1))] {
		assert_eq!(log.judge(&sign(log.event(9, action.clone()), 9, None)), Err(Refusal::NotAuthorised));
	}
}

#[test]
fn a_key_that_comes_in_signs_and_comes_in_once() {
	let mut log = Log::new();
	let add = |log: &Log, accepting| sign(log.event(1, Action::AddDevice(device(2))), 1, accepting);
	assert_eq!(log.judge(&add(&log, None)), Err(Refusal::BadAcceptance));
	assert_eq!(log.judge(&add(&log, Some(3))), Err(Refusal::BadAcceptance));
	// one signature is not the other, also if both keys are one
	let good = add(&log, Some(2));
	let (event, accepted) = (good.event.signing_payload(&GENESIS), good.event.acceptance_payload(&GENESIS));
	assert_ne!(event, accepted);
	let by = |number: u8, text: &[u8]| EventSignature(secret(number).sign(text).to_bytes());
	assert_eq!(
		log.judge(&SignedEvent { acceptance: Some(by(2, &event)), ..good.clone() }),
		Err(Refusal::BadAcceptance)
	);
	assert_eq!(log.judge(&SignedEvent { signature: by(1, &accepted), ..good }), Err(Refusal::BadSignature));
	log.take(add(&log, Some(2))).unwrap();
	assert_eq!(log.add(1, 2), Err(Refusal::KeyUsed));
	log.revoke(1, 2).unwrap();
	assert_eq!(log.add(1, 2), Err(Refusal::KeyUsed), "also when it is gone");
	let same = Action::AddDevice(NewDevice { key: key(3), next: key(3).commitment() });
	assert_eq!(log.judge(&sign(log.event(1, same), 1, Some(3))), Err(Refusal::KeyUsed));
	// nor does one come in by rotation or recovery
	let to_used = Action::AddDevice(NewDevice { key: key(4), next: key(2).commitment() });
	log.take(sign(log.event(1, to_used), 1, Some(4))).unwrap();
	let rotation = Action::Rotate { replaces: key(4), next: key(5).commitment() };
	assert_eq!(log.act(2, rotation), Err(Refusal::KeyUsed));
	assert_eq!(log.recover(240, 0, log.length(), 2, &[250]), Err(Refusal::KeyUsed));
	let accepted = sign(log.event(1, Action::SetOperator(None)), 1, Some(1));
	assert_eq!(log.judge(&accepted), Err(Refusal::BadAcceptance), "nobody was to accept");
}

#[test]
fn a_revoked_device_signs_nothing_and_takes_those_along_that_it_added() {
	let mut log = Log::new();
	log.add(1, 2).unwrap();
	log.add(2, 3).unwrap();
	log.add(3, 4).unwrap();
	log.add(1, 5).unwrap();
	// not those before it, and not those beside it
	for (author, gone) in [(2, 1), (4, 3), (5, 2), (2, 5)] {
		assert_eq!(log.revoke(author, gone), Err(Refusal::NotAdded), "{author} {gone}");
	}
	assert_eq!(log.revoke(1, 9), Err(Refusal::UnknownDevice));
	let change = log.revoke(1, 2).unwrap();
	assert_eq!(change.revoked, keys(&[2, 3, 4]));
	assert_eq!(log.devices(), keys(&[1, 5]));
	for gone in 2..=4 {
		assert_eq!(log.add(gone, 6), Err(Refusal::NotAuthorised));
		let rotation = log.rotate(gone);
		assert_eq!(rotation, Err(Refusal::UnknownDevice));
	}
	assert_eq!(log.revoke(5, 5).unwrap().revoked, keys(&[5]), "a device can go by itself");
	assert_eq!(log.revoke(1, 1), Err(Refusal::LastDevice));
}

#[test]
fn a_thief_of_the_current_key_cannot_rotate_the_owner_out() {
	let mut log = Log::new();
	// it has key 1, and makes a key of its own
	let stolen = Action::Rotate { replaces: key(1), next: key(50).commitment() };
	assert_eq!(log.act(1, stolen.clone()), Err(Refusal::NotAuthorised));
	assert_eq!(log.act(49, stolen.clone()), Err(Refusal::NotAuthorised));
	let forged = sign(log.event(101, stolen), 1, None);
	assert_eq!(log.judge(&forged), Err(Refusal::BadSignature));
	// the owner has the key that was committed to, and the old one is worth nothing from then on
	let change = log.rotate(1).unwrap();
	assert_eq!((change.added, change.revoked), (Some(key(101)), keys(&[1])));
	assert_eq!(log.add(1, 2), Err(Refusal::NotAuthorised));
	log.add(101, 2).unwrap();
	assert_eq!(log.rotate(101).map(|change| change.added), Ok(Some(key(201))));
	assert_eq!(log.devices(), keys(&[201, 2]), "a device keeps its place");
	log.revoke(201, 2).unwrap();
	let back = Action::Rotate { replaces: key(201), next: key(1).commitment() };
	assert_eq!(log.act(1, back), Err(Refusal::NotAuthorised));
}

#[test]
fn a_recovery_key_takes_back_what_a_thief_did() {
	let mut log = Log::new();
	log.add(1, 2).unwrap();
	let from = log.length();
	// the thief of key 1
	log.add(1, 66).unwrap();
	log.add(66, 67).unwrap();
	log.revoke(1, 2).unwrap();
	log.act(1, Action::SetOperator(Some(OperatorId([6; 32])))).unwrap();
	let change = log.recover_without(241, 1, from, 10, &[243], &[1]).unwrap();
	assert_eq!(change.overrides, Some(from));
	assert_eq!(log.devices(), keys(&[10]), "what was revoked stays so");
	assert_eq!(change.revoked, keys(&[67, 66, 1]));
	assert_eq!(log.state.operator, None);
	assert_eq!(log.state.recovery, recovery(&[240, 243]), "lower ranks are replaced, higher ones not");
	assert_eq!(log.events.len(), 7, "the overridden events are in the log");
	for thief in [1, 66, 67] {
		assert_eq!(log.add(thief, 68), Err(Refusal::NotAuthorised));
	}
	assert_eq!(log.recover(241, 1, log.length(), 11, &[244]), Err(Refusal::NotAuthorised), "it was used");
	log.add(10, 11).unwrap();
}

#[test]
fn a_recovery_reaches_back_for_a_window_and_no_further() {
	let mut log = Log::new();
	let (from, at) = (log.length(), log.block);
	log.add(1, 66).unwrap();
	log.add(1, 67).unwrap();
	log.block = at + WINDOW + 1;
	let mut late = log.clone();
	assert_eq!(late.recover(240, 0, from, 10, &[243]), Err(Refusal::TooLate));
	// the later event is one block younger
	assert_eq!(late.recover(240, 0, from + 1, 10, &[243]).unwrap().revoked, keys(&[67]));
	log.block = at + WINDOW;
	assert_eq!(log.recover(240, 0, from, 10, &[243]).unwrap().revoked, keys(&[67, 66]));
	assert_eq!(log.devices(), keys(&[1, 10]));
	// not the first event, and not what is not there
	assert_eq!(log.recover(243, 0, 0, 11, &[244]), Err(Refusal::TooLate));
	assert_eq!(log.recover(243, 0, log.length() + 1, 11, &[244]), Err(Refusal::TooLate));
	assert_eq!(log.recover(243, 0, u64::MAX, 11, &[244]), Err(Refusal::TooLate));
	// nothing but a device, with nothing overridden
	assert_eq!(log.recover(243, 0, log.length(), 11, &[244]).unwrap().overrides, None);
}

#[test]
fn a_higher_rank_overrides_a_lower_one_and_never_the_other_way() {
	let mut log = Log::new();
	let from = log.length();
	// somebody has found the key of rank 2
	log.recover_without(242, 2, from, 66, &[70], &[1]).unwrap();
	assert_eq!(log.recover(70, 2, from, 67, &[71]), Err(Refusal::Outranked));
	assert_eq!(log.recover(241, 1, from, 10, &[241, 242]), Err(Refusal::KeyUsed));
	let change = log.recover(241, 1, from, 10, &[243, 244]).unwrap();
	assert_eq!((change.overrides, change.revoked), (Some(from), keys(&[66])));
	assert_eq!(log.devices(), keys(&[10]));
	assert_eq!(log.recover(70, 2, log.length(), 67, &[71]), Err(Refusal::NotAuthorised), "its key was replaced");
	for (by, rank) in [(244, 2), (243, 1)] {
		assert_eq!(log.recover(by, rank, log.length() - 1, 11, &[245]), Err(Refusal::Outranked));
	}
	log.recover(240, 0, log.length() - 1, 12, &[250]).unwrap();
	assert_eq!(log.devices(), keys(&[12]));
	assert_eq!(log.state.recovery, recovery(&[250]));
	for rank in [1, 2, 3, 255] {
		assert_eq!(log.recover(243, rank, log.length(), 13, &[251]), Err(Refusal::NoSuchRank));
	}
}

#[test]
fn a_recovery_names_its_successor_and_as_many_keys_as_may_be() {
	let mut log = Log::new();
	assert_eq!(log.recover(240, 0, 1, 10, &[]), Err(Refusal::NoSuccessor));
	assert_eq!(log.recover(241, 1, 1, 10, &[1, 2, 3, 4]), Err(Refusal::TooMany));
	assert_eq!(log.recover(241, 1, 1, 10, &[250, 250]), Err(Refusal::KeyUsed));
	assert_eq!(log.recover(241, 1, 1, 10, &[240]), Err(Refusal::KeyUsed), "that of a higher rank");
	assert_eq!(log.recover(240, 0, 1, 240, &[250]), Err(Refusal::KeyUsed), "a recovery key is no device");
	assert_eq!(log.recover_without(240, 0, 1, 10, &[250], &[9]), Err(Refusal::UnknownDevice));
	assert_eq!(log.recover(1, 0, 1, 10, &[250]), Err(Refusal::NotAuthorised));
	log.recover(240, 0, 1, 10, &[250]).unwrap();
}

#[test]
fn an_identity_that_has_ended_takes_nothing_but_a_recovery_that_undoes_it() {
	let mut log = Log::new();
	log.add(1, 2).unwrap();
	assert_eq!(log.act(101, Action::Close), Err(Refusal::LastDevice));
	log.revoke(1, 2).unwrap();
	let closed = log.length();
	assert_eq!(log.act(1, Action::Close), Err(Refusal::NotAuthorised), "a thief of the current key cannot");
	log.act(101, Action::Close).unwrap();
	assert_eq!(log.add(1, 3), Err(Refusal::Closed));
	assert_eq!(log.act(1, Action::SetOperator(None)), Err(Refusal::Closed));
	assert_eq!(log.recover(240, 0, log.length(), 10, &[250]), Err(Refusal::Closed));
	log.recover(240, 0, closed, 10, &[250]).unwrap();
	assert!(!log.state.closed);
	log.add(10, 3).unwrap();
}

/// Events of a device, until it may have no more.
fn use_up(log: &mut Log, device: u8) -> usize {
	let operator = |number: usize| Action::SetOperator(Some(OperatorId([u8::try_from(number).unwrap(); 32])));
	let taken = (0..100).take_while(|number| log.act(device, operator(*number)).is_ok()).count();
	assert_eq!(log.act(device, operator(0)), Err(Refusal::TooSoon));
	taken
}

#[test]
fn a_thief_that_uses_up_the_rate_keeps_out_neither_recovery_nor_rotation_nor_an_older_device() {
	let mut log = Log::new();
	log.add(1, 2).unwrap();
	log.add(2, 3).unwrap();
	// the third device is stolen, then the second, then the first
	assert_eq!(use_up(&mut log, 3), RECENT_FOR_DEVICES - 4 - 2);
	let mut revoked = log.clone();
	revoked.revoke(1, 3).unwrap();
	log.act(2, Action::SetOperator(None)).unwrap();
	assert_eq!(use_up(&mut log, 2) + use_up(&mut log, 1), 3);
	log.rotate(1).unwrap();
	assert_eq!(log.rotate(101), Err(Refusal::TooSoon), "and not twice");
	assert_eq!(log.rotate(2), Err(Refusal::TooSoon));
	let mut recovered = log.clone();
	recovered.recover(240, 0, 1, 10, &[250]).unwrap();
	recovered.add(10, 12).unwrap();
	// with time there is room again
	log.block += WINDOW;
	log.add(101, 12).unwrap();
}

#[test]
fn recoveries_are_counted_also_when_they_are_overridden() {
	let mut log = Log::new();
	// each by a higher rank, which overrides the one before
	log.recover(242, 2, log.length(), 101, &[230]).unwrap();
	log.recover(241, 1, log.length() - 1, 102, &[231, 232]).unwrap();
	log.recover(240, 0, log.length() - 1, 103, &[233, 234, 235]).unwrap();
	assert_eq!((log.state.recoveries.len(), log.state.recent.len()), (3, 1));
	// a lower rank has its share of them and no more
	let mut used = 3;
	let mut by = 235;
	while log.recover(by, 2, log.length(), 150 + used, &[210 + used]).is_ok() {
		by = 210 + used;
		used += 1;
	}
	let used = usize::from(used);
	assert_eq!(log.recover(by, 2, log.length(), 190, &[191]), Err(Refusal::TooSoon));
	assert_eq!(used, limit_of_recoveries(2));
	assert_eq!(log.recover(234, 1, log.length(), 171, &[236, 237]).map(|_| ()), Ok(()));
	assert_eq!(log.state.recoveries.len(), used + 1);
	assert_eq!((limit_of_recoveries(0), limit_of_recoveries(255)), (MAX_RECOVERIES as usize, 0));
	assert!(RECENT_FOR_DEVICES + 1 + MAX_RECOVERIES as usize <= MAX_RECENT as usize, "there is room for all");
	log.block += WINDOW + 1;
	log.recover(233, 0, log.length(), 172, &[238]).unwrap();
	assert_eq!(log.state.recoveries.len(), 1);
}

#[test]
fn there_are_as_many_devices_as_may_be() {
	let mut log = Log::new();
	for new in 2..=u8::try_from(MAX_DEVICES).unwrap() {
		log.add(1, new).unwrap();
	}
	assert_eq!(log.add(1, 90), Err(Refusal::TooMany));
	assert_eq!(log.recover(240, 0, log.length(), 90, &[250]), Err(Refusal::TooMany));
	log.recover_without(240, 0, log.length(), 90, &[250], &[2]).unwrap();
	assert_eq!(log.devices().len(), MAX_DEVICES as usize);
}

#[test]
fn numbers_of_devices_and_of_events_do_not_go_around() {
	let mut log = Log::new();
	log.state.next_number = u32::MAX;
	assert_eq!(log.add(1, 2), Err(Refusal::TooMany));
	log.state.head.length = u64::MAX;
	assert_eq!(log.act(1, Action::SetOperator(None)), Err(Refusal::LogFull));
}

/// The log commits to signatures too: a reader of one with others has another log.
#[test]
fn another_signature_is_another_entry() {
	let mut log = Log::new();
	let mut twin = log.clone();
	let mut signed = sign(log.event(1, Action::SetOperator(None)), 1, None);
	log.take(signed.clone()).unwrap();
	signed.signature.0[0] ^= 1;
	let place = Place { genesis: &GENESIS, identity: &twin.id, block: twin.block, window: WINDOW };
	let any = judge(&place, &twin.state, &signed, |_| false, |_: &IdentityKey, _: &[u8], _: &EventSignature| true);
	twin.state = any.unwrap().state;
	assert_ne!(log.state.head.hash, twin.state.head.hash);
}

#[test]
fn no_event_is_longer_than_allowed() {
	let all = recovery(&[1, 2, 3, 4]);
	let revoked = Revoked::try_from((0..MAX_DEVICES as u8).map(key).collect::<Vec<_>>()).unwrap();
	let mut log = Log::new();
	let action = Action::Recover { rank: 0, from: u64::MAX, revoked, device: device(9), recovery: all };
	let signed = sign(log.event(1, action), 1, Some(9));
	assert!(signed.encoded_size() <= lockstep_primitives::identity::MAX_SIGNED_EVENT, "{}", signed.encoded_size());
	assert_eq!(log.take(signed), Err(Refusal::NotAuthorised));
}

/// A long log is read from its bytes alone, and comes to the state that the chain has.
#[test]
fn whoever_reads_the_log_comes_to_the_same_state() {
	let mut log = Log::new();
	log.add(1, 2).unwrap();
	log.rotate(2).unwrap();
	log.add(102, 3).unwrap();
	log.revoke(1, 102).unwrap();
	log.recover(241, 1, 3, 10, &[243]).unwrap();
	log.act(10, Action::SetOperator(Some(OperatorId([1; 32])))).unwrap();
	let (mut state, mut used, mut block) = (None::<IdentityState>, HashSet::new(), 10);
	for signed in &log.events {
		let place = Place { genesis: &GENESIS, identity: &log.id, block, window: WINDOW };
		let is_used = |key: &IdentityKey| used.contains(key);
		let change = match &state {
			None => judge_inception(&place, signed, is_used, verify),
			Some(state) => judge(&place, state, signed, is_used, verify),
		};
		let change = change.unwrap();
		used.extend(change.added);
		if state.is_some() {
			block += 1;
		}
		state = Some(change.state);
	}
	assert_eq!(state, Some(log.state));
}

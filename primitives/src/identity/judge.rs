//! What an event makes of an identity, or why nothing.

use super::{
	event::{Action, Event, NewDevice, RecoveryKeys, Revoked, SignedEvent},
	refusal::IdentityRefusal as Refusal,
	state::{Device, IdentityState, Recent, Undo, MAX_RECOVERIES},
};
use crate::{BlockNumber, EntryHash, EventSignature, GenesisHash, IdentityId, IdentityKey, LogHead, LogKind};
use alloc::vec::Vec;

/// Whether an Ed25519 signature verifies: key, text, signature. By ZIP 215, as the chain does: a stricter reader would take
/// some logs for forged that the chain has admitted.
pub trait Verify: Fn(&IdentityKey, &[u8], &EventSignature) -> bool {}
impl<F: Fn(&IdentityKey, &[u8], &EventSignature) -> bool> Verify for F {}

/// Where an event is to come into a log.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Place<'a> {
	/// The chain.
	pub genesis: &'a GenesisHash,
	/// Whose log it is.
	pub identity: &'a IdentityId,
	/// The block that carries the event.
	pub block: BlockNumber,
	/// For how many blocks an event can be overridden.
	pub window: BlockNumber,
}

/// What came of an event.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Change {
	/// The identity after it.
	pub state: IdentityState,
	/// The hash of the event in the log.
	pub hash: EntryHash,
	/// The device key that came in, for good.
	pub added: Option<IdentityKey>,
	/// Device keys that went, for good.
	pub revoked: Vec<IdentityKey>,
	/// The first event that it has overridden.
	pub overrides: Option<u64>,
}

/// Judges the first event of an identity. `is_used` says of a device key whether it ever had a place in any.
///
/// # Errors
/// [`Refusal`]; cheap checks come first.
pub fn judge_inception(
	place: &Place<'_>,
	signed: &SignedEvent,
	is_used: impl Fn(&IdentityKey) -> bool,
	verify: impl Verify,
) -> Result<Change, Refusal> {
	let SignedEvent { event, .. } = signed;
	let Action::Incept { device, recovery, operator } = &event.action else { return Err(Refusal::BadInception) };
	let empty = LogHead::empty(LogKind::Identity, place.genesis, &place.identity.0);
	if event.identity != *place.identity || event.action.identity(place.genesis) != *place.identity {
		return Err(Refusal::WrongId);
	}
	check_position(event, &empty)?;
	if event.author != device.key {
		return Err(Refusal::NotAuthorised);
	}
	check_new(device, &is_used)?;
	check_distinct(recovery)?;
	check_signatures(place, signed, verify)?;
	let mut state = IdentityState {
		head: empty,
		devices: Default::default(),
		next_number: 0,
		recovery: recovery.clone(),
		operator: *operator,
		closed: false,
		recent: Default::default(),
		recoveries: Default::default(),
	};
	state.admit(device, None, place.block).ok_or(Refusal::TooMany)?;
	let hash = append(&mut state, place, signed)?;
	Ok(Change { state, hash, added: Some(device.key), revoked: Vec::new(), overrides: None })
}

/// Judges the next event of an identity. `is_used` says of a device key whether it ever had a place in any.
///
/// # Errors
/// [`Refusal`]; cheap checks come first.
pub fn judge(
	place: &Place<'_>,
	state: &IdentityState,
	signed: &SignedEvent,
	is_used: impl Fn(&IdentityKey) -> bool,
	verify: impl Verify,
) -> Result<Change, Refusal> {
	let SignedEvent { event, .. } = signed;
	if event.identity != *place.identity {
		return Err(Refusal::UnknownIdentity);
	}
	check_position(event, &state.head)?;
	let mut next = state.clone();
	next.forget_older(place.block, place.window);
	let is_recovery = matches!(event.action, Action::Recover { .. });
	if state.closed && !is_recovery {
		return Err(Refusal::Closed);
	}
	let author = event.author;
	let outcome = match &event.action {
		Action::Incept { .. } => return Err(Refusal::BadInception),
		Action::AddDevice(device) => add(&mut next, place, &author, device, is_used)?,
		Action::RevokeDevice(key) => revoke(&mut next, &author, key)?,
		Action::Rotate { replaces, next: commitment } => {
			let device = NewDevice { key: author, next: *commitment };
			rotate(&mut next, place, replaces, &device, is_used)?
		}
		Action::Recover { rank, from, revoked, device, recovery } => {
			let wish = Recovery { rank: *rank, from: *from, revoked, device, recovery };
			recover(&mut next, place, &author, &wish, is_used)?
		}
		Action::SetOperator(operator) => {
			acting(&next, &author)?;
			let before = core::mem::replace(&mut next.operator, *operator);
			Outcome::of(Undo::Operator(before))
		}
		Action::Close => {
			let committed = |device: &&Device| device.next == author.commitment();
			let device = next.devices.iter().find(committed).ok_or(Refusal::NotAuthorised)?.number;
			check_rate(&next, device, 1)?;
			if next.devices.len() != 1 {
				return Err(Refusal::LastDevice);
			}
			next.closed = true;
			Outcome::of(Undo::Close)
		}
	};
	check_signatures(place, signed, verify)?;
	let recent = Recent { index: event.index, block: place.block, undo: outcome.undo };
	next.recent.try_push(recent).map_err(|_| Refusal::TooSoon)?;
	let hash = append(&mut next, place, signed)?;
	let Outcome { added, revoked, overrides, .. } = outcome;
	Ok(Change { state: next, hash, added, revoked, overrides })
}

/// What an action has done to the state.
struct Outcome {
	undo: Undo,
	added: Option<IdentityKey>,
	revoked: Vec<IdentityKey>,
	overrides: Option<u64>,
}

impl Outcome {
	fn of(undo: Undo) -> Self {
		Self { undo, added: None, revoked: Vec::new(), overrides: None }
	}
}

/// The number of the device that acts.
fn acting(state: &IdentityState, author: &IdentityKey) -> Result<u32, Refusal> {
	let device = state.device(author).ok_or(Refusal::NotAuthorised)?.number;
	check_rate(state, device, 0)?;
	Ok(device)
}

/// A device has so many recent events before it, and `more`.
fn check_rate(state: &IdentityState, device: u32, more: usize) -> Result<(), Refusal> {
	let limit = state.limit_of(device).ok_or(Refusal::NotAuthorised)?;
	if state.recent.len() >= limit.saturating_add(more) {
		return Err(Refusal::TooSoon);
	}
	Ok(())
}

/// From how many recoveries within the window on a recovery key of this rank can have no further one: two less for each
/// rank, so that lower ones cannot use up what higher ones need.
pub fn limit_of_recoveries(rank: u8) -> usize {
	usize::try_from(MAX_RECOVERIES).unwrap_or_default().saturating_sub(usize::from(rank).saturating_mul(2))
}

fn add(
	state: &mut IdentityState,
	place: &Place<'_>,
	author: &IdentityKey,
	device: &NewDevice,
	is_used: impl Fn(&IdentityKey) -> bool,
) -> Result<Outcome, Refusal> {
	let adder = acting(state, author)?;
	check_new(device, &is_used)?;
	let number = state.admit(device, Some(adder), place.block).ok_or(Refusal::TooMany)?;
	Ok(Outcome { added: Some(device.key), ..Outcome::of(Undo::Device(number)) })
}

fn revoke(state: &mut IdentityState, author: &IdentityKey, key: &IdentityKey) -> Result<Outcome, Refusal> {
	let author = acting(state, author)?;
	let device = state.device(key).ok_or(Refusal::UnknownDevice)?.number;
	if !state.descends(device, author) {
		return Err(Refusal::NotAdded);
	}
	let revoked = state.revoke(device);
	if state.devices.is_empty() {
		return Err(Refusal::LastDevice);
	}
	Ok(Outcome { revoked, ..Outcome::of(Undo::Nothing) })
}

fn rotate(
	state: &mut IdentityState,
	place: &Place<'_>,
	replaces: &IdentityKey,
	to: &NewDevice,
	is_used: impl Fn(&IdentityKey) -> bool,
) -> Result<Outcome, Refusal> {
	let device = state.device(replaces).ok_or(Refusal::UnknownDevice)?;
	if device.next != to.key.commitment() {
		return Err(Refusal::NotAuthorised);
	}
	check_rate(state, device.number, 1)?;
	check_new(to, &is_used)?;
	let device = state.devices.iter_mut().find(|device| device.key == *replaces).ok_or(Refusal::UnknownDevice)?;
	(device.key, device.next, device.since) = (to.key, to.next, place.block);
	let undo = Undo::Device(device.number);
	Ok(Outcome { added: Some(to.key), revoked: alloc::vec![*replaces], ..Outcome::of(undo) })
}

/// What a recovery asks for.
struct Recovery<'a> {
	rank: u8,
	from: u64,
	revoked: &'a Revoked,
	device: &'a NewDevice,
	recovery: &'a RecoveryKeys,
}

fn recover(
	state: &mut IdentityState,
	place: &Place<'_>,
	author: &IdentityKey,
	wish: &Recovery<'_>,
	is_used: impl Fn(&IdentityKey) -> bool,
) -> Result<Outcome, Refusal> {
	let rank = usize::from(wish.rank);
	let (higher, lower) = state.recovery.split_at_checked(rank).ok_or(Refusal::NoSuchRank)?;
	let commitment = lower.first().ok_or(Refusal::NoSuchRank)?;
	if *commitment != author.commitment() {
		return Err(Refusal::NotAuthorised);
	}
	if state.recoveries.len() >= limit_of_recoveries(wish.rank) {
		return Err(Refusal::TooSoon);
	}
	let successors = [higher, wish.recovery].concat();
	if wish.recovery.is_empty() {
		return Err(Refusal::NoSuccessor);
	}
	if wish.recovery.contains(commitment) || wish.device.key == *author {
		return Err(Refusal::KeyUsed);
	}
	let successors = RecoveryKeys::try_from(successors).map_err(|_| Refusal::TooMany)?;
	check_distinct(&successors)?;
	let overridden = overridden(state, wish)?;
	check_new(wish.device, &is_used)?;
	let mut numbers = Vec::new();
	for key in wish.revoked {
		numbers.push(state.device(key).ok_or(Refusal::UnknownDevice)?.number);
	}
	let mut revoked = Vec::new();
	for recent in overridden.iter().rev() {
		match &recent.undo {
			Undo::Nothing => {}
			Undo::Device(number) | Undo::Recovery { device: number, .. } => revoked.extend(state.revoke(*number)),
			Undo::Operator(operator) => state.operator = *operator,
			Undo::Close => state.closed = false,
		}
	}
	if state.closed {
		return Err(Refusal::Closed);
	}
	for number in numbers {
		revoked.extend(state.revoke(number));
	}
	state.recovery = successors;
	state.recoveries.try_push(place.block).map_err(|_| Refusal::TooSoon)?;
	let number = state.admit(wish.device, None, place.block).ok_or(Refusal::TooMany)?;
	let undo = Undo::Recovery { rank: wish.rank, device: number };
	let overrides = (!overridden.is_empty()).then_some(wish.from);
	Ok(Outcome { undo, added: Some(wish.device.key), revoked, overrides })
}

/// Takes out of the state the events that a recovery overrides.
fn overridden(state: &mut IdentityState, wish: &Recovery<'_>) -> Result<Vec<Recent>, Refusal> {
	if wish.from > state.head.length {
		return Err(Refusal::TooLate);
	}
	let at = state.recent.iter().position(|recent| recent.index >= wish.from).unwrap_or(state.recent.len());
	let overridden = state.recent.get(at..).unwrap_or_default().to_vec();
	// The named one is among them, unless nothing is to be overridden.
	if wish.from < state.head.length && overridden.first().is_none_or(|first| first.index != wish.from) {
		return Err(Refusal::TooLate);
	}
	let outranks = |recent: &Recent| match recent.undo {
		Undo::Recovery { rank, .. } => wish.rank < rank,
		_ => true,
	};
	if !overridden.iter().all(outranks) {
		return Err(Refusal::Outranked);
	}
	state.recent.truncate(at);
	Ok(overridden)
}

fn check_position(event: &Event, head: &LogHead) -> Result<(), Refusal> {
	if event.index != head.length {
		return Err(Refusal::BadSequence);
	}
	if event.previous != head.hash {
		return Err(Refusal::BadPrevious);
	}
	Ok(())
}

/// A device that comes in has a key that was never used, and another one to come.
fn check_new(device: &NewDevice, is_used: &impl Fn(&IdentityKey) -> bool) -> Result<(), Refusal> {
	if is_used(&device.key) || device.next == device.key.commitment() {
		return Err(Refusal::KeyUsed);
	}
	Ok(())
}

fn check_distinct(keys: &RecoveryKeys) -> Result<(), Refusal> {
	for (at, key) in keys.iter().enumerate() {
		if keys.iter().skip(at.saturating_add(1)).any(|other| other == key) {
			return Err(Refusal::KeyUsed);
		}
	}
	Ok(())
}

fn check_signatures(place: &Place<'_>, signed: &SignedEvent, verify: impl Verify) -> Result<(), Refusal> {
	let SignedEvent { event, signature, acceptance } = signed;
	match (event.action.accepting(), acceptance) {
		(None, None) => {}
		(Some(device), Some(acceptance)) => {
			if !verify(&device.key, &event.acceptance_payload(place.genesis), acceptance) {
				return Err(Refusal::BadAcceptance);
			}
		}
		_ => return Err(Refusal::BadAcceptance),
	}
	if !verify(&event.author, &event.signing_payload(place.genesis), signature) {
		return Err(Refusal::BadSignature);
	}
	Ok(())
}

fn append(state: &mut IdentityState, place: &Place<'_>, signed: &SignedEvent) -> Result<EntryHash, Refusal> {
	state.head = state.head.append(place.block, signed).ok_or(Refusal::LogFull)?;
	Ok(state.head.hash)
}

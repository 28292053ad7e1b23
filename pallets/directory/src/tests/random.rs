//! Random histories of identities: the state is consistent after each event, and what is taken, and what comes of it, is
//! what a plain model says, which keeps everything for ever and looks it up the long way.

use crate::mock::*;
use lockstep_primitives::{
	identity::{
		limit_of_recoveries, Action, IdentityRefusal, SignedEvent, MAX_DEVICES, MAX_RECOVERY_KEYS, RECENT_FOR_DEVICES,
	},
	IdentityId, OperatorId,
};
use std::collections::BTreeMap;

/// A small generator (SplitMix64): the same seed gives the same history.
struct Dice(u64);

impl Dice {
	fn next(&mut self) -> u64 {
		self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
		let mut z = self.0;
		z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
		z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
		z ^ (z >> 31)
	}

	fn below(&mut self, bound: usize) -> usize {
		(self.next() % bound.max(1) as u64) as usize
	}
}

/// A device that is or was.
#[derive(Clone)]
struct Device {
	key: u32,
	next: u32,
	adder: Option<usize>,
	there: bool,
}

/// What an event that was taken has done.
enum Effect {
	Revoked,
	Device(usize),
	Operator(Option<OperatorId>),
	Closed,
	Recovered(usize, usize),
}

struct Past {
	block: u32,
	effect: Effect,
	overridden: bool,
}

struct Model {
	id: IdentityId,
	devices: Vec<Device>,
	recovery: Vec<u32>,
	operator: Option<OperatorId>,
	closed: bool,
	/// All events after the first.
	past: Vec<Past>,
	/// The blocks of all recoveries.
	recoveries: Vec<u32>,
	keys: u32,
	taken: BTreeMap<&'static str, u32>,
	refused: BTreeMap<IdentityRefusal, u32>,
}

/// What somebody tries.
enum Try {
	Add { author: usize },
	Revoke { author: usize, gone: usize },
	Rotate { device: usize, stolen: bool },
	Recover { rank: usize, from: usize, gone: Vec<usize>, successors: usize },
	Operator { author: usize },
	Close { device: usize, stolen: bool },
}

impl Model {
	fn new() -> Self {
		let first = inception(1, 2, &[3, 4, 5]);
		register(&first).expect("it is registered");
		Self {
			id: first.event.identity,
			devices: vec![Device { key: 1, next: 2, adder: None, there: true }],
			recovery: vec![3, 4, 5],
			operator: None,
			closed: false,
			past: Vec::new(),
			recoveries: Vec::new(),
			keys: 5,
			taken: BTreeMap::new(),
			refused: BTreeMap::new(),
		}
	}

	fn fresh(&mut self) -> u32 {
		self.keys += 1;
		self.keys
	}

	fn there(&self) -> usize {
		self.devices.iter().filter(|device| device.there).count()
	}

	/// Whether `device` is `ancestor`, or goes back to it.
	fn goes_back_to(&self, device: usize, ancestor: usize) -> bool {
		device == ancestor || self.devices[device].adder.is_some_and(|adder| self.goes_back_to(adder, ancestor))
	}

	fn remove(&mut self, gone: usize) {
		for device in 0..self.devices.len() {
			if self.goes_back_to(device, gone) {
				self.devices[device].there = false;
			}
		}
	}

	/// Events that could still be overridden now.
	fn recent(&self) -> usize {
		self.past.iter().filter(|past| !past.overridden && now() - past.block <= WINDOW).count()
	}

	/// Some histories are of few devices, and often closed.
	fn random(&self, dice: &mut Dice, few: bool) -> Try {
		if few && self.there() == 1 && dice.below(3) == 0 {
			return Try::Close { device: self.some_device(dice), stolen: false };
		}
		if self.closed && dice.below(2) == 0 {
			let from = self.past.len();
			return Try::Recover { rank: dice.below(self.recovery.len()), from, gone: Vec::new(), successors: 2 };
		}
		let any = dice.below(self.devices.len());
		let author = if dice.below(5) == 0 { any } else { self.some_device(dice) };
		match dice.below(20) {
			0..=6 if !few => Try::Add { author },
			0..=6 => Try::Operator { author },
			7..=10 => Try::Revoke { author, gone: dice.below(self.devices.len()) },
			11..=13 => Try::Rotate { device: author, stolen: dice.below(4) == 0 },
			14..=16 => Try::Recover {
				rank: dice.below(self.recovery.len() + 1),
				from: 1 + self.past.len().saturating_sub(dice.below(8)),
				gone: (0..dice.below(3)).map(|_| dice.below(self.devices.len())).collect(),
				successors: dice.below(4),
			},
			17..=18 => Try::Operator { author },
			_ => Try::Close { device: author, stolen: dice.below(4) == 0 },
		}
	}

	fn some_device(&self, dice: &mut Dice) -> usize {
		let there: Vec<usize> = (0..self.devices.len()).filter(|device| self.devices[*device].there).collect();
		there.get(dice.below(there.len())).copied().unwrap_or_default()
	}

	/// Tries it on the chain and in the model.
	fn play(&mut self, attempt: Try) {
		match attempt {
			Try::Add { author } => {
				let (new, after) = (self.fresh(), self.fresh());
				let event = self.event(self.devices[author].key, Action::AddDevice(device(new, after)), Some(new));
				let good = self.may_act(author, 0) && self.there() < MAX_DEVICES as usize;
				if self.agree("add", &event, good) {
					self.devices.push(Device { key: new, next: after, adder: Some(author), there: true });
					self.happened(Effect::Device(self.devices.len() - 1));
				}
			}
			Try::Revoke { author, gone } => {
				let event =
					self.event(self.devices[author].key, Action::RevokeDevice(key(self.devices[gone].key)), None);
				let left = (0..self.devices.len())
					.filter(|device| self.devices[*device].there && !self.goes_back_to(*device, gone))
					.count();
				let good =
					self.may_act(author, 0) && self.devices[gone].there && self.goes_back_to(gone, author) && left > 0;
				if self.agree("revoke", &event, good) {
					self.remove(gone);
					self.happened(Effect::Revoked);
				}
			}
			Try::Rotate { device, stolen } => {
				let after = self.fresh();
				let Device { key: old, next: to, .. } = self.devices[device];
				let author = if stolen { old } else { to };
				let action = Action::Rotate { replaces: key(old), next: key(after).commitment() };
				let event = self.event(author, action, None);
				let good = !stolen && self.may_act(device, 1);
				if self.agree("rotate", &event, good) {
					(self.devices[device].key, self.devices[device].next) = (to, after);
					self.happened(Effect::Device(device));
				}
			}
			Try::Recover { rank, from, gone, successors } => self.play_recovery(rank, from, &gone, successors),
			Try::Operator { author } => {
				let operator = Some(OperatorId([self.past.len() as u8; 32]));
				let event = self.event(self.devices[author].key, Action::SetOperator(operator), None);
				if self.agree("operator", &event, self.may_act(author, 0)) {
					let before = std::mem::replace(&mut self.operator, operator);
					self.happened(Effect::Operator(before));
				}
			}
			Try::Close { device, stolen } => {
				let Device { key: old, next: to, .. } = self.devices[device];
				let event = self.event(if stolen { old } else { to }, Action::Close, None);
				let good = !stolen && self.may_act(device, 1) && self.there() == 1;
				if self.agree("close", &event, good) {
					self.closed = true;
					self.happened(Effect::Closed);
				}
			}
		}
	}

	fn play_recovery(&mut self, rank: usize, from: usize, gone: &[usize], successors: usize) {
		let (new, after) = (self.fresh(), self.fresh());
		let successors: Vec<u32> = (0..successors).map(|_| self.fresh()).collect();
		let by = self.recovery.get(rank).copied().unwrap_or(1);
		let keys: Vec<u32> = gone.iter().map(|device| self.devices[*device].key).collect();
		let action = Action::Recover {
			rank: rank as u8,
			from: from as u64,
			revoked: revoked(&keys),
			device: device(new, after),
			recovery: recovery(&successors),
		};
		let event = self.event(by, action, Some(new));
		// Event n is past number n - 1.
		let overridden: Vec<usize> = (from - 1..self.past.len()).filter(|at| !self.past[*at].overridden).collect();
		let named = from > self.past.len() || overridden.first() == Some(&(from - 1));
		let in_time = overridden.iter().all(|at| now() - self.past[*at].block <= WINDOW);
		let outranks = overridden.iter().all(|at| match self.past[*at].effect {
			Effect::Recovered(other, _) => rank < other,
			_ => true,
		});
		let opens = overridden.iter().any(|at| matches!(self.past[*at].effect, Effect::Closed));
		let taken_back: Vec<usize> = overridden
			.iter()
			.filter_map(|at| match self.past[*at].effect {
				Effect::Device(device) | Effect::Recovered(_, device) => Some(device),
				_ => None,
			})
			.chain(gone.iter().copied())
			.collect();
		let left = (0..self.devices.len())
			.filter(|device| self.devices[*device].there)
			.filter(|device| !taken_back.iter().any(|gone| self.goes_back_to(*device, *gone)))
			.count();
		let good = rank < self.recovery.len()
			&& !successors.is_empty()
			&& rank + successors.len() <= MAX_RECOVERY_KEYS as usize
			&& named && in_time
			&& outranks
			&& (opens || !self.closed)
			&& gone.iter().all(|device| self.devices[*device].there)
			&& left < MAX_DEVICES as usize
			&& self.recoveries.iter().filter(|block| now() - **block <= WINDOW).count()
				< limit_of_recoveries(rank as u8);
		if !self.agree("recover", &event, good) {
			return;
		}
		for at in overridden.into_iter().rev() {
			self.past[at].overridden = true;
			match self.past[at].effect {
				Effect::Operator(before) => self.operator = before,
				Effect::Closed => {
					self.closed = false;
					*self.taken.entry("reopen").or_default() += 1;
				}
				Effect::Recovered(..) => *self.taken.entry("override a recovery").or_default() += 1,
				_ => {}
			}
		}
		taken_back.into_iter().for_each(|device| self.remove(device));
		self.recovery.truncate(rank);
		self.recovery.extend(successors);
		self.devices.push(Device { key: new, next: after, adder: None, there: true });
		self.recoveries.push(now());
		self.happened(Effect::Recovered(rank, self.devices.len() - 1));
	}

	/// Whether a device may do anything at all; a rotation when it may do nothing else.
	fn may_act(&self, device: usize, more: usize) -> bool {
		let older = self.devices[..device].iter().filter(|other| other.there).count();
		self.devices[device].there && !self.closed && self.recent() + 2 * older < RECENT_FOR_DEVICES + more
	}

	fn event(&self, author: u32, action: Action, accepting: Option<u32>) -> SignedEvent {
		next(self.id, author, action, accepting)
	}

	fn happened(&mut self, effect: Effect) {
		self.past.push(Past { block: now(), effect, overridden: false });
	}

	/// The chain takes it if the model does; whether they do.
	fn agree(&mut self, what: &'static str, event: &SignedEvent, good: bool) -> bool {
		match record(event) {
			Ok(()) => {
				assert!(good, "the chain takes {event:?}");
				*self.taken.entry(what).or_default() += 1;
			}
			Err(refusal) => {
				assert!(!good, "the chain refuses {event:?}: {refusal}");
				*self.refused.entry(refusal).or_default() += 1;
			}
		}
		good
	}

	fn compare(&self) {
		let state = state(self.id);
		let devices: Vec<_> = state.devices.iter().map(|device| device.key).collect();
		let expected = self.devices.iter().filter(|device| device.there).map(|device| key(device.key));
		assert_eq!(devices, expected.collect::<Vec<_>>());
		assert_eq!(state.recovery, recovery(&self.recovery));
		assert_eq!((state.operator, state.closed), (self.operator, self.closed));
		assert_eq!(state.head.length, self.past.len() as u64 + 1);
		check();
	}
}

#[test]
fn random_histories_are_what_a_plain_model_says() {
	let (mut taken, mut refused) = (BTreeMap::new(), BTreeMap::new());
	for seed in 0..32 {
		new_test_ext().execute_with(|| {
			let mut dice = Dice(seed);
			let mut model = Model::new();
			let (few, slow) = (seed % 4 == 1, seed % 4 == 2);
			for _ in 0..250 {
				let attempt = model.random(&mut dice, few);
				model.play(attempt);
				model.compare();
				match dice.below(12) {
					0 if !slow => skip(1 + dice.below(WINDOW as usize) as u32),
					1..=4 => skip(1),
					_ => {}
				}
			}
			for (what, count) in model.taken {
				*taken.entry(what).or_insert(0) += count;
			}
			for (refusal, count) in model.refused {
				*refused.entry(refusal).or_insert(0) += count;
			}
		});
	}
	// The histories are worth something only if they get everywhere.
	for what in ["add", "revoke", "rotate", "recover", "operator", "close", "reopen", "override a recovery"] {
		assert!(taken.get(what).is_some_and(|count| *count >= 5), "{what}: {taken:?}");
	}
	for refusal in [
		IdentityRefusal::NotAuthorised,
		IdentityRefusal::NotAdded,
		IdentityRefusal::UnknownDevice,
		IdentityRefusal::LastDevice,
		IdentityRefusal::NoSuchRank,
		IdentityRefusal::NoSuccessor,
		IdentityRefusal::Outranked,
		IdentityRefusal::TooLate,
		IdentityRefusal::Closed,
		IdentityRefusal::TooSoon,
	] {
		assert!(refused.contains_key(&refusal), "{refusal:?}: {refused:?}");
	}
}

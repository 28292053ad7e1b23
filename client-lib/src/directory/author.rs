//! Events, made and signed.

use super::{
	keys::{DeviceKeys, DeviceOffer, Seed},
	History,
};
use lockstep_primitives::{
	identity::{Action, Event, RecoveryKeys, Revoked, SignedEvent},
	GenesisHash, IdentityId, IdentityKey, LogHead, OperatorId,
};

/// The first event of an identity, by its first device. The identity's id is in it: it is there before the chain knows it.
///
/// Without a recovery key, whoever loses this device loses what only it can do, and nothing that a thief does can be taken
/// back.
pub fn incept(
	genesis: &GenesisHash,
	device: &DeviceKeys,
	recovery: RecoveryKeys,
	operator: Option<OperatorId>,
) -> SignedEvent {
	sign(genesis, Event::incept(genesis, device.device(), recovery, operator), &device.current)
}

fn sign(genesis: &GenesisHash, event: Event, author: &Seed) -> SignedEvent {
	SignedEvent { signature: author.sign(&event.signing_payload(genesis)), event, acceptance: None }
}

/// Why a device does not accept an event.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AcceptError {
	/// It brings in another device, or none.
	#[error("the event does not bring in this device: let it be made from this device's code")]
	OtherDevice,
}

/// Accepts to be the device that an event brings in: the event can be recorded then. Whoever accepts should have looked at
/// whose identity it is.
///
/// # Errors
/// [`AcceptError`].
pub fn accept(genesis: &GenesisHash, signed: SignedEvent, device: &DeviceKeys) -> Result<SignedEvent, AcceptError> {
	if signed.event.action.accepting() != Some(&device.device()) {
		return Err(AcceptError::OtherDevice);
	}
	let acceptance = Some(device.current.sign(&signed.event.acceptance_payload(genesis)));
	Ok(SignedEvent { acceptance, ..signed })
}

/// What a recovery is to do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Recovery {
	/// Which of the recovery keys it is, the highest being 0.
	pub rank: u8,
	/// The first event that is overridden; `None` if none is to be.
	pub from: Option<u64>,
	/// Further devices that go.
	pub revoked: Revoked,
	/// The device that comes in, and has to accept.
	pub device: DeviceOffer,
	/// The recovery keys from this rank on from now on; at least one.
	pub recovery: RecoveryKeys,
}

/// Makes the next event of an identity. If another one comes first, the event is of no use: read the log, and make it anew.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Author {
	genesis: GenesisHash,
	identity: IdentityId,
	head: LogHead,
}

impl Author {
	/// After all events of this history.
	pub fn after(history: &History) -> Self {
		Self { genesis: history.genesis(), identity: history.identity(), head: history.head() }
	}

	/// A device adds another one, which has to [`accept`].
	pub fn add_device(&self, by: &DeviceKeys, offer: &DeviceOffer) -> SignedEvent {
		self.make(&by.current, Action::AddDevice(offer.0))
	}

	/// A device revokes itself, or one that it added, directly or not.
	pub fn revoke_device(&self, by: &DeviceKeys, key: IdentityKey) -> SignedEvent {
		self.make(&by.current, Action::RevokeDevice(key))
	}

	/// A device goes over from its keys to those that [`DeviceKeys::rotated`] has given.
	pub fn rotate(&self, from: &DeviceKeys, to: &DeviceKeys) -> SignedEvent {
		self.go_over(from.current.key(), to)
	}

	/// The device that has the key `replaces` goes over to these, to the first of which it has committed.
	pub(super) fn go_over(&self, replaces: IdentityKey, to: &DeviceKeys) -> SignedEvent {
		self.make(&to.current, Action::Rotate { replaces, next: to.next.commitment() })
	}

	/// A recovery key brings in a device, which has to [`accept`], and overrides what happened.
	pub fn recover(&self, by: &Seed, recovery: Recovery) -> SignedEvent {
		let Recovery { rank, from, revoked, device, recovery } = recovery;
		let from = from.unwrap_or(self.head.length);
		self.make(by, Action::Recover { rank, from, revoked, device: device.0, recovery })
	}

	/// A device says where the person is at home.
	pub fn set_operator(&self, by: &DeviceKeys, operator: Option<OperatorId>) -> SignedEvent {
		self.make(&by.current, Action::SetOperator(operator))
	}

	/// The only device ends the identity.
	pub fn close(&self, by: &DeviceKeys) -> SignedEvent {
		self.make(&by.next, Action::Close)
	}

	fn make(&self, author: &Seed, action: Action) -> SignedEvent {
		let LogHead { length: index, hash: previous } = self.head;
		let event = Event { identity: self.identity, index, previous, author: author.key(), action };
		sign(&self.genesis, event, author)
	}
}

#[cfg(test)]
mod tests {
	use super::*;
	use crate::directory::{IdentityRefusal, Recorded};
	use lockstep_verifier::HistoryError;

	const GENESIS: GenesisHash = GenesisHash([7; 32]);

	fn keys(number: u8) -> DeviceKeys {
		DeviceKeys { current: Seed::new([number; 32]), next: Seed::new([number + 100; 32]) }
	}

	fn recovery(numbers: &[u8]) -> RecoveryKeys {
		let keys: Vec<_> = numbers.iter().map(|number| Seed::new([*number; 32]).commitment()).collect();
		RecoveryKeys::try_from(keys).unwrap()
	}

	fn put(history: &mut History, event: SignedEvent) -> Result<(), HistoryError> {
		history.admit(Recorded { block: 5, event })
	}

	/// All that can be done is what the chain's rules let pass.
	#[test]
	fn events_keep_the_rules() {
		let first = incept(&GENESIS, &keys(1), recovery(&[201, 202]), None);
		let mut history = History::new(GENESIS, first.event.identity);
		put(&mut history, first).unwrap();
		let author = Author::after;

		let offered = author(&history).add_device(&keys(1), &DeviceOffer(keys(2).device()));
		let refused = put(&mut history, offered.clone());
		assert_eq!(refused, Err(HistoryError::Refused { index: 1, refusal: IdentityRefusal::BadAcceptance }));
		assert_eq!(accept(&GENESIS, offered.clone(), &keys(3)), Err(AcceptError::OtherDevice));
		put(&mut history, accept(&GENESIS, offered, &keys(2)).unwrap()).unwrap();

		let rotated = DeviceKeys { next: Seed::new([50; 32]), ..keys(2).rotated() };
		let event = author(&history).rotate(&keys(2), &rotated);
		put(&mut history, event).unwrap();
		assert!(history.newest().unwrap().device(&rotated.current.key()).is_some());
		let event = author(&history).set_operator(&rotated, Some(OperatorId([9; 32])));
		put(&mut history, event).unwrap();
		let event = author(&history).revoke_device(&keys(1), rotated.current.key());
		assert_eq!(accept(&GENESIS, event.clone(), &keys(2)), Err(AcceptError::OtherDevice));
		put(&mut history, event).unwrap();
		let event = author(&history).close(&keys(1));
		put(&mut history, event).unwrap();
		assert!(history.newest().unwrap().closed);

		let recovery = Recovery {
			rank: 0,
			from: Some(5),
			revoked: Default::default(),
			device: DeviceOffer(keys(4).device()),
			recovery: recovery(&[203]),
		};
		let event = author(&history).recover(&Seed::new([201; 32]), recovery);
		put(&mut history, accept(&GENESIS, event, &keys(4)).unwrap()).unwrap();
		let state = history.newest().unwrap();
		assert!(!state.closed);
		assert_eq!(
			state.devices.iter().map(|device| device.key).collect::<Vec<_>>(),
			[keys(1).current.key(), keys(4).current.key()]
		);
	}
}

//! Identities on the whole chain: from an extrinsic's bytes to what a node is told.

use super::chain::*;
use crate::{Balances, Directory, RuntimeCall, RuntimeHoldReason, UNIT};
use frame_support::traits::fungible::InspectHold;
use lockstep_primitives::{
	identity::{Action, Event, IdentityRefusal, NewDevice, RecoveryKeys, SignedEvent},
	EventSignature, GenesisHash, IdentityKey,
};
use sp_core::{ed25519, Pair};
use sp_runtime::transaction_validity::{InvalidTransaction, TransactionValidityError};

fn pair(number: u8) -> ed25519::Pair {
	ed25519::Pair::from_seed(&[number; 32])
}

fn key(number: u8) -> IdentityKey {
	IdentityKey(pair(number).public().0)
}

fn device(number: u8) -> NewDevice {
	NewDevice { key: key(number), next: key(number + 100).commitment() }
}

fn sign(genesis: &GenesisHash, event: Event, author: u8, accepting: Option<u8>) -> SignedEvent {
	let by = |number: u8, text: Vec<u8>| EventSignature(pair(number).sign(&text).0);
	SignedEvent {
		signature: by(author, event.signing_payload(genesis)),
		acceptance: accepting.map(|number| by(number, event.acceptance_payload(genesis))),
		event,
	}
}

fn register(event: &SignedEvent) -> (Name, RuntimeCall) {
	(Name::Eve, RuntimeCall::Directory(pallet_directory::Call::register { event: event.clone() }))
}

#[test]
fn a_sponsor_registers_and_devices_do_the_rest_without_an_account() {
	let mut chain = Chain::development();
	let genesis = GenesisHash(chain.genesis().0);
	let first = sign(&genesis, Event::incept(&genesis, device(1), RecoveryKeys::default(), None), 1, None);
	let id = first.event.identity;
	chain.block(&[register(&first)]);
	assert_eq!(chain.read(Directory::block_events), std::slice::from_ref(&first));
	assert_eq!(chain.read(Directory::identity_count), 1);
	let held = |chain: &mut Chain| {
		let reason = RuntimeHoldReason::Directory(pallet_directory::HoldReason::Identity);
		chain.read(|| Balances::balance_on_hold(&reason, &Name::Eve.to_account_id()))
	};
	assert_eq!(held(&mut chain), UNIT);

	let head = chain.read(|| Directory::identity(id)).expect("it is there").head;
	let (index, previous) = (head.length, head.hash);
	let event = Event { identity: id, index, previous, author: key(1), action: Action::AddDevice(device(2)) };
	let added = sign(&genesis, event, 1, Some(2));
	let issued = chain.read(Balances::total_issuance);
	// The same one twice in a block: one is recorded.
	let made = chain.include(&[added.to_extrinsic(), added.to_extrinsic()]);
	assert_eq!(made.results[0], Ok(Ok(())));
	let refused = InvalidTransaction::Custom(IdentityRefusal::BadSequence.code());
	assert_eq!(made.results[1], Err(TransactionValidityError::Invalid(refused)));
	assert_eq!(chain.read(Directory::block_events), [added]);
	let state = chain.read(|| Directory::identity(id)).expect("it is there");
	assert_eq!(state.devices.iter().map(|device| device.key).collect::<Vec<_>>(), [key(1), key(2)]);
	assert_eq!(chain.read(Balances::total_issuance), issued, "nobody paid");
	assert_eq!(held(&mut chain), UNIT);

	chain.block(&[]);
	assert_eq!(chain.read(Directory::block_events), []);
}

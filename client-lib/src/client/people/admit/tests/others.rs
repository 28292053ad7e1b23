//! What another device of the person commits.

use super::*;
use crate::mls::{Placed, Prepared, Welcomes};

/// Another device, without a client.
struct Other {
	key: IdentityKey,
	engine: Engine,
	store: Store,
}

impl Other {
	fn new(seed: [u8; 32]) -> Self {
		Self { key: key(seed), engine: engine(seed), store: store(&MemoryDisk::new()) }
	}

	/// Its KeyPackage, as it is claimed, and what it is called.
	fn package(&self) -> (ClaimedKeyPackage, Vec<u8>) {
		let overlay = self.store.overlay();
		let package = self.engine.key_package(&overlay).unwrap();
		overlay.commit().unwrap();
		let bytes = package.bytes.try_into().unwrap();
		(ClaimedKeyPackage { device: self.key, last_resort: false, bytes }, package.reference)
	}

	fn join(&self, welcomes: &Welcomes, reference: &[u8]) {
		let overlay = self.store.overlay();
		let envelope = welcomes.envelopes.iter().find(|envelope| envelope.key_package_ref == reference).unwrap();
		let letter = self.engine.open_envelope(&overlay, reference, &envelope.bytes).unwrap();
		let invitation = self.engine.open_letter(&letter, &welcomes.letter).unwrap();
		self.engine.join(&overlay, &invitation).unwrap();
		overlay.commit().unwrap();
	}

	/// What brings it back.
	fn asks_to_rejoin(&self, computer: &Computer) -> Vec<u8> {
		let overlay = self.store.overlay();
		let request = self.engine.rejoin_request(&overlay, &computer.group, &computer.cursor.head.hash).unwrap();
		overlay.commit().unwrap();
		request.bytes
	}

	/// Answers a request.
	fn readmits(&self, computer: &Computer, request: &[u8]) -> Intent {
		let overlay = self.store.overlay();
		self.engine.check_rejoin(&overlay, &computer.group, request, &computer.cursor.head.hash).unwrap().intent()
	}

	/// Commits all of this, which goes into the log; the computer has not read it.
	fn commits(&self, computer: &mut Computer, intents: &[Intent]) -> (GroupId, VerifiedEntry) {
		let batch = self.engine.build_commit(&self.store.overlay(), &computer.group, intents).unwrap();
		assert!(batch.placed.iter().all(|placed| *placed == Placed::Included), "{:?}", batch.placed);
		let prepared = batch.prepared.unwrap();
		let Append { parent, payload, next_key, endorsement, .. } = prepared.append();
		let entry = computer.extend(parent, payload, next_key, endorsement);
		let overlay = self.store.overlay();
		self.engine.merge_own(&overlay, &entry.1.header.hash, &prepared).unwrap();
		overlay.commit().unwrap();
		entry
	}
}

fn device(seed: [u8; 32]) -> MemberDevice {
	MemberDevice { identity: HexBytes(ANNA.0.to_vec()), key: HexBytes(key(seed).0.to_vec()) }
}

/// The phone and the tablet were brought in by the computer, which has a voucher left.
fn of_three() -> (Computer, Other, Other) {
	let mut computer = Computer::with_vouchers(2);
	computer.knows(&[(0, &[COMPUTER, PHONE, TABLET])], &[]);
	computer.pass(1);
	let (phone, tablet) = (Other::new(PHONE), Other::new(TABLET));
	let ((of_phone, to_phone), (of_tablet, to_tablet)) = (phone.package(), tablet.package());
	computer.answer(Ok(vec![of_phone, of_tablet]));
	let prepared: Prepared = computer.core.store.overlay().get(computer.group.as_bytes()).unwrap().unwrap();
	computer.win();
	let tip = *computer.core.groups.get(&computer.group).unwrap().gate.tip();
	let overlay = computer.core.store.overlay();
	let welcomes = computer.core.engine.welcomes(&overlay, &prepared, &tip.entry, tip.index).unwrap().unwrap();
	drop(overlay);
	phone.join(&welcomes, &to_phone);
	tablet.join(&welcomes, &to_tablet);
	computer.pass(1);
	assert_eq!((computer.devices(), computer.is_bound(), computer.left()), (3, false, 1));
	(computer, phone, tablet)
}

/// For who catches up, too.
#[test]
fn what_was_taken_out_in_one_of_several_entries_that_are_read_at_once_stays_out() {
	let (mut computer, phone, _) = of_three();
	let takes_out = Intent::RemoveDevices(vec![device(TABLET)]);
	let entries = [takes_out, Intent::Update].map(|intent| phone.commits(&mut computer, &[intent]));
	assert_eq!(computer.core.on_entries(&entries), 2, "in one write");
	computer.pass(2 * AGAIN);
	assert_eq!((computer.devices(), computer.claims.len(), computer.left(), computer.told().0), (2, 0, 1, 1));
	computer.reopen();
	computer.pass(2 * AGAIN);
	assert_eq!((computer.claims.len(), computer.left(), computer.told().0), (0, 1, 1));
}

/// How it ended for the computer, as it is told and as it is stored.
fn end(computer: &mut Computer) -> (Vec<GroupState>, GroupState) {
	let told = computer.events.iter().filter_map(|event| match event {
		Event::RemovedFromGroup { .. } => Some(GroupState::Removed),
		Event::Replaced { .. } => Some(GroupState::Replaced),
		_ => None,
	});
	let told = told.collect();
	computer.reopen();
	(told, computer.core.status(&computer.group).unwrap().state)
}

#[test]
fn who_is_taken_out_while_another_device_is_readmitted_was_removed() {
	let (mut computer, phone, tablet) = of_three();
	let request = tablet.asks_to_rejoin(&computer);
	let intents = [Intent::RemoveDevices(vec![device(COMPUTER)]), phone.readmits(&computer, &request)];
	let entry = phone.commits(&mut computer, &intents);
	computer.finalize(vec![entry]);
	assert_eq!(end(&mut computer), (vec![GroupState::Removed], GroupState::Removed));
}

#[test]
fn who_is_readmitted_elsewhere_was_replaced() {
	let (mut computer, phone, _) = of_three();
	// It has lost its state.
	let request = Other::new(COMPUTER).asks_to_rejoin(&computer);
	let intents = [phone.readmits(&computer, &request)];
	let entry = phone.commits(&mut computer, &intents);
	computer.finalize(vec![entry]);
	assert_eq!(end(&mut computer), (vec![GroupState::Replaced], GroupState::Replaced));
}

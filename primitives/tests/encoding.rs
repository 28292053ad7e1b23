//! An event has one encoding: bytes that say the same in another way are no event, neither alone nor in an extrinsic. So the
//! hash in the log is that of the bytes that were read, whoever encodes the event again.

use codec::Encode;
use lockstep_primitives::{
	identity::{Action, Event, NewDevice, RecoveryKeys, Revoked, SignedEvent},
	EntryHash, EventSignature, IdentityId, IdentityKey, KeyCommitment, OperatorId,
};

const DEVICE: NewDevice = NewDevice { key: IdentityKey([5; 32]), next: KeyCommitment([6; 32]) };

/// Where the fields of an action begin: after identity, index, previous, author and the kind of the action.
const FIELDS: usize = 32 + 8 + 32 + 32 + 1;

fn signed(action: Action) -> SignedEvent {
	let acceptance = action.accepting().map(|_| EventSignature([7; 64]));
	let (identity, previous, author) = (IdentityId([1; 32]), EntryHash([2; 32]), IdentityKey([3; 32]));
	let event = Event { identity, index: 0x0807_0605_0403_0201, previous, author, action };
	SignedEvent { event, signature: EventSignature([4; 64]), acceptance }
}

/// Events of all kinds, each with the lists in it: where the length stands, and what it is.
fn events() -> Vec<(SignedEvent, Vec<(usize, u32)>)> {
	let recovery: RecoveryKeys = vec![KeyCommitment([8; 32]); 2].try_into().unwrap();
	let revoked: Revoked = vec![IdentityKey([9; 32]); 3].try_into().unwrap();
	let incept = |operator| Action::Incept { device: DEVICE, recovery: recovery.clone(), operator };
	let recover = Action::Recover { rank: 1, from: 2, revoked, device: DEVICE, recovery: recovery.clone() };
	let behind_revoked = 1 + 8 + 1 + 3 * 32 + 64;
	let operator = Some(OperatorId([10; 32]));
	vec![
		(signed(incept(None)), vec![(FIELDS + 64, 2)]),
		(signed(incept(operator)), vec![(FIELDS + 64, 2)]),
		(signed(Action::AddDevice(DEVICE)), vec![]),
		(signed(Action::RevokeDevice(DEVICE.key)), vec![]),
		(signed(Action::Rotate { replaces: DEVICE.key, next: DEVICE.next }), vec![]),
		(signed(recover), vec![(FIELDS + 1 + 8, 3), (FIELDS + behind_revoked, 2)]),
		(signed(Action::SetOperator(None)), vec![]),
		(signed(Action::SetOperator(operator)), vec![]),
		(signed(Action::Close), vec![]),
	]
}

/// A length in two, four and five bytes. Less than 64 takes one, and less than 16,384 takes two.
fn lengths(length: u32) -> [Vec<u8>; 3] {
	[(((length as u16) << 2) | 1).encode(), ((length << 2) | 2).encode(), (3u8, length).encode()]
}

/// The extrinsic that records the event, without its length, with these bytes in the place of the event.
fn content(signed: &SignedEvent, event: &[u8]) -> Vec<u8> {
	let extrinsic = signed.to_extrinsic();
	let head = &extrinsic[2..extrinsic.len() - signed.encoded_size()];
	[head, event].concat()
}

/// What is read of these bytes in the place of the event, alone and in the extrinsic.
fn read(signed: &SignedEvent, event: &[u8]) -> [Option<SignedEvent>; 2] {
	[SignedEvent::from_bytes(event), SignedEvent::from_extrinsic(&content(signed, event).encode())]
}

#[test]
fn an_event_has_one_encoding() {
	for (signed, lists) in events() {
		let bytes = signed.encode();
		assert_eq!(read(&signed, &bytes), [Some(signed.clone()), Some(signed.clone())]);
		assert_eq!(read(&signed, &[&bytes[..], &[0]].concat()), [None, None], "something comes after it");
		for cut in 0..bytes.len() {
			assert_eq!(read(&signed, &bytes[..cut]), [None, None], "cut at {cut}");
		}
		for (at, length) in lists {
			assert_eq!(u32::from(bytes[at]), length << 2, "there is a length");
			for longer in lengths(length) {
				let altered = [&bytes[..at], &longer, &bytes[at + 1..]].concat();
				assert_eq!(read(&signed, &altered), [None, None], "{longer:?} at {at}");
			}
		}
	}
}

#[test]
fn the_extrinsic_of_an_event_has_one_encoding() {
	for (signed, _) in events() {
		let (good, content) = (signed.to_extrinsic(), content(&signed, &signed.encode()));
		let [two, four, five] = lengths(content.len() as u32);
		assert_eq!([&two[..], &content].concat(), good);
		for longer in [four, five] {
			assert_eq!(SignedEvent::from_extrinsic(&[&longer[..], &content].concat()), None, "{longer:?}");
		}
		assert_eq!(SignedEvent::from_extrinsic(&[&good[..], &[0]].concat()), None, "something comes after it");
	}
}

/// Whatever bit is changed: what is an event then is written as it was read.
#[test]
fn what_is_read_is_written_alike() {
	for (signed, _) in events() {
		let good = signed.encode();
		for at in 0..good.len() {
			for bit in 0..8 {
				let mut bytes = good.clone();
				bytes[at] ^= 1 << bit;
				let [alone, recorded] = read(&signed, &bytes);
				assert_eq!(alone, recorded, "bit {bit} of byte {at}");
				if let Some(event) = alone {
					assert_eq!(event.encode(), bytes, "bit {bit} of byte {at}");
					assert_eq!(event.to_extrinsic(), content(&signed, &bytes).encode());
				}
			}
		}
	}
}

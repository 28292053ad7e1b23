//! Known answers for every byte string of this crate, in `vectors.json`, for implementations in other languages.
//!
//! The test makes the vectors anew and compares. After a deliberate change of the protocol, write the file with
//! `LOCKSTEP_WRITE_VECTORS=1 cargo test -p lockstep-primitives --test vectors`.

use ed25519_dalek::{Signer, SigningKey};
use lockstep_primitives::{
	admission, endorsement_payload,
	extrinsic::{release_payload, Append, Founding, SignedCall, SigningContext},
	identity::{judge, judge_inception, Action, Event, IdentityRefusal, IdentityState, NewDevice, Place, SignedEvent},
	key_package::{
		Claim, GateChange, KeyPackageBytes, KeyPackageRefusal, Publication, SignedGateChange, SignedPublication,
	},
	payload_hash, topic,
	voucher::{Payment, SignedVoucher, Voucher, VoucherKind, VoucherRefusal},
	Endorsement, EntryBody, EntryHash, EventSignature, GenesisHash, GroupId, IdentityId, IdentityKey, LogHead, LogKind,
	OrderingKey, Refusal, SponsorId, VoucherKey, VoucherSignature,
};
use serde_json::{json, Value};

const GENESIS: GenesisHash = GenesisHash([0x11; 32]);
const GROUP: GroupId = GroupId([0x22; 32]);

fn key(epoch: u8) -> SigningKey {
	SigningKey::from_bytes(&[epoch; 32])
}

fn public(epoch: u8) -> OrderingKey {
	OrderingKey(key(epoch).verifying_key().to_bytes())
}

fn endorse(signer: u8, parent: EntryHash, payload: &[u8], next: u8) -> EntryBody {
	let message = endorsement_payload(&GENESIS, &GROUP, &parent, &payload_hash(payload), &public(next));
	EntryBody {
		parent,
		payload_hash: payload_hash(payload),
		payload_len: payload.len() as u32,
		next_key: public(next),
		endorsement: Endorsement(key(signer).sign(&message).to_bytes()),
	}
}

fn hex(bytes: impl AsRef<[u8]>) -> String {
	format!("0x{}", hex::encode(bytes))
}

fn entry_vector(index: u64, block: u32, signer: u8, payload: &[u8], body: &EntryBody, head: &LogHead) -> Value {
	use codec::Encode;
	json!({
		"index": index,
		"block": block,
		"signing_seed": hex([signer; 32]),
		"payload": hex(payload),
		"payload_hash": hex(body.payload_hash),
		"parent": hex(body.parent),
		"next_key": hex(body.next_key),
		"endorsement_payload":
			hex(endorsement_payload(&GENESIS, &GROUP, &body.parent, &body.payload_hash, &body.next_key)),
		"endorsement": hex(body.endorsement),
		"body": hex(body.encode()),
		"entry_hash": hex(head.hash),
	})
}

fn log_vectors() -> Value {
	let empty = LogHead::empty(LogKind::Group, &GENESIS, &GROUP.0);
	let created = endorse(0, empty.hash, &[], 0);
	let first = empty.append(7, &created).expect("not full");
	let commit = b"a sealed commit bundle";
	let committed = endorse(0, first.hash, commit, 1);
	let second = first.append(9, &committed).expect("not full");
	let rival = b"a rival of it";
	let contested = endorse(0, first.hash, rival, 2);
	let third = second.append(29, &contested).expect("not full");
	json!({
		"genesis": hex(GENESIS),
		"group": hex(GROUP),
		"empty_heads": {
			"group": hex(empty.hash),
			"identity": hex(LogHead::empty(LogKind::Identity, &GENESIS, &GROUP.0).hash),
			"operator": hex(LogHead::empty(LogKind::Operator, &GENESIS, &GROUP.0).hash),
		},
		"entries": [
			entry_vector(0, 7, 0, &[], &created, &first),
			entry_vector(1, 9, 0, commit, &committed, &second),
			entry_vector(2, 29, 0, rival, &contested, &third),
		],
		"release_payload": hex(release_payload(&GENESIS, &GROUP, &third.hash)),
	})
}

fn extrinsic_vectors() -> Value {
	let parent = EntryHash([0x33; 32]);
	let payload = b"a sealed commit bundle".to_vec();
	let body = endorse(0, parent, &payload, 1);
	let append = Append { group: GROUP, parent, payload, next_key: body.next_key, endorsement: body.endorsement };
	let sponsor = SigningKey::from_bytes(&[0x44; 32]);
	let context =
		SigningContext { account: sponsor.verifying_key().to_bytes(), nonce: 5, spec_version: 1, genesis: GENESIS };
	let signed = |call: SignedCall| {
		let message = context.signing_payload(&call);
		json!({
			"signing_payload": hex(&message),
			"extrinsic": hex(context.to_extrinsic(&call, sponsor.sign(&message).to_bytes())),
		})
	};
	let created = endorse(0, LogHead::empty(LogKind::Group, &GENESIS, &GROUP.0).hash, &[], 0);
	json!({
		"append": hex(append.to_extrinsic()),
		"sponsor_seed": hex([0x44; 32]),
		"nonce": 5,
		"spec_version": 1,
		"create_group": signed(SignedCall::CreateGroup {
			group: GROUP,
			next_key: created.next_key,
			endorsement: created.endorsement,
		}),
		"close_group": signed(SignedCall::CloseGroup { group: GROUP, release: None }),
	})
}

/// A log of five events, the last of which overrides the second and third.
fn identity_vectors() -> Value {
	use codec::Encode;
	let named = |number: u8| IdentityKey(key(number).verifying_key().to_bytes());
	let device = |number: u8, next: u8| NewDevice { key: named(number), next: named(next).commitment() };
	let recovery = |number: u8| vec![named(number).commitment()].try_into().expect("there is room");
	let by = |number: u8, text: Vec<u8>| EventSignature(key(number).sign(&text).to_bytes());
	let sign = |event: Event, author: u8, accepting: Option<u8>| SignedEvent {
		signature: by(author, event.signing_payload(&GENESIS)),
		acceptance: accepting.map(|number| by(number, event.acceptance_payload(&GENESIS))),
		event,
	};
	let first = sign(Event::incept(&GENESIS, device(1, 2), recovery(9), None), 1, None);
	let identity = first.event.identity;
	let recover = |state: &IdentityState| Action::Recover {
		rank: 0,
		from: state.head.length - 2,
		revoked: Default::default(),
		device: device(7, 8),
		recovery: recovery(10),
	};
	let rotate = Action::Rotate { replaces: named(1), next: named(3).commitment() };
	let mut events = Vec::new();
	let mut state: Option<IdentityState> = None;
	for (block, number) in (5u32..).step_by(3).zip(0..5) {
		let place = Place { genesis: &GENESIS, identity: &identity, block, window: 100 };
		let signed = match &state {
			None => first.clone(),
			Some(state) => {
				let (author, action, accepting) = match number {
					1 => (2, rotate.clone(), None),
					2 => (2, Action::AddDevice(device(4, 5)), Some(4)),
					3 => (4, Action::SetOperator(Some([6; 32].into())), None),
					_ => (9, recover(state), Some(7)),
				};
				let LogHead { length: index, hash: previous } = state.head;
				sign(Event { identity, index, previous, author: named(author), action }, author, accepting)
			}
		};
		let any = |_: &IdentityKey, _: &[u8], _: &EventSignature| true;
		let change = match &state {
			None => judge_inception(&place, &signed, |_| false, any),
			Some(state) => judge(&place, state, &signed, |_| false, any),
		};
		let change = change.expect("it is good");
		events.push(json!({
			"block": block,
			"signing_payload": hex(signed.event.signing_payload(&GENESIS)),
			"body": hex(signed.encode()),
			"entry_hash": hex(change.hash),
			"state": hex(change.state.encode()),
		}));
		state = Some(change.state);
	}
	let refusals: Vec<_> = IdentityRefusal::ALL
		.into_iter()
		.map(|refusal| json!({ "code": refusal.code(), "message": refusal.to_string() }))
		.collect();
	json!({
		"identity": hex(identity),
		"window": 100,
		"commitment": { "key": hex(named(1)), "is": hex(named(1).commitment()) },
		"events": events,
		"refusals": refusals,
	})
}

fn voucher_vectors() -> Value {
	use codec::Encode;
	let (sponsor, holder) = (key(0x51), key(0x52));
	let voucher = Voucher {
		kind: VoucherKind::CreateGroup,
		key: VoucherKey(holder.verifying_key().to_bytes()),
		sponsor: SponsorId(sponsor.verifying_key().to_bytes()),
		expiry: 1_000_000,
	};
	let signature = VoucherSignature(sponsor.sign(&voucher.signing_payload(&GENESIS)).to_bytes());
	let next_key = public(0);
	let founding = Founding { group: GROUP, next_key, endorsement: Endorsement([0x66; 64]) };
	let spending = voucher.spending_payload(&GENESIS, &founding.order());
	let spent = VoucherSignature(holder.sign(&spending).to_bytes());
	let payment = Payment { voucher: SignedVoucher { voucher, signature }, spent };
	let refusals: Vec<_> = VoucherRefusal::ALL
		.into_iter()
		.map(|refusal| json!({ "code": refusal.code(), "name": refusal.name() }))
		.collect();
	json!({
		"sponsor_seed": hex([0x51; 32]),
		"holder_seed": hex([0x52; 32]),
		"voucher": hex(voucher.encode()),
		"signing_payload": hex(voucher.signing_payload(&GENESIS)),
		"signed_voucher": hex(payment.voucher.encode()),
		"order": hex(founding.order()),
		"spending_payload": hex(spending),
		"payment": hex(payment.encode()),
		"create_group_by_voucher": hex(founding.to_extrinsic(&payment)),
		"refusals": refusals,
	})
}

fn key_package_vectors() -> Value {
	use codec::Encode;
	let (device, gate, holder) = (key(0x61), key(0x62), key(0x52));
	let device_key = IdentityKey(device.verifying_key().to_bytes());
	let identity = IdentityId([0x33; 32]);
	let package = |byte| KeyPackageBytes::try_from(vec![byte; 3]).expect("it is short");
	let publication = Publication {
		identity,
		device: device_key,
		number: 7,
		replace: true,
		lapse: 1_000_000,
		packages: vec![package(1), package(2)].try_into().expect("they are few"),
		last_resort: Some(package(3)),
	};
	let payload = publication.signing_payload(&GENESIS);
	let signed = SignedPublication { signature: EventSignature(device.sign(&payload).to_bytes()), publication };
	let gate_key = IdentityKey(gate.verifying_key().to_bytes());
	let change = GateChange { identity, device: device_key, number: 8, gate: Some(gate_key) };
	let change_payload = change.signing_payload(&GENESIS);
	let changed = SignedGateChange { change, signature: EventSignature(device.sign(&change_payload).to_bytes()) };
	let voucher = VoucherKey(holder.verifying_key().to_bytes());
	let mut claim = Claim { target: identity, suites: vec![1, 3].try_into().expect("they are few"), gate: None };
	let shown = claim.gate_payload(&GENESIS, &voucher);
	claim.gate = Some(VoucherSignature(gate.sign(&shown).to_bytes()));
	let refusals: Vec<_> = KeyPackageRefusal::ALL
		.into_iter()
		.map(|refusal| json!({ "code": refusal.code(), "name": refusal.name() }))
		.collect();
	json!({
		"device_seed": hex([0x61; 32]),
		"gate_seed": hex([0x62; 32]),
		"publication": hex(signed.publication.encode()),
		"publication_payload": hex(payload),
		"publish": hex(signed.to_extrinsic()),
		"gate_change_payload": hex(change_payload),
		"set_gate": hex(changed.to_extrinsic()),
		"voucher": hex(voucher),
		"gate_payload": hex(shown),
		"order": hex(claim.order()),
		"refusals": refusals,
	})
}

fn vectors() -> Value {
	let admission: Vec<_> = [(100, 0, 20), (100, 1, 20), (100, 2, 20), (100, 5, 20), (100, 40, 20)]
		.into_iter()
		.map(|(last_child_at, children, interval)| {
			json!({
				"last_child_at": last_child_at,
				"children": children,
				"interval": interval,
				"next_candidate_at": admission::next_candidate_at(last_child_at, children, interval),
			})
		})
		.collect();
	let refusals: Vec<_> =
		Refusal::ALL.into_iter().map(|refusal| json!({ "code": refusal.code(), "name": refusal.name() })).collect();
	json!({
		"log": log_vectors(),
		"extrinsics": extrinsic_vectors(),
		"identities": identity_vectors(),
		"topics": {
			"group": hex(topic::group_topic(&GROUP)),
			"mailbox": hex(topic::mailbox_topic(&[0x55; 32])),
			"letter": hex(topic::letter_topic(&[0x77; 16], &topic::letter_hash(&[0x66; 100]))),
		},
		"admission": admission,
		"vouchers": voucher_vectors(),
		"key_packages": key_package_vectors(),
		"refusals": refusals,
	})
}

#[test]
fn vectors_are_as_published() {
	let path = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/vectors.json");
	let made = serde_json::to_string_pretty(&vectors()).expect("plain JSON") + "\n";
	if std::env::var_os("LOCKSTEP_WRITE_VECTORS").is_some() {
		std::fs::write(path, &made).expect("the file can be written");
	}
	let published = std::fs::read_to_string(path).expect("tests/vectors.json is there");
	assert_eq!(made, published, "the bytes of the protocol changed");
}

//! That the extrinsics which clients encode by hand are the ones this runtime decodes.

use crate::{Address, Runtime, RuntimeCall, Signature, UncheckedExtrinsic, VERSION};
use codec::{Decode, Encode};
use frame_support::{dispatch::GetDispatchInfo, traits::Authorize, weights::constants::WEIGHT_REF_TIME_PER_MILLIS};
use lockstep_primitives::{
	extrinsic::{is_publication, is_purchase, Append, Founding, SignedCall, SigningContext, TRANSACTION_VERSION},
	identity::{Event, NewDevice, SignedEvent},
	key_package::{Claim, GateChange, KeyPackageBytes, Publication, SignedGateChange, SignedPublication},
	voucher::{Payment, SignedVoucher, Voucher, VoucherKind},
	Endorsement, EntryHash, EventSignature, GenesisHash, GroupId, IdentityId, IdentityKey, KeyCommitment, OperatorId,
	OrderingKey, SponsorId, VoucherKey, VoucherSignature,
};
use sp_core::Pair;
use sp_io::hashing::blake2_256;
use sp_runtime::{generic::Preamble, traits::TransactionExtension};

fn append() -> Append {
	Append {
		group: GroupId([1; 32]),
		parent: EntryHash([2; 32]),
		payload: vec![3; 300],
		next_key: OrderingKey([4; 32]),
		endorsement: Endorsement([5; 64]),
	}
}

fn inception(genesis: &GenesisHash, device: &sp_core::ed25519::Pair) -> SignedEvent {
	let key = IdentityKey(device.public().0);
	let recovery = (0..4).map(|number| KeyCommitment([number; 32])).collect::<Vec<_>>();
	let device_of = NewDevice { key, next: KeyCommitment([8; 32]) };
	let event =
		Event::incept(genesis, device_of, recovery.try_into().expect("there is room"), Some(OperatorId([9; 32])));
	let signature = EventSignature(device.sign(&event.signing_payload(genesis)).0);
	SignedEvent { event, signature, acceptance: None }
}

#[test]
fn record_is_decoded_as_a_general_transaction() {
	let event = inception(&GenesisHash([9; 32]), &sp_core::ed25519::Pair::from_seed(&[7; 32]));
	let decoded = UncheckedExtrinsic::decode(&mut &event.to_extrinsic()[..]).expect("decodes");
	assert!(matches!(decoded.preamble, Preamble::General(..)));
	let call = RuntimeCall::Directory(pallet_directory::Call::record { event: event.clone() });
	assert_eq!(decoded.function, call);
	assert_eq!(decoded.encode(), event.to_extrinsic());
	assert_eq!(SignedEvent::from_extrinsic(&event.to_extrinsic()), Some(event));
}

/// The hash in the log is that of the event's encoding: there is no other one, in any extrinsic that carries an event.
#[test]
fn an_event_has_one_encoding_in_extrinsics() {
	let event = inception(&GenesisHash([9; 32]), &sp_core::ed25519::Pair::from_seed(&[7; 32]));
	let (kind, key, sponsor) = (VoucherKind::Register, VoucherKey([1; 32]), SponsorId([2; 32]));
	let voucher = Voucher { kind, key, sponsor, expiry: 3 };
	let voucher = SignedVoucher { voucher, signature: VoucherSignature([3; 64]) };
	let publication = Publication {
		identity: event.event.identity,
		device: event.event.author,
		number: 0,
		replace: true,
		lapse: 9,
		packages: Default::default(),
		last_resort: None,
	};
	let signed = SignedPublication { publication, signature: EventSignature([6; 64]) };
	let extrinsics = [
		event.to_extrinsic(),
		event.to_registration(&Payment { voucher, spent: VoucherSignature([4; 64]) }),
		signed.to_extrinsic_with(&event),
	];
	// Behind what makes it a general transaction, pallet, call, identity, index, previous, author, kind and device.
	const RECOVERY_KEYS: usize = 6 + 2 + 32 + 8 + 32 + 32 + 1 + 64;
	for extrinsic in extrinsics {
		// The length of the whole takes two bytes.
		let content = &extrinsic[2..];
		let decoded = |content: &[u8]| {
			let extrinsic = UncheckedExtrinsic::decode(&mut &content.encode()[..]);
			extrinsic.map(|extrinsic| extrinsic.function.encode())
		};
		assert_eq!(decoded(content), Ok(content[6..].to_vec()));
		assert!(decoded(&[content, &[0]].concat()).is_err(), "something comes after it");
		assert_eq!(content[RECOVERY_KEYS], 4 << 2, "there is a length");
		// In two, four and five bytes.
		for longer in [vec![(4u8 << 2) | 1, 0], vec![(4 << 2) | 2, 0, 0, 0], vec![3, 4, 0, 0, 0]] {
			let altered = [&content[..RECOVERY_KEYS], &longer, &content[RECOVERY_KEYS + 1..]].concat();
			assert!(decoded(&altered).is_err(), "{longer:?}");
		}
	}
}

#[test]
fn purchases_are_decoded_as_general_transactions() {
	let device = sp_core::ed25519::Pair::from_seed(&[7; 32]);
	let voucher = Voucher {
		kind: VoucherKind::CreateGroup,
		key: VoucherKey([1; 32]),
		sponsor: SponsorId([2; 32]),
		expiry: 0x0403_0201,
	};
	let voucher = SignedVoucher { voucher, signature: VoucherSignature([3; 64]) };
	let payment = Payment { voucher, spent: VoucherSignature([4; 64]) };

	let event = inception(&GenesisHash([9; 32]), &device);
	let bytes = event.to_registration(&payment);
	let decoded = UncheckedExtrinsic::decode(&mut &bytes[..]).expect("decodes");
	assert!(matches!(decoded.preamble, Preamble::General(..)));
	let call = pallet_directory::Call::register_by_voucher { event, payment };
	assert_eq!(decoded.function, RuntimeCall::Directory(call));
	assert_eq!(decoded.encode(), bytes);
	assert!(is_purchase(&bytes) && !is_purchase(&append().to_extrinsic()) && !is_purchase(&bytes[1..]));

	let (group, next_key, endorsement) = (GroupId([1; 32]), OrderingKey([4; 32]), Endorsement([5; 64]));
	let bytes = Founding { group, next_key, endorsement }.to_extrinsic(&payment);
	let decoded = UncheckedExtrinsic::decode(&mut &bytes[..]).expect("decodes");
	let call = pallet_ordering::Call::create_group_by_voucher { group, next_key, endorsement, payment };
	assert_eq!(decoded.function, RuntimeCall::Ordering(call));
	assert_eq!(decoded.encode(), bytes);
	assert!(is_purchase(&bytes));

	let suites = vec![1, 3].try_into().expect("it is short");
	let claim = Claim { target: IdentityId([6; 32]), suites, gate: Some(VoucherSignature([5; 64])) };
	let bytes = claim.to_extrinsic(&payment);
	let decoded = UncheckedExtrinsic::decode(&mut &bytes[..]).expect("decodes");
	assert_eq!(decoded.function, RuntimeCall::KeyPackages(pallet_key_packages::Call::claim { claim, payment }));
	assert_eq!(decoded.encode(), bytes);
	assert!(is_purchase(&bytes) && !is_publication(&bytes));
}

#[test]
fn publications_are_decoded_as_general_transactions() {
	let (identity, device) = (IdentityId([1; 32]), IdentityKey([2; 32]));
	let package = |byte| KeyPackageBytes::try_from(vec![byte; 300]).expect("it is short");
	let publication = Publication {
		identity,
		device,
		number: 0x0403_0201,
		replace: true,
		lapse: 0x0807_0605,
		packages: vec![package(3), package(4)].try_into().expect("they are few"),
		last_resort: Some(package(5)),
	};
	let signed = SignedPublication { publication, signature: EventSignature([6; 64]) };
	let event = inception(&GenesisHash([9; 32]), &sp_core::ed25519::Pair::from_seed(&[7; 32]));
	let change = GateChange { identity, device, number: 7, gate: Some(IdentityKey([8; 32])) };
	let gate = SignedGateChange { change, signature: EventSignature([6; 64]) };
	let calls = [
		(signed.to_extrinsic(), pallet_key_packages::Call::publish { signed: signed.clone() }),
		(gate.to_extrinsic(), pallet_key_packages::Call::set_gate { signed: gate }),
		(
			signed.to_extrinsic_with(&event),
			pallet_key_packages::Call::record_and_publish { event: Box::new(event), signed },
		),
	];
	for (bytes, call) in calls {
		let decoded = UncheckedExtrinsic::decode(&mut &bytes[..]).expect("decodes");
		assert!(matches!(decoded.preamble, Preamble::General(..)));
		assert_eq!(decoded.function, RuntimeCall::KeyPackages(call));
		assert_eq!(decoded.encode(), bytes);
		assert!(is_publication(&bytes) && !is_purchase(&bytes));
	}
}

/// What a call costs in a block, with what it takes to authorise it.
fn cost(call: &RuntimeCall) -> frame_support::weights::Weight {
	call.get_dispatch_info().call_weight.saturating_add(call.weight_of_authorize())
}

#[test]
fn a_full_stock_is_published_in_fifty_milliseconds() {
	let package = KeyPackageBytes::try_from(vec![0; 512]).expect("it is short");
	let publication = Publication {
		identity: IdentityId([1; 32]),
		device: IdentityKey([2; 32]),
		number: 0,
		replace: true,
		lapse: 0,
		packages: vec![package; 100].try_into().expect("they are not too many"),
		last_resort: None,
	};
	let signed = SignedPublication { publication, signature: EventSignature([6; 64]) };
	let cost = cost(&RuntimeCall::KeyPackages(pallet_key_packages::Call::publish { signed }));
	assert!(cost.ref_time() < 50 * WEIGHT_REF_TIME_PER_MILLIS, "{cost:?}");
}

#[test]
fn append_is_decoded_as_a_general_transaction() {
	let append = append();
	let decoded = UncheckedExtrinsic::decode(&mut &append.to_extrinsic()[..]).expect("decodes");
	assert!(matches!(decoded.preamble, Preamble::General(..)));
	let RuntimeCall::Ordering(pallet_ordering::Call::append { group, parent, payload, next_key, endorsement }) =
		&decoded.function
	else {
		panic!("another call: {:?}", decoded.function);
	};
	assert_eq!(
		append,
		Append {
			group: *group,
			parent: *parent,
			payload: payload.clone(),
			next_key: *next_key,
			endorsement: *endorsement
		}
	);
	assert_eq!(decoded.encode(), append.to_extrinsic());
}

#[test]
fn signed_calls_are_decoded_and_their_signatures_hold() {
	let pair = sp_core::ed25519::Pair::from_seed(&[7; 32]);
	let genesis = GenesisHash([9; 32]);
	let context = SigningContext { account: pair.public().0, nonce: 3, spec_version: VERSION.spec_version, genesis };
	let calls = [
		SignedCall::CreateGroup {
			group: GroupId([1; 32]),
			next_key: OrderingKey([4; 32]),
			endorsement: Endorsement([5; 64]),
		},
		SignedCall::CloseGroup { group: GroupId([1; 32]), release: Some(Endorsement([5; 64])) },
		SignedCall::CloseGroup { group: GroupId([1; 32]), release: None },
		// longer than what is signed whole
		SignedCall::Register(Box::new(inception(&genesis, &pair))),
		SignedCall::Reclaim { identity: IdentityId([6; 32]) },
	];
	for call in calls {
		let payload = context.signing_payload(&call);
		let extrinsic = context.to_extrinsic(&call, pair.sign(&payload).0);
		let decoded = UncheckedExtrinsic::decode(&mut &extrinsic[..]).expect("decodes");
		assert_eq!(decoded.function.encode(), call.encode());
		let Preamble::Signed(Address::Id(account), Signature::Ed25519(signature), extension) = &decoded.preamble else {
			panic!("not signed by an account: {:?}", decoded.preamble);
		};
		assert_eq!(<[u8; 32]>::from(account.clone()), pair.public().0);
		// what the runtime puts under the signature, with the parts that it takes from the chain
		let implicit = (VERSION.spec_version, VERSION.transaction_version, genesis, genesis, None::<[u8; 32]>);
		let whole = (&decoded.function, extension, implicit).encode();
		assert_eq!(payload, if whole.len() > 256 { blake2_256(&whole).to_vec() } else { whole });
		assert!(sp_core::ed25519::Pair::verify(signature, &payload, &pair.public()));
	}
}

/// The calls that change the validators, as a program that does not link the runtime has to encode them.
#[test]
fn calls_that_change_the_validators_are_pinned() {
	let keys = crate::opaque::SessionKeys {
		aura: sp_core::sr25519::Public::from_raw([1; 32]).into(),
		grandpa: sp_core::ed25519::Public::from_raw([2; 32]).into(),
	};
	let set_keys = RuntimeCall::Session(pallet_session::Call::set_keys { keys, proof: vec![3; 128] });
	assert_eq!(set_keys.encode(), [&[12, 0][..], &[1; 32], &[2; 32], &[0x01, 0x02], &[3; 128]].concat());

	let validators = vec![[4; 32].into(), [5; 32].into()];
	let set_validators = RuntimeCall::Validators(pallet_validators::Call::set_validators { validators });
	let sudo = RuntimeCall::Sudo(pallet_sudo::Call::sudo { call: Box::new(set_validators) });
	assert_eq!(sudo.encode(), [&[6, 0, 11, 0, 2 << 2][..], &[4; 32], &[5; 32]].concat());
}

#[test]
fn versions_are_pinned() {
	assert_eq!(VERSION.transaction_version, TRANSACTION_VERSION);
	let extensions: Vec<_> = <crate::TxExtension as TransactionExtension<RuntimeCall>>::metadata()
		.into_iter()
		.map(|extension| extension.identifier)
		.collect();
	assert_eq!(
		extensions,
		[
			"AuthorizeCall",
			"CheckNonZeroSender",
			"CheckSpecVersion",
			"CheckTxVersion",
			"CheckGenesis",
			"CheckMortality",
			"CheckNonce",
			"CheckWeight",
			"ChargeTransactionPayment",
			"CheckMetadataHash",
			"WeightReclaim",
		]
	);
}

#[test]
fn the_largest_entry_fits_into_a_block() {
	let mut append = append();
	append.payload = vec![0; 64 * 1024];
	let extrinsic = UncheckedExtrinsic::decode(&mut &append.to_extrinsic()[..]).expect("decodes");
	let weights = <Runtime as frame_system::Config>::BlockWeights::get();
	let class = weights.get(frame_support::dispatch::DispatchClass::Normal);
	let info = extrinsic.function.get_dispatch_info();
	assert!(info.total_weight().all_lte(class.max_extrinsic.expect("a limit")));
}

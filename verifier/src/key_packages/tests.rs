use super::*;
use crate::{
	testing::{
		fuzz::PUBLISHER,
		identity::{device, identity_key, key_package, PersonLog},
		World,
	},
	GroupError,
};
use codec::Encode;
use lockstep_primitives::{
	identity::Action,
	key_package::{ClaimedKeyPackage, KeyPackageBytes},
	BlockNumber,
};
use std::vec;

const VOUCHER: VoucherKey = VoucherKey([3; 32]);

fn stock() -> Stock {
	let identity = PUBLISHER.0;
	let (last_resort, must_replace) = (Some(90), Some(7));
	Stock { identity, number: 3, first: 5, next: 9, last_resort, must_replace, allowed: 10, allowed_at: 6 }
}

/// A chain with a stock and a claim in its state.
fn chain(claimed: &Claimed) -> World {
	let (mut world, _) = World::small();
	world.set(layout::KEY_PACKAGES_STORAGE_VERSION, 1u16.encode());
	world.set(layout::stock_key(&PUBLISHER.1), stock().encode());
	world.set(layout::init_key_key(&PUBLISHER.0, &InitKey([1; 32])), (90u32, 2u32).encode());
	world.set(layout::gate_key(&PUBLISHER.0), IdentityKey([6; 32]).encode());
	// What the chain keeps behind it: the voucher's sponsor and last block, and the deposit.
	world.set(layout::claim_key(&VOUCHER), (claimed, [7u8; 32], 90u32, 1u128).encode());
	world.block();
	world
}

fn claimed(target: IdentityId, device: IdentityKey, block: BlockNumber, bytes: Vec<u8>) -> Claimed {
	let bytes = KeyPackageBytes::try_from(bytes).unwrap();
	let package = ClaimedKeyPackage { device, last_resort: false, bytes };
	Claimed { target, block, packages: vec![package].try_into().unwrap() }
}

#[test]
fn a_stock_and_a_claim_are_read_from_a_final_block() {
	let claim = claimed(PUBLISHER.0, PUBLISHER.1, 4, vec![1; 300]);
	let world = chain(&claim);
	let head = *world.followed().head();
	let (identity, device) = PUBLISHER;
	let (known, unknown) = (InitKey([1; 32]), InitKey([2; 32]));
	for (init_key, published) in [(Some(&known), Some(2)), (Some(&unknown), None), (None, None)] {
		let proof = world.state.prove(stock_keys(&identity, &device, init_key));
		let proven = prove_stock(&head, &proof, &identity, &device, init_key);
		let gate = Some(IdentityKey([6; 32]));
		assert_eq!(proven, Ok(ProvenStock { stock: Some(stock()), gate, published }));
		// What is there cannot be left out.
		for at in 0..proof.len() {
			let mut less = proof.clone();
			less.remove(at);
			let read = prove_stock(&head, &less, &identity, &device, init_key);
			assert!(matches!(read, Err(GroupError::ReadProof(_))));
		}
	}
	let (stranger, nobody) = (IdentityKey([9; 32]), IdentityId([9; 32]));
	let proof = world.state.prove(stock_keys(&nobody, &stranger, Some(&known)));
	let nothing = ProvenStock { stock: None, gate: None, published: None };
	assert_eq!(prove_stock(&head, &proof, &nobody, &stranger, Some(&known)), Ok(nothing));

	for (voucher, expected) in [(VOUCHER, Some(claim)), (VoucherKey([4; 32]), None)] {
		let proof = world.state.prove(claim_keys(&voucher));
		assert_eq!(prove_claim(&head, &proof, &voucher), Ok(expected));
	}
}

#[test]
fn an_unknown_layout_is_not_read() {
	let mut world = chain(&claimed(PUBLISHER.0, PUBLISHER.1, 4, vec![1; 300]));
	world.set(layout::KEY_PACKAGES_STORAGE_VERSION, 2u16.encode());
	world.block();
	let proof = world.state.prove(claim_keys(&VOUCHER));
	let read = prove_claim(world.followed().head(), &proof, &VOUCHER);
	assert!(matches!(read, Err(GroupError::Layout(_))), "{read:?}");
}

/// The validators have agreed on it, and still nobody is added by it.
#[test]
fn what_no_device_of_the_person_has_made_is_not_used() {
	let (world, _) = World::small();
	let mut log = PersonLog::new(world.genesis, 2);
	log.act(4, 1, Action::AddDevice(device(2, 102)), Some(2));
	log.act(6, 1, Action::RevokeDevice(identity_key(2)), None);
	log.act(8, 101, Action::Rotate { replaces: identity_key(1), next: identity_key(103).commitment() }, None);
	let (id, person) = (log.id, &log.history);
	let of = |number: u64, block| claimed(id, identity_key(number), block, key_package(&id, number));
	assert_eq!(check_claimed(&of(101, 8), person), Ok(of(101, 8)));
	// Claimed in good faith, also in the very block in which the device went, and of no use since.
	for (number, block) in [(1, 2), (1, 4), (1, 8), (2, 4), (2, 6)] {
		assert_eq!(check_claimed(&of(number, block), person), Err(ClaimedError::Gone), "{number} in {block}");
	}
	for (number, block) in [(2, 3), (2, 7), (3, 4), (1, 1), (1, 9), (101, 7)] {
		let refused = Err(ClaimedError::NoDevice(identity_key(number)));
		assert_eq!(check_claimed(&of(number, block), person), refused, "{number} in {block}");
	}
	let mut both = of(1, 8);
	both.packages.try_push(of(101, 8).packages.remove(0)).unwrap();
	assert_eq!(check_claimed(&both, person), Ok(of(101, 8)));
	both.packages.try_push(both.packages[0].clone()).unwrap();
	assert_eq!(check_claimed(&both, person), Err(ClaimedError::Twice(identity_key(1))));
	let other = IdentityId([9; 32]);
	let claim = Claimed { target: other, ..of(1, 4) };
	assert_eq!(check_claimed(&claim, person), Err(ClaimedError::OtherTarget { found: other, expected: id }));
	let refused = |bytes| match check_claimed(&claimed(id, identity_key(1), 4, bytes), person) {
		Err(ClaimedError::KeyPackage { refusal, .. }) => refusal,
		other => panic!("{other:?}"),
	};
	assert_eq!(refused(key_package(&other, 1)), KeyPackageRefusal::WrongCredential);
	assert_eq!(refused(key_package(&id, 2)), KeyPackageRefusal::WrongDevice);
	let mut forged = key_package(&id, 1);
	*forged.last_mut().unwrap() ^= 1;
	assert_eq!(refused(forged), KeyPackageRefusal::BadSignature);
}

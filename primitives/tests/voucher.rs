//! What a payment is worth, and each way to make it worth nothing.

use ed25519_dalek::{Signer, SigningKey, Verifier, VerifyingKey};
use lockstep_primitives::{
	identity::IdentityRefusal,
	voucher::{judge, Payment, SignedVoucher, Till, Voucher, VoucherKind, VoucherRefusal as Refusal},
	GenesisHash, Refusal as EntryRefusal, SponsorId, VoucherKey, VoucherSignature,
};

const GENESIS: GenesisHash = GenesisHash([7; 32]);
const ORDER: &[u8] = b"what is bought";

fn key(number: u8) -> SigningKey {
	SigningKey::from_bytes(&[number; 32])
}

fn voucher() -> Voucher {
	Voucher {
		kind: VoucherKind::Register,
		key: VoucherKey(key(1).verifying_key().to_bytes()),
		sponsor: SponsorId(key(2).verifying_key().to_bytes()),
		expiry: 150,
	}
}

fn pay(voucher: Voucher, genesis: &GenesisHash, order: &[u8]) -> Payment {
	let by = |number: u8, text: Vec<u8>| VoucherSignature(key(number).sign(&text).to_bytes());
	let signature = by(2, voucher.signing_payload(genesis));
	Payment { spent: by(1, voucher.spending_payload(genesis, order)), voucher: SignedVoucher { voucher, signature } }
}

fn verify(key: &[u8; 32], text: &[u8], signature: &VoucherSignature) -> bool {
	let signature = ed25519_dalek::Signature::from_bytes(signature.as_bytes());
	VerifyingKey::from_bytes(key).is_ok_and(|key| key.verify(text, &signature).is_ok())
}

fn judged(payment: &Payment, block: u32, kind: VoucherKind, order: &[u8]) -> Result<(), Refusal> {
	judge(&Till { genesis: &GENESIS, block, longest: 100, kind }, payment, order, |_| false, verify)
}

fn at(payment: &Payment, block: u32) -> Result<(), Refusal> {
	judged(payment, block, VoucherKind::Register, ORDER)
}

#[test]
fn a_voucher_buys_one_thing_of_its_kind_until_it_expires() {
	let good = pay(voucher(), &GENESIS, ORDER);
	assert_eq!(at(&good, 49), Err(Refusal::TooLong));
	assert_eq!(at(&good, 50), Ok(()));
	assert_eq!(at(&good, 150), Ok(()));
	assert_eq!(at(&good, 151), Err(Refusal::Expired));
	assert_eq!(at(&good, u32::MAX), Err(Refusal::Expired));
	for kind in [VoucherKind::CreateGroup, VoucherKind::Claim] {
		assert_eq!(judged(&good, 100, kind, ORDER), Err(Refusal::WrongKind));
	}
	let till = Till { genesis: &GENESIS, block: 100, longest: 100, kind: VoucherKind::Register };
	assert_eq!(judge(&till, &good, ORDER, |spent| *spent == voucher(), verify), Err(Refusal::Spent));
}

/// Who sees the call cannot buy anything else with it, nor spend it on another chain, nor make one of it that lasts longer.
#[test]
fn whoever_sees_it_cannot_use_it() {
	let good = pay(voucher(), &GENESIS, ORDER);
	assert_eq!(judged(&good, 100, VoucherKind::Register, b"something else"), Err(Refusal::BadSpending));
	assert_eq!(at(&pay(voucher(), &GenesisHash([8; 32]), ORDER), 100), Err(Refusal::BadVoucher));
	let stolen = Payment { spent: VoucherSignature(key(3).sign(ORDER).to_bytes()), ..good };
	assert_eq!(at(&stolen, 100), Err(Refusal::BadSpending));

	type Change = fn(&mut Voucher);
	let changes: [(Change, Refusal); 4] = [
		(|voucher| voucher.expiry += 1, Refusal::BadVoucher),
		(|voucher| voucher.key = VoucherKey(key(3).verifying_key().to_bytes()), Refusal::BadVoucher),
		(|voucher| voucher.sponsor = SponsorId(key(3).verifying_key().to_bytes()), Refusal::BadVoucher),
		(|voucher| voucher.kind = VoucherKind::Claim, Refusal::WrongKind),
	];
	for (change, refusal) in changes {
		let mut changed = good;
		change(&mut changed.voucher.voucher);
		assert_eq!(at(&changed, 100), Err(refusal));
	}
	// A voucher of another kind, made of this one.
	let mut other = good;
	other.voucher.voucher.kind = VoucherKind::Claim;
	assert_eq!(judged(&other, 100, VoucherKind::Claim, ORDER), Err(Refusal::BadVoucher));
	// One that the holder has signed itself.
	let mut own = good;
	own.voucher.signature = VoucherSignature(key(1).sign(&voucher().signing_payload(&GENESIS)).to_bytes());
	assert_eq!(at(&own, 100), Err(Refusal::BadVoucher));
	// One signed with the words of the other signature.
	let mut crossed = good;
	crossed.voucher.signature = VoucherSignature(key(2).sign(&voucher().spending_payload(&GENESIS, ORDER)).to_bytes());
	assert_eq!(at(&crossed, 100), Err(Refusal::BadVoucher));
}

#[test]
fn codes_are_distinct_reversible_and_nobody_elses() {
	for refusal in Refusal::ALL {
		assert_eq!(Refusal::from_code(refusal.code()), Some(refusal));
		assert_eq!(EntryRefusal::from_code(refusal.code()), None);
		assert_eq!(IdentityRefusal::from_code(refusal.code()), None);
		assert_eq!(Refusal::ALL.iter().filter(|other| other.name() == refusal.name()).count(), 1);
		assert!(EntryRefusal::ALL.iter().all(|other| other.name() != refusal.name()));
		assert!(IdentityRefusal::ALL.iter().all(|other| other.name() != refusal.name()));
		assert!(!refusal.to_string().is_empty());
	}
	assert_eq!(Refusal::from_code(64), None);
	assert_eq!(Refusal::from_code(72), None);
}

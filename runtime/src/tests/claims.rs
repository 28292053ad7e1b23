//! How many claims of KeyPackages a block carries, by the whole way of an extrinsic: authorised, weighed, applied, reclaimed.

use super::chain::*;
use crate::{KeyPackages, Runtime, RuntimeCall, System, UNIT};
use frame_support::{
	dispatch::DispatchClass,
	traits::Hooks,
	weights::{constants::WEIGHT_REF_TIME_PER_MILLIS, Weight},
};
use lockstep_primitives::{
	identity::{Event, NewDevice, RecoveryKeys, SignedEvent},
	key_package::{testing::Recipe, Claim, KeyPackageBytes, Publication, SignedPublication, MAX_STOCK, SUITE},
	voucher::{Payment, SignedVoucher, Voucher, VoucherKind},
	EventSignature, GenesisHash, IdentityId, IdentityKey, SponsorId, VoucherKey, VoucherSignature,
};
use pallet_key_packages::{weights::SubstrateWeight, WeightInfo};
use sp_core::{ed25519, Pair};
use sp_io::hashing::blake2_256;
use sp_runtime::transaction_validity::{InvalidTransaction, TransactionValidityError};

/// What a block has to carry.
const WANTED: usize = 300;
const PEOPLE: u32 = 5;
const SPONSOR: u32 = 1_000_000;

fn pair(number: u32) -> ed25519::Pair {
	ed25519::Pair::from_seed(&blake2_256(&number.to_le_bytes()))
}

fn public(number: u32) -> [u8; 32] {
	pair(number).public().0
}

fn sign(number: u32, text: &[u8]) -> [u8; 64] {
	pair(number).sign(text).0
}

/// A KeyPackage of the person and device with this number.
fn package(identity: &IdentityId, device: u32, number: u32) -> KeyPackageBytes {
	let recipe = Recipe::new(identity, &IdentityKey(public(device)), number);
	recipe.signed(|text| EventSignature(sign(device, text))).try_into().expect("it is short")
}

/// Registers a person with one device, and fills its stock.
fn person(chain: &mut Chain, number: u32) -> IdentityId {
	let genesis = GenesisHash(chain.genesis().0);
	let device = NewDevice { key: IdentityKey(public(number)), next: IdentityKey(public(number + 1_000)).commitment() };
	let event = Event::incept(&genesis, device, RecoveryKeys::default(), None);
	let (identity, signature) = (event.identity, EventSignature(sign(number, &event.signing_payload(&genesis))));
	let event = SignedEvent { event, signature, acceptance: None };
	chain.block(&[(Name::Eve, RuntimeCall::Directory(pallet_directory::Call::register { event }))]);
	let packages: Vec<_> = (0..MAX_STOCK).map(|at| package(&identity, number, at)).collect();
	let publication = Publication {
		identity,
		device: device.key,
		number: 0,
		replace: false,
		lapse: chain.number() + 1_000,
		packages: packages.try_into().expect("they are not too many"),
		last_resort: None,
	};
	let signature = EventSignature(sign(number, &publication.signing_payload(&genesis)));
	let made = chain.include(&[SignedPublication { publication, signature }.to_extrinsic()]);
	assert_eq!(made.results, [Ok(Ok(()))]);
	identity
}

/// A claim of this person with the voucher of this number.
fn claim(chain: &Chain, target: IdentityId, number: u32) -> Vec<u8> {
	let genesis = GenesisHash(chain.genesis().0);
	let claim = Claim { target, suites: vec![SUITE].try_into().expect("it is short"), gate: None };
	let voucher = Voucher {
		kind: VoucherKind::Claim,
		key: VoucherKey(public(number)),
		sponsor: SponsorId(public(SPONSOR)),
		expiry: chain.number() + 1_000,
	};
	let signature = VoucherSignature(sign(SPONSOR, &voucher.signing_payload(&genesis)));
	let spent = VoucherSignature(sign(number, &voucher.spending_payload(&genesis, &claim.order())));
	claim.to_extrinsic(&Payment { voucher: SignedVoucher { voucher, signature }, spent })
}

/// What an extrinsic weighs beside its call.
fn around() -> Weight {
	let class = <Runtime as frame_system::Config>::BlockWeights::get();
	class.get(DispatchClass::Normal).base_extrinsic
}

/// What a claim of a person with so many devices weighs, authorised and given out.
fn weight(devices: u32) -> Weight {
	SubstrateWeight::<Runtime>::claim(devices)
}

#[test]
fn a_block_carries_three_hundred_claims() {
	let mut chain = Chain::development();
	let funds = pallet_balances::Call::transfer_keep_alive {
		dest: crate::AccountId::from(public(SPONSOR)).into(),
		value: 1_000 * UNIT,
	};
	chain.block(&[(Name::Alice, RuntimeCall::Balances(funds))]);
	let people: Vec<_> = (0..PEOPLE).map(|number| person(&mut chain, number)).collect();
	let before = chain.block(&[]);
	let empty = chain.read(|| *System::block_weight().get(DispatchClass::Normal));
	// The list of a block's claims is paid for by the block.
	let listed = <Runtime as frame_system::Config>::DbWeight::get().reads_writes(1, 1);
	assert_eq!(chain.read(|| KeyPackages::on_initialize(1)), listed);
	let claims: Vec<_> =
		(0..PEOPLE * MAX_STOCK).map(|at| claim(&chain, people[(at % PEOPLE) as usize], 10_000 + at)).collect();
	let made = chain.include(&claims);
	assert_eq!(made.header.number, before.number + 1);
	let carried = made.results.iter().take_while(|result| **result == Ok(Ok(()))).count();
	// What is not carried is good, and waits for the next block.
	let full = Err(TransactionValidityError::Invalid(InvalidTransaction::ExhaustsResources));
	assert!(made.results[carried..].iter().all(|result| *result == full), "{:?}", made.results.last());
	let (weighed, left) = chain.read(|| {
		let left: u32 = (0..PEOPLE)
			.filter_map(|number| KeyPackages::stock(IdentityKey(public(number))))
			.map(|stock| stock.left)
			.sum();
		(*System::block_weight().get(DispatchClass::Normal), left)
	});
	assert_eq!(left as usize, PEOPLE as usize * MAX_STOCK as usize - carried, "each got one");
	let each = weighed.saturating_sub(empty).ref_time() / carried as u64;
	println!(
		"{carried} claims of {} bytes, {} us each; alone {} us, of 2 devices {}, of 16 {}",
		claims[0].len(),
		each / 1_000_000,
		weight(1).ref_time() / 1_000_000,
		weight(2).ref_time() / 1_000_000,
		weight(16).ref_time() / 1_000_000
	);
	assert!(carried >= WANTED, "{carried} claims of {each} ps");
	assert!(each < WEIGHT_REF_TIME_PER_MILLIS, "{each} ps");
	assert!(weight(1).saturating_add(around()).ref_time() <= each, "nothing of a claim is forgotten");
}

//! Claims of KeyPackages by the whole way of an extrinsic: authorised, weighed, applied, reclaimed. How many a block carries, and
//! what they let their keys store as statements.

use super::chain::*;
use crate::{statements::EPOCH_ALLOWANCE, Directory, KeyPackages, Runtime, RuntimeCall, System, UNIT};
use codec::Decode;
use frame_support::{
	dispatch::DispatchClass,
	traits::Hooks,
	weights::{constants::WEIGHT_REF_TIME_PER_MILLIS, Weight},
};
use lockstep_primitives::{
	endorsement_payload,
	identity::{Action, Event, NewDevice, RecoveryKeys, SignedEvent},
	key_package::{
		testing::Recipe, Claim, KeyPackageBytes, KeyPackageRefusal, Publication, SignedPublication, CLAIM_LIFE,
		MAX_STOCK, SUITE,
	},
	payload_hash,
	voucher::{Payment, SignedVoucher, Voucher, VoucherKind, VoucherRefusal},
	Endorsement, EventSignature, GenesisHash, GroupId, IdentityId, IdentityKey, LogHead, LogKind, OrderingKey,
	SponsorId, VoucherKey, VoucherSignature,
};
use pallet_key_packages::{weights::SubstrateWeight, WeightInfo};
use sp_core::{ed25519, Pair};
use sp_io::hashing::blake2_256;
use sp_runtime::{
	transaction_validity::{InvalidTransaction, TransactionValidityError},
	ApplyExtrinsicResult,
};
use sp_statement_store::{statement_allowance_key, StatementAllowance};

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

/// A chain whose sponsor has funds.
fn sponsored() -> Chain {
	let mut chain = Chain::development();
	let funds = pallet_balances::Call::transfer_keep_alive {
		dest: crate::AccountId::from(public(SPONSOR)).into(),
		value: 1_000 * UNIT,
	};
	chain.block(&[(Name::Alice, RuntimeCall::Balances(funds))]);
	chain
}

/// The device with this number.
fn device(number: u32) -> NewDevice {
	NewDevice { key: IdentityKey(public(number)), next: IdentityKey(public(number + 1_000)).commitment() }
}

/// Publishes so many KeyPackages of a device of a person.
fn fill(chain: &mut Chain, identity: IdentityId, number: u32, count: u32) {
	let genesis = GenesisHash(chain.genesis().0);
	let packages: Vec<_> = (0..count).map(|at| package(&identity, number, at)).collect();
	let publication = Publication {
		identity,
		device: IdentityKey(public(number)),
		number: 0,
		replace: false,
		lapse: chain.number() + 1_000,
		packages: packages.try_into().expect("they are not too many"),
		last_resort: None,
	};
	let signature = EventSignature(sign(number, &publication.signing_payload(&genesis)));
	let made = chain.include(&[SignedPublication { publication, signature }.to_extrinsic()]);
	assert_eq!(made.results, [Ok(Ok(()))]);
}

/// Registers a person with one device, and fills its stock.
fn person(chain: &mut Chain, number: u32) -> IdentityId {
	let genesis = GenesisHash(chain.genesis().0);
	let event = Event::incept(&genesis, device(number), RecoveryKeys::default(), None);
	let (identity, signature) = (event.identity, EventSignature(sign(number, &event.signing_payload(&genesis))));
	let event = SignedEvent { event, signature, acceptance: None };
	chain.block(&[(Name::Eve, RuntimeCall::Directory(pallet_directory::Call::register { event }))]);
	fill(chain, identity, number, MAX_STOCK);
	identity
}

/// Has a device of a person add another one, and fills its stock.
fn add_device(chain: &mut Chain, identity: IdentityId, author: u32, number: u32) {
	let genesis = GenesisHash(chain.genesis().0);
	let head = chain.read(|| Directory::identity(identity)).expect("it is registered").head;
	let (author_key, action) = (IdentityKey(public(author)), Action::AddDevice(device(number)));
	let event = Event { identity, index: head.length, previous: head.hash, author: author_key, action };
	let event = SignedEvent {
		signature: EventSignature(sign(author, &event.signing_payload(&genesis))),
		acceptance: Some(EventSignature(sign(number, &event.acceptance_payload(&genesis)))),
		event,
	};
	assert_eq!(chain.include(&[event.to_extrinsic()]).results, [Ok(Ok(()))]);
	fill(chain, identity, number, MAX_STOCK);
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
	let mut chain = sponsored();
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

/// What the key with this number may store, as the statement store of a node reads it in the state.
fn room(chain: &mut Chain, number: u32) -> Option<StatementAllowance> {
	let value = chain.read(|| sp_io::storage::get(&statement_allowance_key(public(number))));
	value.map(|bytes| StatementAllowance::decode(&mut &bytes[..]).expect("it is an allowance"))
}

/// Room for the Welcomes to so many KeyPackages (`docs/protocol.md` section 14).
fn for_welcomes(packages: u32) -> StatementAllowance {
	StatementAllowance { max_count: 2 * packages, max_size: 1_024 * packages }
}

/// Goes on until this block is made.
fn go_to(chain: &mut Chain, block: u32) {
	chain.skip_to(block);
	chain.block(&[]);
	assert_eq!(chain.number(), block);
}

#[test]
fn a_claim_lets_its_key_store_the_welcomes_to_what_it_got_as_long_as_that_is_kept() {
	let mut chain = sponsored();
	let (anna, boris) = (person(&mut chain, 0), person(&mut chain, 1));
	add_device(&mut chain, boris, 1, 2);
	let numbers = [10_000, 10_001, 10_002];
	let claims = [claim(&chain, anna, 10_000), claim(&chain, boris, 10_001), claim(&chain, boris, 10_002)];
	let rooms = |chain: &mut Chain| numbers.map(|number| room(chain, number));
	assert_eq!(rooms(&mut chain), [None, None, None]);

	assert_eq!(chain.include(&claims).results, vec![Ok(Ok(())); 3]);
	let block = chain.number();
	let granted = [1, 2, 2].map(|packages| Some(for_welcomes(packages)));
	assert_eq!(rooms(&mut chain), granted);
	// To claim again by the same voucher gets nothing, and neither does a claim of nobody.
	let nobody = claim(&chain, IdentityId([9; 32]), 10_003);
	let refused = |code| Err(TransactionValidityError::Invalid(InvalidTransaction::Custom(code)));
	let expected: [ApplyExtrinsicResult; 2] =
		[refused(VoucherRefusal::Spent.code()), refused(KeyPackageRefusal::UnknownTarget.code())];
	assert_eq!(chain.include(&[claims[0].clone(), nobody]).results, expected);
	assert_eq!((rooms(&mut chain), room(&mut chain, 10_003)), (granted.clone(), None));
	// Nobody else has any by it: not who has paid, nor whose devices they are.
	assert_eq!([SPONSOR, 0, 1, 2].map(|number| room(&mut chain, number)), [None, None, None, None]);

	go_to(&mut chain, block + CLAIM_LIFE);
	assert_eq!(rooms(&mut chain), granted);
	chain.block(&[]);
	assert_eq!(rooms(&mut chain), [None, None, None]);
}

/// A key may be that of an epoch and of a voucher: what it has by the one is neither replaced nor taken by the other.
#[test]
fn what_a_claim_lets_its_key_store_comes_on_top_of_what_it_may_store_already() {
	const BOTH: u32 = 10_000;
	let mut chain = sponsored();
	let anna = person(&mut chain, 0);
	let (genesis, group, next_key) = (GenesisHash(chain.genesis().0), GroupId([1; 32]), OrderingKey(public(BOTH)));
	let parent = LogHead::empty(LogKind::Group, &genesis, group.as_bytes()).hash;
	let text = endorsement_payload(&genesis, &group, &parent, &payload_hash(&[]), &next_key);
	let endorsement = Endorsement(sign(BOTH, &text));
	let founded = pallet_ordering::Call::create_group { group, next_key, endorsement };
	chain.block(&[(Name::Eve, RuntimeCall::Ordering(founded))]);
	assert_eq!(room(&mut chain, BOTH), Some(EPOCH_ALLOWANCE));

	let claimed = claim(&chain, anna, BOTH);
	assert_eq!(chain.include(&[claimed]).results, [Ok(Ok(()))]);
	let both = EPOCH_ALLOWANCE.saturating_add(for_welcomes(1));
	assert_eq!(room(&mut chain, BOTH), Some(both));
	let forgotten = chain.number() + CLAIM_LIFE + 1;
	go_to(&mut chain, forgotten);
	assert_eq!(room(&mut chain, BOTH), Some(EPOCH_ALLOWANCE));
}

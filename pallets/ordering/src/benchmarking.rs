//! Benchmarks of the calls, of the authorisation of an append, and of one step of each pruning queue.
//!
//! Each is measured at its worst: with the signature verified, the queues written, and the hooks of the runtime
//! called. Keys live in the keystore of the benchmark's host, since a runtime cannot sign. They are the same in each
//! run: the allowance that an entry grants has the key in its place in state, and the tool compares places.

use super::*;
use crate::{admission::Signature, types::CandidateDigest};
use alloc::vec::Vec;
use frame_benchmarking::v2::*;
use frame_support::{
	pallet_prelude::{Authorize, TransactionSource},
	traits::{
		fungible::{Inspect, Mutate},
		Get,
	},
	weights::Weight,
	BoundedVec,
};
use frame_system::{pallet_prelude::BlockNumberFor, RawOrigin};
use lockstep_primitives::{
	endorsement_payload,
	extrinsic::{release_payload, Founding},
	payload_hash, Endorsement, EntryHash, GroupId, LogHead, LogKind, OrderingKey, PayloadHash,
};
use sp_core::{crypto::KeyTypeId, ed25519};
use sp_runtime::{traits::Saturating, SaturatedConversion};

const KEY_TYPE: KeyTypeId = KeyTypeId(*b"lock");
const GROUP: GroupId = GroupId([1; 32]);

/// The key with this number. That of entry 0 is 0.
fn member_key(number: u8) -> ed25519::Public {
	sp_io::crypto::ed25519_generate(KEY_TYPE, Some(alloc::format!("//{number}").into_bytes()))
}

fn sign(key: &ed25519::Public, message: &[u8]) -> Endorsement {
	let signature = sp_io::crypto::ed25519_sign(KEY_TYPE, key, message).expect("the keystore holds the key");
	Endorsement(signature.0)
}

fn ordering_key(key: &ed25519::Public) -> OrderingKey {
	OrderingKey(key.0)
}

fn endorse<T: Config>(key: &ed25519::Public, parent: &EntryHash, payload: &[u8], next: &OrderingKey) -> Endorsement {
	let message = endorsement_payload(&Pallet::<T>::genesis(), &GROUP, parent, &payload_hash(payload), next);
	sign(key, &message)
}

fn sponsor<T: Config>() -> T::AccountId
where
	T::Currency: Mutate<T::AccountId>,
{
	let sponsor: T::AccountId = whitelisted_caller();
	let funds = T::Currency::minimum_balance().saturating_add(T::GroupDeposit::get()).saturating_mul(4u32.into());
	T::Currency::set_balance(&sponsor, funds);
	sponsor
}

/// What the creator signs for entry 0 with this key.
fn founding<T: Config>(key: &ed25519::Public) -> Endorsement {
	let parent = LogHead::empty(LogKind::Group, &Pallet::<T>::genesis(), GROUP.as_bytes()).hash;
	endorse::<T>(key, &parent, &[], &ordering_key(key))
}

/// A group with entry 0; its sponsor, the entry, and its key.
fn group<T: Config>() -> (T::AccountId, EntryHash, ed25519::Public)
where
	T::Currency: Mutate<T::AccountId>,
{
	let sponsor = sponsor::<T>();
	let key = member_key(0);
	Pallet::<T>::create_group(
		RawOrigin::Signed(sponsor.clone()).into(),
		GROUP,
		ordering_key(&key),
		founding::<T>(&key),
	)
	.expect("the group can be created");
	(sponsor, newest::<T>(), key)
}

fn newest<T: Config>() -> EntryHash {
	Groups::<T>::get(GROUP).expect("the group is open").state.head.hash
}

/// Appends a child with a payload of one byte and a key, which differ with `number`; returns it and its key.
fn child<T: Config>(parent: &EntryHash, signer: &ed25519::Public, number: u8) -> (EntryHash, ed25519::Public) {
	let key = member_key(number);
	let next_key = ordering_key(&key);
	let payload = alloc::vec![number];
	let endorsement = endorse::<T>(signer, parent, &payload, &next_key);
	Pallet::<T>::append(RawOrigin::Authorized.into(), GROUP, *parent, payload, next_key, endorsement)
		.expect("the entry is admitted");
	(newest::<T>(), key)
}

/// Gives an entry the digests of so many children: its record is then as long as it gets.
fn crowd<T: Config>(entry: &EntryHash, children: u32) {
	OpenEntries::<T>::mutate(GROUP, entry, |record| {
		let record = record.as_mut().expect("it is open");
		let digest = |number: u8| CandidateDigest::new(&PayloadHash([number; 32]), &OrderingKey([number; 32]));
		let digests: Vec<_> = (0..children as u8).map(digest).collect();
		record.candidates = BoundedVec::try_from(digests).expect("they fit");
	});
}

fn skip<T: Config>(blocks: u32) {
	let now = frame_system::Pallet::<T>::block_number();
	let blocks: BlockNumberFor<T> = blocks.saturated_into();
	frame_system::Pallet::<T>::set_block_number(now.saturating_add(blocks));
}

#[benchmarks(where T::Currency: Mutate<T::AccountId>)]
mod benchmarks {
	use super::*;

	#[benchmark]
	fn create_group() {
		let sponsor = sponsor::<T>();
		let key = member_key(0);
		let endorsement = founding::<T>(&key);

		#[extrinsic_call]
		_(RawOrigin::Signed(sponsor), GROUP, ordering_key(&key), endorsement);

		assert!(Groups::<T>::contains_key(GROUP));
	}

	/// A first child: it writes more than a further one does.
	#[benchmark]
	fn append(p: Linear<1, { T::MaxPayload::get() }>) {
		let (_, root, key) = group::<T>();
		let payload = alloc::vec![0xab; p as usize];
		let next_key = ordering_key(&member_key(1));
		let endorsement = endorse::<T>(&key, &root, &payload, &next_key);

		#[extrinsic_call]
		_(RawOrigin::Authorized, GROUP, root, payload, next_key, endorsement);

		assert_ne!(newest::<T>(), root);
	}

	/// A further child, of a parent with as many others as it can have.
	#[benchmark]
	fn authorize_append(p: Linear<1, { T::MaxPayload::get() }>) {
		let (_, root, key) = group::<T>();
		child::<T>(&root, &key, 1);
		skip::<T>(T::CandidateInterval::get());
		crowd::<T>(&root, types::MAX_CHILDREN - 1);
		let payload = alloc::vec![0xab; p as usize];
		let next_key = ordering_key(&member_key(2));
		let endorsement = endorse::<T>(&key, &root, &payload, &next_key);
		let call = Call::<T>::append { group: GROUP, parent: root, payload, next_key, endorsement };
		let answer;

		#[block]
		{
			answer = call.authorize(TransactionSource::External);
		}

		assert!(answer.is_some_and(|answer| answer.is_ok()));
	}

	/// With a release, whose signature is verified.
	#[benchmark]
	fn close_group() {
		let (sponsor, root, key) = group::<T>();
		skip::<T>(T::ContestWindow::get());
		let release = sign(&key, &release_payload(&Pallet::<T>::genesis(), &GROUP, &root));

		#[extrinsic_call]
		_(RawOrigin::Signed(sponsor), GROUP, Some(release));

		assert!(ClosedGroups::<T>::contains_key(GROUP));
	}

	/// The queues are not empty, and nothing is due.
	#[benchmark]
	fn prune_nothing() {
		let (_, root, key) = group::<T>();
		child::<T>(&root, &key, 1);

		#[block]
		{
			Pallet::<T>::prune(Weight::MAX);
		}

		assert!(OpenEntries::<T>::contains_key(GROUP, root));
	}

	/// An entry with as many children as it can have.
	#[benchmark]
	fn prune_closing() {
		let (_, root, key) = group::<T>();
		child::<T>(&root, &key, 1);
		crowd::<T>(&root, types::MAX_CHILDREN);
		skip::<T>(T::ContestWindow::get());
		let now = Pallet::<T>::now();

		#[block]
		{
			Pallet::<T>::prune_closing(now);
		}

		assert!(!OpenEntries::<T>::contains_key(GROUP, root));
	}

	/// An old leaf that goes.
	#[benchmark]
	fn prune_retained() {
		let (_, root, key) = group::<T>();
		let (leaf, _) = child::<T>(&root, &key, 1);
		skip::<T>(T::CandidateInterval::get());
		child::<T>(&root, &key, 2);
		skip::<T>(T::Retention::get());
		let now = Pallet::<T>::now();
		// The first item is that of entry 0, which has children.
		Pallet::<T>::prune_retained(now);

		#[block]
		{
			Pallet::<T>::prune_retained(now);
		}

		assert!(!OpenEntries::<T>::contains_key(GROUP, leaf));
	}

	/// Here, too; others follow it.
	#[benchmark]
	fn prune_removed() {
		let (sponsor, root, key) = group::<T>();
		child::<T>(&root, &key, 1);
		crowd::<T>(&root, types::MAX_CHILDREN);
		skip::<T>(T::Retention::get());
		Pallet::<T>::close_group(RawOrigin::Signed(sponsor).into(), GROUP, None).expect("the group has ended");

		#[block]
		{
			Pallet::<T>::prune_removed();
		}

		assert!(!OpenEntries::<T>::contains_key(GROUP, root));
	}

	/// Without the voucher, which its own pallet measures.
	#[benchmark]
	fn create_group_by_voucher() {
		let sponsor = sponsor::<T>();
		let key = member_key(0);
		let founding = Founding { group: GROUP, next_key: ordering_key(&key), endorsement: founding::<T>(&key) };

		#[block]
		{
			Pallet::<T>::found(sponsor, &founding, Signature::Verified).expect("the group can be created");
		}

		assert!(Groups::<T>::contains_key(GROUP));
	}

	/// The same.
	#[benchmark]
	fn authorize_create_group_by_voucher() {
		let sponsor = sponsor::<T>();
		let key = member_key(0);
		let founding = Founding { group: GROUP, next_key: ordering_key(&key), endorsement: founding::<T>(&key) };
		let answer;

		#[block]
		{
			answer = Pallet::<T>::can_found(&founding, &sponsor);
		}

		assert!(answer.is_ok());
	}

	impl_benchmark_test_suite!(Pallet, crate::mock::new_bench_ext(), crate::mock::Test);
}

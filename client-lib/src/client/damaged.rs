//! A client opens on a store with any bytes in any of its records, or says what is wrong: it does not end.

use super::{core::Core, parameters::PARAMETERS, people::PoolCommand, Upkeep};
use crate::{
	mls::Engine,
	store::{MemoryDisk, Record, Store, StoreKey},
};
use lockstep_primitives::GenesisHash;
use proptest::{collection::vec, prelude::*};
use rand::{rngs::StdRng, SeedableRng};
use serde::{Deserialize, Serialize};
use tokio::sync::oneshot;

/// One record of each kind that is read at opening, or that a client can do without.
macro_rules! kinds {
	($($name:ident $kind:literal)*) => {
		$(
			#[derive(Serialize, Deserialize)]
			struct $name;
			impl Record for $name {
				const KIND: &'static str = $kind;
			}
		)*
		const KINDS: &[&str] = &[$($kind),*];
		/// Under this key.
		fn plant(store: &Store, kind: &str, key: &[u8]) {
			let overlay = store.overlay();
			match kind {
				$($kind => overlay.put(key, &$name).unwrap(),)*
				_ => {}
			}
			overlay.commit().unwrap();
		}
	};
}

kinds! {
	Membership "membership"
	EpochKeys "epoch keys"
	Intent "intent"
	InFlight "in flight"
	Ended "ended intent"
	Founding "founding"
	Invited "invited"
	Mailbox "mailbox"
	Outgoing "outgoing"
	Inbox "inbox"
	Next "next inbox number"
	Undelivered "undelivered"
	Evidence "evidence"
	Pooled "claim voucher"
	InUse "claim voucher in use"
	Spent "claim voucher spent"
	OwnDevices "own devices of a group"
}

/// Bytes of a record: of one of the two formats, mostly.
fn bytes() -> impl Strategy<Value = Vec<u8>> {
	let json = prop_oneof![
		Just("{}"),
		Just("null"),
		Just("[]"),
		Just("{\"number\":18446744073709551615}"),
		Just("{\"intent\":\"Update\",\"once\":true,\"epoch\":18446744073709551615,\"attempts\":4294967295}"),
		Just("{\"numbers\":[0,18446744073709551615]}"),
		Just("{\"node\":\"\",\"lie\":\"\",\"sent\":\"0x\"}"),
	];
	prop_oneof![
		(0..5u8, vec(any::<u8>(), 0..100)).prop_map(|(format, rest)| [&[format][..], &rest].concat()),
		json.prop_map(|text| [&[1], text.as_bytes()].concat()),
	]
}

proptest! {
	#![proptest_config(ProptestConfig { cases: 3_000, ..ProptestConfig::default() })]

	#[test]
	fn a_client_opens_on_any_bytes_or_says_what_is_wrong(
		planted in vec((0..KINDS.len(), prop_oneof![Just(0usize), Just(8), Just(31), Just(32), Just(40)], bytes()), 1..4),
	) {
		let store = Store::in_memory(&MemoryDisk::new(), &StoreKey::from_bytes([0; 32])).unwrap();
		for (kind, length, bytes) in planted {
			let kind = KINDS[kind];
			plant(&store, kind, &vec![7; length]);
			store.damage(kind, Some(&bytes));
		}
		let engine = Engine::new(b"a".to_vec(), &[1; 32], GenesisHash([7; 32])).unwrap();
		let random = StdRng::seed_from_u64(0);
		if let Ok(mut core) = Core::restore(store, engine, PARAMETERS, false, Upkeep::default(), random) {
			drop(core.take_actions());
			drop(core.unread());
			drop(core.undelivered());
			let groups: Vec<_> = core.groups.keys().copied().collect();
			groups.iter().for_each(|group| drop((core.intents(group), core.status(group))));
			core.post_due();
			let (reply, mut kept) = oneshot::channel();
			core.on_pool(PoolCommand::Keep(Vec::new(), reply));
			prop_assert!(matches!(kept.try_recv(), Ok(Ok(_))), "damaged vouchers are none");
		}
	}
}

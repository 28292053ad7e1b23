//! What is forgotten, and when.

use crate::{mock::*, ClaimAllowances, Claims, Gates, InitKeys, Lapsing, LookedAt, Pallet};
use frame_support::weights::Weight;
use lockstep_primitives::{
	identity::Action,
	key_package::{KeyPackageRefusal as Refusal, Publication},
	voucher::VoucherRefusal,
};

const ANNA: u32 = 1;

fn tidy(times: usize) {
	(0..times).for_each(|_| {
		Pallet::<Test>::tidy(Weight::MAX);
	});
	check();
}

fn lapsing(device: u32, lapse: u32, packages: std::ops::Range<u32>) {
	let person = pallet_directory::UsedKeys::<Test>::get(key(device)).expect("it is a device");
	publish(&sign(Publication { lapse, ..publication(person, device, packages, None) }, device)).unwrap();
}

#[test]
fn what_a_claim_got_is_kept_for_its_time() {
	test(|| {
		let anna = person(ANNA);
		fill(anna, ANNA, 0..9, None);
		for number in 0..6 {
			claim(&claim_of(anna), 50 + number).unwrap();
		}
		skip(CLAIM_LIFE);
		tidy(20);
		assert_eq!((Claims::<Test>::iter().count(), granted(), held()), (6, 6, 6 * CLAIM_DEPOSIT));
		skip(1);
		// In bounded work.
		tidy(1);
		assert_eq!(Claims::<Test>::iter().count() as u32, 6 - MAX_FORGOTTEN);
		tidy(1);
		assert_eq!((Claims::<Test>::iter().count(), granted(), held()), (0, 0, 0));
	});
}

/// Who pays for it is known by what is kept of the claim, and its voucher stays spent when that is gone.
#[test]
fn a_voucher_stays_spent_when_what_it_got_is_forgotten() {
	test(|| {
		let anna = person(ANNA);
		fill(anna, ANNA, 0..9, Some(100));
		let asked = claim_of(anna);
		let (long, short) = (pay(&asked, 50), pay_by(1, &asked, 51, now() + CLAIM_LIFE));
		for payment in [&long, &short] {
			pay_and_apply(&asked, payment).unwrap();
		}
		let remembered = || pallet_vouchers::Spent::<Test>::iter_keys().count();
		assert_eq!(remembered(), 0, "what it got says so");
		skip(CLAIM_LIFE + 1);
		tidy(3);
		assert_eq!((Claims::<Test>::iter().count(), held()), (0, 0));
		assert_eq!(remembered(), 1, "what has expired is not remembered");
		assert_eq!(pay_and_apply(&asked, &long).map_err(code), Err(VoucherRefusal::Spent.code()));
		assert_eq!(pay_and_apply(&asked, &short).map_err(code), Err(VoucherRefusal::Expired.code()));
		// Another one with the same key is another voucher.
		pay_and_apply(&asked, &pay_by(1, &asked, 50, now() + 400)).unwrap();
	});
}

/// The hook, as the runtime calls it.
#[test]
fn idle_blocks_forget() {
	use frame_support::traits::Hooks;
	test(|| {
		let anna = person(ANNA);
		fill(anna, ANNA, 0..9, Some(100));
		claim(&claim_of(anna), 50).unwrap();
		skip(CLAIM_LIFE + 1);
		// Without weight for a block's list not even what it costs nothing to write is written.
		let root = || sp_io::storage::root(sp_core::storage::StateVersion::V1);
		let before = root();
		let nothing = <() as crate::WeightInfo>::tidy_nothing();
		assert_eq!(Pallet::<Test>::on_idle(now(), nothing), nothing);
		assert_eq!(root(), before);
		Pallet::<Test>::on_idle(now(), Weight::MAX);
		assert_eq!((Claims::<Test>::iter().count(), held()), (0, 0));
	});
}

/// A block goes through so many lists at most, also if they are empty.
#[test]
fn a_block_goes_through_few_lists() {
	test(|| {
		let anna = person(ANNA);
		fill(anna, ANNA, 0..9, None);
		skip(MAX_FORGOTTEN);
		claim(&claim_of(anna), 50).unwrap();
		let block = now();
		skip(CLAIM_LIFE + 1);
		let rounds = block / MAX_FORGOTTEN;
		tidy(rounds as usize);
		assert_eq!(Claims::<Test>::iter().count(), 1);
		tidy(1);
		assert_eq!(Claims::<Test>::iter().count(), 0);
	});
}

#[test]
fn claims_are_forgotten_by_their_blocks_as_far_as_the_weight_goes() {
	use crate::WeightInfo;
	test(|| {
		let anna = person(ANNA);
		fill(anna, ANNA, 0..9, Some(100));
		for number in 0..4 {
			claim(&claim_of(anna), 50 + number).unwrap();
			skip(number % 2);
		}
		// Two in block 1, whose time is over, and two in block 2.
		skip(CLAIM_LIFE - 1);
		let kept = || Claims::<Test>::iter().count();
		let nothing = <() as WeightInfo>::tidy_nothing();
		let (block, one) = (<() as WeightInfo>::forget_block(), <() as WeightInfo>::forget_claim());
		// For the block 0, which has none, and for one claim of the next one.
		let limit = nothing.saturating_add(block).saturating_add(block).saturating_add(one);
		assert!(Pallet::<Test>::tidy(limit).all_lte(limit));
		assert_eq!(kept(), 3);
		check();
		tidy(2);
		assert_eq!(kept(), 2);
		skip(1);
		tidy(1);
		assert_eq!((kept(), held(), granted()), (0, 0, 0));
	});
}

#[test]
fn init_keys_are_remembered_until_they_have_lapsed() {
	test(|| {
		person(ANNA);
		let lapse = now() + 25;
		lapsing(ANNA, lapse, 0..3);
		skip(lapse - now());
		tidy(20);
		assert_eq!(InitKeys::<Test>::iter_values().count(), 3);
		skip(PERIOD - lapse % PERIOD - 1);
		tidy(20);
		assert_eq!(InitKeys::<Test>::iter_values().count(), 3);
		skip(1);
		tidy(20);
		assert_eq!((InitKeys::<Test>::iter_values().count(), Lapsing::<Test>::iter().count()), (0, 0));
	});
}

#[test]
fn stocks_are_cleared_of_what_has_lapsed_in_turn() {
	test(|| {
		let anna = person(ANNA);
		fill(anna, ANNA, [], Some(100));
		let devices: Vec<u32> = (2..9).collect();
		for device in &devices {
			person(*device);
			lapsing(*device, now() + 5, 0..2);
			lapsing(*device, now() + 500, 2..3);
		}
		skip(6);
		tidy(1);
		let cleared = || devices.iter().filter(|device| stored(**device) == 1).count();
		assert!(cleared() as u32 <= MAX_FORGOTTEN);
		assert!(LookedAt::<Test>::get().is_some());
		tidy(2);
		assert_eq!(cleared(), devices.len());
		// The last resort lapses, too.
		skip(100);
		tidy(3);
		assert_eq!(stock(ANNA).unwrap().last_resort, None);
		assert_claim_refused(&claim_of(anna), 50, Refusal::NothingLeft);
	});
}

#[test]
fn without_weight_nothing_is_done() {
	test(|| {
		person(ANNA);
		lapsing(ANNA, now() + 5, 0..2);
		skip(100);
		let root = || sp_io::storage::root(sp_core::storage::StateVersion::V1);
		let before = root();
		assert_eq!(Pallet::<Test>::tidy(Weight::zero()), Weight::zero());
		assert_eq!(root(), before);
		let limit = Weight::from_parts(250_000_000, 100_000);
		assert!(Pallet::<Test>::tidy(limit).all_lte(limit));
	});
}

#[test]
fn what_an_identity_leaves_behind_goes_when_it_has_ended() {
	test(|| {
		let anna = person(ANNA);
		fill(anna, ANNA, 0..3, Some(100));
		set_gate(anna, ANNA, Some(77)).unwrap();
		claim(&through_gate(claim_of(anna), 77, 50), 50).unwrap();
		record(&next_event(anna, ANNA + 1000, Action::Close, None));
		assert_claim_refused(&through_gate(claim_of(anna), 77, 51), 51, Refusal::UnknownTarget);
		skip(300);
		Directory::reclaim(RuntimeOrigin::signed(SPONSOR), anna).unwrap();
		tidy(40);
		assert_eq!((stock(ANNA), stored(ANNA)), (None, 0));
		assert_eq!((Gates::<Test>::iter().count(), ClaimAllowances::<Test>::iter().count()), (0, 0));
		assert_eq!((InitKeys::<Test>::iter_values().count(), held()), (0, 0));
	});
}

//! Counters at their end: what has no place any more is refused by name, and changes nothing.

use crate::{mock::*, Gates, OldestClaims, OldestLapsing, Stocks};
use frame_support::weights::Weight;
use lockstep_primitives::{
	key_package::{KeyPackageRefusal as Refusal, Publication, Stock},
	VoucherKey,
};

const ANNA: u32 = 1;
const GATE: u32 = 77;

/// Anna's stock, as it would be after a long time.
fn late(change: impl FnOnce(&mut Stock)) {
	Stocks::<Test>::mutate(key(ANNA), |stock| change(stock.as_mut().expect("it has published")));
}

#[test]
fn after_its_last_number_a_key_publishes_nothing_and_the_next_key_begins_anew() {
	test(|| {
		let anna = person(ANNA);
		fill(anna, ANNA, 0..2, None);
		late(|stock| stock.number = u32::MAX - 1);
		fill(anna, ANNA, 2..3, None);
		let last = stock(ANNA);
		assert_eq!((last.map(|stock| stock.number), left(ANNA)), (Some(u32::MAX), 3));
		assert_refused(&sign(publication(anna, ANNA, 3..4, None), ANNA), Refusal::Full);
		assert_refused(&sign(publication(anna, ANNA, [], Some(4)), ANNA), Refusal::Full);
		let cleared = Publication { replace: true, ..publication(anna, ANNA, [], None) };
		assert_refused(&sign(cleared, ANNA), Refusal::Full);
		assert_eq!(set_gate(anna, ANNA, Some(GATE)), Err(Refusal::Full));
		assert_eq!((stock(ANNA), Gates::<Test>::get(anna)), (last, None));
		// What is there is given out.
		assert_eq!(claim(&claim_of(anna), 50).unwrap(), [(package(anna, ANNA, 0), false)]);
		let new = ANNA + 1000;
		both(&rotation(anna, ANNA), &sign(publication(anna, new, 0..1, None), new)).unwrap();
		assert_eq!(stock(new).map(|stock| stock.number), Some(1));
	});
}

#[test]
fn the_last_place_of_a_stock_is_given_out_and_none_comes_after_it() {
	test(|| {
		let anna = person(ANNA);
		fill(anna, ANNA, [], Some(100));
		late(|stock| (stock.first, stock.next) = (u32::MAX - 1, u32::MAX - 1));
		assert_refused(&sign(publication(anna, ANNA, 0..2, None), ANNA), Refusal::Full);
		fill(anna, ANNA, 0..1, None);
		assert_eq!((left(ANNA), stock(ANNA).map(|stock| stock.next)), (1, Some(u32::MAX)));
		assert_refused(&sign(publication(anna, ANNA, 1..2, None), ANNA), Refusal::Full);
		let replaced = Publication { replace: true, ..publication(anna, ANNA, 1..2, None) };
		assert_refused(&sign(replaced, ANNA), Refusal::Full);
		assert_eq!(claim(&claim_of(anna), 50).unwrap(), [(package(anna, ANNA, 0), false)]);
		assert_eq!((left(ANNA), stored(ANNA)), (0, 0));
		// A last resort has no place among them.
		assert_eq!(claim(&claim_of(anna), 51).unwrap(), [(package(anna, ANNA, 100), true)]);
		fill(anna, ANNA, [], Some(101));
		assert_eq!(claim(&claim_of(anna), 52).unwrap(), [(package(anna, ANNA, 101), true)]);
	});
}

/// Such counts are ahead of every block, which no state may be; so the state is not checked.
#[test]
fn what_counts_blocks_and_periods_that_are_over_goes_no_further_than_its_end() {
	new_test_ext().execute_with(|| {
		let anna = person(ANNA);
		fill(anna, ANNA, 0..1, None);
		claim(&claim_of(anna), 50).unwrap();
		OldestClaims::<Test>::put(u32::MAX);
		OldestLapsing::<Test>::put(u32::MAX);
		System::set_block_number(u32::MAX);
		KeyPackagesPallet::tidy(Weight::MAX);
		assert_eq!((OldestClaims::<Test>::get(), OldestLapsing::<Test>::get()), (u32::MAX, u32::MAX));
		assert!(KeyPackagesPallet::claimed(VoucherKey(key(50).0)).is_some(), "it is not forgotten");
	});
}

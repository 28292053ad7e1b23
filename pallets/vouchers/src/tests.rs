//! What is taken, once, and when it is forgotten. The rules of a payment have their attacks in `lockstep_primitives`.

use crate::{mock::*, Oldest, WeightInfo};
use frame_support::{traits::Hooks, weights::Weight};
use lockstep_primitives::voucher::{Cashier, VoucherKind, VoucherRefusal as Refusal};

const ORDER: &[u8] = b"an order";

fn spend(number: u8, expiry: u32) -> Result<u64, Refusal> {
	let payment = pay(voucher(number, expiry), number, ORDER);
	Vouchers::check(VoucherKind::Claim, &payment, ORDER)?;
	Vouchers::spend(VoucherKind::Claim, &payment, ORDER)
}

#[test]
fn a_voucher_is_spent_once_in_one_block_or_in_two() {
	test(|| {
		let sponsor = u64::from(voucher(1, 50).sponsor.0[0]);
		assert_eq!(spend(1, 50), Ok(sponsor));
		assert_eq!(spend(1, 50), Err(Refusal::Spent));
		let payment = pay(voucher(1, 50), 1, b"another order");
		assert_eq!(Vouchers::check(VoucherKind::Claim, &payment, b"another order"), Err(Refusal::Spent));
		assert_eq!(Vouchers::spend(VoucherKind::Claim, &payment, b"another order"), Err(Refusal::Spent));
		for block in 2..=50 {
			go_to(block);
			Vouchers::on_idle(block, Weight::MAX);
			assert_eq!(spend(1, 50), Err(Refusal::Spent), "in block {block}");
		}
		assert_eq!(spend(2, 50), Ok(sponsor));
		go_to(51);
		assert_eq!(spend(1, 50), Err(Refusal::Expired));
	});
}

/// Nobody can tell that it is spent on another fork; when one is left, what was spent on the other comes to nothing.
#[test]
fn on_two_forks_it_is_spent_once_on_each() {
	let orders: [&[u8]; 2] = [b"of one", b"of the other"];
	for (mine, theirs) in [(0, 1), (1, 0)] {
		test(|| {
			let payment = |order| pay(voucher(1, 50), 1, orders[order]);
			assert!(Vouchers::spend(VoucherKind::Claim, &payment(mine), orders[mine]).is_ok());
			for block in 2..=50 {
				go_to(block);
				let again = Vouchers::spend(VoucherKind::Claim, &payment(theirs), orders[theirs]);
				assert_eq!(again, Err(Refusal::Spent), "in block {block}");
			}
			assert_eq!(remembered(), 1);
		});
	}
}

#[test]
fn to_check_changes_nothing_and_what_is_refused_neither() {
	test(|| {
		let payment = pay(voucher(1, 50), 1, ORDER);
		for _ in 0..2 {
			assert!(Vouchers::check(VoucherKind::Claim, &payment, ORDER).is_ok());
		}
		assert_eq!(Vouchers::check(VoucherKind::Claim, &payment, b"other"), Err(Refusal::BadSpending));
		assert_eq!(Vouchers::check(VoucherKind::Register, &payment, ORDER), Err(Refusal::WrongKind));
		assert_eq!(Vouchers::spend(VoucherKind::Register, &payment, ORDER), Err(Refusal::WrongKind));
		let long = pay(voucher(1, 2 + LONGEST), 1, ORDER);
		assert_eq!(Vouchers::spend(VoucherKind::Claim, &long, ORDER), Err(Refusal::TooLong));
		assert_eq!(remembered(), 0);
	});
}

/// Nothing can be spent again after it was forgotten, whatever the block in which it expires.
#[test]
fn what_is_forgotten_has_expired() {
	for expiry in 1..=LONGEST + 1 {
		test(|| {
			assert!(spend(1, expiry).is_ok());
			for block in 2..=2 * LONGEST {
				go_to(block);
				Vouchers::on_idle(block, Weight::MAX);
				check();
				let again = spend(1, expiry);
				assert_eq!(again, Err(if block > expiry { Refusal::Expired } else { Refusal::Spent }), "in {block}");
				if remembered() == 0 {
					assert!(block > expiry);
					return;
				}
			}
			panic!("it was never forgotten");
		});
	}
}

#[test]
fn a_block_forgets_so_many_and_no_more_than_it_has_room_for() {
	test(|| {
		for number in 1..=2 * MAX_FORGOTTEN as u8 + 1 {
			assert!(spend(number, 5).is_ok());
		}
		assert!(spend(100, 95).is_ok());
		go_to(PERIOD);
		let (nothing, one) = (<()>::forget_nothing(), <()>::forget_one());
		assert_eq!(Vouchers::on_idle(PERIOD, Weight::zero()), Weight::zero());
		assert_eq!(remembered(), 10);
		let two = nothing.saturating_add(one.saturating_mul(2));
		assert_eq!(Vouchers::on_idle(PERIOD, two.saturating_add(one.saturating_sub(Weight::from_parts(1, 1)))), two);
		assert_eq!(remembered(), 8);
		Vouchers::on_idle(PERIOD, Weight::MAX);
		assert_eq!((remembered(), Oldest::<Test>::get()), (4, 0));
		Vouchers::on_idle(PERIOD, Weight::MAX);
		assert_eq!((remembered(), Oldest::<Test>::get()), (1, 1));
		// The next period is not over.
		assert_eq!(Vouchers::on_idle(PERIOD, Weight::MAX), nothing);
		assert_eq!((remembered(), Oldest::<Test>::get()), (1, 1));
	});
}

/// After a long time without blocks that had room, nothing is lost, and one period goes with each block.
#[test]
fn periods_are_made_up_for() {
	test(|| {
		assert!(spend(1, 95).is_ok());
		go_to(95);
		for _ in 0..20 {
			Vouchers::on_idle(95, Weight::MAX);
		}
		assert_eq!((remembered(), Oldest::<Test>::get()), (1, 9));
		assert_eq!(spend(1, 95), Err(Refusal::Spent));
		go_to(100);
		Vouchers::on_idle(100, Weight::MAX);
		assert_eq!((remembered(), Oldest::<Test>::get()), (0, 10));
	});
}

/// The period of the last block that there can be is never over.
#[test]
fn in_the_last_block_a_voucher_is_spent_once_and_not_forgotten() {
	test(|| {
		let last = u32::MAX;
		Oldest::<Test>::put(last / PERIOD);
		System::set_block_number(last - LONGEST);
		assert!(spend(1, last).is_ok());
		System::set_block_number(last);
		assert!(spend(2, last).is_ok());
		Vouchers::on_idle(last, Weight::MAX);
		assert_eq!((remembered(), Oldest::<Test>::get()), (2, last / PERIOD));
		assert_eq!((spend(1, last), spend(2, last)), (Err(Refusal::Spent), Err(Refusal::Spent)));
	});
}

/// Such a count is ahead of every block, which no state may be; so the state is not checked.
#[test]
fn the_count_of_periods_that_were_forgotten_goes_no_further_than_its_end() {
	new_test_ext().execute_with(|| {
		Oldest::<Test>::put(u32::MAX);
		assert!(spend(1, 50).is_ok());
		Vouchers::on_idle(1, Weight::MAX);
		assert_eq!((remembered(), Oldest::<Test>::get()), (1, u32::MAX));
		assert_eq!(spend(1, 50), Err(Refusal::Spent));
	});
}

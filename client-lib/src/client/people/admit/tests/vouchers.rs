//! Which vouchers are kept, and which is taken.

use super::*;
use crate::{
	client::{people::pool, GroupError},
	finality::Position,
	voucher::{VoucherRefusal, PERIOD},
};
use codec::Encode;
use lockstep_primitives::{BlockHash, VoucherKey};
use lockstep_verifier::{testing::Validators, Checkpoint, FinalizedChain};

#[test]
fn only_vouchers_for_claims_are_kept_each_once_and_until_they_expire() {
	let mut computer = Computer::with_vouchers(0);
	let other = vec![voucher(VoucherKind::Claim), voucher(VoucherKind::CreateGroup)];
	assert_eq!(computer.keep(other), Err(ClaimVouchersError::OtherKind(VoucherKind::CreateGroup)));
	assert_eq!(computer.left(), 0, "none was kept");
	let one = voucher(VoucherKind::Claim);
	assert_eq!(computer.keep(vec![one.clone(), one.clone()]), Ok(1));
	assert_eq!(computer.keep(vec![one.clone()]), Ok(1));
	let elsewhere = HeldVoucher::issue(&Sponsor::alice(), &GenesisHash([8; 32]), VoucherKind::Claim, 0);
	let refused = Err(ClaimVouchersError::Refused(VoucherRefusal::BadVoucher));
	assert_eq!(computer.keep(vec![voucher(VoucherKind::Claim), elsewhere]), refused, "of another chain");
	assert_eq!(computer.keep(vouchers(256)), Err(ClaimVouchersError::Full { max: 256 }));
	assert_eq!(computer.left(), 1);
	computer.core.finalized = one.voucher().expiry;
	assert_eq!((computer.left(), computer.keep(vec![one])), (0, Ok(0)));
	assert!(pool::free(&computer.core.store.overlay(), 0).unwrap().is_empty(), "it is deleted");
}

/// A claim takes its time.
#[test]
fn one_that_expires_in_a_minute_is_not_taken() {
	let mut computer = Computer::with_vouchers(1);
	let (id, devices, expiry) = (computer.group, [key(PHONE)], voucher(VoucherKind::Claim).voucher().expiry);
	computer.core.finalized = expiry - 64;
	assert_eq!((computer.left(), computer.core.take_voucher(&id, &devices)), (0, Ok(None)));
	let mut computer = Computer::with_vouchers(1);
	computer.core.finalized = expiry - 65;
	assert_eq!(computer.left(), 1);
	let id = computer.group;
	assert!(matches!(computer.core.take_voucher(&id, &devices), Ok(Some((_, true)))));
}

#[test]
fn one_that_is_damaged_is_none_and_hinders_no_other() {
	let mut computer = Computer::with_vouchers(2);
	assert_eq!(computer.core.store.damage("claim voucher", Some(&[2, 0xff])), 2);
	assert_eq!((computer.left(), computer.keep(vouchers(1))), (0, Ok(1)));
	computer.pass(1);
	assert_eq!(computer.claims.len(), 1);
	// So it is with one that is bound, and what was claimed with it is lost.
	assert_eq!(computer.core.store.damage("claim voucher in use", Some(&[2, 0xff])), 1);
	computer.answer(Ok(vec![package(PHONE)]));
	assert!(computer.submitted.is_none() && !computer.is_bound());
	let next = vouchers(1);
	assert_eq!(computer.keep(next.clone()), Ok(1));
	computer.pass(1);
	assert_eq!(computer.claims[0].voucher, next[0]);
}

#[test]
fn of_each_voucher_it_is_said_whether_it_would_be_kept_and_none_is() {
	use ClaimVoucherFit::{Expired, Fit, Kept, Refused, Used};
	let mut computer = Computer::that_claims(1);
	let used = computer.claims[0].voucher.clone();
	let (kept, fresh) = (voucher(VoucherKind::Claim), voucher(VoucherKind::Claim));
	assert_eq!(computer.keep(vec![kept.clone()]), Ok(1));
	let elsewhere = HeldVoucher::issue(&Sponsor::alice(), &GenesisHash([8; 32]), VoucherKind::Claim, 0);
	let other = voucher(VoucherKind::CreateGroup);
	let fits = computer.look_at(vec![used, kept.clone(), fresh.clone(), fresh.clone(), other, elsewhere]);
	let (wrong, forged) = (Refused(VoucherRefusal::WrongKind), Refused(VoucherRefusal::BadVoucher));
	assert_eq!(fits, [Used, Kept, Fit, Kept, wrong, forged]);
	assert_eq!(computer.list(), [*kept.voucher()]);
	computer.core.finalized = fresh.voucher().expiry;
	assert_eq!(computer.look_at(vec![fresh.clone()]), [Expired], "there is no time to claim with it");
	computer.core.finalized += 1;
	assert_eq!(computer.look_at(vec![fresh]), [Expired]);
	assert!(computer.list().is_empty());
}

/// What is said of each is what was done with it: no block, which makes a voucher too long or too old, comes in between.
#[test]
fn those_that_fit_are_kept_and_one_that_does_not_keeps_none_back() {
	use ClaimVoucherFit::{Expired, Fit, Kept, Refused, Used};
	let mut computer = Computer::that_claims(1);
	let used = computer.claims[0].voucher.clone();
	let (kept, fresh, other) =
		(voucher(VoucherKind::Claim), voucher(VoucherKind::Claim), voucher(VoucherKind::CreateGroup));
	let long = HeldVoucher::issue(&Sponsor::alice(), &GENESIS, VoucherKind::Claim, 4 * PERIOD);
	assert_eq!(computer.keep(vec![kept.clone()]), Ok(1));
	let given = vec![used, kept.clone(), fresh.clone(), fresh.clone(), other, long.clone()];
	let fits = vec![Used, Kept, Fit, Kept, Refused(VoucherRefusal::WrongKind), Refused(VoucherRefusal::TooLong)];
	assert_eq!(computer.keep_fitting(given), Ok((fits, 2)));
	let listed: Vec<VoucherKey> = computer.list().iter().map(|voucher| voucher.key).collect();
	let of_use = [kept.voucher().key, fresh.voucher().key];
	assert!(listed.len() == 2 && of_use.iter().all(|key| listed.contains(key)), "{listed:?}");
	assert_eq!(computer.keep_fitting(vouchers(255)), Err(ClaimVouchersError::Full { max: 256 }));
	assert_eq!(computer.left(), 2, "none of them");
	computer.core.finalized = fresh.voucher().expiry;
	assert_eq!(computer.keep_fitting(vec![fresh]), Ok((vec![Expired], 0)));
	// Before it has heard of a block it does not know that this one is too long, and keeps what it says it does.
	computer.reopen();
	assert_eq!(computer.keep_fitting(vec![long]), Ok((vec![Fit], 1)));
}

/// A client that was away, or is new, may be asked before it has heard of a block.
#[test]
fn before_a_block_is_heard_of_no_voucher_is_taken_to_be_good_for_too_long() {
	let mut computer = Computer::with_vouchers(0);
	let issue = |genesis: &GenesisHash| HeldVoucher::issue(&Sponsor::alice(), genesis, VoucherKind::Claim, 4 * PERIOD);
	let (late, elsewhere) = (issue(&GENESIS), issue(&GenesisHash([8; 32])));
	let refused = |refusal| Err(ClaimVouchersError::Refused(refusal));
	assert_eq!(computer.keep(vec![late.clone()]), refused(VoucherRefusal::TooLong));
	computer.reopen();
	assert_eq!(computer.keep(vec![elsewhere]), refused(VoucherRefusal::BadVoucher), "it is looked at all the same");
	assert_eq!(computer.keep(vec![late]), Ok(1));
}

#[test]
fn one_that_is_or_was_in_use_is_not_kept_again() {
	let mut computer = Computer::that_claims(1);
	let same = computer.claims[0].voucher.clone();
	assert_eq!(computer.keep(vec![same.clone()]), Ok(0));
	computer.answer(Ok(vec![package(PHONE)]));
	computer.win();
	computer.pass(1);
	assert_eq!((computer.is_bound(), computer.keep(vec![same.clone()])), (false, Ok(0)), "its KeyPackage is used");
	computer.reopen();
	assert_eq!(computer.keep(vec![same]), Ok(0));
}

#[test]
fn that_of_a_group_which_is_over_is_given_up() {
	let mut computer = Computer::that_claims(1);
	let same = computer.claims[0].voucher.clone();
	computer.core.groups.get_mut(&computer.group).unwrap().halted = Some(GroupError::Gone(computer.group));
	assert_eq!(computer.keep(vec![same.clone()]), Ok(0));
	assert!(!computer.is_bound());
	assert_eq!(computer.keep(vec![same]), Ok(0), "it is perhaps spent");
}

#[test]
fn the_one_that_expires_first_is_taken_and_last_those_of_a_sponsor_without_funds() {
	let mut computer = Computer::with_vouchers(0);
	let poor = Sponsor::from_seed([5; 32]);
	let issue = |sponsor: &Sponsor, now| HeldVoucher::issue(sponsor, &GENESIS, VoucherKind::Claim, now);
	let (late, first) = (issue(&Sponsor::alice(), PERIOD), issue(&poor, 0));
	assert_eq!(computer.keep(vec![late.clone(), first.clone(), issue(&poor, 0)]), Ok(3));
	computer.pass(1);
	let taken = computer.claims[0].voucher.clone();
	assert_eq!(taken.voucher().sponsor, first.voucher().sponsor);
	computer.fail(NotAddedBecause::Voucher(VoucherRefusal::NoFunds), VoucherIs::Doubted);
	// This group keeps its voucher, and another takes one of the other sponsor.
	computer.found();
	computer.pass(1);
	assert_eq!(computer.claims[0].voucher, late);
}

#[test]
fn what_was_claimed_with_another_voucher_is_not_added() {
	let mut computer = Computer::that_claims(2);
	computer.claims[0].voucher = voucher(VoucherKind::Claim);
	computer.answer(Ok(vec![package(PHONE)]));
	computer.pass(1);
	assert!(computer.submitted.is_none() && computer.is_bound());
}

#[test]
fn vouchers_that_come_while_a_claim_is_on_its_way_change_nothing_of_it() {
	let mut computer = Computer::that_claims(1);
	assert_eq!(computer.keep(vouchers(2)), Ok(2));
	computer.answer(Ok(vec![package(PHONE)]));
	computer.win();
	assert_eq!((computer.devices(), computer.left()), (2, 2));
}

#[test]
fn with_the_secret_of_the_gate_it_claims_at_once() {
	let mut computer = Computer::that_claims(1);
	computer.fail(NotAddedBecause::GateClosed, VoucherIs::NotShown);
	computer.pass(1);
	assert!(computer.claims.is_empty());
	let (reply, mut answer) = oneshot::channel();
	computer.core.on_pool(PoolCommand::Gate(Some(Seed::new([9; 32])), reply));
	assert_eq!(answer.try_recv().unwrap(), Ok(()));
	computer.pass(1);
	assert_eq!(computer.claims[0].gate.as_ref().map(Seed::key), Some(key([9; 32])));
}

#[test]
fn the_secret_of_the_gate_goes_along_and_is_stored() {
	let mut computer = Computer::that_claims(1);
	assert_eq!(computer.claims[0].gate, None);
	let (reply, mut answer) = oneshot::channel();
	computer.core.on_pool(PoolCommand::Gate(Some(Seed::new([9; 32])), reply));
	assert_eq!(answer.try_recv().unwrap(), Ok(()));
	computer.reopen();
	computer.pass(1);
	assert_eq!(computer.claims[0].gate.as_ref().map(Seed::key), Some(key([9; 32])));
}

#[test]
fn before_a_block_is_heard_of_the_verified_position_says_what_has_expired() {
	let mut computer = Computer::with_vouchers(2);
	let number = voucher(VoucherKind::Claim).voucher().expiry;
	let set = Validators::new(0, 4).set();
	let checkpoint = Checkpoint { genesis: GENESIS, number, hash: BlockHash([1; 32]), state_root: None, set };
	let position = Position::of_bytes(FinalizedChain::from_checkpoint(checkpoint).encode());
	position.keep(&computer.core.store).unwrap();
	computer.reopen();
	assert_eq!(computer.left(), 0);
	let fresh = HeldVoucher::issue(&Sponsor::alice(), &GENESIS, VoucherKind::Claim, number);
	assert_eq!(computer.keep(vec![fresh]), Ok(1));
}

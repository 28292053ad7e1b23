//! Who claims, and when.

use super::*;
use crate::{client::group::Group, mls::SignerSeed};

/// The computer and the phone are in the group; the tablet is to come in.
fn with_phone() -> Computer {
	let mut computer = Computer::that_claims(3);
	computer.answer(Ok(vec![package(PHONE)]));
	computer.win();
	computer.pass(1);
	assert_eq!((computer.devices(), computer.is_bound()), (2, false));
	computer.knows(&[(0, &[COMPUTER, PHONE, TABLET])], &[]);
	computer
}

/// How long this member waits for the others of its person.
fn turn(computer: &Computer, device: [u8; 32]) -> BlockNumber {
	let view = computer.core.engine.group(&computer.core.store.overlay(), &computer.group).unwrap().unwrap();
	let device = MemberDevice { identity: HexBytes(ANNA.0.to_vec()), key: HexBytes(key(device).0.to_vec()) };
	wait(&view, &[], &device, &computer.group)
}

fn dues(computer: &Computer) -> Vec<(IdentityKey, BlockNumber)> {
	let group = computer.core.groups.get(&computer.group).unwrap();
	group.admitting.due.iter().map(|due| (due.device, due.at)).collect()
}

#[test]
fn who_is_alone_reads_the_log_of_its_own_person() {
	let mut computer = Computer::alone();
	computer.pass(10);
	assert_eq!(computer.looks_up, [ANNA], "once, until it is read");
	computer.reopen();
	computer.pass(10);
	assert_eq!(computer.looks_up, [ANNA, ANNA], "it was closed before the log was read");
	// From then on it hears of changes.
	computer.knows(&[(0, &[COMPUTER])], &[]);
	computer.pass(1);
	computer.reopen();
	computer.pass(10);
	assert_eq!(computer.looks_up, [ANNA, ANNA]);
}

#[test]
fn a_log_of_its_own_person_that_could_not_be_stored_is_read_again() {
	let mut computer = Computer::alone();
	computer.pass(1);
	computer.disk.fail_writes(0, 1);
	computer.knows(&[(0, &[COMPUTER])], &[]);
	computer.disk.fail_writes(0, 0);
	computer.pass(10);
	assert_eq!(computer.looks_up, [ANNA, ANNA]);
	computer.knows(&[(0, &[COMPUTER])], &[]);
	computer.pass(10);
	assert_eq!(computer.looks_up, [ANNA, ANNA], "it is stored");
}

#[test]
fn two_devices_do_not_meet() {
	// Which of them is first depends on the group.
	for _ in 0..4 {
		let mut computer = with_phone();
		let wait = turn(&computer, TABLET);
		assert!(wait == 0 || wait == TURN);
		assert_eq!(computer.claims_after(2 * TURN), Some(1 + wait));
		// The other one finds nothing, either, before this one looks again, and stays as much behind.
		computer.fail(NotAddedBecause::NoKeyPackages, VoucherIs::NotShown);
		assert_eq!(computer.claims_after(4 * TURN), Some(2 * TURN + wait));
	}
}

#[test]
fn after_a_restart_what_was_begun_goes_on_at_once_and_nothing_else_does() {
	let mut computer = with_phone();
	computer.pass(1 + TURN);
	assert_eq!(computer.claims.len(), 1);
	computer.reopen();
	computer.knows(&[(0, &[COMPUTER, PHONE, TABLET, [14; 32]])], &[]);
	computer.pass(1);
	let (begun, fresh) = (key(TABLET), key([14; 32]));
	let wait = turn(&computer, [14; 32]);
	let mut expected = vec![(begun, 0), (fresh, computer.block + wait)];
	let mut found = dues(&computer);
	expected.sort();
	found.sort();
	assert_eq!((found, computer.claims.len()), (expected, 1));
}

#[test]
fn a_device_that_has_another_key_by_now_brings_in_nobody() {
	let other = [21; 32];
	for (newest, rotated) in [(vec![PHONE], vec![]), (vec![other, PHONE], vec![(COMPUTER, other)])] {
		let mut computer = Computer::with_vouchers(1);
		computer.knows(&[(0, &[COMPUTER, PHONE]), (1, &newest)], &rotated);
		computer.pass(AGAIN);
		assert_eq!((computer.claims.len(), computer.left()), (0, 1));
		// Nor does it give up what it has begun.
		let mut computer = Computer::that_claims(1);
		computer.knows(&[(0, &[COMPUTER, PHONE]), (1, &newest)], &rotated);
		computer.pass(1);
		assert!(computer.is_bound());
	}
}

#[test]
fn a_device_whose_key_was_rotated_is_not_brought_in_again() {
	let mut computer = with_phone();
	let other = [22; 32];
	computer.knows(&[(0, &[COMPUTER, PHONE]), (1, &[COMPUTER, other])], &[(PHONE, other)]);
	assert_eq!(computer.claims_after(2 * AGAIN), None);
	assert_eq!((computer.left(), computer.told().0), (2, 0));
}

#[test]
fn one_claim_at_a_time_of_all_groups() {
	let mut computer = Computer::with_vouchers(2);
	let first = computer.group;
	computer.found();
	let groups = [first, computer.group];
	computer.pass(3);
	let [claim] = &computer.claims[..] else { panic!("one claim") };
	let claimed = claim.group;
	assert!(groups.contains(&claimed));
	computer.fail(NotAddedBecause::NoKeyPackages, VoucherIs::NotShown);
	computer.pass(1);
	let [claim] = &computer.claims[..] else { panic!("one claim") };
	assert!(groups.contains(&claim.group) && claim.group != claimed);
}

#[test]
fn nothing_is_claimed_while_something_else_is_to_be_done() {
	let hinder: [fn(&mut Group); 3] = [
		|group| group.leaving = true,
		|group| {
			let update = Operation::own(Intent::Update, false);
			group.waiting.push_back(Operation { not_before: 1_000, ..update });
		},
		|group| group.caught_up = false,
	];
	for hinder in hinder {
		let mut computer = Computer::with_vouchers(1);
		let id = computer.group;
		computer.pass(1);
		computer.fail(NotAddedBecause::NoKeyPackages, VoucherIs::NotShown);
		computer.core.finalized += AGAIN;
		hinder(computer.core.groups.get_mut(&id).unwrap());
		computer.core.admit(&id);
		computer.act();
		assert!(computer.claims.is_empty() && computer.left() == 1);
	}
}

#[test]
fn nothing_is_claimed_while_a_commit_is_on_its_way() {
	let mut computer = Computer::with_vouchers(1);
	computer.core.commit(&computer.group, Intent::Update, false, None, None);
	computer.act();
	computer.pass(3);
	assert!(computer.claims.is_empty() && computer.left() == 1);
	computer.win();
	assert_eq!(computer.claims.len(), 1);
}

#[test]
fn who_is_leaving_adds_nobody() {
	let mut computer = Computer::that_claims(1);
	computer.core.groups.get_mut(&computer.group).unwrap().leaving = true;
	computer.answer(Ok(vec![package(PHONE)]));
	assert!(computer.submitted.is_none() && computer.is_bound());
}

/// What it is about may have changed in entries that were not read yet.
#[test]
fn what_is_claimed_while_the_log_is_not_read_to_its_end_is_claimed_again() {
	let mut computer = Computer::that_claims(2);
	let claim = computer.claims[0].clone();
	computer.core.fall_behind();
	computer.answer(Ok(vec![package(PHONE)]));
	assert!(computer.submitted.is_none() && computer.is_bound());
	computer.pass(1);
	assert!(computer.submitted.is_none(), "nothing waits for the end of the log");
	assert_eq!(computer.claims, [claim], "the same voucher gives the same again");
	computer.answer(Ok(vec![package(PHONE)]));
	computer.win();
	assert_eq!((computer.devices(), computer.left()), (2, 1));
}

/// This device was revoked, or has another key by now. Another device of the person may need what was claimed.
#[test]
fn an_answer_to_a_device_that_brings_in_nobody_any_more_costs_no_voucher() {
	let other = [21; 32];
	for (newest, rotated) in [(vec![PHONE], vec![]), (vec![other, PHONE], vec![(COMPUTER, other)])] {
		let mut computer = Computer::that_claims(1);
		computer.knows(&[(0, &[COMPUTER, PHONE]), (1, &newest)], &rotated);
		computer.pass(1);
		assert!(dues(&computer).is_empty());
		computer.answer(Ok(vec![package(PHONE)]));
		assert!(computer.submitted.is_none() && computer.is_bound());
		assert_eq!(computer.told().1, []);
	}
}

/// Whoever's log is read while it cannot be done yet.
#[test]
fn a_leaf_gets_the_key_that_its_device_has_by_now() {
	let (mut computer, other) = (Computer::with_vouchers(0), [21; 32]);
	let group = computer.group;
	computer.core.commit(&group, Intent::Update, false, None, None);
	computer.act();
	let update = computer.submitted.take();
	computer.knows(&[(0, &[COMPUTER]), (1_000, &[other])], &[(COMPUTER, other)]);
	computer.core.change_signer(SignerSeed::new(other)).unwrap();
	computer.pass(1);
	computer.core.groups.get_mut(&group).unwrap().retiring.suspect(IdentityId([9; 32]));
	computer.pass(1);
	computer.submitted = update;
	computer.win();
	computer.jump(1_000);
	computer.win();
	let view = computer.core.engine.group(&computer.core.store.overlay(), &group).unwrap().unwrap();
	assert_eq!(view.me, [&ANNA.0[..], &key(other).0].concat());
}

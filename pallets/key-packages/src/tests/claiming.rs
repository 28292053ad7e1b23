//! What a claim gets.

use crate::{mock::*, Claims, Event};
use codec::Encode;
use lockstep_primitives::{
	key_package::{Claim, GateChange, KeyPackageRefusal as Refusal, Publication, MAX_STOCK},
	voucher::{Payment, VoucherRefusal},
	IdentityId, VoucherKey,
};
use std::collections::BTreeSet;

const ANNA: u32 = 1;
const GATE: u32 = 77;

#[test]
fn a_claim_gets_one_of_each_device_the_oldest_first() {
	test(|| {
		let anna = person(ANNA);
		add_device(anna, ANNA, 3);
		add_device(anna, ANNA, 4);
		fill(anna, ANNA, 0..2, None);
		fill(anna, 3, 0..5, Some(100));
		// The device 4 has published nothing.
		let got = claim(&claim_of(anna), 50).unwrap();
		assert_eq!(got, [(package(anna, ANNA, 0), false), (package(anna, 3, 0), false)]);
		assert_eq!((left(ANNA), left(3)), (1, 4));
		let voucher = VoucherKey(key(50).0);
		assert!(events().contains(&Event::KeyPackagesClaimed { target: anna, voucher, packages: 2 }));
	});
}

/// Clients read the beginning by proof (`lockstep_verifier::layout::claimed`).
#[test]
fn what_is_kept_of_a_claim_begins_with_what_it_got() {
	test(|| {
		let anna = person(ANNA);
		fill(anna, ANNA, 0..2, None);
		claim(&claim_of(anna), 50).unwrap();
		let voucher = VoucherKey(key(50).0);
		let raw = sp_io::storage::get(&Claims::<Test>::hashed_key_for(voucher)).unwrap();
		let got = KeyPackagesPallet::claimed(voucher).unwrap();
		assert!(raw.starts_with(&got.encode()));
	});
}

/// Many claims of few KeyPackages: each is given out once, and the last resort is flagged once.
#[test]
fn no_key_package_is_given_out_twice() {
	test(|| {
		let anna = person(ANNA);
		fill(anna, ANNA, 0..MAX_STOCK, Some(1000));
		skip(1);
		let (mut given, mut last_resorts) = (BTreeSet::new(), 0);
		for number in 0..CLAIM_BURST {
			let (package, last_resort) = claim(&claim_of(anna), 10_000 + number).unwrap().pop().unwrap();
			if last_resort {
				last_resorts += 1;
			} else {
				assert!(given.insert(package), "given out twice");
			}
		}
		assert_eq!((given.len() as u32, last_resorts), (MAX_STOCK, CLAIM_BURST - MAX_STOCK));
		let (identity, device) = (anna, key(ANNA));
		let of = |wanted: Event<Test>| events().iter().filter(|event| **event == wanted).count();
		assert_eq!(of(Event::LastResortUsed { identity, device }), 1);
		assert_eq!(of(Event::StockLow { identity, device, left: LOW }), 1);
		assert_eq!(of(Event::StockLow { identity, device, left: 0 }), 1);
		assert_eq!(stock(ANNA).unwrap().must_replace, Some(now()));
		// A drain ends there, for everybody, and goes on slowly.
		assert_claim_refused(&claim_of(anna), 20_000, Refusal::TooManyClaims);
		skip(CLAIM_EVERY);
		claim(&claim_of(anna), 20_000).unwrap();
		assert_claim_refused(&claim_of(anna), 20_001, Refusal::TooManyClaims);
	});
}

#[test]
fn a_last_resort_that_was_used_is_to_be_replaced() {
	test(|| {
		let anna = person(ANNA);
		fill(anna, ANNA, [], Some(100));
		assert!(claim(&claim_of(anna), 50).unwrap()[0].1);
		let used = stock(ANNA).unwrap().must_replace;
		assert!(used.is_some());
		// Nor is it cleared away, alone or for KeyPackages: then those would be taken without a new one.
		let replacing = |packages: Option<u32>, last_resort| {
			sign(Publication { replace: true, ..publication(anna, ANNA, packages, last_resort) }, ANNA)
		};
		let assert_not_shed = || {
			assert_refused(&replacing(None, None), Refusal::LastResortDue);
			assert_refused(&replacing(Some(1), None), Refusal::LastResortDue);
			assert_eq!(stock(ANNA).unwrap().must_replace, used);
		};
		assert_not_shed();
		skip(GRACE);
		fill(anna, ANNA, 0..1, None);
		assert_not_shed();
		skip(1);
		assert_refused(&sign(publication(anna, ANNA, 1..2, None), ANNA), Refusal::LastResortDue);
		assert_not_shed();
		fill(anna, ANNA, 1..2, Some(101));
		assert_eq!(stock(ANNA).unwrap().must_replace, None);
		fill(anna, ANNA, 2..3, None);
		// One that was not used goes at any time, and one that was used for a new one.
		publish(&replacing(None, None)).unwrap();
		assert_eq!(stock(ANNA).unwrap().last_resort, None);
		fill(anna, ANNA, [], Some(102));
		assert!(claim(&claim_of(anna), 51).unwrap()[0].1);
		publish(&replacing(None, Some(103))).unwrap();
		assert_eq!((stock(ANNA).unwrap().must_replace, left(ANNA)), (None, 0));
		assert_eq!(claim(&claim_of(anna), 52).unwrap(), [(package(anna, ANNA, 103), true)]);
	});
}

#[test]
fn a_voucher_buys_one_claim_of_one_person() {
	test(|| {
		let (anna, boris) = (person(ANNA), person(2));
		fill(anna, ANNA, 0..4, None);
		fill(boris, 2, 0..4, None);
		let (asked, other) = (claim_of(anna), claim_of(boris));
		let payment = pay(&asked, 50);
		// Whoever sees it can claim nothing else by it: no other person, no other suites, through no other gate.
		let of_boris = pay_and_apply(&other, &payment).map_err(code);
		assert_eq!(of_boris, Err(VoucherRefusal::BadSpending.code()));
		let more = Claim { suites: vec![1, 3].try_into().unwrap(), ..asked.clone() };
		assert_eq!(pay_and_apply(&more, &payment).map_err(code), Err(VoucherRefusal::BadSpending.code()));
		let gated = through_gate(asked.clone(), GATE, 50);
		assert_eq!(pay_and_apply(&gated, &payment).map_err(code), Err(VoucherRefusal::BadSpending.code()));
		pay_and_apply(&asked, &payment).unwrap();
		// In the same block, and in later ones.
		for blocks in [0, 1, 30] {
			skip(blocks);
			assert_eq!(pay_and_apply(&asked, &payment).map_err(code), Err(VoucherRefusal::Spent.code()));
		}
		assert_eq!((left(ANNA), left(2)), (3, 4));
		// The pool holds one use of a voucher.
		let tags = |claim: &Claim| validate(claim_call(claim, &pay(claim, 51))).unwrap().provides;
		assert_eq!(tags(&asked), tags(&other));
	});
}

/// Two claims with one voucher: on each fork the one that is there first counts, in the same block, later, and when what it got is
/// forgotten.
#[test]
fn on_two_forks_a_voucher_claims_once_on_each() {
	for swapped in [false, true] {
		test(|| {
			let (anna, boris) = (person(ANNA), person(2));
			fill(anna, ANNA, 0..4, Some(100));
			fill(boris, 2, 0..4, Some(100));
			let expiry = now() + 500;
			let mut claims = [anna, boris].map(|target| {
				let asked = claim_of(target);
				let payment = pay_by(1, &asked, 50, expiry);
				(asked, payment)
			});
			if swapped {
				claims.reverse();
			}
			let [(first, paid), (second, paid_too)] = claims;
			assert_eq!(paid.voucher, paid_too.voucher);
			pay_and_apply(&first, &paid).unwrap();
			for blocks in [0, 1, CLAIM_LIFE, 1] {
				skip(blocks);
				crate::Pallet::<Test>::tidy(frame_support::weights::Weight::MAX);
				assert_eq!(pay_and_apply(&second, &paid_too).map_err(code), Err(VoucherRefusal::Spent.code()));
			}
			assert_eq!(left(ANNA) + left(2), 7);
		});
	}
}

/// Whoever signs vouchers pays for them, or they are worth nothing.
#[test]
fn a_sponsor_pays_for_each_claim_while_it_is_kept() {
	test(|| {
		let anna = person(ANNA);
		fill(anna, ANNA, 0..9, None);
		let asked = claim_of(anna);
		let free = pay_by(99, &asked, 50, now() + 500);
		assert_eq!(pay_and_apply(&asked, &free).map_err(code), Err(VoucherRefusal::NoFunds.code()));
		assert_eq!((left(ANNA), held()), (9, 0));
		for number in 0..3 {
			claim(&asked, 50 + number).unwrap();
		}
		assert_eq!(held(), 3 * CLAIM_DEPOSIT);
	});
}

/// What was authorised is given out without another look at signatures, so nobody else gets anything.
#[test]
fn nothing_is_given_out_that_was_not_authorised() {
	test(|| {
		let anna = person(ANNA);
		fill(anna, ANNA, 0..9, None);
		let asked = claim_of(anna);
		let payment = pay(&asked, 50);
		for origin in [RuntimeOrigin::none(), RuntimeOrigin::root(), RuntimeOrigin::signed(SPONSOR)] {
			assert!(KeyPackagesPallet::claim(origin, asked.clone(), payment).is_err());
		}
		let forged = Payment { spent: pay(&asked, 51).spent, ..payment };
		assert_eq!(pay_and_apply(&asked, &forged).map_err(code), Err(VoucherRefusal::BadSpending.code()));
		assert_eq!((left(ANNA), held()), (9, 0));
	});
}

/// A claim is weighed at its worst before it is authorised, and by what it has looked at afterwards.
#[test]
fn a_claim_weighs_what_it_looks_at() {
	test(|| {
		let (anna, boris) = (person(ANNA), person(2));
		add_device(boris, 2, 3);
		fill(anna, ANNA, 0..2, None);
		let later =
			lockstep_primitives::key_package::Publication { lapse: now() + 500, ..publication(anna, ANNA, 5..8, None) };
		publish(&sign(later, ANNA)).unwrap();
		fill(boris, 2, 0..4, None);
		let weigh = |target, number| {
			let asked = claim_of(target);
			let payment = pay(&asked, number);
			let (declared, actual) = weigh(&asked, &payment);
			assert!(actual.all_lte(declared));
			(declared, actual)
		};
		let ((most, one), (same, two)) = (weigh(anna, 50), weigh(boris, 51));
		assert_eq!(most, same);
		assert!(one.ref_time() < two.ref_time() && two.ref_time() * 3 < most.ref_time());
		// One of two that have lapsed is left.
		skip(101);
		let (_, passing) = weigh(anna, 52);
		assert!(one.ref_time() < passing.ref_time());
		assert_eq!((left(ANNA), stored(ANNA)), (2, 2));
	});
}

/// What a claim got is kept by the key of its voucher, and the room for its Welcomes is given by it.
#[test]
fn vouchers_with_one_key_claim_once() {
	test(|| {
		let anna = person(ANNA);
		fill(anna, ANNA, 0..9, None);
		let asked = claim_of(anna);
		pay_and_apply(&asked, &pay_by(1, &asked, 50, now() + 500)).unwrap();
		for blocks in [0, 3] {
			skip(blocks);
			let other = pay_by(1, &asked, 50, now() + 400);
			assert_eq!(pay_and_apply(&asked, &other).map_err(code), Err(Refusal::AlreadyClaimed.code()));
		}
		assert_eq!((left(ANNA), granted(), held()), (8, 1, CLAIM_DEPOSIT));
	});
}

/// However many are passed over.
#[test]
fn a_low_stock_is_told_whenever_it_gets_low() {
	test(|| {
		let anna = person(ANNA);
		fill(anna, ANNA, 0..4, None);
		let later = lockstep_primitives::key_package::Publication {
			lapse: now() + 500,
			..publication(anna, ANNA, 10..10 + LOW, None)
		};
		publish(&sign(later, ANNA)).unwrap();
		skip(101);
		claim(&claim_of(anna), 50).unwrap();
		let (identity, device) = (anna, key(ANNA));
		assert!(events().contains(&Event::StockLow { identity, device, left: LOW - 1 }));
	});
}

#[test]
fn a_claim_that_cannot_be_met_costs_nothing() {
	test(|| {
		let anna = person(ANNA);
		assert_claim_refused(&claim_of(anna), 50, Refusal::NothingLeft);
		assert_claim_refused(&claim_of(IdentityId([9; 32])), 50, Refusal::UnknownTarget);
		fill(anna, ANNA, 0..1, None);
		for suites in [vec![], vec![2, 3, 0xffff]] {
			let suites = suites.try_into().unwrap();
			assert_claim_refused(&Claim { suites, ..claim_of(anna) }, 50, Refusal::Suite);
		}
		claim(&claim_of(anna), 50).unwrap();
		assert_claim_refused(&claim_of(anna), 51, Refusal::NothingLeft);
	});
}

#[test]
fn what_has_lapsed_is_not_given_out() {
	test(|| {
		let anna = person(ANNA);
		fill(anna, ANNA, 0..1, Some(100));
		let later =
			lockstep_primitives::key_package::Publication { lapse: now() + 101, ..publication(anna, ANNA, 1..2, None) };
		publish(&sign(later, ANNA)).unwrap();
		skip(100);
		assert_eq!(claim(&claim_of(anna), 50).unwrap(), [(package(anna, ANNA, 0), false)]);
		skip(1);
		assert_eq!(claim(&claim_of(anna), 51).unwrap(), [(package(anna, ANNA, 1), false)]);
		// The last resort has lapsed, too.
		assert_claim_refused(&claim_of(anna), 52, Refusal::NothingLeft);
	});
}

/// One that has lapsed is passed over, and goes.
#[test]
fn a_claim_passes_over_what_has_lapsed() {
	test(|| {
		let anna = person(ANNA);
		fill(anna, ANNA, 0..3, None);
		let later =
			lockstep_primitives::key_package::Publication { lapse: now() + 500, ..publication(anna, ANNA, 3..5, None) };
		publish(&sign(later, ANNA)).unwrap();
		skip(101);
		assert_eq!(claim(&claim_of(anna), 50).unwrap(), [(package(anna, ANNA, 3), false)]);
		assert_eq!((left(ANNA), stored(ANNA)), (1, 1));
	});
}

/// Of those that have lapsed eight are looked at, whatever there is behind them.
#[test]
fn a_claim_looks_at_eight_of_a_device() {
	for (lapsed, expected) in [(7, (9, false)), (8, (100, true))] {
		test(|| {
			let anna = person(ANNA);
			fill(anna, ANNA, 0..lapsed, None);
			let later = lockstep_primitives::key_package::Publication {
				lapse: now() + 500,
				..publication(anna, ANNA, 9..10, Some(100))
			};
			publish(&sign(later, ANNA)).unwrap();
			skip(101);
			let (number, last_resort) = expected;
			assert_eq!(claim(&claim_of(anna), 50).unwrap(), [(package(anna, ANNA, number), last_resort)]);
		});
	}
}

/// What costs least is looked at first, and whoever shows a gate's signature pays for the look.
#[test]
fn a_spent_voucher_is_told_from_the_record_and_a_gate_weighs() {
	test(|| {
		let anna = person(ANNA);
		fill(anna, ANNA, 0..9, None);
		let asked = claim_of(anna);
		let payment = pay(&asked, 50);
		let (_, open) = weigh(&asked, &payment);
		set_gate(anna, ANNA, Some(GATE)).unwrap();
		// The gate is closed to it now, and its signature is of no use either: it is spent all the same.
		let forged = Payment { spent: pay(&asked, 51).spent, ..payment };
		for payment in [&payment, &forged] {
			assert_eq!(pay_and_apply(&asked, payment).map_err(code), Err(VoucherRefusal::Spent.code()));
		}
		let gated = through_gate(asked, GATE, 52);
		let (_, through) = weigh(&gated, &pay(&gated, 52));
		assert!(through.ref_time() >= open.ref_time() + <() as crate::WeightInfo>::pass_gate().ref_time());
	});
}

#[test]
fn whoever_has_a_gate_is_claimed_by_contacts_alone() {
	test(|| {
		let anna = person(ANNA);
		fill(anna, ANNA, 0..9, Some(100));
		set_gate(anna, ANNA, Some(GATE)).unwrap();
		let open = claim_of(anna);
		assert_claim_refused(&open, 50, Refusal::GateClosed);
		assert_claim_refused(&through_gate(open.clone(), GATE + 1, 50), 50, Refusal::GateClosed);
		// A contact's claim for another voucher, or for other suites.
		assert_claim_refused(&through_gate(open.clone(), GATE, 51), 50, Refusal::GateClosed);
		let more = Claim { suites: vec![1, 3].try_into().unwrap(), ..through_gate(open.clone(), GATE, 50) };
		assert_claim_refused(&more, 50, Refusal::GateClosed);
		claim(&through_gate(open.clone(), GATE, 50), 50).unwrap();
		// Open again, for all.
		set_gate(anna, ANNA, None).unwrap();
		claim(&open, 51).unwrap();
		claim(&through_gate(open, GATE, 52), 52).unwrap();
	});
}

#[test]
fn a_gate_is_changed_by_a_device_of_the_person_once() {
	test(|| {
		let anna = person(ANNA);
		person(2);
		let change = GateChange { identity: anna, device: key(ANNA), number: 0, gate: Some(key(GATE)) };
		assert_eq!(set_gate_signed(change, 2), Err(Refusal::BadSignature));
		let strange = GateChange { device: key(2), ..change };
		assert_eq!(set_gate_signed(strange, 2), Err(Refusal::UnknownDevice));
		assert_eq!(set_gate_signed(GateChange { number: 1, ..change }, ANNA), Err(Refusal::BadSequence));
		set_gate_signed(change, ANNA).unwrap();
		set_gate(anna, ANNA, None).unwrap();
		assert_eq!(set_gate_signed(change, ANNA), Err(Refusal::BadSequence), "an old one, replayed");
	});
}

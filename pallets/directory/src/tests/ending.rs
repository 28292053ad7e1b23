//! How an identity ends, and when its deposit comes back.

use crate::{mock::*, Error, Event as Happened, HoldReason};
use frame_support::{assert_noop, assert_ok, traits::fungible::InspectHold};
use lockstep_primitives::{
	identity::{Action, IdentityRefusal as Refusal},
	IdentityId,
};

fn reclaim(by: u64, id: IdentityId) -> sp_runtime::DispatchResult {
	Directory::reclaim(RuntimeOrigin::signed(by), id)
}

#[test]
fn the_deposit_comes_back_when_no_recovery_can_open_it_again() {
	test(|| {
		let first = inception(1, 101, &[201]);
		let id = first.event.identity;
		assert_ok!(register(&first));
		assert_noop!(reclaim(SPONSOR, id), Error::<Test>::NotEnded);
		assert_eq!(record(&next(id, 1, Action::SetOperator(None), None)), Ok(()));
		skip(2 * WINDOW);
		assert_noop!(reclaim(SPONSOR, id), Error::<Test>::NotEnded);
		let close = next(id, 101, Action::Close, None);
		assert_eq!(record(&close), Ok(()));
		System::assert_has_event(Happened::IdentityClosed { identity: id }.into());
		let recovered = |from| Action::Recover {
			rank: 0,
			from,
			revoked: revoked(&[]),
			device: device(3, 103),
			recovery: recovery(&[202]),
		};
		skip(WINDOW);
		assert_noop!(reclaim(SPONSOR, id), Error::<Test>::NotEnded);
		assert!(validate(&next(id, 201, recovered(2), Some(3))).is_ok(), "the last block in which it can be opened");
		skip(1);
		assert_refused(&next(id, 201, recovered(2), Some(3)), Refusal::TooLate);
		assert_refused(&next(id, 201, recovered(3), Some(3)), Refusal::Closed);
		let again = next(id, 1, Action::SetOperator(None), None);
		assert_refused(&again, Refusal::Closed);
		assert_noop!(reclaim(OTHER, id), Error::<Test>::NotSponsor);
		assert_ok!(reclaim(SPONSOR, id));
		System::assert_has_event(Happened::IdentityEnded { identity: id }.into());
		assert_eq!(Balances::balance_on_hold(&HoldReason::Identity.into(), &SPONSOR), 0);
		// it does not begin again, and its keys stay used
		assert_refused(&again, Refusal::Closed);
		assert_noop!(register(&first), Error::<Test>::Closed);
		assert_noop!(register(&inception(1, 102, &[])), Error::<Test>::KeyUsed);
		assert_noop!(reclaim(SPONSOR, id), Error::<Test>::UnknownIdentity);
	});
}

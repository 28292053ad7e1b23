//! Who decides: root, which is `Sudo` on local chains, or the operators together.

use crate::*;
use frame_support::{
	parameter_types,
	traits::{ConstU32, Contains, EitherOfDiverse},
};
use frame_system::EnsureRoot;
use pallet_collective::{DefaultVote, EnsureProportionAtLeast, MemberCount};
use sp_runtime::Perbill;

/// The instance of the collective that the operators form.
pub type OperatorsCollective = pallet_collective::Instance1;

/// Root, or at least two thirds of the operators.
pub type OperatorsMajority =
	EitherOfDiverse<EnsureRoot<AccountId>, EnsureProportionAtLeast<AccountId, OperatorsCollective, 2, 3>>;

parameter_types! {
	/// A motion is executed within a block that holds other things, too.
	pub MaxMotionWeight: Weight = Perbill::from_percent(50) * MAX_BLOCK_WEIGHT;
}

impl pallet_collective::Config<OperatorsCollective> for Runtime {
	type RuntimeOrigin = RuntimeOrigin;
	type RuntimeEvent = RuntimeEvent;
	type Proposal = RuntimeCall;
	type MotionDuration = ConstU32<{ 7 * DAY }>;
	type MaxProposals = ConstU32<32>;
	type MaxMembers = ConstU32<100>;
	type DefaultVote = SilenceIsNo;
	type SetMembersOrigin = OperatorsMajority;
	type DisapproveOrigin = OperatorsMajority;
	type KillOrigin = OperatorsMajority;
	type MaxProposalWeight = MaxMotionWeight;
	type Consideration = ();
	type WeightInfo = pallet_collective::weights::SubstrateWeight<Runtime>;
}

/// Counts who has not voted as against, when a motion's time is up.
///
/// The collective adds the silent to the votes that `OperatorsMajority` weighs, so that any other rule would let fewer
/// than two thirds decide.
pub struct SilenceIsNo;

impl DefaultVote for SilenceIsNo {
	fn default_vote(_: Option<bool>, _: MemberCount, _: MemberCount, _: MemberCount) -> bool {
		false
	}
}

/// Lets everything pass but the removal of session keys.
///
/// A validator that removed its keys would leave the set at the next session, past the origin that sets it, and the
/// validators could become fewer than allowed. Keys can be replaced at any time.
pub struct KeysStay;

impl Contains<RuntimeCall> for KeysStay {
	fn contains(call: &RuntimeCall) -> bool {
		!matches!(call, RuntimeCall::Session(pallet_session::Call::purge_keys {}))
	}
}

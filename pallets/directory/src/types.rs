//! What the pallet keeps in state, beyond the types that it shares with clients.

use codec::{Decode, DecodeWithMemTracking, Encode, MaxEncodedLen};
use frame_support::{pallet_prelude::TypeInfo, traits::fungible::Inspect};
use lockstep_primitives::identity::IdentityState;

/// The balance type of the currency that deposits are held in.
pub type BalanceOf<T> = <<T as crate::Config>::Currency as Inspect<<T as frame_system::Config>::AccountId>>::Balance;

/// An identity of this runtime.
pub type IdentityOf<T> = Identity<<T as frame_system::Config>::AccountId, BalanceOf<T>>;

/// An identity, and who pays for it.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo)]
pub struct Identity<AccountId, Balance> {
	/// What its events make of it.
	pub state: IdentityState,
	/// The account that registered it.
	pub sponsor: AccountId,
	/// What is held from that account for it.
	pub deposit: Balance,
}

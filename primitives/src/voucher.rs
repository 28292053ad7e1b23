//! Vouchers: one-time rights that a sponsor gives away.
//!
//! People have no accounts and no coins. A sponsor, an account of the chain, signs vouchers, each for a key that is made for
//! it and used once. Who holds that key spends the voucher for one thing of its kind, and the chain sees that the sponsor
//! pays, and not for whom.
//!
//! What a payment is worth is decided by [`judge`], on the chain and for a client that was given a voucher: the same function,
//! from the same bytes.

use crate::{BlockNumber, GenesisHash, SponsorId, VoucherKey, VoucherSignature};
use alloc::vec::Vec;
use codec::{Decode, DecodeWithMemTracking, Encode, MaxEncodedLen};
use scale_info::TypeInfo;

const VOUCHER_TAG: &[u8] = b"lockstep/voucher/1";
const SPEND_TAG: &[u8] = b"lockstep/spend/1";

/// The tag that every use of a voucher provides to the pool starts with this; the voucher's key follows. So a pool holds one
/// use of a voucher.
pub const POOL_TAG: &[u8] = b"lockstep/voucher";

/// What a voucher is good for, once.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub enum VoucherKind {
	/// To register an identity.
	#[codec(index = 0)]
	Register,
	/// To create a group.
	#[codec(index = 1)]
	CreateGroup,
	/// To claim KeyPackages.
	#[codec(index = 2)]
	Claim,
}

/// A one-time right.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Voucher {
	/// What for.
	pub kind: VoucherKind,
	/// Whoever holds this key may spend it.
	pub key: VoucherKey,
	/// Who pays.
	pub sponsor: SponsorId,
	/// The last block in which it can be spent.
	pub expiry: BlockNumber,
}

/// A voucher that its sponsor has signed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct SignedVoucher {
	/// The voucher.
	pub voucher: Voucher,
	/// By the sponsor, over [`Voucher::signing_payload`].
	pub signature: VoucherSignature,
}

/// A voucher that is being spent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Payment {
	/// The voucher.
	pub voucher: SignedVoucher,
	/// By the voucher's key, over [`Voucher::spending_payload`] of what it buys.
	pub spent: VoucherSignature,
}

impl Voucher {
	/// What the sponsor signs: `"lockstep/voucher/1" | genesis | SCALE(voucher)`.
	pub fn signing_payload(&self, genesis: &GenesisHash) -> Vec<u8> {
		[VOUCHER_TAG, genesis.as_ref(), &self.encode()].concat()
	}

	/// What the voucher's key signs: `"lockstep/spend/1" | genesis | SCALE(voucher) | H(order)`. The order is all that the
	/// voucher buys, in SCALE: the other arguments of the call. So nobody who sees the call can buy anything else.
	pub fn spending_payload(&self, genesis: &GenesisHash, order: &[u8]) -> Vec<u8> {
		[SPEND_TAG, genesis.as_ref(), &self.encode(), blake3::hash(order).as_bytes()].concat()
	}
}

/// Why a payment is refused. Travels as the code of `InvalidTransaction::Custom`, beside those of
/// [`Refusal`](crate::Refusal) and [`IdentityRefusal`](crate::identity::IdentityRefusal).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Encode, Decode, DecodeWithMemTracking, TypeInfo)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[repr(u8)]
pub enum VoucherRefusal {
	/// The voucher is for something else.
	WrongKind = 65,
	/// The voucher's last block has passed.
	Expired = 66,
	/// The voucher is good for longer than the chain remembers that it was spent.
	TooLong = 67,
	/// It was spent before.
	Spent = 68,
	/// The sponsor lacks the funds for the deposit.
	NoFunds = 69,
	/// The sponsor's signature does not verify, for this chain.
	BadVoucher = 70,
	/// The signature of the voucher's key does not verify, for what it is to buy.
	BadSpending = 71,
}

impl VoucherRefusal {
	/// Every refusal, in the order of the codes.
	pub const ALL: [Self; 7] = [
		Self::WrongKind,
		Self::Expired,
		Self::TooLong,
		Self::Spent,
		Self::NoFunds,
		Self::BadVoucher,
		Self::BadSpending,
	];

	/// The code under which it travels.
	pub const fn code(self) -> u8 {
		self as u8
	}

	/// The refusal with this code, if there is one.
	pub fn from_code(code: u8) -> Option<Self> {
		Self::ALL.into_iter().find(|refusal| refusal.code() == code)
	}

	/// A name for logs and metric labels.
	pub const fn name(self) -> &'static str {
		match self {
			Self::WrongKind => "voucher_wrong_kind",
			Self::Expired => "voucher_expired",
			Self::TooLong => "voucher_too_long",
			Self::Spent => "voucher_spent",
			Self::NoFunds => "voucher_no_funds",
			Self::BadVoucher => "bad_voucher",
			Self::BadSpending => "bad_spending",
		}
	}
}

impl core::fmt::Display for VoucherRefusal {
	fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
		f.write_str(match self {
			Self::WrongKind => "the voucher is for something else; ask the sponsor for one of this kind",
			Self::Expired => "the voucher has expired; ask the sponsor for another",
			Self::TooLong => "the voucher is good for longer than the chain allows; ask the sponsor for another",
			Self::Spent => "the voucher was spent before; ask the sponsor for another",
			Self::NoFunds => {
				"the sponsor lacks the funds for the deposit; ask it to top up, or for a voucher of another"
			}
			Self::BadVoucher => "the sponsor's signature does not verify for this chain",
			Self::BadSpending => "the signature of the voucher's key does not verify for what it is to buy",
		})
	}
}

impl core::error::Error for VoucherRefusal {}

/// Where a payment is made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Till<'a> {
	/// The chain.
	pub genesis: &'a GenesisHash,
	/// The block.
	pub block: BlockNumber,
	/// For how many blocks a voucher can be good at most.
	pub longest: BlockNumber,
	/// What is paid for.
	pub kind: VoucherKind,
}

/// Decides whether a payment buys this order. `is_spent` says whether the voucher was spent before; `verify` whether an
/// Ed25519 signature of a key verifies, by ZIP 215.
///
/// # Errors
/// [`VoucherRefusal`]; cheap checks come first. Whether the sponsor has the funds is not decided here.
pub fn judge(
	till: &Till<'_>,
	payment: &Payment,
	order: &[u8],
	is_spent: impl FnOnce(&Voucher) -> bool,
	verify: impl Fn(&[u8; 32], &[u8], &VoucherSignature) -> bool,
) -> Result<(), VoucherRefusal> {
	let Payment { voucher: SignedVoucher { voucher, signature }, spent } = payment;
	if voucher.kind != till.kind {
		return Err(VoucherRefusal::WrongKind);
	}
	let left = voucher.expiry.checked_sub(till.block).ok_or(VoucherRefusal::Expired)?;
	if left > till.longest {
		return Err(VoucherRefusal::TooLong);
	}
	if is_spent(voucher) {
		return Err(VoucherRefusal::Spent);
	}
	if !verify(voucher.sponsor.as_bytes(), &voucher.signing_payload(till.genesis), signature) {
		return Err(VoucherRefusal::BadVoucher);
	}
	if !verify(voucher.key.as_bytes(), &voucher.spending_payload(till.genesis, order), spent) {
		return Err(VoucherRefusal::BadSpending);
	}
	Ok(())
}

/// Takes payments, for pallets that sell something.
pub trait Cashier<AccountId> {
	/// Who pays for this order.
	///
	/// # Errors
	/// [`VoucherRefusal`]; nothing has changed then, nor otherwise.
	fn check(kind: VoucherKind, payment: &Payment, order: &[u8]) -> Result<AccountId, VoucherRefusal>;

	/// Spends the voucher, whose signatures were verified in this block, and says who pays.
	///
	/// # Errors
	/// [`VoucherRefusal`]; nothing has changed then.
	fn spend(kind: VoucherKind, payment: &Payment, order: &[u8]) -> Result<AccountId, VoucherRefusal>;

	/// The account of a voucher's sponsor.
	fn sponsor(voucher: &Voucher) -> AccountId;

	/// Remembers that a voucher was spent, as long as it has not expired: for who has taken it by [`Self::check`] alone, and kept
	/// it from being taken again so far.
	fn remember(voucher: &Voucher);
}

//! Taking payments.

use crate::{Config, Pallet, Spent};
use frame_support::traits::Get;
use lockstep_primitives::{
	voucher::{judge, Cashier, Payment, Till, Voucher, VoucherKind, VoucherRefusal},
	BlockNumber, GenesisHash, VoucherSignature,
};
use sp_core::ed25519;
use sp_runtime::{traits::Convert, SaturatedConversion};

fn verify(key: &[u8; 32], text: &[u8], signature: &VoucherSignature) -> bool {
	let signature = ed25519::Signature::from_raw(*signature.as_bytes());
	sp_io::crypto::ed25519_verify(&signature, text, &ed25519::Public::from_raw(*key))
}

impl<T: Config> Pallet<T> {
	fn take(
		kind: VoucherKind,
		payment: &Payment,
		order: &[u8],
		verify: impl Fn(&[u8; 32], &[u8], &VoucherSignature) -> bool,
	) -> Result<T::AccountId, VoucherRefusal> {
		let genesis = Self::genesis();
		let till = Till { genesis: &genesis, block: Self::now(), longest: T::LongestVoucher::get(), kind };
		judge(&till, payment, order, Self::is_spent, verify)?;
		Ok(Self::sponsor(&payment.voucher.voucher))
	}

	/// Whether a voucher was spent, as far as it is remembered: until it has expired.
	pub fn is_spent(voucher: &Voucher) -> bool {
		Spent::<T>::contains_key(Self::period(voucher.expiry), voucher)
	}

	/// The period in which a block lies.
	pub(crate) fn period(block: BlockNumber) -> u32 {
		block.checked_div(T::Period::get()).unwrap_or_default()
	}

	pub(crate) fn now() -> BlockNumber {
		frame_system::Pallet::<T>::block_number().saturated_into()
	}

	pub(crate) fn genesis() -> GenesisHash {
		GenesisHash(
			frame_system::Pallet::<T>::block_hash(frame_system::pallet_prelude::BlockNumberFor::<T>::from(0u32)).0,
		)
	}
}

impl<T: Config> Cashier<T::AccountId> for Pallet<T> {
	fn check(kind: VoucherKind, payment: &Payment, order: &[u8]) -> Result<T::AccountId, VoucherRefusal> {
		Self::take(kind, payment, order, verify)
	}

	fn spend(kind: VoucherKind, payment: &Payment, order: &[u8]) -> Result<T::AccountId, VoucherRefusal> {
		let sponsor = Self::take(kind, payment, order, |_, _, _| true)?;
		Self::remember(&payment.voucher.voucher);
		Ok(sponsor)
	}

	fn sponsor(voucher: &Voucher) -> T::AccountId {
		T::Sponsor::convert(voucher.sponsor)
	}

	fn remember(voucher: &Voucher) {
		// What has expired lies in a period that may have been forgotten, and is never taken again.
		if voucher.expiry >= Self::now() {
			Spent::<T>::insert(Self::period(voucher.expiry), voucher, ());
		}
	}
}

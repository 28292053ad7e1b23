//! What other parts of the runtime are told of claims.

use lockstep_primitives::VoucherKey;

/// Hears of claims: whoever holds the key of a claim's voucher has Welcomes to send.
pub trait OnClaim {
	/// KeyPackages were claimed with this voucher, so many.
	fn claimed(voucher: &VoucherKey, packages: u32);
	/// What that claim got is kept no longer.
	fn forgotten(voucher: &VoucherKey, packages: u32);
}

impl OnClaim for () {
	fn claimed(_: &VoucherKey, _: u32) {}
	fn forgotten(_: &VoucherKey, _: u32) {}
}

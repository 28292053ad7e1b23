//! Who may post statements: the holders of the keys of open entries, that is, members of a recent epoch; and whoever has claimed
//! KeyPackages, so that nothing that names an invitee is signed with the key of a group.

use lockstep_primitives::{OrderingKey, VoucherKey};
use sp_statement_store::{decrease_allowance_by, increase_allowance_by, StatementAllowance};

/// What the members of one epoch may keep in the statement store, together: statements, and bytes of data.
pub const EPOCH_ALLOWANCE: StatementAllowance = StatementAllowance { max_count: 2_048, max_size: 4 * 1024 * 1024 };

/// What whoever has claimed a KeyPackage may keep there, for the envelope of a Welcome, and for the same made anew.
const WELCOME_ALLOWANCE: StatementAllowance = StatementAllowance { max_count: 2, max_size: 1_024 };

fn for_welcomes(packages: u32) -> StatementAllowance {
	StatementAllowance {
		max_count: WELCOME_ALLOWANCE.max_count.saturating_mul(packages),
		max_size: WELCOME_ALLOWANCE.max_size.saturating_mul(packages),
	}
}

/// Grants the key of a claim's voucher an allowance for as long as what it got is kept.
pub struct GrantWelcomes;

impl pallet_key_packages::OnClaim for GrantWelcomes {
	fn claimed(voucher: &VoucherKey, packages: u32) {
		increase_allowance_by(voucher.as_bytes(), for_welcomes(packages));
	}

	fn forgotten(voucher: &VoucherKey, packages: u32) {
		decrease_allowance_by(voucher.as_bytes(), for_welcomes(packages));
	}
}

/// Grants each open entry's `next_key` an allowance, and takes it back when the entry leaves state.
pub struct GrantStatements;

impl pallet_ordering::OnOpenEntry for GrantStatements {
	fn opened(key: &OrderingKey) {
		increase_allowance_by(key.as_bytes(), EPOCH_ALLOWANCE);
	}

	fn closed(key: &OrderingKey) {
		decrease_allowance_by(key.as_bytes(), EPOCH_ALLOWANCE);
	}
}

//! Who may post statements: the holders of the keys of open entries, that is, members of a recent epoch.

use lockstep_primitives::OrderingKey;
use sp_statement_store::{decrease_allowance_by, increase_allowance_by, StatementAllowance};

/// What the members of one epoch may keep in the statement store, together: statements, and bytes of data.
pub const EPOCH_ALLOWANCE: StatementAllowance = StatementAllowance { max_count: 2_048, max_size: 4 * 1024 * 1024 };

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

//! How the runtime learns which ordering keys are good for something.

use lockstep_primitives::OrderingKey;

/// Told about each entry that becomes open and each that ceases to be, so that the runtime can tie a right to the
/// entry's `next_key`: the allowance in the statement store (`docs/protocol.md` section 9).
///
/// Every `opened` is followed by one `closed` with the same key. Several entries can name the same key, because
/// whoever endorses an entry may name any: count the calls, or add and subtract, but do not set and clear.
/// The weight of the hooks is part of this pallet's benchmarks. They cannot fail.
pub trait OnOpenEntry {
	/// An entry that names this key can get children from now on.
	fn opened(key: &OrderingKey);
	/// An entry that names this key has left the state.
	fn closed(key: &OrderingKey);
}

impl OnOpenEntry for () {
	fn opened(_: &OrderingKey) {}
	fn closed(_: &OrderingKey) {}
}

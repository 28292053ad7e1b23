//! The codes of errors that methods of Lockstep answer with.

use jsonrpsee::types::ErrorObjectOwned;

/// The chain refuses the entry or the event; `data` is the name of the refusal.
pub const REFUSED: i32 = 9_001;
/// The transaction pool does not take the extrinsic; the message says why.
pub const NOT_POOLED: i32 = 9_002;
/// The parameters are out of bounds; the message says which.
pub const OUT_OF_BOUNDS: i32 = 9_003;
/// The node cannot answer; the message says why.
pub const INTERNAL: i32 = 9_004;
/// This node does not have what was asked for; another may.
pub const UNAVAILABLE: i32 = 9_005;
/// The pool holds a transaction of this account with this nonce: the next one may be free.
pub const NONCE_TAKEN: i32 = 9_006;

/// The pool has this very extrinsic already: what becomes of it is in the log.
pub const IN_POOL: i32 = 9_007;

/// An error with a code and a message.
pub fn error(code: i32, message: impl ToString) -> ErrorObjectOwned {
	ErrorObjectOwned::owned(code, message.to_string(), None::<()>)
}

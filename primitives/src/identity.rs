//! Identity logs: who a person is, by which devices, from event to event.
//!
//! An identity is a log of [`SignedEvent`]s. Its id is the hash of the first one, so that nobody can take another's. What
//! follows from an event is decided by [`judge`], on the chain and for whoever reads the log later: the same function, from
//! the same bytes. It knows no account and no clock but blocks.
//!
//! The rules, each with the attack that it stops:
//! - An event names its chain, identity, position and the event before it, and the log hashes all of that with the
//!   signatures: it is good in one place only, also if the state there comes about twice.
//! - Its author has a place in the state *before* it: nobody authorises itself.
//! - A key that comes in signs too, so that nobody can claim a key of somebody else; and no key comes in twice, ever.
//! - A device is rotated by the key to which it committed before: a thief of the current one cannot rotate the owner out.
//! - A device revokes itself and those that it added, directly or not; they go together, and none comes back. So a thief of
//!   a device that came later cannot touch those before it. Nor can it use up the rate: older devices have more of it.
//! - The last device closes the identity by the key that it committed to, as it rotates: a thief of the current one cannot.
//! - A recovery key overrides what happened within a window of blocks, unless one of the same or a higher rank did it. What
//!   the overridden events gave is taken back. They stay in the log.

mod event;
mod hook;
mod judge;
mod refusal;
mod state;

pub use event::{
	Action, Event, NewDevice, RecoveryKeys, Revoked, SignedEvent, MAX_DEVICES, MAX_RECOVERY_KEYS, MAX_SIGNED_EVENT,
	RECOVERY_WINDOW,
};
pub use hook::OnRevoked;
pub use judge::{judge, judge_inception, limit_of_recoveries, Change, Place, Verify};
pub use refusal::IdentityRefusal;
pub use state::{Device, IdentityState, Recent, Undo, MAX_RECENT, MAX_RECOVERIES, RECENT_FOR_DEVICES};

//! How far a device has come on its way into an identity.

use codec::{Decode, Encode};
use lockstep_client::directory::{OperatorId, RecoveryKeys, SignedEvent};

/// How far a device has come.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub enum Standing {
	/// It is the first one of an identity that may not be registered yet. The event is made of this and the keys, always the
	/// same one.
	#[codec(index = 0)]
	Registering {
		/// What is known of the recovery keys.
		recovery: RecoveryKeys,
		/// Where the person is at home.
		operator: Option<OperatorId>,
	},
	/// It waits for another device to add it.
	#[codec(index = 1)]
	Offered,
	/// It has accepted to be brought in by this event, which may not be recorded yet.
	#[codec(index = 2)]
	Joining(Box<SignedEvent>),
	/// It was seen in the log.
	#[codec(index = 3)]
	Device,
}

//! What the node's database takes for each key that is read or written, measured by `make weights`.
//!
//! ParityDB, in a state of 1000000 keys and blocks that each write 2000 of them; means of 100 blocks.

use frame_support::{
	parameter_types,
	weights::{constants::WEIGHT_REF_TIME_PER_MICROS, RuntimeDbWeight},
};

parameter_types! {
	pub const DatabaseWeight: RuntimeDbWeight =
		RuntimeDbWeight { read: 11 * WEIGHT_REF_TIME_PER_MICROS, write: 33 * WEIGHT_REF_TIME_PER_MICROS };
}

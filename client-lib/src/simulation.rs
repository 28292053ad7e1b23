//! What a simulation drives a client with: the core without tasks and sockets, on a disk in memory, with OpenMLS or with
//! a stand-in for it. For tests only; nothing here is stable.

pub use crate::{
	client::simulated::{Action, Position, SimulatedClient},
	delivery::statement::Statement,
	mls::{
		long_path,
		stand_in::{Flaw, StandIn},
		Engine, Mls,
	},
	store::{MemoryDisk, Overlay, Record, Store},
};

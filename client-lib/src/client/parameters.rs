//! The parameters of the chain that tests of the client are on: those of the runtime.

use lockstep_primitives::OrderingParameters;

pub(crate) const PARAMETERS: OrderingParameters = OrderingParameters {
	max_payload: 65_536,
	candidate_interval: 20,
	contest_window: 86_400,
	retention: 2_592_000,
	entry_budget: (1024, 1),
	byte_budget: (8_388_608, 4096),
};

//! How the events of an identity are shown.

use lockstep_client::directory::{Action, History, IdentityKey, Step};
use serde::{Deserialize, Serialize};

/// An event of an identity.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct EventView {
	/// Its place in the log.
	pub position: u64,
	/// The block that carries it.
	pub block: u32,
	/// What it does: `incept`, `add_device`, `revoke_device`, `rotate`, `recover`, `set_operator` or `close`.
	pub action: String,
	/// The key that signed it.
	pub author: IdentityKey,
	/// The device that it brings in, takes away, or gives another key.
	pub device: Option<IdentityKey>,
	/// The first event that it overrides, if it is a recovery that does.
	pub overrides: Option<u64>,
}

impl EventView {
	/// Of all events of an identity, in their order.
	pub fn all(history: &History) -> Vec<Self> {
		history.steps().iter().map(Self::new).collect()
	}

	fn new(step: &Step) -> Self {
		let event = &step.event.event;
		let (action, device, overrides) = match &event.action {
			Action::Incept { device, .. } => ("incept", Some(device.key), None),
			Action::AddDevice(device) => ("add_device", Some(device.key), None),
			Action::RevokeDevice(key) => ("revoke_device", Some(*key), None),
			Action::Rotate { replaces, .. } => ("rotate", Some(*replaces), None),
			Action::Recover { device, from, .. } => {
				("recover", Some(device.key), Some(*from).filter(|from| *from < event.index))
			}
			Action::SetOperator(_) => ("set_operator", None, None),
			Action::Close => ("close", None, None),
		};
		Self {
			position: event.index,
			block: step.block,
			action: action.to_owned(),
			author: event.author,
			device,
			overrides,
		}
	}

	/// On one line.
	pub fn text(&self) -> String {
		let device = self.device.map(|key| format!(" {key}")).unwrap_or_default();
		let overrides = self.overrides.map(|from| format!(", overrides all from {from} on")).unwrap_or_default();
		format!("event {}  block {}, {}{device}{overrides}", self.position, self.block, self.action)
	}
}

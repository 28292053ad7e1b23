//! How an identity is shown.

use lockstep_client::directory::{Device, History, IdentityId, IdentityKey, OperatorId};
use serde::{Deserialize, Serialize};

/// An identity in a block.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct IdentityView {
	pub id: IdentityId,
	/// The final block up to which this is all.
	pub block: u32,
	/// Events in its log.
	pub events: u64,
	/// Where the person is at home.
	pub operator: Option<OperatorId>,
	/// How many recovery keys there are.
	pub recovery_keys: usize,
	/// Whether it has ended.
	pub closed: bool,
	pub devices: Vec<DeviceView>,
}

/// A device.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct DeviceView {
	pub key: IdentityKey,
	pub number: u32,
	/// The number of the device that added it; of the first one, and of one that a recovery key brought in, there is none.
	pub added_by: Option<u32>,
	/// The block since which it has this key.
	pub since: u32,
	/// Whether it is this profile's.
	pub this: bool,
}

impl IdentityView {
	/// After all events; `this` is the key of this profile's device.
	pub fn new(history: &History, this: Option<IdentityKey>) -> Self {
		let device = |device: &Device| DeviceView {
			key: device.key,
			number: device.number,
			added_by: device.added_by,
			since: device.since,
			this: this == Some(device.key),
		};
		let state = history.newest();
		Self {
			id: history.identity(),
			block: history.until(),
			events: history.head().length,
			operator: state.and_then(|state| state.operator),
			recovery_keys: state.map_or(0, |state| state.recovery.len()),
			closed: state.is_some_and(|state| state.closed),
			devices: state.map(|state| state.devices.iter().map(device).collect()).unwrap_or_default(),
		}
	}

	/// For people.
	pub fn text(&self) -> String {
		let operator = self.operator.map_or("none".to_owned(), |operator| operator.to_string());
		let closed = if self.closed { "\nCLOSED: it has no device that counts" } else { "" };
		let devices = self.devices_text();
		format!(
			"id        {}\nblock     {}, {} events\noperator  {operator}\nrecovery  {} keys{closed}\n{devices}",
			self.id, self.block, self.events, self.recovery_keys
		)
	}

	/// Its devices, one on a line.
	pub fn devices_text(&self) -> String {
		let lines = self.devices.iter().map(|device| {
			let DeviceView { key, number, added_by, since, this } = device;
			let by = added_by.map(|by| format!(", added by device {by}")).unwrap_or_default();
			format!("device {number}  {key} since block {since}{by}{}", if *this { ", this one" } else { "" })
		});
		lines.collect::<Vec<_>>().join("\n")
	}
}

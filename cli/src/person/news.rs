//! How news of people are shown.

use lockstep_client::directory::{Happening, IdentityId, IdentityKey, News, OperatorId};
use serde::Serialize;

/// Something that happened to a person.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct NewsView {
	/// Who.
	pub id: IdentityId,
	/// Whether it is the profile's own person.
	pub own: bool,
	/// The block that carries the event.
	pub block: u32,
	/// Its place in the person's log.
	pub position: u64,
	/// What it did.
	#[serde(flatten)]
	pub what: What,
	/// The position of the recovery that has overridden it since.
	pub overridden_by: Option<u64>,
}

/// What an event of an identity did.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(tag = "what", rename_all = "snake_case")]
pub enum What {
	Created {
		device: IdentityKey,
	},
	DeviceAdded {
		device: IdentityKey,
		by: IdentityKey,
	},
	DeviceRevoked {
		device: IdentityKey,
		/// Devices that it had added.
		with: Vec<IdentityKey>,
		by: IdentityKey,
	},
	KeyRotated {
		from: IdentityKey,
		to: IdentityKey,
	},
	Recovered {
		rank: u8,
		device: IdentityKey,
		revoked: Vec<IdentityKey>,
		/// The positions of the events that it has overridden.
		overridden: Vec<u64>,
	},
	OperatorSet {
		operator: Option<OperatorId>,
	},
	Closed,
	/// Something that this program has no words of its own for.
	Other,
}

impl From<&Happening> for What {
	fn from(happening: &Happening) -> Self {
		match happening.clone() {
			Happening::Created { device } => Self::Created { device },
			Happening::DeviceAdded { device, by } => Self::DeviceAdded { device, by },
			Happening::DeviceRevoked { device, with, by } => Self::DeviceRevoked { device, with, by },
			Happening::KeyRotated { from, to } => Self::KeyRotated { from, to },
			Happening::Recovered { rank, device, revoked, overridden } => {
				Self::Recovered { rank, device, revoked, overridden }
			}
			Happening::OperatorSet { operator } => Self::OperatorSet { operator },
			Happening::Closed => Self::Closed,
			_ => Self::Other,
		}
	}
}

impl What {
	/// For people.
	fn text(&self) -> String {
		let count = |keys: &[IdentityKey]| match keys.len() {
			1 => "1 other device".to_owned(),
			others => format!("{others} other devices"),
		};
		match self {
			Self::Created { device } => format!("the identity was created, by device {device}"),
			Self::DeviceAdded { device, by } => format!("device {device} was added, by {by}"),
			Self::DeviceRevoked { device, with, by } if with.is_empty() => {
				format!("device {device} was revoked, by {by}")
			}
			Self::DeviceRevoked { device, with, by } => {
				format!("device {device} was revoked, by {by}, and {} with it", count(with))
			}
			Self::KeyRotated { from, to } => format!("device {from} has another key: {to}"),
			Self::Recovered { device, revoked, overridden, .. } => {
				let overridden = match overridden.first() {
					Some(from) => format!("; events from {from} on count no more"),
					None => String::new(),
				};
				format!("RECOVERED by a recovery key, with device {device}; {} went{overridden}", count(revoked))
			}
			Self::OperatorSet { operator: Some(operator) } => format!("the operator is {operator}"),
			Self::OperatorSet { operator: None } => "there is no operator any more".to_owned(),
			Self::Closed => "the identity has ended".to_owned(),
			Self::Other => "an event of a kind that this program does not know".to_owned(),
		}
	}
}

impl NewsView {
	pub fn new(news: &News) -> Self {
		let News { identity, own, block, index, what, overridden_by } = news;
		let what = What::from(what);
		Self { id: *identity, own: *own, block: *block, position: *index, what, overridden_by: *overridden_by }
	}

	/// On one line.
	pub fn text(&self) -> String {
		let who = if self.own { "you".to_owned() } else { self.id.to_string() };
		let overridden = self.overridden_by.map(|by| format!(" (overridden by event {by})")).unwrap_or_default();
		format!("block {}  {who}: {}{overridden}", self.block, self.what.text())
	}
}

#[cfg(test)]
mod tests {
	use super::*;
	use serde_json::json;

	fn view(what: Happening) -> NewsView {
		let identity = IdentityId([1; 32]);
		NewsView::new(&News { identity, own: false, block: 17, index: 3, what, overridden_by: Some(5) })
	}

	#[test]
	fn the_json_of_news_is_the_documented_one() {
		let (one, other) = (IdentityKey([2; 32]), IdentityKey([3; 32]));
		let json = serde_json::to_value(view(Happening::KeyRotated { from: one, to: other })).unwrap();
		let expected = json!({
			"id": format!("0x{}", "01".repeat(32)), "own": false, "block": 17, "position": 3, "what": "key_rotated",
			"from": one, "to": other, "overriddenBy": 5
		});
		assert_eq!(json, expected);
		let json = serde_json::to_value(view(Happening::Closed)).unwrap();
		assert_eq!(json["what"], "closed");
	}

	#[test]
	fn news_say_in_which_block_to_whom_and_what() {
		let (one, other) = (IdentityKey([2; 32]), IdentityKey([3; 32]));
		let text = view(Happening::DeviceRevoked { device: one, with: vec![other], by: other }).text();
		let expected = format!(
			"block 17  {}: device {one} was revoked, by {other}, and 1 other device with it (overridden by event 5)",
			"01".repeat(32)
		);
		assert_eq!(text, expected);
		let own = NewsView { own: true, overridden_by: None, ..view(Happening::Closed) };
		assert_eq!(own.text(), "block 17  you: the identity has ended");
		let recovered = Happening::Recovered { rank: 0, device: one, revoked: vec![], overridden: vec![4, 5] };
		assert!(view(recovered).text().contains("0 other devices went; events from 4 on count no more"));
	}
}

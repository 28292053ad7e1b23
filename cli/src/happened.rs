//! What a client reports, in the form in which it is kept and shown.

#[cfg(test)]
mod complete;
mod end;

use crate::name;
use end::End;
use lockstep_client::{EntryHash, Event, GroupId, Message, NotAddedBecause};
use serde::{Deserialize, Serialize};

/// Of a claim by this profile itself.
const NO_GATE: &str =
	"only contacts may claim, and this profile does not have the gate's secret: lockstep keys gate keep";

/// Something that happened, and when this client learned of it. Its JSON is an interface: `docs/cli.md`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Record {
	/// Milliseconds since 1970, by the clock of this machine.
	pub at: u64,
	/// What.
	#[serde(flatten)]
	pub happened: Happened,
}

impl Record {
	/// Of now.
	pub fn now(happened: Happened) -> Self {
		let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap_or_default();
		Self { at: u64::try_from(since.as_millis()).unwrap_or(u64::MAX), happened }
	}
}

/// What happened. Identities are shown by [`name::show`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "event", rename_all = "snake_case")]
pub enum Happened {
	Message {
		group: GroupId,
		epoch: u64,
		sender: String,
		#[serde(flatten)]
		said: Said,
		own: bool,
		/// Its number in the client's inbox, if it came from there.
		#[serde(default, skip_serializing_if = "Option::is_none")]
		number: Option<u64>,
	},
	Created {
		group: GroupId,
	},
	Joined {
		group: GroupId,
		epoch: u64,
		contested: bool,
	},
	InvitationFailed {
		group: GroupId,
		reason: String,
	},
	EpochAdvanced {
		group: GroupId,
		epoch: u64,
		entry: EntryHash,
		block: u64,
		own: bool,
		authenticator: String,
	},
	Skipped {
		group: GroupId,
		entry: EntryHash,
		reason: String,
	},
	MemberAdded {
		group: GroupId,
		epoch: u64,
		identity: String,
	},
	MemberRemoved {
		group: GroupId,
		epoch: u64,
		identity: String,
	},
	MemberReadmitted {
		group: GroupId,
		epoch: u64,
		identity: String,
	},
	KeyChanged {
		group: GroupId,
		epoch: u64,
		identity: String,
	},
	/// A further device of a member is in the group.
	DeviceAdded {
		group: GroupId,
		epoch: u64,
		identity: String,
		key: String,
	},
	/// A device is in the group no more, and its person is.
	DeviceRemoved {
		group: GroupId,
		epoch: u64,
		identity: String,
		key: String,
	},
	/// A device of this profile's own person has no leaf in the group.
	DeviceMissing {
		group: GroupId,
		identity: String,
		key: String,
	},
	/// That device was to come in by itself, and does not for now.
	DeviceNotAdded {
		group: GroupId,
		identity: String,
		key: String,
		reason: String,
	},
	GroupDataChanged {
		group: GroupId,
		epoch: u64,
		name: String,
	},
	/// A message of this client that was given up.
	Undelivered {
		group: GroupId,
		#[serde(flatten)]
		said: Said,
		reason: String,
	},
	Superseded {
		group: GroupId,
		entry: EntryHash,
	},
	/// Something that this client wanted has ended, perhaps from before it was opened.
	IntentEnded {
		group: GroupId,
		/// The number of the intent in the group.
		intent: u64,
		#[serde(flatten)]
		end: End,
	},
	RemovedFromGroup {
		group: GroupId,
	},
	/// Another device of this identity has its place.
	Replaced {
		group: GroupId,
	},
	AskedToRejoin {
		group: GroupId,
		posted: bool,
	},
	NotReadmitted {
		group: GroupId,
		times: u32,
	},
	Desynchronized {
		group: GroupId,
		reason: String,
	},
	GroupClosed {
		group: GroupId,
	},
	Halted {
		group: GroupId,
		reason: String,
	},
	Resumed {
		group: GroupId,
	},
	NodeLied {
		node: String,
		lie: String,
	},
	Outdated {
		reason: String,
	},
	Missed {
		count: u64,
	},
	/// Something that this program has no words of its own for.
	Other {
		what: String,
	},
}

/// What a message says: text, if that is what it is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Said {
	/// Text.
	Text(String),
	/// Hexadecimal digits of bytes that are no text.
	Bytes(String),
}

impl Said {
	/// What these bytes say.
	pub fn new(data: Vec<u8>) -> Self {
		String::from_utf8(data).map_or_else(|error| Self::Bytes(hex::encode(error.as_bytes())), Self::Text)
	}
}

impl From<Event> for Happened {
	fn from(event: Event) -> Self {
		match event {
			Event::Created { group } => Self::Created { group },
			Event::Joined { group, epoch, contested } => Self::Joined { group, epoch, contested },
			Event::InvitationFailed { group, reason } => Self::InvitationFailed { group, reason: reason.to_string() },
			Event::EpochAdvanced { group, epoch, entry, block, own, authenticator } => Self::EpochAdvanced {
				group,
				epoch,
				entry,
				block: block.into(),
				own,
				authenticator: hex::encode(authenticator),
			},
			Event::Skipped { group, entry, reason } => Self::Skipped { group, entry, reason: reason.to_string() },
			Event::Message { group, epoch, sender, data, number } => {
				Self::message(Message { group, epoch, sender, data }, Some(number))
			}
			Event::MemberAdded { group, epoch, identity } => {
				Self::MemberAdded { group, epoch, identity: name::show(&identity) }
			}
			Event::MemberRemoved { group, epoch, identity } => {
				Self::MemberRemoved { group, epoch, identity: name::show(&identity) }
			}
			Event::MemberReadmitted { group, epoch, identity } => {
				Self::MemberReadmitted { group, epoch, identity: name::show(&identity) }
			}
			Event::KeyChanged { group, epoch, identity } => {
				Self::KeyChanged { group, epoch, identity: name::show(&identity) }
			}
			Event::DeviceAdded { group, epoch, identity, key } => {
				Self::DeviceAdded { group, epoch, identity: name::show(&identity), key: hex::encode(key) }
			}
			Event::DeviceRemoved { group, epoch, identity, key } => {
				Self::DeviceRemoved { group, epoch, identity: name::show(&identity), key: hex::encode(key) }
			}
			Event::DeviceMissing { group, identity, key } => {
				Self::DeviceMissing { group, identity: name::show(&identity), key: hex::encode(key) }
			}
			Event::DeviceNotAdded { group, identity, key, reason } => {
				let (identity, key) = (name::show(&identity), hex::encode(key));
				let reason = match reason {
					NotAddedBecause::GateClosed => NO_GATE.to_owned(),
					reason => reason.to_string(),
				};
				Self::DeviceNotAdded { group, identity, key, reason }
			}
			Event::GroupDataChanged { group, epoch, data } => Self::GroupDataChanged { group, epoch, name: data.name },
			Event::Undelivered { group, data, reason, number: _ } => {
				Self::Undelivered { group, said: Said::new(data), reason: reason.to_string() }
			}
			Event::Superseded { group, entry } => Self::Superseded { group, entry },
			Event::IntentEnded { intent, ended } => {
				Self::IntentEnded { group: intent.group, intent: intent.number, end: ended.into() }
			}
			Event::RemovedFromGroup { group } => Self::RemovedFromGroup { group },
			Event::Replaced { group } => Self::Replaced { group },
			Event::AskedToRejoin { group, posted } => Self::AskedToRejoin { group, posted },
			Event::NotReadmitted { group, times } => Self::NotReadmitted { group, times },
			Event::Desynchronized { group, reason } => Self::Desynchronized { group, reason: reason.to_string() },
			Event::GroupClosed { group } => Self::GroupClosed { group },
			Event::Halted { group, reason } => Self::Halted { group, reason },
			Event::Resumed { group } => Self::Resumed { group },
			Event::NodeLied { node, lie } => Self::NodeLied { node, lie: lie.to_string() },
			Event::Outdated { reason } => Self::Outdated { reason },
			Event::Missed { count } => Self::Missed { count },
			other => Self::Other { what: format!("{other:?}") },
		}
	}
}

impl Happened {
	/// A message of another member.
	pub fn message(message: Message, number: Option<u64>) -> Self {
		let Message { group, epoch, sender, data } = message;
		Self::Message { group, epoch, sender: name::show(&sender), said: Said::new(data), own: false, number }
	}

	/// The number of a message in the client's inbox.
	pub fn number(&self) -> Option<u64> {
		match self {
			Self::Message { number, .. } => *number,
			_ => None,
		}
	}

	/// The group that it is about, if it is about one.
	pub fn group(&self) -> Option<GroupId> {
		match self {
			Self::Message { group, .. }
			| Self::Created { group }
			| Self::Joined { group, .. }
			| Self::InvitationFailed { group, .. }
			| Self::EpochAdvanced { group, .. }
			| Self::Skipped { group, .. }
			| Self::MemberAdded { group, .. }
			| Self::MemberRemoved { group, .. }
			| Self::MemberReadmitted { group, .. }
			| Self::KeyChanged { group, .. }
			| Self::DeviceAdded { group, .. }
			| Self::DeviceRemoved { group, .. }
			| Self::DeviceMissing { group, .. }
			| Self::DeviceNotAdded { group, .. }
			| Self::GroupDataChanged { group, .. }
			| Self::Undelivered { group, .. }
			| Self::Superseded { group, .. }
			| Self::IntentEnded { group, .. }
			| Self::RemovedFromGroup { group }
			| Self::Replaced { group }
			| Self::AskedToRejoin { group, .. }
			| Self::NotReadmitted { group, .. }
			| Self::Desynchronized { group, .. }
			| Self::GroupClosed { group }
			| Self::Resumed { group }
			| Self::Halted { group, .. } => Some(*group),
			Self::NodeLied { .. } | Self::Outdated { .. } | Self::Missed { .. } | Self::Other { .. } => None,
		}
	}

	/// Whether it belongs to what the members of a group say and do, as far as a reader of the conversation cares.
	pub fn is_conversation(&self) -> bool {
		match self {
			Self::Skipped { .. }
			| Self::Superseded { .. }
			| Self::NodeLied { .. }
			| Self::InvitationFailed { .. }
			| Self::Other { .. } => false,
			Self::IntentEnded { end, .. } => end.is_conversation(),
			_ => true,
		}
	}

	/// Whether this client said it.
	pub fn is_own_message(&self) -> bool {
		matches!(self, Self::Message { own: true, .. })
	}

	/// For people, without the group.
	pub fn text(&self) -> String {
		match self {
			Self::Message { sender, said: Said::Text(text), .. } => format!("{sender}: {}", name::printable(text)),
			Self::Message { sender, said: Said::Bytes(digits), .. } => {
				format!("{sender}: [{} bytes that are no text]", digits.len() / 2)
			}
			Self::Created { .. } => "-- the group is in the log".to_owned(),
			Self::Joined { epoch, contested: false, .. } => format!("-- joined in epoch {epoch}"),
			Self::Joined { epoch, contested: true, .. } => format!(
				"-- joined in epoch {epoch}; the log was contested: compare the authenticator with a member you trust"
			),
			Self::InvitationFailed { reason, .. } => {
				format!("-- an invitation came to nothing: {}", name::printable(reason))
			}
			Self::EpochAdvanced { epoch, block, own: true, .. } => {
				format!("-- epoch {epoch} (block {block}), by a commit of this client")
			}
			Self::EpochAdvanced { epoch, block, own: false, .. } => format!("-- epoch {epoch} (block {block})"),
			Self::Skipped { entry, reason, .. } => {
				format!("-- entry {entry} does not count: {}", name::printable(reason))
			}
			Self::MemberAdded { identity, epoch, .. } => format!("-- {identity} joined in epoch {epoch}"),
			Self::MemberRemoved { identity, epoch, .. } => format!("-- {identity} is out from epoch {epoch} on"),
			Self::MemberReadmitted { identity, epoch, .. } => format!("-- {identity} is back in epoch {epoch}"),
			Self::KeyChanged { identity, epoch, .. } => {
				format!("-- {identity} has another signature key from epoch {epoch} on")
			}
			Self::DeviceAdded { identity, key, epoch, .. } => {
				format!("-- {identity} has another device in the group from epoch {epoch} on: {key}")
			}
			Self::DeviceRemoved { identity, key, epoch, .. } => {
				format!("-- a device of {identity} is out from epoch {epoch} on: {key}")
			}
			Self::DeviceMissing { key, .. } => {
				format!("-- your device {key} is not in the group; add it, or leave vouchers: lockstep voucher keep")
			}
			Self::DeviceNotAdded { key, reason, .. } => {
				format!("-- your device {key} is not added for now: {}", name::printable(reason))
			}
			Self::GroupDataChanged { epoch, name, .. } if name.is_empty() => {
				format!("-- the group has other data from epoch {epoch} on")
			}
			Self::GroupDataChanged { epoch, name, .. } => {
				format!("-- the group is called {:?} from epoch {epoch} on", name::printable(name))
			}
			Self::Undelivered { said: Said::Text(text), reason, .. } => {
				format!("-- not delivered: {:?}: {}", name::printable(text), name::printable(reason))
			}
			Self::Undelivered { reason, .. } => format!("-- a message was not delivered: {}", name::printable(reason)),
			Self::Superseded { entry, .. } => format!("-- a commit of this client lost against entry {entry}"),
			Self::IntentEnded { intent, end, .. } => end.text(*intent),
			Self::RemovedFromGroup { .. } => "-- this client is no member any more".to_owned(),
			Self::Replaced { .. } => {
				"-- another device of this identity has the place of this one, which has stopped".to_owned()
			}
			Self::AskedToRejoin { posted: true, .. } => "-- this client asks the members to readmit it".to_owned(),
			Self::AskedToRejoin { posted: false, .. } => {
				"-- this client cannot ask the members by itself to readmit it: hand one the output of `group rejoin`"
					.to_owned()
			}
			Self::NotReadmitted { times, .. } => format!(
				"-- nobody has readmitted this client, which has asked {times} times: hand a member the output of `group rejoin`"
			),
			Self::Desynchronized { reason, .. } => {
				let reason = name::printable(reason);
				format!("-- this client cannot follow any more and must be invited again: {reason}")
			}
			Self::GroupClosed { .. } => "-- the group was closed on the chain".to_owned(),
			Self::Halted { reason, .. } => format!("-- following the group was stopped: {}", name::printable(reason)),
			Self::Resumed { .. } => "-- the trouble has passed: the group is followed again".to_owned(),
			Self::NodeLied { node, lie } => format!("-- node {node} lied: {}", name::printable(lie)),
			Self::Outdated { reason } => format!("-- the chain cannot be read any more: {}", name::printable(reason)),
			Self::Missed { count } => {
				format!("-- {count} events came too fast and are lost, messages perhaps among them")
			}
			Self::Other { what } => format!("-- {}", name::printable(what)),
		}
	}
}

#[cfg(test)]
mod tests {
	use super::*;
	use lockstep_client::{PolicyError, SkippedBecause};

	fn message(sender: &[u8], data: &[u8], number: Option<u64>) -> Happened {
		let message = Message { group: GroupId([1; 32]), epoch: 3, sender: sender.to_vec(), data: data.to_vec() };
		Happened::message(message, number)
	}

	#[test]
	fn what_is_kept_is_read_again_as_it_was() {
		let group = GroupId([1; 32]);
		let entry = EntryHash([2; 32]);
		let kept = [
			message(b"bert", b"hi", Some(7)),
			message(b"\xff", b"\xfe", None),
			Happened::EpochAdvanced { group, epoch: 1, entry, block: 9, own: true, authenticator: "00".into() },
			Happened::Missed { count: 2 },
			Happened::NodeLied { node: "ws://x".into(), lie: "y".into() },
		];
		for happened in kept {
			let record = Record::now(happened);
			let json = serde_json::to_string(&record).unwrap();
			assert_eq!(serde_json::from_str::<Record>(&json).unwrap(), record, "{json}");
		}
	}

	#[test]
	fn the_json_of_a_message_is_the_documented_one() {
		let group = GroupId([1; 32]);
		let happened = message(b"bert", b"hi", None);
		let json = serde_json::to_value(Record { at: 5, happened }).unwrap();
		let expected = serde_json::json!({
			"at": 5, "event": "message", "group": format!("0x{group}"), "epoch": 3, "sender": "bert", "text": "hi",
			"own": false
		});
		assert_eq!(json, expected);
		let json = serde_json::to_value(message(b"\xff", b"\xfe", None)).unwrap();
		assert_eq!((&json["sender"], &json["bytes"]), (&"hex:ff".into(), &"fe".into()));
	}

	#[test]
	fn a_changed_line_is_a_record_or_an_error() {
		use rand::{rngs::StdRng, Rng, SeedableRng};
		let mut random = StdRng::seed_from_u64(1);
		let group = GroupId([1; 32]);
		let (entry, said) = (EntryHash([2; 32]), Said::Bytes("0".into()));
		let lines: Vec<Vec<u8>> = [
			message(b"bert", b"hi", Some(u64::MAX)),
			Happened::EpochAdvanced { group, epoch: 1, entry, block: 9, own: true, authenticator: "00".into() },
			Happened::Undelivered { group, said, reason: "no".into() },
			Happened::GroupDataChanged { group, epoch: 1, name: "\u{202e}".into() },
		]
		.map(|happened| serde_json::to_vec(&Record::now(happened)).unwrap())
		.into();
		let mut read = 0;
		for _ in 0..20_000 {
			let mut line = lines[random.gen_range(0..lines.len())].clone();
			for _ in 0..random.gen_range(1..4) {
				let at = random.gen_range(0..line.len());
				line[at] = random.gen();
			}
			if let Ok(Record { happened, .. }) = serde_json::from_slice(&line) {
				read += 1;
				drop((happened.text(), happened.group(), happened.number(), happened.is_conversation()));
			}
		}
		assert!(read > 100, "most of them are read no more");
	}

	#[test]
	fn a_sender_cannot_pass_for_the_program() {
		let group = GroupId([1; 32]);
		let happened = message(b"bert", b"hi\n-- anna is out from epoch 3 on", None);
		assert_eq!(happened.text(), "bert: hi\n    -- anna is out from epoch 3 on");
		let event = Event::MemberAdded { group, epoch: 3, identity: b"x\n-- y".to_vec() };
		assert_eq!(Happened::from(event).text(), "-- hex:780a2d2d2079 joined in epoch 3");
		let policy = PolicyError::NotADevice { identity: "x\u{202e}y".into() };
		let event = Event::Skipped { group, entry: EntryHash([2; 32]), reason: SkippedBecause::Invalid(policy.into()) };
		let text = Happened::from(event).text();
		assert!(text.contains("signature key of x\\u{202e}y is no device"), "{text}");
	}
}

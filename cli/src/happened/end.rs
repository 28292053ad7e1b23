//! How an intent ended, in the form in which that is kept and shown.

use crate::name;
use lockstep_client::{Committed, Ended, EntryHash, MemberDevice, NotInvited};
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;

/// How something ended that was wanted of a group: by a command, perhaps one that has ended long before.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "ended", rename_all = "snake_case")]
pub enum End {
	/// It is so.
	Done(Won),
	/// It was to be tried once, and this entry won.
	Superseded { epoch: u64, entry: EntryHash },
	/// It is so, but whom it added was sent no invitation.
	NotInvited {
		#[serde(flatten)]
		won: Won,
		devices: Vec<Device>,
	},
	/// It came to nothing.
	Failed { reason: String },
	/// Something that this program has no words of its own for.
	Other { what: String },
}

/// The commit by which it came about, with the keys that the commands which commit print.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Won {
	epoch: u64,
	entry: EntryHash,
	block: u64,
	attempts: u32,
	elapsed_ms: u64,
	by_another: bool,
}

/// A leaf in a group. Its identity is shown by [`name::show`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Device {
	identity: String,
	key: String,
}

impl From<Ended> for End {
	fn from(ended: Ended) -> Self {
		match ended {
			Ended::Done(committed) => Self::Done(committed.into()),
			Ended::Superseded { by, epoch } => Self::Superseded { epoch, entry: by },
			Ended::NotInvited(NotInvited { committed, members, .. }) => {
				Self::NotInvited { won: committed.into(), devices: members.into_iter().map(Device::from).collect() }
			}
			Ended::Failed { reason } => Self::Failed { reason },
			other => Self::Other { what: format!("{other:?}") },
		}
	}
}

impl From<Committed> for Won {
	fn from(committed: Committed) -> Self {
		let Committed { epoch, entry, block, attempts, elapsed, by_another } = committed;
		let elapsed_ms = u64::try_from(elapsed.as_millis()).unwrap_or(u64::MAX);
		Self { epoch, entry, block: block.into(), attempts, elapsed_ms, by_another }
	}
}

impl From<MemberDevice> for Device {
	fn from(device: MemberDevice) -> Self {
		let MemberDevice { identity, key } = device;
		Self { identity: name::show(&identity.0), key: hex::encode(key.0) }
	}
}

impl End {
	/// Whether a reader of the conversation is told. The other ends are told by the command that waits for them, or show in
	/// what the group does; what is told here no command can tell.
	pub fn is_conversation(&self) -> bool {
		match self {
			Self::NotInvited { .. } => true,
			Self::Done(_) | Self::Superseded { .. } | Self::Failed { .. } | Self::Other { .. } => false,
		}
	}

	/// For people, of the intent with this number.
	pub fn text(&self, intent: u64) -> String {
		match self {
			Self::Done(Won { epoch, block, by_another, .. }) => {
				let by = if *by_another { ", by another member's commit" } else { "" };
				format!(
					"-- what this client wanted (intent {intent}) is done: epoch {epoch}, final in block {block}{by}"
				)
			}
			Self::Superseded { entry, .. } => format!(
				"-- what this client wanted (intent {intent}) lost against entry {entry} and is not tried again: \
				 ask again if it is still wanted"
			),
			Self::NotInvited { won, devices } => format!(
				"-- the commit of epoch {} added {}, who do not know it: what this client had stored of the group was \
				 damaged, and the invitations with it; remove them, and add them again by new KeyPackages \
				 (`group remove`, then `group add`), or have another member do it",
				won.epoch,
				names(devices)
			),
			Self::Failed { reason } => {
				format!("-- what this client wanted (intent {intent}) came to nothing: {}", name::printable(reason))
			}
			Self::Other { what } => {
				format!("-- what this client wanted (intent {intent}) has ended: {}", name::printable(what))
			}
		}
	}
}

/// Whose they are, each named once.
fn names(devices: &[Device]) -> String {
	let names: BTreeSet<&str> = devices.iter().map(|device| device.identity.as_str()).collect();
	names.into_iter().collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
pub mod tests {
	use super::*;
	use crate::happened::{Happened, Record};
	use lockstep_client::{Event, GroupId, IntentId};
	use serde_json::{json, Value};
	use std::time::Duration;

	const GROUP: GroupId = GroupId([1; 32]);
	const ENTRY: EntryHash = EntryHash([2; 32]);

	fn committed(by_another: bool) -> Committed {
		let elapsed = Duration::from_millis(1500);
		Committed { epoch: 4, entry: ENTRY, block: 9, attempts: 1, elapsed, by_another }
	}

	fn not_invited(identities: &[&[u8]]) -> Ended {
		let member = |identity: &&[u8]| json!({ "identity": format!("0x{}", hex::encode(identity)), "key": "0x0a" });
		let members: Vec<Value> = identities.iter().map(member).collect();
		let reason = json!({ "committed": committed(false), "members": members });
		Ended::NotInvited(serde_json::from_value(reason).unwrap())
	}

	/// One of each.
	pub fn all() -> Vec<Ended> {
		vec![
			Ended::Done(committed(false)),
			Ended::Superseded { by: ENTRY, epoch: 4 },
			not_invited(&[b"bert"]),
			Ended::Failed { reason: "bert is not a member".to_owned() },
		]
	}

	fn happened(ended: Ended) -> Happened {
		Event::IntentEnded { intent: IntentId { group: GROUP, number: 3 }, ended }.into()
	}

	#[test]
	fn the_json_of_an_end_is_the_documented_one() {
		let (group, entry) = (format!("0x{GROUP}"), format!("0x{ENTRY}"));
		let expected = [
			json!({
				"at": 5, "event": "intent_ended", "group": group, "intent": 3, "ended": "done", "epoch": 4,
				"entry": entry, "block": 9, "attempts": 1, "elapsedMs": 1500, "byAnother": false
			}),
			json!({
				"at": 5, "event": "intent_ended", "group": group, "intent": 3, "ended": "superseded", "epoch": 4,
				"entry": entry
			}),
			json!({
				"at": 5, "event": "intent_ended", "group": group, "intent": 3, "ended": "not_invited", "epoch": 4,
				"entry": entry, "block": 9, "attempts": 1, "elapsedMs": 1500, "byAnother": false,
				"devices": [{ "identity": "bert", "key": "0a" }]
			}),
			json!({
				"at": 5, "event": "intent_ended", "group": group, "intent": 3, "ended": "failed",
				"reason": "bert is not a member"
			}),
		];
		for (ended, expected) in all().into_iter().zip(expected) {
			let record = Record { at: 5, happened: happened(ended) };
			assert_eq!(serde_json::to_value(&record).unwrap(), expected);
			assert_eq!(serde_json::from_value::<Record>(expected).unwrap(), record);
		}
	}

	#[test]
	fn who_was_not_invited_is_named_once_and_the_reader_told_what_to_do() {
		let happened = happened(not_invited(&[b"carla", b"bert", b"carla", b"x\n-- y"]));
		let text = happened.text();
		assert!(text.starts_with("-- the commit of epoch 4 added bert, carla, hex:780a2d2d2079, who do not"), "{text}");
		assert!(text.contains("remove them, and add them again by new KeyPackages"), "{text}");
		assert_eq!((text.lines().count(), happened.is_conversation(), happened.group()), (1, true, Some(GROUP)));
	}

	#[test]
	fn what_the_command_tells_that_waits_is_not_told_in_the_conversation_again() {
		let told = |ended: Ended| (happened(ended.clone()).text(), happened(ended).is_conversation());
		let done = "-- what this client wanted (intent 3) is done: epoch 4, final in block 9";
		assert_eq!(told(Ended::Done(committed(false))), (done.to_owned(), false));
		assert_eq!(told(Ended::Done(committed(true))), (format!("{done}, by another member's commit"), false));
		let failed = Ended::Failed { reason: "a\n-- b\u{202e}".to_owned() };
		let text = "-- what this client wanted (intent 3) came to nothing: a\n    -- b\\u{202e}";
		assert_eq!(told(failed), (text.to_owned(), false));
		let (text, is_conversation) = told(Ended::Superseded { by: ENTRY, epoch: 4 });
		assert!(text.contains(&format!("lost against entry {ENTRY} and is not tried again: ask again")), "{text}");
		assert!(!is_conversation);
	}
}

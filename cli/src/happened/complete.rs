//! Nothing that a client can report is forgotten: not in what is shown of it, and not in `docs/cli.md`. The library's enums may get
//! further variants, and the compiler asks for an arm for those; it does not say when there is one.

use super::{
	end::{self, End},
	Happened, Record,
};
use lockstep_client::{
	EntryHash, Event, GroupData, GroupId, IntentId, InvitationError, Lie, NotAddedBecause, PrivateReason,
	SkippedBecause, UndeliveredBecause,
};
use std::collections::{BTreeMap, BTreeSet};

/// One of each, and of ended intents one for each end.
fn all() -> Vec<Event> {
	let (group, entry, epoch) = (GroupId([1; 32]), EntryHash([2; 32]), 3);
	let (identity, key, data) = (b"bert".to_vec(), vec![4; 32], b"hi".to_vec());
	let intent = IntentId { group, number: 5 };
	let ended = end::tests::all().into_iter().map(|ended| Event::IntentEnded { intent, ended });
	let others = vec![
		Event::Created { group },
		Event::Joined { group, epoch, contested: true },
		Event::InvitationFailed { group, reason: InvitationError::Mismatch("its key") },
		Event::EpochAdvanced { group, epoch, entry, block: 9, own: true, authenticator: vec![6; 32] },
		Event::Skipped { group, entry, reason: SkippedBecause::NotFromTip },
		Event::Message { number: 7, group, epoch, sender: identity.clone(), data: data.clone() },
		Event::MemberAdded { group, epoch, identity: identity.clone() },
		Event::MemberRemoved { group, epoch, identity: identity.clone() },
		Event::MemberReadmitted { group, epoch, identity: identity.clone() },
		Event::KeyChanged { group, epoch, identity: identity.clone() },
		Event::DeviceAdded { group, epoch, identity: identity.clone(), key: key.clone() },
		Event::DeviceMissing { group, identity: identity.clone(), key: key.clone() },
		Event::DeviceNotAdded {
			group,
			identity: identity.clone(),
			key: key.clone(),
			reason: NotAddedBecause::GateClosed,
		},
		Event::DeviceRemoved { group, epoch, identity, key },
		Event::GroupDataChanged { group, epoch, data: GroupData::default() },
		Event::Superseded { group, entry },
		Event::Undelivered { number: 8, group, data, reason: UndeliveredBecause::Left },
		Event::Undelivered { number: 9, group, data: vec![0xff], reason: UndeliveredBecause::Left },
		Event::RemovedFromGroup { group },
		Event::Replaced { group },
		Event::Desynchronized { group, reason: PrivateReason::OwnCommit },
		Event::AskedToRejoin { group, posted: true },
		Event::AskedToRejoin { group, posted: false },
		Event::NotReadmitted { group, times: 5 },
		Event::GroupClosed { group },
		Event::Halted { group, reason: "the disk is full".to_owned() },
		Event::Resumed { group },
		Event::NodeLied { node: "ws://x".to_owned(), lie: Lie::Genesis("another".to_owned()) },
		Event::Outdated { reason: "another runtime".to_owned() },
		Event::Missed { count: 2 },
	];
	others.into_iter().chain(ended).collect()
}

/// The variants of an enum, by its source.
fn variants(source: &str, name: &str) -> BTreeSet<String> {
	let (_, body) = source.split_once(&format!("pub enum {name} {{\n")).unwrap();
	let lines = body.lines().take_while(|line| *line != "}").filter_map(|line| line.strip_prefix('\t'));
	lines.filter(|line| line.starts_with(|first: char| first.is_ascii_uppercase())).map(first_word).collect()
}

fn first_word(text: &str) -> String {
	text.chars().take_while(char::is_ascii_alphanumeric).collect()
}

/// What stands between backticks.
fn quoted(cell: &'static str) -> BTreeSet<&'static str> {
	cell.split('`').skip(1).step_by(2).collect()
}

/// The events that the manual has, and what it names in the row of each.
fn documented() -> BTreeMap<&'static str, BTreeSet<&'static str>> {
	let manual: &'static str = include_str!("../../../docs/cli.md");
	let (_, table) = manual.split_once("| `event` | keys |\n").unwrap();
	let rows = table.lines().take_while(|line| line.starts_with('|'));
	rows.filter_map(|row| row.strip_prefix("| ")?.split_once(" | "))
		.flat_map(|(events, keys)| quoted(events).into_iter().map(move |event| (event, quoted(keys))))
		.collect()
}

#[test]
fn every_event_of_the_client_has_a_form_of_its_own() {
	let source = include_str!("../../../client-lib/src/client/event.rs");
	let tried: BTreeSet<String> = all().iter().map(|event| first_word(&format!("{event:?}"))).collect();
	assert_eq!(tried, variants(source, "Event"), "give it a form of its own, and add one to `all`");
	for event in all() {
		let raw = matches!(Happened::from(event.clone()), Happened::Other { .. });
		assert!(!raw, "{event:?}");
	}
}

#[test]
fn every_end_of_an_intent_has_a_form_of_its_own() {
	let source = include_str!("../../../client-lib/src/client/intent.rs");
	let tried: BTreeSet<String> = end::tests::all().iter().map(|ended| first_word(&format!("{ended:?}"))).collect();
	assert_eq!(tried, variants(source, "Ended"), "give it a form of its own, and add one to `end::tests::all`");
	for ended in end::tests::all() {
		let raw = matches!(End::from(ended.clone()), End::Other { .. });
		assert!(!raw, "{ended:?}");
	}
}

#[test]
fn every_event_is_read_again_as_it_was() {
	for event in all() {
		let record = Record::now(event.into());
		let json = serde_json::to_string(&record).unwrap();
		assert_eq!(serde_json::from_str::<Record>(&json).unwrap(), record, "{json}");
	}
}

#[test]
fn every_event_and_its_keys_are_documented() {
	let documented = documented();
	for event in all() {
		let json = serde_json::to_value(Happened::from(event)).unwrap();
		let name = json["event"].as_str().unwrap();
		let named = documented.get(name).unwrap_or_else(|| panic!("docs/cli.md lacks {name}"));
		let keys = json.as_object().unwrap().keys().map(String::as_str).filter(|key| *key != "event");
		for word in keys.chain(json["ended"].as_str()) {
			assert!(named.contains(word), "docs/cli.md lacks {word} of {name}");
		}
	}
}

//! Groups of members, each with a store of its own, on an in-memory log that admits entries as the chain does.

mod agreement;
mod any_bytes;
mod attacks;
mod batches;
mod damage;
mod decoding;
mod devices;
mod group_data;
mod hostile;
mod joining;
mod letters;
mod limits;
mod loaded;
mod log;
mod long_paths;
mod member;
mod messages;
mod paths;
mod people;
mod policies;
mod published;
mod random;
mod random_roles;
mod readmission;
mod rejoin_requests;
mod roles;
mod rotation;
mod trees;
mod trouble;

use super::{
	group::{GroupView, NewGroup},
	key_package::NewKeyPackage,
	message::Sent,
	policy::PolicyError,
	*,
};
use log::{Entry, Log};
use member::{Member, Outcome};

/// A group with members of these names, at the same entry of one log.
fn group(names: &[&str]) -> (Log, Vec<Member>) {
	group_of(&GroupData::default(), names)
}

/// The same, with this data; the first of the names is its administrator.
fn group_of(data: &GroupData, names: &[&str]) -> (Log, Vec<Member>) {
	let (first, others) = names.split_first().expect("a group has a member");
	let mut creator = Member::new(first);
	let mut log = Log::create_with(&mut creator, data);
	let mut members = vec![creator];
	if !others.is_empty() {
		let mut joiners: Vec<Member> = others.iter().map(|name| Member::new(name)).collect();
		let packages: Vec<NewKeyPackage> = joiners.iter_mut().map(Member::key_package).collect();
		let intent = add(&packages);
		let prepared = members[0].prepare(&log, &intent);
		let entry = log.append(&prepared);
		members[0].follow(&log, &entry);
		let welcomes = members[0].welcomes(&prepared, &entry);
		for (joiner, package) in joiners.iter_mut().zip(&packages) {
			joiner.join(&log, package, &welcomes);
		}
		members.extend(joiners);
	}
	assert_agreement(&mut members, &log);
	(log, members)
}

fn add(packages: &[NewKeyPackage]) -> Intent {
	Intent::Add(packages.iter().map(|package| lockstep_primitives::rpc::HexBytes(package.bytes.clone())).collect())
}

fn remove(names: &[&str]) -> Intent {
	Intent::Remove(names.iter().map(|name| lockstep_primitives::rpc::HexBytes(name.as_bytes().to_vec())).collect())
}

/// All rights are administrators' only.
fn strict() -> GroupData {
	let who = Who::Administrators;
	GroupData { rights: Rights { add: who, remove: who, data: who, roles: who }, ..GroupData::default() }
}

fn hex(bytes: &[u8]) -> lockstep_primitives::rpc::HexBytes {
	lockstep_primitives::rpc::HexBytes(bytes.to_vec())
}

fn rename(name: &str) -> Intent {
	Intent::GroupData(GroupChange { name: Some(name.into()), ..GroupChange::default() })
}

fn appoint(name: &str) -> Intent {
	Intent::GroupData(GroupChange { appoint: vec![hex(name.as_bytes())], ..GroupChange::default() })
}

fn dismiss(name: &str) -> Intent {
	Intent::GroupData(GroupChange { dismiss: vec![hex(name.as_bytes())], ..GroupChange::default() })
}

/// One member commits what an intent asks for, and all follow; gives what the first of them saw change.
fn commit(members: &mut [Member], log: &mut Log, committer: usize, intent: &Intent) -> EpochChange {
	let prepared = members[committer].prepare(log, intent);
	let entry = log.append(&prepared);
	let changes: Vec<EpochChange> = members.iter_mut().map(|member| member.advance(log, &entry)).collect();
	for change in &changes {
		assert_eq!(
			(&change.added, &change.removed, &change.readmitted, &change.rotated, &change.data),
			(&changes[0].added, &changes[0].removed, &changes[0].readmitted, &changes[0].rotated, &changes[0].data)
		);
	}
	changes[0].clone()
}

/// Why a member will not make the commit of an intent.
fn refusal(member: &Member, log: &Log, intent: &Intent) -> BuildError {
	match member.read(|engine, overlay| engine.build_one(overlay, &log.group, intent)) {
		Err(error) => error,
		Ok(_) => panic!("{} commits {intent:?}", member.name()),
	}
}

/// All members are in the same state of the same group: equal authenticators, and each reads what each other sends.
fn assert_agreement(members: &mut [Member], log: &Log) {
	let views: Vec<GroupView> = members.iter().map(|member| member.view(log)).collect();
	for view in &views {
		assert!(view.active);
		assert_eq!(view.authenticator, views[0].authenticator);
		assert_eq!(view.members, views[0].members);
		assert_eq!(view.data, views[0].data);
		assert_eq!(view.ordering_key, views[0].ordering_key);
	}
	for sender in 0..members.len() {
		let data = format!("from {sender} in {}", views[0].epoch).into_bytes();
		let sent = members[sender].encrypt(log, &data);
		let name = members[sender].engine.identity().to_vec();
		for (reader, member) in members.iter_mut().enumerate() {
			let expected = match reader == sender {
				true => Received::Own { epoch: sent.epoch },
				false => Received::Message { sender: name.clone(), epoch: sent.epoch, data: data.clone() },
			};
			assert_eq!(member.decrypt(log, &sent.bytes), Ok(expected));
		}
	}
}

/// All members judge an entry alike; gives the verdicts' common text.
fn assert_all_skip(members: &mut [Member], log: &Log, entry: &Entry) -> InvalidReason {
	let before: Vec<GroupView> = members.iter().map(|member| member.view(log)).collect();
	let reasons: Vec<InvalidReason> = members
		.iter_mut()
		.map(|member| match member.follow(log, entry) {
			Outcome::Skipped(reason) => reason,
			other => panic!("{} says {other:?}", member.name()),
		})
		.collect();
	let after: Vec<GroupView> = members.iter().map(|member| member.view(log)).collect();
	assert_eq!(before, after, "a skipped entry leaves no trace");
	for reason in &reasons {
		assert_eq!(reason, &reasons[0]);
	}
	reasons[0].clone()
}

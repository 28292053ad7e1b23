//! Groups of members, each with a store of its own, on an in-memory log that admits entries as the chain does.

mod agreement;
mod attacks;
mod decoding;
mod hostile;
mod joining;
mod log;
mod member;
mod messages;
mod paths;
mod policies;
mod random;
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
	let (first, others) = names.split_first().expect("a group has a member");
	let mut creator = Member::new(first);
	let mut log = Log::create(&mut creator);
	let mut members = vec![creator];
	if !others.is_empty() {
		let mut joiners: Vec<Member> = others.iter().map(|name| Member::new(name)).collect();
		let packages: Vec<NewKeyPackage> = joiners.iter_mut().map(Member::key_package).collect();
		let intent = add(&packages);
		let prepared = members[0].prepare(&log, &intent);
		let entry = log.append(&prepared);
		members[0].follow(&log, &entry);
		let envelopes = members[0].welcomes(&prepared, &entry);
		for (joiner, package) in joiners.iter_mut().zip(&packages) {
			joiner.join(&log, package, &envelopes);
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

/// All members are in the same state of the same group: equal authenticators, and each reads what each other sends.
fn assert_agreement(members: &mut [Member], log: &Log) {
	let views: Vec<GroupView> = members.iter().map(|member| member.view(log)).collect();
	for view in &views {
		assert!(view.active);
		assert_eq!(view.authenticator, views[0].authenticator);
		assert_eq!(view.members, views[0].members);
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

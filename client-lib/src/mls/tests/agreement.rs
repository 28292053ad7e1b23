//! What honest members do together: they commit, race, leave, restart, and stay in the same state.

use super::{add, assert_agreement, group, remove, BuildError, EngineError, Intent, Log, Member, Outcome};
use lockstep_primitives::rpc::HexBytes;

#[test]
fn eight_members_commit_in_turn_and_agree_in_every_epoch() {
	let names = ["a", "b", "c", "d", "e", "f", "g", "h"];
	let (mut log, mut members) = group(&names);
	for committer in 0..members.len() {
		let prepared = members[committer].prepare(&log, &Intent::Update);
		let entry = log.append(&prepared);
		for member in &mut members {
			member.advance(&log, &entry);
		}
		assert_agreement(&mut members, &log);
	}
	assert_eq!(members[0].view(&log).epoch, 9);
}

#[test]
fn when_all_race_one_wins_and_the_losers_commit_again() {
	let (mut log, mut members) = group(&["a", "b", "c", "d"]);
	for round in 0..4 {
		let prepared: Vec<_> = members.iter_mut().map(|member| member.prepare(&log, &Intent::Update)).collect();
		let winner = log.append(&prepared[round]);
		for member in &mut members {
			member.advance(&log, &winner);
		}
		assert_agreement(&mut members, &log);
		let loser = &prepared[(round + 1) % 4];
		let merged = members[(round + 1) % 4].write(|engine, overlay| engine.merge_own(overlay, &winner.hash, loser));
		assert!(matches!(merged, Err(EngineError::NotAtEntry { .. })), "a lost commit is never merged");
	}
}

#[test]
fn members_come_and_go() {
	let (mut log, mut members) = group(&["a", "b", "c"]);
	let mut joiners = [Member::new("d"), Member::new("e")];
	let packages = joiners.each_mut().map(Member::key_package);
	let prepared = members[1].prepare(&log, &add(&packages));
	let entry = log.append(&prepared);
	for member in &mut members {
		let change = member.advance(&log, &entry);
		assert_eq!(change.added, [b"d".to_vec(), b"e".to_vec()]);
		assert!(change.removed.is_empty() && !change.removed_me);
	}
	let welcomes = members[1].welcomes(&prepared, &entry);
	for (joiner, package) in joiners.iter_mut().zip(&packages) {
		let joined = joiner.join(&log, package, &welcomes);
		assert_eq!(joined.epoch, 2);
	}
	members.extend(joiners);
	assert_agreement(&mut members, &log);

	let prepared = members[4].prepare(&log, &remove(&["a", "c"]));
	let entry = log.append(&prepared);
	for (index, member) in members.iter_mut().enumerate() {
		let change = member.advance(&log, &entry);
		assert_eq!(change.removed_me, index == 0 || index == 2);
		assert_eq!(change.removed.len(), 2);
	}
	let mut gone = [members.remove(2), members.remove(0)];
	assert_agreement(&mut members, &log);

	let sent = members[0].encrypt(&log, b"after the removal");
	for member in &mut gone {
		assert!(!member.view(&log).active);
		assert!(matches!(member.decrypt(&log, &sent.bytes), Err(super::MessageError::Engine(EngineError::Removed(_)))));
		let build = member.read(|engine, overlay| engine.build_one(overlay, &log.group, &Intent::Update));
		assert!(matches!(build, Err(BuildError::Engine(EngineError::Removed(_)))));
		assert_ne!(member.tip_keys(&log).ordering_key, entry.next_key, "the removed have no key of the new epoch");
	}
}

#[test]
fn a_removed_member_can_be_invited_again_once_it_forgets_the_group() {
	let (mut log, mut members) = group(&["a", "b", "c"]);
	let entry = log.append(&members[0].prepare(&log, &remove(&["c"])));
	for member in &mut members {
		member.advance(&log, &entry);
	}
	let mut back = members.pop().unwrap();
	back.write(|engine, overlay| engine.forget_group(overlay, &log.group)).unwrap();
	assert!(back.keys(&log).is_empty());
	let package = back.key_package();
	let prepared = members[1].prepare(&log, &add(std::slice::from_ref(&package)));
	let entry = log.append(&prepared);
	for member in &mut members {
		member.advance(&log, &entry);
	}
	back.join(&log, &package, &members[1].welcomes(&prepared, &entry));
	members.push(back);
	assert_agreement(&mut members, &log);
}

#[test]
fn a_member_leaves_by_anothers_commit() {
	let (mut log, mut members) = group(&["a", "b", "c", "d"]);
	let proposal = members[3].read(|engine, overlay| engine.propose_leave(overlay, &log.group)).unwrap();
	for member in &members {
		let view = member.read(|engine, overlay| engine.inspect_proposal(overlay, &log.group, &proposal)).unwrap();
		assert_eq!((view.sender, view.epoch, view.leaves), (b"d".to_vec(), 1, true));
	}
	let prepared = members[1].prepare(&log, &Intent::Proposals(vec![HexBytes(proposal.clone())]));
	let entry = log.append(&prepared);
	for member in &mut members {
		let change = member.advance(&log, &entry);
		assert_eq!(change.removed, [b"d".to_vec()]);
	}
	assert!(!members.pop().unwrap().view(&log).active);
	assert_agreement(&mut members, &log);

	let again = Intent::Proposals(vec![HexBytes(proposal)]);
	let build = members[0].read(|engine, overlay| engine.build_one(overlay, &log.group, &again));
	assert!(matches!(build, Err(BuildError::Proposal { index: 0, .. })), "a proposal is good for its epoch only");
}

#[test]
fn a_member_cannot_commit_its_own_leaving() {
	let (log, mut members) = group(&["a", "b"]);
	let proposal = members[0].read(|engine, overlay| engine.propose_leave(overlay, &log.group)).unwrap();
	let intent = Intent::Proposals(vec![HexBytes(proposal)]);
	let build = members[0].read(|engine, overlay| engine.build_one(overlay, &log.group, &intent));
	assert!(build.is_err(), "{build:?}");
	let build = members[0].read(|engine, overlay| engine.build_one(overlay, &log.group, &remove(&["a"])));
	assert_eq!(build.unwrap_err(), BuildError::RemovesItself);
	assert_agreement(&mut members, &log);
}

#[test]
fn intents_that_make_no_sense_are_refused_with_the_reason() {
	let (log, mut members) = group(&["a", "b"]);
	let again = members[1].key_package();
	let stranger = Member::new("c").key_package();
	let cases = [
		(add(&[again]), BuildError::AlreadyMember { identity: b"b".to_vec() }),
		(add(&[stranger.clone(), stranger]), BuildError::AlreadyMember { identity: b"c".to_vec() }),
		(remove(&["x"]), BuildError::NotAMember { identity: b"x".to_vec() }),
		(Intent::Add(vec![]), BuildError::Empty),
		(Intent::Remove(vec![]), BuildError::Empty),
		(Intent::Proposals(vec![]), BuildError::Empty),
	];
	for (intent, expected) in cases {
		let build = members[0].read(|engine, overlay| engine.build_one(overlay, &log.group, &intent));
		assert_eq!(build.unwrap_err(), expected);
	}
}

#[test]
fn a_restart_at_any_point_loses_nothing() {
	let (mut log, mut members) = group(&["a", "b", "c"]);
	for round in 0..6 {
		let winner = round % 3;
		let prepared = members[winner].prepare(&log, &Intent::Update);
		members[winner].restart(&log);
		let entry = log.append(&prepared);
		for member in &mut members {
			member.advance(&log, &entry);
			member.restart(&log);
		}
		assert_agreement(&mut members, &log);
	}
}

#[test]
fn a_lost_overlay_leaves_the_member_where_it_was() {
	let (mut log, mut members) = group(&["a", "b", "c"]);
	let prepared = members[0].prepare(&log, &Intent::Update);
	let entry = log.append(&prepared);
	let before = members[0].view(&log);
	{
		let overlay = members[0].store().overlay();
		members[0].engine.merge_own(&overlay, &entry.hash, &prepared).unwrap();
	}
	assert_eq!(members[0].view(&log), before, "the overlay was dropped");
	for member in &mut members {
		member.advance(&log, &entry);
	}
	assert_agreement(&mut members, &log);
}

#[test]
fn an_own_commit_whose_secrets_are_lost_is_never_skipped() {
	let (mut log, mut members) = group(&["a", "b"]);
	let entry = log.append(&members[0].prepare(&log, &Intent::Update));
	members[0].lose_prepared();
	assert!(matches!(members[0].follow(&log, &entry), Outcome::Stuck(super::PrivateReason::OwnCommit)));
	members[1].advance(&log, &entry);
}

#[test]
fn keys_of_past_epochs_are_kept_for_a_while_and_then_deleted() {
	let (mut log, mut members) = group(&["a", "b"]);
	for _ in 0..super::constants::MAX_PAST_EPOCHS + 3 {
		let entry = log.append(&members[0].prepare(&log, &Intent::Update));
		for member in &mut members {
			member.advance(&log, &entry);
		}
		let keys = members[1].keys(&log);
		assert!(keys.len() <= super::constants::MAX_PAST_EPOCHS + 1);
		assert!(keys.windows(2).all(|pair| pair[0].epoch + 1 == pair[1].epoch));
		assert_eq!(keys.last().map(|keys| (keys.entry, keys.ordering_key)), Some((entry.hash, entry.next_key)));
	}
}

#[test]
fn the_newest_entries_of_all_groups_are_read_together() {
	let (mut log, mut members) = group(&["a", "b"]);
	for _ in 0..3 {
		let entry = log.append(&members[0].prepare(&log, &Intent::Update));
		members[0].advance(&log, &entry);
	}
	let other = Log::create(&mut members[0]);
	let newest = members[0].read(|_, overlay| super::EpochKeys::newest_entries(overlay)).unwrap();
	assert_eq!(newest, [&log, &other].map(|log| (log.group, log.tip().hash)).into());
}

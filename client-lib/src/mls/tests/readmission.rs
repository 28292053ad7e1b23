//! Readmission: how a member comes back that was cut off, or lost its state.

use super::{
	add, assert_agreement, assert_all_skip, commit, group, group_of,
	hostile::{forge, leaf_key, Crypto, Fault},
	log::GENESIS,
	refusal, remove,
	roles::leaf,
	rotation::key_of,
	strict, BuildError, Engine, EngineError, GroupData, Intent, InvalidReason, Invitation, Log, Member, NewKeyPackage,
	NewRejoinRequest, Outcome, PolicyError, PrivateReason, RejoinRequest, Rights, WelcomeError, Who,
};
use crate::mls::{key_package, policy::Right};

pub(super) fn ask(member: &Member, log: &Log) -> NewRejoinRequest {
	member.write(|engine, overlay| engine.rejoin_request(overlay, &log.group, &log.tip().hash)).unwrap()
}

pub(super) fn check(member: &Member, log: &Log, request: &NewRejoinRequest) -> RejoinRequest {
	member.read(|engine, overlay| engine.check_rejoin(overlay, &log.group, &request.bytes, &log.tip().hash)).unwrap()
}

/// One of the members commits a readmission, the others follow, and the one who asked comes back.
pub(super) fn readmit(members: &mut [Member], log: &mut Log, intent: &Intent, back: &mut Member, reference: &[u8]) {
	let prepared = members[0].prepare(log, intent);
	let entry = log.append(&prepared);
	let name = back.engine.identity().to_vec();
	for member in members.iter_mut() {
		let change = member.advance(log, &entry);
		assert_eq!(change.readmitted, std::slice::from_ref(&name));
		assert!(change.added.is_empty() && change.removed.is_empty(), "it never was away");
	}
	let welcomes = members[0].welcomes(&prepared, &entry);
	let package = NewKeyPackage { bytes: Vec::new(), reference: reference.to_vec() };
	let invitation = back.open_welcome(&package, &welcomes);
	let joined = back.write(|engine, overlay| engine.rejoin(overlay, &invitation)).unwrap();
	assert_eq!(joined.ordering_key, log.tip().next_key);
}

/// A group of four in which "b" was cut off; gives it apart.
fn cut_off() -> (Log, Vec<Member>, Member) {
	let (mut log, mut members) = group(&["a", "b", "c", "d"]);
	let fault = Fault::OtherText(leaf_key(&members, &log, "b"), vec![3; 32]);
	let forged = forge(&members[0], &log, &Crypto::with(fault), |builder| builder);
	let entry = forged.submit(&members[0], &mut log);
	assert!(matches!(members[1].follow(&log, &entry), Outcome::Stuck(PrivateReason::Path(_))));
	let mut others = members.split_off(2);
	for member in &mut others {
		member.advance(&log, &entry);
	}
	(log, others, members.pop().unwrap())
}

#[test]
fn a_member_that_was_cut_off_comes_back() {
	let (mut log, mut others, mut back) = cut_off();
	commit(&mut others, &mut log, 1, &Intent::Update);
	let request = ask(&back, &log);
	let checked = check(&others[0], &log, &request);
	assert_eq!((&checked.identity[..], checked.new_key), (&b"b"[..], false));
	readmit(&mut others, &mut log, &checked.intent(), &mut back, &request.reference);
	others.push(back);
	assert_agreement(&mut others, &log);
	commit(&mut others, &mut log, 2, &Intent::Update);
	assert_agreement(&mut others, &log);
}

#[test]
fn a_member_that_lost_its_state_comes_back() {
	let (mut log, mut members) = group_of(&strict(), &["a", "b", "c"]);
	let gone = members.remove(1);
	drop(gone);
	let mut back = Member::new("b");
	let request = ask(&back, &log);
	// any member can commit it, for the key shows that it is the same member
	members.swap(0, 1);
	let checked = check(&members[0], &log, &request);
	assert!(!checked.new_key);
	readmit(&mut members, &mut log, &checked.intent(), &mut back, &request.reference);
	members.push(back);
	assert_agreement(&mut members, &log);
}

#[test]
fn a_member_whose_own_commit_was_lost_comes_back() {
	let (mut log, mut members) = group(&["a", "b", "c"]);
	let entry = log.append(&members[1].prepare(&log, &Intent::Update));
	members[1].lose_prepared();
	let mut back = members.remove(1);
	assert!(matches!(back.follow(&log, &entry), Outcome::Stuck(PrivateReason::OwnCommit)));
	for member in &mut members {
		member.advance(&log, &entry);
	}
	// the others have a leaf of it that it does not know
	let request = ask(&back, &log);
	let checked = check(&members[0], &log, &request);
	readmit(&mut members, &mut log, &checked.intent(), &mut back, &request.reference);
	members.push(back);
	assert_agreement(&mut members, &log);
}

/// The intent to give "b" a leaf of the KeyPackage of a new device, which has another key.
fn with_new_key(seen_by: &Member, log: &Log, device: &mut Member) -> (Intent, NewKeyPackage) {
	device.engine = Engine::new(b"b".to_vec(), &[77; 32], GENESIS).unwrap();
	let package = device.key_package();
	let checked = RejoinRequest {
		identity: b"b".to_vec(),
		client: b"b".to_vec(),
		key_package: package.bytes.clone(),
		replaces: leaf_key(std::slice::from_ref(seen_by), log, "b"),
		new_key: true,
	};
	(checked.intent(), package)
}

#[test]
fn a_member_comes_back_with_a_new_key_where_that_is_allowed() {
	let (mut log, mut members) = group(&["a", "b", "c"]);
	drop(members.remove(1));
	let mut device = Member::new("b");
	let (intent, package) = with_new_key(&members[0], &log, &mut device);
	let old = key_of(&members[0], &log, "b");
	readmit(&mut members, &mut log, &intent, &mut device, &package.reference);
	assert_ne!(key_of(&members[0], &log, "b"), old);
	members.push(device);
	assert_agreement(&mut members, &log);
	let satisfied = members[0].read(|engine, overlay| engine.satisfied(overlay, &log.group, &intent));
	assert_eq!(satisfied, Ok(true));
}

/// "c" puts a leaf with another key in the place of that of "b", at its own discretion.
fn refused_to_c(data: &GroupData, administrator: &str, right: Right) {
	let (mut log, mut members) = group_of(data, &["a", "b", "c"]);
	if administrator == "b" {
		commit(&mut members, &mut log, 0, &super::appoint("b"));
	}
	let (intent, package) = with_new_key(&members[0], &log, &mut Member::new("b"));
	let reason = InvalidReason::Policy(PolicyError::NotAllowed { actor: b"c".to_vec(), right });
	assert_eq!(refusal(&members[2], &log, &intent), BuildError::Refused(reason.clone()));
	let victim = leaf(&members[2], &log, "b");
	let package = key_package::parse(&members[2].engine.crypto, &package.bytes).unwrap();
	let forged = forge(&members[2], &log, &Crypto::default(), |builder| {
		builder.propose_adds([package]).propose_removals([victim])
	});
	let entry = forged.submit(&members[2], &mut log);
	assert_eq!(assert_all_skip(&mut members[..2], &log, &entry), reason);
	// an administrator may
	assert!(members[0].read(|engine, overlay| engine.build_one(overlay, &log.group, &intent)).is_ok());
}

#[test]
fn a_new_key_takes_the_rights_to_add_and_to_remove_and_for_administrators_that_to_change_roles() {
	let only = Who::Administrators;
	let data = |rights: Rights| GroupData { rights, ..GroupData::default() };
	refused_to_c(&strict(), "a", Right::Add);
	refused_to_c(&data(Rights { add: only, ..Rights::default() }), "a", Right::Add);
	refused_to_c(&data(Rights { remove: only, ..Rights::default() }), "a", Right::Remove);
	refused_to_c(&data(Rights { roles: only, ..Rights::default() }), "b", Right::Roles);
}

#[test]
fn a_member_has_one_leaf_after_a_readmission() {
	let (mut log, mut members) = group(&["a", "b", "c"]);
	let mut device = Member::new("b");
	let (_, one) = with_new_key(&members[0], &log, &mut device);
	device.engine = Engine::new(b"b".to_vec(), &[78; 32], GENESIS).unwrap();
	let two = device.key_package();
	let victim = leaf(&members[0], &log, "b");
	let packages = [one, two].map(|package| key_package::parse(&device.engine.crypto, &package.bytes).unwrap());
	let forged = forge(&members[0], &log, &Crypto::default(), |builder| {
		builder.propose_adds(packages).propose_removals([victim])
	});
	let entry = forged.submit(&members[0], &mut log);
	let reason = assert_all_skip(&mut members[1..], &log, &entry);
	assert_eq!(reason, InvalidReason::Policy(PolicyError::DuplicateIdentity));
}

#[test]
fn a_member_that_was_replaced_stops_and_comes_back_by_the_welcome() {
	let (mut log, mut members) = group(&["a", "b", "c"]);
	let request = ask(&members[1], &log);
	let checked = check(&members[0], &log, &request);
	let prepared = members[0].prepare(&log, &checked.intent());
	let entry = log.append(&prepared);
	for (index, member) in members.iter_mut().enumerate() {
		let change = member.advance(&log, &entry);
		let is_b = index == 1;
		assert_eq!((change.removed_me, change.replaced_me), (is_b, is_b));
		assert_eq!(change.readmitted, [b"b".to_vec()]);
	}
	let welcomes = members[0].welcomes(&prepared, &entry);
	let package = NewKeyPackage { bytes: vec![], reference: request.reference };
	let invitation = members[1].open_welcome(&package, &welcomes);
	let again = members[1].read(|engine, overlay| engine.join(overlay, &invitation));
	assert_eq!(again, Err(WelcomeError::AlreadyMember));
	members[1].write(|engine, overlay| engine.rejoin(overlay, &invitation)).unwrap();
	assert_agreement(&mut members, &log);
}

#[test]
fn a_readmission_lapses_when_the_member_has_another_leaf() {
	let (mut log, mut others, mut back) = cut_off();
	let request = ask(&back, &log);
	let intents = [0, 1].map(|index: usize| check(&others[index], &log, &request).intent());
	readmit(&mut others, &mut log, &intents[0], &mut back, &request.reference);
	others.push(back);
	// the other member wanted the same, and must not put the member out again
	let lapsed = BuildError::OtherLeaf { identity: b"b".to_vec() };
	assert_eq!(refusal(&others[1], &log, &intents[1]), lapsed);
	commit(&mut others, &mut log, 2, &Intent::Update);
	assert_eq!(refusal(&others[1], &log, &intents[1]), lapsed);
	let satisfied = others[1].read(|engine, overlay| engine.satisfied(overlay, &log.group, &intents[1]));
	assert_eq!(satisfied, Ok(true));
	commit(&mut others, &mut log, 0, &remove(&["b"]));
	assert_eq!(refusal(&others[1], &log, &intents[1]), BuildError::NotAMember { identity: b"b".to_vec() });
}

/// "j" is invited, put out, and invited again, and has joined nowhere; gives it with both invitations.
pub(super) fn invited_twice() -> (Log, Vec<Member>, Member, [Invitation; 2]) {
	let (mut log, mut members) = group(&["a", "b", "c"]);
	let mut joiner = Member::new("j");
	let packages = [joiner.key_package(), joiner.key_package()];
	let mut invitations = Vec::new();
	for package in &packages {
		let prepared = members[0].prepare(&log, &add(std::slice::from_ref(package)));
		let entry = log.append(&prepared);
		for member in &mut members {
			member.advance(&log, &entry);
		}
		let welcomes = members[0].welcomes(&prepared, &entry);
		invitations.push(joiner.open_welcome(package, &welcomes));
		if invitations.len() < packages.len() {
			commit(&mut members, &mut log, 0, &remove(&["j"]));
		}
	}
	(log, members, joiner, invitations.try_into().unwrap())
}

#[test]
fn an_old_welcome_sets_nobody_back() {
	let (log, mut members, joiner, invitations) = invited_twice();
	let newer = joiner.write(|engine, overlay| engine.rejoin(overlay, &invitations[1])).unwrap();
	let overlay = joiner.store().overlay();
	let stale = joiner.engine.rejoin(&overlay, &invitations[0]);
	assert_eq!(stale, Err(WelcomeError::Stale { invited: newer.epoch - 2, stored: newer.epoch }));
	assert!(overlay.is_clean());
	drop(overlay);
	members.push(joiner);
	assert_agreement(&mut members, &log);
}

#[test]
fn a_member_does_not_readmit_itself() {
	let (log, members) = group(&["a", "b"]);
	let device = Member::new("b");
	let request = ask(&device, &log);
	let checked = check(&members[0], &log, &request);
	assert_eq!(refusal(&members[1], &log, &checked.intent()), BuildError::RemovesItself);
	let error =
		members[1].read(|engine, overlay| engine.check_rejoin(overlay, &log.group, &request.bytes, &log.tip().hash));
	assert_eq!(error, Err(super::RejoinError::Own));
	let lost = device.read(|engine, overlay| engine.check_rejoin(overlay, &log.group, &request.bytes, &log.tip().hash));
	assert_eq!(lost, Err(super::RejoinError::Engine(EngineError::NoSuchGroup(log.group))));
}

/// Its leaf is in the same place, and every byte of it as before.
#[test]
fn a_member_that_is_taken_out_and_put_in_by_the_same_key_package_is_readmitted() {
	let (mut log, mut members) = group(&["a", "c"]);
	let mut b = Member::new("b");
	let package = b.key_package();
	commit(&mut members, &mut log, 0, &add(std::slice::from_ref(&package)));
	let replaces = leaf_key(&members, &log, "b");
	let (identity, key_package) = (super::hex(b"b"), super::hex(&package.bytes));
	let intent = Intent::Readmit { identity, key_package, replaces: super::hex(&replaces) };
	let change = commit(&mut members, &mut log, 0, &intent);
	assert_eq!(change.readmitted, [b"b".to_vec()]);
	assert!(change.added.is_empty() && change.removed.is_empty() && change.rotated.is_empty());
	assert_eq!(leaf_key(&members, &log, "b"), replaces, "the leaf is the same");
}

//! Who may do what: asked before a commit is built, and of every commit that arrives.

use super::{
	add, appoint, assert_agreement, assert_all_skip, commit, dismiss, group, group_of,
	hostile::{forge, forge_on, Crypto, Forged},
	log::Log,
	refusal, remove, rename, strict, BuildError, GroupData, Intent, InvalidReason, Member, PolicyError, ProposalError,
	Rights, Who,
};
use crate::mls::{group_data::EXTENSION, key_package, policy::Right, proposal};
use lockstep_primitives::rpc::HexBytes;
use openmls::{
	group::GroupContext,
	prelude::{
		CommitBuilder, Extension, ExtensionType, Extensions, Initial, LeafNodeIndex, RequiredCapabilitiesExtension,
		UnknownExtension,
	},
};

fn not_allowed(actor: &str, right: Right) -> InvalidReason {
	InvalidReason::Policy(PolicyError::NotAllowed { actor: actor.as_bytes().to_vec(), right })
}

fn who(add: bool, remove: bool, data: bool, roles: bool) -> GroupData {
	let [add, remove, data, roles] = [add, remove, data, roles].map(|only| match only {
		true => Who::Administrators,
		false => Who::Everyone,
	});
	GroupData { rights: Rights { add, remove, data, roles }, ..GroupData::default() }
}

/// The leaf of a member.
pub(super) fn leaf(member: &Member, log: &Log, name: &str) -> LeafNodeIndex {
	let overlay = member.store().overlay();
	let mls = member.engine.load(&overlay, &log.group).unwrap();
	let found = mls.members().find(|member| member.credential.serialized_content() == name.as_bytes());
	found.expect("a member of that name").index
}

type Configure = Box<dyn for<'a> FnOnce(CommitBuilder<'a, Initial>) -> CommitBuilder<'a, Initial>>;

pub(super) fn with_extensions(extensions: Extensions<GroupContext>) -> Configure {
	Box::new(move |builder| builder.propose_group_context_extensions(extensions).unwrap())
}

fn setting(data: &GroupData) -> Configure {
	with_extensions(data.to_extensions().unwrap())
}

/// The member at `forger` endorses what OpenMLS makes for it, and every other member skips it, for the same reason.
fn forged(members: &mut Vec<Member>, log: &mut Log, forger: usize, configure: Configure) -> InvalidReason {
	let forged = forge(&members[forger], log, &Crypto::default(), configure);
	skipped(members, log, forger, &forged)
}

fn skipped(members: &mut Vec<Member>, log: &mut Log, forger: usize, forged: &Forged) -> InvalidReason {
	let entry = forged.submit(&members[forger], log);
	let away = members.remove(forger);
	let reason = assert_all_skip(members, log, &entry);
	members.insert(forger, away);
	reason
}

#[test]
fn a_member_does_not_build_what_is_an_administrators_to_do() {
	let (log, mut members) = group_of(&strict(), &["a", "b", "c"]);
	let package = Member::new("d").key_package();
	let cases = [
		(add(&[package]), Right::Add),
		(remove(&["c"]), Right::Remove),
		(rename("ours"), Right::Data),
		(appoint("b"), Right::Roles),
		(dismiss("a"), Right::Roles),
	];
	for (intent, right) in &cases {
		assert_eq!(refusal(&members[1], &log, intent), BuildError::Refused(not_allowed("b", *right)));
	}
	// the administrator may, and everybody may renew its keys
	members[1].prepare(&log, &Intent::Update);
	for (intent, _) in &cases[..4] {
		members[0].prepare(&log, intent);
	}
}

#[test]
fn what_a_member_commits_all_the_same_is_skipped_by_all() {
	let (mut log, mut members) = group_of(&strict(), &["a", "b", "c", "d"]);
	let package = Member::new("e").key_package();
	let package = key_package::parse(&members[1].engine.crypto, &package.bytes).unwrap();
	let victim = leaf(&members[1], &log, "c");
	let mut data = members[1].view(&log).data;
	let (mut renamed, mut promoted, mut opened) = (data.clone(), data.clone(), data.clone());
	renamed.name = "mine".into();
	promoted.administrators.insert(b"b".to_vec());
	opened.rights.data = Who::Everyone;
	data.application = vec![1];
	let cases: Vec<(Configure, Right)> = vec![
		(Box::new(move |builder| builder.propose_adds([package])), Right::Add),
		(Box::new(move |builder| builder.propose_removals([victim])), Right::Remove),
		(setting(&renamed), Right::Data),
		(setting(&data), Right::Data),
		(setting(&promoted), Right::Roles),
		(setting(&opened), Right::Roles),
	];
	for (configure, right) in cases {
		assert_eq!(forged(&mut members, &mut log, 1, configure), not_allowed("b", right));
	}
	commit(&mut members, &mut log, 1, &Intent::Update);
	assert_agreement(&mut members, &log);
}

#[test]
fn each_right_is_given_on_its_own() {
	let rights = [Right::Add, Right::Remove, Right::Data, Right::Roles];
	for (only, right) in rights.into_iter().enumerate() {
		let data = who(only == 0, only == 1, only == 2, only == 3);
		let (log, members) = group_of(&data, &["a", "b", "c"]);
		let intents = [add(&[Member::new("d").key_package()]), remove(&["c"]), rename("ours"), appoint("b")];
		for (index, intent) in intents.iter().enumerate() {
			let built = members[1].read(|engine, overlay| engine.build_one(overlay, &log.group, intent));
			match index == only {
				true => assert_eq!(built.err(), Some(BuildError::Refused(not_allowed("b", right)))),
				false => assert!(built.is_ok(), "{right:?} is restricted: {built:?}"),
			}
		}
	}
}

#[test]
fn administrators_come_and_go() {
	let (mut log, mut members) = group_of(&strict(), &["a", "b", "c"]);
	let change = commit(&mut members, &mut log, 0, &appoint("b"));
	assert_eq!(change.data.unwrap().administrators, [b"a".to_vec(), b"b".to_vec()].into());
	let change = commit(&mut members, &mut log, 1, &rename("by b"));
	assert_eq!(change.data.unwrap().name, "by b");
	commit(&mut members, &mut log, 1, &dismiss("a"));
	assert!(matches!(refusal(&members[0], &log, &rename("by a")), BuildError::Refused(_)));
	let change = commit(&mut members, &mut log, 2, &Intent::Update);
	assert_eq!(change.data, None, "nothing changed");
	assert_agreement(&mut members, &log);
}

#[test]
fn a_joiner_knows_the_data_of_the_group() {
	let mut data = strict();
	data.name = "a name".into();
	data.application = vec![1, 2, 3];
	let (mut log, mut members) = group_of(&data, &["a", "b"]);
	let mut joiner = Member::new("j");
	let package = joiner.key_package();
	let prepared = members[0].prepare(&log, &add(std::slice::from_ref(&package)));
	let entry = log.append(&prepared);
	for member in &mut members {
		member.advance(&log, &entry);
	}
	let joined = joiner.join(&log, &package, &members[0].welcomes(&prepared, &entry));
	assert_eq!((&joined.data.name[..], &joined.data.application[..]), ("a name", &[1, 2, 3][..]));
	assert_eq!(joined.data.administrators, [b"a".to_vec()].into());
	members.push(joiner);
	assert_agreement(&mut members, &log);
	assert!(matches!(refusal(&members[2], &log, &rename("another")), BuildError::Refused(_)));
}

/// A proposal to remove a member, as OpenMLS makes it.
fn propose_removal(member: &Member, log: &Log, name: &str) -> Vec<u8> {
	let victim = leaf(member, log, name);
	let overlay = member.store().overlay();
	let mut mls = member.engine.load(&overlay, &log.group).unwrap();
	let engine = &member.engine;
	let (message, _) = mls.propose_remove_member(&engine.provider(&overlay), &engine.signer, victim).unwrap();
	message.to_bytes().unwrap()
}

#[test]
fn a_proposal_is_judged_by_the_rights_of_its_proposer() {
	let (mut log, mut members) = group_of(&strict(), &["a", "b", "c", "d"]);
	// a member's proposal does not become good by an administrator's commit
	let message = propose_removal(&members[1], &log, "c");
	let intent = Intent::Proposals(vec![HexBytes(message.clone())]);
	let reason = ProposalError::Invalid(not_allowed("b", Right::Remove));
	assert_eq!(refusal(&members[0], &log, &intent), BuildError::Proposal { index: 0, reason });
	let mut forged = {
		let overlay = members[0].store().overlay();
		let mut mls = members[0].engine.load(&overlay, &log.group).unwrap();
		let queued = proposal::process(&members[0].engine.provider(&overlay), &mut mls, &message).unwrap();
		mls.store_pending_proposal(&overlay, queued).unwrap();
		forge_on(&members[0], &log, &Crypto::default(), &overlay, &mut mls, |builder| builder)
	};
	forged.proposals = vec![message];
	assert_eq!(skipped(&mut members, &mut log, 0, &forged), not_allowed("b", Right::Remove));

	// an administrator's proposal is good, whoever commits it
	let message = propose_removal(&members[0], &log, "c");
	let change = commit(&mut members, &mut log, 1, &Intent::Proposals(vec![HexBytes(message)]));
	assert_eq!(change.removed, [b"c".to_vec()]);
	members.remove(2);
	assert_agreement(&mut members, &log);
}

fn leaving(member: &Member, log: &Log) -> Intent {
	let leave = member.read(|engine, overlay| engine.propose_leave(overlay, &log.group)).unwrap();
	Intent::Proposals(vec![HexBytes(leave)])
}

#[test]
fn everybody_may_leave_and_everybody_may_commit_it() {
	let (mut log, mut members) = group_of(&strict(), &["a", "b", "c", "d"]);
	let intent = leaving(&members[3], &log);
	let change = commit(&mut members, &mut log, 2, &intent);
	assert_eq!((change.removed, change.data), (vec![b"d".to_vec()], None));
	members.pop();
	// an administrator too, and its name leaves the list with it
	commit(&mut members, &mut log, 0, &appoint("b"));
	let intent = leaving(&members[1], &log);
	let change = commit(&mut members, &mut log, 2, &intent);
	assert_eq!(change.removed, [b"b".to_vec()]);
	assert_eq!(change.data.unwrap().administrators, [b"a".to_vec()].into());
	members.remove(1);
	assert_agreement(&mut members, &log);
}

#[test]
fn the_last_administrator_names_another_before_it_goes() {
	let refused = BuildError::Refused(InvalidReason::Policy(PolicyError::NoAdministrator));
	let (mut log, mut members) = group_of(&strict(), &["a", "b", "c"]);
	let leave = members[0].read(|engine, overlay| engine.propose_leave(overlay, &log.group));
	assert_eq!(leave, Err(refused.clone()));
	assert_eq!(refusal(&members[0], &log, &dismiss("a")), refused);
	let mut data = members[0].view(&log).data;
	data.administrators.clear();
	let reason = forged(&mut members, &mut log, 0, setting(&data));
	assert_eq!(reason, InvalidReason::Policy(PolicyError::NoAdministrator));
	commit(&mut members, &mut log, 0, &appoint("c"));
	commit(&mut members, &mut log, 0, &dismiss("a"));
	assert_eq!(members[1].view(&log).data.administrators, [b"c".to_vec()].into());

	// nobody else removes it either
	let (mut log, mut members) = group_of(&who(false, false, true, false), &["a", "b", "c"]);
	assert_eq!(refusal(&members[1], &log, &remove(&["a"])), refused);
	let victim = leaf(&members[1], &log, "a");
	let mut data = members[1].view(&log).data;
	data.administrators.clear();
	let extensions = data.to_extensions().unwrap();
	let both: Configure = Box::new(move |builder| {
		builder.propose_removals([victim]).propose_group_context_extensions(extensions).unwrap()
	});
	assert_eq!(forged(&mut members, &mut log, 1, both), InvalidReason::Policy(PolicyError::NoAdministrator));
}

#[test]
fn an_administrator_is_removed_only_by_those_who_change_roles() {
	let (mut log, mut members) = group_of(&who(false, false, false, true), &["a", "b", "c"]);
	assert_eq!(refusal(&members[1], &log, &remove(&["a"])), BuildError::Refused(not_allowed("b", Right::Roles)));
	let victim = leaf(&members[1], &log, "a");
	let reason = forged(&mut members, &mut log, 1, Box::new(move |builder| builder.propose_removals([victim])));
	assert_eq!(reason, not_allowed("b", Right::Roles));
	commit(&mut members, &mut log, 1, &remove(&["c"]));
}

#[test]
fn where_everyone_may_do_everything_nobody_has_to_be_administrator() {
	let (mut log, mut members) = group(&["a", "b", "c"]);
	let change = commit(&mut members, &mut log, 1, &remove(&["a"]));
	assert_eq!(change.data.unwrap().administrators, [].into());
	members.remove(0);
	assert_agreement(&mut members, &log);
	// and then rights need one
	let restrict = Intent::GroupData(super::GroupChange { add: Some(Who::Administrators), ..Default::default() });
	let refused = BuildError::Refused(InvalidReason::Policy(PolicyError::NoAdministrator));
	assert_eq!(refusal(&members[0], &log, &restrict), refused);
}

#[test]
fn an_administrator_that_was_removed_is_none_when_it_comes_back() {
	let (mut log, mut members) = group_of(&strict(), &["a", "b", "c"]);
	commit(&mut members, &mut log, 0, &appoint("b"));
	// the attack: remove it and leave its name on the list for whoever comes next under that name
	let victim = leaf(&members[0], &log, "b");
	let reason = forged(&mut members, &mut log, 0, Box::new(move |builder| builder.propose_removals([victim])));
	assert_eq!(reason, InvalidReason::Policy(PolicyError::StrangeAdministrator { identity: b"b".to_vec() }));
	// or to write a name onto it before its owner comes
	let mut data = members[0].view(&log).data;
	data.administrators.insert(b"z".to_vec());
	let stranger = InvalidReason::Policy(PolicyError::StrangeAdministrator { identity: b"z".to_vec() });
	assert_eq!(forged(&mut members, &mut log, 0, setting(&data)), stranger);
	assert_eq!(refusal(&members[0], &log, &appoint("z")), BuildError::Refused(stranger));

	commit(&mut members, &mut log, 0, &remove(&["b"]));
	members.remove(1);
	let mut back = Member::new("b");
	let package = back.key_package();
	let prepared = members[0].prepare(&log, &add(std::slice::from_ref(&package)));
	let entry = log.append(&prepared);
	for member in &mut members {
		member.advance(&log, &entry);
	}
	back.join(&log, &package, &members[0].welcomes(&prepared, &entry));
	assert_eq!(refusal(&back, &log, &rename("mine")), BuildError::Refused(not_allowed("b", Right::Data)));
	members.push(back);
	assert_agreement(&mut members, &log);
}

/// Extensions of a GroupContext that no group may have.
pub(super) fn bad_extensions() -> Vec<Extensions<GroupContext>> {
	let required =
		|types: &[ExtensionType]| Extension::RequiredCapabilities(RequiredCapabilitiesExtension::new(types, &[], &[]));
	let ours = ExtensionType::Unknown(EXTENSION);
	let data = |bytes: &[u8]| Extension::Unknown(EXTENSION, UnknownExtension(bytes.to_vec()));
	let good = GroupData::default().encode().unwrap();
	let mut later = good.clone();
	later[0] = 3;
	let lists = vec![
		vec![],
		vec![required(&[ours])],
		vec![data(&good), required(&[ours])],
		vec![required(&[ours]), data(b"")],
		vec![required(&[ours]), data(&later)],
		vec![required(&[ours]), data(&good[..5])],
		vec![required(&[ours, ExtensionType::ApplicationId]), data(&good)],
		vec![required(&[ours]), data(&good), Extension::ExternalSenders(vec![])],
	];
	lists.into_iter().map(|list| Extensions::from_vec(list).unwrap()).collect()
}

#[test]
fn a_group_context_without_good_data_is_skipped_by_all() {
	let (mut log, mut members) = group(&["a", "b", "c"]);
	for extensions in bad_extensions() {
		let reason = forged(&mut members, &mut log, 0, with_extensions(extensions));
		assert!(matches!(reason, InvalidReason::Policy(_)), "{reason}");
	}
	commit(&mut members, &mut log, 1, &Intent::Update);
	assert_agreement(&mut members, &log);
}

#[test]
fn a_new_group_names_no_administrator_who_is_no_member() {
	let member = Member::new("a");
	let mut data = GroupData { administrators: [b"b".to_vec()].into(), ..GroupData::default() };
	let created = member.read(|engine, overlay| engine.create_group(overlay, &data));
	assert!(matches!(created, Err(super::EngineError::GroupData(PolicyError::StrangeAdministrator { .. }))));
	data.administrators.clear();
	data.name = "x".repeat(1000);
	let created = member.read(|engine, overlay| engine.create_group(overlay, &data));
	assert!(matches!(created, Err(super::EngineError::GroupData(PolicyError::GroupData(_)))));
}

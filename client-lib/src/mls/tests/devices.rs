//! People with several devices in a group: each has a leaf of its own, rights are the person's, and who has which devices the
//! person's log says.

use super::{
	add, assert_agreement, assert_all_skip, commit,
	hostile::{forge, leaf_key, Crypto},
	people::{assert_all_wait, group, group_with, id, key, key_of, not_a_device, of_people, person, tell},
	readmission::ask,
	refusal, remove, strict, BuildError, Entry, GroupData, Intent, InvalidReason, KnownDevices, Log, Member,
	MemberDevice, NewKeyPackage, Outcome, PolicyError, SignerSeed, Standing,
};
use crate::mls::{group::mls_id, policy::Right};
use lockstep_primitives::{rpc::HexBytes, BlockNumber, IdentityKey};
use openmls::prelude::{LeafNodeIndex, MlsGroup};

const PHONE: [u8; 32] = [70; 32];

fn named(name: &str, key: IdentityKey) -> MemberDevice {
	MemberDevice { identity: HexBytes(id(name).into_bytes()), key: HexBytes(key.0.to_vec()) }
}

fn retire(devices: &[MemberDevice]) -> Intent {
	Intent::RemoveDevices(devices.to_vec())
}

/// Both devices of a person, from block 0 on.
fn has_phone(members: &[Member], name: &str) {
	tell(members, name, 100, &[(0, &[key(name), key_of(&PHONE)])]);
}

/// The second device of a person comes in, by a commit of this member; it becomes the last of the members.
fn bring_in(members: &mut Vec<Member>, log: &mut Log, committer: usize, name: &str) -> super::EpochChange {
	let mut phone = Member::on_device(&id(name), PHONE);
	let package = phone.key_package();
	let prepared = members[committer].prepare(log, &add(std::slice::from_ref(&package)));
	let entry = log.append(&prepared);
	let mut changes: Vec<_> = members.iter_mut().map(|member| member.advance(log, &entry)).collect();
	for name in ["a", "b", "c"] {
		tell(std::slice::from_ref(&phone), name, 100, &[(0, &[key(name), key_of(&PHONE)])]);
	}
	phone.join(log, &package, &members[committer].welcomes(&prepared, &entry));
	members.push(phone);
	assert_agreement(members, log);
	assert!(changes.windows(2).all(|pair| pair[0].devices_added == pair[1].devices_added));
	changes.swap_remove(0)
}

/// "b" has a phone beside the device that it came with.
fn with_phone(data: &GroupData) -> (Log, Vec<Member>) {
	let (mut log, mut members) = group_with(data, &["a", "b", "c"]);
	has_phone(&members, "b");
	let change = bring_in(&mut members, &mut log, 1, "b");
	assert_eq!((change.added, change.devices_added), (vec![], vec![named("b", key_of(&PHONE))]));
	(log, members)
}

fn index_of(member: &Member, log: &Log, key: IdentityKey) -> LeafNodeIndex {
	member.read(|_, overlay| {
		let mls = MlsGroup::load(overlay, &mls_id(&log.group)).unwrap().unwrap();
		let found = mls.members().find(|member| member.signature_key == key.0);
		found.unwrap().index
	})
}

fn standing(member: &Member, log: &Log) -> Standing {
	member.read(|engine, overlay| engine.standing(overlay, &log.group, None)).unwrap()
}

#[test]
fn each_device_of_a_person_is_a_client_of_its_own() {
	let (mut log, mut members) = with_phone(&of_people());
	// Both commit, and the one reads what the other sends.
	for committer in [3, 1, 0] {
		commit(&mut members, &mut log, committer, &Intent::Update);
		assert_agreement(&mut members, &log);
	}
	let view = members[0].view(&log);
	assert_eq!((view.members.len(), view.devices.len(), view.clients.len()), (4, 4, 4));
	let mut names = view.clients.clone();
	names.sort();
	names.dedup();
	assert_eq!(names.len(), 4, "each has a name of its own");
	assert!(members.iter().all(|member| view.clients.contains(&member.view(&log).me)));
	assert_ne!(members[1].view(&log).me, members[3].view(&log).me);
}

#[test]
fn in_a_group_of_names_an_identity_has_one_leaf() {
	let (mut log, mut members) = super::group(&["a", "b", "c"]);
	let package = Member::on_device("b", PHONE).key_package();
	let refused = refusal(&members[0], &log, &add(std::slice::from_ref(&package)));
	assert!(matches!(refused, BuildError::AlreadyMember { .. }), "{refused:?}");
	let package = crate::mls::key_package::parse(&members[0].engine.crypto, &package.bytes).unwrap();
	let forged = forge(&members[0], &log, &Crypto::default(), |builder| builder.propose_adds([package]));
	let entry = forged.submit(&members[0], &mut log);
	let reason = assert_all_skip(&mut members[1..], &log, &entry);
	assert_eq!(reason, InvalidReason::Policy(PolicyError::DuplicateIdentity));
}

#[test]
fn a_further_device_takes_no_right_and_has_to_be_one() {
	// "b" may not add members, and brings in its phone.
	let strictly = GroupData { authentication: of_people().authentication, ..strict() };
	let (mut log, mut members) = with_phone(&strictly);
	let stranger = Member::new(&id("j")).key_package();
	let refused = refusal(&members[1], &log, &add(&[stranger]));
	assert!(
		matches!(&refused, BuildError::Refused(InvalidReason::Policy(PolicyError::NotAllowed { .. }))),
		"{refused:?}"
	);
	// What is no device of "b" does not come in under its name.
	let package = Member::on_device(&id("b"), [71; 32]).key_package();
	let parsed = crate::mls::key_package::parse(&members[1].engine.crypto, &package.bytes).unwrap();
	let forged = forge(&members[1], &log, &Crypto::default(), |builder| builder.propose_adds([parsed]));
	let entry = forged.submit(&members[1], &mut log);
	assert_eq!(assert_all_skip(&mut members, &log, &entry), not_a_device("b"));
}

#[test]
fn several_devices_of_somebody_come_in_with_one_commit() {
	let (mut log, mut members) = group(&["a", "b"]);
	let mut devices = [Member::new(&id("c")), Member::on_device(&id("c"), PHONE)];
	let packages: Vec<NewKeyPackage> = devices.iter_mut().map(Member::key_package).collect();
	has_phone(&members, "c");
	let prepared = members[0].prepare(&log, &add(&packages));
	let entry = log.append(&prepared);
	let changes: Vec<_> = members.iter_mut().map(|member| member.advance(&log, &entry)).collect();
	let change = changes[0].clone();
	assert_eq!((change.added, change.devices_added), (vec![id("c").into_bytes()], vec![]));
	let welcomes = members[0].welcomes(&prepared, &entry);
	for (device, package) in devices.iter_mut().zip(&packages) {
		device.join(&log, package, &welcomes);
		has_phone(std::slice::from_ref(device), "c");
		["a", "b"].iter().for_each(|name| tell(std::slice::from_ref(device), name, 100, &[(0, &[key(name)])]));
	}
	members.extend(devices);
	assert_agreement(&mut members, &log);
	// With the person all of them go.
	let change = commit(&mut members, &mut log, 1, &remove(&[&id("c")]));
	assert_eq!((change.removed, change.devices_removed), (vec![id("c").into_bytes()], vec![]));
	let (stay, gone) = members.split_at_mut(2);
	assert_agreement(stay, &log);
	assert!(gone.iter().all(|member| !member.view(&log).active));
}

#[test]
fn a_device_that_was_revoked_is_taken_out_by_anybody() {
	let strictly = GroupData { authentication: of_people().authentication, ..strict() };
	let (mut log, mut members) = with_phone(&strictly);
	let phone = named("b", key_of(&PHONE));
	// While it is a device, "c" may not.
	let refused = refusal(&members[2], &log, &retire(std::slice::from_ref(&phone)));
	let not_allowed = PolicyError::NotAllowed { actor: id("c").into_bytes(), right: Right::Remove };
	assert_eq!(refused, BuildError::Refused(not_allowed.clone().into()));
	let index = index_of(&members[2], &log, key_of(&PHONE));
	let forged = forge(&members[2], &log, &Crypto::default(), |builder| builder.propose_removals([index]));
	let entry = forged.submit(&members[2], &mut log);
	assert_eq!(assert_all_skip(&mut members, &log, &entry), not_allowed.clone().into());
	// Nor if it has another key by now, which it can give its leaf.
	let since: &[(BlockNumber, &[IdentityKey])] =
		&[(0, &[key("b"), key_of(&PHONE)]), (2, &[key("b"), key_of(&[72; 32])])];
	let rotated = KnownDevices {
		until: 100,
		since: since.iter().map(|(block, devices)| (*block, devices.to_vec())).collect(),
		rotated: vec![(key_of(&PHONE), key_of(&[72; 32]))],
	};
	members.iter().for_each(|member| member.write(|_, overlay| overlay.put(&person("b").0, &rotated)).unwrap());
	assert_eq!(
		refusal(&members[2], &log, &retire(std::slice::from_ref(&phone))),
		BuildError::Refused(not_allowed.into())
	);
	assert_eq!(standing(&members[2], &log).revoked, []);
	// Once it is none any more, it may; the phone itself may only leave.
	tell(&members, "b", 100, &[(0, &[key("b"), key_of(&PHONE)]), (3, &[key("b")])]);
	assert_eq!(standing(&members[2], &log).revoked, [(phone.clone(), 3)]);
	assert_eq!(refusal(&members[3], &log, &Intent::Update), BuildError::Refused(not_a_device("b")));
	let change = commit(&mut members, &mut log, 2, &retire(std::slice::from_ref(&phone)));
	assert_eq!((change.removed, change.devices_removed), (vec![], vec![phone]));
	assert!(!members.pop().unwrap().view(&log).active);
	assert_agreement(&mut members, &log);
	assert_eq!(standing(&members[2], &log).revoked, []);
}

#[test]
fn whether_a_device_was_revoked_is_judged_by_its_log_up_to_that_block() {
	let strictly = GroupData { authentication: of_people().authentication, ..strict() };
	let (mut log, mut members) = with_phone(&strictly);
	let revoked: &[(BlockNumber, &[IdentityKey])] = &[(0, &[key("b"), key_of(&PHONE)]), (3, &[key("b")])];
	tell(&members[2..3], "b", 100, revoked);
	let prepared = members[2].prepare(&log, &retire(&[named("b", key_of(&PHONE))]));
	let entry: Entry = log.append(&prepared);
	let block = u32::try_from(entry.index).unwrap();
	assert_eq!(block, 3);
	// Whoever does not know that block of the log waits.
	tell(&members, "b", block - 1, &revoked[..1]);
	assert_all_wait(&mut members[..2], &log, &entry, &["b"]);
	// A block later it would have been too early for.
	tell(&members[..2], "b", 100, &[revoked[0], (4, &[key("b")])]);
	assert!(matches!(
		members[0].follow(&log, &entry),
		Outcome::Skipped(InvalidReason::Policy(PolicyError::NotAllowed { .. }))
	));
	tell(&members, "b", 100, revoked);
	members.iter_mut().for_each(|member| drop(member.advance(&log, &entry)));
}

#[test]
fn a_revoked_device_proposes_nothing_but_to_leave() {
	let (mut log, mut members) = with_phone(&of_people());
	let leave = members[3].read(|engine, overlay| engine.propose_leave(overlay, &log.group)).unwrap();
	let removal = members[3].read(|engine, overlay| {
		let scratch = overlay.nested();
		let mut mls = engine.load(&scratch, &log.group).unwrap();
		let signer = engine.signer_of(&scratch, &log.group, &mls).unwrap().pair();
		let index = index_of(&members[0], &log, key("c"));
		let (message, _) = mls.propose_remove_member(&engine.provider(&scratch), &signer, index).unwrap();
		message.to_bytes().unwrap()
	});
	tell(&members, "b", 100, &[(0, &[key("b"), key_of(&PHONE)]), (2, &[key("b")])]);
	let proposals = |bytes: &[u8]| Intent::Proposals(vec![HexBytes(bytes.to_vec())]);
	assert_eq!(refusal(&members[0], &log, &proposals(&removal)), BuildError::Refused(not_a_device("b")));
	let change = commit(&mut members, &mut log, 0, &proposals(&leave));
	assert_eq!(change.devices_removed, [named("b", key_of(&PHONE))]);
	members.pop();
	assert_agreement(&mut members, &log);
}

#[test]
fn a_revoked_device_does_not_put_out_the_others() {
	let (mut log, mut members) = with_phone(&of_people());
	let index = index_of(&members[3], &log, key("b"));
	let removal = members[3].read(|engine, overlay| {
		let scratch = overlay.nested();
		let mut mls = engine.load(&scratch, &log.group).unwrap();
		let signer = engine.signer_of(&scratch, &log.group, &mls).unwrap().pair();
		let (message, _) = mls.propose_remove_member(&engine.provider(&scratch), &signer, index).unwrap();
		message.to_bytes().unwrap()
	});
	let proposals = Intent::Proposals(vec![HexBytes(removal)]);
	// A device of the person may say so.
	let prepared = members[0].prepare(&log, &proposals);
	let entry = log.append(&prepared);
	// One that was revoked in that block may not.
	tell(&members, "b", 100, &[(0, &[key("b"), key_of(&PHONE)]), (3, &[key("b")])]);
	assert_eq!(assert_all_skip(&mut members, &log, &entry), not_a_device("b"));
	members[0].lose_prepared();
	assert_eq!(refusal(&members[0], &log, &proposals), BuildError::Refused(not_a_device("b")));
	tell(&members, "b", 100, &[(0, &[key("b"), key_of(&PHONE)])]);
	let change = commit(&mut members, &mut log, 0, &proposals);
	assert_eq!(change.devices_removed, [named("b", key("b"))]);
}

#[test]
fn an_administrator_stays_one_while_one_of_its_devices_stays() {
	let data = GroupData { authentication: of_people().authentication, ..strict() };
	let (mut log, mut members) = group_with(&data, &["a", "b", "c"]);
	has_phone(&members, "a");
	bring_in(&mut members, &mut log, 0, "a");
	// The phone has the person's rights.
	commit(&mut members, &mut log, 3, &super::rename("by phone"));
	let index = index_of(&members[3], &log, key("a"));
	let change = commit(&mut members, &mut log, 3, &retire(&[named("a", key("a"))]));
	assert_eq!((index.u32(), change.devices_removed.len()), (0, 1));
	members.remove(0);
	assert_agreement(&mut members, &log);
	assert!(members[0].view(&log).data.administrators.contains(id("a").as_bytes()));
	commit(&mut members, &mut log, 2, &super::rename("still by phone"));
	// The last device of the last administrator does not go.
	let proposed = members[2].read(|engine, overlay| engine.propose_leave(overlay, &log.group));
	assert!(matches!(proposed, Err(BuildError::Refused(InvalidReason::Policy(PolicyError::NoAdministrator)))));
}

/// A recovery has taken the only device of the only administrator away, and brought in another one.
#[test]
fn the_last_administrator_is_back_with_the_device_of_a_recovery() {
	let strictly = GroupData { authentication: of_people().authentication, ..strict() };
	let (mut log, mut members) = group_with(&strictly, &["a", "b", "c"]);
	let stolen = named("a", key("a"));
	let recovered: &[(BlockNumber, &[IdentityKey])] = &[(0, &[key("a")]), (2, &[key_of(&PHONE)])];
	tell(&members, "a", 100, recovered);
	// The place of the one that went commits nothing, and stays while it is the last of an administrator.
	assert_eq!(refusal(&members[0], &log, &Intent::Update), BuildError::Refused(not_a_device("a")));
	assert_eq!(standing(&members[1], &log).revoked, [(stolen.clone(), 2)]);
	let refused = refusal(&members[1], &log, &retire(std::slice::from_ref(&stolen)));
	assert_eq!(refused, BuildError::Refused(PolicyError::NoAdministrator.into()));
	// "b" may not add members, and brings in the new one.
	let change = bring_in(&mut members, &mut log, 1, "a");
	assert_eq!((change.added, change.devices_added), (vec![], vec![named("a", key_of(&PHONE))]));
	tell(&members, "a", 100, recovered);
	let change = commit(&mut members, &mut log, 2, &retire(std::slice::from_ref(&stolen)));
	assert_eq!((change.removed, change.devices_removed), (vec![], vec![stolen]));
	assert!(!members.remove(0).view(&log).active);
	assert_agreement(&mut members, &log);
	commit(&mut members, &mut log, 2, &super::rename("by the new device"));
}

#[test]
fn a_device_that_is_taken_out_costs_its_person_no_role() {
	let strictly = GroupData { authentication: of_people().authentication, ..strict() };
	let (mut log, mut members) = group_with(&strictly, &["a", "b", "c"]);
	has_phone(&members, "a");
	bring_in(&mut members, &mut log, 0, "a");
	commit(&mut members, &mut log, 0, &super::appoint(&id("b")));
	tell(&members, "a", 100, &[(0, &[key("a"), key_of(&PHONE)]), (4, &[key("a")])]);
	// "c" may take out the phone of "a", and dismisses "a" along with it.
	let index = index_of(&members[2], &log, key_of(&PHONE));
	let mut data = members[2].view(&log).data;
	data.administrators.remove(id("a").as_bytes());
	let forged = forge(&members[2], &log, &Crypto::default(), |builder| {
		let builder = builder.propose_removals([index]);
		builder.propose_group_context_extensions(data.to_extensions().unwrap()).unwrap()
	});
	let entry = forged.submit(&members[2], &mut log);
	let reason = assert_all_skip(&mut members, &log, &entry);
	assert!(matches!(reason, InvalidReason::Policy(PolicyError::NotAllowed { right: Right::Roles, .. })), "{reason:?}");
}

#[test]
fn each_device_is_readmitted_by_itself() {
	let (mut log, mut members) = with_phone(&of_people());
	let request = ask(&members[3], &log);
	let checked = members[1]
		.read(|engine, overlay| engine.check_rejoin(overlay, &log.group, &request.bytes, &log.tip().hash))
		.unwrap();
	assert_eq!((checked.identity.as_slice(), checked.new_key), (id("b").as_bytes(), false));
	assert_eq!(checked.client, members[3].view(&log).me);
	// Its own other device readmits it; that one's leaf stays.
	let before = leaf_key(&members, &log, &id("b"));
	let phone = members.pop().unwrap();
	let change = commit(&mut members, &mut log, 1, &checked.intent());
	assert_eq!(
		(change.readmitted, change.devices_added, change.devices_removed),
		(vec![id("b").into_bytes()], vec![], vec![])
	);
	assert_ne!(leaf_key(&members, &log, &id("b")), before, "it has committed");
	// The request is spent.
	assert!(members[0].read(|engine, overlay| engine.satisfied(overlay, &log.group, &checked.intent())).unwrap());
	assert_eq!(members[0].view(&log).devices.len(), 4);
	drop(phone);
}

#[test]
fn a_device_that_goes_while_another_is_readmitted_is_not_replaced() {
	let (mut log, mut members) = with_phone(&of_people());
	let request = ask(&members[3], &log);
	let checked = members[0]
		.read(|engine, overlay| engine.check_rejoin(overlay, &log.group, &request.bytes, &log.tip().hash))
		.unwrap();
	let intents = [retire(&[named("b", key("b"))]), checked.intent()];
	let batch = members[0].read(|engine, overlay| engine.build_commit(overlay, &log.group, &intents)).unwrap();
	let entry = log.append(&batch.prepared.unwrap());
	let changes = [1, 3].map(|index: usize| members[index].advance(&log, &entry));
	for change in &changes {
		assert_eq!(change.readmitted, [id("b").into_bytes()]);
		assert_eq!(change.devices_removed, [named("b", key("b"))]);
	}
	assert_eq!(changes.map(|change| (change.removed_me, change.replaced_me)), [(true, false), (true, true)]);
}

#[test]
fn nobody_takes_a_live_device_out_under_the_cover_of_a_readmission() {
	let strictly = GroupData { authentication: of_people().authentication, ..strict() };
	let (mut log, mut members) = with_phone(&strictly);
	// "c" may neither add nor remove. It removes the first device of "b", and adds a KeyPackage of the phone.
	let parsed = {
		let package = Member::on_device(&id("b"), [73; 32]).key_package();
		crate::mls::key_package::parse(&members[2].engine.crypto, &package.bytes).unwrap()
	};
	tell(&members, "b", 100, &[(0, &[key("b"), key_of(&PHONE), key_of(&[73; 32])])]);
	let index = index_of(&members[2], &log, key("b"));
	let forged = forge(&members[2], &log, &Crypto::default(), |builder| {
		builder.propose_adds([parsed]).propose_removals([index])
	});
	let entry = forged.submit(&members[2], &mut log);
	let reason = assert_all_skip(&mut members, &log, &entry);
	assert!(
		matches!(reason, InvalidReason::Policy(PolicyError::NotAllowed { right: Right::Remove, .. })),
		"{reason:?}"
	);
}

#[test]
fn what_is_to_be_done_follows_from_what_is_known() {
	let (mut log, mut members) = with_phone(&of_people());
	assert_eq!(standing(&members[0], &log), Standing::default());
	// The person has a third device, which is in no group; its own clients are told.
	let third = key_of(&[74; 32]);
	tell(&members, "b", 100, &[(0, &[key("b"), key_of(&PHONE)]), (3, &[key("b"), key_of(&PHONE), third])]);
	assert_eq!(standing(&members[0], &log), Standing::default());
	assert_eq!(standing(&members[1], &log).missing, [named("b", third)]);
	// The phone goes over to another key; its client is told that, and has it.
	let since: &[(BlockNumber, &[IdentityKey])] =
		&[(0, &[key("b"), key_of(&PHONE)]), (3, &[key("b"), key_of(&[75; 32])])];
	let rotated = KnownDevices {
		until: 100,
		since: since.iter().map(|(block, devices)| (*block, devices.to_vec())).collect(),
		rotated: vec![(key_of(&PHONE), key_of(&[75; 32]))],
	};
	members.iter().for_each(|member| member.write(|_, overlay| overlay.put(&person("b").0, &rotated)).unwrap());
	let found = standing(&members[3], &log);
	assert!(found.stale && !found.outdated, "it does not have the key yet");
	assert_eq!(found.missing, [], "nor is its new key to be added, by itself");
	let found = standing(&members[1], &log);
	assert_eq!((found.missing, found.stale), (vec![], false), "or by the other device: its leaf goes over to it");
	// Nor by anybody who was handed a KeyPackage with it, or has claimed one.
	let package = Member::on_device(&id("b"), [75; 32]).key_package();
	let brings_in = add(std::slice::from_ref(&package));
	for member in &members[..2] {
		let built = member.read(|engine, overlay| engine.build_one(overlay, &log.group, &brings_in));
		assert!(matches!(built, Err(BuildError::AlreadyMember { .. })), "{built:?}");
		assert_eq!(member.read(|engine, overlay| engine.satisfied(overlay, &log.group, &brings_in)), Ok(true));
	}
	members[3].engine.change_signer(SignerSeed::new([75; 32]));
	let found = standing(&members[3], &log);
	assert_eq!((found.outdated, found.missing, found.revoked), (true, vec![], vec![]));
	let change = commit(&mut members, &mut log, 3, &Intent::Rotate { seed: SignerSeed::new([75; 32]) });
	assert_eq!(
		(change.rotated, change.devices_added, change.devices_removed),
		(vec![id("b").into_bytes()], vec![], vec![])
	);
	assert_agreement(&mut members, &log);
	let found = standing(&members[3], &log);
	assert_eq!((found.stale, found.outdated, found.missing), (false, false, vec![]));
	let package = members[3].key_package();
	let parsed = crate::mls::key_package::parse(&members[0].engine.crypto, &package.bytes).unwrap();
	assert_eq!(parsed.leaf_node().signature_key().as_slice(), key_of(&[75; 32]).0, "new KeyPackages have it");
}

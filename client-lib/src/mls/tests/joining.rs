//! KeyPackages, and Welcomes in their letters and envelopes.

use super::{
	add, assert_agreement, group,
	log::{Log, GENESIS},
	BuildError, Engine, GroupData, Intent, Invitation, LetterKey, Member, NewKeyPackage, WelcomeError, Welcomes,
};
use crate::mls::{
	constants::{capabilities, join_config, lifetime, CIPHERSUITE},
	group::mls_id,
	group_data::extension_types,
	key_package, signer, EnvelopeKey, Serves, SignerSeed,
};
use codec::{Decode, Encode};
use lockstep_primitives::rpc::HexBytes;
use openmls::{
	group::GroupContext,
	prelude::{Extensions, MlsGroup},
};

/// "a" and "b" add a joiner; gives the joiner with its KeyPackage, the letter and the envelopes.
pub(super) fn invited() -> (Log, Vec<Member>, Member, NewKeyPackage, Welcomes) {
	let (mut log, mut members) = group(&["a", "b"]);
	let (joiner, package, welcomes) = invite(&mut log, &mut members);
	(log, members, joiner, package, welcomes)
}

/// The first member adds a joiner.
pub(super) fn invite(log: &mut Log, members: &mut [Member]) -> (Member, NewKeyPackage, Welcomes) {
	let mut joiner = Member::new("j");
	let package = joiner.key_package();
	let prepared = members[0].prepare(log, &add(std::slice::from_ref(&package)));
	let entry = log.append(&prepared);
	members.iter_mut().for_each(|member| drop(member.advance(log, &entry)));
	let welcomes = members[0].welcomes(&prepared, &entry);
	(joiner, package, welcomes)
}

pub(super) fn open(member: &Member, reference: &[u8], bytes: &[u8]) -> Result<LetterKey, WelcomeError> {
	member.read(|engine, overlay| engine.open_envelope(overlay, reference, bytes))
}

/// Tries to join, on an overlay that is dropped.
pub(super) fn try_join(member: &Member, invitation: &Invitation) -> Result<super::Joined, WelcomeError> {
	let overlay = member.store().overlay();
	let joined = member.engine.join(&overlay, invitation);
	assert_eq!(joined.is_err(), overlay.is_clean(), "a failed join leaves no trace");
	joined
}

#[test]
fn joining_counts_only_when_the_overlay_is_committed() {
	let (log, mut members, mut joiner, package, welcomes) = invited();
	let invitation = joiner.open_welcome(&package, &welcomes);
	let first = try_join(&joiner, &invitation).unwrap();
	joiner.restart(&log);
	assert_eq!(joiner.read(|engine, overlay| engine.group(overlay, &log.group)), Ok(None));
	assert_eq!(joiner.join(&log, &package, &welcomes), first);
	members.push(joiner);
	assert_agreement(&mut members, &log);
}

#[test]
fn a_key_package_serves_once() {
	let (log, _members, mut joiner, package, welcomes) = invited();
	let invitation = joiner.open_welcome(&package, &welcomes);
	joiner.join(&log, &package, &welcomes);
	assert_eq!(try_join(&joiner, &invitation), Err(WelcomeError::AlreadyMember));
	let again = open(&joiner, &package.reference, &welcomes.envelopes[0].bytes);
	assert_eq!(again, Err(WelcomeError::UnknownKeyPackage));
}

/// Whoever has claimed a last resort can add its owner, though another one has done so before.
#[test]
fn a_last_resort_serves_again_until_it_is_forgotten() {
	let mut joiner = Member::new("j");
	let seed = SignerSeed::new([77; 32]);
	let package = joiner.write(|engine, overlay| engine.key_package_for(overlay, &seed, Serves::Again)).unwrap();
	assert!(key_package::parse(&joiner.engine.crypto, &package.bytes).unwrap().last_resort());
	let invite = || {
		let (mut log, mut members) = group(&["a", "b"]);
		let key_packages = vec![HexBytes(package.bytes.clone())];
		let envelope_key = EnvelopeKey { seed: SignerSeed::new([42; 32]), until: 50 };
		// Handed over it is none: the group would sign what leads to somebody of whom the chain knows that they were claimed.
		let handed_over = Intent::Add(key_packages.clone());
		let refused = members[0].read(|engine, overlay| engine.build_one(overlay, &log.group, &handed_over));
		assert!(matches!(refused, Err(BuildError::KeyPackage { index: 0, .. })), "{refused:?}");
		let prepared = members[0].prepare(&log, &Intent::AddClaimed { key_packages, envelope_key });
		let entry = log.append(&prepared);
		members.iter_mut().for_each(|member| drop(member.advance(&log, &entry)));
		let welcomes = members[0].welcomes(&prepared, &entry);
		(log, members, welcomes)
	};
	for _ in 0..2 {
		let (mut log, mut members, welcomes) = invite();
		let joined = joiner.join(&log, &package, &welcomes);
		assert!(joined.serves_again && joined.key_package_ref == package.reference);
		// It commits with the key of the KeyPackage, and others with it in the tree.
		let prepared = joiner.prepare(&log, &Intent::Update);
		let entry = log.append(&prepared);
		joiner.advance(&log, &entry);
		members.iter_mut().for_each(|member| drop(member.advance(&log, &entry)));
		let prepared = members[1].prepare(&log, &Intent::Update);
		let entry = log.append(&prepared);
		joiner.advance(&log, &entry);
		members.iter_mut().for_each(|member| drop(member.advance(&log, &entry)));
		assert_eq!(joiner.view(&log).authenticator, members[0].view(&log).authenticator);
	}
	joiner.write(|engine, overlay| engine.forget_key_package(overlay, &package.reference)).unwrap();
	let (_, _, welcomes) = invite();
	let again = open(&joiner, &package.reference, &welcomes.envelopes[0].bytes);
	assert_eq!(again, Err(WelcomeError::UnknownKeyPackage));
	assert!(joiner.read(|_, overlay| signer::Of::Package(&package.reference).get(overlay)).unwrap().is_none());
}

#[test]
fn an_envelope_opens_for_its_key_package_only() {
	let (_log, _members, mut joiner, package, welcomes) = invited();
	let bytes = &welcomes.envelopes[0].bytes;
	let other = joiner.key_package();
	assert_eq!(open(&joiner, &other.reference, bytes), Err(WelcomeError::Sealed));
	assert_eq!(open(&joiner, b"", bytes), Err(WelcomeError::UnknownKeyPackage));
	assert_eq!(open(&Member::new("x"), &package.reference, bytes), Err(WelcomeError::UnknownKeyPackage));
}

#[test]
fn a_changed_envelope_is_an_error_and_spoils_nothing() {
	let (log, mut members, mut joiner, package, welcomes) = invited();
	let bytes = &welcomes.envelopes[0].bytes;
	for length in (0..bytes.len()).step_by(23) {
		assert!(open(&joiner, &package.reference, &bytes[..length]).is_err());
	}
	for position in (0..bytes.len()).step_by(23) {
		let mut changed = bytes.clone();
		changed[position] ^= 0x10;
		assert!(open(&joiner, &package.reference, &changed).is_err());
	}
	let longer = [&bytes[..], b"\0"].concat();
	assert_eq!(open(&joiner, &package.reference, &longer), Err(WelcomeError::Malformed));
	joiner.join(&log, &package, &welcomes);
	members.push(joiner);
	assert_agreement(&mut members, &log);
}

/// What the letter is, the envelope says: whoever else knows its key, a joiner of the same commit, can put nothing in its
/// place.
#[test]
fn no_other_letter_is_taken_and_no_other_key_opens_it() {
	let (_log, _members, joiner, package, welcomes) = invited();
	let key = open(&joiner, &package.reference, &welcomes.envelopes[0].bytes).unwrap();
	let letter = &welcomes.letter;
	for position in (0..letter.len()).step_by(97) {
		let mut changed = letter.clone();
		changed[position] ^= 0x10;
		assert_eq!(joiner.engine.open_letter(&key, &changed), Err(WelcomeError::OtherLetter));
		assert_eq!(joiner.engine.open_letter(&key, &letter[..position]), Err(WelcomeError::OtherLetter));
	}
	let mut encoded = key.encode();
	encoded[32] ^= 1;
	let other = LetterKey::decode(&mut &encoded[..]).unwrap();
	assert_eq!(joiner.engine.open_letter(&other, letter), Err(WelcomeError::Sealed));
	assert_eq!(key.topic(), welcomes.topic);
	assert_ne!(other.topic(), welcomes.topic, "who names another key names another place");
	assert!(joiner.engine.open_letter(&key, letter).is_ok());
	assert!(!format!("{key:?}").contains("key:"), "it is a secret");
}

#[test]
fn all_joiners_of_a_commit_share_one_letter() {
	let (mut log, mut members) = group(&["a", "b"]);
	let mut joiners: Vec<Member> = ["j", "k", "l"].into_iter().map(Member::new).collect();
	let packages: Vec<NewKeyPackage> = joiners.iter_mut().map(Member::key_package).collect();
	let prepared = members[0].prepare(&log, &add(&packages));
	let entry = log.append(&prepared);
	members.iter_mut().for_each(|member| drop(member.advance(&log, &entry)));
	let welcomes = members[0].welcomes(&prepared, &entry);
	assert_eq!(welcomes.envelopes.len(), 3);
	assert!(welcomes.envelopes.iter().all(|envelope| envelope.bytes.len() == 99), "and the Welcome is not in them");
	for (joiner, package) in joiners.iter_mut().zip(&packages) {
		let joined = joiner.join(&log, package, &welcomes);
		assert_eq!(joined.key_package_ref, package.reference, "this one is used up, whichever mailbox it came to");
	}
	members.extend(joiners);
	assert_agreement(&mut members, &log);
}

#[test]
fn a_changed_welcome_never_deletes_the_key_package() {
	let (log, mut members, mut joiner, package, welcomes) = invited();
	let invitation = joiner.open_welcome(&package, &welcomes);
	let welcome = invitation.welcome.0.clone();
	let mut attempts: Vec<Vec<u8>> = (0..welcome.len()).step_by(97).map(|length| welcome[..length].to_vec()).collect();
	attempts.extend((0..welcome.len()).step_by(61).map(|position| {
		let mut changed = welcome.clone();
		changed[position] ^= 1;
		changed
	}));
	attempts.push(vec![]);
	for attempt in attempts {
		// As a hostile inviter could seal it.
		let changed = Invitation { welcome: HexBytes(attempt), ..invitation.clone() };
		assert!(try_join(&joiner, &changed).is_err());
	}
	joiner.join(&log, &package, &welcomes);
	members.push(joiner);
	assert_agreement(&mut members, &log);
}

#[test]
fn a_welcome_to_another_group_than_named_is_refused() {
	let (_log, _members, joiner, package, welcomes) = invited();
	let invitation = joiner.open_welcome(&package, &welcomes);
	let elsewhere = Invitation { group: lockstep_primitives::GroupId([0x11; 32]), ..invitation };
	assert_eq!(try_join(&joiner, &elsewhere), Err(WelcomeError::OtherGroup));
}

#[test]
fn a_group_that_breaks_the_rules_is_not_joined() {
	let (log, members) = group(&["a", "b"]);
	let twin = Engine::new(b"j".to_vec(), &[77; 32], GENESIS).unwrap();
	let twins_store = Member::new("twin");
	let overlay = twins_store.store().overlay();
	let twins = twin.key_package(&overlay).unwrap();
	let mut joiner = Member::new("j");
	let mine = joiner.key_package();

	let crypto = &members[0].engine.crypto;
	let packages = [&twins, &mine].map(|package| key_package::parse(crypto, &package.bytes).unwrap());
	let overlay = members[0].store().overlay();
	let mut mls = members[0].engine.load(&overlay, &log.group).unwrap();
	let messages = mls
		.commit_builder()
		.propose_adds(packages)
		.load_psks(&overlay)
		.unwrap()
		.use_ratchet_tree_extension(true)
		.build(&**crypto, crypto, &members[0].engine.signer, |_| true)
		.unwrap()
		.stage_commit(&members[0].engine.provider(&overlay))
		.unwrap();
	let welcome = messages.to_welcome_msg().unwrap().to_bytes().unwrap();
	let invitation: Invitation = serde_json::from_value(serde_json::json!({
		"group": log.group,
		"entry": log.tip().hash,
		"index": 2,
		"welcome": format!("0x{}", hex::encode(welcome)),
	}))
	.unwrap();
	let refused = try_join(&joiner, &invitation);
	assert_eq!(refused, Err(WelcomeError::Policy(super::PolicyError::DuplicateIdentity)));
}

/// An invitation to a group that a hostile creator made with these extensions in its GroupContext. The tree is in the GroupInfo.
pub(super) fn invitation_to(extensions: Extensions<GroupContext>, package: &NewKeyPackage) -> Invitation {
	let founder = Member::new("founder");
	let overlay = founder.store().overlay();
	let engine = &founder.engine;
	let group = lockstep_primitives::GroupId([9; 32]);
	let join = join_config();
	let mut mls = MlsGroup::builder()
		.with_group_id(mls_id(&group))
		.ciphersuite(CIPHERSUITE)
		.lifetime(lifetime())
		.with_capabilities(capabilities())
		.with_group_context_extensions(extensions)
		.with_wire_format_policy(join.wire_format_policy())
		.use_ratchet_tree_extension(true)
		.build(&engine.provider(&overlay), &engine.signer, engine.credential())
		.unwrap();
	let package = key_package::parse(&engine.crypto, &package.bytes).unwrap();
	let messages = mls
		.commit_builder()
		.propose_adds([package])
		.load_psks(&overlay)
		.unwrap()
		.build(&*engine.crypto, &engine.crypto, &engine.signer, |_| true)
		.unwrap()
		.stage_commit(&engine.provider(&overlay))
		.unwrap();
	let welcome = messages.to_welcome_msg().unwrap().to_bytes().unwrap();
	serde_json::from_value(serde_json::json!({
		"group": group,
		"entry": lockstep_primitives::EntryHash([1; 32]),
		"index": 1,
		"welcome": format!("0x{}", hex::encode(welcome)),
	}))
	.unwrap()
}

#[test]
fn a_group_without_good_data_is_not_joined() {
	let mut joiner = Member::new("j");
	let package = joiner.key_package();
	let bad = super::roles::bad_extensions();
	for extensions in bad.into_iter().filter(|extensions| extensions.required_capabilities().is_some_and(only_ours)) {
		let refused = try_join(&joiner, &invitation_to(extensions, &package));
		assert!(matches!(refused, Err(WelcomeError::Policy(_))), "{refused:?}");
	}
	let names = |names: &[&[u8]]| GroupData {
		administrators: names.iter().map(|name| name.to_vec()).collect(),
		..GroupData::default()
	};
	let stranger = names(&[b"founder", b"nobody"]).to_extensions().unwrap();
	let refused = try_join(&joiner, &invitation_to(stranger, &package));
	let expected = super::PolicyError::StrangeAdministrator { identity: b"nobody".to_vec() };
	assert_eq!(refused, Err(WelcomeError::Policy(expected)));
	let nobody = GroupData { rights: super::strict().rights, ..names(&[]) };
	let refused = try_join(&joiner, &invitation_to(nobody.to_extensions().unwrap(), &package));
	assert_eq!(refused, Err(WelcomeError::Policy(super::PolicyError::NoAdministrator)));
	let good = names(&[b"founder"]).to_extensions().unwrap();
	try_join(&joiner, &invitation_to(good, &package)).unwrap();
}

fn only_ours(required: &openmls::prelude::RequiredCapabilitiesExtension) -> bool {
	required.extension_types() == extension_types()
}

#[test]
fn a_commit_that_adds_nobody_has_no_welcome() {
	let (mut log, mut members) = group(&["a", "b"]);
	let prepared = members[0].prepare(&log, &Intent::Update);
	let entry = log.append(&prepared);
	let welcomes = members[0].read(|engine, overlay| engine.welcomes(overlay, &prepared, &entry.hash, entry.index));
	assert_eq!(welcomes, Ok(None));
}

#[test]
fn changed_key_packages_are_refused() {
	let package = Member::new("a").key_package();
	let crypto = crate::mls::crypto::Crypto::default();
	assert!(key_package::parse(&crypto, &package.bytes).is_ok());
	for length in 0..package.bytes.len() {
		assert!(key_package::parse(&crypto, &package.bytes[..length]).is_err());
	}
	for position in 0..package.bytes.len() {
		let mut changed = package.bytes.clone();
		changed[position] ^= 4;
		assert!(key_package::parse(&crypto, &changed).is_err(), "byte {position}");
	}
	assert!(key_package::parse(&crypto, &[&package.bytes[..], b"\0"].concat()).is_err());
}

//! Commits that MLS allows and the policy does not.

use super::{
	assert_all_skip,
	attacks::{goes_on, refused_commit},
	group,
	hostile::{forge, forge_on, Crypto, Fault, Forged, HostileProvider},
	log::{Log, GENESIS},
	Engine, Intent, InvalidReason, Member, PolicyError, SignerSeed,
};
use crate::mls::{
	constants::{capabilities, CIPHERSUITE},
	group_data::extension_types,
	key_package, proposal,
};
use lockstep_primitives::rpc::HexBytes;
use openmls::{
	prelude::{
		tls_codec::Serialize as _, BasicCredential, Capabilities, CommitBuilder, Credential, CredentialType,
		CredentialWithKey, Initial, KeyPackage, LeafNodeParameters, MlsGroup, NewSignerBundle, PreSharedKeyProposal,
		Proposal,
	},
	schedule::{ExternalPsk, PreSharedKeyId, Psk},
};

fn policy_breach(
	members: &mut [Member],
	log: &mut Log,
	configure: impl for<'a> FnOnce(CommitBuilder<'a, Initial>) -> CommitBuilder<'a, Initial>,
) -> InvalidReason {
	let forged = forge(&members[0], log, &Crypto::default(), configure);
	refused_commit(&forged, members, log)
}

#[test]
fn a_key_package_whose_lifetime_can_lapse_is_refused_by_all() {
	let (mut log, mut members) = group(&["a", "b", "c"]);
	let lapsing = ordinary_key_package(&Member::new("d"));
	let reason = policy_breach(&mut members, &mut log, |builder| builder.propose_adds([lapsing]));
	assert_eq!(reason, InvalidReason::Policy(PolicyError::Lifetime));
}

#[test]
fn an_honest_member_does_not_add_a_key_package_whose_lifetime_can_lapse() {
	let (log, members) = group(&["a", "b"]);
	let bytes = ordinary_key_package(&Member::new("d")).tls_serialize_detached().unwrap();
	let intent = Intent::Add(vec![HexBytes(bytes)]);
	let build = members[0].read(|engine, overlay| engine.build_one(overlay, &log.group, &intent));
	assert!(matches!(build, Err(super::BuildError::KeyPackage { index: 0, .. })), "{build:?}");
}

/// A KeyPackage as OpenMLS makes it by default: good for three months by its maker's clock.
fn ordinary_key_package(member: &Member) -> KeyPackage {
	member.write(|engine, overlay| {
		let bundle = KeyPackage::builder()
			.leaf_node_capabilities(capabilities())
			.build(CIPHERSUITE, &engine.provider(overlay), &engine.signer, engine.credential())
			.unwrap();
		bundle.into_key_package()
	})
}

#[test]
fn the_constant_lifetime_is_good_at_any_time() {
	use std::time::{Duration, UNIX_EPOCH};
	let year = Duration::from_secs(31_557_600);
	for now in [0, 1, 50, 56, 57, 100, 1000, 100_000] {
		super::constants::lifetime().validate_with_time(UNIX_EPOCH + year * now).unwrap();
	}
}

#[test]
fn two_members_of_one_identity_are_refused() {
	let (mut log, mut members) = group(&["a", "b", "c"]);
	let twin = Engine::new(b"b".to_vec(), &[42; 32], GENESIS).unwrap();
	let other = Member::new("other");
	let package = twin.key_package(&other.store().overlay()).unwrap();
	let package = key_package::parse(&twin.crypto, &package.bytes).unwrap();
	let reason = policy_breach(&mut members, &mut log, |builder| builder.propose_adds([package]));
	assert_eq!(reason, InvalidReason::Policy(PolicyError::DuplicateIdentity));
}

#[test]
fn a_key_package_with_a_useless_key_is_refused() {
	let (mut log, mut members) = group(&["a", "b", "c"]);
	let joiner = Member::new("d");
	for turn in 0..2 {
		let crypto = Crypto::with(Fault::OtherPublicKey(turn, vec![0; 32]));
		let overlay = joiner.store().overlay();
		let bundle = KeyPackage::builder()
			.key_package_lifetime(super::constants::lifetime())
			.leaf_node_capabilities(super::constants::capabilities())
			.build(
				CIPHERSUITE,
				&HostileProvider { crypto: &crypto, overlay: &overlay },
				&joiner.engine.signer,
				joiner.engine.credential(),
			)
			.unwrap();
		let package = bundle.into_key_package();
		let bytes = package.tls_serialize_detached().unwrap();
		assert!(key_package::parse(&joiner.engine.crypto, &bytes).is_err(), "an honest inviter refuses both");
		if package.leaf_node().encryption_key().tls_serialize_detached().unwrap()[1..] == [0; 32] {
			let reason = policy_breach(&mut members, &mut log, |builder| {
				// a Welcome cannot be made for a useless init key, so only the leaf's key gets this far
				builder.propose_adds([package])
			});
			assert_eq!(reason, InvalidReason::Policy(PolicyError::UselessKey));
			return;
		}
	}
	panic!("one of the keys is the leaf's");
}

#[test]
fn a_committer_cannot_change_its_identity() {
	let (mut log, mut members) = group(&["a", "b", "c"]);
	for name in [&b"b"[..], b"z", b""] {
		let credential = CredentialWithKey {
			credential: BasicCredential::new(name.to_vec()).into(),
			signature_key: members[0].engine.seed.public().into(),
		};
		let leaf = LeafNodeParameters::builder().with_credential_with_key(credential).build();
		let forged = forge(&members[0], &log, &Crypto::default(), |builder| builder.leaf_node_parameters(leaf));
		let entry = forged.submit(&members[0], &mut log);
		let reason = assert_all_skip(&mut members[1..], &log, &entry);
		assert_eq!(reason, InvalidReason::Policy(PolicyError::Impersonation));
	}
	goes_on(&mut members, &mut log);
}

#[test]
fn a_committer_cannot_change_its_identity_along_with_its_key() {
	let (mut log, mut members) = group(&["a", "b", "c"]);
	let new = Engine::new(b"z".to_vec(), &[9; 32], GENESIS).unwrap();
	let forged = forge_rotation(&members[0], &log, &new);
	let reason = refused_commit(&forged, &mut members, &mut log);
	assert_eq!(reason, InvalidReason::Policy(PolicyError::Impersonation));
}

#[test]
fn a_credential_of_another_type_is_refused() {
	let (mut log, mut members) = group(&["a", "b", "c"]);
	let engine = &members[0].engine;
	let credential = CredentialWithKey {
		credential: Credential::new(CredentialType::X509, b"a".to_vec()),
		signature_key: engine.seed.public().into(),
	};
	let types = [CredentialType::Basic, CredentialType::X509];
	let extensions = extension_types();
	let capabilities = Capabilities::new(None, Some(&[CIPHERSUITE]), Some(&extensions), None, Some(&types));
	let leaf =
		LeafNodeParameters::builder().with_credential_with_key(credential).with_capabilities(capabilities).build();
	let forged = forge(&members[0], &log, &Crypto::default(), |builder| builder.leaf_node_parameters(leaf));
	refused_commit(&forged, &mut members, &mut log);
}

#[test]
fn a_committer_cannot_take_the_key_of_another_member() {
	let (mut log, mut members) = group(&["a", "b", "c"]);
	// "c" has given away its key, and "a" puts it on its own leaf
	let thief = Engine::new(b"a".to_vec(), blake3::hash(b"c").as_bytes(), GENESIS).unwrap();
	let forged = forge_rotation(&members[0], &log, &thief);
	let reason = refused_commit(&forged, &mut members, &mut log);
	assert_eq!(reason, InvalidReason::Policy(PolicyError::DuplicateKey));
	let intent = Intent::Rotate { seed: SignerSeed::new(*blake3::hash(b"c").as_bytes()) };
	let refused = super::refusal(&members[1], &log, &intent);
	assert_eq!(refused, super::BuildError::Refused(InvalidReason::Policy(PolicyError::DuplicateKey)));
}

/// "a" puts the credential and key of `new` on its leaf, by a commit that it signs with its own key.
pub(super) fn forge_rotation(member: &Member, log: &Log, new: &Engine) -> Forged {
	let overlay = member.store().overlay();
	let mut mls = member.engine.load(&overlay, &log.group).unwrap();
	let engine = &member.engine;
	let new = NewSignerBundle { signer: &new.signer, credential_with_key: new.credential() };
	let messages = mls
		.commit_builder()
		.load_psks(&overlay)
		.unwrap()
		.build_with_new_signer(&*engine.crypto, &engine.crypto, &engine.signer, new, |_| true)
		.unwrap()
		.stage_commit(&engine.provider(&overlay))
		.unwrap();
	let staged = mls.pending_commit().unwrap();
	let next_key = super::keys::ordering_key(staged, &engine.crypto, &log.group).unwrap();
	Forged { proposals: vec![], commit: messages.into_commit().to_bytes().unwrap(), next_key }
}

#[test]
fn proposals_of_other_types_are_refused() {
	let (mut log, mut members) = group(&["a", "b", "c"]);
	let overlay = members[0].store().overlay();
	let engine = &members[0].engine;
	let mut mls = engine.load(&overlay, &log.group).unwrap();
	let psk =
		PreSharedKeyId::new(CIPHERSUITE, &*engine.crypto, Psk::External(ExternalPsk::new(b"psk".to_vec()))).unwrap();
	psk.store(&engine.provider(&overlay), b"a secret that only one member has").unwrap();
	let proposal = Proposal::PreSharedKey(Box::new(PreSharedKeyProposal::new(psk)));
	let forged =
		forge_on(&members[0], &log, &Crypto::default(), &overlay, &mut mls, |builder| builder.add_proposal(proposal));
	drop(overlay);
	let reason = refused_commit(&forged, &mut members, &mut log);
	assert_eq!(reason, InvalidReason::Policy(PolicyError::ProposalType));
}

#[test]
fn an_update_proposal_is_refused() {
	let (mut log, mut members) = group(&["a", "b", "c"]);
	let overlay = members[1].store().overlay();
	let mut mls = members[1].engine.load(&overlay, &log.group).unwrap();
	let engine = &members[1].engine;
	let (update, _) =
		mls.propose_self_update(&engine.provider(&overlay), &engine.signer, LeafNodeParameters::default()).unwrap();
	let update = update.to_bytes().unwrap();
	drop(overlay);
	let mut forged = {
		let overlay = members[0].store().overlay();
		let mut mls = members[0].engine.load(&overlay, &log.group).unwrap();
		let queued = proposal::process(&members[0].engine.provider(&overlay), &mut mls, &update).unwrap();
		assert!(matches!(queued.proposal(), Proposal::Update(_)));
		mls.store_pending_proposal(&overlay, queued).unwrap();
		forge_on(&members[0], &log, &Crypto::default(), &overlay, &mut mls, |builder| builder)
	};
	forged.proposals = vec![update.clone()];
	// "b" is asked too: its own proposal must not make it judge differently
	let reason = refused_commit(&forged, &mut members, &mut log);
	assert_eq!(reason, InvalidReason::Policy(PolicyError::ProposalType));
	let build = members[2]
		.read(|engine, overlay| engine.build_one(overlay, &log.group, &Intent::Proposals(vec![HexBytes(update)])));
	assert!(build.is_err());
}

#[test]
fn an_external_commit_is_refused() {
	let (mut log, mut members) = group(&["a", "b", "c"]);
	let outsider = Member::new("outsider");
	let info = {
		let overlay = members[0].store().overlay();
		let mls = members[0].engine.load(&overlay, &log.group).unwrap();
		let engine = &members[0].engine;
		mls.export_group_info(&engine.crypto, &engine.signer, true).unwrap()
	};
	let forged = {
		let overlay = outsider.store().overlay();
		let engine = &outsider.engine;
		let provider = engine.provider(&overlay);
		let (mls, messages) = MlsGroup::external_commit_builder()
			.build_group(&provider, verifiable(info), engine.credential())
			.unwrap()
			.leaf_node_parameters(LeafNodeParameters::builder().with_capabilities(capabilities()).build())
			.load_psks(&overlay)
			.unwrap()
			.build(&*engine.crypto, &engine.crypto, &engine.signer, |_| true)
			.unwrap()
			.finalize(&provider)
			.unwrap();
		let next_key = super::keys::ordering_key(&mls, &engine.crypto, &log.group).unwrap();
		Forged { proposals: vec![], commit: messages.into_commit().to_bytes().unwrap(), next_key }
	};
	let reason = refused_commit(&forged, &mut members, &mut log);
	assert_eq!(reason, InvalidReason::Policy(PolicyError::Outsider));
}

fn verifiable(info: openmls::prelude::MlsMessageOut) -> openmls::prelude::group_info::VerifiableGroupInfo {
	use openmls::prelude::{MlsMessageBodyIn, MlsMessageIn};
	match super::tls::decode::<MlsMessageIn>(&info.to_bytes().unwrap()).unwrap().extract() {
		MlsMessageBodyIn::GroupInfo(info) => info,
		other => panic!("{other:?}"),
	}
}

//! What a letter has beside the Welcome, the ratchet tree, and what a hostile inviter could put there.

use super::{
	add, assert_agreement, commit,
	decoding::as_earlier,
	group,
	joining::{invitation_to, invite, invited, open, try_join},
	log::Log,
	readmission::ask,
	refusal, rename,
	trees::{packages, tree},
	BuildError, GroupData, Intent, Invitation, LetterKey, Member, Placed, WelcomeError,
};
use crate::{
	mls::{
		constants::{join_config, tag, MAX_LETTER, MAX_PAST_EPOCHS},
		seal, Prepared,
	},
	store::packed,
};
use codec::{Decode, Encode};
use lockstep_primitives::{rpc::HexBytes, topic};
use openmls::prelude::{tls_codec::Serialize, MlsGroupJoinConfig};

/// An invitation with another tree in it, as a hostile inviter could seal it.
fn with_tree(invitation: &Invitation, tree: Vec<u8>) -> Invitation {
	Invitation { tree: HexBytes(tree), ..invitation.clone() }
}

/// The leaf with this identity, as it is in a tree.
fn leaf(member: &Member, log: &Log, identity: &str) -> Vec<u8> {
	let mls = member.read(|engine, overlay| engine.load(overlay, &log.group)).unwrap();
	let mut leaves = mls.treesync().full_leaves().map(|(_, leaf)| leaf);
	let found = leaves.find(|leaf| leaf.credential().serialized_content() == identity.as_bytes()).unwrap();
	found.tls_serialize_detached().unwrap()
}

#[test]
fn the_tree_is_beside_the_welcome_and_nowhere_else() {
	let (log, mut members, mut joiner, package, welcomes) = invited();
	let invitation = joiner.open_welcome(&package, &welcomes);
	assert_eq!(invitation.tree.0, tree(&members[0], &log));
	let refused = try_join(&joiner, &with_tree(&invitation, Vec::new()));
	assert!(matches!(&refused, Err(WelcomeError::Mls(reason)) if reason.contains("No ratchet tree")), "{refused:?}");
	joiner.join(&log, &package, &welcomes);
	members.push(joiner);
	assert_agreement(&mut members, &log);
}

#[test]
fn no_other_tree_is_taken_and_the_key_package_stays() {
	let (mut log, mut members) = group(&["a", "b"]);
	let earlier = tree(&members[0], &log);
	let (mut joiner, package, welcomes) = invite(&mut log, &mut members);
	let invitation = joiner.open_welcome(&package, &welcomes);
	let right = invitation.tree.0.clone();
	let mine = leaf(&members[0], &log, "b");
	commit(&mut members, &mut log, 1, &Intent::Update);
	let later = tree(&members[0], &log);

	let (elsewhere, others) = group(&["a", "b", "j"]);
	let theirs = leaf(&others[0], &elsewhere, "b");
	assert_eq!(mine.len(), theirs.len(), "signed by the same key, for any place in any group");
	let at = right.windows(mine.len()).position(|window| window == mine).unwrap();
	let exchanged = [&right[..at], &theirs, &right[at + mine.len()..]].concat();

	for wrong in [earlier, tree(&others[0], &elsewhere), exchanged] {
		let refused = try_join(&joiner, &with_tree(&invitation, wrong));
		assert!(matches!(refused, Err(WelcomeError::Mls(_))), "{refused:?}");
	}
	// All that is in it is good and signed. What tells it from the right one is its hash alone.
	let refused = try_join(&joiner, &with_tree(&invitation, later));
	assert!(matches!(&refused, Err(WelcomeError::Mls(reason)) if reason.contains("tree hash")), "{refused:?}");

	let mut cut: Vec<Vec<u8>> = (1..right.len()).step_by(37).map(|length| right[..length].to_vec()).collect();
	cut.push([&right[..], &[0]].concat());
	for wrong in cut {
		assert_eq!(try_join(&joiner, &with_tree(&invitation, wrong)), Err(WelcomeError::Malformed));
	}
	for position in (0..right.len()).step_by(13) {
		let mut changed = right.clone();
		changed[position] ^= 1;
		assert!(try_join(&joiner, &with_tree(&invitation, changed)).is_err(), "byte {position}");
	}

	assert!(open(&joiner, &package.reference, &welcomes.envelopes[0].bytes).is_ok(), "the KeyPackage is there");
	joiner.write(|engine, overlay| engine.join(overlay, &invitation)).unwrap();
	let entry = log.tip().clone();
	joiner.advance(&log, &entry);
	members.push(joiner);
	assert_agreement(&mut members, &log);
}

/// A letter with this text in it, and what opens it.
fn sealed(member: &Member, text: &[u8]) -> (LetterKey, Vec<u8>) {
	let key = [7; 16];
	let letter = seal::seal(&member.engine.crypto, &key, tag::LETTER, text).unwrap();
	let opens = [&topic::letter_hash(&letter)[..], &key].concat();
	(LetterKey::decode(&mut &opens[..]).unwrap(), letter)
}

/// As earlier versions and other implementations send it, with the tree in the GroupInfo.
#[test]
fn a_letter_without_a_tree_is_read_and_nothing_behind_it_is() {
	let mut joiner = Member::new("j");
	let package = joiner.key_package();
	let data = GroupData { administrators: [b"founder".to_vec()].into(), ..GroupData::default() };
	let invitation = invitation_to(data.to_extensions().unwrap(), &package);
	let earlier = (&invitation.group, &invitation.entry, invitation.index, &invitation.welcome.0).encode();
	let read = |text: &[u8]| {
		let (key, letter) = sealed(&joiner, text);
		joiner.engine.open_letter(&key, &letter)
	};
	assert_eq!(read(&earlier), Ok(invitation.clone()));
	assert_eq!(read(&[&earlier[..], &[0]].concat()), Ok(invitation.clone()), "a tree of no bytes is none");
	assert_eq!(read(&[&earlier[..], &[4, 9]].concat()), Ok(with_tree(&invitation, vec![9])));
	for behind in [&[1][..], &[4], &[8, 9], &[0, 0], &[4, 9, 9]] {
		assert_eq!(read(&[&earlier[..], behind].concat()), Err(WelcomeError::Malformed), "{behind:?}");
	}
	for length in (0..earlier.len()).step_by(17) {
		assert_eq!(read(&earlier[..length]), Err(WelcomeError::Malformed));
	}
	assert_eq!(try_join(&joiner, &with_tree(&invitation, vec![9])), Err(WelcomeError::Malformed));
	try_join(&joiner, &invitation).unwrap();
	// The one that is signed counts.
	let (elsewhere, others) = group(&["a", "b"]);
	try_join(&joiner, &with_tree(&invitation, tree(&others[0], &elsewhere))).unwrap();
}

/// How long the letter of a commit would be, as a member says who refuses to make it.
fn too_long(members: &mut [Member], log: &Log, intent: &Intent) -> usize {
	members[0].engine.max_letter = 0;
	let refused = refusal(&members[0], log, intent);
	members[0].engine.max_letter = MAX_LETTER;
	let BuildError::LetterTooLarge { length, max: 0 } = refused else { panic!("{refused:?}") };
	length
}

/// Who is added by a commit whose letter cannot be sent is a member, and never hears of it.
#[test]
fn a_commit_whose_letter_cannot_be_sent_is_not_made() {
	let (mut log, mut members) = group(&["a", "b"]);
	let mut joiner = Member::new("j");
	let package = joiner.key_package();
	let one = add(std::slice::from_ref(&package));
	let other = add(&packages(&["k".to_owned()]));
	let build = |member: &Member, log: &Log, intents: &[Intent]| {
		member.read(|engine, overlay| engine.build_commit(overlay, &log.group, intents)).unwrap()
	};
	let length = too_long(&mut members, &log, &one);

	members[0].engine.max_letter = length - 1;
	let batch = build(&members[0], &log, &[one.clone(), rename("ours"), other.clone()]);
	let [Placed::Refused(first), Placed::Included, Placed::Refused(second)] = &batch.placed[..] else {
		panic!("{:?}", batch.placed)
	};
	for refused in [first, second] {
		assert!(matches!(refused, BuildError::LetterTooLarge { max, .. } if *max == length - 1), "{refused:?}");
		assert!(refused.to_string().contains("remove members"));
	}
	assert!(batch.prepared.unwrap().added.is_empty(), "what invites nobody is made");

	// There is room for one of the two.
	members[0].engine.max_letter = length;
	assert_eq!(build(&members[0], &log, &[one.clone(), other]).placed, [Placed::Included, Placed::Deferred]);
	let prepared = members[0].prepare(&log, &one);
	let entry = log.append(&prepared);
	members.iter_mut().for_each(|member| drop(member.advance(&log, &entry)));
	let welcomes = members[0].welcomes(&prepared, &entry);
	assert!((length - 8..=length).contains(&welcomes.letter.len()), "{length} {}", welcomes.letter.len());
	joiner.join(&log, &package, &welcomes);
	members.push(joiner);
	assert_agreement(&mut members, &log);
}

#[test]
fn whoever_comes_back_needs_a_letter_as_well() {
	let (log, mut members) = group(&["a", "b", "c"]);
	let request = ask(&members[2], &log);
	let checked = members[0]
		.read(|engine, overlay| engine.check_rejoin(overlay, &log.group, &request.bytes, &log.tip().hash))
		.unwrap();
	assert!(too_long(&mut members, &log, &checked.intent()) > 0);
}

/// Its records say that the tree goes into the GroupInfo.
#[test]
fn a_group_of_an_earlier_version_has_the_tree_beside_the_welcome_as_well() {
	let (mut log, mut members) = group(&["a", "b"]);
	members[0].write(|engine, overlay| {
		let mut mls = engine.load(overlay, &log.group).unwrap();
		let now = join_config();
		let earlier = MlsGroupJoinConfig::builder()
			.wire_format_policy(now.wire_format_policy())
			.use_ratchet_tree_extension(true)
			.max_past_epochs(MAX_PAST_EPOCHS)
			.sender_ratchet_configuration(*now.sender_ratchet_configuration())
			.padding_size(now.padding_size())
			.number_of_resumption_psks(0)
			.build();
		mls.set_configuration(overlay, &earlier).unwrap();
	});
	members[0].restart(&log);
	let (mut joiner, package, welcomes) = invite(&mut log, &mut members);
	let invitation = joiner.open_welcome(&package, &welcomes);
	let refused = try_join(&joiner, &with_tree(&invitation, Vec::new()));
	assert!(matches!(refused, Err(WelcomeError::Mls(_))), "it is not in the GroupInfo: {refused:?}");
	joiner.join(&log, &package, &welcomes);
	members.push(joiner);
	assert_agreement(&mut members, &log);
}

/// Its Welcome has the tree already; and members of that version read it.
#[test]
fn a_commit_that_an_earlier_version_prepared_has_a_letter_of_that_version() {
	let (mut log, mut members) = group(&["a", "b"]);
	let mut joiner = Member::new("j");
	let package = joiner.key_package();
	let prepared = members[0].prepare(&log, &add(std::slice::from_ref(&package)));
	let mut earlier = as_earlier(&prepared);
	earlier.as_object_mut().unwrap().remove("tree_beside").unwrap();
	let earlier: Prepared = serde_json::from_value(earlier).unwrap();
	let entry = log.append(&prepared);
	members.iter_mut().for_each(|member| drop(member.advance(&log, &entry)));
	let now = members[0].welcomes(&prepared, &entry);
	let then = members[0].welcomes(&earlier, &entry);
	let invitation = joiner.open_welcome(&package, &then);
	assert_eq!(invitation, with_tree(&joiner.open_welcome(&package, &now), Vec::new()));
	assert_eq!(then.letter.len() + tree(&members[0], &log).encode().len(), now.letter.len());
}

/// An invitation is stored while the log is read; one that was stored by an earlier version has no tree.
#[test]
fn a_stored_invitation_is_read_again() {
	let (_log, _members, joiner, package, welcomes) = invited();
	let invitation = joiner.open_welcome(&package, &welcomes);
	let stored = packed::encode(&invitation).unwrap();
	assert!(stored.len() < invitation.tree.0.len() + 2 * invitation.welcome.0.len() + 300, "a byte takes a byte");
	assert_eq!(packed::decode::<Invitation>(&stored), Some(invitation.clone()));
	let mut earlier = serde_json::to_value(&invitation).unwrap();
	earlier.as_object_mut().unwrap().remove("tree").unwrap();
	let earlier: Invitation = serde_json::from_value(earlier).unwrap();
	assert_eq!(earlier, with_tree(&invitation, Vec::new()));
}

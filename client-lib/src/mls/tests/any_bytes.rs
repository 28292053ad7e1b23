//! Whatever bytes come, from whomever: each decoder gives a value or an error, and nothing else happens. Group data and
//! rejoin requests have such tests beside theirs.

use super::{group, log::Log, Invitation, Member, NewKeyPackage, WelcomeError, Welcomes};
use crate::mls::{bundle::CommitBundle, crypto::Crypto, key_package};
use lockstep_primitives::rpc::HexBytes;
use proptest::{collection::vec, prelude::*, sample::Index};

/// Changes to bytes: at each place one is replaced, put in or taken out.
type Edits = Vec<(Index, u8, u8)>;

fn edits() -> impl Strategy<Value = Edits> {
	vec((any::<Index>(), any::<u8>(), 0..3u8), 1..6)
}

/// Good bytes with these edits; `None` if they come to nothing.
fn edited(good: &[u8], edits: &Edits) -> Option<Vec<u8>> {
	let mut bytes = good.to_vec();
	for (at, byte, how) in edits {
		let at = at.index(bytes.len().max(1));
		match how {
			0 if at < bytes.len() => bytes[at] = *byte,
			1 if at < bytes.len() => drop(bytes.remove(at)),
			_ => bytes.insert(at.min(bytes.len()), *byte),
		}
	}
	(bytes != good).then_some(bytes)
}

fn invited() -> (Log, Vec<Member>, Member, NewKeyPackage, Welcomes, Invitation) {
	let (log, members, joiner, package, welcomes) = super::joining::invited();
	let invitation = joiner.open_welcome(&package, &welcomes);
	(log, members, joiner, package, welcomes, invitation)
}

proptest! {
	#![proptest_config(ProptestConfig { cases: 2_000, ..ProptestConfig::default() })]

	#[test]
	fn any_bytes_are_a_bundle_or_an_error(bytes in vec(any::<u8>(), 0..300), version: bool) {
		let mut bytes = bytes;
		if let (true, Some(first)) = (version, bytes.first_mut()) {
			*first = 1;
		}
		drop(CommitBundle::decode(&bytes));
	}

	#[test]
	fn any_bytes_are_a_key_package_or_an_error(bytes in vec(any::<u8>(), 0..300)) {
		prop_assert!(key_package::parse(&Crypto::default(), &bytes).is_err());
	}
}

proptest! {
	#![proptest_config(ProptestConfig { cases: 8, ..ProptestConfig::default() })]

	#[test]
	fn changed_key_packages_are_errors(all in vec(edits(), 60)) {
		let package = Member::new("a").key_package();
		prop_assert!(key_package::parse(&Crypto::default(), &package.bytes).is_ok());
		for bytes in all.iter().filter_map(|edits| edited(&package.bytes, edits)) {
			prop_assert!(key_package::parse(&Crypto::default(), &bytes).is_err());
		}
	}

	#[test]
	fn any_bytes_and_changed_messages_are_errors(all in vec(edits(), 60), any in vec(vec(any::<u8>(), 0..200), 60)) {
		let (log, mut members) = group(&["a", "b"]);
		let sent = members[0].encrypt(&log, b"a message").bytes;
		for bytes in any.into_iter().chain(all.iter().filter_map(|edits| edited(&sent, edits))) {
			let store = members[1].store();
			let read = members[1].engine.decrypt(&store.overlay(), &log.group, &bytes);
			prop_assert!(read.is_err());
		}
		prop_assert!(members[1].decrypt(&log, &sent).is_ok(), "none of them has used its key up");
	}

	#[test]
	fn any_bytes_and_changed_proposals_are_errors(all in vec(edits(), 60), any in vec(vec(any::<u8>(), 0..200), 60)) {
		let (log, members) = group(&["a", "b"]);
		let good = members[0].read(|engine, overlay| engine.propose_leave(overlay, &log.group)).unwrap();
		for bytes in any.into_iter().chain(all.iter().filter_map(|edits| edited(&good, edits))) {
			let read = members[1].read(|engine, overlay| engine.inspect_proposal(overlay, &log.group, &bytes));
			prop_assert!(read.is_err());
		}
	}

	#[test]
	fn any_bytes_and_changed_welcomes_are_errors(all in vec(edits(), 40), any in vec(vec(any::<u8>(), 0..400), 40)) {
		let (log, _members, joiner, package, welcomes, invitation) = invited();
		let changed = |good: &[u8]| -> Vec<Vec<u8>> {
			any.iter().cloned().chain(all.iter().filter_map(|edits| edited(good, edits))).collect()
		};
		let envelope = &welcomes.envelopes[0].bytes;
		let open = |bytes: &[u8]| joiner.read(|engine, overlay| engine.open_envelope(overlay, &package.reference, bytes));
		for bytes in changed(envelope) {
			prop_assert!(open(&bytes).is_err());
		}
		let key = open(envelope).unwrap();
		for bytes in changed(&welcomes.letter) {
			prop_assert_eq!(joiner.engine.open_letter(&key, &bytes), Err(WelcomeError::OtherLetter));
		}
		// What only a member can seal: any Welcome at all, and any tree beside it.
		let welcomes = changed(&invitation.welcome.0).into_iter().map(HexBytes);
		let welcomes = welcomes.map(|welcome| Invitation { welcome, ..invitation.clone() });
		let trees = changed(&invitation.tree.0).into_iter().map(HexBytes);
		let trees = trees.map(|tree| Invitation { tree, ..invitation.clone() });
		for invitation in welcomes.chain(trees) {
			let joined = joiner.read(|engine, overlay| engine.join(overlay, &invitation));
			prop_assert!(joined.is_err());
		}
		joiner.write(|engine, overlay| engine.join(overlay, &invitation)).unwrap();
		prop_assert!(joiner.read(|engine, overlay| engine.group(overlay, &log.group)).unwrap().is_some());
	}
}

//! Paths and tags that a hostile committer breaks: for one member, for some, or for all.

use super::{
	assert_agreement, assert_all_skip, group,
	hostile::{forge, leaf_key, Crypto, Fault, Forged},
	log::Log,
	Intent, InvalidReason, Member, Outcome, PolicyError, PrivateReason,
};
use openmls_traits::types::HpkeCiphertext;

fn forged(member: &Member, log: &Log, fault: Fault) -> Forged {
	forge(member, log, &Crypto::with(fault), |builder| builder)
}

/// Path secrets that one member cannot use, by how they are broken.
fn broken_for(key: &[u8]) -> Vec<Fault> {
	let ciphertext = |kem_output: &[u8], ciphertext: &[u8]| HpkeCiphertext {
		kem_output: kem_output.into(),
		ciphertext: ciphertext.into(),
	};
	let mut faults: Vec<Fault> = [
		ciphertext(&[9; 32], &[1; 48]),
		ciphertext(&[0; 32], &[1; 48]),
		ciphertext(&[], &[]),
		ciphertext(&[1; 31], &[1; 500]),
	]
	.into_iter()
	.map(|ciphertext| Fault::OtherCiphertext(key.to_vec(), ciphertext))
	.collect();
	faults.extend([0, 5, 31, 32, 33, 1000].map(|length| Fault::OtherText(key.to_vec(), vec![3; length])));
	faults
}

#[test]
fn a_path_broken_for_one_member_stops_that_member_and_no_other() {
	for victim in ["b", "c"] {
		let (mut log, members) = group(&["a", "b", "c"]);
		for fault in broken_for(&leaf_key(&members, &log, victim)) {
			let entry = forged(&members[0], &log, fault).submit(&members[0], &mut log);
			for member in &members[1..] {
				let before = member.view(&log);
				let verdict = member.judge(&log, &entry).unwrap();
				if member.name() == victim {
					assert!(
						matches!(verdict, super::Verdict::PrivatelyFailing(PrivateReason::Path(_))),
						"{victim} says {verdict:?}"
					);
				} else {
					assert!(matches!(verdict, super::Verdict::Valid(_)), "{} says {verdict:?}", member.name());
				}
				assert_eq!(member.view(&log), before, "a verdict leaves no trace");
			}
		}
	}
}

#[test]
fn those_whose_path_is_whole_go_on_together() {
	let (mut log, mut members) = group(&["a", "b", "c", "d"]);
	let fault = Fault::OtherText(leaf_key(&members, &log, "b"), vec![3; 32]);
	let entry = forged(&members[0], &log, fault).submit(&members[0], &mut log);
	assert!(matches!(members[1].follow(&log, &entry), Outcome::Stuck(PrivateReason::Path(_))));
	let mut others = members.split_off(2);
	for member in &mut others {
		member.advance(&log, &entry);
	}
	assert_agreement(&mut others, &log);
	let prepared = others[1].prepare(&log, &Intent::Update);
	let entry = log.append(&prepared);
	for member in &mut others {
		member.advance(&log, &entry);
	}
	assert_agreement(&mut others, &log);
}

#[test]
fn a_path_that_is_also_publicly_wrong_is_skipped_by_its_victim_too() {
	let (mut log, mut members) = group(&["a", "b", "c"]);
	let fault = Fault::OtherText(leaf_key(&members, &log, "b"), vec![3; 32]);
	let mut broken = forged(&members[0], &log, fault);
	// the signature no longer matches, which everyone sees before anyone looks at a path
	if let Some(last) = broken.commit.len().checked_sub(40) {
		broken.commit[last] ^= 1;
	}
	let entry = broken.submit(&members[0], &mut log);
	assert_all_skip(&mut members[1..], &log, &entry);
}

#[test]
fn a_wrong_mac_is_refused_by_all() {
	let (mut log, mut members) = group(&["a", "b", "c"]);
	let mut reasons = Vec::new();
	for turn in 0..4 {
		let entry = forged(&members[0], &log, Fault::WrongMac(turn)).submit(&members[0], &mut log);
		match members[1].judge(&log, &entry).unwrap() {
			super::Verdict::Valid(_) => continue,
			_ => reasons.push(assert_all_skip(&mut members[1..], &log, &entry)),
		}
	}
	assert!(reasons.contains(&InvalidReason::ConfirmationTag), "{reasons:?}");
	assert!(reasons.iter().any(|reason| reason.to_string().contains("embership tag")), "{reasons:?}");
}

#[test]
fn a_key_that_nothing_can_be_encrypted_to_does_not_get_into_the_tree() {
	let (mut log, mut members) = group(&["a", "b", "c", "d", "e"]);
	for useless in [vec![0; 32], vec![], vec![1; 31], vec![1; 33]] {
		let mut refused = 0;
		for turn in 0..8 {
			let fault = Fault::OtherPublicKey(turn, useless.clone());
			let entry = forged(&members[0], &log, fault).submit(&members[0], &mut log);
			match members[1].judge(&log, &entry).unwrap() {
				super::Verdict::Valid(_) => continue,
				_ => refused += 1,
			}
			let reason = assert_all_skip(&mut members[1..], &log, &entry);
			assert_eq!(reason, InvalidReason::Policy(PolicyError::UselessKey));
		}
		assert!(refused >= 3, "the leaf and each node of the path were tried");
	}
	let prepared = members[2].prepare(&log, &Intent::Update);
	let entry = log.append(&prepared);
	for member in &mut members {
		member.advance(&log, &entry);
	}
	assert_agreement(&mut members, &log);
}

//! Every byte of a payload and of a bundle, missing or changed: always a verdict, the same for all, never a panic.

use super::{
	add, assert_agreement, assert_all_skip, group,
	hostile::{open_payload, submit_bundle, submit_payload},
	log::{Entry, Log},
	Candidate, GroupView, InvalidReason, Member, Prepared, Verdict,
};
use crate::{mls::bundle::CommitBundle, store::packed::Packed};

/// A group, and in it a commit with a proposal in its bundle, other group data, and a path with a new key.
fn rich_commit() -> (Log, Vec<Member>, Prepared, Vec<u8>) {
	let (log, members) = group(&["a", "b", "c", "d"]);
	let leave = members[3].read(|engine, overlay| engine.propose_leave(overlay, &log.group)).unwrap();
	let leave = super::Intent::Proposals(vec![lockstep_primitives::rpc::HexBytes(leave)]);
	let rotate = super::Intent::Rotate { seed: super::SignerSeed::new([10; 32]) };
	let intents = [leave, super::rename("ours"), rotate];
	let batch = members[0].read(|engine, overlay| engine.build_commit(overlay, &log.group, &intents)).unwrap();
	let prepared = batch.prepared.unwrap();
	let bundle = open_payload(&members[0], &log, &prepared.payload.0);
	(log, members, prepared, bundle)
}

fn verdict(member: &Member, log: &Log, entry: &Entry) -> InvalidReason {
	match member.judge(log, entry).unwrap() {
		Verdict::PubliclyInvalid(reason) => reason,
		other => panic!("{} says {other:?}", member.name()),
	}
}

#[test]
fn truncated_payloads_are_refused() {
	let (log, members, prepared, _) = rich_commit();
	let payload = &prepared.payload.0;
	for length in 0..payload.len() {
		let candidate = Candidate {
			group: &log.group,
			parent: &prepared.parent,
			next_key: &prepared.next_key,
			block: 0,
			payload: &payload[..length],
		};
		let judged = members[1].read(|engine, overlay| engine.evaluate(overlay, &candidate, None)).unwrap();
		assert!(matches!(judged, Verdict::PubliclyInvalid(InvalidReason::Seal(_))), "{length} bytes: {judged:?}");
	}
}

#[test]
fn changed_payloads_are_refused() {
	let (log, members, prepared, _) = rich_commit();
	let mut payload = prepared.payload.0.clone();
	for position in 0..payload.len() {
		payload[position] ^= 0x20;
		let Prepared { parent, next_key, .. } = &prepared;
		let candidate = Candidate { group: &log.group, parent, next_key, block: 0, payload: &payload };
		let judged = members[1].read(|engine, overlay| engine.evaluate(overlay, &candidate, None)).unwrap();
		assert!(matches!(judged, Verdict::PubliclyInvalid(InvalidReason::Seal(_))), "byte {position}: {judged:?}");
		payload[position] ^= 0x20;
	}
}

#[test]
fn truncated_bundles_do_not_decode() {
	let (_, _, _, bundle) = rich_commit();
	assert!(CommitBundle::decode(&bundle).is_ok());
	for length in 0..bundle.len() {
		assert!(CommitBundle::decode(&bundle[..length]).is_err(), "{length} bytes");
	}
	for tail in [&b"\0"[..], b"\xff\xff\xff\xff", &bundle] {
		assert!(CommitBundle::decode(&[&bundle[..], tail].concat()).is_err());
	}
}

/// A hostile member of the epoch can seal a bundle with any byte changed. Every member gives the same verdict, and
/// it is never "privately failing": the signature covers everything.
#[test]
fn changed_bundles_are_refused_by_all_alike() {
	let (mut log, mut members, prepared, bundle) = rich_commit();
	for position in 0..bundle.len() {
		let mut changed = bundle.clone();
		changed[position] ^= 1 << (position % 8);
		let entry = submit_bundle(&members[0], &mut log, &changed, &prepared.next_key);
		let reason = verdict(&members[1], &log, &entry);
		// the member to be removed and another one are asked less often, to save time
		if position % 8 == 0 {
			assert_eq!(verdict(&members[2], &log, &entry), reason, "byte {position}");
			assert_eq!(verdict(&members[3], &log, &entry), reason, "byte {position}");
		}
	}
	let entry = submit_bundle(&members[0], &mut log, &bundle, &prepared.next_key);
	members.remove(0);
	for member in &mut members {
		member.advance(&log, &entry);
	}
	members.pop();
	assert_agreement(&mut members, &log);
}

#[test]
fn random_bundles_are_refused() {
	let (mut log, mut members) = group(&["a", "b", "c"]);
	let mut stream = blake3::Hasher::new().update(b"random bundles").finalize_xof();
	for length in (0..400).step_by(13) {
		let mut bytes = vec![0; length];
		stream.fill(&mut bytes);
		if let Some(first) = bytes.first_mut() {
			*first = 1;
		}
		let entry = submit_bundle(&members[0], &mut log, &bytes, &super::log::ANY_KEY);
		assert_all_skip(&mut members[1..], &log, &entry);
		let entry = submit_payload(&members[0], &mut log, &bytes, &super::log::ANY_KEY);
		assert_all_skip(&mut members[1..], &log, &entry);
	}
}

#[test]
fn proposals_that_do_not_decode_are_errors() {
	let (log, members) = group(&["a", "b", "c"]);
	let leave = members[2].read(|engine, overlay| engine.propose_leave(overlay, &log.group)).unwrap();
	let inspect = |bytes: &[u8]| members[1].read(|engine, overlay| engine.inspect_proposal(overlay, &log.group, bytes));
	assert!(inspect(&leave).unwrap().leaves);
	for length in 0..leave.len() {
		assert!(inspect(&leave[..length]).is_err());
	}
	for position in 0..leave.len() {
		let mut changed = leave.clone();
		changed[position] ^= 2;
		assert!(inspect(&changed).is_err(), "byte {position}");
	}
}

#[test]
fn a_commit_kept_for_later_survives_its_record() {
	let (log, mut members) = group(&["a", "b"]);
	let package = Member::new("c").key_package();
	let prepared = members[0].prepare(&log, &add(&[package]));
	let stored: Prepared =
		members[0].read(|_, overlay| overlay.get(log.group.as_bytes())).unwrap().expect("it was stored");
	assert_eq!(stored.append(), prepared.append());
	assert_eq!(serde_json::to_string(&stored).unwrap(), serde_json::to_string(&prepared).unwrap());
}

/// JSON, with the digits of bytes where there are bytes now.
pub(super) fn as_earlier(prepared: &Prepared) -> serde_json::Value {
	let mut earlier = serde_json::to_value(prepared).unwrap();
	earlier["staged"] = serde_json::to_string(&prepared.staged().unwrap()).unwrap().into();
	earlier["payload"] = serde_json::to_value(&prepared.payload).unwrap();
	let invited: Vec<_> = prepared.invited.iter().map(|Packed(bytes)| bytes).collect();
	earlier["invited"] = serde_json::to_value(invited).unwrap();
	earlier["welcome"] = serde_json::to_value(prepared.welcome.as_ref().map(|Packed(bytes)| bytes)).unwrap();
	earlier
}

#[test]
fn a_commit_that_an_earlier_version_kept_is_merged() {
	let (mut log, mut members) = group(&["a", "b"]);
	let mut newcomer = Member::new("c");
	let package = newcomer.key_package();
	let prepared = members[0].prepare(&log, &add(std::slice::from_ref(&package)));
	let earlier = as_earlier(&prepared);
	assert!(earlier["welcome"].as_str().unwrap().starts_with("0x"));
	let earlier: Prepared = serde_json::from_value(earlier).unwrap();
	assert_eq!(earlier.append(), prepared.append());
	members[0].write(|_, overlay| overlay.put(log.group.as_bytes(), &earlier)).unwrap();
	members[0].restart(&log);
	let entry = log.append(&prepared);
	for member in &mut members {
		member.advance(&log, &entry);
	}
	assert_eq!(GroupView { me: members[1].view(&log).me, ..members[0].view(&log) }, members[1].view(&log));
	let welcomes = members[0].welcomes(&earlier, &entry);
	newcomer.join(&log, &package, &welcomes);
	members.push(newcomer);
	assert_agreement(&mut members, &log);
}

#[test]
fn the_encoding_of_a_bundle_is_fixed() {
	let bundle = CommitBundle::new(vec![b"first".to_vec(), b"second".to_vec()], b"commit".to_vec());
	assert_eq!(bundle.encode().unwrap(), b"\x01\x0bfirstsecondcommit");
	let bundle = CommitBundle::new(vec![], vec![7; 3]);
	assert_eq!(bundle.encode().unwrap(), [1, 0, 7, 7, 7]);
	let bundle = CommitBundle::new(vec![vec![7; 100]], vec![]);
	assert_eq!(bundle.encode().unwrap()[..4], [1, 0x40, 100, 7], "a longer vector has a longer length");
}

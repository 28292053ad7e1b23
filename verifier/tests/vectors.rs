//! Known answers, in `vectors.json`, for implementations in other languages.
//!
//! The test makes the vectors anew and compares. After a deliberate change of a format, write the file with
//! `LOCKSTEP_WRITE_VECTORS=1 cargo test -p lockstep-verifier --test vectors`.

use codec::Encode;
use lockstep_verifier::{
	group::group_keys,
	header::SetChange,
	justification::{vote_payload, Justification, Target},
	proof_file::{verify, When},
	read_proof,
	testing::{State, World, GROUP},
	Header, Rotations,
};
use serde_json::{json, Value};

fn hex(bytes: impl AsRef<[u8]>) -> String {
	format!("0x{}", hex::encode(bytes))
}

fn header_vector(bytes: &[u8]) -> Value {
	let header = Header::decode(bytes).unwrap();
	let change = header.change.as_ref().map(|change| match change {
		SetChange::Scheduled { next, delay } => {
			let next: Vec<_> = next.as_slice().iter().map(|one| json!([hex(one.key), one.weight])).collect();
			json!({ "scheduled": next, "delay": delay })
		}
		SetChange::Forced { .. } => unreachable!("there is none"),
	});
	json!({
		"bytes": hex(bytes),
		"hash": hex(header.hash),
		"parent": hex(header.parent),
		"number": header.number,
		"state_root": hex(header.state_root.0),
		"slot": header.slot,
		"time": header.time(),
		"change": change,
	})
}

fn justification_vector(world: &World) -> Value {
	let bytes = world.votes_above().encode();
	let justification = Justification::decode(&bytes).unwrap();
	let set = world.judges(1).set();
	justification.verify(&set).unwrap();
	let votes = justification.precommits.iter().map(|vote| {
		let Target { hash, number } = vote.target;
		json!({
			"target": [hex(hash), number],
			"signer": hex(vote.signer),
			"signature": hex(vote.signature),
			"signed": hex(vote_payload(&vote.target, justification.round, set.id)),
		})
	});
	json!({
		"bytes": hex(&bytes),
		"round": justification.round,
		"target": [hex(justification.target.hash), justification.target.number],
		"votes": votes.collect::<Vec<_>>(),
		"set": {
			"id": set.id,
			"authorities": set.authorities.as_slice().iter().map(|one| json!([hex(one.key), one.weight])).collect::<Vec<_>>(),
			"threshold": set.authorities.threshold(),
		},
	})
}

/// A trie with every kind of node: branches with and without value, inline nodes, and values kept outside.
fn read_proof_vector() -> Value {
	let mut state = State::default();
	for (key, value) in [("", 1), ("a", 2), ("ab", 40), ("abc", 3), ("abd", 33), ("b", 32), ("bcd", 100)] {
		state.set(key.as_bytes(), vec![value as u8; value]);
	}
	let keys = ["", "ab", "abc", "abd", "abe", "b", "bcd", "c"].map(str::as_bytes);
	let nodes = state.prove(keys);
	let values = read_proof::read(&state.root(), &nodes, &keys).unwrap();
	let values = keys.iter().zip(values).map(|(key, value)| json!([hex(key), value.map(hex)]));
	json!({
		"root": hex(state.root().0),
		"nodes": nodes.iter().map(hex).collect::<Vec<_>>(),
		"values": values.collect::<Vec<_>>(),
	})
}

fn rotations_vector(rotations: &Rotations) -> Value {
	let entries = rotations.entries.iter().map(|one| {
		let when = match one.when {
			When::At(time) => json!({ "at": time }),
			When::Between { after, before } => json!({ "after": after, "before": before }),
		};
		json!({
			"index": one.index,
			"hash": hex(one.hash),
			"parent": hex(one.parent),
			"endorsed_by": one.endorsed_by.map(hex),
			"new_key": hex(one.new_key),
			"block": one.block,
			"when": when,
			"payload_hash": hex(one.payload_hash),
			"payload_len": one.payload_len,
			"payload": one.payload.as_ref().map(hex),
		})
	});
	json!({
		"genesis": hex(rotations.genesis),
		"group": hex(rotations.group),
		"head": [rotations.head.number, hex(rotations.head.hash), rotations.head.time],
		"set": rotations.set,
		"spec_version": rotations.runtime.as_ref().map(|runtime| runtime.spec_version),
		"contested": rotations.state.contested,
		"entries": entries.collect::<Vec<_>>(),
	})
}

fn vectors() -> Value {
	let (world, file) = World::small();
	let bytes = file.to_bytes();
	let rotations = verify(world.genesis, &bytes).unwrap();
	json!({
		"headers": [header_vector(world.header(0)), header_vector(&file.links[0].header), header_vector(&file.head.header)],
		"justification": justification_vector(&World::sample().0),
		"read_proof": read_proof_vector(),
		"storage_keys": { "group": hex(GROUP), "keys": group_keys(&[GROUP]).into_iter().map(hex).collect::<Vec<_>>() },
		"position": { "bytes": hex(world.followed().encode()) },
		"proof_file": { "bytes": hex(&bytes), "shows": rotations_vector(&rotations) },
	})
}

#[test]
fn vectors_are_as_published() {
	let path = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/vectors.json");
	let made = format!("{:#}\n", vectors());
	if std::env::var_os("LOCKSTEP_WRITE_VECTORS").is_some() {
		std::fs::write(path, &made).unwrap();
	}
	assert_eq!(std::fs::read_to_string(path).unwrap(), made);
}

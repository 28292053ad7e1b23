//! The committed vectors. Those who implement the format in another language test with them, so they must be right and
//! not only agree with the code that made them.

use crate::{follow, smoldot_says};
use lockstep_verifier::{
	authorities::{Authorities, Authority, AuthoritySet},
	justification::Justification,
	proof_file::{verify, ProofFile},
};
use serde_json::Value;

fn vectors() -> Value {
	serde_json::from_str(include_str!("../vectors.json")).unwrap()
}

fn bytes(hex: &Value) -> Vec<u8> {
	hex::decode(hex.as_str().unwrap().strip_prefix("0x").unwrap()).unwrap()
}

fn hash(hex: &Value) -> [u8; 32] {
	bytes(hex).try_into().unwrap()
}

fn list(value: &Value) -> &[Value] {
	value.as_array().unwrap()
}

#[test]
fn smoldot_reads_the_headers_as_published() {
	for vector in list(&vectors()["headers"]) {
		let seen = smoldot_says::header(&bytes(&vector["bytes"])).unwrap();
		assert_eq!(seen.hash, hash(&vector["hash"]));
		assert_eq!(seen.parent, hash(&vector["parent"]));
		assert_eq!(Some(seen.number), vector["number"].as_u64());
		assert_eq!(seen.state_root, hash(&vector["state_root"]));
		assert_eq!(seen.slot, vector["slot"].as_u64());
		let change = seen.change.map(|change| (change.next, Some(change.delay)));
		let published = vector["change"].as_object().map(|change| {
			let next = list(&change["scheduled"]).iter().map(|one| (hash(&one[0]), one[1].as_u64().unwrap()));
			(next.collect::<Vec<_>>(), change["delay"].as_u64())
		});
		assert_eq!(change, published);
	}
}

#[test]
fn smoldot_accepts_the_justification_as_published() {
	let vector = &vectors()["justification"];
	let encoded = bytes(&vector["bytes"]);
	let keys: Vec<_> = list(&vector["set"]["authorities"]).iter().map(|one| hash(&one[0])).collect();
	let voters = |set_id| smoldot_says::Voters { set_id, keys: keys.clone() };
	let id = vector["set"]["id"].as_u64().unwrap();
	assert_eq!(smoldot_says::justification(&encoded, &voters(id)), Ok(()));
	assert_eq!(smoldot_says::justification(&encoded, &voters(id + 1)), Err("BadSignature".to_owned()));
	// the fields that are published beside the bytes
	let decoded = smoldot::finality::decode::decode_grandpa_justification(&encoded, 4).unwrap();
	assert_eq!(Some(decoded.round), vector["round"].as_u64());
	assert_eq!((*decoded.target_hash, Some(decoded.target_number)), block(&vector["target"]));
	assert_eq!(decoded.precommits.iter().len(), list(&vector["votes"]).len());
	for (vote, published) in decoded.precommits.iter().zip(list(&vector["votes"])) {
		assert_eq!((*vote.target_hash, Some(vote.target_number)), block(&published["target"]));
		assert_eq!(vote.authority_public_key, &hash(&published["signer"]));
		assert_eq!(vote.signature[..], bytes(&published["signature"]));
	}
	// and we accept the same bytes, by the same list
	let list = keys.iter().map(|key| Authority { key: *key, weight: 1 }).collect();
	let set = AuthoritySet { id, authorities: Authorities::new(list).unwrap() };
	assert_eq!(Justification::decode(&encoded).unwrap().verify(&set), Ok(()));
}

fn block(value: &Value) -> ([u8; 32], Option<u64>) {
	(hash(&value[0]), value[1].as_u64())
}

#[test]
fn smoldot_reads_the_values_as_published() {
	let vector = &vectors()["read_proof"];
	let nodes: Vec<_> = list(&vector["nodes"]).iter().map(bytes).collect();
	let keys: Vec<_> = list(&vector["values"]).iter().map(|one| bytes(&one[0])).collect();
	let keys: Vec<_> = keys.iter().map(Vec::as_slice).collect();
	let published = list(&vector["values"]).iter().map(|one| one[1].as_str().map(|_| bytes(&one[1]))).collect();
	assert_eq!(smoldot_says::values(&hash(&vector["root"]), &nodes, &keys), Ok(published));
}

#[test]
fn smoldot_follows_the_proof_file_as_published() {
	let vector = &vectors()["proof_file"];
	let encoded = bytes(&vector["bytes"]);
	let file = ProofFile::from_bytes(&encoded).unwrap();
	assert!(verify(file.genesis, &encoded).is_ok());
	assert_eq!(file.genesis.0, hash(&vector["shows"]["genesis"]));
	follow::both_end_at_the_same_state(&file);
}

//! What the fuzz targets call with any bytes: no bytes may make one of these panic.
//!
//! The targets are in `fuzz/`; a test calls the same functions with the corpus and with random bytes.

use super::{Validators, GROUP};
use crate::{
	authorities::Authorities,
	group::group_keys,
	header::{Header, StateRoot},
	justification::Justification,
	proof_file::{verify, ProofFile, Trust},
	read_proof, FinalizedChain,
};
use alloc::vec::Vec;
use codec::{Decode, Encode};

/// A fuzz target: its name, which is that of its folder in the corpus too, and its function.
pub type Target = (&'static str, fn(&[u8]));

/// All targets.
pub const TARGETS: [Target; 4] =
	[("header", header), ("justification", justification), ("read_proof", read_proof), ("proof_file", proof_file)];

/// A header, and what is stored in one.
pub fn header(bytes: &[u8]) {
	if let Ok(header) = Header::decode(bytes) {
		let _ = header.time();
	}
	let _ = Authorities::from_storage(bytes);
	if let Ok(chain) = FinalizedChain::decode(&mut &bytes[..]) {
		assert!(bytes.starts_with(&chain.encode()), "a position has one encoding");
	}
}

/// A justification, judged by a set that may have signed it.
pub fn justification(bytes: &[u8]) {
	if let Ok(justification) = Justification::decode(bytes) {
		let _ = justification.verify(&Validators::new(0, 4).set());
	}
}

/// The nodes of a read proof, under the root that the first of them makes.
pub fn read_proof(bytes: &[u8]) {
	let Ok(nodes) = Vec::<Vec<u8>>::decode(&mut &bytes[..]) else { return };
	let root = StateRoot(nodes.first().map(|node| crate::crypto::blake2_256(node)).unwrap_or_default());
	let group = group_keys(&[GROUP]);
	let keys: Vec<&[u8]> = group.iter().map(Vec::as_slice).chain([&[][..], &[0x12]]).collect();
	for key in &keys {
		let _ = read_proof::read(&root, &nodes, &[key]);
	}
	let _ = read_proof::read(&root, &nodes, &keys);
}

/// A proof file of the very chain that it names.
pub fn proof_file(bytes: &[u8]) {
	let Ok(file) = ProofFile::from_bytes(bytes) else { return };
	assert_eq!(file.to_bytes(), bytes, "a file has one encoding");
	let _ = verify(Trust::Genesis(file.genesis), bytes);
}

//! What the fuzz targets call with any bytes: no bytes may make one of these panic.
//!
//! The targets are in `fuzz/`; a test calls the same functions with the corpus and with random bytes.

use super::{Validators, GROUP};
use crate::{
	authorities::Authorities,
	group::group_keys,
	header::{Header, StateRoot},
	identity::{verify_identity, IdentityFile, Recorded},
	justification::Justification,
	proof_file::{verify, ProofFile, Trust},
	read_proof, FinalizedChain,
};
use alloc::vec::Vec;
use codec::{Decode, Encode};
use lockstep_primitives::{
	identity::{judge, judge_inception, IdentityState, Place, RECOVERY_WINDOW},
	key_package::read,
	GenesisHash, IdentityId, IdentityKey, LogHead, LogKind,
};

/// A fuzz target: its name, which is that of its folder in the corpus too, and its function.
pub type Target = (&'static str, fn(&[u8]));

/// All targets.
pub const TARGETS: [Target; 7] = [
	("header", header),
	("justification", justification),
	("read_proof", read_proof),
	("proof_file", proof_file),
	("identity_file", identity_file),
	("events", events),
	("key_package", key_package),
];

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

/// A proof of an identity, of the very chain that it names.
pub fn identity_file(bytes: &[u8]) {
	let Ok(file) = IdentityFile::from_bytes(bytes) else { return };
	assert_eq!(file.to_bytes(), bytes, "a file has one encoding");
	let _ = verify_identity(Trust::Genesis(file.genesis), bytes);
}

/// Events, each put in the place where it belongs, as if all signatures were good: whatever comes of it keeps its bounds.
pub fn events(bytes: &[u8]) {
	let Ok(log) = Vec::<Recorded>::decode(&mut &bytes[..]) else { return };
	assert!(bytes.starts_with(&log.encode()), "events have one encoding");
	let genesis = GenesisHash([7; 32]);
	let Some(identity) = log.first().map(|first| first.event.event.action.identity(&genesis)) else { return };
	let mut state: Option<IdentityState> = None;
	let (mut used, mut newest) = (Vec::new(), 0);
	for Recorded { block, event: mut signed } in log {
		let head = state.as_ref().map(|state| state.head);
		let head = head.unwrap_or_else(|| LogHead::empty(LogKind::Identity, &genesis, &identity.0));
		(signed.event.identity, signed.event.index, signed.event.previous) = (identity, head.length, head.hash);
		newest = block.max(newest);
		let place = Place { genesis: &genesis, identity: &identity, block: newest, window: RECOVERY_WINDOW };
		let is_used = |key: &_| used.contains(key);
		let change = match &state {
			None => judge_inception(&place, &signed, is_used, |_, _, _| true),
			Some(state) => judge(&place, state, &signed, is_used, |_, _, _| true),
		};
		let Ok(change) = change else { continue };
		assert_eq!(change.state.head.length, head.length + 1);
		assert!(change.state.closed || !change.state.devices.is_empty(), "an open identity has a device");
		assert!(change.revoked.iter().all(|key| change.state.device(key).is_none()), "what is revoked has gone");
		assert_eq!(IdentityState::decode(&mut &change.state.encode()[..]), Ok(change.state.clone()));
		used.extend(change.added);
		state = Some(change.state);
	}
}

/// Whose KeyPackages they are.
pub const PUBLISHER: (IdentityId, IdentityKey) = (IdentityId([7; 32]), IdentityKey([8; 32]));

/// A KeyPackage, as if all signatures were good.
pub fn key_package(bytes: &[u8]) {
	let (identity, device) = PUBLISHER;
	let Ok(package) = read(bytes, &identity, &device, |_, _, _| true) else { return };
	assert_ne!(package.init_key.0, package.encryption_key);
	let shorter = bytes.get(..bytes.len().saturating_sub(1)).unwrap_or_default();
	assert!(read(shorter, &identity, &device, |_, _, _| true).is_err(), "a KeyPackage has one end");
}

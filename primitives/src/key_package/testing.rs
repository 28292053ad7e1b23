//! KeyPackages without an MLS library, right or wrong: for tests and benchmarks of what reads them.
//!
//! The bytes are put together here, field by field, by nothing that [`read`](super::read) uses. Nothing of it belongs into a
//! client.

use super::SUITE;
use crate::{EventSignature, IdentityId, IdentityKey};
use alloc::{vec, vec::Vec};

/// What a KeyPackage is made of (RFC 9420 sections 7.2 and 10).
#[derive(Clone, Debug)]
pub struct Recipe {
	/// `mls10` is 1.
	pub version: u16,
	/// The ciphersuite.
	pub suite: u16,
	/// The key to which the Welcome is encrypted.
	pub init: Vec<u8>,
	/// The key of the leaf.
	pub encryption: Vec<u8>,
	/// The key that the leaf names as its signer's.
	pub device: IdentityKey,
	/// `basic` is 1.
	pub credential_type: u16,
	/// Whom the credential names.
	pub identity: Vec<u8>,
	/// The ciphersuites that the leaf supports.
	pub suites: Vec<u16>,
	/// Extensions of the leaf, with their types.
	pub leaf_extensions: Vec<(u16, Vec<u8>)>,
	/// Extensions of the KeyPackage.
	pub extensions: Vec<(u16, Vec<u8>)>,
	/// `key_package` is 1.
	pub source: u8,
	/// Seconds of the clock, from and to.
	pub lifetime: (u64, u64),
	/// Whether the leaf is signed as one is; the whole always is.
	pub leaf_signed: bool,
}

impl Recipe {
	/// A good one; for the same device, the same number gives the same keys.
	pub fn new(identity: &IdentityId, device: &IdentityKey, number: u32) -> Self {
		let hash = |domain: &[u8]| {
			let text = [domain, device.as_ref(), &number.to_le_bytes()].concat();
			blake3::hash(&text).as_bytes().to_vec()
		};
		Self {
			version: 1,
			suite: SUITE,
			init: hash(b"init"),
			encryption: hash(b"leaf"),
			device: *device,
			credential_type: 1,
			identity: identity.0.to_vec(),
			suites: vec![SUITE],
			leaf_extensions: Vec::new(),
			extensions: Vec::new(),
			source: 1,
			lifetime: (0, u64::MAX),
			leaf_signed: true,
		}
	}

	/// In its TLS form, with the signatures that `sign` makes.
	pub fn signed(&self, sign: impl Fn(&[u8]) -> EventSignature) -> Vec<u8> {
		let leaf = [
			vector(&self.encryption),
			vector(self.device.as_ref()),
			self.credential_type.to_be_bytes().to_vec(),
			vector(&self.identity),
			numbers(&[1]),
			numbers(&self.suites),
			numbers(&[0xf10c]),
			numbers(&[]),
			numbers(&[1]),
			vec![self.source],
			self.lifetime.0.to_be_bytes().to_vec(),
			self.lifetime.1.to_be_bytes().to_vec(),
			extensions(&self.leaf_extensions),
		]
		.concat();
		// `SignWithLabel` (RFC 9420 section 5.1.2).
		let signature = |label: &[u8], text: &[u8]| {
			let content = [vector(&[b"MLS 1.0 ", label].concat()), vector(text)].concat();
			vector(sign(&content).as_ref())
		};
		let label: &[u8] = if self.leaf_signed { b"LeafNodeTBS" } else { b"another" };
		let head = [&self.version.to_be_bytes()[..], &self.suite.to_be_bytes(), &vector(&self.init)].concat();
		let text = [&head[..], &leaf, &signature(label, &leaf), &extensions(&self.extensions)].concat();
		[&text[..], &signature(b"KeyPackageTBS", &text)].concat()
	}
}

/// `opaque<V>` (RFC 9420 section 2.1.2), of less than 16 KiB.
fn vector(bytes: &[u8]) -> Vec<u8> {
	let length = match bytes.len() {
		short if short < 64 => vec![short as u8],
		long => (0x4000 | long as u16).to_be_bytes().to_vec(),
	};
	[length, bytes.to_vec()].concat()
}

fn numbers(values: &[u16]) -> Vec<u8> {
	vector(&values.iter().flat_map(|value| value.to_be_bytes()).collect::<Vec<_>>())
}

fn extensions(list: &[(u16, Vec<u8>)]) -> Vec<u8> {
	vector(&list.iter().flat_map(|(kind, data)| [&kind.to_be_bytes()[..], &vector(data)].concat()).collect::<Vec<_>>())
}

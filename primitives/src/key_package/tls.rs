//! A KeyPackage as bytes: the TLS presentation language of RFC 9420 section 2.1, with `tls_codec`.

use super::{refusal::KeyPackageRefusal as Refusal, MAX_KEY_PACKAGE};
use crate::{EventSignature, IdentityId, IdentityKey, InitKey};
use alloc::vec::Vec;
use tls_codec::{DeserializeBytes, SerializeBytes, TlsDeserializeBytes, TlsSize, VLBytes};

/// The one ciphersuite, `MLS_128_DHKEMX25519_AES128GCM_SHA256_Ed25519`.
pub const SUITE: u16 = 1;

/// `mls10` (RFC 9420 section 6).
const VERSION: u16 = 1;
/// `basic` (RFC 9420 section 5.3).
const BASIC: u16 = 1;
/// `key_package` (RFC 9420 section 7.2).
const SOURCE: u8 = 1;
/// Extensions of a leaf, and of a KeyPackage, at most.
const MAX_EXTENSIONS: usize = 16;

/// What the chain, and whoever claims, has to know of a KeyPackage.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct KeyPackage {
	/// The key to which the Welcome is encrypted, X25519.
	pub init_key: InitKey,
	/// The key of its leaf, X25519.
	pub encryption_key: [u8; 32],
}

/// The fields up to the signature (RFC 9420 section 10).
#[derive(TlsDeserializeBytes, TlsSize)]
struct Head {
	version: u16,
	suite: u16,
	init_key: VLBytes,
}

/// The fields of a leaf up to its signature (RFC 9420 section 7.2), of the one source.
#[derive(TlsDeserializeBytes, TlsSize)]
struct Leaf {
	encryption_key: VLBytes,
	signature_key: VLBytes,
	credential: Credential,
	capabilities: Capabilities,
	source: u8,
	not_before: u64,
	not_after: u64,
	extensions: Vec<Extension>,
}

/// Of the one type; of another, the identity may be read wrongly, but then it is refused.
#[derive(TlsDeserializeBytes, TlsSize)]
struct Credential {
	kind: u16,
	identity: VLBytes,
}

#[derive(TlsDeserializeBytes, TlsSize)]
struct Capabilities {
	versions: Vec<u16>,
	suites: Vec<u16>,
	extensions: Vec<u16>,
	proposals: Vec<u16>,
	credentials: Vec<u16>,
}

#[derive(TlsDeserializeBytes, TlsSize)]
struct Extension {
	kind: u16,
	data: VLBytes,
}

/// Reads a KeyPackage that a device of an identity publishes, and checks it. `verify` says whether an Ed25519 signature of a
/// key verifies, by ZIP 215.
///
/// # Errors
/// [`Refusal`]; cheap checks come first.
pub fn read(
	bytes: &[u8],
	identity: &IdentityId,
	device: &IdentityKey,
	verify: impl Fn(&IdentityKey, &[u8], &EventSignature) -> bool,
) -> Result<KeyPackage, Refusal> {
	if bytes.len() > MAX_KEY_PACKAGE as usize {
		return Err(Refusal::Malformed);
	}
	let (Head { version, suite, init_key }, rest) = part::<Head>(bytes)?;
	if version != VERSION || suite != SUITE {
		return Err(Refusal::Suite);
	}
	let (leaf, after) = part::<Leaf>(rest)?;
	let leaf_text = before(rest, after)?;
	let (leaf_signature, rest) = part::<VLBytes>(after)?;
	let (extensions, after) = part::<Vec<Extension>>(rest)?;
	let text = before(bytes, after)?;
	let (signature, end) = part::<VLBytes>(after)?;
	if !end.is_empty() || leaf.source != SOURCE {
		return Err(Refusal::Malformed);
	}
	let capabilities = &leaf.capabilities;
	let speaks = capabilities.versions.contains(&VERSION)
		&& capabilities.suites.contains(&SUITE)
		&& capabilities.credentials.contains(&BASIC)
		&& all_different(&leaf.extensions)
		&& all_different(&extensions)
		&& leaf
			.extensions
			.iter()
			.all(|extension| is_default(extension.kind) || capabilities.extensions.contains(&extension.kind));
	if !speaks {
		return Err(Refusal::Malformed);
	}
	if leaf.credential.kind != BASIC || leaf.credential.identity.as_slice() != identity.as_bytes() {
		return Err(Refusal::WrongCredential);
	}
	if leaf.signature_key.as_slice() != device.as_bytes() {
		return Err(Refusal::WrongDevice);
	}
	let init_key: [u8; 32] = init_key.as_slice().try_into().map_err(|_| Refusal::Malformed)?;
	let encryption_key: [u8; 32] = leaf.encryption_key.as_slice().try_into().map_err(|_| Refusal::Malformed)?;
	if init_key == encryption_key {
		return Err(Refusal::SameKey);
	}
	let signed = |label: &[u8], text: &[u8], signature: VLBytes| {
		let signature: [u8; 64] = signature.as_slice().try_into().map_err(|_| Refusal::BadSignature)?;
		// `SignContent` (RFC 9420 section 5.1.2).
		let content = [vector(&[b"MLS 1.0 ", label].concat())?, vector(text)?].concat();
		if verify(device, &content, &EventSignature(signature)) {
			Ok(())
		} else {
			Err(Refusal::BadSignature)
		}
	};
	signed(b"LeafNodeTBS", leaf_text, leaf_signature)?;
	signed(b"KeyPackageTBS", text, signature)?;
	Ok(KeyPackage { init_key: InitKey(init_key), encryption_key })
}

/// Reads what comes next, and gives what comes after it.
fn part<T: DeserializeBytes>(bytes: &[u8]) -> Result<(T, &[u8]), Refusal> {
	T::tls_deserialize_bytes(bytes).map_err(|_| Refusal::Malformed)
}

/// `opaque<V>` (RFC 9420 section 2.1.2).
fn vector(bytes: &[u8]) -> Result<Vec<u8>, Refusal> {
	VLBytes::from(bytes).tls_serialize_bytes().map_err(|_| Refusal::Malformed)
}

/// What was read until `rest` was left.
fn before<'a>(bytes: &'a [u8], rest: &[u8]) -> Result<&'a [u8], Refusal> {
	let length = bytes.len().checked_sub(rest.len()).ok_or(Refusal::Malformed)?;
	bytes.get(..length).ok_or(Refusal::Malformed)
}

/// The extensions of RFC 9420 section 7.2 that every client knows and none lists.
fn is_default(kind: u16) -> bool {
	(1..=5).contains(&kind)
}

/// RFC 9420 section 13.4; and not too many.
fn all_different(extensions: &[Extension]) -> bool {
	if extensions.len() > MAX_EXTENSIONS {
		return false;
	}
	let earlier = |at: usize| extensions.get(..at).unwrap_or_default();
	extensions.iter().enumerate().all(|(at, one)| earlier(at).iter().all(|other| other.kind != one.kind))
}

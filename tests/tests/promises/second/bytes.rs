//! Bundles (section 3.2), and what of a KeyPackage mls-rs does not show.

use lockstep_tests::Result;
use mls_rs::{mls_rs_codec::MlsDecode, MlsMessage, WireFormat};

use crate::person::broken;

const VERSION: u8 = 1;

/// A variable-length vector (RFC 9420 section 2.1.2).
fn vector(bytes: &[u8]) -> Vec<u8> {
	let length = u32::try_from(bytes.len()).expect("a commit is short");
	let mut vector = match length {
		0..=0x3f => vec![length as u8],
		0x40..=0x3fff => (length as u16 | 0x4000).to_be_bytes().to_vec(),
		_ => (length | 0x8000_0000).to_be_bytes().to_vec(),
	};
	vector.extend(bytes);
	vector
}

/// The next such vector, its length in as few bytes as it takes.
fn take_vector<'a>(bytes: &mut &'a [u8]) -> Option<&'a [u8]> {
	let first = *bytes.first()?;
	let (size, least) = match first >> 6 {
		0 => (1, 0),
		1 => (2, 0x40),
		2 => (4, 0x4000),
		_ => return None,
	};
	let (head, rest) = bytes.split_at_checked(size)?;
	let length =
		head.iter().fold(0_usize, |length, byte| length << 8 | usize::from(*byte)) & ((1 << (8 * size - 2)) - 1);
	let (content, rest) = rest.split_at_checked(length)?;
	*bytes = rest;
	(length >= least).then_some(content)
}

fn take<'a>(bytes: &mut &'a [u8], count: usize) -> Option<&'a [u8]> {
	let (taken, rest) = bytes.split_at_checked(count)?;
	*bytes = rest;
	Some(taken)
}

/// `version | proposals: MLSMessage<V> | commit: MLSMessage`.
pub fn bundle(proposals: &[Vec<u8>], commit: &[u8]) -> Vec<u8> {
	[&[VERSION][..], &vector(&proposals.concat()), commit].concat()
}

/// The proposals and the commit of a bundle, all of them PublicMessages, if it is one.
pub fn unbundle(bytes: &[u8]) -> Option<(Vec<MlsMessage>, MlsMessage)> {
	let (&version, mut rest) = bytes.split_first()?;
	let mut listed = take_vector(&mut rest).filter(|_| version == VERSION)?;
	let mut proposals = Vec::new();
	while !listed.is_empty() {
		proposals.push(MlsMessage::mls_decode(&mut listed).ok()?);
	}
	let commit = MlsMessage::mls_decode(&mut rest).ok()?;
	let public = |message: &MlsMessage| message.wire_format() == WireFormat::PublicMessage;
	(rest.is_empty() && public(&commit) && proposals.iter().all(public)).then_some((proposals, commit))
}

/// A KeyPackage as an MLSMessage: the directory has it without that frame.
pub fn key_package_message(package: &[u8]) -> Result<MlsMessage> {
	MlsMessage::from_bytes(&[&[0, 1, 0, 5][..], package].concat()).map_err(broken)
}

/// Whether a KeyPackage has the one lifetime (section 7).
pub fn lasts_for_ever(package: &[u8]) -> bool {
	/// `not_before` and `not_after`, after the source of the leaf.
	const LIFETIME: [u8; 17] = [1, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff];
	let lifetime = |mut rest: &[u8]| -> Option<bool> {
		// version and suite; init key; the leaf's two keys; the type and the content of its credential; its capabilities
		take(&mut rest, 4)?;
		for _ in 0..3 {
			take_vector(&mut rest)?;
		}
		take(&mut rest, 2)?;
		for _ in 0..6 {
			take_vector(&mut rest)?;
		}
		Some(take(&mut rest, LIFETIME.len())? == LIFETIME)
	};
	lifetime(package).unwrap_or(false)
}

#[test]
fn vectors_have_their_lengths_in_as_few_bytes_as_it_takes() {
	for length in [0, 63, 64, 16_383, 16_384] {
		let content = vec![7; length];
		let encoded = vector(&content);
		assert_eq!(take_vector(&mut &encoded[..]), Some(&content[..]));
	}
	assert_eq!(take_vector(&mut &[0x40, 1, 9][..]), None, "two bytes for what fits into one");
}

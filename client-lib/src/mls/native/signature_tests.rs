//! Which signatures are valid: what is surely valid is valid by RustCrypto, and the provider says what RustCrypto says.

use super::*;
use crate::mls::crypto::Crypto;
use aws_lc_rs::digest::SHA512;
use curve25519_dalek::{constants::EIGHT_TORSION, traits::IsIdentity, EdwardsPoint, Scalar};
use ed25519_dalek::VerifyingKey;
use openmls_rust_crypto::RustCrypto;
use openmls_traits::{crypto::OpenMlsCrypto, types::SignatureScheme::ED25519 as SCHEME};
use proptest::{collection::vec, prelude::*};

/// The order of the base point, which may be added to the second half of a signature.
const ORDER: [u8; 32] = [
	0xed, 0xd3, 0xf5, 0x5c, 0x1a, 0x63, 0x12, 0x58, 0xd6, 0x9c, 0xf7, 0xa2, 0xde, 0xf9, 0xde, 0x14, 0, 0, 0, 0, 0, 0,
	0, 0, 0, 0, 0, 0, 0, 0, 0, 0x10,
];

/// What each says of a signature.
#[derive(Debug, PartialEq, Eq)]
struct Said {
	rust_crypto: bool,
	aws_lc: bool,
	surely: bool,
}

fn said(key: &[u8], text: &[u8], signature: &[u8]) -> Said {
	let rust_crypto = RustCrypto::default().verify_signature(SCHEME, text, key, signature);
	let ours = Crypto::default().verify_signature(SCHEME, text, key, signature);
	assert_eq!(ours, rust_crypto, "{key:02x?} {signature:02x?}");
	let surely = is_surely_valid(key, text, signature);
	assert!(rust_crypto.is_ok() || !surely, "{key:02x?} {signature:02x?}");
	let aws_lc = UnparsedPublicKey::new(&ED25519, key).verify(text, signature).is_ok();
	Said { rust_crypto: rust_crypto.is_ok(), aws_lc, surely }
}

const VALID: Said = Said { rust_crypto: true, aws_lc: true, surely: true };

/// Sums, byte by byte.
fn plus(left: &[u8], right: &[u8]) -> Vec<u8> {
	let mut carry = 0;
	let sum = left.iter().zip(right).map(|(left, right)| {
		let sum = u16::from(*left) + u16::from(*right) + carry;
		carry = sum >> 8;
		sum.to_le_bytes()[0]
	});
	sum.collect()
}

proptest! {
	#[test]
	fn random_signatures_are_valid_as_with_rust_crypto(
		seed: [u8; 32],
		text in vec(any::<u8>(), 0..300),
		at in 0..64_usize,
		by in 1..=u8::MAX,
	) {
		let key = SigningKey::from_bytes(&seed);
		let signature = key.sign(&text).to_bytes();
		let key = key.verifying_key().to_bytes();
		prop_assert_eq!(said(&key, &text, &signature), VALID);
		let mut other = signature;
		other[at] ^= by;
		prop_assert!(!said(&key, &text, &other).rust_crypto);
		let mut other_key = key;
		other_key[at % 32] ^= by;
		prop_assert!(!said(&other_key, &text, &signature).rust_crypto);
		prop_assert!(!said(&key, &[&text[..], b"."].concat(), &signature).rust_crypto);
		prop_assert!(!said(&key, &text, &signature[..at]).rust_crypto);
		prop_assert!(!said(&key[..at % 32], &text, &signature).rust_crypto);
		let longer = [&signature[..32], &plus(&signature[32..], &ORDER)].concat();
		prop_assert!(!said(&key, &text, &longer).rust_crypto);
	}

	#[test]
	fn random_bytes_are_as_with_rust_crypto(key: [u8; 32], text in vec(any::<u8>(), 0..50), signature in vec(any::<u8>(), 60..68)) {
		said(&key, &text, &signature);
	}
}

/// A signature that fits its equation, of a key and with a commitment to which points of small order were added. With a scalar
/// of zero nothing but that point is left: anybody could have signed.
fn forge(
	secret: Scalar,
	nonce: Scalar,
	key_has: EdwardsPoint,
	commitment_has: EdwardsPoint,
) -> Option<([u8; 32], Vec<u8>, [u8; 64])> {
	let key = (EdwardsPoint::mul_base(&secret) + key_has).compress().to_bytes();
	let commitment = (EdwardsPoint::mul_base(&nonce) + commitment_has).compress().to_bytes();
	(0..200_u8).find_map(|number| {
		let text = vec![number];
		let hash = digest(&SHA512, &[&commitment[..], &key, &text].concat());
		let hash = Scalar::from_bytes_mod_order_wide(hash.as_ref().try_into().unwrap());
		(commitment_has + hash * key_has).is_identity().then(|| {
			let answer = (nonce + hash * secret).to_bytes();
			(key, text, [commitment, answer].concat().try_into().unwrap())
		})
	})
}

#[test]
fn points_of_small_order_are_as_with_rust_crypto() {
	let some = [Scalar::from(7_u8), Scalar::from(1_000_003_u32)];
	let (mut valid, mut refused) = (0, 0);
	for (key_has, commitment_has) in EIGHT_TORSION.iter().flat_map(|key| EIGHT_TORSION.map(|point| (*key, point))) {
		for (secret, nonce) in
			[(some[0], some[1]), (Scalar::ZERO, some[1]), (some[0], Scalar::ZERO), (Scalar::ZERO, Scalar::ZERO)]
		{
			// For some pairs there is none.
			let Some((key, text, signature)) = forge(secret, nonce, key_has, commitment_has) else { continue };
			let is_small = secret == Scalar::ZERO || nonce == Scalar::ZERO;
			let Said { rust_crypto, aws_lc, surely } = said(&key, &text, &signature);
			assert!(aws_lc, "the equation fits: without another look it would be taken");
			assert_eq!((rust_crypto, surely), (!is_small, !is_small), "{key_has:?} {commitment_has:?}");
			*(if is_small { &mut refused } else { &mut valid }) += 1;
		}
	}
	assert!(valid > 20 && refused > 60, "{valid} {refused}");
}

/// All eight, and the ways to write them that are not the one they should have.
#[test]
fn the_points_of_small_order_are_all_of_them() {
	let torsion = EIGHT_TORSION.map(|point| point.compress().to_bytes());
	assert!(torsion.iter().all(is_of_small_order));
	let signs = |y: [u8; 32]| [0, 0x80].map(|sign| std::array::from_fn(|at| y[at] | if at == 31 { sign } else { 0 }));
	for point in SMALL_ORDER.into_iter().flat_map(signs) {
		let is_weak = VerifyingKey::from_bytes(&point).map_or(true, |key| key.is_weak());
		assert!(is_of_small_order(&point) && is_weak, "{point:02x?}");
	}
	// What is not below the prime is written in two ways.
	for low in 0xed..=0xff {
		for point in signs(ends(low, 0xff, 0x7f)) {
			let is_weak = VerifyingKey::from_bytes(&point).is_ok_and(|key| key.is_weak());
			assert!(is_of_small_order(&point) || !is_weak, "{point:02x?}");
			said(&point, b"text", &[7; 64]);
		}
	}
	assert!(!is_of_small_order(&SigningKey::from_bytes(&[1; 32]).verifying_key().to_bytes()));
}

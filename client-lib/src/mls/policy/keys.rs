//! HPKE keys that come into the tree: something must be encryptable to each of them.

use super::PolicyError;

/// Length of an X25519 public key (RFC 9180 section 7.1).
const LENGTH: usize = 32;

/// The encodings, with the highest bit cleared, of the points of low order on Curve25519 and its twist (RFC 7748
/// section 7): 0, 1, the two of order 8, and -1, 0 and 1 modulo 2^255-19 without being reduced.
const LOW_ORDER: [[u8; LENGTH]; 7] = [
	[0; LENGTH],
	small(1),
	[
		0xe0, 0xeb, 0x7a, 0x7c, 0x3b, 0x41, 0xb8, 0xae, 0x16, 0x56, 0xe3, 0xfa, 0xf1, 0x9f, 0xc4, 0x6a, 0xda, 0x09,
		0x8d, 0xeb, 0x9c, 0x32, 0xb1, 0xfd, 0x86, 0x62, 0x05, 0x16, 0x5f, 0x49, 0xb8, 0x00,
	],
	[
		0x5f, 0x9c, 0x95, 0xbc, 0xa3, 0x50, 0x8c, 0x24, 0xb1, 0xd0, 0xb1, 0x55, 0x9c, 0x83, 0xef, 0x5b, 0x04, 0x44,
		0x5c, 0xc4, 0x58, 0x1c, 0x8e, 0x86, 0xd8, 0x22, 0x4e, 0xdd, 0xd0, 0x9f, 0x11, 0x57,
	],
	below_two_to_255(0xec),
	below_two_to_255(0xed),
	below_two_to_255(0xee),
];

const fn small(value: u8) -> [u8; LENGTH] {
	let mut key = [0; LENGTH];
	key[0] = value;
	key
}

/// A number of 255 bits that are all one, but for those of the lowest byte.
const fn below_two_to_255(lowest: u8) -> [u8; LENGTH] {
	let mut key = [0xff; LENGTH];
	key[0] = lowest;
	key[LENGTH - 1] = 0x7f;
	key
}

/// Checks that something can be encrypted to an HPKE key.
///
/// MLS does not: a leaf or path with a key of the wrong length, or of low order, is accepted, and from then on every
/// member fails to make a commit, because its path has to be encrypted to that key, and HPKE refuses a shared secret
/// of zeros (RFC 9180 section 7.1.4). One member could so stop a group.
///
/// A private key is a multiple of 8 below 2^255, and not one of the large prime orders of curve and twist: the shared
/// secret is zero for the points whose order divides 8, and for no others, whatever the private key. So the key alone
/// decides, and it need not be tried.
pub(in crate::mls) fn check_key(key: &[u8]) -> Result<(), PolicyError> {
	let mut key: [u8; LENGTH] = key.try_into().map_err(|_| PolicyError::UselessKey)?;
	// The highest bit says nothing (RFC 7748 section 5).
	if let Some(highest) = key.last_mut() {
		*highest &= 0x7f;
	}
	if LOW_ORDER.contains(&key) {
		return Err(PolicyError::UselessKey);
	}
	Ok(())
}

#[cfg(test)]
mod tests {
	use super::*;
	use crate::mls::constants::CIPHERSUITE;
	use openmls_rust_crypto::RustCrypto;
	use openmls_traits::{crypto::OpenMlsCrypto, types::HpkeKemType};
	use proptest::prelude::*;

	/// What the rule is for: encrypting to the key.
	fn can_be_encrypted_to(key: &[u8]) -> bool {
		RustCrypto::default().hpke_seal(CIPHERSUITE.hpke_config(), key, &[], &[], &[]).is_ok()
	}

	fn agrees(key: &[u8]) -> bool {
		assert_eq!(check_key(key).is_ok(), can_be_encrypted_to(key), "{}", hex::encode(key));
		check_key(key).is_ok()
	}

	#[test]
	fn the_suite_is_one_of_curve25519() {
		assert_eq!(CIPHERSUITE.hpke_config().0, HpkeKemType::DhKem25519);
	}

	#[test]
	fn keys_of_low_order_are_refused() {
		for key in LOW_ORDER {
			for highest in [0, 0x80] {
				let mut key = key;
				key[LENGTH - 1] |= highest;
				assert!(!agrees(&key));
			}
		}
	}

	#[test]
	fn the_neighbours_of_keys_of_low_order_are_taken() {
		for low in LOW_ORDER {
			for (byte, bit) in (0..LENGTH).flat_map(|byte| (0..8).map(move |bit| (byte, bit))) {
				let mut key = low;
				key[byte] ^= 1 << bit;
				agrees(&key);
			}
		}
		// All numbers that are not reduced, and as many above 0.
		for lowest in 0..=u8::MAX {
			agrees(&below_two_to_255(lowest));
			agrees(&small(lowest));
		}
	}

	#[test]
	fn other_lengths_are_refused() {
		for length in (0..LENGTH).chain([LENGTH + 1, 2 * LENGTH]) {
			assert!(!agrees(&vec![9; length]));
		}
	}

	proptest! {
		#[test]
		fn any_other_key_is_taken(key: [u8; LENGTH]) {
			prop_assert!(agrees(&key));
		}
	}
}

//! Two members, one with RustCrypto alone, must not come to different verdicts: whatever goes in, both give the same.

use super::*;
use crate::mls::constants::CIPHERSUITE;
use openmls_rust_crypto::RustCrypto;
use openmls_traits::crypto::OpenMlsCrypto;
use proptest::prelude::*;

const KEM: KemAlgorithm = KemAlgorithm::DhKem25519;

fn config() -> HpkeConfig {
	CIPHERSUITE.hpke_config()
}

/// Points of small order, and such as are not written as they should be (RFC 7748 section 5 takes both).
fn odd_points() -> Vec<[u8; 32]> {
	let hex = [
		"0000000000000000000000000000000000000000000000000000000000000000",
		"0100000000000000000000000000000000000000000000000000000000000000",
		"e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800",
		"5f9c95bca3508c24b1d0b1559c83ef5b04445cc4581c8e86d8224eddd09f1157",
		"ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
		"edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
		"eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
		"efffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
		"ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
		"ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff",
		"0900000000000000000000000000000000000000000000000000000000000080",
	];
	hex.iter().map(|point| hex::decode(point).unwrap().try_into().unwrap()).collect()
}

/// Those of RFC 7748 section 5.2.
#[test]
fn it_is_x25519() {
	let vectors = [
		(
			"a546e36bf0527c9d3b16154b82465edd62144c0ac1fc5a18506a2244ba449ac4",
			"e6db6867583030db3594c1a424b15f7c726624ec26b3353b10a903a6d0ab1c4c",
			"c3da55379de9c6908e94ea4df28d084f32eccf03491c71f754b4075577a28552",
		),
		(
			"4b66e9d4d1b4673c5ad22691957d6af5c11b6421e0ea01d42ca4169e7918ba0d",
			"e5210f12786811d3f4b7959d0538ae2c31dbe7106fc03c3efc4cd549c715a493",
			"95cbde9476e8907d7aade45cb4b873f88b595a68799fa152e6f8f7647aac7957",
		),
	];
	for (private, public, shared) in vectors {
		let [private, public, shared] = [private, public, shared].map(|text| hex::decode(text).unwrap());
		assert_eq!(Mixed::dh(KEM, &public, &private).unwrap(), shared);
	}
}

fn same(public: &[u8], private: &[u8]) -> Result<(), TestCaseError> {
	prop_assert_eq!(Mixed::dh(KEM, public, private).ok(), HpkeRustCrypto::dh(KEM, public, private).ok());
	prop_assert_eq!(Mixed::secret_to_public(KEM, private).ok(), HpkeRustCrypto::secret_to_public(KEM, private).ok());
	Ok(())
}

proptest! {
	#[test]
	fn the_same_keys_agree_on_the_same_secret(public: [u8; 32], private: [u8; 32]) {
		same(&public, &private)?;
	}

	#[test]
	fn points_of_small_order_are_refused_alike(private: [u8; 32]) {
		for public in odd_points() {
			same(&public, &private)?;
		}
	}

	#[test]
	fn keys_of_any_length_are_taken_alike(public: Vec<u8>, private: Vec<u8>) {
		same(&public, &private)?;
	}

	#[test]
	fn the_same_material_gives_the_same_key_pair(ikm: Vec<u8>) {
		let system = RustCrypto::default();
		match (derive_key_pair(&ikm), system.derive_hpke_keypair(config(), &ikm)) {
			(Ok(ours), Ok(theirs)) => {
				prop_assert_eq!(ours.public, theirs.public);
				prop_assert_eq!(&*ours.private, &*theirs.private);
			}
			(ours, theirs) => prop_assert_eq!(ours.err(), theirs.err()),
		}
	}

	#[test]
	fn what_one_seals_the_other_opens(ikm: [u8; 32], info: Vec<u8>, aad: Vec<u8>, plain: Vec<u8>, bit in 0usize..256) {
		let system = RustCrypto::default();
		let HpkeKeyPair { private, public } = derive_key_pair(&ikm).unwrap();
		let ours = seal(&public, &info, &aad, &plain).unwrap();
		let theirs = system.hpke_seal(config(), &public, &info, &aad, &plain).unwrap();
		prop_assert_eq!(system.hpke_open(config(), &ours, &private, &info, &aad).unwrap(), plain.clone());
		prop_assert_eq!(open(&theirs, &private, &info, &aad).unwrap(), plain);
		// And neither opens what was changed: the topmost bit is not part of a point.
		let mut changed = theirs.kem_output.as_slice().to_vec();
		changed[bit / 8] ^= 1 << (bit % 8);
		let changed = HpkeCiphertext { kem_output: changed.into(), ..theirs };
		let (ours, theirs) = (open(&changed, &private, &info, &aad), system.hpke_open(config(), &changed, &private, &info, &aad));
		prop_assert_eq!(ours, theirs);
	}
}

#[test]
fn it_is_the_one_suites() {
	assert!(is_ours(&config()));
	assert!(!is_ours(&HpkeConfig(HpkeKemType::DhKemP256, HpkeKdfType::HkdfSha256, HpkeAeadType::AesGcm128)));
}

#[test]
fn errors_are_the_same() {
	let system = RustCrypto::default();
	let mut keys: Vec<Vec<u8>> = odd_points().iter().map(|point| point.to_vec()).collect();
	keys.extend([vec![], vec![9; 31], vec![9; 33]]);
	for key in keys {
		let (ours, theirs) = (seal(&key, b"", b"", b""), system.hpke_seal(config(), &key, b"", b"", b""));
		assert_eq!(ours.err(), theirs.err(), "{}", hex::encode(key));
	}
}

fn nothing_is_kept() -> bool {
	EPHEMERAL.with_borrow(Option::is_none)
}

fn one_is_kept() -> bool {
	EPHEMERAL.with_borrow(|kept| kept.as_ref().is_some_and(|Ephemeral(key)| key.is_some()))
}

#[test]
fn no_key_but_the_ephemeral_one_is_kept_and_that_for_one_text() {
	let (mine, other, theirs) = ([1; 32], [2; 32], Mixed::secret_to_public(KEM, &[3; 32]).unwrap());
	assert!(nothing_is_kept());
	let shared = |private: &[u8; 32]| HpkeRustCrypto::dh(KEM, &theirs, private).unwrap();
	{
		let _kept = Kept::begin();
		Mixed::secret_to_public(KEM, &mine).unwrap();
		assert_eq!(Mixed::dh(KEM, &theirs, &other).unwrap(), shared(&other), "of another key");
		assert!(Kept::take(&mine).is_none(), "it was for what comes next");
		Mixed::secret_to_public(KEM, &mine).unwrap();
		assert!(one_is_kept());
		assert_eq!(Mixed::dh(KEM, &theirs, &mine).unwrap(), shared(&mine));
		assert!(!one_is_kept(), "it was used");
		Mixed::secret_to_public(KEM, &mine).unwrap();
	}
	assert!(nothing_is_kept());
	for key in [&theirs[..], &[0; 32], b"short"] {
		let sealed = seal(key, b"", b"", b"text");
		assert_eq!(sealed.is_ok(), key == theirs);
		assert!(nothing_is_kept());
	}
}

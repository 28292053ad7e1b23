//! Where things are in the chain's state, pinned.
//!
//! A key is `twox_128(pallet) | twox_128(item)`, and for an entry of a map the hashed key after that. The constants
//! are compared in tests with what `sp-crypto-hashing` computes. A runtime upgrade may move things: each read
//! therefore includes the ordering pallet's storage version, and a version that is not known stops the client rather
//! than let it read what it does not understand.

use crate::{
	bytes::{Malformed, Reader},
	crypto::{blake2_128, blake2_256},
};
use alloc::{string::String, vec::Vec};
use codec::{Decode, DecodeAll};
use lockstep_primitives::{
	identity::IdentityState,
	key_package::{Claimed, Gate, Stock},
	BlockNumber, GroupId, GroupState, IdentityId, IdentityKey, InitKey, LogHead, VoucherKey,
};

/// `Grandpa::Authorities`: SCALE `Vec<(AuthorityId, u64)>`.
pub const GRANDPA_AUTHORITIES: [u8; 32] = [
	0x5f, 0x9c, 0xc4, 0x5b, 0x7a, 0x00, 0xc5, 0x89, 0x93, 0x61, 0xe1, 0xc6, 0x09, 0x96, 0x78, 0xdc, //
	0x5e, 0x06, 0x21, 0xc4, 0x86, 0x9a, 0xa6, 0x0c, 0x02, 0xbe, 0x9a, 0xdc, 0xc9, 0x8a, 0x0d, 0x1d,
];

/// The storage version of the ordering pallet: `u16`.
pub const ORDERING_STORAGE_VERSION: [u8; 32] = [
	0x7a, 0xc4, 0x86, 0x50, 0xfc, 0xdc, 0x65, 0x1a, 0x24, 0x0c, 0xb0, 0xc8, 0x29, 0x04, 0xe3, 0x9b, //
	0x4e, 0x7b, 0x90, 0x12, 0x09, 0x6b, 0x41, 0xc4, 0xeb, 0x3a, 0xaf, 0x94, 0x7f, 0x6e, 0xa4, 0x29,
];

/// `System::LastRuntimeUpgrade`: SCALE `{ spec_version: Compact<u32>, spec_name: String }`.
pub const LAST_RUNTIME_UPGRADE: [u8; 32] = [
	0x26, 0xaa, 0x39, 0x4e, 0xea, 0x56, 0x30, 0xe0, 0x7c, 0x48, 0xae, 0x0c, 0x95, 0x58, 0xce, 0xf7, //
	0xf9, 0xcc, 0xe9, 0xc8, 0x88, 0x46, 0x9b, 0xb1, 0xa0, 0xdc, 0xea, 0xa1, 0x29, 0x67, 0x2e, 0xf8,
];

/// What every read includes: first the layout's version, since under another one the rest means something else, then
/// the runtime.
pub const PINNED: [[u8; 32]; 2] = [ORDERING_STORAGE_VERSION, LAST_RUNTIME_UPGRADE];

/// The storage version of the directory pallet: `u16`.
pub const DIRECTORY_STORAGE_VERSION: [u8; 32] = [
	0xdc, 0xb7, 0x09, 0x9d, 0xca, 0x57, 0xcd, 0xb0, 0xa3, 0xb1, 0x55, 0xe1, 0xdb, 0x61, 0x6a, 0xbb, //
	0x4e, 0x7b, 0x90, 0x12, 0x09, 0x6b, 0x41, 0xc4, 0xeb, 0x3a, 0xaf, 0x94, 0x7f, 0x6e, 0xa4, 0x29,
];

/// What every read of an identity includes, as [`PINNED`] does.
pub const DIRECTORY_PINNED: [[u8; 32]; 2] = [DIRECTORY_STORAGE_VERSION, LAST_RUNTIME_UPGRADE];

/// `Directory::Identities`, a map with `Blake2_128Concat` keys.
const DIRECTORY_IDENTITIES: [u8; 32] = [
	0xdc, 0xb7, 0x09, 0x9d, 0xca, 0x57, 0xcd, 0xb0, 0xa3, 0xb1, 0x55, 0xe1, 0xdb, 0x61, 0x6a, 0xbb, //
	0x18, 0x37, 0x3f, 0x80, 0xb4, 0xa9, 0x49, 0x50, 0xc1, 0xf9, 0x98, 0x40, 0xfd, 0x08, 0x3e, 0x68,
];

/// `Directory::Ended`, a map with `Blake2_128Concat` keys.
const DIRECTORY_ENDED: [u8; 32] = [
	0xdc, 0xb7, 0x09, 0x9d, 0xca, 0x57, 0xcd, 0xb0, 0xa3, 0xb1, 0x55, 0xe1, 0xdb, 0x61, 0x6a, 0xbb, //
	0x88, 0xbc, 0x74, 0xeb, 0xbb, 0xfe, 0x46, 0x82, 0x37, 0xfc, 0xb5, 0xea, 0xf2, 0x6a, 0xf2, 0x1c,
];

/// The storage version of the pallet of KeyPackages: `u16`.
pub const KEY_PACKAGES_STORAGE_VERSION: [u8; 32] = [
	0x2f, 0x27, 0x2e, 0x3b, 0x6e, 0x41, 0x17, 0xd8, 0x06, 0x0b, 0xd6, 0x48, 0xbc, 0x8e, 0x36, 0x68, //
	0x4e, 0x7b, 0x90, 0x12, 0x09, 0x6b, 0x41, 0xc4, 0xeb, 0x3a, 0xaf, 0x94, 0x7f, 0x6e, 0xa4, 0x29,
];

/// What every read of KeyPackages includes, as [`PINNED`] does.
pub const KEY_PACKAGES_PINNED: [[u8; 32]; 2] = [KEY_PACKAGES_STORAGE_VERSION, LAST_RUNTIME_UPGRADE];

/// `KeyPackages::Stocks`, a map with `Blake2_128Concat` keys.
const STOCKS: [u8; 32] = [
	0x2f, 0x27, 0x2e, 0x3b, 0x6e, 0x41, 0x17, 0xd8, 0x06, 0x0b, 0xd6, 0x48, 0xbc, 0x8e, 0x36, 0x68, //
	0x51, 0xa9, 0xee, 0x98, 0x55, 0xff, 0x4e, 0x90, 0xfe, 0x07, 0x78, 0x14, 0x47, 0x86, 0x21, 0xb2,
];

/// `KeyPackages::Gates`, a map with `Blake2_128Concat` keys.
const GATES: [u8; 32] = [
	0x2f, 0x27, 0x2e, 0x3b, 0x6e, 0x41, 0x17, 0xd8, 0x06, 0x0b, 0xd6, 0x48, 0xbc, 0x8e, 0x36, 0x68, //
	0xe0, 0x38, 0x53, 0x3d, 0x7b, 0x4d, 0xb9, 0x82, 0x2f, 0x9c, 0xf4, 0x5a, 0xe6, 0x7f, 0xcc, 0xf8,
];

/// `KeyPackages::InitKeys`, a map with `Blake2_256` keys.
const INIT_KEYS: [u8; 32] = [
	0x2f, 0x27, 0x2e, 0x3b, 0x6e, 0x41, 0x17, 0xd8, 0x06, 0x0b, 0xd6, 0x48, 0xbc, 0x8e, 0x36, 0x68, //
	0x4e, 0xa5, 0x05, 0xc3, 0x6a, 0xd1, 0x24, 0xa7, 0xe6, 0x39, 0x6f, 0x2b, 0x49, 0x26, 0xcf, 0x28,
];

/// `KeyPackages::Claims`, a map with `Blake2_128Concat` keys.
const CLAIMS: [u8; 32] = [
	0x2f, 0x27, 0x2e, 0x3b, 0x6e, 0x41, 0x17, 0xd8, 0x06, 0x0b, 0xd6, 0x48, 0xbc, 0x8e, 0x36, 0x68, //
	0x9c, 0x5d, 0x79, 0x5d, 0x02, 0x97, 0xbe, 0x56, 0x02, 0x7a, 0x4b, 0x24, 0x64, 0xe3, 0x33, 0x97,
];

/// `Ordering::Groups`, a map with `Blake2_128Concat` keys.
const ORDERING_GROUPS: [u8; 32] = [
	0x7a, 0xc4, 0x86, 0x50, 0xfc, 0xdc, 0x65, 0x1a, 0x24, 0x0c, 0xb0, 0xc8, 0x29, 0x04, 0xe3, 0x9b, //
	0x2f, 0x58, 0x34, 0x24, 0x86, 0x5f, 0x23, 0x46, 0xc0, 0xf5, 0xc0, 0x66, 0xf2, 0x4d, 0xd4, 0x99,
];

/// The storage version of each of the pallets that this library reads.
pub const KNOWN_STORAGE_VERSION: u16 = 1;

/// The name of the runtimes that this library reads.
pub const KNOWN_SPEC_NAME: &str = "lockstep";

/// The key of a group's record: `prefix | blake2_128(group) | group`.
pub fn group_key(group: &GroupId) -> Vec<u8> {
	[&ORDERING_GROUPS[..], &blake2_128(group.as_bytes()), group.as_bytes()].concat()
}

/// The key of an identity's record: `prefix | blake2_128(identity) | identity`.
pub fn identity_key(identity: &IdentityId) -> Vec<u8> {
	[&DIRECTORY_IDENTITIES[..], &blake2_128(identity.as_bytes()), identity.as_bytes()].concat()
}

/// The key of what is left of an identity that has ended.
pub fn ended_key(identity: &IdentityId) -> Vec<u8> {
	[&DIRECTORY_ENDED[..], &blake2_128(identity.as_bytes()), identity.as_bytes()].concat()
}

/// The key of what the chain knows of a device's KeyPackages.
pub fn stock_key(device: &IdentityKey) -> Vec<u8> {
	[&STOCKS[..], &blake2_128(device.as_bytes()), device.as_bytes()].concat()
}

/// The key of an init key that a device of a person has published: `prefix | blake2_256(identity | init key)`.
pub fn init_key_key(identity: &IdentityId, init_key: &InitKey) -> Vec<u8> {
	let named = [&identity.as_bytes()[..], init_key.as_bytes()].concat();
	[&INIT_KEYS[..], &blake2_256(&named)].concat()
}

/// The key of a person's gate.
pub fn gate_key(identity: &IdentityId) -> Vec<u8> {
	[&GATES[..], &blake2_128(identity.as_bytes()), identity.as_bytes()].concat()
}

/// The key of what a claim got, by the key of its voucher.
pub fn claim_key(voucher: &VoucherKey) -> Vec<u8> {
	[&CLAIMS[..], &blake2_128(voucher.as_bytes()), voucher.as_bytes()].concat()
}

/// The runtime of a block.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RuntimeVersion {
	/// Grows with each upgrade.
	pub spec_version: u32,
	/// Always [`KNOWN_SPEC_NAME`].
	pub spec_name: String,
}

/// Why a value of the state is not understood.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum LayoutError {
	/// The runtime was upgraded to another layout.
	#[error(
		"the chain's storage has version {found}, and this library reads up to version {known}: update the library"
	)]
	Newer {
		/// The version in state.
		found: u16,
		/// The version that this library reads.
		known: u16,
	},
	/// The runtime is older than this library, or has no such pallet.
	#[error(
		"the chain's storage has version {found}, and this library reads version {known}: ask for a newer block, or \
		 use an older library"
	)]
	Older {
		/// The version in state; 0 if there is none.
		found: u16,
		/// The version that this library reads.
		known: u16,
	},
	/// Another runtime.
	#[error("the chain runs the runtime {0}, not lockstep: this is another kind of chain")]
	OtherRuntime(String),
	/// The value does not have the form that the version promises.
	#[error("the state's value of {0} does not have the form that its version promises: update the library")]
	Value(&'static str),
}

/// Checks the value of a pallet's storage version, such as [`ORDERING_STORAGE_VERSION`].
pub fn check_storage_version(value: Option<&[u8]>) -> Result<(), LayoutError> {
	let found = match value {
		None => 0,
		Some(bytes) => u16::from_le_bytes(bytes.try_into().map_err(|_| LayoutError::Value("the storage version"))?),
	};
	let known = KNOWN_STORAGE_VERSION;
	match found.cmp(&known) {
		core::cmp::Ordering::Equal => Ok(()),
		core::cmp::Ordering::Greater => Err(LayoutError::Newer { found, known }),
		core::cmp::Ordering::Less => Err(LayoutError::Older { found, known }),
	}
}

/// Reads the value of [`LAST_RUNTIME_UPGRADE`]. Block 0 has none.
pub fn runtime_version(value: Option<&[u8]>) -> Result<Option<RuntimeVersion>, LayoutError> {
	let Some(bytes) = value else { return Ok(None) };
	let read = || -> Result<(u32, &[u8]), Malformed> {
		let mut reader = Reader::new(bytes);
		let version = (reader.compact()?, reader.bytes()?);
		reader.end()?;
		Ok(version)
	};
	let damaged = LayoutError::Value("the last runtime upgrade");
	let (spec_version, spec_name) = read().map_err(|_| damaged.clone())?;
	let spec_name = String::from_utf8(spec_name.to_vec()).map_err(|_| damaged)?;
	if spec_name != KNOWN_SPEC_NAME {
		return Err(LayoutError::OtherRuntime(spec_name));
	}
	Ok(Some(RuntimeVersion { spec_version, spec_name }))
}

/// Reads a group's record. It starts with a [`GroupState`]; what follows is the chain's own business.
pub fn group_state(value: &[u8]) -> Result<GroupState, LayoutError> {
	GroupState::decode(&mut &value[..]).map_err(|_| LayoutError::Value("the group"))
}

/// Reads an identity's record. It starts with an [`IdentityState`]; what follows is the chain's own business.
pub fn identity_state(value: &[u8]) -> Result<IdentityState, LayoutError> {
	IdentityState::decode(&mut &value[..]).map_err(|_| LayoutError::Value("the identity"))
}

/// Reads what is left of an identity that has ended.
pub fn ended_head(value: &[u8]) -> Result<LogHead, LayoutError> {
	LogHead::decode_all(&mut &value[..]).map_err(|_| LayoutError::Value("the ended identity"))
}

/// Reads what the chain knows of a device's KeyPackages.
pub fn stock(value: &[u8]) -> Result<Stock, LayoutError> {
	Stock::decode_all(&mut &value[..]).map_err(|_| LayoutError::Value("the stock"))
}

/// Reads what is kept of an init key: the last block of its KeyPackage, and the number of the publication.
pub fn init_key(value: &[u8]) -> Result<(BlockNumber, u32), LayoutError> {
	<(BlockNumber, u32)>::decode_all(&mut &value[..]).map_err(|_| LayoutError::Value("the init key"))
}

/// Reads a person's gate.
pub fn gate(value: &[u8]) -> Result<Gate, LayoutError> {
	Gate::decode_all(&mut &value[..]).map_err(|_| LayoutError::Value("the gate"))
}

/// Reads what a claim got. Its record starts with a [`Claimed`]; what follows is the chain's own business.
pub fn claimed(value: &[u8]) -> Result<Claimed, LayoutError> {
	Claimed::decode(&mut &value[..]).map_err(|_| LayoutError::Value("the claim"))
}

#[cfg(test)]
mod tests {
	use super::*;
	use crate::testing::group_record;
	use codec::{Compact, Encode};
	use lockstep_primitives::EntryHash;
	use sp_crypto_hashing::twox_128;

	fn prefix(pallet: &str, item: &str) -> Vec<u8> {
		[twox_128(pallet.as_bytes()), twox_128(item.as_bytes())].concat()
	}

	#[test]
	fn keys_are_those_that_the_chain_computes() {
		assert_eq!(GRANDPA_AUTHORITIES[..], prefix("Grandpa", "Authorities"));
		assert_eq!(LAST_RUNTIME_UPGRADE[..], prefix("System", "LastRuntimeUpgrade"));
		assert_eq!(ORDERING_STORAGE_VERSION[..], prefix("Ordering", ":__STORAGE_VERSION__:"));
		let group = GroupId([7; 32]);
		let hashed = sp_crypto_hashing::blake2_128(&group.0);
		assert_eq!(group_key(&group), [&prefix("Ordering", "Groups")[..], &hashed, &group.0].concat());
		assert_eq!(DIRECTORY_STORAGE_VERSION[..], prefix("Directory", ":__STORAGE_VERSION__:"));
		let identity = IdentityId([7; 32]);
		let key = |item| [&prefix("Directory", item)[..], &hashed, &identity.0].concat();
		assert_eq!(identity_key(&identity), key("Identities"));
		assert_eq!(ended_key(&identity), key("Ended"));
		assert_eq!(KEY_PACKAGES_STORAGE_VERSION[..], prefix("KeyPackages", ":__STORAGE_VERSION__:"));
		let key = |item| [&prefix("KeyPackages", item)[..], &hashed, &[7; 32]].concat();
		assert_eq!(stock_key(&IdentityKey([7; 32])), key("Stocks"));
		let named = sp_crypto_hashing::blake2_256(&[[7; 32], [8; 32]].concat());
		let init_keys = [&prefix("KeyPackages", "InitKeys")[..], &named].concat();
		assert_eq!(init_key_key(&identity, &InitKey([8; 32])), init_keys);
		assert_eq!(gate_key(&identity), key("Gates"));
		assert_eq!(claim_key(&VoucherKey([7; 32])), key("Claims"));
	}

	#[test]
	fn a_layout_that_is_not_known_stops_the_client() {
		assert_eq!(check_storage_version(Some(&1u16.encode())), Ok(()));
		let newer = check_storage_version(Some(&2u16.encode()));
		assert_eq!(newer, Err(LayoutError::Newer { found: 2, known: 1 }));
		assert_eq!(check_storage_version(None), Err(LayoutError::Older { found: 0, known: 1 }));
		assert_eq!(check_storage_version(Some(&0u16.encode())), Err(LayoutError::Older { found: 0, known: 1 }));
		for damaged in [&[][..], &[1], &[1, 0, 0]] {
			assert!(matches!(check_storage_version(Some(damaged)), Err(LayoutError::Value(_))));
		}
	}

	#[test]
	fn the_runtime_is_named() {
		let value = (Compact(300u32), "lockstep").encode();
		let version = RuntimeVersion { spec_version: 300, spec_name: "lockstep".into() };
		assert_eq!(runtime_version(Some(&value)), Ok(Some(version)));
		assert_eq!(runtime_version(None), Ok(None));
		let other = (Compact(300u32), "polkadot").encode();
		assert_eq!(runtime_version(Some(&other)), Err(LayoutError::OtherRuntime("polkadot".into())));
		for cut in 0..value.len() {
			assert!(matches!(runtime_version(Some(&value[..cut])), Err(LayoutError::Value(_))), "cut at {cut}");
		}
		let not_text = (Compact(300u32), [0xffu8; 3].to_vec()).encode();
		assert!(matches!(runtime_version(Some(&not_text)), Err(LayoutError::Value(_))));
	}

	#[test]
	fn what_a_claim_got_is_read_from_the_front_of_its_record() {
		let claim = Claimed { target: IdentityId([1; 32]), block: 2, packages: Default::default() };
		let sponsor_expiry_and_deposit = ([3u8; 32], 4u32, 5u128);
		assert_eq!(claimed(&(&claim, sponsor_expiry_and_deposit).encode()), Ok(claim.clone()));
		let short = claim.encode();
		assert!(claimed(&short[..short.len() - 1]).is_err());
	}

	#[test]
	fn a_group_is_read_from_the_front_of_its_record() {
		let state = GroupState {
			head: LogHead { length: 3, hash: EntryHash([4; 32]) },
			last_entry_at: 5,
			open_entries: 2,
			contested: true,
		};
		let record = group_record(&state);
		assert_eq!(group_state(&record), Ok(state.clone()));
		let short = state.encode();
		assert!(group_state(&short[..short.len() - 1]).is_err());
	}
}

//! What the state of a final block says of KeyPackages (`docs/protocol.md` section 14), and whether what was claimed is good.

use crate::{chain::Head, crypto::verify_ed25519, group::GroupError, identity::History, layout, read_proof};
use alloc::vec::Vec;
use lockstep_primitives::{
	key_package::{read, Claimed, KeyPackageRefusal, Stock},
	EventSignature, IdentityId, IdentityKey, InitKey, VoucherKey,
};

/// What the state of a final block says of a device's KeyPackages.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ProvenStock {
	/// What the chain knows of them; `None` if the device never published, or is none any more.
	pub stock: Option<Stock>,
	/// Whether a KeyPackage with the init key that was asked for was published, and has not lapsed.
	pub is_published: bool,
}

/// The keys that a proof of a stock must cover, in order; with one for the init key that is asked for. To be asked of a node
/// with `directory_stock`.
pub fn stock_keys(device: &IdentityKey, init_key: Option<&InitKey>) -> Vec<Vec<u8>> {
	let mut keys: Vec<Vec<u8>> = layout::KEY_PACKAGES_PINNED.map(|key| key.to_vec()).into();
	keys.push(layout::stock_key(device));
	keys.extend(init_key.map(layout::init_key_key));
	keys
}

/// The keys that a proof of a claim must cover, in order. To be asked of a node with `directory_claim`.
pub fn claim_keys(voucher: &VoucherKey) -> Vec<Vec<u8>> {
	let mut keys: Vec<Vec<u8>> = layout::KEY_PACKAGES_PINNED.map(|key| key.to_vec()).into();
	keys.push(layout::claim_key(voucher));
	keys
}

/// The values of some keys that begin with the pinned ones, and that of the layout's version.
fn values(head: &Head, proof: &[Vec<u8>], keys: &[Vec<u8>]) -> Result<Vec<Option<Vec<u8>>>, GroupError> {
	let root = head.state_root.ok_or(GroupError::NoStateRoot)?;
	let keys: Vec<&[u8]> = keys.iter().map(Vec::as_slice).collect();
	let mut values = read_proof::read(&root, proof, &keys)?.into_iter();
	// Under another version the other values mean something else.
	layout::check_storage_version(values.next().flatten().as_deref())?;
	layout::runtime_version(values.next().flatten().as_deref())?;
	Ok(values.collect())
}

/// Reads a device's stock from the state of a final block; `proof` holds the trie nodes on the way to its [`stock_keys`].
///
/// # Errors
/// [`GroupError`].
pub fn prove_stock(
	head: &Head,
	proof: &[Vec<u8>],
	device: &IdentityKey,
	init_key: Option<&InitKey>,
) -> Result<ProvenStock, GroupError> {
	let mut values = values(head, proof, &stock_keys(device, init_key))?.into_iter();
	let stock = values.next().flatten().as_deref().map(layout::stock).transpose()?;
	Ok(ProvenStock { stock, is_published: values.next().flatten().is_some() })
}

/// Reads what a claim got from the state of a final block; `proof` holds the trie nodes on the way to its [`claim_keys`].
/// `None` if nothing was claimed with this voucher, or it is not kept any more.
///
/// # Errors
/// [`GroupError`].
pub fn prove_claim(head: &Head, proof: &[Vec<u8>], voucher: &VoucherKey) -> Result<Option<Claimed>, GroupError> {
	let values = values(head, proof, &claim_keys(voucher))?;
	let value = values.first().and_then(Option::as_deref);
	Ok(value.map(layout::claimed).transpose()?)
}

/// Why what a claim got must not be used.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ClaimedError {
	/// It is of somebody else.
	#[error("the claim is of identity {found}, and not of {expected}")]
	OtherTarget {
		/// Of whom.
		found: IdentityId,
		/// Of whom it should be.
		expected: IdentityId,
	},
	/// A KeyPackage is of a device that the person did not have in the block of the claim.
	#[error(
		"a KeyPackage is of {0}, which was no device of the person when it was claimed: trust the chain no further"
	)]
	NoDevice(IdentityKey),
	/// A KeyPackage is not as it should be.
	#[error("a KeyPackage of {device} is not good ({refusal}): trust the chain no further")]
	KeyPackage {
		/// The device.
		device: IdentityKey,
		/// The rule that it breaks.
		refusal: KeyPackageRefusal,
	},
}

/// Checks what a claim got by the log of the person: whatever the validators have agreed on, nobody is added by a key that no
/// device of the person has signed for.
///
/// # Errors
/// [`ClaimedError`].
pub fn check_claimed(claimed: &Claimed, person: &History) -> Result<(), ClaimedError> {
	let (found, expected) = (claimed.target, person.identity());
	if found != expected {
		return Err(ClaimedError::OtherTarget { found, expected });
	}
	let verify = |key: &IdentityKey, text: &[u8], signature: &EventSignature| {
		verify_ed25519(key.as_bytes(), signature.as_bytes(), text)
	};
	claimed.packages.iter().try_for_each(|package| {
		let device = package.device;
		if !person.has_device_at(&device, claimed.block) {
			return Err(ClaimedError::NoDevice(device));
		}
		read(&package.bytes, &expected, &device, verify)
			.map(drop)
			.map_err(|refusal| ClaimedError::KeyPackage { device, refusal })
	})
}

#[cfg(test)]
mod tests;

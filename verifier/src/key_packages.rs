//! What the state of a final block says of KeyPackages (`docs/protocol.md` section 14), and whether what was claimed is good.

use crate::{chain::Head, crypto::verify_ed25519, group::GroupError, identity::History, layout, read_proof};
use alloc::{collections::BTreeSet, vec::Vec};
use lockstep_primitives::{
	key_package::{read, Claimed, Gate, KeyPackageRefusal, Stock},
	EventSignature, IdentityId, IdentityKey, InitKey, VoucherKey,
};

/// What the state of a final block says of a device's KeyPackages.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ProvenStock {
	/// What the chain knows of them; `None` if the device never published. One that has lost its place may be there still.
	pub stock: Option<Stock>,
	/// Who may claim of the person, if not everybody.
	pub gate: Option<Gate>,
	/// The number of the publication of this person with the init key that was asked for, if there is one that is remembered.
	pub published: Option<u32>,
}

/// The keys that a proof of a stock must cover, in order; with one for the init key that is asked for. To be asked of a node
/// with `directory_stock`.
pub fn stock_keys(identity: &IdentityId, device: &IdentityKey, init_key: Option<&InitKey>) -> Vec<Vec<u8>> {
	let mut keys: Vec<Vec<u8>> = layout::KEY_PACKAGES_PINNED.map(|key| key.to_vec()).into();
	keys.extend([layout::stock_key(device), layout::gate_key(identity)]);
	keys.extend(init_key.map(|key| layout::init_key_key(identity, key)));
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
	identity: &IdentityId,
	device: &IdentityKey,
	init_key: Option<&InitKey>,
) -> Result<ProvenStock, GroupError> {
	let values = values(head, proof, &stock_keys(identity, device, init_key))?;
	let mut values = values.iter().map(Option::as_deref);
	let mut next = || values.next().flatten();
	let (stock, gate, published) = (next(), next(), next());
	Ok(ProvenStock {
		stock: stock.map(layout::stock).transpose()?,
		gate: gate.map(layout::gate).transpose()?,
		published: published.map(layout::init_key).transpose()?.map(|(_, number)| number),
	})
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
	/// Two KeyPackages are of one device.
	#[error("two KeyPackages are of the device {0}: trust the chain no further")]
	Twice(IdentityKey),
	/// A KeyPackage is not as it should be.
	#[error("a KeyPackage of {device} is not good ({refusal}): trust the chain no further")]
	KeyPackage {
		/// The device.
		device: IdentityKey,
		/// The rule that it breaks.
		refusal: KeyPackageRefusal,
	},
	/// All devices whose KeyPackages were claimed have lost their place since.
	#[error("the person has none of the devices any more whose KeyPackages were claimed: claim again")]
	Gone,
}

/// Checks what a claim got by the log of the person: whatever the validators have agreed on, nobody is added by a key that no
/// device of the person has signed for. Gives what can be used: not the KeyPackages of devices that the person has lost since, of
/// whom whoever stole one may hold the key.
///
/// # Errors
/// [`ClaimedError`].
pub fn check_claimed(claimed: &Claimed, person: &History) -> Result<Claimed, ClaimedError> {
	let (found, expected) = (claimed.target, person.identity());
	if found != expected {
		return Err(ClaimedError::OtherTarget { found, expected });
	}
	let verify = |key: &IdentityKey, text: &[u8], signature: &EventSignature| {
		verify_ed25519(key.as_bytes(), signature.as_bytes(), text)
	};
	let mut seen = BTreeSet::new();
	for package in &claimed.packages {
		let device = package.device;
		if !seen.insert(device) {
			return Err(ClaimedError::Twice(device));
		}
		if !person.had_device_in(&device, claimed.block) {
			return Err(ClaimedError::NoDevice(device));
		}
		read(&package.bytes, &expected, &device, verify)
			.map_err(|refusal| ClaimedError::KeyPackage { device, refusal })?;
	}
	let mut usable = claimed.clone();
	let state = person.newest().filter(|state| !state.closed);
	usable.packages.retain(|package| state.is_some_and(|state| state.device(&package.device).is_some()));
	if usable.packages.is_empty() {
		return Err(ClaimedError::Gone);
	}
	Ok(usable)
}

#[cfg(test)]
mod tests;

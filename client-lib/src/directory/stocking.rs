//! What a device publishes, and signs.

use super::{Seed, Stock};
use lockstep_primitives::{
	key_package::{GateChange, KeyPackageBytes, KeyPackageRefusal, Publication, SignedGateChange, SignedPublication},
	BlockNumber, GenesisHash, IdentityId,
};

/// The next thing that a device says of its KeyPackages.
#[derive(Debug)]
pub struct Stocking<'a> {
	/// The chain.
	pub genesis: GenesisHash,
	/// Whose device it is.
	pub identity: IdentityId,
	/// The device's current key.
	pub device: &'a Seed,
	/// What the chain knows of its KeyPackages ([`Directory::stock`](super::Directory::stock)).
	pub stock: Option<Stock>,
}

impl Stocking<'_> {
	fn number(&self) -> u32 {
		self.stock.map_or(0, |stock| stock.number)
	}

	/// Publishes KeyPackages in their TLS form ([`Client::key_package`](crate::Client::key_package)), which can be claimed up to
	/// the block `lapse`; with `replace`, in the place of those that are there. A last resort that was used
	/// goes for a new one only ([`KeyPackageRefusal::LastResortDue`]).
	///
	/// # Errors
	/// [`KeyPackageRefusal::Malformed`] if one is too long, [`KeyPackageRefusal::Full`] if they are too many.
	pub fn publish(
		&self,
		packages: Vec<Vec<u8>>,
		last_resort: Option<Vec<u8>>,
		lapse: BlockNumber,
		replace: bool,
	) -> Result<SignedPublication, KeyPackageRefusal> {
		let short = |bytes: Vec<u8>| KeyPackageBytes::try_from(bytes).map_err(|_| KeyPackageRefusal::Malformed);
		let packages = packages.into_iter().map(short).collect::<Result<Vec<_>, _>>()?;
		let publication = Publication {
			identity: self.identity,
			device: self.device.key(),
			number: self.number(),
			replace,
			lapse,
			packages: packages.try_into().map_err(|_| KeyPackageRefusal::Full)?,
			last_resort: last_resort.map(short).transpose()?,
		};
		let signature = self.device.sign(&publication.signing_payload(&self.genesis));
		Ok(SignedPublication { publication, signature })
	}

	/// Lets only those claim who have this secret; everybody, without one.
	pub fn set_gate(&self, gate: Option<&Seed>) -> SignedGateChange {
		let gate = gate.map(Seed::key);
		let change = GateChange { identity: self.identity, device: self.device.key(), number: self.number(), gate };
		SignedGateChange { change, signature: self.device.sign(&change.signing_payload(&self.genesis)) }
	}
}

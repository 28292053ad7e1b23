//! Vouchers and secret keys in commands, which may be run by another process of the same profile: they go through its socket,
//! which its owner alone can enter, and are not shown.

use lockstep_client::{directory::Seed, voucher::HeldVoucher};
use serde::{de::Error, Deserialize, Deserializer, Serialize, Serializer};
use std::fmt;
use zeroize::Zeroizing;

/// Something that others must not see.
#[derive(Clone)]
pub struct Held<T>(pub T);

impl<T> fmt::Debug for Held<T> {
	fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
		f.write_str("Held")
	}
}

impl Serialize for Held<HeldVoucher> {
	fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
		Zeroizing::new(self.0.to_secret_text()).as_str().serialize(serializer)
	}
}

impl<'de> Deserialize<'de> for Held<HeldVoucher> {
	fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
		let text = Zeroizing::new(String::deserialize(deserializer)?);
		text.parse().map(Self).map_err(D::Error::custom)
	}
}

impl Serialize for Held<Seed> {
	fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
		Zeroizing::new(hex::encode(self.0.as_bytes())).as_str().serialize(serializer)
	}
}

impl<'de> Deserialize<'de> for Held<Seed> {
	fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
		let text = Zeroizing::new(String::deserialize(deserializer)?);
		let mut seed = Zeroizing::new([0; 32]);
		hex::decode_to_slice(text.as_bytes(), seed.as_mut_slice()).map_err(D::Error::custom)?;
		Ok(Self(Seed::new(*seed)))
	}
}

#[cfg(test)]
mod tests {
	use super::*;
	use lockstep_client::{voucher::VoucherKind, GenesisHash, Sponsor};

	#[test]
	fn what_is_held_goes_from_process_to_process_and_is_not_shown() {
		let seed = Held(Seed::new([0xee; 32]));
		let json = serde_json::to_string(&seed).unwrap();
		assert_eq!(serde_json::from_str::<Held<Seed>>(&json).unwrap().0, seed.0);
		let voucher = HeldVoucher::issue(&Sponsor::alice(), &GenesisHash([7; 32]), VoucherKind::Claim, 5);
		let json = serde_json::to_string(&Held(voucher.clone())).unwrap();
		assert_eq!(serde_json::from_str::<Held<HeldVoucher>>(&json).unwrap().0, voucher);
		assert_eq!(format!("{seed:?}{:?}", Held(voucher)), "HeldHeld");
		assert!(serde_json::from_str::<Held<Seed>>("\"ee\"").is_err());
	}
}

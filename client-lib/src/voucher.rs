//! Vouchers (`docs/protocol.md` section 13): one-time rights that a sponsor gives away, so that others need no account.
//!
//! ```
//! use lockstep_client::{
//!     voucher::{HeldVoucher, VoucherKind},
//!     GenesisHash, Sponsor,
//! };
//!
//! # let genesis = GenesisHash([7; 32]);
//! // The sponsor, in block 100,000, for somebody who wants to create a group:
//! let voucher = HeldVoucher::issue(&Sponsor::alice(), &genesis, VoucherKind::CreateGroup, 100_000);
//! let text = voucher.to_secret_text();
//! // Whoever was given the text:
//! let voucher: HeldVoucher = text.parse()?;
//! # Ok::<(), lockstep_client::voucher::VoucherTextError>(())
//! ```

use crate::{directory::Seed, EnvelopeKey, SignerSeed, Sponsor};
use codec::{DecodeAll, Encode};
use ed25519_dalek::{Signature, Verifier, VerifyingKey};
use lockstep_primitives::{
	key_package::{Claimed, CLAIM_LIFE},
	voucher::{judge, Payment, SignedVoucher, Till},
	BlockNumber, GenesisHash, SponsorId, VoucherKey, VoucherSignature,
};
use std::str::FromStr;
use zeroize::Zeroizing;

pub use lockstep_primitives::voucher::{Voucher, VoucherKind, VoucherRefusal};

/// Blocks for which the chain lets a voucher be good at most.
const LONGEST: BlockNumber = 7_776_000;

/// A voucher with the private half of its key: whoever has it can spend it.
#[derive(Clone, PartialEq, Eq)]
pub struct HeldVoucher {
	voucher: SignedVoucher,
	key: Seed,
}

impl std::fmt::Debug for HeldVoucher {
	/// Without what it is spent with.
	fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
		f.debug_struct("HeldVoucher").field("voucher", &self.voucher.voucher).finish_non_exhaustive()
	}
}

/// Why a text is no voucher.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum VoucherTextError {
	/// It is something else.
	#[error("this is no voucher: it starts with {PREFIX}")]
	Prefix,
	/// It was not copied as a whole, or changed.
	#[error("the voucher was not copied well: copy it again, all of it")]
	Damaged,
}

/// Blocks between those in which vouchers expire: 30 days.
pub const PERIOD: BlockNumber = 2_592_000;

/// The last block of those issued in the block `now`: the end of the period after the present one.
fn expiry(now: BlockNumber) -> BlockNumber {
	let present = now.checked_div(PERIOD).unwrap_or_default();
	present.saturating_add(2).saturating_mul(PERIOD)
}

const PREFIX: &str = "lockstep-voucher:";
const CHECK: usize = 4;

fn check(bytes: &[u8]) -> [u8; CHECK] {
	let hash = blake3::derive_key("lockstep client 2026-11-27 voucher texts", bytes);
	hash.first_chunk().copied().unwrap_or_default()
}

impl HeldVoucher {
	/// A new voucher of this sponsor, issued in the block `now` and good for 30 to 60 days. The chain hears of it when it is
	/// spent, and has the deposit held then.
	///
	/// Nobody chooses when it expires: an expiry that others do not have would tell whoever reads the chain which vouchers were
	/// one person's, and so whose a group is.
	pub fn issue(sponsor: &Sponsor, genesis: &GenesisHash, kind: VoucherKind, now: BlockNumber) -> Self {
		let (key, expiry) = (Seed::random(), expiry(now));
		let sponsor_id = SponsorId(sponsor.account());
		let voucher = Voucher { kind, key: VoucherKey(key.key().0), sponsor: sponsor_id, expiry };
		let signature = VoucherSignature(sponsor.sign(&voucher.signing_payload(genesis)));
		Self { voucher: SignedVoucher { voucher, signature }, key }
	}

	/// What it is good for.
	pub fn voucher(&self) -> &Voucher {
		&self.voucher.voucher
	}

	/// Spends it for this order, the other arguments of a call that takes it. Once that has been submitted the voucher is used up,
	/// unless the chain refuses the order.
	pub fn pay(&self, genesis: &GenesisHash, order: &[u8]) -> Payment {
		let spending = self.voucher.voucher.spending_payload(genesis, order);
		Payment { voucher: self.voucher, spent: VoucherSignature(self.key.sign(&spending).0) }
	}

	/// Whether it is good for this, in this block of this chain, as far as the voucher itself says.
	///
	/// # Errors
	/// [`VoucherRefusal`]; then no node has to be asked.
	pub(crate) fn check(
		&self,
		genesis: &GenesisHash,
		block: BlockNumber,
		kind: VoucherKind,
	) -> Result<(), VoucherRefusal> {
		let till = Till { genesis, block, longest: LONGEST, kind };
		judge(&till, &self.pay(genesis, &[]), &[], |_| false, is_signed)
	}

	/// What signs the envelopes to those whose KeyPackages were claimed with it, for half of the time in which its key has an
	/// allowance for them: the rest is for a node to take them.
	pub fn envelope_key(&self, claimed: &Claimed) -> EnvelopeKey {
		EnvelopeKey { seed: self.key.signer(), until: claimed.block.saturating_add(CLAIM_LIFE / 2) }
	}

	/// What is stored of it: the voucher, and the private half of its key.
	pub(crate) fn to_parts(&self) -> (SignedVoucher, SignerSeed) {
		(self.voucher, self.key.signer())
	}

	/// What was stored.
	pub(crate) fn of_parts(voucher: SignedVoucher, key: &SignerSeed) -> Self {
		Self { voucher, key: Seed::new(*key.bytes()) }
	}

	/// The voucher as a text, to hand it on. Whoever reads the text can spend it.
	pub fn to_secret_text(&self) -> String {
		let bytes = Zeroizing::new((self.voucher, self.key.as_bytes()).encode());
		format!("{PREFIX}{}{}", hex::encode(&bytes), hex::encode(check(&bytes)))
	}
}

/// Whether a signature verifies. What does not by these rules, and does by those of the chain, nobody makes but on purpose.
fn is_signed(key: &[u8; 32], text: &[u8], signature: &VoucherSignature) -> bool {
	let signature = Signature::from_bytes(signature.as_bytes());
	VerifyingKey::from_bytes(key).is_ok_and(|key| key.verify(text, &signature).is_ok())
}

impl FromStr for HeldVoucher {
	type Err = VoucherTextError;

	fn from_str(text: &str) -> Result<Self, VoucherTextError> {
		let digits = text.trim().strip_prefix(PREFIX).ok_or(VoucherTextError::Prefix)?;
		let bytes = Zeroizing::new(hex::decode(digits).map_err(|_| VoucherTextError::Damaged)?);
		let (held, sum) = bytes.split_last_chunk::<CHECK>().ok_or(VoucherTextError::Damaged)?;
		if *sum != check(held) {
			return Err(VoucherTextError::Damaged);
		}
		let (voucher, seed) =
			<(SignedVoucher, [u8; 32])>::decode_all(&mut &held[..]).map_err(|_| VoucherTextError::Damaged)?;
		Ok(Self { voucher, key: Seed::new(seed) })
	}
}

#[cfg(test)]
mod tests {
	use super::*;

	const GENESIS: GenesisHash = GenesisHash([7; 32]);

	fn held() -> HeldVoucher {
		HeldVoucher::issue(&Sponsor::alice(), &GENESIS, VoucherKind::CreateGroup, 100)
	}

	/// 90 days, after which the chain takes none.

	#[test]
	fn all_vouchers_of_a_period_expire_in_the_same_block() {
		for first in [0, PERIOD, 100 * PERIOD] {
			let last = first + PERIOD - 1;
			assert_eq!((expiry(first), expiry(last)), (first + 2 * PERIOD, first + 2 * PERIOD));
			assert!(expiry(first) - first <= LONGEST && expiry(last) - last > PERIOD);
		}
		assert_eq!(expiry(BlockNumber::MAX), BlockNumber::MAX);
		assert_eq!(held().voucher().expiry, held().voucher().expiry);
	}

	#[test]
	fn what_is_issued_and_spent_is_what_the_chain_takes() {
		let payment = held().pay(&GENESIS, b"order");
		let till = Till { genesis: &GENESIS, block: 100, longest: LONGEST, kind: VoucherKind::CreateGroup };
		assert_eq!(judge(&till, &payment, b"order", |_| false, is_signed), Ok(()));
		assert_eq!(judge(&till, &payment, b"other", |_| false, is_signed), Err(VoucherRefusal::BadSpending));
	}

	#[test]
	fn whether_it_is_of_use_is_known_without_a_node() {
		let (held, kind) = (held(), VoucherKind::CreateGroup);
		let expiry = held.voucher().expiry;
		assert_eq!(held.check(&GENESIS, expiry, kind), Ok(()));
		assert_eq!(held.check(&GENESIS, expiry + 1, kind), Err(VoucherRefusal::Expired));
		assert_eq!(held.check(&GENESIS, 100, VoucherKind::Claim), Err(VoucherRefusal::WrongKind));
		assert_eq!(held.check(&GenesisHash([8; 32]), 100, kind), Err(VoucherRefusal::BadVoucher), "of another chain");
		let thief = HeldVoucher { key: Seed::new([1; 32]), ..held };
		assert_eq!(thief.check(&GENESIS, 100, kind), Err(VoucherRefusal::BadSpending));
	}

	#[test]
	fn a_voucher_survives_the_way_or_is_refused() {
		let held = held();
		let text = held.to_secret_text();
		assert_eq!(text.parse(), Ok(held.clone()));
		assert_eq!(format!("\n {text} ").parse(), Ok(held));
		assert_eq!("money".parse::<HeldVoucher>(), Err(VoucherTextError::Prefix));
		for at in PREFIX.len()..text.len() {
			assert_eq!(text[..at].parse::<HeldVoucher>(), Err(VoucherTextError::Damaged), "cut at {at}");
			let mut wrong = text.clone().into_bytes();
			wrong[at] = if wrong[at] == b'0' { b'1' } else { b'0' };
			let wrong = String::from_utf8(wrong).unwrap();
			assert_eq!(wrong.parse::<HeldVoucher>(), Err(VoucherTextError::Damaged), "changed at {at}");
		}
	}

	#[test]
	fn what_is_stored_is_the_same_voucher() {
		let held = held();
		let (voucher, key) = held.to_parts();
		assert_eq!(HeldVoucher::of_parts(voucher, &key), held);
	}

	#[test]
	fn what_it_is_spent_with_is_not_shown() {
		let held = HeldVoucher { key: Seed::new([0xee; 32]), ..held() };
		let shown = format!("{held:?}");
		assert!(!shown.contains("238, 238") && !shown.contains("eeeeeeee"), "{shown}");
	}
}

//! How long a statement lasts.

use rand::Rng;
use std::time::{SystemTime, UNIX_EPOCH};

/// How long nodes keep a statement: three days, in seconds. Whoever is offline for longer rejoins the conversation
/// without what was said meanwhile; commits are not affected, they are in blocks.
const LIFETIME: u64 = 3 * 24 * 60 * 60;

/// Expiries are multiples of this many seconds, a day and a half.
const STEP: u64 = 1 << 17;
/// The last bits of an expiry, which are random.
const RANDOM: u32 = 15;

/// The expiry of a statement made now, above `floor` if that is given.
///
/// When all is used up that a key may store, nodes displace what expires first for something that expires later. A message
/// that others may not have read must not go for a newer one. So statements expire together, at the end of a step, and in
/// the lower half, which decides between them, what is newer counts as less: it is what the nodes do not take then.
///
/// The local clock enters here and nowhere else: it decides for how long others can fetch the statement, not what
/// they make of it. Each time that the nodes found the statement expired (`attempts`), their clock being ahead of
/// this one, the time doubles. The last bits are random, so that no two statements of the members who share an
/// epoch's key have the same priority.
pub fn expiry(attempts: u32, floor: Option<u64>) -> u64 {
	let now = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs());
	let random = u64::from(rand::thread_rng().gen::<u32>());
	expiry_at(now, random, attempts, floor)
}

fn expiry_at(now: u64, random: u64, attempts: u32, floor: Option<u64>) -> u64 {
	let lifetime = LIFETIME.saturating_mul(1u64.checked_shl(attempts).unwrap_or(u64::MAX));
	let least = now.saturating_add(lifetime);
	let (step, gone) = (least / STEP, least % STEP);
	let until = step.saturating_add(1).saturating_mul(STEP).min(u64::from(u32::MAX));
	let rank = STEP.saturating_sub(1).saturating_sub(gone) << RANDOM;
	let expiry = (until << 32) | rank | (random & ((1 << RANDOM) - 1));
	match floor {
		Some(floor) if floor >= expiry => floor.saturating_add(1).saturating_add(random >> 8),
		_ => expiry,
	}
}

#[cfg(test)]
mod tests {
	use super::*;

	/// Some time.
	const NOW: u64 = 1_795_000_000;

	#[test]
	fn statements_outlast_what_they_have_to_displace() {
		let plain = expiry(0, None);
		assert!(expiry(1, None) > plain);
		assert!(expiry(0, Some(plain + (1 << 40))) > plain + (1 << 40));
		assert_eq!(expiry(0, Some(u64::MAX)), u64::MAX);
		assert_eq!(expiry(u32::MAX, None) >> 32, u64::from(u32::MAX));
	}

	#[test]
	fn they_last_for_three_days_at_least_and_a_step_longer_at_most() {
		for now in (NOW..NOW + 2 * STEP).step_by(997) {
			let until = expiry_at(now, 0, 0, None) >> 32;
			assert!(until > now + LIFETIME && until <= now + LIFETIME + STEP, "{now}");
		}
	}

	/// What is newer does not displace what is older, whatever its random bits, but for the start of a new step.
	#[test]
	fn the_newer_one_counts_as_less() {
		let (mut smaller, mut larger) = (0, 0);
		for now in NOW..NOW + STEP {
			let (older, newer) = (expiry_at(now, 0, 0, None), expiry_at(now + 1, u64::from(u32::MAX), 0, None));
			*if newer < older { &mut smaller } else { &mut larger } += 1;
		}
		assert_eq!((smaller, larger), (STEP - 1, 1));
	}

	#[test]
	fn no_two_are_alike() {
		let many: std::collections::BTreeSet<u64> = (0..100).map(|_| expiry(0, None)).collect();
		assert!(many.len() > 98);
	}
}

//! How long a statement lasts.

use rand::Rng;
use std::time::{SystemTime, UNIX_EPOCH};

/// How long nodes keep a statement at least: three days, in seconds. Whoever is offline for longer rejoins the conversation
/// without what was said meanwhile; commits are not affected, they are in blocks.
const LIFETIME: u64 = 3 * 24 * 60 * 60;

/// Expiries are multiples of this many seconds, a day and a half.
const STEP: u64 = 1 << 17;

/// The expiry of a statement made now with the key of an epoch that is so many seconds old, above `floor` if that is
/// given.
///
/// When all is used up that a key may store, nodes displace what expires first for something that expires later; what
/// expires at the same time as everything else they refuse. A message that others may not have read must not go for
/// another one. So all of an epoch have the same expiry, to the bit, unless it lasts for more than a step: the end of the
/// step that the epoch began in, a lifetime and a step later.
///
/// The local clock enters here and nowhere else: it decides for how long others can fetch the statement, not what
/// they make of it. Each time that the nodes found the statement expired (`attempts`), their clock being ahead of
/// this one, the time doubles.
pub fn expiry(age: u64, attempts: u32, floor: Option<u64>) -> u64 {
	let now = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs());
	match floor {
		Some(floor) if floor >= expiry_at(now, age, attempts) => {
			floor.saturating_add(1).saturating_add(rand::thread_rng().gen_range(0..1 << 24))
		}
		_ => expiry_at(now, age, attempts),
	}
}

fn expiry_at(now: u64, age: u64, attempts: u32) -> u64 {
	let began = now.saturating_sub(age % STEP);
	let lifetime = LIFETIME.saturating_mul(1u64.checked_shl(attempts).unwrap_or(u64::MAX));
	let least = began.saturating_add(STEP).saturating_add(lifetime);
	let until = (least / STEP).saturating_add(1).saturating_mul(STEP);
	until.min(u64::from(u32::MAX)) << 32
}

#[cfg(test)]
mod tests {
	use super::*;

	/// Some time.
	const NOW: u64 = 1_795_000_000;

	#[test]
	fn statements_outlast_what_they_have_to_displace() {
		let plain = expiry(0, 0, None);
		assert!(expiry(0, 1, None) > plain);
		assert!(expiry(0, 1, Some(plain)) > plain);
		assert!(expiry(0, 0, Some(plain + (1 << 40))) > plain + (1 << 40));
		assert_eq!(expiry(0, 0, Some(u64::MAX)), u64::MAX);
		assert_eq!(expiry(0, u32::MAX, None) >> 32, u64::from(u32::MAX));
	}

	#[test]
	fn they_last_for_three_days_at_least_and_two_steps_longer_at_most() {
		for now in (NOW..NOW + 2 * STEP).step_by(997) {
			for age in (0..3 * STEP).step_by(4999) {
				let until = expiry_at(now, age, 0) >> 32;
				assert!(until > now + LIFETIME && until <= now + LIFETIME + 2 * STEP, "{now} {age}");
			}
		}
	}

	/// None displaces another of its epoch, whenever it is made and whatever the clock says.
	#[test]
	fn those_of_an_epoch_are_alike() {
		for began in (NOW..NOW + 2 * STEP).step_by(997) {
			let first = expiry_at(began, 0, 0);
			for age in (0..STEP).step_by(499).chain([STEP - 1]) {
				assert_eq!(expiry_at(began + age, age, 0), first, "{began} {age}");
			}
			assert!(expiry_at(began + STEP, STEP, 0) > first);
		}
	}
}

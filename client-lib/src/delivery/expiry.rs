//! How long a statement lasts.

use rand::Rng;
use std::time::{SystemTime, UNIX_EPOCH};

/// How long nodes keep a statement: three days, in seconds. Whoever is offline for longer rejoins the conversation
/// without what was said meanwhile; commits are not affected, they are in blocks.
const LIFETIME: u64 = 3 * 24 * 60 * 60;

/// The expiry of a statement made now, above `floor` if that is given.
///
/// The local clock enters here and nowhere else: it decides for how long others can fetch the statement, not what
/// they make of it. Each time that the nodes found the statement expired (`attempts`), their clock being ahead of
/// this one, the time doubles. The lower half is random, so that no two statements of the members who share an
/// epoch's key have the same priority.
pub fn expiry(attempts: u32, floor: Option<u64>) -> u64 {
	let now = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs());
	let lifetime = LIFETIME.saturating_mul(1u64.checked_shl(attempts).unwrap_or(u64::MAX));
	let until = now.saturating_add(lifetime).min(u64::from(u32::MAX));
	let unique = u64::from(rand::thread_rng().gen::<u32>());
	let expiry = (until << 32) | unique;
	match floor {
		Some(floor) if floor >= expiry => floor.saturating_add(1).saturating_add(unique >> 8),
		_ => expiry,
	}
}

#[cfg(test)]
mod tests {
	use super::*;

	#[test]
	fn statements_outlast_what_they_have_to_displace() {
		let plain = expiry(0, None);
		assert!(expiry(1, None) > plain);
		assert!(expiry(0, Some(plain + (1 << 40))) > plain + (1 << 40));
		assert_eq!(expiry(0, Some(u64::MAX)), u64::MAX);
		assert_eq!(expiry(u32::MAX, None) >> 32, u64::from(u32::MAX));
	}

	#[test]
	fn no_two_are_alike() {
		let many: std::collections::BTreeSet<u64> = (0..100).map(|_| expiry(0, None)).collect();
		assert!(many.len() > 98);
	}
}

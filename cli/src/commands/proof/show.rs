//! How a verified proof is shown.

use lockstep_client::proof::{Rotation, Rotations, When};
use serde_json::{json, Value};
use std::fmt;

/// For people.
pub struct Text<'a>(pub &'a Rotations);

impl fmt::Display for Text<'_> {
	fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
		let Rotations { genesis, group, head, set, entries, state, .. } = self.0;
		writeln!(f, "chain      {genesis}\ngroup      {group}")?;
		writeln!(f, "final      block {} ({}), authority set {set}{}", head.number, head.hash, at(head.time))?;
		writeln!(f, "log        {} entries{}\n", state.head.length, if state.contested { ", contested" } else { "" })?;
		for Rotation { index, hash, endorsed_by, new_key, block, when, .. } in entries {
			writeln!(f, "entry {index}  {hash}")?;
			writeln!(f, "  block    {block}, {}", moment(when))?;
			match endorsed_by {
				Some(key) if *index == 0 => writeln!(f, "  founded  by key {key}, of itself")?,
				Some(key) => writeln!(f, "  endorsed by key {key}")?,
				None => writeln!(f, "  endorsed by a key from before this proof")?,
			}
			writeln!(f, "  names    key {new_key}")?;
		}
		writeln!(
			f,
			"\nVERIFIED: each entry is in the log of a finalized block, endorsed by the key that its parent named"
		)
	}
}

fn moment(when: &When) -> String {
	let bound = |word: &str, time: &Option<u64>| time.map(|time| format!(" {word} {}", utc(time))).unwrap_or_default();
	match when {
		When::At(time) => utc(*time),
		When::Between { after, before } => {
			let text = bound("after", after) + &bound("before", before);
			if text.is_empty() {
				"at a time that is not shown".into()
			} else {
				text.trim_start().into()
			}
		}
	}
}

fn at(time: Option<u64>) -> String {
	time.map(|time| format!(", {}", utc(time))).unwrap_or_default()
}

/// Milliseconds since 1970 as a date and time.
fn utc(millis: u64) -> String {
	let time = i64::try_from(millis).ok().and_then(chrono::DateTime::from_timestamp_millis);
	time.map_or_else(|| format!("{millis} ms after 1970"), |time| time.format("%F %T UTC").to_string())
}

/// For programs.
pub fn json(rotations: &Rotations) -> Value {
	let Rotations { genesis, group, head, set, state, entries, .. } = rotations;
	let when = |when: &When| match when {
		When::At(time) => json!({ "at": time }),
		When::Between { after, before } => json!({ "after": after, "before": before }),
	};
	let entry = |entry: &Rotation| {
		json!({
			"index": entry.index,
			"entry": entry.hash,
			"parent": entry.parent,
			"endorsedBy": entry.endorsed_by,
			"newKey": entry.new_key,
			"block": entry.block,
			"when": when(&entry.when),
			"payloadHash": entry.payload_hash,
			"payloadLength": entry.payload_len,
		})
	};
	json!({
		"genesis": genesis,
		"group": group,
		"final": { "number": head.number, "hash": head.hash, "time": head.time, "authoritySet": set },
		"log": { "length": state.head.length, "head": state.head.hash, "contested": state.contested },
		"entries": entries.iter().map(entry).collect::<Vec<_>>(),
	})
}

#[cfg(test)]
mod tests {
	use super::*;

	#[test]
	fn times_are_for_people() {
		assert_eq!(utc(0), "1970-01-01 00:00:00 UTC");
		assert_eq!(utc(951_827_696_000), "2000-02-29 12:34:56 UTC");
		assert_eq!(utc(1_798_761_599_999), "2026-12-31 23:59:59 UTC");
		assert_eq!(utc(u64::MAX), "18446744073709551615 ms after 1970");
	}
}

//! Who endorsed which entry.

use super::{ProofError, ProofFile};
use crate::{crypto::verify_ed25519, entries::Cursor};
use alloc::{collections::BTreeMap, vec::Vec};
use lockstep_primitives::{endorsement_payload, payload_hash, EntryHash, OrderingKey};

/// Why an entry is not endorsed by the one it names as its parent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum EndorsementError {
	/// The parent comes neither before the entry in the file nor before the file.
	#[error("its parent {0} is not in the file: export the proof from an earlier entry on")]
	NoParent(EntryHash),
	/// Entry 0 does not have the form that the chain gives it.
	#[error("it is entry 0, but continues another log or carries a payload: the chain admits no such entry")]
	Creation,
	/// The signature is not the parent's.
	#[error("its endorsement does not verify under the key of its parent")]
	Signature,
}

/// The keys that endorsed the entries. `None` for a first entry whose parent is before the file.
pub(super) fn check(file: &ProofFile, hashes: &[EntryHash]) -> Result<Vec<Option<OrderingKey>>, ProofError> {
	let empty = Cursor::start(&file.genesis, &file.group).head.hash;
	let mut keys: BTreeMap<EntryHash, OrderingKey> = BTreeMap::new();
	let mut endorsers = Vec::with_capacity(file.entries.len());
	for (index, (entry, hash)) in (file.from.length..).zip(file.entries.iter().zip(hashes)) {
		let body = &entry.body;
		let fail = |error| ProofError::Endorsement { index, error };
		let key = if index == 0 {
			let creation = body.parent == empty && body.payload_len == 0 && body.payload_hash == payload_hash(&[]);
			if !creation {
				return Err(fail(EndorsementError::Creation));
			}
			Some(body.next_key)
		} else {
			keys.get(&body.parent).copied()
		};
		match key {
			Some(key) => {
				let payload =
					endorsement_payload(&file.genesis, &file.group, &body.parent, &body.payload_hash, &body.next_key);
				if !verify_ed25519(&key.0, &body.endorsement.0, &payload) {
					return Err(fail(EndorsementError::Signature));
				}
			}
			// The exporter goes back far enough for all entries but the first.
			None if index == file.from.length => {}
			None => return Err(fail(EndorsementError::NoParent(body.parent))),
		}
		keys.insert(*hash, body.next_key);
		endorsers.push(key);
	}
	Ok(endorsers)
}

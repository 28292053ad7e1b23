//! Which entries the chain takes: the rule that both validation and dispatch apply (`docs/protocol.md` section 4).
//!
//! Everything is decided by the state and the entry alone, the cheapest questions first.

use crate::{
	budget,
	types::{CandidateDigest, Contests, GroupOf, OpenRecord},
	Config, Groups, OpenEntries, Pallet,
};
use alloc::vec::Vec;
use frame_support::{pallet_prelude::*, traits::Get, weights::Weight};
use lockstep_primitives::{
	admission::{closes_at, next_candidate_at},
	endorsement_payload, payload_hash, BlockNumber, Budget, Endorsement, EntryBody, EntryHash, GroupId, LogHead,
	OpenEntry, OrderingKey, Refusal,
};
use sp_core::ed25519;

/// The tag that an append provides to the pool starts with this; the group and the parent follow. So the pool
/// holds one candidate for a parent, the first that it saw.
pub const APPEND_TAG: &[u8] = b"lockstep/append";

/// Every append has this priority: the pool replaces a transaction only by one of a higher priority, so that
/// nothing but the order of arrival decides between candidates.
///
/// It is above that of a transaction that pays its fee and no tip, and below that of operational ones, so that a
/// flood of appends cannot keep the operators from acting.
pub const APPEND_PRIORITY: TransactionPriority = 1 << 20;

/// An entry that someone wants to append.
pub(crate) struct Candidate<'a> {
	pub group: &'a GroupId,
	pub parent: &'a EntryHash,
	pub payload: &'a [u8],
	pub next_key: &'a OrderingKey,
	pub endorsement: &'a Endorsement,
}

/// Whether the endorsement is still to be verified.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Signature {
	/// Verify it.
	Verify,
	/// It was verified for the same candidate in the same block. What it signs, and the key that verifies it, are
	/// the arguments of the call and a field of the parent that never changes: verifying again cannot differ.
	Verified,
}

/// An entry that may be appended, with all that appending it needs.
pub(crate) struct Admission<T: Config> {
	/// The group as it is.
	pub group: GroupOf<T>,
	/// The contests that the group has left after it.
	pub contests: Contests,
	/// The parent as it is.
	pub parent: OpenRecord,
	/// The body of the new entry.
	pub body: EntryBody,
	/// The head that it makes.
	pub head: LogHead,
	/// How many entries are open with it.
	pub open_entries: u32,
	/// How deep it lies.
	pub depth: u64,
	/// What its lineage may append after it.
	pub budget: Budget,
	/// Whether a contest started its lineage.
	pub contesting: bool,
	/// What tells it apart from its siblings.
	pub digest: CandidateDigest,
}

impl<T: Config> Admission<T> {
	/// Whether the parent has a child already.
	pub fn is_contest(&self) -> bool {
		self.parent.entry.children > 0
	}
}

/// Whether an entry can still get children in block `now`. It stays in state for some blocks after, until its
/// turn to be pruned has come; that must not matter to anyone.
pub(crate) fn is_open<T: Config>(entry: &OpenEntry, now: BlockNumber) -> bool {
	entry.children == 0 || now < closes_at(entry.first_child_at, T::ContestWindow::get())
}

/// Whether `signature` over `message` verifies under `key`.
pub(crate) fn verifies(signature: &Endorsement, message: &[u8], key: &OrderingKey) -> bool {
	let signature = ed25519::Signature::from_raw(*signature.as_bytes());
	let key = ed25519::Public::from_raw(*key.as_bytes());
	sp_io::crypto::ed25519_verify(&signature, message, &key)
}

impl<T: Config> Pallet<T> {
	/// Decides whether the candidate may be appended in this block.
	///
	/// Refuses, in this order: an empty payload or one above `MaxPayload`; an unknown or closed group; a parent
	/// that is not open; a parent whose youngest child is too young, or that has had this very candidate before;
	/// a group that has no contest left, if it is one; a spent budget; a bad endorsement; a full log.
	pub(crate) fn admit(candidate: &Candidate<'_>, signature: Signature) -> Result<Admission<T>, Refusal> {
		let now = Self::now();
		let payload_len = u32::try_from(candidate.payload.len()).map_err(|_| Refusal::PayloadTooLarge)?;
		ensure!(payload_len > 0, Refusal::PayloadEmpty);
		ensure!(payload_len <= T::MaxPayload::get(), Refusal::PayloadTooLarge);

		let group = Groups::<T>::get(candidate.group).ok_or(Refusal::UnknownGroup)?;
		let parent = OpenEntries::<T>::get(candidate.group, candidate.parent).ok_or(Refusal::ParentNotOpen)?;
		ensure!(is_open::<T>(&parent.entry, now), Refusal::ParentNotOpen);

		let due = next_candidate_at(parent.entry.last_child_at, parent.entry.children, T::CandidateInterval::get());
		ensure!(now >= due && !parent.candidates.is_full(), Refusal::Superseded);
		let payload_hash = payload_hash(candidate.payload);
		let digest = CandidateDigest::new(&payload_hash, candidate.next_key);
		ensure!(!parent.candidates.contains(&digest), Refusal::Superseded);

		// The first child carries the lineage on. A further one starts its own, so that whoever has used up the
		// budget of a branch that the members skip has not used up that of the branch they follow. Every entry of
		// such a lineage can be contested in turn: the group's allowance keeps that from being a doubling, and a slow
		// refill keeps many lineages from being many budgets.
		let (contests, contesting, available) = match parent.entry.children {
			0 => {
				let contesting = parent.contesting;
				(group.contests, contesting, budget::refill::<T>(&parent.entry.budget, contesting, now))
			}
			_ => {
				let contests = budget::refill_contests::<T>(&group.contests, now);
				(budget::spend_contest(&contests).ok_or(Refusal::OverBudget)?, true, budget::contesting::<T>(now))
			}
		};
		let budget = budget::spend(&available, payload_len).ok_or(Refusal::OverBudget)?;

		let body = EntryBody {
			parent: *candidate.parent,
			payload_hash,
			payload_len,
			next_key: *candidate.next_key,
			endorsement: *candidate.endorsement,
		};
		if signature == Signature::Verify {
			let genesis = Self::genesis();
			let message =
				endorsement_payload(&genesis, candidate.group, &body.parent, &body.payload_hash, &body.next_key);
			ensure!(verifies(&body.endorsement, &message, &parent.entry.next_key), Refusal::BadEndorsement);
		}

		let head = group.state.head.append(now, &body).ok_or(Refusal::LogFull)?;
		let open_entries = group.state.open_entries.checked_add(1).ok_or(Refusal::LogFull)?;
		let depth = parent.entry.depth.checked_add(1).ok_or(Refusal::LogFull)?;
		Ok(Admission { group, contests, parent, body, head, open_entries, depth, budget, contesting, digest })
	}

	/// Decides whether the pool and the block may take the append, and under which conditions.
	pub(crate) fn authorize_append(candidate: &Candidate<'_>) -> TransactionValidityWithRefund {
		Self::admit(candidate, Signature::Verify).map_err(|refusal| InvalidTransaction::Custom(refusal.code()))?;
		let validity = ValidTransaction {
			priority: APPEND_PRIORITY,
			requires: Vec::new(),
			provides: alloc::vec![(APPEND_TAG, candidate.group, candidate.parent).encode()],
			longevity: T::AppendLongevity::get(),
			propagate: true,
		};
		Ok((validity, Weight::zero()))
	}
}

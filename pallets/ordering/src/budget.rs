//! What a lineage may append: so many entries and bytes at once, and so many more with each block. And how many
//! lineages a group may start.

use crate::{types::Contests, Config};
use frame_support::traits::Get;
use lockstep_primitives::{BlockNumber, Budget};

/// The budget of the lineage that starts with entry 0, in block `now`: full.
pub(crate) fn full<T: Config>(now: BlockNumber) -> Budget {
	Budget { entries: T::EntryCapacity::get(), bytes: T::ByteCapacity::get(), at: now }
}

/// The budget of a lineage that a contest starts in block `now`: small, since whoever holds one key can make many.
pub(crate) fn contesting<T: Config>(now: BlockNumber) -> Budget {
	Budget { entries: T::ContestEntries::get(), bytes: T::ContestBytes::get(), at: now }
}

/// The budget with what it has gained until block `now`. A lineage that a contest started gains more slowly, in steps
/// of `ContestSlowdown` blocks; the blocks towards the next step are kept.
pub(crate) fn refill<T: Config>(budget: &Budget, contesting: bool, now: BlockNumber) -> Budget {
	let step = if contesting { T::ContestSlowdown::get().max(1) } else { 1 };
	let elapsed = now.saturating_sub(budget.at);
	let steps = elapsed / step;
	let gained = |have: u32, rate: u32, capacity: u32| have.saturating_add(rate.saturating_mul(steps)).min(capacity);
	Budget {
		entries: gained(budget.entries, T::EntryRefill::get(), T::EntryCapacity::get()),
		bytes: gained(budget.bytes, T::ByteRefill::get(), T::ByteCapacity::get()),
		at: budget.at.saturating_add(elapsed - elapsed % step),
	}
}

/// The budget less one entry with a payload of `bytes`; `None` if it does not suffice.
pub(crate) fn spend(budget: &Budget, bytes: u32) -> Option<Budget> {
	Some(Budget { entries: budget.entries.checked_sub(1)?, bytes: budget.bytes.checked_sub(bytes)?, at: budget.at })
}

/// The allowance of a group that is created in block `now`: full.
pub(crate) fn full_contests<T: Config>(now: BlockNumber) -> Contests {
	Contests { left: T::ContestCapacity::get(), at: now }
}

/// The allowance with what it has gained until block `now`. The blocks towards the next contest are kept, except
/// while the allowance is full.
pub(crate) fn refill_contests<T: Config>(contests: &Contests, now: BlockNumber) -> Contests {
	let period = T::ContestRefill::get().max(1);
	let elapsed = now.saturating_sub(contests.at);
	let left = contests.left.saturating_add(elapsed / period);
	if left >= T::ContestCapacity::get() {
		return full_contests::<T>(now);
	}
	Contests { left, at: contests.at.saturating_add(elapsed - elapsed % period) }
}

/// The allowance less one contest; `None` if there is none left.
pub(crate) fn spend_contest(contests: &Contests) -> Option<Contests> {
	Some(Contests { left: contests.left.checked_sub(1)?, at: contests.at })
}

//! Verdicts of the stand-in, and going to the next epoch.

use super::{
	commit::{kept, Commit, Flaw},
	letter::Package,
	seal,
	state::{ordering_key, text, State},
	StandIn,
};
use crate::{
	mls::{
		BundleError, Candidate, EngineError, EpochChange, EpochKeys, InvalidReason, Prepared, PrivateReason, Staged,
		Verdict,
	},
	store::Overlay,
};
use lockstep_primitives::{EntryHash, GroupId};

/// A valid entry, staged.
pub struct StandInStaged {
	group: GroupId,
	before: State,
	next: State,
	added: Vec<String>,
	removed: Vec<String>,
	readmitted: Vec<String>,
	removes_me: bool,
	own: bool,
}

impl StandInStaged {
	pub(super) fn new(group: GroupId, before: State, commit: Commit, bytes: &[u8], me: &str, own: bool) -> Self {
		let next = commit.next(&before, bytes);
		let removed = commit.removed();
		let identities = |packages: Vec<Package>| packages.into_iter().map(|package| package.identity).collect();
		let (added, readmitted): (_, Vec<String>) = (identities(commit.adds), identities(commit.readmits));
		let removes_me = removed.iter().chain(&readmitted).any(|identity| identity == me);
		Self { group, before, next, added, removed, readmitted, removes_me, own }
	}
}

impl Staged for StandInStaged {
	fn removes_me(&self) -> bool {
		self.removes_me
	}

	fn is_own(&self) -> bool {
		self.own
	}
}

impl StandIn {
	pub(super) fn judge(
		&self,
		overlay: &Overlay<'_>,
		candidate: &Candidate<'_>,
		own: Option<&Prepared>,
	) -> Result<Verdict<StandInStaged>, EngineError> {
		let Candidate { group, parent, next_key, payload, .. } = *candidate;
		let state = State::active(overlay, group)?;
		let tip = EpochKeys::of_epoch(overlay, group, state.epoch)?.ok_or(EngineError::NotPlaced(*group))?.entry;
		if tip != *parent {
			return Err(EngineError::NotAtEntry { tip, asked: *parent });
		}
		let bytes = match seal::open(&state.payload_key(), payload) {
			Ok(bytes) => bytes,
			Err(error) => return Ok(Verdict::PubliclyInvalid(error.into())),
		};
		let Ok(commit) = serde_json::from_slice::<Commit>(&bytes) else {
			return Ok(Verdict::PubliclyInvalid(BundleError::Encoding.into()));
		};
		if !commit.is_sound(&state) {
			return Ok(Verdict::PubliclyInvalid(InvalidReason::Mls("it says so".to_owned())));
		}
		let me = text(&self.identity);
		let own = match own {
			Some(own) if own.parent == *parent => kept(own)? == bytes,
			_ => false,
		};
		if commit.committer == me && !own {
			return Ok(Verdict::PrivatelyFailing(PrivateReason::OwnCommit));
		}
		if let Flaw::Private(victims) = &commit.flaw {
			if victims.contains(&me) {
				return Ok(Verdict::PrivatelyFailing(PrivateReason::Path("it says so".to_owned())));
			}
		}
		let staged = StandInStaged::new(*group, state, commit, &bytes, &me, own);
		if !staged.removes_me && ordering_key(&staged.next.secret) != *next_key {
			return Ok(Verdict::PubliclyInvalid(InvalidReason::NextKey));
		}
		Ok(Verdict::Valid(Box::new(staged)))
	}

	pub(super) fn advance(
		&self,
		overlay: &Overlay<'_>,
		entry: &EntryHash,
		staged: StandInStaged,
	) -> Result<EpochChange, EngineError> {
		let StandInStaged { group, before, next, added, removed, readmitted, removes_me, own: _ } = staged;
		let current = State::active(overlay, &group)?;
		if current.epoch != before.epoch || current.secret != before.secret {
			return Err(EngineError::NotNext { staged: next.epoch, current: current.epoch });
		}
		let replaced_me = removes_me && readmitted.iter().any(|identity| identity.as_bytes() == self.identity);
		let identities = |list: Vec<String>| list.into_iter().map(String::into_bytes).collect();
		let after = if removes_me { State { active: false, epoch: next.epoch, ..current } } else { next };
		after.store(overlay, &group)?;
		if !removes_me {
			after.keys(entry).record(overlay, &group)?;
		}
		let view = after.view(&self.identity);
		Ok(EpochChange {
			epoch: view.epoch,
			authenticator: view.authenticator,
			added: identities(added),
			removed: identities(removed),
			readmitted: identities(readmitted),
			rotated: Vec::new(),
			devices_added: Vec::new(),
			devices_removed: Vec::new(),
			data: None,
			removed_me: removes_me,
			replaced_me,
			ordering_key: view.ordering_key,
		})
	}
}

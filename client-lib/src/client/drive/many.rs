//! Several entries of one group in one write, for a member who has to catch up.
//!
//! Each entry is judged and applied as if it came alone, on a transaction of its own within that of the write. So after a
//! crash the member is in front of all of them, or behind all; and if one cannot be judged, those before it are written
//! without it. What is reported is reported when it is written.
//!
//! Nothing of this member may be under way (a commit, the wish to leave), for that would have to be done between two entries.
//! What waits to be committed waits on, until the log is read to its end. For the same reason an
//! entry is the last of its write if statements of the epoch that it opens are waiting: they are read in that epoch.

use super::{commit_together, step::Step, Done, DriveError, Material};
use crate::{
	client::{core::Core, group::Group, inbox, people::remember_taken_out, rejoin::Asked},
	gate::{self, Gate, Input, Mode},
	log::VerifiedEntry,
	mls::{constants::MAX_PAST_EPOCHS, Mls},
	mutation::{self, Mutation},
	store::Overlay,
};
use lockstep_primitives::GroupId;

impl<M: Mls> Core<M> {
	/// Takes entries that continue the log of the first one's group, as many as go into one write; gives how many.
	pub fn on_entries(&mut self, entries: &[(GroupId, VerifiedEntry)]) -> usize {
		let Some((id, first)) = entries.first() else { return 0 };
		if self.groups.get(id).is_some_and(|group| group.unknown.is_some()) {
			// It is read again, from where the group stands.
			return 1;
		}
		let together = self.groups.get(id).map_or(1, |group| together(group, entries));
		match entries.get(..together) {
			Some(several) if together > 1 => self.read_on(id, several),
			_ => {
				self.on_entry(id, first);
				1
			}
		}
	}

	fn read_on(&mut self, id: &GroupId, entries: &[(GroupId, VerifiedEntry)]) -> usize {
		let store = self.store.clone();
		let overlay = store.overlay();
		let Some(group) = self.groups.get_mut(id) else { return entries.len() };
		let mut gate = group.gate.clone();
		let (mut read, mut opened, mut trouble) = (Vec::new(), Vec::new(), None);
		for (_, entry) in entries {
			match Step::of_entry(&self.engine, &overlay, id, group, gate.clone(), entry) {
				Ok((next, done)) => {
					gate = next;
					opened.extend(done.advanced.as_ref().map(|_| (gate.tip().epoch, gate.tip().block)));
					read.push(done);
				}
				Err(error) => trouble = Some(error),
			}
			if trouble.is_some() || gate.is_stopped() {
				break;
			}
		}
		let taken = read.len().saturating_add(usize::from(trouble.is_some()));
		if !read.is_empty() {
			group.replaced |= read.iter().any(|done: &Done| done.replaced);
			if let Err(error) = commit_together(&store, overlay, id, &group.membership(&gate)) {
				self.halt(id, error);
				return taken;
			}
		}
		group.gate = gate;
		if !opened.is_empty() {
			group.opened.extend(opened);
			group.signers = None;
			group.proposals.clear();
		}
		let last = read.pop();
		read.into_iter().for_each(|done| self.report_read(id, done));
		if let Some(last) = last {
			#[cfg(feature = "hostile")]
			self.hoard_keys(id);
			self.follow_up(id, last);
		}
		if let Some(error) = trouble {
			self.not_read(id, error);
		}
		taken
	}

	/// What is to be told of an entry after which nothing else is to be done.
	fn report_read(&mut self, id: &GroupId, done: Done) {
		self.report_skipped(id, done.skipped);
		if let Some((entry, change, own)) = done.advanced {
			if self.takes_out_own(&change) {
				self.forget_own_adds(id);
			}
			self.report_epoch(id, &entry, change, own);
		}
	}
}

/// How many of these entries, the first of which is of this group, go into one write.
fn together(group: &Group, entries: &[(GroupId, VerifiedEntry)]) -> usize {
	let busy = group.gate.pending().is_some() || group.leaving || !group.current.is_empty();
	let busy = busy && !mutation::is(Mutation::ReadOnBusy);
	if busy || *group.gate.mode() != Mode::Following {
		return 1;
	}
	let first = entries.first().map(|(id, _)| *id);
	let of_group = entries.iter().take(MAX_PAST_EPOCHS).take_while(|(id, _)| Some(*id) == first);
	let before = of_group
		.clone()
		.take_while(|(_, entry)| !group.buffer.has(&entry.header.next_key.0) || mutation::is(Mutation::ReadOnUnread));
	before.count().saturating_add(1).min(of_group.count())
}

impl<M: Mls> Step<'_, M> {
	/// Judges an entry, and goes where it leads, on a transaction within `overlay`; the position in the log is not in it yet.
	/// After an error `overlay` is as it was.
	fn of_entry(
		engine: &M,
		overlay: &Overlay<'_>,
		id: &GroupId,
		group: &Group,
		gate: Gate,
		entry: &VerifiedEntry,
	) -> Result<(Gate, Done), DriveError> {
		let overlay = overlay.nested();
		let (gate, effects) = gate::step(gate, Input::Entry(entry.header));
		let material = Material::Payload(entry.payload.as_deref());
		let mut step = Step::new(id, group, gate, effects, material);
		step.run(engine, &overlay)?;
		step.end_intents(&overlay, group)?;
		if step.done.advanced.is_some() {
			inbox::forget_heard(&overlay, id, step.gate.tip().epoch)?;
		}
		if let Some((_, change, _)) = &step.done.advanced {
			remember_taken_out(&overlay, id, engine.identity(), change)?;
		}
		if step.done.is_new_start() {
			Asked::forget(&overlay, id)?;
		}
		overlay.commit()?;
		Ok((step.gate, step.done))
	}
}

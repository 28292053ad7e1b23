//! What a member was told, as its application would remember it. The application never crashes and forgets nothing.

use lockstep_client::{Ended, Intent};
use lockstep_primitives::{EntryHash, GroupId};
use std::collections::BTreeMap;

/// An intent that was taken on.
#[derive(Debug)]
pub(crate) struct Taken {
	/// None if the client took it on by itself.
	pub(crate) intent: Option<Intent>,
	/// How it ended, once that was reported.
	pub(crate) ended: Option<Ended>,
}

/// See the module.
#[derive(Debug, Default)]
pub(crate) struct Promises {
	pub(crate) intents: BTreeMap<(GroupId, u64), Taken>,
	/// Messages that it sent, and whether it was told that a node has it, or that it was given up.
	pub(crate) sent: BTreeMap<Vec<u8>, bool>,
	/// Messages that it read, with their numbers.
	pub(crate) read: BTreeMap<Vec<u8>, u64>,
	/// Acknowledged up to this number, exclusive.
	pub(crate) acknowledged: u64,
	/// It was told that it is leaving.
	pub(crate) leaving: bool,
}

impl Promises {
	/// A message was reported, or found unread.
	pub(crate) fn reads(&mut self, number: u64, text: &[u8]) -> Result<(), String> {
		let before = *self.read.entry(text.to_vec()).or_insert(number);
		if before == number {
			return Ok(());
		}
		let text = String::from_utf8_lossy(text);
		Err(format!("the message {text:?} was received twice, as number {before} and {number}"))
	}

	/// The end of an intent was reported, or found. `own` if it may be one that the client took on by itself.
	pub(crate) fn ends(&mut self, group: GroupId, number: u64, ended: &Ended, own: bool) -> Result<(), String> {
		if own {
			self.intents.entry((group, number)).or_insert(Taken { intent: None, ended: None });
		}
		let Some(taken) = self.intents.get_mut(&(group, number)) else {
			return Err(format!("intent {number} ended, but was never taken on"));
		};
		match &taken.ended {
			Some(before) if !alike(before, ended) => {
				Err(format!("intent {number} ended as {before:?}, and then as {ended:?}"))
			}
			_ => {
				taken.ended = Some(ended.clone());
				Ok(())
			}
		}
	}
}

/// Whether both are the same but for what a clock says.
fn alike(one: &Ended, other: &Ended) -> bool {
	fn entry(ended: &Ended) -> Option<(EntryHash, u64)> {
		match ended {
			Ended::Done(committed) => Some((committed.entry, committed.epoch)),
			Ended::Superseded { by, epoch } => Some((*by, *epoch)),
			_ => None,
		}
	}
	std::mem::discriminant(one) == std::mem::discriminant(other) && entry(one) == entry(other)
}

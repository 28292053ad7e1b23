//! `lockstep read`.

use crate::{
	failure::Failure,
	happened::Record,
	job::{GroupName, Job},
	output::Out,
};
use clap::Args;
use lockstep_client::GroupId;
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;

/// Prints what is new in a group's conversation
///
/// Without `--follow` it ends when the client is where the chain is and nothing more seems to come. What was
/// printed is not printed again, unless `--all` or `--last` asks for it.
#[derive(Args, Clone, Debug, Serialize, Deserialize)]
pub struct Read {
	/// The group: the first digits of its id; all groups if left out
	group: Option<GroupName>,
	/// Goes on until it is interrupted; waits for an invitation first if this identity is not in the group yet
	#[arg(long, short)]
	follow: bool,
	/// Begins with what was read before
	#[arg(long, conflicts_with = "last")]
	all: bool,
	/// Begins with so many records that were read before
	#[arg(long, value_name = "N", default_value_t = 0)]
	last: usize,
}

impl Read {
	/// Whether it goes on until it is interrupted.
	pub fn follows(&self) -> bool {
		self.follow
	}

	pub async fn run(&self, job: &Job<'_>) -> Result<(), Failure> {
		let group = match &self.group {
			Some(name) if self.follow => Some(super::join::wait(job, Some(name)).await?),
			Some(name) => Some(job.group(name).await?),
			None => None,
		};
		let again = if self.all { usize::MAX } else { self.last };
		let mut reader = Reader::new(group, again);
		// What is here already needs no node.
		reader.show(job)?;
		if !self.follow {
			let caught_up = job.session.catch_up(job.out, job.patience()).await;
			reader.show(job)?;
			return caught_up;
		}
		loop {
			job.session.history().beyond(reader.next).await;
			reader.show(job)?;
		}
	}
}

/// What is about no group in particular has a mark of its own when all groups are read: no group has this id.
const NO_GROUP: GroupId = GroupId([0; 32]);

/// Shows a conversation from where it was last read.
pub struct Reader {
	/// All groups if none is named.
	group: Option<GroupId>,
	/// The number of the record to look at next.
	pub next: usize,
	/// How many records that were read before are shown first.
	again: usize,
	/// Leaves out what this client said.
	pub without_own: bool,
}

impl Reader {
	pub fn new(group: Option<GroupId>, again: usize) -> Self {
		Self { group, next: 0, again, without_own: false }
	}

	/// Shows what is new, and marks it as read.
	pub fn show(&mut self, job: &Job<'_>) -> Result<(), Failure> {
		let (first, records) = (self.next, job.session.history().since(self.next));
		let mut unread = Vec::new();
		let mut read = Vec::new();
		let mut groups = BTreeSet::new();
		{
			let marks = job.session.marks();
			for (number, record) in (first..).zip(&records) {
				let about = record.happened.group();
				let wanted = self.group.is_none() || about.is_none() || about == self.group;
				if !wanted || !record.happened.is_conversation() {
					continue;
				}
				let place = about.or(self.group).unwrap_or(NO_GROUP);
				let mark = marks.of(&place);
				groups.insert(place);
				if number < mark {
					read.push(record)
				} else {
					unread.push(record)
				}
			}
		}
		let again = read.len().saturating_sub(std::mem::take(&mut self.again));
		for record in read.iter().skip(again).chain(&unread) {
			if !(self.without_own && record.happened.is_own_message()) {
				show(record, self.group.is_none(), job.out)?;
			}
		}
		self.next = first.saturating_add(records.len());
		let next = self.next;
		job.session.marks().set(groups, next)
	}
}

fn show(record: &Record, with_group: bool, out: &Out) -> Result<(), Failure> {
	let text = record.happened.text();
	let text = match record.happened.group() {
		Some(group) if with_group => format!("[{}] {text}", group.to_string().get(..8).unwrap_or_default()),
		_ => text,
	};
	out.result(&text, record)
}

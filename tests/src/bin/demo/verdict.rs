//! What the demo ends with: a table, and whether everything held.

use crate::people::{People, NAMES, PHONE};
use lockstep_primitives::{BlockNumber, GroupId};
use lockstep_tests::{
	figures::Samples,
	members::{saying, ADVANCING},
	network::VALIDATORS,
	table::{short, Table},
	Error, Member, Members, Result,
};
use std::fmt;

/// What is counted while the demo runs.
#[derive(Default)]
pub struct Tally {
	/// From the call for each commit to its member in the new epoch, in milliseconds.
	pub latencies: Samples,
	/// Races won, by the positions of the members.
	pub won: [usize; NAMES.len()],
}

/// What was found, member by member, and what was found wrong.
pub struct Verdict {
	rows: Vec<Row>,
	latencies: Samples,
	epochs_compared: usize,
	/// The newest block that a member has verified.
	verified: BlockNumber,
	/// What nodes were caught at.
	lies: usize,
	messages: (usize, usize),
	wrong: Vec<String>,
}

struct Row {
	name: String,
	identity: String,
	node: &'static str,
	epoch: u64,
	authenticator: String,
	won: usize,
	read: usize,
	due: usize,
	state: &'static str,
}

impl Verdict {
	/// A verdict in which nothing has been looked at but who won what.
	pub fn new(people: &People, group: GroupId, Tally { latencies, won }: Tally) -> Self {
		let nodes = VALIDATORS.iter().cycle();
		let rows = people.members.iter().zip(nodes).zip(won).enumerate().map(|(position, ((member, node), won))| {
			let chronicle = member.chronicle(group);
			let newest = chronicle.epochs.last_key_value();
			Row {
				name: member.name().into(),
				identity: short(member.identity()),
				node,
				epoch: chronicle.newest().unwrap_or(0),
				authenticator: newest.map_or(String::new(), |(_, advance)| short(&advance.authenticator)),
				won,
				read: 0,
				due: 0,
				state: match (chronicle.removed, position) {
					(true, PHONE) => "revoked",
					(true, _) => "removed",
					(false, _) => "in lockstep",
				},
			}
		});
		Self {
			rows: rows.collect(),
			latencies,
			epochs_compared: 0,
			verified: 0,
			lies: 0,
			messages: (0, 0),
			wrong: Vec::new(),
		}
	}

	/// Whether nothing was found wrong.
	pub fn holds(&self) -> bool {
		self.wrong.is_empty()
	}

	/// Compares every epoch of every two members, and where those who stay are now.
	pub async fn compare(&mut self, members: &Members, group: GroupId, staying: &[usize]) -> Result<()> {
		match members.one_history(group) {
			Ok(compared) => self.epochs_compared = compared,
			Err(error) => self.wrong.push(error.to_string()),
		}
		if let Err(error) = members.agree(group, staying, ADVANCING).await {
			self.wrong.push(error.to_string());
		}
		for position in staying {
			let Some(member) = members.get(*position) else { continue };
			self.verified = self.verified.max(member.status(group).await?.finalized);
			self.lies += member.client().evidence().await.map_err(Error::client(member.name()))?.len();
		}
		if self.verified == 0 {
			self.wrong.push("no block was verified".into());
		}
		Ok(())
	}

	/// Counts the messages under a tag: each speaker's has to be read by each other one, once.
	pub fn count_messages(&mut self, members: &Members, group: GroupId, who: &[usize], tag: &str) {
		for listener in who {
			let chronicle = members[*listener].chronicle(group);
			for speaker in who.iter().filter(|speaker| *speaker != listener) {
				let (speaker, identity) = (members[*speaker].name(), members[*speaker].identity());
				let times = chronicle.times_heard(&saying(tag, speaker), identity);
				let row = &mut self.rows[*listener];
				row.due += 1;
				row.read += times;
				self.messages.0 += times;
				self.messages.1 += 1;
				if times != 1 {
					self.wrong.push(format!("{} read {speaker}'s message {tag} {times} times", row.name));
				}
			}
		}
	}

	/// Looks at what a member that is out read of what others said under these tags, after that.
	pub fn look_at_removed(&mut self, removed: &Member, group: GroupId, tags: &[&str]) {
		let chronicle = removed.chronicle(group);
		if !chronicle.removed {
			self.wrong.push(format!("{} does not know that it is out", removed.name()));
		}
		for (tag, name) in tags.iter().flat_map(|tag| NAMES.map(|name| (tag, name))) {
			let said = saying(tag, name);
			if chronicle.heard.iter().any(|heard| heard.data == said) {
				self.wrong.push(format!("{} read what {name} said {tag}", removed.name()));
			}
		}
	}
}

impl fmt::Display for Verdict {
	fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
		let mut table =
			Table::new(["member", "identity", "node", "epoch", "authenticator", "won", "messages read", "state"]);
		for row in &self.rows {
			let read = format!("{} of {}", row.read, row.due);
			let (epoch, won) = (row.epoch.to_string(), row.won.to_string());
			let (name, node, state) = (row.name.clone(), row.node.to_string(), row.state.to_string());
			table.row([name, row.identity.clone(), node, epoch, row.authenticator.clone(), won, read, state]);
		}
		writeln!(f, "\n{table}")?;
		let [p50, p90, most] = [50, 90, 100].map(|percent| self.latencies.percentile(percent));
		writeln!(
			f,
			"  submit-to-final   {} commits: half within {p50:.0} ms, nine in ten within {p90:.0} ms, all within {most:.0} ms",
			self.latencies.len()
		)?;
		writeln!(f, "  history           {} epochs compared between members", self.epochs_compared)?;
		writeln!(
			f,
			"  verified          GRANDPA's votes from the genesis to block {}, and each log by read proof; {} lies of nodes",
			self.verified, self.lies
		)?;
		writeln!(f, "  messages          {} of {} read\n", self.messages.0, self.messages.1)?;
		if self.holds() {
			return writeln!(
				f,
				"  IN LOCKSTEP: one history, equal authenticators, no message lost, nothing read by who is out"
			);
		}
		for wrong in &self.wrong {
			writeln!(f, "  wrong: {wrong}")?;
		}
		writeln!(f, "\n  NOT IN LOCKSTEP")
	}
}

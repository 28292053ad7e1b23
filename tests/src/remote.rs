//! A member in a process of its own, driven over its standard input and output, a line of JSON at a time.
//!
//! For what belongs to a process: its clock, its memory, its sudden end.

use crate::{programs, within, Error, Result};
use lockstep_primitives::{EntryHash, GroupId};
use serde::{Deserialize, Serialize};
use std::{os::unix::process::ExitStatusExt, path::Path, process::Stdio, time::Duration};
use tokio::{
	io::{AsyncBufReadExt, AsyncWriteExt, BufReader, Lines},
	process::{Child, ChildStdin, ChildStdout, Command},
};

/// For a request that waits for nothing on chain.
const ANSWER: Duration = Duration::from_secs(120);

/// How a process ends at a write.
const SIGABRT: i32 = 6;

/// The environment variable that tells a member process at which of its writes to die
/// ([`DeathPoint`](crate::write_kinds::DeathPoint)).
pub const DIE_AT: &str = "LOCKSTEP_DIE_AT";
/// The one that names the file in which it notes the kinds of its writes, a line each.
pub const WRITES: &str = "LOCKSTEP_WRITES";
/// The one that says for how many blocks it keeps the keys of an epoch that is over.
pub const PAST_EPOCHS_KEPT: &str = "LOCKSTEP_PAST_EPOCHS_KEPT";

/// What a member process is told to do.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(tag = "do", rename_all = "snake_case")]
pub enum Request {
	/// Tell the time: answered by [`Answer::Clock`].
	Clock,
	/// Make a KeyPackage: answered by [`Answer::KeyPackage`].
	KeyPackage,
	/// Wait to be in the group, and then in this epoch or a later one: answered by [`Answer::Status`].
	Reach {
		/// The group.
		group: GroupId,
		/// The epoch.
		epoch: u64,
	},
	/// Found a group: answered by [`Answer::Founded`].
	Found,
	/// Tell which groups it is in: answered by [`Answer::Groups`].
	Groups,
	/// Add the owners of these KeyPackages, in hexadecimal: answered by [`Answer::Status`].
	Add {
		/// The group.
		group: GroupId,
		/// The KeyPackages.
		key_packages: Vec<String>,
	},
	/// Tell where it stands: answered by [`Answer::Status`].
	Stand {
		/// The group.
		group: GroupId,
	},
	/// Take on the intent to renew the keys: answered by [`Answer::Taken`] as soon as it is stored.
	Enqueue {
		/// The group.
		group: GroupId,
	},
	/// Take on the intent to remove a member: answered by [`Answer::Taken`] as soon as it is stored.
	EnqueueRemoval {
		/// The group.
		group: GroupId,
		/// The member's name.
		name: String,
	},
	/// Wait until no intent is left that has not ended: answered by [`Answer::Ended`].
	Settle {
		/// The group.
		group: GroupId,
	},
	/// Tell which intents have ended, of those that are remembered: answered by [`Answer::Ended`].
	Intents {
		/// The group.
		group: GroupId,
	},
	/// Tell which messages it gave up: answered by [`Answer::Undelivered`].
	Undelivered,
	/// Forget the messages that it gave up: answered by [`Answer::Done`].
	Dismiss,
	/// Tell what is unread: answered by [`Answer::Unread`].
	Unread,
	/// Acknowledge all messages up to this number: answered by [`Answer::Done`].
	Acknowledge {
		/// The number.
		up_to: u64,
	},
	/// Tell how often a node was caught lying: answered by [`Answer::Count`].
	Lies,
	/// Tell of how many epochs it has the keys: answered by [`Answer::Count`].
	Epochs {
		/// The group.
		group: GroupId,
	},
	/// Commit a self-update: answered by [`Answer::Status`].
	Update {
		/// The group.
		group: GroupId,
	},
	/// Send a message: answered by [`Answer::Done`].
	Send {
		/// The group.
		group: GroupId,
		/// The message.
		text: String,
	},
	/// Wait for a message: answered by [`Answer::Done`].
	Hear {
		/// The group.
		group: GroupId,
		/// The sender's name.
		sender: String,
		/// The message.
		text: String,
	},
}

/// What a member process answers.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(tag = "is", rename_all = "snake_case")]
pub enum Answer {
	/// The time of its clock.
	Clock {
		/// Seconds since 1970.
		unix: u64,
	},
	/// A KeyPackage.
	KeyPackage {
		/// Its bytes, in hexadecimal.
		bytes: String,
	},
	/// The new group.
	Founded {
		/// Its id.
		group: GroupId,
	},
	/// The groups that it is or was in.
	Groups {
		/// Their ids.
		groups: Vec<GroupId>,
	},
	/// The number of the intent.
	Taken {
		/// The number.
		number: u64,
	},
	/// How the intents ended that are remembered: their numbers, and the entries that carry what they asked for.
	Ended {
		/// Those that came about.
		done: Vec<(u64, EntryHash)>,
		/// Those that did not, and why.
		failed: Vec<(u64, String)>,
	},
	/// The messages that it gave up.
	Undelivered {
		/// What they say.
		texts: Vec<String>,
	},
	/// The messages that were not acknowledged.
	Unread {
		/// Number, sender's name and text of each.
		messages: Vec<(u64, String, String)>,
	},
	/// Where it stands.
	Status {
		/// The epoch.
		epoch: u64,
		/// The entry that opened it.
		entry: EntryHash,
		/// The epoch authenticator, in hexadecimal.
		authenticator: String,
	},
	/// So many.
	Count {
		/// How many.
		count: usize,
	},
	/// It was done.
	Done,
	/// It was not done.
	Failed {
		/// Why.
		reason: String,
	},
}

/// A running member process. Killed when dropped.
#[derive(Debug)]
pub struct RemoteMember {
	name: String,
	child: Child,
	requests: ChildStdin,
	answers: Lines<BufReader<ChildStdout>>,
	over: bool,
}

impl RemoteMember {
	/// Starts a member with this name, store and node, or several with commas between them, in this environment beside its own.
	pub async fn start(name: &str, folder: &Path, node: &str, environment: &[(&str, String)]) -> Result<Self> {
		let mut child = Command::new(programs::member()?)
			.args(["--name", name, "--node", node, "--folder"])
			.arg(folder)
			.envs(environment.iter().map(|(key, value)| (key, value)))
			.stdin(Stdio::piped())
			.stdout(Stdio::piped())
			.kill_on_drop(true)
			.spawn()
			.map_err(Error::io(format!("starting the member {name}")))?;
		let missing = || Error::Broken(format!("the member {name} has no standard input or output"));
		let requests = child.stdin.take().ok_or_else(missing)?;
		let answers = BufReader::new(child.stdout.take().ok_or_else(missing)?).lines();
		Ok(Self { name: name.into(), child, requests, answers, over: false })
	}

	/// Its process id; `None` once it has ended.
	pub fn pid(&self) -> Option<u32> {
		self.child.id()
	}

	/// Kills the process, if it is still there, and waits for its end.
	pub async fn kill(mut self) -> Result<()> {
		match self.child.id() {
			Some(_) => self.child.kill().await.map_err(Error::io(format!("killing the member {}", self.name))),
			None => Ok(()),
		}
	}

	/// Waits for the end of the process, which is to be one at a write ([`DIE_AT`]) and no other.
	pub async fn has_died(&mut self) -> Result<()> {
		let ended = within(ANSWER, format!("the end of {}", self.name), self.child.wait()).await?;
		let status = ended.map_err(Error::io(format!("waiting for the end of {}", self.name)))?;
		match status.signal() {
			Some(SIGABRT) => Ok(()),
			_ => Err(Error::Broken(format!("{} was to die at a write, and ended with {status}", self.name))),
		}
	}

	/// Whether the process has ended, or is about to: its output is closed.
	pub fn is_over(&self) -> bool {
		self.over
	}

	/// Sends a request and waits for its answer; [`Answer::Failed`] is an error here.
	pub async fn ask(&mut self, request: &Request) -> Result<Answer> {
		let failed = |reason: String| Error::Broken(format!("{}: {request:?}: {reason}", self.name));
		let line = serde_json::to_string(request).map_err(|error| failed(error.to_string()))? + "\n";
		if let Err(error) = self.requests.write_all(line.as_bytes()).await {
			self.over = true;
			return Err(failed(error.to_string()));
		}
		let answer = within(ANSWER, format!("the answer of {} to {request:?}", self.name), self.answers.next_line());
		let line = answer.await?.map_err(|error| failed(error.to_string()))?;
		self.over = line.is_none();
		let line = line.ok_or_else(|| failed("the process has ended".into()))?;
		match serde_json::from_str(&line).map_err(|error| failed(error.to_string()))? {
			Answer::Failed { reason } => Err(failed(reason)),
			answer => Ok(answer),
		}
	}
}

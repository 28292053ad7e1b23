//! A member in a process of its own, driven over its standard input and output, a line of JSON at a time.
//!
//! For what belongs to a process: its clock, its memory, its sudden end.

use crate::{programs, within, Error, Result};
use lockstep_primitives::{EntryHash, GroupId};
use serde::{Deserialize, Serialize};
use std::{path::Path, process::Stdio, time::Duration};
use tokio::{
	io::{AsyncBufReadExt, AsyncWriteExt, BufReader, Lines},
	process::{Child, ChildStdin, ChildStdout, Command},
};

/// For a request that waits for nothing on chain.
const ANSWER: Duration = Duration::from_secs(120);

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
	/// Where it stands.
	Status {
		/// The epoch.
		epoch: u64,
		/// The entry that opened it.
		entry: EntryHash,
		/// The epoch authenticator, in hexadecimal.
		authenticator: String,
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
}

impl RemoteMember {
	/// Starts a member with this name, store and node, in this environment beside its own.
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
		Ok(Self { name: name.into(), child, requests, answers })
	}

	/// Its process id; `None` once it has ended.
	pub fn pid(&self) -> Option<u32> {
		self.child.id()
	}

	/// Sends a request and waits for its answer; [`Answer::Failed`] is an error here.
	pub async fn ask(&mut self, request: &Request) -> Result<Answer> {
		let failed = |reason: String| Error::Broken(format!("{}: {request:?}: {reason}", self.name));
		let line = serde_json::to_string(request).map_err(|error| failed(error.to_string()))? + "\n";
		self.requests.write_all(line.as_bytes()).await.map_err(|error| failed(error.to_string()))?;
		let answer = within(ANSWER, format!("the answer of {} to {request:?}", self.name), self.answers.next_line());
		let line = answer.await?.map_err(|error| failed(error.to_string()))?;
		let line = line.ok_or_else(|| failed("the process has ended".into()))?;
		match serde_json::from_str(&line).map_err(|error| failed(error.to_string()))? {
			Answer::Failed { reason } => Err(failed(reason)),
			answer => Ok(answer),
		}
	}
}

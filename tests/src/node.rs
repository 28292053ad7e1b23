//! One node as a process.
//!
//! It stays in the process group of whoever started it, so that a terminal's interrupt and a test runner's deadline
//! reach it too, and it is killed, by its own process id, when it is dropped.

use crate::{within, Error, Result};
use std::{
	net::SocketAddr,
	path::{Path, PathBuf},
	process::Stdio,
	time::Duration,
};
use tokio::{
	io::{AsyncBufReadExt, AsyncWriteExt, BufReader},
	process::{Child, ChildStderr, Command},
	sync::watch,
};

/// A debug node on a busy machine takes its time to compile the runtime.
const START: Duration = Duration::from_secs(120);
/// What a node logs when its RPC server listens.
const RPC_LINE: &str = "Running JSON-RPC server: addr=";

/// What the log has said so far.
#[derive(Clone, Copy, Debug, Default)]
struct Said {
	rpc: Option<SocketAddr>,
	ended: bool,
}

/// A running node.
#[derive(Debug)]
pub struct Node {
	child: Child,
	name: String,
	log: PathBuf,
	rpc: SocketAddr,
}

impl Node {
	/// Starts `program` with these arguments and waits until it serves requests. Its log is appended to `log`.
	pub async fn start(program: &Path, name: &str, arguments: &[String], log: &Path) -> Result<Self> {
		let mut child = Command::new(program)
			.args(arguments)
			.env_remove("RUST_LOG")
			.stdin(Stdio::null())
			.stdout(Stdio::null())
			.stderr(Stdio::piped())
			.kill_on_drop(true)
			.spawn()
			.map_err(Error::io(format!("starting {}", program.display())))?;
		let ended = || Error::NodeEnded { node: name.into(), log: log.into() };
		let output = child.stderr.take().ok_or_else(ended)?;
		let file = tokio::fs::OpenOptions::new().create(true).append(true).open(log).await;
		let file = file.map_err(Error::io(format!("opening {}", log.display())))?;
		let (said, mut heard) = watch::channel(Said::default());
		tokio::spawn(keep_log(output, file, said));
		let ready = heard.wait_for(|said| said.rpc.is_some() || said.ended);
		let ready = within(START, format!("the start of {name}"), ready).await?;
		let rpc = ready.ok().and_then(|said| said.rpc).ok_or_else(ended)?;
		Ok(Self { child, name: name.into(), log: log.into(), rpc })
	}

	/// Where it serves requests.
	pub fn rpc(&self) -> SocketAddr {
		self.rpc
	}

	/// Its process id; `None` once it has ended.
	pub fn pid(&self) -> Option<u32> {
		self.child.id()
	}

	/// Its name.
	pub fn name(&self) -> &str {
		&self.name
	}

	/// Its log file.
	pub fn log(&self) -> &Path {
		&self.log
	}

	/// Kills it, without a chance to say goodbye, and waits until it is gone.
	pub async fn kill(mut self) -> Result<()> {
		self.child.kill().await.map_err(Error::io(format!("killing {}", self.name)))
	}
}

/// Copies a node's log into its file and notes what matters.
async fn keep_log(output: ChildStderr, mut file: tokio::fs::File, said: watch::Sender<Said>) {
	let mut lines = BufReader::new(output).lines();
	while let Ok(Some(line)) = lines.next_line().await {
		if let Some(address) = rpc_address(&line) {
			said.send_modify(|said| said.rpc = Some(address));
		}
		let _ = file.write_all(format!("{line}\n").as_bytes()).await;
	}
	let _ = file.flush().await;
	said.send_modify(|said| said.ended = true);
}

/// The first address of the line that announces the RPC server.
fn rpc_address(line: &str) -> Option<SocketAddr> {
	let (_, rest) = line.split_once(RPC_LINE)?;
	rest.split([',', ' ']).find(|address| !address.is_empty())?.parse().ok()
}

#[cfg(test)]
mod tests {
	use super::*;

	#[test]
	fn reads_the_port_from_the_log() {
		let line = "2026-11-21 06:00:00 Running JSON-RPC server: addr=127.0.0.1:43817,[::1]:43817";
		assert_eq!(rpc_address(line), Some(SocketAddr::from(([127, 0, 0, 1], 43817))));
		assert_eq!(rpc_address("Running JSON-RPC server: addr="), None);
		assert_eq!(rpc_address("Prepared block for proposing at 3"), None);
	}

	#[tokio::test]
	async fn a_node_that_ends_at_once_is_an_error_that_names_its_log() {
		let folder = tempfile::tempdir().unwrap();
		let log = folder.path().join("node.log");
		let failed = Node::start(Path::new("/bin/false"), "alice", &[], &log).await;
		assert!(matches!(failed, Err(Error::NodeEnded { node, log: named }) if node == "alice" && named == log));
	}
}

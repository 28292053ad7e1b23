//! Running commands in the process that has the profile open.
//!
//! One process at a time can open a store. A command that goes on (`chat`, `read --follow`, `events --follow`)
//! therefore listens at a socket in the profile's folder, which its owner alone can enter, and runs what other
//! processes of the same profile ask for: a line of JSON with the command, answered by lines of JSON with what it
//! prints, and at last how it ended.

mod answer;

use crate::{
	commands::Online,
	failure::{Failure, Kind},
	job::Job,
	output::Out,
	profile::Profile,
	session::Session,
};
pub use answer::Asker;
use answer::{Answer, Half};
use serde::{Deserialize, Serialize};
use std::{path::Path, sync::Arc, time::Duration};
use tokio::{
	io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader},
	net::{UnixListener, UnixStream},
	sync::mpsc,
	task::JoinHandle,
};
use zeroize::Zeroizing;

/// The version of this program, and of what its commands mean: one that would leave out a part of a command must not run it.
const VERSION: &str = concat!(env!("CARGO_PKG_VERSION"), " with people and last resorts");
/// Longest request, in bytes: a message or some KeyPackages, in JSON.
const MAX_REQUEST: u64 = 16 << 20;
/// Lines of an answer that may wait for a slow reader. One that is slower is cut off.
const WAITING: usize = 1024;
/// How long whoever connects may take to say what it wants.
const PATIENCE: Duration = Duration::from_secs(10);

/// What is asked for.
#[derive(Serialize, Deserialize)]
struct Request {
	version: String,
	command: Online,
	json: bool,
	timeout: Option<Duration>,
}

/// Has a command run by the process that has the profile open. `None` if there is no such process.
pub async fn forward(
	profile: &Profile,
	command: &Online,
	timeout: Option<Duration>,
	out: &Out,
) -> Option<Result<(), Failure>> {
	let stream = UnixStream::connect(profile.socket()).await.ok()?;
	if !command.travels() {
		let message = format!("another `lockstep` has the profile {} open", profile.name());
		return Some(Err(Failure::new(Kind::InUse, message)
			.advise("close it; or use `read --follow` and `send`, which work beside it")));
	}
	let asked = ask(stream, command, timeout, out);
	Some(tokio::select! {
		done = asked => done,
		failure = crate::run::interrupted() => if command.follows() { Ok(()) } else { Err(failure) },
	})
}

async fn ask(stream: UnixStream, command: &Online, timeout: Option<Duration>, out: &Out) -> Result<(), Failure> {
	let lost = |reason: String| {
		Failure::new(Kind::Failed, format!("the `lockstep` that has the profile open did not answer: {reason}"))
			.advise("run it again: that process has ended, or is about to")
	};
	let version = VERSION.to_owned();
	let request = Request { version, command: command.clone(), json: out.is_json(), timeout };
	let line = serde_json::to_vec(&request).map_err(|error| lost(error.to_string()))?;
	// It may hold a voucher.
	let mut line = Zeroizing::new(line);
	line.push(b'\n');
	let (read, mut write) = stream.into_split();
	write.write_all(&line).await.map_err(|error| lost(error.to_string()))?;
	let mut lines = BufReader::new(read).lines();
	loop {
		let next = out.wait("waiting for the `lockstep` that has the profile open", lines.next_line()).await;
		let line = next.map_err(|error| lost(error.to_string()))?.ok_or_else(|| lost("it is gone".to_owned()))?;
		match serde_json::from_str(&line).map_err(|error| lost(error.to_string()))? {
			Answer::Result(text) => out.write(&text)?,
			Answer::Note(text) => out.raw_note(&text),
			Answer::Shown => write.write_all(b"\n").await.map_err(|error| lost(error.to_string()))?,
			Answer::Done(None) => return Ok(()),
			Answer::Done(Some(failure)) => return Err(failure),
		}
	}
}

/// The task that answers; it ends, and the socket goes, when this is dropped.
pub struct Server {
	task: JoinHandle<()>,
	socket: std::path::PathBuf,
}

impl Drop for Server {
	fn drop(&mut self) {
		self.task.abort();
		drop(std::fs::remove_file(&self.socket));
	}
}

/// Answers at a socket. Without one, if the path is too long for the system, say, others are told that the store is in use.
pub fn serve(socket: &Path, session: Arc<Session>, out: &Out) -> Option<Server> {
	// Whoever has the store open owns the name: what is there was left by a process that was killed.
	drop(std::fs::remove_file(socket));
	let listener = match UnixListener::bind(socket) {
		Ok(listener) => listener,
		Err(error) => {
			out.warn(format!("other commands of this profile cannot run meanwhile: {}: {error}", socket.display()));
			return None;
		}
	};
	let task = tokio::spawn(async move {
		while let Ok((stream, _)) = listener.accept().await {
			tokio::spawn(answer(stream, session.clone()));
		}
	});
	Some(Server { task, socket: socket.to_owned() })
}

async fn answer(stream: UnixStream, session: Arc<Session>) {
	let (read, mut write) = stream.into_split();
	let mut read = BufReader::new(read.take(MAX_REQUEST));
	let mut line = Zeroizing::new(String::new());
	if !matches!(tokio::time::timeout(PATIENCE, read.read_line(&mut line)).await, Ok(Ok(1..))) {
		return;
	}
	let (answers, mut queue) = mpsc::channel::<Answer>(WAITING);
	let writing = async move {
		while let Some(answer) = queue.recv().await {
			let Ok(mut line) = serde_json::to_vec(&answer) else { return };
			line.push(b'\n');
			if write.write_all(&line).await.is_err() {
				return;
			}
		}
	};
	let (shown, receipts) = mpsc::channel(1);
	let working = async move {
		let done = work(&line, &session, &answers, receipts).await;
		// Whoever asked may be gone.
		drop(answers.send(Answer::Done(done.err())).await);
	};
	let both = async { tokio::join!(writing, working) };
	// Whoever asked says nothing more but that something was shown, so this is its end.
	let hearing = async {
		let mut receipt = [0];
		while matches!(read.read(&mut receipt).await, Ok(1..)) {
			// More of them than were asked for say nothing.
			let _ = shown.try_send(());
		}
	};
	tokio::select! {
		_ = both => {}
		() = hearing => {}
	}
}

async fn work(
	line: &str,
	session: &Session,
	answers: &mpsc::Sender<Answer>,
	receipts: mpsc::Receiver<()>,
) -> Result<(), Failure> {
	let other = |what: String| {
		let message = format!("another version of `lockstep` has the profile open: {what}");
		Failure::new(Kind::InUse, message).advise("close it, and run this again")
	};
	let request: Request = serde_json::from_str(line).map_err(|error| other(error.to_string()))?;
	if request.version != VERSION {
		return Err(other(format!("{VERSION}, asked by {}", request.version)));
	}
	let out = Out::to(request.json, Half::results(answers), Half::notes(answers));
	let asker = Asker::new(answers, receipts);
	let job = Job { session, out: &out, timeout: request.timeout, lasting: true, asker: Some(&asker) };
	request.command.run(&job).await
}

//! Where results, warnings and progress go.
//!
//! Standard output carries results alone, standard error the rest. Neither may end the process: a closed pipe is a
//! reason to stop, not to panic.

use crate::failure::{Failure, Kind};
use serde::Serialize;
use serde_json::json;
use std::{
	fmt::Display,
	future::Future,
	io::{ErrorKind, IsTerminal, Write},
	sync::{Arc, Mutex, PoisonError},
	time::{Duration, Instant},
};

/// How long something may take in silence, and how often the line that says so is renewed.
const SILENCE: Duration = Duration::from_secs(1);

type Sink = Arc<Mutex<Box<dyn Write + Send>>>;

/// The output of one command.
#[derive(Clone)]
pub struct Out {
	json: bool,
	/// Whether progress is shown.
	live: bool,
	silence: Duration,
	results: Sink,
	notes: Sink,
}

impl Out {
	/// To the process's own standard output and standard error.
	pub fn standard(json: bool) -> Self {
		let live = std::io::stderr().is_terminal();
		Self { live, ..Self::to(json, std::io::stdout(), std::io::stderr()) }
	}

	/// To other places, without progress.
	pub fn to(json: bool, results: impl Write + Send + 'static, notes: impl Write + Send + 'static) -> Self {
		let sink = |to: Box<dyn Write + Send>| Arc::new(Mutex::new(to));
		Self { json, live: false, silence: SILENCE, results: sink(Box::new(results)), notes: sink(Box::new(notes)) }
	}

	/// The same, but for results, which nobody is shown.
	pub fn without_results(&self) -> Self {
		Self { results: Arc::new(Mutex::new(Box::new(std::io::sink()))), ..self.clone() }
	}

	/// Whether results are JSON.
	pub fn is_json(&self) -> bool {
		self.json
	}

	/// Shows a result: the text, or with `--json` the object on a line of its own. An empty text shows nothing.
	pub fn result(&self, text: &str, json: &impl Serialize) -> Result<(), Failure> {
		if self.json {
			let json = serde_json::to_string(json).map_err(|error| Failure::new(Kind::Failed, error))?;
			return self.write(&format!("{json}\n"));
		}
		if text.is_empty() {
			return Ok(());
		}
		self.write(&format!("{}\n", text.trim_end_matches('\n')))
	}

	/// Writes to standard output as it is.
	pub fn write(&self, text: &str) -> Result<(), Failure> {
		write(&self.results, text).map_err(|error| match error.kind() {
			ErrorKind::BrokenPipe => Failure::new(Kind::OutputClosed, "nobody reads the output"),
			_ => Failure::new(Kind::File, format!("standard output: {error}")),
		})
	}

	/// Something to know that is no result. Left out with `--json`.
	pub fn note(&self, text: impl Display) {
		if !self.json {
			self.to_notes(&format!("{text}\n"));
		}
	}

	/// Writes to standard error as it is.
	pub fn raw_note(&self, text: &str) {
		self.to_notes(text);
	}

	/// Something that is not as it should be.
	pub fn warn(&self, text: impl Display) {
		match self.json {
			true => self.to_notes(&format!("{}\n", json!({ "warning": text.to_string() }))),
			false => self.to_notes(&format!("lockstep: warning: {text}\n")),
		}
	}

	/// Why the command came to nothing. A closed output is none.
	pub fn failure(&self, failure: &Failure) {
		if failure.kind == Kind::OutputClosed {
			return;
		}
		match self.json {
			true => self.to_notes(&format!("{}\n", json!({ "error": failure }))),
			false => self.to_notes(&format!("{failure}\n")),
		}
	}

	/// Whether progress is shown.
	pub fn is_live(&self) -> bool {
		self.live
	}

	/// Waits for something, and says so on a terminal when it takes longer than a second.
	pub async fn wait<T>(&self, what: &str, future: impl Future<Output = T>) -> T {
		self.wait_saying(|| what.to_owned(), future).await
	}

	/// The same; what it says is asked for each time.
	pub async fn wait_saying<T>(&self, what: impl Fn() -> String, future: impl Future<Output = T>) -> T {
		let mut future = std::pin::pin!(future);
		let started = Instant::now();
		let mut shown = false;
		loop {
			match tokio::time::timeout(self.silence, &mut future).await {
				Ok(done) => {
					if shown {
						self.to_notes("\r\x1b[K");
					}
					return done;
				}
				Err(_) if self.live => {
					shown = true;
					self.to_notes(&format!("\r\x1b[K{} ({} s)", what(), started.elapsed().as_secs()));
				}
				Err(_) => {}
			}
		}
	}

	fn to_notes(&self, text: &str) {
		// There is nobody to tell that nobody can be told.
		drop(write(&self.notes, text));
	}
}

fn write(sink: &Sink, text: &str) -> std::io::Result<()> {
	let mut sink = sink.lock().unwrap_or_else(PoisonError::into_inner);
	sink.write_all(text.as_bytes())?;
	sink.flush()
}

#[cfg(test)]
pub mod tests {
	use super::*;
	use serde_json::Value;

	/// Writes to memory.
	#[derive(Clone, Default)]
	pub struct Memory(Arc<Mutex<Vec<u8>>>);

	impl Memory {
		pub fn text(&self) -> String {
			String::from_utf8(self.0.lock().unwrap().clone()).unwrap()
		}
	}

	impl Write for Memory {
		fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
			self.0.lock().unwrap().extend_from_slice(bytes);
			Ok(bytes.len())
		}

		fn flush(&mut self) -> std::io::Result<()> {
			Ok(())
		}
	}

	struct Closed;

	impl Write for Closed {
		fn write(&mut self, _: &[u8]) -> std::io::Result<usize> {
			Err(ErrorKind::BrokenPipe.into())
		}

		fn flush(&mut self) -> std::io::Result<()> {
			Ok(())
		}
	}

	#[test]
	fn results_and_notes_go_different_ways() {
		let (results, notes) = (Memory::default(), Memory::default());
		let out = Out::to(false, results.clone(), notes.clone());
		out.result("a group", &json!({ "group": 1 })).unwrap();
		out.warn("careful");
		out.note("by the way");
		out.failure(&Failure::new(Kind::Usage, "no").advise("yes"));
		assert_eq!(results.text(), "a group\n");
		assert_eq!(notes.text(), "lockstep: warning: careful\nby the way\nlockstep: no\n  try: yes\n");
	}

	#[test]
	fn with_json_every_line_is_an_object() {
		let (results, notes) = (Memory::default(), Memory::default());
		let out = Out::to(true, results.clone(), notes.clone());
		out.result("a group", &json!({ "group": 1 })).unwrap();
		out.note("by the way");
		out.warn("careful");
		out.failure(&Failure::new(Kind::Usage, "no"));
		assert_eq!(results.text(), "{\"group\":1}\n");
		for line in notes.text().lines() {
			assert!(serde_json::from_str::<Value>(line).unwrap().is_object(), "{line}");
		}
		assert_eq!(notes.text().lines().count(), 2);
	}

	#[test]
	fn a_closed_output_ends_the_command_without_a_word() {
		let notes = Memory::default();
		let out = Out::to(false, Closed, notes.clone());
		let failure = out.result("x", &Value::Null).unwrap_err();
		assert_eq!((failure.kind, failure.exit()), (Kind::OutputClosed, crate::failure::Exit::Done));
		out.failure(&failure);
		assert_eq!(notes.text(), "");
		let deaf = Out::to(false, Closed, Closed);
		deaf.warn("nobody hears this");
	}

	#[tokio::test]
	async fn what_takes_its_time_says_so_on_a_terminal() {
		let notes = Memory::default();
		let out =
			Out { live: true, silence: Duration::from_millis(1), ..Out::to(false, Memory::default(), notes.clone()) };
		out.wait("waiting for a block", std::future::ready(())).await;
		assert_eq!(notes.text(), "", "it was there at once");
		let told = async {
			while notes.text().is_empty() {
				tokio::task::yield_now().await;
			}
		};
		out.wait("waiting for a block", told).await;
		assert!(notes.text().starts_with("\r\x1b[Kwaiting for a block (0 s)"), "{:?}", notes.text());
		assert!(notes.text().ends_with("\r\x1b[K"));
	}

	#[tokio::test]
	async fn what_is_said_changes_with_what_is_waited_for() {
		let notes = Memory::default();
		let out =
			Out { live: true, silence: Duration::from_millis(1), ..Out::to(false, Memory::default(), notes.clone()) };
		let what = || {
			let said = notes.text().contains("one");
			String::from(if said { "another" } else { "one" })
		};
		let told = async {
			while !notes.text().contains("another") {
				tokio::task::yield_now().await;
			}
		};
		out.wait_saying(what, told).await;
		assert!(notes.text().starts_with("\r\x1b[Kone (0 s)\r\x1b[Kanother (0 s)"), "{:?}", notes.text());
	}
}

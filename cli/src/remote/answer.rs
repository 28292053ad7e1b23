//! What the process that has the profile open says to one that asks.

use crate::failure::{Failure, Kind};
use serde::{Deserialize, Serialize};
use std::io::{ErrorKind, Write};
use tokio::sync::{mpsc, Mutex};

/// A line of the answer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Answer {
	/// For standard output.
	Result(String),
	/// For standard error.
	Note(String),
	/// Asks for a byte when all before this was shown.
	Shown,
	/// The last one: how it ended.
	Done(Option<Failure>),
}

/// Whoever asked, who shows what comes.
pub struct Asker {
	answers: mpsc::Sender<Answer>,
	/// One for each byte that has come back.
	receipts: Mutex<mpsc::Receiver<()>>,
}

impl Asker {
	pub fn new(answers: &mpsc::Sender<Answer>, receipts: mpsc::Receiver<()>) -> Self {
		Self { answers: answers.clone(), receipts: Mutex::new(receipts) }
	}

	/// Waits until it has shown everything that was printed so far.
	pub async fn has_shown(&self) -> Result<(), Failure> {
		let gone = || Failure::new(Kind::OutputClosed, "whoever asked for it is gone");
		let mut receipts = self.receipts.lock().await;
		self.answers.send(Answer::Shown).await.map_err(|_| gone())?;
		receipts.recv().await.ok_or_else(gone)
	}
}

/// What a command prints, on its way to whoever asked for it.
pub struct Half {
	answers: mpsc::Sender<Answer>,
	wrap: fn(String) -> Answer,
}

impl Half {
	/// For results.
	pub fn results(answers: &mpsc::Sender<Answer>) -> Self {
		Self { answers: answers.clone(), wrap: Answer::Result }
	}

	/// For everything else.
	pub fn notes(answers: &mpsc::Sender<Answer>) -> Self {
		Self { answers: answers.clone(), wrap: Answer::Note }
	}
}

impl Write for Half {
	fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
		let text = String::from_utf8_lossy(bytes).into_owned();
		// One who does not read is as good as gone: nothing here waits for it.
		self.answers.try_send((self.wrap)(text)).map_err(|_| ErrorKind::BrokenPipe)?;
		Ok(bytes.len())
	}

	fn flush(&mut self) -> std::io::Result<()> {
		Ok(())
	}
}

#[cfg(test)]
mod tests {
	use super::*;

	#[test]
	fn answers_come_back_as_they_were_sent() {
		for answer in [
			Answer::Result("x\ny\n".into()),
			Answer::Note("z".into()),
			Answer::Shown,
			Answer::Done(None),
			Answer::Done(Some(Failure::new(Kind::Refused, "no").advise("yes"))),
		] {
			let line = serde_json::to_string(&answer).unwrap();
			assert!(!line.contains('\n'));
			assert_eq!(serde_json::from_str::<Answer>(&line).unwrap(), answer);
		}
	}

	#[test]
	fn one_who_does_not_read_is_cut_off() {
		let (answers, _queue) = mpsc::channel(1);
		let mut half = Half::results(&answers);
		half.write_all(b"one").unwrap();
		assert_eq!(half.write_all(b"two").unwrap_err().kind(), ErrorKind::BrokenPipe);
	}

	#[tokio::test]
	async fn what_was_printed_counts_as_shown_when_the_asker_says_so() {
		let (answers, mut queue) = mpsc::channel(4);
		let (receipts, heard) = mpsc::channel(1);
		let asker = Asker::new(&answers, heard);
		Half::results(&answers).write_all(b"one").unwrap();
		let shows = async {
			assert_eq!(queue.recv().await, Some(Answer::Result("one".into())));
			assert_eq!(queue.recv().await, Some(Answer::Shown), "it is asked for after what it is about");
			receipts.send(()).await.unwrap();
		};
		let (shown, ()) = tokio::join!(asker.has_shown(), shows);
		assert_eq!(shown, Ok(()));
		drop(receipts);
		assert_eq!(asker.has_shown().await.unwrap_err().kind, Kind::OutputClosed, "it is gone");
	}
}

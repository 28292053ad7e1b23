//! What the process that has the profile open says to one that asks.

use crate::failure::Failure;
use serde::{Deserialize, Serialize};
use std::io::{ErrorKind, Write};
use tokio::sync::mpsc;

/// A line of the answer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Answer {
	/// For standard output.
	Result(String),
	/// For standard error.
	Note(String),
	/// The last one: how it ended.
	Done(Option<Failure>),
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
	use crate::failure::Kind;

	#[test]
	fn answers_come_back_as_they_were_sent() {
		for answer in [
			Answer::Result("x\ny\n".into()),
			Answer::Note("z".into()),
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
}

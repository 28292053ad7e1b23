//! What the demo prints while it runs: plain lines, each with the seconds since the start.

use lockstep_primitives::{BlockNumber, EntryHash};
use lockstep_tests::table::short;
use std::time::{Duration, Instant};

/// The terminal.
pub struct Screen {
	start: Instant,
}

/// What there is to say about an epoch.
pub struct EpochLine<'a> {
	/// The epoch.
	pub epoch: u64,
	/// The entry that opened it.
	pub entry: EntryHash,
	/// Whose commit it was.
	pub winner: &'a str,
	/// How many other commits for it were refused.
	pub refused: usize,
	/// From the winner's call to the winner in the new epoch; `None` if its client committed of its own accord.
	pub elapsed: Option<Duration>,
}

impl Screen {
	/// Prints the title.
	pub fn new() -> Self {
		println!("\n  LOCKSTEP  four validators, five people, six devices, one order of commits\n");
		Self { start: Instant::now() }
	}

	/// A line of prose.
	pub fn say(&self, line: String) {
		println!("  {:>6.1} s   {line}", self.start.elapsed().as_secs_f64());
	}

	/// An empty line.
	pub fn gap(&self) {
		println!();
	}

	/// The headings over lines of epochs.
	pub fn headings(&self) {
		println!(
			"\n  {:>8}   {:>5}   {:<8}   {:>5}   {:<11}   {:>7}   {:>15}",
			"", "epoch", "entry", "block", "winner", "refused", "submit-to-final"
		);
	}

	/// A line for an epoch.
	pub fn epoch(&self, line: &EpochLine<'_>, block: Option<BlockNumber>, note: &str) {
		let EpochLine { epoch, entry, winner, refused, elapsed } = line;
		let (now, entry) = (self.start.elapsed().as_secs_f64(), short(entry.as_ref()));
		let block = block.map_or(String::new(), |block| block.to_string());
		let elapsed = elapsed.map_or(String::new(), |elapsed| format!("{} ms", elapsed.as_millis()));
		let text = format!(
			"  {now:>6.1} s   {epoch:>5}   {entry:<8}   {block:>5}   {winner:<11}   {refused:>7}   {elapsed:>15}   {note}"
		);
		println!("{}", text.trim_end());
	}
}

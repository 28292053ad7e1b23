//! What was found.

use crate::failure::{Exit, Failure, Kind};
use serde::Serialize;
use serde_json::{json, Value};

/// How bad it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
enum Level {
	Fine,
	Warning,
	Wrong,
}

#[derive(Clone, Debug, Serialize)]
struct Finding {
	check: &'static str,
	level: Level,
	#[serde(skip_serializing_if = "Option::is_none")]
	kind: Option<Kind>,
	message: String,
	#[serde(rename = "try", skip_serializing_if = "Option::is_none")]
	advice: Option<String>,
}

/// What was found, in the order in which it was looked for.
#[derive(Default)]
pub struct Report {
	findings: Vec<Finding>,
}

impl Report {
	/// Something is as it should be.
	pub fn fine(&mut self, check: &'static str, message: String) {
		self.findings.push(Finding { check, level: Level::Fine, kind: None, message, advice: None });
	}

	/// Something is not good, but does no harm by itself.
	pub fn warning(&mut self, check: &'static str, message: String, advice: Option<String>) {
		self.findings.push(Finding { check, level: Level::Warning, kind: None, message, advice });
	}

	/// Something is wrong.
	pub fn wrong(&mut self, check: &'static str, failure: Failure) {
		let Failure { kind, message, advice } = failure;
		self.findings.push(Finding { check, level: Level::Wrong, kind: Some(kind), message, advice });
	}

	/// Whether something is wrong that has this exit code.
	pub fn has(&self, exit: Exit) -> bool {
		self.findings.iter().any(|finding| finding.kind.is_some_and(|kind| kind.exit() == exit))
	}

	/// For people.
	pub fn text(&self) -> String {
		let line = |Finding { check, level, message, advice, .. }: &Finding| {
			let word = match level {
				Level::Fine => "ok     ",
				Level::Warning => "warning",
				Level::Wrong => "WRONG  ",
			};
			let advice = advice.as_ref().map(|advice| format!("\n         try: {advice}")).unwrap_or_default();
			format!("{word}  {check}: {message}{advice}")
		};
		self.findings.iter().map(line).collect::<Vec<_>>().join("\n")
	}

	/// For programs.
	pub fn json(&self) -> Value {
		json!({ "ok": self.first_wrong().is_none(), "findings": self.findings })
	}

	/// A failure of the kind of the first thing that is wrong, if anything is.
	pub fn verdict(&self) -> Result<(), Failure> {
		let Some(first) = self.first_wrong() else { return Ok(()) };
		let wrong = self.findings.iter().filter(|finding| finding.level == Level::Wrong).count();
		let message = match wrong {
			1 => format!("one thing is wrong: {}", first.message),
			_ => format!("{wrong} things are wrong; the first: {}", first.message),
		};
		Err(Failure { kind: first.kind.unwrap_or(Kind::Failed), message, advice: first.advice.clone() })
	}

	fn first_wrong(&self) -> Option<&Finding> {
		self.findings.iter().find(|finding| finding.level == Level::Wrong)
	}
}

#[cfg(test)]
mod tests {
	use super::*;

	#[test]
	fn the_first_thing_that_is_wrong_decides_and_each_has_its_advice() {
		let mut report = Report::default();
		report.fine("profile", "there".into());
		report.warning("nodes", "one is slow".into(), None);
		assert_eq!(report.verdict(), Ok(()));
		assert_eq!(report.json()["ok"], true);
		report.wrong("nodes", Failure::new(Kind::Unreachable, "none answers").advise("start one"));
		report.wrong("groups", Failure::new(Kind::Removed, "out"));
		let verdict = report.verdict().unwrap_err();
		assert_eq!((verdict.exit(), verdict.advice.as_deref()), (Exit::Node, Some("start one")));
		assert!(report.has(Exit::Node) && report.has(Exit::Refused) && !report.has(Exit::Profile));
		assert!(report.text().contains("WRONG    nodes: none answers\n         try: start one"), "{}", report.text());
		let json = report.json();
		assert_eq!(json["ok"], false);
		assert_eq!(json["findings"][2]["kind"], "unreachable");
		assert_eq!(json["findings"][2]["try"], "start one");
	}
}

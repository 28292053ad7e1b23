//! The store and the groups in it.

use super::{is_news, report::Report};
use crate::{
	commands::{GroupView, Online, Overview, Status},
	failure::{Failure, Kind},
	job::Job,
	output::Out,
	profile::Profile,
	remote,
	secret::Secret,
	session::Session,
};
use std::{
	io::Write,
	sync::{Arc, Mutex, PoisonError},
	time::Duration,
};

/// Why a client comes back to a group.
const LOST: &str = "this client was restored from a backup, or its stored state of the group was damaged";

/// Opens the store, or asks whoever has it open, and looks at what is in it.
pub async fn examine(profile: Profile, secret: &Secret, out: &Out, report: &mut Report) {
	let command = profile.command();
	let overview = match overview(profile, secret, out).await {
		Ok((overview, how)) => {
			report.fine("store", how.to_owned());
			overview
		}
		Err(failure) if is_news(&failure, report) => return report.wrong("store", failure.in_profile(&command)),
		Err(_) => {
			return report.warning("store", "it cannot be looked into without a node: it is new".to_owned(), None)
		}
	};
	for lie in &overview.lies {
		let advice = format!("use others: {command} identity nodes ws://HOST:PORT; what it sent is kept in the store");
		report.warning("lies", format!("{} was caught: {}", lie.node, lie.lie), Some(advice));
	}
	if overview.groups.is_empty() {
		report.fine("groups", "none".to_owned());
	}
	for group in &overview.groups {
		judge(group, &command, report);
	}
}

async fn overview(profile: Profile, secret: &Secret, out: &Out) -> Result<(Overview, &'static str), Failure> {
	let shown = Memory::default();
	let quiet = Out::to(true, shown.clone(), std::io::sink());
	let command = Online::Status(Status::default());
	let how = match remote::forward(&profile, &command, None, &quiet).await {
		Some(done) => {
			done?;
			"another `lockstep` of this profile has it open, and answers"
		}
		None => {
			let session = Session::open(profile, secret, None, Duration::ZERO, out).await?;
			session.read_logs_if_possible(&quiet).await;
			let done =
				command.run(&Job { session: &session, out: &quiet, timeout: None, lasting: false, asker: None }).await;
			session.close().await;
			done?;
			"it opens"
		}
	};
	let json = shown.0.lock().unwrap_or_else(PoisonError::into_inner).clone();
	let overview = serde_json::from_slice(&json).map_err(|error| Failure::new(Kind::Failed, error))?;
	Ok((overview, how))
}

fn judge(view: &GroupView, command: &str, report: &mut Report) {
	let group = view.group;
	let short = group.to_string().get(..8).unwrap_or_default().to_owned();
	let again = format!("give a member a new KeyPackage to be invited with: {command} key-package --out me.kp");
	let wrong = |kind, message: String, advice: String| Failure::new(kind, message).advise(advice);
	match view.state.as_str() {
		"active" if view.contested => report.warning(
			"groups",
			format!("{group} was contested: a member endorsed a commit that does not count"),
			Some(format!("compare its authenticator with a member that you trust: {command} group show {short}")),
		),
		"active" => report.fine("groups", view.line()),
		"removed" => report.wrong("groups", wrong(Kind::Removed, format!("{group}: this identity was removed"), again)),
		"replaced" => {
			let message = format!("{group}: another device of this identity has the place of this one");
			let advice = format!(
				"use that one; if there is none: {command} group rejoin {short}, then {command} group rotate {short}"
			);
			report.wrong("groups", wrong(Kind::Replaced, message, advice));
		}
		"returning" => report.warning(
			"groups",
			format!("{group}: {LOST}, and it waits for a member to readmit it"),
			Some(format!("{command} join {short}, while a member's client is open")),
		),
		"not_readmitted" => {
			let message = format!("{group}: {LOST}, and nobody has readmitted it");
			let advice =
				format!("hand a member the output of: {command} group rejoin {short}; its client says what is wrong");
			report.wrong("groups", wrong(Kind::Returning, message, advice));
		}
		"desynchronized" => {
			let message = format!("{group}: this client met a commit that it cannot process, and stopped");
			let advice = format!("have a member remove this identity; then {again}");
			report.wrong("groups", wrong(Kind::Desynchronized, message, advice));
		}
		"closed" => {
			let advice = format!("{command} group create");
			report.wrong("groups", wrong(Kind::Closed, format!("{group}: it was closed on the chain"), advice));
		}
		_ => {
			let reason = view.reason.as_deref().unwrap_or("trouble with the store, or the chain was upgraded");
			let advice = format!(
				"LOCKSTEP_LOG=lockstep_client=info {command} read --follow, to see what happens; if it does not pass, hand a member \
				 the output of: {command} group rejoin {short}"
			);
			report.wrong("groups", wrong(Kind::Halted, format!("{group}: following it was stopped: {reason}"), advice));
		}
	}
}

#[derive(Clone, Default)]
struct Memory(Arc<Mutex<Vec<u8>>>);

impl Write for Memory {
	fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
		self.0.lock().unwrap_or_else(PoisonError::into_inner).extend_from_slice(bytes);
		Ok(bytes.len())
	}

	fn flush(&mut self) -> std::io::Result<()> {
		Ok(())
	}
}

#[cfg(test)]
mod tests {
	use super::*;
	use crate::failure::Exit;
	use lockstep_client::{EntryHash, GroupId};

	#[test]
	fn each_state_of_a_group_has_its_kind_and_a_command_to_try() {
		let view = |state: &str, contested| GroupView {
			group: GroupId([1; 32]),
			state: state.into(),
			reason: None,
			people: false,
			name: String::new(),
			epoch: 3,
			entry: EntryHash([2; 32]),
			log_length: 4,
			members: vec!["anna".into()],
			authenticator: "00".into(),
			finalized: 9,
			contested,
			unposted: 0,
		};
		let verdict = |state, contested| {
			let mut report = Report::default();
			judge(&view(state, contested), "lockstep --profile anna", &mut report);
			(report.verdict(), report.text())
		};
		assert_eq!(verdict("active", false).0, Ok(()));
		let (fine, text) = verdict("active", true);
		assert!(fine.is_ok() && text.contains("warning") && text.contains("group show 01010101"), "{text}");
		for (state, kind) in [
			("removed", Kind::Removed),
			("replaced", Kind::Replaced),
			("not_readmitted", Kind::Returning),
			("desynchronized", Kind::Desynchronized),
			("closed", Kind::Closed),
			("halted", Kind::Halted),
			("unheard of", Kind::Halted),
		] {
			let failure = verdict(state, false).0.unwrap_err();
			assert_eq!((failure.kind, failure.exit()), (kind, Exit::Refused));
			assert!(failure.advice.unwrap().contains("lockstep --profile anna"), "{state}");
		}
	}
}

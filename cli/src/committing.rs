//! Waiting for a commit of this client to be final, and saying so while it cannot be made because its path is too long.

use crate::{
	failure::{Failure, Kind},
	job::Job,
};
use lockstep_client::{GroupId, IntentId, IntentState, WaitingFor};
use std::{
	future::Future,
	sync::{Mutex, MutexGuard, PoisonError},
	time::Duration,
};
use tokio::time::timeout;

/// How often to look what a commit waits for.
const LOOK: Duration = Duration::from_secs(1);

/// A commit that waits for members to renew their keys.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Long {
	/// The nodes that its path goes to.
	nodes: u64,
	/// Its length in bytes, and the bound.
	length: usize,
	max: usize,
	/// The block up to which it is made again.
	until: u64,
}

impl Job<'_> {
	/// Waits for an operation that ends when a commit of this client in a group is final.
	pub async fn until_committed<T, E>(
		&self,
		group: GroupId,
		operation: impl Future<Output = Result<T, E>>,
	) -> Result<T, Failure>
	where
		Failure: From<E>,
	{
		let (patience, seen) = (self.patience(), Mutex::new(None::<Long>));
		let done = timeout(patience, async {
			let mut operation = std::pin::pin!(operation);
			// It begins when it is waited for.
			let first = self.next_intent(group).await;
			loop {
				if let Ok(done) = timeout(LOOK, &mut operation).await {
					return done;
				}
				let long = match first {
					Some(first) => self.long(group, first).await,
					None => None,
				};
				let before = std::mem::replace(&mut *locked(&seen), long);
				if let Some(long) = long.filter(|_| before.is_none() && !self.out.is_live()) {
					self.out.warn(long.why());
				}
			}
		});
		match self.out.wait_saying(|| what(*locked(&seen)), done).await {
			Ok(done) => Ok(done?),
			Err(_) => match *locked(&seen) {
				Some(long) => Err(long.late(patience, &self.session.profile().command(), &group, self.lasting)),
				None => Err(self.late(patience)),
			},
		}
	}

	/// The number that the next intent in a group gets, if that can be seen.
	async fn next_intent(&self, group: GroupId) -> Option<u64> {
		let known = self.session.client().intents(group).await.ok()?;
		Some(known.last().map_or(0, |(intent, _)| intent.number.saturating_add(1)))
	}

	async fn long(&self, group: GroupId, first: u64) -> Option<Long> {
		Long::among(&self.session.client().intents(group).await.unwrap_or_default(), first)
	}
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
	mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// What is waited for, on the line that shows progress.
fn what(long: Option<Long>) -> String {
	match long {
		None => "waiting for the commit to be final".to_owned(),
		Some(Long { nodes, .. }) => {
			format!("waiting for members to renew their keys (path to {nodes} nodes)")
		}
	}
}

impl Long {
	/// The intent that was taken on next when this was the first number that was free, if it waits for shorter paths.
	fn among(intents: &[(IntentId, IntentState)], first: u64) -> Option<Self> {
		let (_, state) = intents.iter().find(|(intent, _)| intent.number >= first)?;
		match *state {
			IntentState::Waiting { waiting_for: WaitingFor::ShorterPaths { nodes, length, max, until }, .. } => {
				Some(Self { nodes, length, max, until: until.into() })
			}
			_ => None,
		}
	}

	/// Why it is not made.
	fn why(self) -> String {
		let Self { nodes, length, max, .. } = self;
		format!(
			"the commit takes {length} bytes, more than the {max} allowed, for its path goes to {nodes} nodes; members have \
			 to renew their keys first"
		)
	}

	/// The time is up.
	fn late(self, patience: Duration, command: &str, group: &GroupId, lasting: bool) -> Failure {
		let (why, until) = (self.why(), self.until);
		let message =
			format!("not final after {} s: {why}, and it is made again up to block {until}", patience.as_secs());
		let short = group.to_string().get(..8).unwrap_or_default().to_owned();
		let open = match lasting {
			true => format!("keep the `lockstep` open that has this profile, and look later: {command} events"),
			false => format!("keep this profile open: {command} chat {short}"),
		};
		let advice = format!(
			"{open}. It goes on with the commit, and members renew their keys by themselves while theirs are open, within \
			 minutes; commands wait for longer with --timeout SECONDS"
		);
		Failure::new(Kind::Timeout, message).advise(advice)
	}
}

#[cfg(test)]
mod tests {
	use super::*;
	use crate::failure::Exit;

	const GROUP: GroupId = GroupId([0xab; 32]);
	const LONG: Long = Long { nodes: 780, length: 70_000, max: 65_536, until: 1_300 };

	#[test]
	fn of_what_a_client_waits_for_the_commit_of_this_command_is_found() {
		let waiting = |waiting_for| IntentState::Waiting { attempts: 0, waiting_for };
		let long = || waiting(WaitingFor::ShorterPaths { nodes: 780, length: 70_000, max: 65_536, until: 1_300 });
		let intents = |states: Vec<IntentState>| -> Vec<(IntentId, IntentState)> {
			(3..).map(|number| IntentId { group: GROUP, number }).zip(states).collect()
		};
		let found = |states, first| Long::among(&intents(states), first);
		assert_eq!(found(vec![waiting(WaitingFor::Turn), long()], 4), Some(LONG));
		assert_eq!(found(vec![long(), waiting(WaitingFor::Turn)], 4), None, "the other one is of an earlier command");
		assert_eq!(found(vec![long(), IntentState::Committing { attempts: 1 }], 4), None, "it is long no more");
		assert_eq!(found(vec![long()], 4), None, "it is not taken on yet");
		assert_eq!(found(vec![], 0), None);
	}

	#[test]
	fn who_waits_is_told_what_for() {
		assert_eq!(what(None), "waiting for the commit to be final");
		let text = "waiting for members to renew their keys (path to 780 nodes)";
		assert_eq!(what(Some(LONG)), text);
	}

	#[test]
	fn when_the_time_is_up_it_says_why_and_what_to_do() {
		let late = |lasting| LONG.late(Duration::from_secs(300), "lockstep --profile anna", &GROUP, lasting);
		let failure = late(false);
		assert_eq!((failure.kind, failure.exit()), (Kind::Timeout, Exit::Unfinished));
		let message =
			"not final after 300 s: the commit takes 70000 bytes, more than the 65536 allowed, for its path goes to \
			780 nodes; members have to renew their keys first, and it is made again up to block 1300";
		assert_eq!(failure.message, message);
		let advice = failure.advice.clone().unwrap();
		assert!(advice.starts_with("keep this profile open: lockstep --profile anna chat abababab. It goes"));
		assert!(advice.ends_with("--timeout SECONDS"), "{advice}");
		let json = serde_json::to_value(&failure).unwrap();
		assert_eq!(json, serde_json::json!({ "kind": "timeout", "message": message, "try": advice }));
		let advice = late(true).advice.unwrap();
		assert!(advice.starts_with("keep the `lockstep` open that has this profile"), "{advice}");
	}
}

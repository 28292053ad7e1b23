//! Waiting for something, but not for ever.

use crate::{Error, Result};
use std::{future::Future, time::Duration};

/// How often a state without an event of its own is looked at.
const LOOK: Duration = Duration::from_millis(200);

/// The value of `future`, or [`Error::Late`] naming `what` when it takes longer than `limit`.
pub async fn within<T>(limit: Duration, what: impl Into<String>, future: impl Future<Output = T>) -> Result<T> {
	tokio::time::timeout(limit, future).await.map_err(|_| Error::Late { what: what.into(), limit })
}

/// Looks again and again until `look` returns something, for at most `limit`. For states of a node that it
/// announces to nobody, such as its number of peers.
pub async fn until<T, F>(limit: Duration, what: impl Into<String>, mut look: impl FnMut() -> F) -> Result<T>
where
	F: Future<Output = Result<Option<T>>>,
{
	let looking = async {
		let mut ticks = tokio::time::interval(LOOK);
		loop {
			ticks.tick().await;
			if let Some(found) = look().await? {
				return Ok(found);
			}
		}
	};
	within(limit, what, looking).await?
}

/// Returns when this process is asked to end, by a terminal's interrupt or by SIGTERM. A program that waits for it
/// beside its work ends by dropping what it holds, and its nodes with it.
pub async fn asked_to_end() {
	let interrupt = tokio::signal::ctrl_c();
	let Ok(mut terminate) = tokio::signal::unix::signal(tokio::signal::unix::SignalKind::terminate()) else {
		drop(interrupt.await);
		return;
	};
	tokio::select! {
		_ = interrupt => {}
		_ = terminate.recv() => {}
	}
}

#[cfg(test)]
mod tests {
	use super::*;

	#[tokio::test]
	async fn what_never_happens_is_late_and_named() {
		let late = within(Duration::from_millis(5), "the impossible", std::future::pending::<()>()).await;
		assert!(matches!(late, Err(Error::Late { what, .. }) if what == "the impossible"));
	}

	#[tokio::test]
	async fn looks_until_there_is_something() {
		let mut left = 3;
		let found = until(Duration::from_secs(5), "a countdown", || {
			left -= 1;
			let done = left == 0;
			async move { Ok(done.then_some("done")) }
		});
		assert_eq!(found.await.ok(), Some("done"));
	}
}

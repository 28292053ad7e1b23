//! Submitting, until the state of a final block says that it has come about.

use super::{pending::Pending, waiting::Behind, Directory, DirectoryError};
use lockstep_primitives::BlockNumber;
use lockstep_verifier::chain::Head;
use std::{future::Future, time::Duration};
use tokio::time::{sleep, timeout_at, Instant};

/// Between two looks, while something is on its way.
const LOOK: Duration = Duration::from_millis(500);
/// For how long it is waited for. The chain may still take it later: nothing but its state says that it did not.
pub(super) const PATIENCE: Duration = Duration::from_secs(90);

/// What the state of a final block says of something that was submitted.
pub(super) enum Found<T, B> {
	/// It has come about.
	There(T),
	/// It has not, and can still, as of this block.
	Free(B, Head),
}

/// What is to come about.
pub(super) trait Goal: Sync {
	/// What there is then.
	type Reached: Send;
	/// What there is before.
	type Before: Send;

	/// Looks whether it has.
	///
	/// # Errors
	/// [`DirectoryError::Superseded`] and the like if it never will; any other error says nothing of it.
	fn look(
		&self,
		directory: &Directory,
	) -> impl Future<Output = Result<Found<Self::Reached, Self::Before>, DirectoryError>> + Send;
}

impl Directory {
	/// Submits what is pending, and again if need be, until the goal is reached. A node whose final block stays the same meanwhile is
	/// left for the next one.
	pub(super) async fn reach<G: Goal>(
		&self,
		goal: &G,
		mut pending: Pending<'_>,
	) -> Result<G::Reached, DirectoryError> {
		let deadline = Instant::now().checked_add(PATIENCE);
		let mut newest: Option<BlockNumber> = None;
		let mut behind = Behind::default();
		loop {
			pending.submit().await?;
			sleep(LOOK).await;
			// From here on it may be on its way, whatever goes wrong.
			let looked = match deadline {
				Some(deadline) => timeout_at(deadline, goal.look(self)).await,
				None => Ok(goal.look(self).await),
			};
			let Ok(looked) = looked else { return Err(DirectoryError::NotFinal { said: pending.into_said() }) };
			match looked {
				Ok(Found::There(reached)) => return Ok(reached),
				Ok(Found::Free(_, head)) => {
					pending.was_free(&head).await?;
					if newest == Some(head.number) {
						self.is_behind(&mut behind).await;
					} else {
						newest = Some(head.number);
						behind = Behind::default();
					}
				}
				Err(error @ (DirectoryError::Superseded { .. } | DirectoryError::Claimed(_))) => return Err(error),
				Err(DirectoryError::KeyPackages(refusal)) => return Err(DirectoryError::KeyPackages(refusal)),
				Err(error) => pending.said(error),
			}
			if deadline.is_none_or(|deadline| Instant::now() >= deadline) {
				return Err(DirectoryError::NotFinal { said: pending.into_said() });
			}
		}
	}
}

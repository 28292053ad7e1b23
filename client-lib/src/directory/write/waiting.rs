//! Waiting for a node to get as far as is needed, and no longer than it may take an honest one.
//!
//! Whatever an old state says is true of its block, so no proof shows that a node stands still, or lets one see only what is long
//! past.

use super::Directory;
use crate::directory::History;
use lockstep_primitives::{BlockNumber, IdentityId};
use std::time::Duration;
use tokio::time::{sleep, Instant};

/// With several nodes: for how long one may not have got as far as is needed, before the next one is asked. An honest one is a
/// block or two behind. Shorter in tests.
const STALL: Duration = Duration::from_millis(if cfg!(test) { 400 } else { 10_000 });
/// The wait after a node that has not got as far, or could not be asked.
const RETRY: Duration = Duration::from_millis(300);

/// Over which connection a node has not got as far as is needed, and since when.
#[derive(Debug, Default)]
pub(super) struct Behind(Option<(u64, Instant)>);

impl Directory {
	/// An identity, as of this block or a later one; without any event if the chain does not know it. Waits for that, however long.
	pub(crate) async fn look_up_as_of(&self, identity: IdentityId, block: BlockNumber) -> History {
		let mut behind = Behind::default();
		loop {
			match self.look_up(identity).await {
				Ok(history) if history.until() >= block => return history,
				Ok(history) => {
					tracing::debug!(%identity, until = history.until(), block, "a node has not got as far");
					self.is_behind(&mut behind).await;
				}
				Err(error) => tracing::warn!(%identity, %error, "the log of a person cannot be read, and it is needed"),
			}
			sleep(RETRY).await;
		}
	}

	/// The node in use has not got as far as is needed: it is left for the next one if it had its time.
	pub(super) async fn is_behind(&self, behind: &mut Behind) {
		if self.nodes.count() < 2 {
			return;
		}
		let Some(node) = self.nodes.connected().await else { return };
		match behind.0 {
			Some((connection, since)) if connection == node.connection() => {
				if since.elapsed() >= STALL {
					tracing::warn!(node = node.url(), "the node does not get as far as is needed");
					self.nodes.give_up(&node).await;
				}
			}
			_ => behind.0 = Some((node.connection(), Instant::now())),
		}
	}
}

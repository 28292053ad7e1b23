//! When the stock is looked at.

use super::{
	look::{Chain, Looked, Looker, Store},
	KeeperEvent, KeeperOptions, KeeperStopped, LookError, Stock,
};
use rand::Rng;
use std::time::Duration;
use tokio::{
	sync::{mpsc, oneshot},
	time::timeout,
};

/// Whoever waits for the stock to be as it is to be.
#[derive(Debug)]
pub(super) struct Request(pub oneshot::Sender<Result<Stock, KeeperStopped>>);

/// Between two publications, so that whatever goes wrong no node is flooded.
const PAUSE: Duration = Duration::from_millis(500);

/// See the module.
pub(super) struct Task<C, S> {
	pub looker: Looker<C, S>,
	pub options: KeeperOptions,
	pub asked: mpsc::Receiver<Request>,
	pub waiting: Vec<Request>,
}

impl<C: Chain, S: Store> Task<C, S> {
	/// Until there is nothing to keep any more.
	pub(super) async fn run(mut self) {
		let mut failures = 0;
		loop {
			// Whoever has asked by now is answered by this look.
			while let Ok(request) = self.asked.try_recv() {
				self.waiting.push(request);
			}
			let wait = match self.looker.look().await {
				Ok(Looked::Kept(stock)) => {
					failures = 0;
					for Request(reply) in self.waiting.drain(..) {
						drop(reply.send(Ok(stock)));
					}
					at_about(self.options.look_every)
				}
				Ok(Looked::Settled) => {
					failures = 0;
					PAUSE
				}
				Ok(Looked::Wait { now, until }) => {
					failures = 0;
					// Blocks are of a second.
					let blocks = until.saturating_sub(now).saturating_add(1);
					Duration::from_secs(blocks.into()).min(self.options.look_every)
				}
				Err(LookError::Stopped(reason)) => return self.stop(&reason),
				Err(error) => {
					let retry_in = wait_after(failures, self.options.retry, self.options.longest_retry);
					failures = failures.saturating_add(1);
					self.looker.tell(KeeperEvent::Failed { reason: error.to_string(), retry_in });
					retry_in
				}
			};
			if !self.rest(wait).await {
				return;
			}
		}
	}

	/// Waits, and no longer if somebody asks. Not on, if nobody has the keeper any more.
	async fn rest(&mut self, wait: Duration) -> bool {
		match timeout(wait, self.asked.recv()).await {
			Err(_) => true,
			Ok(None) => false,
			Ok(Some(request)) => {
				self.waiting.push(request);
				true
			}
		}
	}

	fn stop(self, reason: &KeeperStopped) {
		self.looker.tell(KeeperEvent::Stopped { reason: reason.clone() });
		for Request(reply) in self.waiting {
			drop(reply.send(Err(reason.clone())));
		}
	}
}

/// After so many failures before this one: doubled each time, and half of it at random, so that devices do not come together.
fn wait_after(failures: u32, first: Duration, longest: Duration) -> Duration {
	let doubled = first.saturating_mul(1u32.checked_shl(failures).unwrap_or(u32::MAX));
	let most = doubled.min(longest);
	most.mul_f64(rand::thread_rng().gen_range(0.5..=1.0))
}

/// A quarter more or less, so that what is published tells less of when the device was invited, or somebody began to use it.
fn at_about(wait: Duration) -> Duration {
	wait.mul_f64(rand::thread_rng().gen_range(0.75..=1.25))
}

#[cfg(test)]
mod tests {
	use super::*;

	#[test]
	fn waits_double_up_to_the_longest() {
		let (first, longest) = (Duration::from_secs(2), Duration::from_secs(600));
		for failures in 0..40u32 {
			let most = Duration::from_secs(2u64.saturating_pow(failures + 1)).min(longest);
			let wait = wait_after(failures, first, longest);
			assert!(wait >= most / 2 && wait <= most, "{failures}: {wait:?}");
		}
		assert!(wait_after(u32::MAX, first, longest) <= longest);
	}
}

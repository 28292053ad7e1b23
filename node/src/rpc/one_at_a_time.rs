//! Work that is done once at a time: what costs a node much, and what anybody may ask for.

use std::sync::Arc;
use tokio::{
	sync::Semaphore,
	task::{spawn_blocking, JoinError},
};

/// One piece of such work at most.
#[derive(Clone)]
pub struct OneAtATime(Arc<Semaphore>);

impl OneAtATime {
	/// Nothing is being done.
	pub fn new() -> Self {
		Self(Arc::new(Semaphore::new(1)))
	}

	/// Does some work, beside the tasks, which it would hold up. `None` if other work is being done: then this is not.
	pub async fn run<T: Send + 'static>(
		&self,
		work: impl FnOnce() -> T + Send + 'static,
	) -> Option<Result<T, JoinError>> {
		let permit = self.0.clone().try_acquire_owned().ok()?;
		let work = move || {
			// Until it is done, whether or not anybody waits for the answer.
			let _permit = permit;
			work()
		};
		Some(spawn_blocking(work).await)
	}
}

#[cfg(test)]
mod tests {
	use super::*;
	use std::{sync::mpsc, time::Duration};
	use tokio::{sync::oneshot, time::timeout};

	const DEADLINE: Duration = Duration::from_secs(30);

	#[tokio::test]
	async fn who_comes_while_something_is_being_done_is_turned_away() {
		let one = OneAtATime::new();
		let (began, beginning) = oneshot::channel();
		let (go_on, gone_on) = mpsc::channel::<()>();
		let work = move || {
			began.send(()).unwrap();
			gone_on.recv_timeout(DEADLINE)
		};
		let first = tokio::spawn({
			let one = one.clone();
			async move { one.run(work).await }
		});
		timeout(DEADLINE, beginning).await.unwrap().unwrap();
		assert!(one.run(|| ()).await.is_none());
		// Nobody waits for the answer any more, and it is still being done.
		first.abort();
		assert!(timeout(DEADLINE, first).await.unwrap().unwrap_err().is_cancelled());
		assert!(one.run(|| ()).await.is_none());
		go_on.send(()).unwrap();
		drop(timeout(DEADLINE, one.0.acquire()).await.unwrap().unwrap());
		assert!(matches!(one.run(|| 7).await, Some(Ok(7))));
	}

	#[tokio::test]
	async fn trouble_in_the_work_ends_it() {
		let one = OneAtATime::new();
		assert!(one.run::<()>(|| panic!("trouble")).await.unwrap().is_err_and(|error| error.is_panic()));
		assert!(matches!(one.run(|| 7).await, Some(Ok(7))));
	}
}

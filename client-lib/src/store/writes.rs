//! The moments right before and right after each write to the database, where a test ends the process.

/// On which side of a write.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WritePoint {
	/// Nothing of it is on disk.
	Before,
	/// All of it is, and nobody knows yet.
	After,
}

#[cfg(feature = "hostile")]
type Hook = Box<dyn Fn(WritePoint) + Send + Sync>;

#[cfg(feature = "hostile")]
static HOOK: std::sync::OnceLock<Hook> = std::sync::OnceLock::new();

/// Has `hook` called at each of them, in this process; the first hook stays. For tests of the promises only.
#[cfg(feature = "hostile")]
pub fn on_write(hook: impl Fn(WritePoint) + Send + Sync + 'static) {
	drop(HOOK.set(Box::new(hook)));
}

/// The client is at this point.
pub(super) fn passing(point: WritePoint) {
	#[cfg(feature = "hostile")]
	if let Some(hook) = HOOK.get() {
		hook(point);
	}
	let _ = point;
}

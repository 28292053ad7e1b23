//! The moments right before and right after each write to the database, where a test ends the process.

use super::overlay::Writes;

/// On which side of a write.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum WritePoint {
	/// Nothing of it is on disk.
	Before,
	/// All of it is, and nobody knows yet.
	After,
}

impl WritePoint {
	/// Both.
	#[cfg(feature = "hostile")]
	pub const ALL: [Self; 2] = [Self::Before, Self::After];
}

/// A kind of record that a write changes, and whether it deletes such records. The names are those of this version; they
/// mean something to tests only.
#[cfg(feature = "hostile")]
pub type Change<'a> = (&'a str, bool);

#[cfg(feature = "hostile")]
type Hook = Box<dyn Fn(WritePoint, &[Change<'_>]) + Send + Sync>;

#[cfg(feature = "hostile")]
static HOOK: std::sync::OnceLock<Hook> = std::sync::OnceLock::new();

/// Has `hook` called at each of them, in this process, with what the write changes; the first hook stays. For tests of the
/// promises only.
#[cfg(feature = "hostile")]
pub fn on_write(hook: impl Fn(WritePoint, &[Change<'_>]) + Send + Sync + 'static) {
	drop(HOOK.set(Box::new(hook)));
}

/// The client is at this point of these writes.
pub(super) fn passing(point: WritePoint, writes: &Writes) {
	#[cfg(feature = "hostile")]
	if let Some(hook) = HOOK.get() {
		let kind = |key| std::str::from_utf8(super::key::split(key).0).unwrap_or_default();
		let changes: std::collections::BTreeSet<Change<'_>> =
			writes.iter().map(|(key, value)| (kind(key), value.is_none())).collect();
		hook(point, &changes.into_iter().collect::<Vec<_>>());
	}
	let _ = (point, writes);
}

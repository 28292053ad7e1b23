//! Deliberate faults, to show that the simulator finds what it is there to find.
//!
//! Each is a mistake that a client of this kind could make, put into the place where it would be made. They exist only
//! with the feature `simulation`, which nothing enables but the simulator; a program that is built without it has no
//! trace of them. Where they exist, one can be switched on by [`set`] alone, by a test, for its own thread: no argument,
//! file or environment variable reaches it.

/// A deliberate fault.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[cfg_attr(not(feature = "simulation"), allow(dead_code))]
pub enum Mutation {
	/// Acts on entries of blocks that are not final. It is in the simulator's source of entries.
	NotFinal,
	/// Stores the position in the log before the MLS state that belongs to it.
	CursorFirst,
	/// Stores the MLS state before the position in the log that belongs to it.
	MergeFirst,
	/// Passes over an entry that fails for this member alone, and contests it.
	SkipPrivate,
	/// Passes over such an entry only if it is the first child of the tip.
	SkipPrivateFirst,
	/// Goes on with a sibling of such an entry.
	SiblingAfterPrivate,
	/// Merges its own commit when a node says that it took it.
	MergeUnanswered,
	/// Drops its own commit when a node refuses it.
	DropOnRefusal,
	/// Replaces its own commit, which may be in a block, by a new one.
	ReplacePending,
	/// Keeps its own commit when another has won.
	KeepPending,
	/// Sends the Welcome when the commit is submitted.
	EarlyWelcome,
	/// Ends an intent when its commit is submitted.
	FinishOnSubmit,
	/// Forgets an intent whose commit lost.
	DropLoser,
	/// Does not notice that it was removed.
	IgnoreRemoval,
	/// Forgets at a restart which intents the pending commit carries.
	ForgetInFlight,
	/// Does not store an intent before it says that it has taken it on.
	VolatileIntent,
	/// Does not remember which messages it has read.
	ForgetHeard,
	/// Reports a message before it is stored, and does not store it.
	VolatileInbox,
	/// Deletes a message from the outbox when it is handed to a node.
	DeleteOnPost,
	/// Never contests an entry that nobody can process.
	NeverContest,
	/// Never submits again what got lost.
	SubmitOnce,
	/// Takes a commit with the wrong key of the next epoch for its own.
	OwnWithoutKey,
	/// Takes the next epoch over in memory before it is stored.
	MemoryFirst,
	/// Forgets a KeyPackage when an invitation comes to nothing.
	SpendOnFailure,
	/// Readmits a member whatever leaf it has by now.
	ReadmitAlways,
	/// Takes the epoch that it comes back in from what it knew itself.
	StaleReset,
	/// Commits before it has read the log to its end.
	CommitBehind,
	/// Reads on in one write although something of its own is under way.
	ReadOnBusy,
	/// Reads on in one write although statements wait to be read in between.
	ReadOnUnread,
}

#[cfg(feature = "simulation")]
impl Mutation {
	/// All of them.
	pub const ALL: [Self; 29] = [
		Self::NotFinal,
		Self::CursorFirst,
		Self::MergeFirst,
		Self::SkipPrivate,
		Self::SkipPrivateFirst,
		Self::SiblingAfterPrivate,
		Self::MergeUnanswered,
		Self::DropOnRefusal,
		Self::ReplacePending,
		Self::KeepPending,
		Self::EarlyWelcome,
		Self::FinishOnSubmit,
		Self::DropLoser,
		Self::IgnoreRemoval,
		Self::ForgetInFlight,
		Self::VolatileIntent,
		Self::ForgetHeard,
		Self::VolatileInbox,
		Self::DeleteOnPost,
		Self::NeverContest,
		Self::SubmitOnce,
		Self::OwnWithoutKey,
		Self::MemoryFirst,
		Self::SpendOnFailure,
		Self::ReadmitAlways,
		Self::StaleReset,
		Self::CommitBehind,
		Self::ReadOnBusy,
		Self::ReadOnUnread,
	];
}

#[cfg(feature = "simulation")]
std::thread_local! {
	static ON: std::cell::Cell<Option<Mutation>> = const { std::cell::Cell::new(None) };
}

/// Switches a fault on in this thread, and any other off.
#[cfg(feature = "simulation")]
pub fn set(mutation: Option<Mutation>) {
	ON.set(mutation);
}

/// Whether this fault is on.
#[cfg(feature = "simulation")]
pub fn is(mutation: Mutation) -> bool {
	ON.get() == Some(mutation)
}

/// Whether this fault is on: never, without the feature.
#[cfg(not(feature = "simulation"))]
#[inline(always)]
pub(crate) const fn is(_: Mutation) -> bool {
	false
}

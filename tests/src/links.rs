//! Looking for what joins two things that nobody is to join: a group with a person, a claim with whoever made it, a commit with
//! whoever committed it.
//!
//! An [`Observer`] writes down what nodes show and keep, as [`Record`]s. A [`Scan`] joins the records that have a value in common:
//! [`VALUE`] bytes, anywhere in them, of which nothing was there before ([`Constants`]). What an outsider can work out, such as the
//! topic under which the invitation by a KeyPackage lies, is part of the record that it follows from. Then
//!
//! - two names in what hangs together are a [`Link`]: [`Scan::links`];
//! - so are two acts, extrinsics or statements, that have anything else in common than what the protocol shows of a group or a
//!   person: [`Scan::pseudonyms`]. That finds a value that stands for a committer in one group, too, though it names nobody.
//!
//! That two things happened at the same time joins nothing here.

mod constants;
mod events;
mod key_package;
mod observer;
mod reading;
mod scan;
#[cfg(test)]
mod tests;

pub use constants::Constants;
pub use observer::Observer;
pub use scan::{Link, Names, Scan};

/// How many bytes have to be the same: as many as the shortest hash that the chain or its clients use for a name.
pub const VALUE: usize = 16;

/// Something that an outsider sees at once.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Record {
	/// What to call it.
	pub name: String,
	/// What it is.
	pub kind: Kind,
	/// Its bytes, and what follows from them.
	pub parts: Vec<Vec<u8>>,
	/// Values in it that the protocol shows on purpose: ids, keys, topics, KeyPackages.
	pub shown: Vec<Vec<u8>>,
}

/// What a [`Record`] is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
	/// An extrinsic that registers an identity, with its events.
	Register,
	/// One that publishes KeyPackages.
	Publish,
	/// One that claims KeyPackages.
	Claim,
	/// One that creates a group.
	Found,
	/// One that appends a commit.
	Append,
	/// A statement.
	Statement,
	/// What somebody did in another way.
	Other,
	/// What nodes make by themselves: headers, state, what every block has.
	Trace,
}

impl Kind {
	/// Whether somebody has done this.
	pub fn is_act(self) -> bool {
		self != Self::Trace
	}
}

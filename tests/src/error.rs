//! What can go wrong around a test.

use std::{path::PathBuf, time::Duration};

/// What went wrong outside of the things under test, or a wait that ended without what it waited for.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
	/// A program of the workspace was not built.
	#[error("{name} is missing in {}: build the workspace first, with `make build`", .looked_in.display())]
	ProgramMissing {
		/// The program's file name.
		name: String,
		/// The folder it should be in.
		looked_in: PathBuf,
	},
	/// A wait reached its deadline.
	#[error("{what} did not happen within {limit:?}")]
	Late {
		/// What was waited for.
		what: String,
		/// For how long.
		limit: Duration,
	},
	/// A node ended, or its log broke off, before it served requests.
	#[error("{node} ended before it was ready; its log is {}", .log.display())]
	NodeEnded {
		/// Which node.
		node: String,
		/// Its log.
		log: PathBuf,
	},
	/// A request to a node failed.
	#[error("a request to a node failed: {0}")]
	Rpc(#[from] jsonrpsee::core::ClientError),
	/// A node answered something that is not what the method promises.
	#[error("a node answered what {method} cannot answer: {detail}")]
	Answer {
		/// The RPC method.
		method: &'static str,
		/// What is wrong with the answer.
		detail: String,
	},
	/// A file, process or socket failed.
	#[error("{what}: {source}")]
	Io {
		/// What was tried.
		what: String,
		/// What the system said.
		source: std::io::Error,
	},
	/// A client's operation failed.
	#[error("{who}: {source}")]
	Client {
		/// The member.
		who: String,
		/// What the client said.
		source: Box<dyn std::error::Error + Send + Sync>,
	},
	/// Something that has to hold does not.
	#[error("{0}")]
	Broken(String),
}

/// A result of this crate.
pub type Result<T, E = Error> = std::result::Result<T, E>;

impl Error {
	/// An [`Error::Io`] with what was tried.
	pub fn io(what: impl Into<String>) -> impl FnOnce(std::io::Error) -> Self {
		let what = what.into();
		move |source| Self::Io { what, source }
	}

	/// An [`Error::Client`] of the named member.
	pub fn client<E: std::error::Error + Send + Sync + 'static>(who: impl Into<String>) -> impl FnOnce(E) -> Self {
		let who = who.into();
		move |source| Self::Client { who, source: Box::new(source) }
	}
}

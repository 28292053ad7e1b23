//! What can go wrong between a client and a node.

use jsonrpsee::core::ClientError;
use lockstep_primitives::{
	identity::IdentityRefusal, key_package::KeyPackageRefusal, voucher::VoucherRefusal, GenesisHash, Refusal,
};

/// Why a node did not answer, or why its answer is of no use.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum RpcError {
	/// The connection could not be made, broke, or the node was too slow.
	#[error("node {url} is not reachable: {reason}; check the URL and that it is running, or name another node")]
	Unreachable {
		/// URL of the node.
		url: String,
		/// What happened.
		reason: String,
	},
	/// The connection for which this was meant is gone.
	#[error("the connection to the node was lost; it is tried again over the next")]
	ConnectionLost,
	/// The node answered with an error.
	#[error("node {url} refused the request with code {code}: {message}")]
	Refused {
		/// URL of the node.
		url: String,
		/// JSON-RPC error code.
		code: i32,
		/// The node's words.
		message: String,
	},
	/// The node answered something that is not what this method returns.
	#[error("node {url} sent an answer that does not decode ({reason}): use a node of the same version")]
	Undecodable {
		/// URL of the node.
		url: String,
		/// What does not fit.
		reason: String,
	},
	/// The node is on another chain.
	#[error("node {url} is of the chain {found}, but this client belongs to {expected}: name a node of that chain")]
	WrongChain {
		/// URL of the node.
		url: String,
		/// Genesis of the client's chain.
		expected: GenesisHash,
		/// Genesis of the node's chain.
		found: GenesisHash,
	},
	/// The node was caught lying.
	#[error("node {url} lied ({lie}) and is not asked again: name another node")]
	Banned {
		/// URL of the node.
		url: String,
		/// What it did.
		lie: String,
	},
	/// The chain's extrinsics have another layout.
	#[error("the chain has transaction version {found}, this library knows {known}: update the library")]
	TransactionVersion {
		/// The version that this library makes.
		known: u32,
		/// The chain's.
		found: u32,
	},
	/// No node was given.
	#[error("no node was named: give at least one node URL")]
	NoNodes,
}

/// Why a submission got no acceptance.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SubmitError {
	/// The chain's admission rules refuse it, as this node sees the chain.
	#[error("the chain refuses the entry: {0}")]
	Refused(Refusal),
	/// The rules of identities refuse it, as this node sees the chain.
	#[error("the chain refuses the event: {0}")]
	RefusedEvent(IdentityRefusal),
	/// The node's transaction pool does not take it: it has it already, or has a reason of its own.
	#[error("the node's pool did not take the transaction: {0}")]
	Pool(String),
	/// The node's pool has this very transaction: what becomes of it is in the log.
	#[error("the node's pool has the transaction already")]
	InPool,
	/// A voucher is not taken, as this node sees the chain.
	#[error("the chain refuses the voucher: {0}")]
	RefusedVoucher(VoucherRefusal),
	/// KeyPackages are not taken, or not given out, as this node sees the chain.
	#[error("the chain refuses it: {0}")]
	RefusedKeyPackages(KeyPackageRefusal),
	/// Another transaction of the same account waits in the pool with this nonce.
	#[error("another transaction of this account has the nonce")]
	NonceTaken,
	/// It was not submitted: there was no node to submit it to.
	#[error("nothing was submitted: {0}")]
	Unsent(RpcError),
	/// It was sent to a node, and what came back does not say what became of it.
	#[error(transparent)]
	Unanswered(#[from] RpcError),
}

/// Code under which the node reports a [`Refusal`] or an [`IdentityRefusal`], with its name as data.
const REFUSED: i32 = 9001;
/// Code for everything else that its pool has against a transaction.
const POOL: i32 = 9002;
/// Code for a nonce that is in use.
const NONCE_TAKEN: i32 = 9006;
/// Code for a transaction that the pool has.
const IN_POOL: i32 = 9007;

impl RpcError {
	pub(super) fn from_client(url: &str, error: ClientError) -> Self {
		let url = url.to_owned();
		match error {
			ClientError::Call(error) => Self::Refused { url, code: error.code(), message: bounded(error.message()) },
			ClientError::ParseError(error) => Self::Undecodable { url, reason: bounded(&error.to_string()) },
			other => Self::Unreachable { url, reason: bounded(&other.to_string()) },
		}
	}

	/// Whether the connection is of no more use.
	pub fn is_disconnect(&self) -> bool {
		matches!(self, Self::Unreachable { .. })
	}
}

impl SubmitError {
	/// Whether the node may hold it for all that this says, or may have passed it on.
	pub fn may_have_been_taken(&self) -> bool {
		match self {
			Self::InPool => true,
			// That it has a reason not to take the request is an answer.
			Self::Unanswered(error) => !matches!(error, RpcError::Refused { .. }),
			_ => false,
		}
	}

	pub(super) fn from_client(url: &str, error: ClientError) -> Self {
		if let ClientError::Call(error) = &error {
			if error.code() == REFUSED {
				let name: Option<String> = error.data().and_then(|data| serde_json::from_str(data.get()).ok());
				let refusal = Refusal::ALL.into_iter().find(|refusal| name.as_deref() == Some(refusal.name()));
				if let Some(refusal) = refusal {
					return Self::Refused(refusal);
				}
				let refusal = IdentityRefusal::ALL.into_iter().find(|refusal| name.as_deref() == Some(refusal.name()));
				if let Some(refusal) = refusal {
					return Self::RefusedEvent(refusal);
				}
				let refusal = VoucherRefusal::ALL.into_iter().find(|refusal| name.as_deref() == Some(refusal.name()));
				if let Some(refusal) = refusal {
					return Self::RefusedVoucher(refusal);
				}
				let mut all = KeyPackageRefusal::ALL.into_iter();
				if let Some(refusal) = all.find(|refusal| name.as_deref() == Some(refusal.name())) {
					return Self::RefusedKeyPackages(refusal);
				}
			}
			if error.code() == IN_POOL {
				return Self::InPool;
			}
			if error.code() == NONCE_TAKEN {
				return Self::NonceTaken;
			}
			if error.code() == REFUSED || error.code() == POOL {
				return Self::Pool(bounded(error.message()));
			}
		}
		Self::Unanswered(RpcError::from_client(url, error))
	}
}

/// A node's words, cut to a length that does no harm in a log.
fn bounded(text: &str) -> String {
	text.chars().take(300).collect()
}

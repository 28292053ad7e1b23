//! Reading and writing logs over the nodes that an application names.

use super::{
	export::{collect, IdentityExportError},
	History, IdentityId, SignedEvent,
};
use crate::{
	client::{hand_over, submit_signed},
	rpc::{Node, Nodes, RpcError, SubmitError},
	Sponsor,
};
use lockstep_primitives::{extrinsic::SignedCall, identity::IdentityRefusal, EntryHash, GenesisHash};
use lockstep_verifier::{chain::Head, identity::IdentityFileError};
use std::{sync::Arc, time::Duration};
use tokio::time::{sleep, Instant};

/// Between two looks at the log, while an event is on its way.
const LOOK: Duration = Duration::from_millis(500);
/// After which an event that is not in the log is submitted again.
const AGAIN: Duration = Duration::from_secs(15);
/// For how long an event is waited for. The chain may still record it later: nothing but the log says that it was not.
const PATIENCE: Duration = Duration::from_secs(60);

/// Why an identity is not known, or an event not recorded.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum DirectoryError {
	/// No node could be asked, or none sent what verifies.
	#[error(transparent)]
	Read(#[from] IdentityExportError),
	/// The identity is not on the chain.
	#[error("the chain has no identity {0}: check the id, or register it")]
	Unknown(IdentityId),
	/// The event is against the rules, as this client and every node judges it.
	#[error("the event is refused: {0}")]
	Refused(IdentityRefusal),
	/// Another event has its position.
	#[error("another event came first, and has position {index}: read the log, and make the event anew if it is still wanted")]
	Superseded {
		/// The position.
		index: u64,
		/// The other event.
		entry: EntryHash,
	},
	/// Nothing is known of it yet.
	#[error("the event was submitted and is not final after {} s: look into the log before you make another", PATIENCE.as_secs())]
	NotFinal,
	/// The sponsor's registration was not taken.
	#[error("the registration was not taken ({0}): see that the sponsor has the funds for the deposit and the fee")]
	Submit(SubmitError),
}

impl From<RpcError> for DirectoryError {
	fn from(error: RpcError) -> Self {
		Self::Read(error.into())
	}
}

/// The chain's identities, over the nodes that an application names. Keeps nothing.
#[derive(Debug)]
pub struct Directory {
	nodes: Nodes,
	genesis: GenesisHash,
}

impl Directory {
	/// Over the nodes at `urls` (`ws://host:port`), tried in this order, of the chain with this genesis: all that has to be
	/// trusted.
	///
	/// # Errors
	/// [`RpcError::NoNodes`].
	pub fn new(urls: Vec<String>, genesis: GenesisHash) -> Result<Self, RpcError> {
		Ok(Self { nodes: Nodes::new(urls, Some(genesis))?, genesis })
	}

	/// An identity, as of the newest final block that a node shows, and that block. A node whose answer does not verify is not
	/// asked again, and the next one is.
	///
	/// # Errors
	/// [`DirectoryError::Read`], [`DirectoryError::Unknown`].
	pub async fn read(&self, identity: IdentityId) -> Result<(History, Head), DirectoryError> {
		let mut attempts = self.nodes.count();
		loop {
			let node = self.nodes.current().await?;
			let error = match self.read_from(&node, identity).await {
				Err(IdentityExportError::Invalid(IdentityFileError::Unknown(identity))) => {
					return Err(DirectoryError::Unknown(identity));
				}
				Ok(read) => return Ok(read),
				Err(error) => error,
			};
			attempts = attempts.saturating_sub(1);
			match &error {
				IdentityExportError::Invalid(_) | IdentityExportError::Malformed => {
					self.nodes.ban(&node, &error.to_string()).await;
				}
				_ => self.nodes.give_up(&node).await,
			}
			if attempts == 0 {
				return Err(error.into());
			}
		}
	}

	async fn read_from(&self, node: &Arc<Node>, identity: IdentityId) -> Result<(History, Head), IdentityExportError> {
		let file = collect(node, self.genesis, identity).await?;
		Ok(file.verify(&self.genesis.into())?)
	}

	/// Registers an identity by its first event, at the sponsor's cost, and waits until that is final. Gives the identity, also
	/// if somebody else has registered it with this event meanwhile.
	///
	/// # Errors
	/// [`DirectoryError`].
	pub async fn register(&self, sponsor: &Sponsor, first: &SignedEvent) -> Result<History, DirectoryError> {
		let call = SignedCall::Register(Box::new(first.clone()));
		self.submit_until_final(first, async || submit_signed(&self.nodes, sponsor, &call).await).await
	}

	/// Records the next event of an identity, and waits until that is final. Gives the identity with it. To record an event
	/// again that is in the log is no error and changes nothing.
	///
	/// # Errors
	/// [`DirectoryError`].
	pub async fn record(&self, event: &SignedEvent) -> Result<History, DirectoryError> {
		let extrinsic = event.to_extrinsic();
		self.submit_until_final(event, async || hand_over(&self.nodes, extrinsic.clone()).await).await
	}

	async fn submit_until_final(
		&self,
		event: &SignedEvent,
		submit: impl AsyncFn() -> Result<(), SubmitError>,
	) -> Result<History, DirectoryError> {
		let deadline = Instant::now().checked_add(PATIENCE);
		let mut submitted: Option<Instant> = None;
		let mut not_taken = 0;
		loop {
			// What a node says of the submission is a hint: the log decides.
			if let Some(history) = self.look(event).await? {
				return Ok(history);
			}
			if deadline.is_none_or(|deadline| Instant::now() >= deadline) {
				return Err(DirectoryError::NotFinal);
			}
			if submitted.is_none_or(|last| last.elapsed() >= AGAIN) {
				submitted = Some(Instant::now());
				match submit().await {
					Ok(()) => {}
					Err(SubmitError::RefusedEvent(refusal)) => {
						// It may be in the log already, or another one: this says which, if it is.
						return match self.look(event).await? {
							Some(history) => Ok(history),
							None => Err(DirectoryError::Refused(refusal)),
						};
					}
					// It may wait in the pool since before.
					Err(error @ SubmitError::Pool(_)) => {
						not_taken += 1;
						if not_taken > 1 {
							return Err(DirectoryError::Submit(error));
						}
						self.try_another().await;
					}
					Err(error) => tracing::debug!(%error, "an event was not taken"),
				}
			}
			sleep(LOOK).await;
		}
	}

	/// A node does not take what it has once refused; another one may.
	async fn try_another(&self) {
		if let Some(node) = self.nodes.connected().await {
			self.nodes.give_up(&node).await;
		}
	}

	/// The identity, if the event is in its log.
	async fn look(&self, event: &SignedEvent) -> Result<Option<History>, DirectoryError> {
		let history = match self.read(event.event.identity).await {
			Ok((history, _)) => history,
			Err(DirectoryError::Unknown(_)) => return Ok(None),
			Err(error) => return Err(error),
		};
		let index = event.event.index;
		let step = usize::try_from(index).ok().and_then(|index| history.steps().get(index));
		match step.map(|step| (step.event.event == event.event, step.change.hash)) {
			None => Ok(None),
			Some((true, _)) => Ok(Some(history)),
			Some((false, entry)) => Err(DirectoryError::Superseded { index, entry }),
		}
	}
}

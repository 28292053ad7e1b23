//! Reading and writing logs over the nodes that an application names.

mod asking;
mod both;
mod key_packages;
mod pending;
mod reaching;
mod waiting;

use super::{
	export::{log_in_time, IdentityExportError},
	History, IdentityId, SignedEvent,
};
use crate::{
	client::Changes,
	rpc::{Node, Nodes, RpcError},
	voucher::HeldVoucher,
	Client, GroupError, Sponsor,
};
use asking::Wanted;
use futures::future::join;
pub(crate) use key_packages::ForDevices;
use lockstep_primitives::{
	extrinsic::SignedCall, identity::IdentityRefusal, key_package::KeyPackageRefusal, rpc::StateProof,
	voucher::VoucherRefusal, BlockNumber, EntryHash, GenesisHash,
};
use lockstep_verifier::{
	chain::Head,
	identity::{prove_identity, HistoryError, IdentityFileError, Recorded},
	key_packages::ClaimedError,
	FinalizedChain,
};
use pending::{Pending, Way};
use reaching::{Found, Goal, PATIENCE};
use std::sync::atomic::AtomicU32;
use tokio::sync::Mutex;

/// Why an identity is not known, or an event not recorded.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum DirectoryError {
	/// No node could be asked, or none sent what verifies. Of an event: it was not submitted.
	#[error(transparent)]
	Read(#[from] IdentityExportError),
	/// The identity is not on the chain.
	#[error("the chain has no identity {0}: check the id, or register it")]
	Unknown(IdentityId),
	/// The event is against the rules, as this client judges it, and was not submitted; or a key in it was used in another
	/// identity, as each node says.
	#[error("the event is refused: {0}")]
	Refused(IdentityRefusal),
	/// Another event has its position, for good.
	#[error("another event came first, and has position {index}: read the log, and make the event anew if it is still wanted")]
	Superseded {
		/// The position.
		index: u64,
		/// The other event.
		entry: EntryHash,
	},
	/// Nothing is known of it yet. It may still be recorded, so nothing that belongs to it, such as a new key, can be given up.
	#[error("the event was submitted and is not final after {} s ({said}): look into the log before you make another", PATIENCE.as_secs())]
	NotFinal {
		/// What nodes said of it last.
		said: String,
	},
	/// The voucher is not taken, as each node says. It may be spent still, if it is not [`VoucherRefusal::Spent`].
	#[error("the voucher is refused: {0}")]
	Voucher(VoucherRefusal),
	/// KeyPackages are not taken, or not given out, as each node says, or the state of a final block; of
	/// [`KeyPackageRefusal::InitKeyUsed`] one node has said it, well before the final block at which they had not come.
	#[error("the chain refuses it: {0}")]
	KeyPackages(KeyPackageRefusal),
	/// The event is in the log, for good. What is inside says what became of the KeyPackages that came with it:
	/// [`Self::KeyPackages`] that the chain refuses them, with [`KeyPackageRefusal::BadSequence`] for good, so that others have to be
	/// made; anything else that it is not known, so that they are to be published again.
	#[error("the event is recorded, and its KeyPackages are not, as far as is known ({0}): publish them, or others if they are refused")]
	NotPublished(Box<DirectoryError>),
	/// What was claimed must not be used.
	#[error(transparent)]
	Claimed(#[from] ClaimedError),
	/// The sponsor's registration was refused, or it was included and failed.
	#[error("the identity was not registered ({0}): see that the sponsor has the funds for the deposit and the fee and signs nothing else meanwhile, and register again")]
	NotRegistered(String),
}

impl From<RpcError> for DirectoryError {
	fn from(error: RpcError) -> Self {
		Self::Read(error.into())
	}
}

/// The chain's identities, over the nodes that an application names. Remembers how far it has verified the chain, and nothing
/// else.
#[derive(Debug)]
pub struct Directory {
	nodes: Nodes,
	genesis: GenesisHash,
	chain: Mutex<Option<FinalizedChain>>,
	/// Answers from before this block are refused.
	not_before: AtomicU32,
}

impl Directory {
	/// Over the nodes at `urls` (`ws://host:port`), tried in this order, of the chain with this genesis: all that has to be
	/// trusted.
	///
	/// # Errors
	/// [`RpcError::NoNodes`].
	pub fn new(urls: Vec<String>, genesis: GenesisHash) -> Result<Self, RpcError> {
		Self::starting_from(urls, genesis, None)
	}

	/// The same for a client that has verified the chain up to somewhere: nothing that contradicts that is believed.
	pub(crate) fn starting_from(
		urls: Vec<String>,
		genesis: GenesisHash,
		chain: Option<FinalizedChain>,
	) -> Result<Self, RpcError> {
		let nodes = Nodes::new(urls, Some(genesis))?;
		Ok(Self { nodes, genesis, chain: Mutex::new(chain), not_before: AtomicU32::new(0) })
	}

	/// Takes over how far this client has verified the chain, if it is of the same one: from here on an answer from before the newest
	/// final block that the client knows is refused, as is one that contradicts it. A node that stands still does not make the past
	/// the present. To be called again now and then where the directory is used for long.
	///
	/// # Errors
	/// [`GroupError::Closed`], [`GroupError::Store`].
	pub async fn start_from(&self, client: &Client) -> Result<(), GroupError> {
		let verified = client.verified().await?;
		if client.genesis() == self.genesis {
			self.not_before(verified).await;
		}
		Ok(())
	}

	/// An identity, as [`Self::read`]; without any event if the chain does not know it.
	pub(crate) async fn look_up(&self, identity: IdentityId) -> Result<History, DirectoryError> {
		Ok(self.ask(&WholeLog(identity)).await?.0)
	}

	/// Whose logs have changed after a block, as a node says; nothing shows that it is true.
	pub(crate) async fn changed(&self, after: BlockNumber) -> Result<Changes, DirectoryError> {
		let node = self.nodes.current().await?;
		let answer = match node.changed(after).await {
			Ok(answer) => answer,
			Err(error) => {
				self.nodes.give_up(&node).await;
				return Err(error.into());
			}
		};
		let people = answer.identities.map(|people| people.into_iter().collect());
		Ok(Changes { until: answer.at.number, people })
	}

	/// The same, as some other node says than the one in use, up to that node's own block. The one in use is asked about these
	/// blocks again: those before it was in use may have been asked of the very other one. `None` if there is no other node, or
	/// it does not answer.
	pub(crate) async fn changed_elsewhere(&self, after: BlockNumber) -> Option<Changes> {
		let node = self.nodes.current().await.ok()?;
		let other = self.nodes.another(&node).await?;
		let (there, here) = join(other.changed(after), node.changed(after)).await;
		let there = there.ok()?;
		// One that does not know says nothing for the other, either.
		let here = here.map_or(Some(Vec::new()), |here| here.identities);
		let people = there.identities.zip(here).map(|(there, here)| there.into_iter().chain(here).collect());
		Some(Changes { until: there.at.number, people })
	}

	/// The genesis of the chain.
	pub fn genesis(&self) -> GenesisHash {
		self.genesis
	}

	#[cfg(test)]
	pub(super) fn nodes(&self) -> &Nodes {
		&self.nodes
	}

	/// An identity, as of the newest final block that a node shows, and that block. A node that sends what no honest one could
	/// is not asked again; after any other failure the next one is asked, each once.
	///
	/// # Errors
	/// [`DirectoryError::Read`], [`DirectoryError::Unknown`].
	pub async fn read(&self, identity: IdentityId) -> Result<(History, Head), DirectoryError> {
		match self.ask(&WholeLog(identity)).await? {
			(history, _) if history.newest().is_none() => Err(DirectoryError::Unknown(identity)),
			read => Ok(read),
		}
	}

	/// Registers an identity by its first event, at the sponsor's cost, and waits until that is final. Gives the identity, also
	/// if somebody else has registered it with this event meanwhile. One fee is paid, a second one at most if something else
	/// of the sponsor's got in between.
	///
	/// # Errors
	/// [`DirectoryError`].
	pub async fn register(&self, sponsor: &Sponsor, first: &SignedEvent) -> Result<History, DirectoryError> {
		let call = SignedCall::Register(Box::new(first.clone()));
		self.submit_until_final(first, Way::Signed { sponsor, call }).await
	}

	/// The same, at the cost of whoever has given this voucher away: nobody needs an account.
	///
	/// # Errors
	/// [`DirectoryError`].
	pub async fn register_by_voucher(
		&self,
		voucher: &HeldVoucher,
		first: &SignedEvent,
	) -> Result<History, DirectoryError> {
		let payment = voucher.pay(&self.genesis, &first.order());
		self.submit_until_final(first, Way::General(first.to_registration(&payment))).await
	}

	/// Records the next event of an identity, and waits until that is final. Gives the identity with it. To record an event
	/// again that is in the log is no error and changes nothing.
	///
	/// # Errors
	/// [`DirectoryError`].
	pub async fn record(&self, event: &SignedEvent) -> Result<History, DirectoryError> {
		self.submit_until_final(event, Way::General(event.to_extrinsic())).await
	}

	async fn submit_until_final(&self, event: &SignedEvent, way: Way<'_>) -> Result<History, DirectoryError> {
		let goal = Record(event);
		match goal.look(self).await? {
			Found::There(history) => return Ok(history),
			Found::Free(history, head) => drop(self.judge(event, history, head)?),
		}
		self.reach(&goal, Pending::new(&self.nodes, way)).await
	}

	/// The identity after the event, if the rules let that pass in the next block.
	fn judge(&self, event: &SignedEvent, history: Option<History>, head: Head) -> Result<History, DirectoryError> {
		let mut history = history.unwrap_or_else(|| History::new(self.genesis, event.event.identity));
		let recorded = Recorded { block: head.number.saturating_add(1), event: event.clone() };
		match history.admit(recorded) {
			Ok(()) => Ok(history),
			Err(HistoryError::Refused { refusal, .. }) => Err(DirectoryError::Refused(refusal)),
			Err(error) => Err(IdentityExportError::from(IdentityFileError::from(error)).into()),
		}
	}
}

/// A log, with all of its events; without any, if the chain does not know the identity.
struct WholeLog(IdentityId);

impl Wanted for WholeLog {
	type Sent = Vec<Recorded>;
	type Is = History;

	async fn fetch(&self, node: &Node) -> Result<(Vec<Recorded>, StateProof), IdentityExportError> {
		log_in_time(node, self.0).await
	}

	fn read(
		&self,
		genesis: GenesisHash,
		head: &Head,
		state: &[Vec<u8>],
		log: Vec<Recorded>,
	) -> Result<History, IdentityExportError> {
		let proven = prove_identity(head, state, &self.0).map_err(IdentityFileError::from)?;
		let history = History::of(genesis, self.0, log, &proven, head.number);
		Ok(history.map_err(IdentityFileError::from)?)
	}
}

/// That an event is in the log.
struct Record<'a>(&'a SignedEvent);

impl Goal for Record<'_> {
	type Reached = History;
	type Before = Option<History>;

	async fn look(&self, directory: &Directory) -> Result<Found<History, Option<History>>, DirectoryError> {
		let Self(event) = self;
		let (history, head) = directory.ask(&WholeLog(event.event.identity)).await?;
		let index = event.event.index;
		let step = usize::try_from(index).ok().and_then(|index| history.steps().get(index));
		match step.map(|step| (step.event.event == event.event, step.change.hash)) {
			None => Ok(Found::Free(history.newest().is_some().then_some(history), head)),
			Some((true, _)) => Ok(Found::There(history)),
			Some((false, entry)) => Err(DirectoryError::Superseded { index, entry }),
		}
	}
}

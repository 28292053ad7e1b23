//! The `ordering_*` methods. All of them speak of finalized blocks only.

use super::{
	errors::{error, INTERNAL, IN_POOL, NONCE_TAKEN, NOT_POOLED, OUT_OF_BOUNDS, REFUSED},
	one_at_a_time::OneAtATime,
};
use crate::{
	entries::{EntryIndex, Finalized},
	finality::Proofs,
	metrics::Metrics,
	service::FullClient,
};
use codec::Decode;
use futures::FutureExt;
use jsonrpsee::{
	core::{async_trait, RpcResult},
	proc_macros::rpc,
	types::ErrorObjectOwned,
	PendingSubscriptionSink, SubscriptionMessage, SubscriptionSink,
};
use lockstep_primitives::{
	api::OrderingApi as _,
	extrinsic::{is_publication, is_purchase, Append},
	identity::{IdentityRefusal, SignedEvent},
	key_package::KeyPackageRefusal,
	rpc::{Entry, FinalizedBlock, FinalizedEntries, Group, HexBytes, Position, AUDITED, MAX_ENTRIES, MAX_GROUPS},
	voucher::VoucherRefusal,
	BlockHash, BlockNumber, GroupId, OrderingParameters, Refusal,
};
use lockstep_runtime::opaque::{Block, UncheckedExtrinsic};
use sc_rpc::SubscriptionTaskExecutor;
use sc_transaction_pool::TransactionPoolHandle;
use sc_transaction_pool_api::{
	error::{Error as PoolError, IntoPoolError},
	TransactionPool, TransactionSource,
};
use sp_api::ProvideRuntimeApi;
use sp_blockchain::HeaderBackend;
use sp_runtime::transaction_validity::{InvalidTransaction, TransactionValidityError};
use sp_transaction_pool::runtime_api::TaggedTransactionQueue;
use std::{collections::BTreeSet, sync::Arc};
use tokio::sync::watch;

/// Bytes of payload after which a subscription message is closed and the rest goes into the next.
const MESSAGE_BYTES: usize = 1024 * 1024;

/// Methods for members of groups.
#[rpc(server, namespace = "ordering")]
pub trait OrderingApi {
	/// The constants of the chain's ordering.
	#[method(name = "parameters")]
	fn parameters(&self) -> RpcResult<OrderingParameters>;

	/// A group in finalized state.
	#[method(name = "group")]
	fn group(&self, group: GroupId) -> RpcResult<Group>;

	/// Finalized entries of a group in log order, from index `from` on; `limit` of them at most, and not more than
	/// a mebibyte of payload unless the first is larger.
	#[method(name = "entries")]
	fn entries(&self, group: GroupId, from: u64, limit: u32) -> RpcResult<Vec<Entry>>;

	/// Hands an extrinsic to the transaction pool and returns its hash. This promises nothing: what became of it is
	/// in the log.
	#[method(name = "submit")]
	async fn submit(&self, extrinsic: HexBytes) -> RpcResult<BlockHash>;

	/// Streams the finalized entries of groups, each from the position given on, and a message for each finalized
	/// block.
	#[subscription(name = "subscribeEntries" => "entriesFinalized", unsubscribe = "unsubscribeEntries", item = FinalizedEntries)]
	fn subscribe_entries(&self, positions: Vec<Position>);
}

/// What an extrinsic is to do.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
	/// To append an entry to a group's log.
	Entry,
	/// To record an event of an identity.
	Event,
	/// To publish KeyPackages, or change who may claim them.
	Publication,
	/// To create a group, register an identity or claim KeyPackages by a voucher.
	Purchase,
	/// Anything else, by an account.
	Call,
}

impl Kind {
	fn of(extrinsic: &[u8]) -> Self {
		if Append::from_extrinsic(extrinsic).is_some() {
			Self::Entry
		} else if SignedEvent::from_extrinsic(extrinsic).is_some() {
			Self::Event
		} else if is_publication(extrinsic) {
			Self::Publication
		} else if is_purchase(extrinsic) {
			Self::Purchase
		} else {
			Self::Call
		}
	}
}

/// Serves the methods.
pub struct Ordering {
	client: Arc<FullClient>,
	pool: Arc<TransactionPoolHandle<Block, FullClient>>,
	index: EntryIndex<FullClient>,
	proofs: Proofs,
	finalized: watch::Receiver<Finalized>,
	metrics: Metrics,
	executor: SubscriptionTaskExecutor,
	/// For who looks why the pool has dropped something.
	looking: OneAtATime,
}

impl Ordering {
	/// Serves what `index` holds.
	pub fn new(
		client: Arc<FullClient>,
		pool: Arc<TransactionPoolHandle<Block, FullClient>>,
		index: EntryIndex<FullClient>,
		proofs: Proofs,
		finalized: watch::Receiver<Finalized>,
		metrics: Metrics,
		executor: SubscriptionTaskExecutor,
	) -> Self {
		Self { client, pool, index, proofs, finalized, metrics, executor, looking: OneAtATime::new() }
	}

	fn refused(&self, refusal: Refusal) -> ErrorObjectOwned {
		self.metrics.refused(refusal.name());
		ErrorObjectOwned::owned(REFUSED, refusal.to_string(), Some(refusal.name()))
	}

	fn event_refused(&self, code: u8) -> ErrorObjectOwned {
		if let Some(refusal) = KeyPackageRefusal::from_code(code) {
			return ErrorObjectOwned::owned(REFUSED, refusal.to_string(), Some(refusal.name()));
		}
		if let Some(refusal) = VoucherRefusal::from_code(code) {
			return ErrorObjectOwned::owned(REFUSED, refusal.to_string(), Some(refusal.name()));
		}
		let Some(refusal) = IdentityRefusal::from_code(code) else {
			return error(NOT_POOLED, format!("the chain refuses the extrinsic with unknown code {code}"));
		};
		self.metrics.event_refused(refusal.name());
		ErrorObjectOwned::owned(REFUSED, refusal.to_string(), Some(refusal.name()))
	}

	/// The pool has dropped this very extrinsic before and does not say why. The chain does: one at a time is looked at, since the
	/// pool bounds its own work and not this.
	async fn banned(&self, extrinsic: UncheckedExtrinsic, kind: Kind) -> ErrorObjectOwned {
		let later =
			"the pool has dropped this extrinsic and takes it again after a while: submit it later, or to another node";
		let client = self.client.clone();
		let look = move || {
			let best = client.info().best_hash;
			client.runtime_api().validate_transaction(best, TransactionSource::External, extrinsic, best)
		};
		match self.looking.run(look).await {
			Some(Ok(Ok(Err(TransactionValidityError::Invalid(reason))))) => {
				self.pool_error(PoolError::InvalidTransaction(reason), kind)
			}
			None | Some(Ok(Ok(_))) => error(NOT_POOLED, later),
			Some(Ok(Err(problem))) => error(INTERNAL, problem),
			Some(Err(problem)) => error(INTERNAL, problem),
		}
	}

	fn pool_error(&self, problem: PoolError, kind: Kind) -> ErrorObjectOwned {
		match problem {
			PoolError::InvalidTransaction(InvalidTransaction::Custom(code)) => match Refusal::from_code(code) {
				Some(refusal) => self.refused(refusal),
				None => self.event_refused(code),
			},
			// a rival for the same place in the log was there first
			PoolError::TooLowPriority { .. } if kind == Kind::Entry => self.refused(Refusal::Superseded),
			PoolError::TooLowPriority { .. } if kind == Kind::Event => {
				self.event_refused(IdentityRefusal::BadPrevious.code())
			}
			PoolError::TooLowPriority { .. } if kind == Kind::Publication => {
				self.event_refused(KeyPackageRefusal::BadSequence.code())
			}
			PoolError::TooLowPriority { .. } if kind == Kind::Purchase => error(
				NOT_POOLED,
				"the pool holds another use of this voucher, or another creation of this group or identity",
			),
			PoolError::TooLowPriority { .. } => error(
				NONCE_TAKEN,
				"the pool holds another transaction of this account with this nonce: use the next one",
			),
			PoolError::AlreadyImported(_) => {
				error(IN_POOL, "the pool has this extrinsic already: what becomes of it is in the log")
			}
			other => error(NOT_POOLED, other),
		}
	}
}

fn block((number, hash): Finalized) -> FinalizedBlock {
	FinalizedBlock { number, hash: BlockHash(hash.0) }
}

#[async_trait]
impl OrderingApiServer for Ordering {
	fn parameters(&self) -> RpcResult<OrderingParameters> {
		let (_, at) = *self.finalized.borrow();
		self.client.runtime_api().parameters(at).map_err(|problem| error(INTERNAL, problem))
	}

	fn group(&self, group: GroupId) -> RpcResult<Group> {
		let at = *self.finalized.borrow();
		let state = self.client.runtime_api().group(at.1, group).map_err(|problem| error(INTERNAL, problem))?;
		Ok(Group { at: block(at), state })
	}

	fn entries(&self, group: GroupId, from: u64, limit: u32) -> RpcResult<Vec<Entry>> {
		if limit > MAX_ENTRIES {
			return Err(error(OUT_OF_BOUNDS, format!("limit is {limit}, but may be {MAX_ENTRIES} at most")));
		}
		let mut entries = Vec::new();
		let mut bytes = 0usize;
		for index in (0..u64::from(limit)).map_while(|offset| from.checked_add(offset)) {
			let Some(entry) = self.index.entry(&group, index).map_err(|problem| error(INTERNAL, problem))? else {
				break;
			};
			bytes = bytes.saturating_add(entry.payload.as_ref().map_or(0, |payload| payload.0.len()));
			if bytes > MESSAGE_BYTES && !entries.is_empty() {
				break;
			}
			entries.push(entry);
		}
		Ok(entries)
	}

	async fn submit(&self, extrinsic: HexBytes) -> RpcResult<BlockHash> {
		let kind = Kind::of(&extrinsic.0);
		let extrinsic = UncheckedExtrinsic::decode(&mut &extrinsic.0[..])
			.map_err(|problem| error(NOT_POOLED, format!("the extrinsic does not decode: {problem}")))?;
		let best = self.client.info().best_hash;
		match self.pool.submit_one(best, TransactionSource::External, extrinsic.clone()).await {
			Ok(hash) => Ok(BlockHash(hash.0)),
			Err(problem) => Err(match problem.into_pool_error() {
				Ok(PoolError::TemporarilyBanned) => self.banned(extrinsic, kind).await,
				Ok(problem) => self.pool_error(problem, kind),
				Err(other) => error(INTERNAL, other),
			}),
		}
	}

	fn subscribe_entries(&self, pending: PendingSubscriptionSink, positions: Vec<Position>) {
		let stream = EntryStream {
			client: self.client.clone(),
			index: self.index.clone(),
			proofs: self.proofs.clone(),
			positions,
			fresh: BTreeSet::new(),
			audited: 0,
			complete: None,
			finalized: self.finalized.clone(),
		};
		let task = async move {
			if stream.positions.len() > MAX_GROUPS {
				let message =
					format!("{} groups in one subscription, but {MAX_GROUPS} are the most", stream.positions.len());
				pending.reject(error(OUT_OF_BOUNDS, message)).await;
				return;
			}
			let Ok(sink) = pending.accept().await else { return };
			stream.run(sink).await;
		};
		self.executor.spawn("lockstep-entries", Some("rpc"), task.boxed());
	}
}

/// One subscription.
struct EntryStream {
	client: Arc<FullClient>,
	index: EntryIndex<FullClient>,
	proofs: Proofs,
	positions: Vec<Position>,
	/// Groups with entries in the round that is being sent.
	fresh: BTreeSet<GroupId>,
	/// The position whose group is the next to be proven although it has no new entry.
	audited: usize,
	/// What the index lacked when it was seen to have all entries that the subscriber asked for, if it was. A node that is
	/// syncing may skip blocks at any time.
	complete: Option<Option<BlockNumber>>,
	finalized: watch::Receiver<Finalized>,
}

impl EntryStream {
	/// Streams until the subscriber goes. A subscriber that reads too slowly holds up only itself: a message is made
	/// when there is room for it.
	async fn run(mut self, sink: SubscriptionSink) {
		loop {
			let at = *self.finalized.borrow_and_update();
			loop {
				let message = match self.next_message(at) {
					Ok(message) => message,
					Err(problem) => {
						log::warn!(target: "lockstep", "a subscription ends, entries cannot be read: {problem}");
						return;
					}
				};
				let more = message.more;
				let Ok(json) = SubscriptionMessage::from_json(&message) else { return };
				if sink.send(json).await.is_err() {
					return;
				}
				if !more {
					break;
				}
			}
			tokio::select! {
				changed = self.finalized.changed() => if changed.is_err() { return },
				() = sink.closed() => return,
			}
		}
	}

	/// As much of what is available up to `at` as one message holds.
	fn next_message(&mut self, at: Finalized) -> sp_blockchain::Result<FinalizedEntries> {
		let mut entries = Vec::new();
		let mut bytes = 0usize;
		for position in &mut self.positions {
			while let Some(entry) = self.index.entry(&position.group, position.from)? {
				// one that came after `at` waits for the next round, so that `at` says what it means
				if entry.block > at.0 {
					break;
				}
				bytes = bytes
					.saturating_add(entry.payload.as_ref().map_or(0, |payload| payload.0.len()))
					.saturating_add(256);
				if bytes > MESSAGE_BYTES && !entries.is_empty() {
					return Ok(FinalizedEntries { at: block(at), entries, more: true, proof: None });
				}
				position.from = position.from.saturating_add(1);
				self.fresh.insert(position.group);
				entries.push((position.group, entry));
			}
		}
		// What is noted while `at` is on its way counts in the next round.
		let skipped = self.index.skipped()?.filter(|skipped| *skipped <= at.0);
		if self.complete != Some(skipped) {
			self.check_complete(at)?;
			self.complete = Some(skipped);
		}
		let groups = self.next_proven();
		let proof = self.proofs.head(at.1, groups)?;
		Ok(FinalizedEntries { at: block(at), entries, more: false, proof })
	}

	/// A node that started in the middle of the chain (warp sync) lacks older entries. It must not go on to prove heads that
	/// they are part of: the subscriber would take it for one that leaves entries out.
	fn check_complete(&self, at: Finalized) -> sp_blockchain::Result<()> {
		for Position { group, from } in &self.positions {
			let state = self.client.runtime_api().group(at.1, *group);
			let state = state.map_err(|problem| sp_blockchain::Error::Backend(problem.to_string()))?;
			if state.is_some_and(|state| state.head.length > *from) {
				let missing = format!("entry {from} of group {group} lies before this node's first block");
				return Err(sp_blockchain::Error::Backend(missing));
			}
		}
		Ok(())
	}

	/// The groups that have had entries since the last proof, and the next few of the others.
	fn next_proven(&mut self) -> Vec<GroupId> {
		let turn = self.positions.iter().cycle().skip(self.audited).take(self.positions.len().min(AUDITED));
		let mut groups = std::mem::take(&mut self.fresh);
		groups.extend(turn.map(|position| position.group));
		self.audited = self.audited.saturating_add(AUDITED).checked_rem(self.positions.len()).unwrap_or(0);
		groups.into_iter().collect()
	}
}

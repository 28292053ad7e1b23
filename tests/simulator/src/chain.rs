//! A model of the chain: it admits entries by the chain's rules, forks before finality, and finalises late.

use crate::dice::Dice;
use ed25519_dalek::{Signature, VerifyingKey};
use lockstep_client::log::{EntryHeader, VerifiedEntry};
use lockstep_primitives::{
	admission::{closes_at, next_candidate_at},
	endorsement_payload, payload_hash, BlockNumber, Endorsement, EntryBody, EntryHash, GenesisHash, GroupId, LogHead,
	LogKind, OrderingKey, OrderingParameters, PayloadHash, Refusal,
};
use std::{cell::Cell, collections::BTreeMap, rc::Rc};

pub(crate) const GENESIS: GenesisHash = GenesisHash([7; 32]);

/// The constants of the model: as on the chain, but that contests need not wait so long.
pub(crate) const PARAMETERS: OrderingParameters = OrderingParameters {
	max_payload: 65_536,
	candidate_interval: 5,
	contest_window: 10_000,
	retention: 100_000,
	entry_budget: (1024, 1),
	byte_budget: (8_388_608, 4096),
};

/// Where a transaction came from, and what the members must find it to be. Only the oracle looks at this.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
	/// The first entry of a group.
	Founding,
	/// Made by an honest client, or a good commit of a hostile member: valid on its parent.
	Good,
	/// A good commit of this payload hash, sealed anew by somebody else, under the right key: valid on its parent.
	Resealed(PayloadHash),
	/// Nobody can process it.
	Bad,
	/// A good commit under a key that its epoch does not have: nobody takes it. Those whom it removes cannot know that
	/// (RFC 9420 section 12.4.2), and stop (`docs/protocol.md` section 6).
	WrongKey,
	/// Valid, but some members cannot process it: these, or any if not known.
	Private(Option<Vec<usize>>),
}

/// A transaction.
#[derive(Debug)]
pub(crate) struct Transaction {
	pub(crate) from: usize,
	pub(crate) kind: Kind,
	pub(crate) group: GroupId,
	pub(crate) parent: EntryHash,
	pub(crate) payload: Vec<u8>,
	pub(crate) next_key: OrderingKey,
	pub(crate) endorsement: Endorsement,
	pub(crate) payload_hash: PayloadHash,
	/// The key that the endorsement was found to be good under.
	verified: Cell<Option<OrderingKey>>,
}

impl Transaction {
	pub(crate) fn new(
		from: usize,
		kind: Kind,
		group: GroupId,
		parent: EntryHash,
		payload: Vec<u8>,
		next_key: OrderingKey,
		endorsement: Endorsement,
	) -> Rc<Self> {
		let payload_hash = payload_hash(&payload);
		let verified = Cell::new(None);
		Rc::new(Self { from, kind, group, parent, payload, next_key, endorsement, payload_hash, verified })
	}

	fn is_endorsed_by(&self, key: &OrderingKey) -> bool {
		if self.verified.get() == Some(*key) {
			return true;
		}
		let message = endorsement_payload(&GENESIS, &self.group, &self.parent, &self.payload_hash, &self.next_key);
		let good = VerifyingKey::from_bytes(&key.0)
			.is_ok_and(|key| key.verify_strict(&message, &Signature::from_bytes(&self.endorsement.0)).is_ok());
		if good {
			self.verified.set(Some(*key));
		}
		good
	}
}

/// An entry, and the transaction that it came with.
#[derive(Clone, Debug)]
pub(crate) struct Entry {
	pub(crate) header: EntryHeader,
	pub(crate) transaction: Rc<Transaction>,
}

impl Entry {
	pub(crate) fn verified(&self) -> VerifiedEntry {
		VerifiedEntry { header: self.header, payload: Some(self.transaction.payload.clone()) }
	}
}

#[derive(Clone, Debug)]
struct Open {
	next_key: OrderingKey,
	children: Vec<(PayloadHash, OrderingKey)>,
	first_child_at: BlockNumber,
	last_child_at: BlockNumber,
}

/// The log of a group.
#[derive(Clone, Debug)]
pub(crate) struct Log {
	head: LogHead,
	pub(crate) entries: Vec<Rc<Entry>>,
	open: BTreeMap<EntryHash, Open>,
}

/// The state after a block.
#[derive(Clone, Debug, Default)]
pub(crate) struct State {
	pub(crate) logs: BTreeMap<GroupId, Log>,
}

impl State {
	/// Decides whether a transaction may be in block `now`: the rules of `docs/protocol.md` section 4, without budgets.
	pub(crate) fn admit(&self, transaction: &Transaction, now: BlockNumber) -> Result<(), Refusal> {
		if transaction.kind == Kind::Founding {
			let taken = self.logs.contains_key(&transaction.group);
			return if taken { Err(Refusal::UnknownGroup) } else { Ok(()) };
		}
		if transaction.payload.is_empty() {
			return Err(Refusal::PayloadEmpty);
		}
		let log = self.logs.get(&transaction.group).ok_or(Refusal::UnknownGroup)?;
		let parent = log.open.get(&transaction.parent).ok_or(Refusal::ParentNotOpen)?;
		let children = u32::try_from(parent.children.len()).unwrap_or(u32::MAX);
		if children > 0 && now >= closes_at(parent.first_child_at, PARAMETERS.contest_window) {
			return Err(Refusal::ParentNotOpen);
		}
		let due = next_candidate_at(parent.last_child_at, children, PARAMETERS.candidate_interval);
		if now < due || parent.children.contains(&(transaction.payload_hash, transaction.next_key)) {
			return Err(Refusal::Superseded);
		}
		if !transaction.is_endorsed_by(&parent.next_key) {
			return Err(Refusal::BadEndorsement);
		}
		Ok(())
	}

	/// Appends what was admitted.
	fn append(&mut self, transaction: &Rc<Transaction>, now: BlockNumber) {
		let Transaction { group, parent, payload_hash, next_key, endorsement, .. } = **transaction;
		let log = self.logs.entry(group).or_insert_with(|| Log {
			head: LogHead::empty(LogKind::Group, &GENESIS, group.as_bytes()),
			entries: Vec::new(),
			open: BTreeMap::new(),
		});
		let payload_len = u32::try_from(transaction.payload.len()).unwrap_or(u32::MAX);
		let body = EntryBody { parent, payload_hash, payload_len, next_key, endorsement };
		let index = log.head.length;
		let Some(head) = log.head.append(now, &body) else { return };
		log.head = head;
		let header = EntryHeader { index, hash: head.hash, parent, block: now, payload_hash, next_key };
		log.entries.push(Rc::new(Entry { header, transaction: transaction.clone() }));
		log.open.insert(head.hash, Open { next_key, children: Vec::new(), first_child_at: 0, last_child_at: 0 });
		if let Some(open) = log.open.get_mut(&parent) {
			if open.children.is_empty() {
				open.first_child_at = now;
			}
			open.last_child_at = now;
			open.children.push((payload_hash, next_key));
		}
	}

	/// The entries that name this key, the newest first: a commit may be in the log more than once, sealed anew by somebody else,
	/// and counts once.
	pub(crate) fn naming<'s>(&'s self, group: &GroupId, key: &'s [u8; 32]) -> impl Iterator<Item = &'s Rc<Entry>> {
		let entries = self.logs.get(group).map_or(&[][..], |log| log.entries.as_slice());
		entries.iter().rev().filter(|entry| entry.header.next_key.0 == *key)
	}
}

/// A block that is not final.
#[derive(Clone, Debug)]
struct Block {
	transactions: Vec<Rc<Transaction>>,
	state: Rc<State>,
}

/// See the module.
pub(crate) struct Chain {
	finalized: Rc<State>,
	height: BlockNumber,
	/// Blocks above the finalized one, the oldest first.
	blocks: Vec<Block>,
}

impl Chain {
	pub(crate) fn new() -> Self {
		Self { finalized: Rc::default(), height: 0, blocks: Vec::new() }
	}

	/// The state of the newest block.
	pub(crate) fn best(&self) -> &Rc<State> {
		self.blocks.last().map_or(&self.finalized, |block| &block.state)
	}

	/// The height of the newest block.
	pub(crate) fn best_height(&self) -> BlockNumber {
		self.height.saturating_add(u32::try_from(self.blocks.len()).unwrap_or(u32::MAX))
	}

	/// The state of the newest final block.
	pub(crate) fn finalized(&self) -> &Rc<State> {
		&self.finalized
	}

	/// Whether every entry of a group is final.
	pub(crate) fn is_final(&self, group: &GroupId) -> bool {
		let entries = |state: &State| state.logs.get(group).map(|log| log.entries.len());
		entries(self.best()) == entries(&self.finalized)
	}

	/// The height of the newest final block.
	pub(crate) fn finalized_height(&self) -> BlockNumber {
		self.height
	}

	/// Makes a block of those transactions that are admitted, in this order.
	pub(crate) fn produce(&mut self, transactions: &[Rc<Transaction>]) -> BlockNumber {
		let now = self.best_height().saturating_add(1);
		let mut state = self.best().clone();
		let mut included = Vec::new();
		for transaction in transactions {
			if state.admit(transaction, now).is_ok() {
				Rc::make_mut(&mut state).append(transaction, now);
				included.push(transaction.clone());
			}
		}
		self.blocks.push(Block { transactions: included, state });
		now
	}

	/// Drops so many of the newest blocks that are not final; gives what was in them.
	pub(crate) fn drop_newest(&mut self, count: usize) -> (usize, Vec<Rc<Transaction>>) {
		let at = self.blocks.len().saturating_sub(count);
		let dropped = self.blocks.split_off(at);
		let count = dropped.len();
		(count, dropped.into_iter().flat_map(|block| block.transactions).collect())
	}

	/// Replaces some of the newest blocks by as many others and one more. What was in them is in the new ones in another
	/// order, or not at all.
	pub(crate) fn reorganise(&mut self, dice: &mut Dice) -> usize {
		let depth = dice.below(self.blocks.len()).saturating_add(1);
		let (count, mut transactions) = self.drop_newest(depth);
		transactions.retain(|_| !dice.chance(300));
		dice.shuffle(&mut transactions);
		for _ in 0..=count {
			let taken = dice.below(transactions.len().saturating_add(1));
			let rest = transactions.split_off(taken);
			self.produce(&transactions);
			transactions = rest;
		}
		count
	}

	/// Finalises blocks up to a height.
	pub(crate) fn finalise(&mut self, up_to: BlockNumber) {
		while self.height < up_to && !self.blocks.is_empty() {
			self.finalized = self.blocks.remove(0).state;
			self.height = self.height.saturating_add(1);
		}
	}

	/// The entries of a group from a position on that are in blocks up to this height.
	pub(crate) fn entries(state: &State, group: &GroupId, from: u64, height: BlockNumber) -> Vec<Rc<Entry>> {
		let from = usize::try_from(from).unwrap_or(usize::MAX);
		let entries = state.logs.get(group).map_or(&[][..], |log| &log.entries);
		let rest = entries.get(from..).unwrap_or_default();
		rest.iter().take_while(|entry| entry.header.block <= height).cloned().collect()
	}
}

//! Nodes: each has its own pool and its own view of finality, and may be cut off.

use crate::{
	chain::{Chain, Transaction},
	dice::Dice,
	setup::Weather,
};
use lockstep_client::rpc::SubmitError;
use lockstep_primitives::BlockNumber;
use std::rc::Rc;

/// One node.
#[derive(Default)]
pub(crate) struct Node {
	/// The newest final block that it has heard of.
	pub(crate) finalized: BlockNumber,
	/// Cut off up to this block.
	pub(crate) cut_until: BlockNumber,
	pool: Vec<Rc<Transaction>>,
}

/// All nodes.
pub(crate) struct Nodes {
	pub(crate) nodes: Vec<Node>,
}

impl Nodes {
	pub(crate) fn new(count: usize) -> Self {
		Self { nodes: (0..count).map(|_| Node::default()).collect() }
	}

	pub(crate) fn is_cut(&self, node: usize, now: BlockNumber) -> bool {
		self.nodes.get(node).is_some_and(|node| node.cut_until > now)
	}

	pub(crate) fn finalized(&self, node: usize) -> BlockNumber {
		self.nodes.get(node).map_or(0, |node| node.finalized)
	}

	/// A node gets a submission; gives its honest answer. A hostile node prefers those of its friends to others.
	pub(crate) fn submit(
		&mut self,
		node: usize,
		transaction: Rc<Transaction>,
		chain: &Chain,
		preferred: bool,
	) -> Result<(), SubmitError> {
		let Some(node) = self.nodes.get_mut(node) else { return Ok(()) };
		if preferred && node.conflicts(&transaction) {
			node.pool.retain(|other| other.group != transaction.group || other.parent != transaction.parent);
		}
		if node.conflicts(&transaction) {
			return Err(SubmitError::Pool("another candidate is in the pool".to_owned()));
		}
		chain.best().admit(&transaction, chain.best_height().saturating_add(1)).map_err(SubmitError::Refused)?;
		node.pool.push(transaction);
		Ok(())
	}

	/// One block's time passes: transactions spread, and one of the nodes makes a block.
	pub(crate) fn make_block(&mut self, chain: &mut Chain, dice: &mut Dice) {
		let now = chain.best_height();
		self.spread(now, dice);
		let connected: Vec<usize> = (0..self.nodes.len()).filter(|node| !self.is_cut(*node, now)).collect();
		let author = dice.pick(&connected);
		let mut chosen = Vec::new();
		if let Some(author) = author.and_then(|author| self.nodes.get(author)) {
			chosen.clone_from(&author.pool);
			chosen.retain(|_| !dice.chance(100));
			if dice.chance(500) {
				dice.shuffle(&mut chosen);
			}
		}
		chain.produce(&chosen);
		let next = chain.best_height().saturating_add(1);
		for (at, node) in self.nodes.iter_mut().enumerate() {
			if connected.contains(&at) {
				node.pool.retain(|transaction| chain.best().admit(transaction, next).is_ok());
			}
		}
	}

	fn spread(&mut self, now: BlockNumber, dice: &mut Dice) {
		for from in 0..self.nodes.len() {
			if self.is_cut(from, now) {
				continue;
			}
			let pool = self.nodes.get(from).map(|node| node.pool.clone()).unwrap_or_default();
			for to in (0..self.nodes.len()).filter(|to| *to != from) {
				if self.is_cut(to, now) {
					continue;
				}
				for transaction in &pool {
					let Some(node) = self.nodes.get_mut(to) else { continue };
					if !node.conflicts(transaction) && dice.chance(700) {
						node.pool.push(transaction.clone());
					}
				}
			}
		}
	}

	/// Nodes learn what is final, each in its time; some are cut off.
	pub(crate) fn learn(&mut self, chain: &Chain, weather: &Weather, dice: &mut Dice) {
		let now = chain.best_height();
		for node in &mut self.nodes {
			if weather.cut > 0 && dice.chance(weather.cut) {
				node.cut_until = now.saturating_add(dice.blocks(12));
			}
			if node.cut_until <= now {
				let lag = if weather.delay > 1 && dice.chance(300) { dice.blocks(weather.delay) } else { 0 };
				node.finalized = node.finalized.max(chain.finalized_height().saturating_sub(lag));
			}
		}
	}

	/// All nodes are there again.
	pub(crate) fn heal(&mut self) {
		self.nodes.iter_mut().for_each(|node| node.cut_until = 0);
	}

	/// Whether no transaction waits anywhere.
	pub(crate) fn are_idle(&self) -> bool {
		self.nodes.iter().all(|node| node.pool.is_empty())
	}

	/// A transaction that waits somewhere.
	pub(crate) fn waiting(&self, dice: &mut Dice) -> Option<Rc<Transaction>> {
		let all: Vec<&Rc<Transaction>> = self.nodes.iter().flat_map(|node| &node.pool).collect();
		dice.pick(&all).cloned()
	}
}

impl Node {
	/// The pool holds one candidate for a parent, the first that it saw.
	fn conflicts(&self, transaction: &Transaction) -> bool {
		self.pool.iter().any(|other| other.group == transaction.group && other.parent == transaction.parent)
	}
}

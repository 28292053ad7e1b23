//! Statements: posted to a node, passed on between nodes or not, and read by members in any order, repeatedly or never.

use lockstep_primitives::GroupId;
use std::rc::Rc;

/// A statement that some node has taken.
#[derive(Debug)]
pub(crate) struct Statement {
	pub(crate) from: usize,
	pub(crate) topic: [u8; 32],
	pub(crate) bytes: Vec<u8>,
	/// What it says, if it is a message, and the epoch in which it says so.
	pub(crate) message: Option<(GroupId, u64, Vec<u8>)>,
}

/// All statements, by node.
pub(crate) struct Network {
	stored: Vec<Vec<Rc<Statement>>>,
}

impl Network {
	pub(crate) fn new(nodes: usize) -> Self {
		Self { stored: vec![Vec::new(); nodes] }
	}

	/// A node stores a statement; false if it had it.
	pub(crate) fn store(&mut self, node: usize, statement: Rc<Statement>) -> bool {
		let Some(stored) = self.stored.get_mut(node) else { return false };
		if stored.iter().rev().any(|other| Rc::ptr_eq(other, &statement) || other.bytes == statement.bytes) {
			return false;
		}
		stored.push(statement);
		true
	}

	/// What a node has under a topic.
	pub(crate) fn under(&self, node: usize, topic: &[u8; 32]) -> Vec<Rc<Statement>> {
		let stored = self.stored.get(node).map_or(&[][..], Vec::as_slice);
		stored.iter().filter(|statement| statement.topic == *topic).cloned().collect()
	}

	/// All nodes get what any of them has.
	pub(crate) fn heal(&mut self) {
		let all: Vec<Rc<Statement>> = self.stored.iter().flatten().cloned().collect();
		for node in 0..self.stored.len() {
			for statement in &all {
				self.store(node, statement.clone());
			}
		}
	}

	/// All statements that any node has.
	pub(crate) fn all(&self) -> impl Iterator<Item = &Rc<Statement>> {
		self.stored.iter().flatten()
	}
}

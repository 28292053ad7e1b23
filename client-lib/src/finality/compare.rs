//! Asking another node how far it is: the one in use may be behind, and nothing that it says would show it.

use super::{
	trust::{Problem, Trust},
	Misbehaviour,
};
use crate::rpc::{Node, Nodes};
use lockstep_primitives::BlockNumber;
use std::{sync::Arc, time::Duration};
use tokio::time::sleep;

/// How often another node is asked.
const COMPARE: Duration = Duration::from_secs(15);
/// How many blocks the node in use may be behind another one.
pub(super) const BEHIND: BlockNumber = 10;

/// Another node, and what came of asking it.
pub(super) struct Other {
	pub node: Arc<Node>,
	pub said: Said,
}

pub(super) enum Said {
	/// It has shown that this block is final.
	Reached(BlockNumber),
	/// What it said is not true.
	Lie(Misbehaviour),
}

/// Waits, asks some other node than `node`, and checks what it answers against what was verified when this began.
/// `None` if there is no answer to judge.
pub(super) async fn compare(nodes: Arc<Nodes>, node: Arc<Node>, mut trust: Trust) -> Option<Other> {
	sleep(COMPARE).await;
	let other = nodes.another(&node).await?;
	let answer = other.finality_links(trust.number()).await.ok()?;
	for link in &answer.links {
		let misbehaviour = match trust.advance(link) {
			Ok(_) => continue,
			Err(Problem::Lie(lie)) => Misbehaviour::new(other.url(), lie, link),
			Err(Problem::Conflict { lie, known }) => Misbehaviour::against(other.url(), lie, link, &known),
			// The node in use will come to the same.
			Err(Problem::Outdated(_)) => return None,
		};
		return Some(Other { node: other, said: Said::Lie(misbehaviour) });
	}
	let said = Said::Reached(trust.number());
	Some(Other { node: other, said })
}

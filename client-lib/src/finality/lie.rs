//! What a node can be caught at.

use lockstep_primitives::GroupId;

/// Something that a node sent and that cannot be true.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Lie {
	/// What it sent as the genesis of the chain is not what the genesis hash commits to.
	#[error("its genesis is not that of the chain: {0}")]
	Genesis(String),
	/// A block that it calls final is not shown to be.
	#[error("what it calls final is not: {0}")]
	Finality(String),
	/// Two blocks of one height are final by good votes: more than a third of the validators are malicious. The
	/// evidence holds both.
	#[error("two blocks are final: {0}")]
	Conflict(String),
	/// A read proof does not prove what it is for.
	#[error("its read proof does not hold: {0}")]
	State(String),
	/// Entries that do not form a log.
	#[error("the entries of group {group} do not form its log: {problem}")]
	Entries {
		/// The group.
		group: GroupId,
		/// What does not fit.
		problem: String,
	},
	/// Entries that form another log than the one that the chain has.
	#[error("the entries of group {0} are not those of the chain")]
	OtherEntries(GroupId),
	/// Entries that the chain has were left out.
	#[error("entries of group {0} were left out")]
	LeftOut(GroupId),
	/// More entries without a proof than anybody could need.
	#[error("the entries of group {0} come without a proof")]
	Unproven(GroupId),
	/// A message that does not decode.
	#[error("its message does not decode: {0}")]
	Undecodable(String),
}

/// A node that was caught, and what with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Misbehaviour {
	/// URL of the node.
	pub node: String,
	/// What it did.
	pub lie: Lie,
	/// What it sent, as JSON; cut to [`MAX_EVIDENCE`] bytes.
	pub evidence: Vec<u8>,
}

/// Bytes of evidence that are kept of one lie.
pub const MAX_EVIDENCE: usize = 256 * 1024;

impl Misbehaviour {
	/// With what the node sent, and what it contradicts.
	pub fn against(node: &str, lie: Lie, sent: &impl serde::Serialize, known: &impl serde::Serialize) -> Self {
		Self::new(node, lie, &serde_json::json!({ "sent": sent, "known": known }))
	}

	/// With what the node sent.
	pub fn new(node: &str, lie: Lie, sent: &impl serde::Serialize) -> Self {
		let mut evidence = serde_json::to_vec(sent).unwrap_or_default();
		evidence.truncate(MAX_EVIDENCE);
		Self { node: node.to_owned(), lie, evidence }
	}
}

//! Requests to a node, and which node to ask.
//!
//! [`Node`] is one connection; [`Nodes`] is the list that the application gave, with at most one connection open.
//! What a node answers moves nothing by itself: order is read from the finalized log
//! ([`finality`](crate::finality)), never from a reply.

mod error;
mod node;
mod nodes;
#[cfg(test)]
mod tests;

pub use error::{RpcError, SubmitError};
pub use node::{until_end, ChainFacts, NewStatement, Node, StatementEvent, StatementOutcome, UntilEnd};
pub use nodes::Nodes;

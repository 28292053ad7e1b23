//! Where each entry of each log is: the index from which the node serves entries.
//!
//! The state of the chain forgets entries a day after their first child, and old states are pruned; block bodies
//! stay. So the node notes, for every block that it imports, what the block added to logs ([`import`]), and when
//! the block is finalized, where each entry is ([`finality`]). Events of identities it keeps whole: they are small, and needed
//! for as long as there are groups. All goes into the auxiliary column of the node's database. Nothing that is not final is
//! ever served.

mod finality;
mod import;
mod index;
mod noted;

pub use finality::{follow, Finalized};
pub use import::IndexingBlockImport;
pub use index::EntryIndex;

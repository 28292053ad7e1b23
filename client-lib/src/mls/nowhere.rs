//! A storage for public state that is not to be stored.

use openmls_traits::{
	public_storage::PublicStorageProvider,
	storage::{traits, CURRENT_VERSION as V},
};
use std::convert::Infallible;

/// Takes everything, and has nothing.
pub(super) struct Nowhere;

type Done = Result<(), Infallible>;

impl PublicStorageProvider<V> for Nowhere {
	type PublicError = Infallible;

	fn write_tree<G: traits::GroupId<V>, T: traits::TreeSync<V>>(&self, _: &G, _: &T) -> Done {
		Ok(())
	}

	fn write_interim_transcript_hash<G: traits::GroupId<V>, H: traits::InterimTranscriptHash<V>>(
		&self,
		_: &G,
		_: &H,
	) -> Done {
		Ok(())
	}

	fn write_context<G: traits::GroupId<V>, C: traits::GroupContext<V>>(&self, _: &G, _: &C) -> Done {
		Ok(())
	}

	fn write_confirmation_tag<G: traits::GroupId<V>, T: traits::ConfirmationTag<V>>(&self, _: &G, _: &T) -> Done {
		Ok(())
	}

	fn queue_proposal<G: traits::GroupId<V>, R: traits::ProposalRef<V>, P: traits::QueuedProposal<V>>(
		&self,
		_: &G,
		_: &R,
		_: &P,
	) -> Done {
		Ok(())
	}

	fn queued_proposals<G: traits::GroupId<V>, R: traits::ProposalRef<V>, P: traits::QueuedProposal<V>>(
		&self,
		_: &G,
	) -> Result<Vec<(R, P)>, Infallible> {
		Ok(Vec::new())
	}

	fn tree<G: traits::GroupId<V>, T: traits::TreeSync<V>>(&self, _: &G) -> Result<Option<T>, Infallible> {
		Ok(None)
	}

	fn group_context<G: traits::GroupId<V>, C: traits::GroupContext<V>>(&self, _: &G) -> Result<Option<C>, Infallible> {
		Ok(None)
	}

	fn interim_transcript_hash<G: traits::GroupId<V>, H: traits::InterimTranscriptHash<V>>(
		&self,
		_: &G,
	) -> Result<Option<H>, Infallible> {
		Ok(None)
	}

	fn confirmation_tag<G: traits::GroupId<V>, T: traits::ConfirmationTag<V>>(
		&self,
		_: &G,
	) -> Result<Option<T>, Infallible> {
		Ok(None)
	}

	fn delete_tree<G: traits::GroupId<V>>(&self, _: &G) -> Done {
		Ok(())
	}

	fn delete_confirmation_tag<G: traits::GroupId<V>>(&self, _: &G) -> Done {
		Ok(())
	}

	fn delete_context<G: traits::GroupId<V>>(&self, _: &G) -> Done {
		Ok(())
	}

	fn delete_interim_transcript_hash<G: traits::GroupId<V>>(&self, _: &G) -> Done {
		Ok(())
	}

	fn remove_proposal<G: traits::GroupId<V>, R: traits::ProposalRef<V>>(&self, _: &G, _: &R) -> Done {
		Ok(())
	}

	fn clear_proposal_queue<G: traits::GroupId<V>, R: traits::ProposalRef<V>>(&self, _: &G) -> Done {
		Ok(())
	}
}

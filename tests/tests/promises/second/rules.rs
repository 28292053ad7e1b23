//! The policy (section 6, number 3), where mls-rs asks for it: when it makes a commit, and when it judges one.

use super::bytes::lasts_for_ever;
use mls_rs::{
	client_builder::PaddingMode,
	error::IntoAnyError,
	group::{GroupContext, Roster, Sender},
	mls_rs_codec::MlsEncode,
	mls_rules::{CommitDirection, CommitOptions, CommitSource, EncryptionOptions, ProposalBundle},
	MlsRules,
};

/// Why a commit is refused.
#[derive(Debug)]
pub struct Refused(&'static str);

impl std::fmt::Display for Refused {
	fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
		f.write_str(self.0)
	}
}

impl std::error::Error for Refused {}

impl IntoAnyError for Refused {
	fn into_dyn_error(self) -> Result<Box<dyn std::error::Error + Send + Sync>, Self> {
		Ok(Box::new(self))
	}
}

#[derive(Clone, Debug)]
pub struct Rules;

impl MlsRules for Rules {
	type Error = Refused;

	fn filter_proposals(
		&self,
		_: CommitDirection,
		source: CommitSource,
		_: &Roster<'_>,
		_: &GroupContext,
		proposals: ProposalBundle,
	) -> Result<ProposalBundle, Refused> {
		let no = |reason| Err(Refused(reason));
		if !matches!(source, CommitSource::ExistingMember(_)) {
			return no("it is from outside the group");
		}
		let others = [
			proposals.update_proposals().len(),
			proposals.reinit_proposals().len(),
			proposals.external_init_proposals().len(),
		];
		if others != [0; 3] {
			return no("a proposal is of another type than Add, Remove and GroupContextExtensions");
		}
		let senders = proposals.add_proposals().iter().map(|add| add.sender());
		let senders = senders.chain(proposals.remove_proposals().iter().map(|remove| remove.sender()));
		if senders.into_iter().any(|sender| !matches!(sender, Sender::Member(_))) {
			return no("a proposal is from outside the group");
		}
		for add in proposals.add_proposals() {
			let package = add.proposal.key_package().mls_encode_to_vec();
			if !package.is_ok_and(|package| lasts_for_ever(&package)) {
				return no("a KeyPackage has another lifetime");
			}
		}
		Ok(proposals)
	}

	fn commit_options(&self, _: &Roster<'_>, _: &GroupContext, _: &ProposalBundle) -> Result<CommitOptions, Refused> {
		Ok(CommitOptions::new().with_ratchet_tree_extension(true).with_single_welcome_message(true))
	}

	/// Commits and proposals are PublicMessages: only their bundle is sealed.
	fn encryption_options(&self, _: &Roster<'_>, _: &GroupContext) -> Result<EncryptionOptions, Refused> {
		Ok(EncryptionOptions::new(false, PaddingMode::StepFunction))
	}
}

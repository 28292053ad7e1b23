//! `lockstep join`.

use crate::{
	failure::{Failure, Kind},
	happened::Happened,
	job::{GroupName, Job},
	name,
};
use clap::Args;
use lockstep_client::{GroupError, GroupId, GroupState};
use serde::{Deserialize, Serialize};
use serde_json::json;
use std::time::Duration;

/// How long an invitation is waited for if there is no other word: as good as for ever.
const FOR_EVER: Duration = Duration::from_secs(31_536_000);

/// Waits until a member has added this identity to a group
///
/// It returns at once if this identity is in the group already. Following commands (`chat`, `read --follow`) join as
/// well.
#[derive(Args, Clone, Debug, Serialize, Deserialize)]
pub struct Join {
	/// The group: the first digits of its id; any if left out
	group: Option<GroupName>,
}

impl Join {
	pub async fn run(&self, job: &Job<'_>) -> Result<(), Failure> {
		let group = wait(job, self.group.as_ref()).await?;
		let status = job.session.client().group(group).await?;
		let json = json!({ "group": group, "epoch": status.epoch, "contested": status.contested });
		if status.contested {
			job.out.warn("the log of this group was contested: compare its authenticator with a member that you trust");
		}
		job.out.result(&group.to_string(), &json)
	}
}

/// Waits until the client is in the group that is meant, or in any.
pub async fn wait(job: &Job<'_>, named: Option<&GroupName>) -> Result<GroupId, Failure> {
	let session = job.session;
	let what = match named {
		Some(group) => format!("waiting for an invitation to group {group}"),
		None => "waiting for an invitation".to_owned(),
	};
	let joined = async {
		let mut seen = session.history().len();
		let mut told = false;
		loop {
			match choose(&standing(job).await?, named)? {
				Choice::In(group) => return Ok(group),
				Choice::Out(group) if !told => {
					told = true;
					job.out
						.warn(format!("this client is not in group {group} now; waiting to be invited, or readmitted"));
				}
				Choice::Out(_) | Choice::None => {}
			}
			session.history().beyond(seen).await;
			for record in session.history().since(seen) {
				if let Happened::InvitationFailed { group, reason } = &record.happened {
					let reason = name::printable(reason);
					job.out.warn(format!("an invitation to group {group} came to nothing: {reason}"));
				}
			}
			seen = session.history().len();
		}
	};
	let patience = job.timeout.unwrap_or(FOR_EVER);
	job.out.wait(&what, tokio::time::timeout(patience, joined)).await.unwrap_or_else(|_| {
		let message = format!("no invitation came in {} s", patience.as_secs());
		Err(Failure::new(Kind::Timeout, message).advise("ask the member who has the KeyPackage, and wait again"))
	})
}

/// The client's groups, and where it stands in them.
async fn standing(job: &Job<'_>) -> Result<Vec<(GroupId, GroupState)>, Failure> {
	let client = job.session.client();
	let mut standing = Vec::new();
	for group in client.groups().await {
		let state = match client.group(group).await {
			Ok(status) => status.state,
			// It must not keep the client from its other groups.
			Err(GroupError::Halted { .. }) => GroupState::Halted,
			Err(error) => return Err(error.into()),
		};
		standing.push((group, state));
	}
	Ok(standing)
}

/// What is known of the group that is meant.
#[derive(Debug, PartialEq, Eq)]
enum Choice {
	/// The client is in it, or was when it was closed or had trouble.
	In(GroupId),
	/// The client was in it, and can be invited again.
	Out(GroupId),
	/// It is in no such group.
	None,
}

/// The group that is meant. Without a name it is the only one, of those that the client is in if there are any.
fn choose(standing: &[(GroupId, GroupState)], named: Option<&GroupName>) -> Result<Choice, Failure> {
	use GroupState::{Desynchronized, NotReadmitted, Removed, Replaced, Returning};
	let is_out = |state: &GroupState| matches!(state, Removed | Replaced | Returning | NotReadmitted | Desynchronized);
	let fitting: Vec<&(GroupId, GroupState)> =
		standing.iter().filter(|(group, _)| named.is_none_or(|name| name.fits(group))).collect();
	let inside: Vec<GroupId> = fitting.iter().filter(|(_, state)| !is_out(state)).map(|(group, _)| *group).collect();
	match (named, &inside[..], &fitting[..]) {
		(_, [only], _) => Ok(Choice::In(*only)),
		(Some(name), [_, _, ..], _) => name.among(&inside).map(Choice::In),
		(None, [_, _, ..], _) => Err(Failure::new(Kind::AmbiguousGroup, "this client is in several groups: name one")),
		(_, [], [.., (last, _)]) => Ok(Choice::Out(*last)),
		(_, [], []) => Ok(Choice::None),
	}
}

#[cfg(test)]
mod tests {
	use super::*;

	const A: GroupId = GroupId([0xaa; 32]);
	const B: GroupId = GroupId([0xbb; 32]);

	#[test]
	fn a_group_that_the_client_was_removed_from_is_waited_for() {
		let named: GroupName = "aa".parse().unwrap();
		use GroupState::{Desynchronized, NotReadmitted, Removed, Replaced, Returning};
		for state in [Removed, Replaced, Returning, NotReadmitted, Desynchronized] {
			assert_eq!(choose(&[(A, state)], Some(&named)), Ok(Choice::Out(A)));
			assert_eq!(choose(&[(A, state)], None), Ok(Choice::Out(A)));
			assert_eq!(choose(&[(A, state), (B, GroupState::Active)], None), Ok(Choice::In(B)));
			assert_eq!(choose(&[(A, state), (B, GroupState::Active)], Some(&named)), Ok(Choice::Out(A)));
		}
	}

	#[test]
	fn without_a_name_the_only_group_is_meant() {
		let named: GroupName = "bb".parse().unwrap();
		let both = [(A, GroupState::Active), (B, GroupState::Active)];
		assert_eq!(choose(&[], None), Ok(Choice::None));
		assert_eq!(choose(&both[..1], None), Ok(Choice::In(A)));
		assert_eq!(choose(&both, None).unwrap_err().kind, Kind::AmbiguousGroup);
		assert_eq!(choose(&both, Some(&named)), Ok(Choice::In(B)));
		assert_eq!(choose(&both[..1], Some(&named)), Ok(Choice::None));
	}
}

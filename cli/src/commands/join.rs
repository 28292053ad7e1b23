//! `lockstep join`.

use crate::{
	failure::{Failure, Kind},
	happened::Happened,
	job::{GroupName, Job},
};
use clap::Args;
use lockstep_client::GroupId;
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
		loop {
			if let Some(group) = find(job, named).await? {
				return Ok(group);
			}
			session.history().beyond(seen).await;
			for record in session.history().since(seen) {
				if let Happened::InvitationFailed { group, reason } = &record.happened {
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

/// The group that is meant, if the client is in it. Without a name the only group is meant.
async fn find(job: &Job<'_>, named: Option<&GroupName>) -> Result<Option<GroupId>, Failure> {
	let groups = job.session.client().groups().await;
	match (named, &groups[..]) {
		(Some(name), groups) => match name.among(groups) {
			Ok(group) => Ok(Some(group)),
			Err(failure) if failure.kind == Kind::NoGroup => Ok(None),
			Err(failure) => Err(failure),
		},
		(None, []) => Ok(None),
		(None, [only]) => Ok(Some(*only)),
		(None, _) => Err(Failure::new(Kind::AmbiguousGroup, "this client is in several groups: name one")),
	}
}

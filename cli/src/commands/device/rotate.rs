//! `lockstep device rotate`.

use crate::{
	failure::{Failure, Kind},
	job::Job,
	keyring::Keyring,
	person::Myself,
};
use clap::Args;
use lockstep_client::{directory::Seed, GroupId, GroupState};
use serde::{Deserialize, Serialize};
use serde_json::json;

/// Gives this device another key, in the identity and in all groups
///
/// The next key was committed to before, so who has stolen the present one cannot do this. Keys are kept before they are sent: if it was
/// interrupted, or a group could not be reached, run it again, which finishes that. KeyPackages that were published go with the old key.
#[derive(Args, Clone, Debug, Default, Serialize, Deserialize)]
pub struct Rotate {}

impl Rotate {
	pub async fn run(&self, job: &Job<'_>) -> Result<(), Failure> {
		let (file, _) = job.session.device()?;
		let directory = job.session.directory()?;
		let (identity, _) = file.device()?;
		job.session.reachable(job.out).await?;
		let (history, head) = job.until_final("reading the identity", directory.read(identity)).await?;
		let keyring = file.change(|keyring| keyring.learn(&history))?;
		let mut myself = Myself { keyring, history, head };
		if myself.keyring.behind {
			job.out.note("lockstep: finishing the rotation before, which this device is behind with in its groups");
		} else {
			let author = myself.author()?;
			// Both are kept until one of them is in the log.
			let keyring = file.change(|keyring| {
				if keyring.rotating.is_none() {
					keyring.rotating = Some(Seed::random());
				}
			})?;
			let rotated = keyring.rotated().ok_or_else(|| Failure::new(Kind::Failed, "the next key is not there"))?;
			let event = author.rotate(&keyring.keys, &rotated);
			let recording = directory.record(&event);
			myself.history = job.until_final("waiting for the event to be final", recording).await?;
			myself.keyring = file.change(|keyring| keyring.learn(&myself.history))?;
		}
		let key = myself.keyring.keys.current.key();
		job.session.note_device(identity, key)?;
		let (done, behind) = groups(job, &myself.keyring).await?;
		if behind.is_empty() {
			file.change(|keyring| keyring.behind = false)?;
		} else {
			let again = format!("{} device rotate", job.session.profile().command());
			job.out.warn(format!("in {} groups this device is at its old key still: {again}", behind.len()));
		}
		let publish = format!("{} keys publish", job.session.profile().command());
		job.out.note(format!("lockstep: KeyPackages of the old key are given out no more: {publish}"));
		let block = myself.history.until();
		let text = format!("device key {key} since block {block}, in {} groups", done.len());
		job.out
			.result(&text, &json!({ "id": identity, "device": key, "block": block, "groups": done, "behind": behind }))
	}
}

/// Goes over to the device's key in each group; gives those where that is so, and those where it is not.
async fn groups(job: &Job<'_>, keyring: &Keyring) -> Result<(Vec<GroupId>, Vec<GroupId>), Failure> {
	let client = job.session.client();
	job.session.read_logs_if_possible(job.out).await;
	let (mut done, mut behind) = (Vec::new(), Vec::new());
	for group in client.groups().await {
		if client.group(group).await?.state != GroupState::Active {
			continue;
		}
		let rotating = client.rotate(group, keyring.keys.current.signer());
		match job.until_final("waiting for the commit to be final", rotating).await {
			Ok(_) => done.push(group),
			Err(failure) => {
				job.out.warn(format!("group {group}: {}", failure.message));
				behind.push(group);
			}
		}
	}
	Ok((done, behind))
}

//! `lockstep device rotate`.

use crate::{
	commands::keys::publish::{COUNT, DAY, DAYS},
	failure::{Failure, Kind},
	job::Job,
	keyring::Keyring,
	person::Myself,
};
use clap::Args;
use lockstep_client::{
	directory::{rotate_device, DeviceKeys, History, Keeping, Rotated, Seed},
	GroupId, GroupState,
};
use serde::{Deserialize, Serialize};
use serde_json::json;
use std::sync::Arc;

/// What others can claim by the new key: as much as `keys publish` makes.
const KEEPING: Keeping = Keeping { target: COUNT, refill_below: 1, life: DAYS * DAY, renew_before: 0 };

/// Gives this device another key, in the identity and in all groups
///
/// The next key was committed to before, so who has stolen the present one cannot do this. KeyPackages and a last resort of the new key are
/// published in the same step; those of the old key go with it. Keys are kept before they are sent: if it was interrupted, or a group could
/// not be reached, run it again, which finishes that.
#[derive(Args, Clone, Debug, Default, Serialize, Deserialize)]
pub struct Rotate {}

impl Rotate {
	pub async fn run(&self, job: &Job<'_>) -> Result<(), Failure> {
		let (file, _) = job.session.device()?;
		let (identity, _) = file.device()?;
		job.session.reachable(job.out).await?;
		let directory = Arc::new(job.session.directory_from_here().await?);
		let (history, head) = job.until_final("reading the identity", directory.read(identity)).await?;
		let keyring = file.change(|keyring| keyring.learn(&history))?;
		let mut myself = Myself { keyring, history, head };
		let to = if myself.keyring.behind {
			job.out.note("lockstep: finishing the rotation before, which this device is behind with in its groups");
			myself.keyring.keys.clone()
		} else {
			myself.author()?;
			// Both are kept until one of them is in the log.
			let keyring = file.change(|keyring| {
				if keyring.rotating.is_none() {
					keyring.rotating = Some(Seed::random());
				}
			})?;
			keyring.rotated().ok_or_else(|| Failure::new(Kind::Failed, "the next key is not there"))?
		};
		// What was begun before is finished as well.
		let rotating = rotate_device(job.session.client(), &directory, identity, &to, KEEPING);
		let (history, stock, failure) = match job.until_final("waiting for the event to be final", rotating).await {
			Ok(Rotated { history, stock }) => (history, Some(stock), None),
			// Whatever became of the KeyPackages: if the device has its key, it goes over to it in the groups.
			Err(failure) => match job.until_final("reading the identity", directory.read(identity)).await {
				Ok((history, _)) if has_gone_over(&history, &to) => (history, None, Some(failure)),
				_ => return Err(failure),
			},
		};
		myself.history = history;
		myself.keyring = file.change(|keyring| keyring.learn(&myself.history))?;
		let key = myself.keyring.keys.current.key();
		job.session.note_device(identity, key)?;
		let (done, behind) = groups(job, &myself.keyring).await?;
		// Otherwise the next run finishes this rotation, and begins no other.
		if behind.is_empty() && failure.is_none() {
			file.change(|keyring| keyring.behind = false)?;
		}
		if !behind.is_empty() {
			let again = format!("{} device rotate", job.session.profile().command());
			job.out.warn(format!("in {} groups this device is at its old key still: {again}", behind.len()));
		}
		let published = stock.map_or(0, |stock| stock.left());
		if published == 0 {
			let publish = format!("{} keys publish", job.session.profile().command());
			job.out.note(format!("lockstep: by the new key nobody can add this device yet: {publish}"));
		}
		let block = myself.history.until();
		let text = format!(
			"device key {key} since block {block}, in {} groups, with {published} KeyPackages published",
			done.len()
		);
		let last_resort = stock.and_then(|stock| stock.last_resort);
		let json = json!({
			"id": identity,
			"device": key,
			"block": block,
			"groups": done,
			"behind": behind,
			"published": published,
			"lastResort": last_resort,
		});
		job.out.result(&text, &json)?;
		failure.map_or(Ok(()), Err)
	}
}

/// Whether the device has these keys.
fn has_gone_over(history: &History, to: &DeviceKeys) -> bool {
	let state = history.newest().filter(|state| !state.closed);
	let device = state.and_then(|state| state.device(&to.current.key()));
	device.is_some_and(|device| device.next == to.next.commitment())
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
		match job.until_committed(group, rotating).await {
			Ok(_) => done.push(group),
			Err(failure) => {
				job.out.warn(format!("group {group}: {}", failure.message));
				behind.push(group);
			}
		}
	}
	Ok((done, behind))
}

#[cfg(test)]
mod tests {
	use super::*;
	use lockstep_client::{
		directory::{incept, Author, Recorded, RecoveryKeys},
		GenesisHash,
	};

	const GENESIS: GenesisHash = GenesisHash([7; 32]);

	fn keys(current: u8, next: u8) -> DeviceKeys {
		DeviceKeys { current: Seed::new([current; 32]), next: Seed::new([next; 32]) }
	}

	/// Whatever went wrong: the groups follow if the log has the rotation, and only then.
	#[test]
	fn a_device_has_gone_over_when_the_log_says_so() {
		let (before, to) = (keys(1, 2), keys(2, 3));
		let first = incept(&GENESIS, &before, RecoveryKeys::default(), None);
		let mut history = History::new(GENESIS, first.event.identity);
		assert!(!has_gone_over(&history, &to));
		history.admit(Recorded { block: 5, event: first }).unwrap();
		assert!(has_gone_over(&history, &before) && !has_gone_over(&history, &to));
		let event = Author::after(&history).rotate(&before, &to);
		history.admit(Recorded { block: 6, event }).unwrap();
		assert!(has_gone_over(&history, &to) && !has_gone_over(&history, &before));
		assert!(!has_gone_over(&history, &keys(2, 9)), "with another next key it could not rotate again");
	}
}

//! `lockstep identity recover`.

use super::{
	make::{self, Make},
	recovery, register,
};
use crate::{
	code::{self, What},
	confirm::Confirm,
	failure::{Failure, Kind},
	files,
	globals::Globals,
	keyring::{KeyFile, Keyring, Standing},
	output::Out,
	person::{self, Reach},
	profile::Profile,
};
use clap::Args;
use lockstep_client::directory::{
	accept, Author, DeviceOffer, History, IdentityId, IdentityKey, IdentityState, Recovery, RecoveryKeys, Revoked,
	Seed, SignedEvent,
};
use std::{collections::BTreeSet, path::PathBuf};

/// Takes an identity back with a recovery key: makes a profile whose device is in, and all others go
///
/// The recovery key is used up, and another one takes its place. What others did with a stolen device within the last three days can be
/// overridden by --from. Groups are not touched: members have to add this device.
#[derive(Args)]
pub struct Recover {
	/// What to call the profile that is made
	#[arg(value_name = "NAME", value_parser = make::name)]
	name: String,
	/// The identity's id
	#[arg(value_name = "ID", value_parser = person::identity)]
	id: IdentityId,
	/// A file with the recovery key
	#[arg(long, value_name = "FILE")]
	recovery_file: PathBuf,
	/// Where the new recovery key is written to; `-` prints it
	#[arg(long, value_name = "FILE")]
	new_recovery_file: PathBuf,
	/// A device that stays, by its whole key; can be given several times. The one that added it has to stay as well
	#[arg(long, value_name = "KEY")]
	keep: Vec<IdentityKey>,
	/// Overrides all events from this position of the log on, which `identity find ID --log` shows
	#[arg(long, value_name = "POSITION")]
	from: Option<u64>,
	#[command(flatten)]
	make: Make,
	#[command(flatten)]
	confirm: Confirm,
}

impl Recover {
	pub async fn run(self, globals: &Globals, out: &Out) -> Result<(), Failure> {
		let key = code::secret(What::Recovery, &self.recovery_file)?;
		if self.new_recovery_file != std::path::Path::new("-") {
			files::absent(&self.new_recovery_file)?;
		} else if out.is_json() {
			return Err(Failure::new(Kind::Usage, "with --json a recovery key is not printed")
				.advise("--new-recovery-file FILE"));
		}
		// One that was begun goes on with the keys that it has, if they are of no identity yet.
		let begun = Profile::open(make::place(globals, &self.name)?).ok();
		let (mut profile, secret) = match begun {
			Some(profile) => {
				let secret = person::unlock(globals, &profile)?;
				(profile, secret)
			}
			None => {
				let ready = self.make.ready(self.name, globals)?;
				ready.vacant()?;
				ready.of_person(&Keyring::new(Standing::Offered), out)?
			}
		};
		let command = profile.command();
		let file = KeyFile::of(&profile, &secret);
		let keyring = file.read()?;
		if keyring.standing == Standing::Device || keyring.identity.is_some_and(|identity| identity != self.id) {
			let message =
				format!("the profile {} is a device already, or is to be one of another identity", profile.name());
			return Err(Failure::new(Kind::ProfileExists, message).advise("choose another name"));
		}
		let preparing = async {
			let reach = Reach::of(&mut profile, globals.patience(), out).await?;
			let (history, head) = reach.read(self.id).await?;
			let state = history.newest().ok_or_else(|| Failure::new(Kind::NoIdentity, "the identity is not there"))?;
			if state.device(&keyring.keys.current.key()).is_some() {
				return Ok(None);
			}
			let rank = rank(state, &key)?;
			let revoked = revoked(state, &self.keep)?;
			let question = format!(
				"recover {}: {} of its {} devices go{}?",
				self.id,
				revoked.len(),
				state.devices.len(),
				self.from.map(|from| format!(", and all events from {from} on are overridden")).unwrap_or_default()
			);
			self.confirm.ask(&question)?;
			let commitment = recovery::hand_out(&self.new_recovery_file, out)?;
			let wanted = Recovery {
				rank,
				from: self.from,
				revoked,
				device: DeviceOffer(keyring.keys.device()),
				recovery: RecoveryKeys::try_from(vec![commitment]).unwrap_or_default(),
			};
			let event = Author::after(&history).recover(&key, wanted);
			let event =
				accept(&reach.genesis, event, &keyring.keys).map_err(|error| Failure::new(Kind::Failed, error))?;
			judged(history, head.number, &event)?;
			Ok(Some(event))
		};
		let event: Option<SignedEvent> = preparing.await.map_err(|failure: Failure| failure.in_profile(&command))?;
		file.change(|keyring| {
			keyring.identity = Some(self.id);
			if let Some(event) = event {
				keyring.standing = Standing::Joining(Box::new(event));
			}
		})?;
		register::run(profile, &secret, None, globals, out).await
	}
}

/// Which recovery key it is.
fn rank(state: &IdentityState, key: &Seed) -> Result<u8, Failure> {
	let commitment = key.commitment();
	let rank = state.recovery.iter().position(|known| *known == commitment).and_then(|rank| u8::try_from(rank).ok());
	rank.ok_or_else(|| {
		Failure::new(Kind::Refused, "this is no recovery key of the identity, or no more: each is good once")
			.advise("the file that was written when the identity was made, or recovered last")
	})
}

/// The devices that go: all but those that are kept, and nothing that is kept goes back to one that goes.
fn revoked(state: &IdentityState, keep: &[IdentityKey]) -> Result<Revoked, Failure> {
	let usage =
		|message: String| Failure::new(Kind::Usage, message).advise("lockstep identity find ID shows the devices");
	if let Some(unknown) = keep.iter().find(|key| state.device(key).is_none()) {
		return Err(usage(format!("the identity has no device {unknown}")));
	}
	let kept: BTreeSet<u32> =
		state.devices.iter().filter(|device| keep.contains(&device.key)).map(|it| it.number).collect();
	let mut gone = Vec::new();
	for device in state.devices.iter().filter(|device| !kept.contains(&device.number)) {
		if let Some(child) = kept.iter().find(|number| state.descends(**number, device.number)) {
			return Err(usage(format!(
				"device {child} was added by device {}, and cannot stay without it",
				device.number
			)));
		}
		gone.push(device.key);
	}
	Revoked::try_from(gone).map_err(|_| usage("these are more devices than an identity has".to_owned()))
}

/// What the rules say of it, before it is kept.
fn judged(mut history: History, block: u32, event: &SignedEvent) -> Result<(), Failure> {
	use lockstep_client::directory::Recorded;
	let recorded = Recorded { block: block.saturating_add(1), event: event.clone() };
	history.admit(recorded).map_err(|error| {
		Failure::new(Kind::Refused, format!("the recovery is refused: {error}"))
			.advise("name other devices to --keep, or another position to override --from")
	})
}

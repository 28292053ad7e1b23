//! `lockstep identity register`.

use crate::{
	commands::voucher,
	failure::{Failure, Kind},
	globals::Globals,
	keyring::Standing,
	output::Out,
	person::{self, IdentityView, Me},
	profile::{self, Profile},
	secret::Secret,
};
use clap::Args;
use lockstep_client::{
	directory::{incept, DirectoryError, History},
	voucher::{HeldVoucher, VoucherKind},
};
use std::path::PathBuf;

/// Finishes what was begun: a registration, or this device's way into an identity
///
/// It can be run again and again: the keys are those that the profile has, and there is one identity.
#[derive(Args)]
pub struct Register {
	/// A file with a voucher that pays for the registration; the profile's sponsor does if left out
	#[arg(long, value_name = "FILE")]
	voucher: Option<PathBuf>,
}

impl Register {
	pub async fn run(self, globals: &Globals, out: &Out) -> Result<(), Failure> {
		let profile = globals.profile()?;
		let voucher = self.voucher.map(|path| voucher::read_for(&path, VoucherKind::Register)).transpose()?;
		let secret = person::unlock(globals, &profile)?;
		run(profile, &secret, voucher, globals, out).await
	}
}

/// Registers the identity of a profile, or has its device recorded, whatever it is that was begun; shows the identity.
pub async fn run(
	profile: Profile,
	secret: &Secret,
	voucher: Option<HeldVoucher>,
	globals: &Globals,
	out: &Out,
) -> Result<(), Failure> {
	let command = profile.command();
	let done = async {
		let mut me = Me::of(profile, secret, globals.patience(), out).await?;
		let history = finish(&mut me, voucher).await?;
		show(&me.profile, &history, out)
	};
	done.await.map_err(|failure| failure.in_profile(&command))
}

async fn finish(me: &mut Me<'_>, voucher: Option<HeldVoucher>) -> Result<History, Failure> {
	let keyring = me.file.read()?;
	match (&keyring.standing, keyring.identity) {
		(Standing::Device, Some(identity)) => Ok(me.reach.read(identity).await?.0),
		(Standing::Joining(event), _) => me.record(event).await,
		(Standing::Registering { recovery, operator }, _) => {
			let first = incept(&me.reach.genesis, &keyring.keys, recovery.clone(), *operator);
			let identity = first.event.identity;
			// Whose it is, too, is kept before anybody hears of it.
			me.file.change(|keyring| keyring.identity = Some(identity))?;
			let looking = async {
				match me.reach.directory.read(identity).await {
					Ok((history, _)) => Ok(Some(history)),
					Err(DirectoryError::Unknown(_)) => Ok(None),
					Err(error) => Err(error),
				}
			};
			let waiting = "waiting for the registration to be final";
			let history = match me.reach.wait("reading the identity", looking).await? {
				Some(history) => history,
				None => match (voucher, me.profile.facts().sponsor.as_deref()) {
					(Some(voucher), _) => {
						me.reach.wait(waiting, me.reach.directory.register_by_voucher(&voucher, &first)).await?
					}
					(None, Some(named)) => {
						let sponsor = profile::account(named)?;
						me.reach.wait(waiting, me.reach.directory.register(&sponsor, &first)).await?
					}
					(None, None) => return Err(nobody_pays(&me.profile)),
				},
			};
			me.learn(&history)?;
			Ok(history)
		}
		_ => Err(keyring.device_of(&me.profile.command()).err().unwrap_or_else(|| me.profile.no_person())),
	}
}

fn nobody_pays(profile: &Profile) -> Failure {
	Failure::new(Kind::Refused, "somebody has to pay for an identity, and this profile has no sponsor")
		.advise(format!("{} identity register --voucher FILE, with a voucher of the kind register", profile.command()))
}

/// Shows a profile and the identity of it.
pub fn show(profile: &Profile, history: &History, out: &Out) -> Result<(), Failure> {
	let view = IdentityView::new(history, profile.facts().person.map(|person| person.device));
	let mut json = super::json(profile);
	if let (Some(object), Ok(view)) = (json.as_object_mut(), serde_json::to_value(&view)) {
		object.insert("person".to_owned(), view);
	}
	out.result(&format!("{}\n{}", super::text(profile), view.text()), &json)
}

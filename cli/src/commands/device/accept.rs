//! `lockstep device accept`.

use crate::{
	code,
	commands::identity::register,
	confirm::Confirm,
	failure::{Failure, Kind},
	globals::Globals,
	keyring::Standing,
	output::Out,
	person::{self, Me},
};
use clap::Args;
use lockstep_client::directory::{accept, IdentityId};

/// Accepts to be a device of a person, and records that
///
/// Look whose identity it is: who has replaced this device's code on its way, or the event on its way back, could make it another
/// person's. With --id it is that one or none. Run it again, or `identity register`, if it was interrupted.
#[derive(Args)]
pub struct Accept {
	/// What `device add` has printed on the other device, or a file with it; - reads it from standard input
	#[arg(value_name = "EVENT|FILE")]
	event: String,
	/// The identity that it must be
	#[arg(long, value_name = "ID", value_parser = person::identity)]
	id: Option<IdentityId>,
	#[command(flatten)]
	confirm: Confirm,
}

impl Accept {
	pub async fn run(self, globals: &Globals, out: &Out) -> Result<(), Failure> {
		let event = code::event(&self.event)?;
		let mut me = Me::open(globals, out).await?;
		let command = me.profile.command();
		let accepting = async {
			let keyring = me.file.read()?;
			let identity = event.event.identity;
			let refused = |message: String| Failure::new(Kind::Refused, message);
			if self.id.is_some_and(|id| id != identity) {
				return Err(
					refused(format!("the event is of another identity: {identity}")).advise("find out who has made it")
				);
			}
			if let Some(known) = keyring.identity.filter(|known| *known != identity) {
				return Err(refused(format!(
					"this device is, or has accepted to be, one of {known}, not of {identity}"
				))
				.advise("lockstep device offer NAME, for a profile of its own"));
			}
			let event = accept(&me.reach.genesis, event, &keyring.keys).map_err(|error| {
				refused(error.to_string()).advise(format!("lockstep device offer {}", me.profile.name()))
			})?;
			if keyring.standing != Standing::Device {
				if self.id.is_none() {
					self.confirm.ask(&format!("be a device of {identity} from now on?"))?;
				}
				// It is known here before anybody else hears of it.
				me.file.change(|keyring| {
					keyring.identity = Some(identity);
					keyring.standing = Standing::Joining(Box::new(event.clone()));
				})?;
			}
			let history = me.record(&event).await?;
			register::show(&me.profile, &history, out)
		};
		accepting.await.map_err(|failure| failure.in_profile(&command))
	}
}

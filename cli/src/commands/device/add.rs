//! `lockstep device add`.

use crate::{
	code,
	failure::{Failure, Kind},
	files,
	globals::Globals,
	output::Out,
	person::Me,
};
use clap::Args;
use lockstep_client::directory::DeviceOffer;
use serde_json::json;
use std::path::PathBuf;

/// How a code begins.
const PREFIX: &str = "lockstep-device:";

/// Signs that a further device is this person's, and prints what it has to accept
///
/// Nothing is sent: the other device does that by `device accept`. What it can do then this one can take back, by `device revoke`. If
/// another event of this person comes first, it has to be made anew.
#[derive(Args)]
pub struct Add {
	/// The code that `device offer` has printed on the other machine, or a file with it; - reads it from standard input
	#[arg(value_name = "CODE|FILE")]
	code: String,
	/// Writes the event to a file instead of standard output
	#[arg(long, short, value_name = "FILE")]
	out: Option<PathBuf>,
}

impl Add {
	pub async fn run(self, globals: &Globals, out: &Out) -> Result<(), Failure> {
		let offer: DeviceOffer = code::named_text(&self.code, PREFIX)?.parse().map_err(|error| {
			Failure::new(Kind::Usage, error).advise("on the new machine: lockstep device offer NAME")
		})?;
		let mut me = Me::open(globals, out).await?;
		let command = me.profile.command();
		let adding = async {
			let myself = me.read().await?;
			let author = myself.author()?;
			let key = offer.0.key;
			if myself.history.newest().is_some_and(|state| state.device(&key).is_some()) {
				return Err(Failure::new(Kind::Refused, "this is a device of yours already")
					.advise(format!("{} device list", me.profile.command())));
			}
			Ok((myself.history.identity(), author.add_device(&myself.keyring.keys, &offer)))
		};
		let (identity, event) = adding.await.map_err(|failure: Failure| failure.in_profile(&command))?;
		let text = code::event_text(&event);
		let shown = match &self.out {
			None => text.clone(),
			Some(path) => {
				files::write(path, format!("{text}\n").as_bytes())?;
				out.note(format!("lockstep: on the new machine: lockstep device accept {}", path.display()));
				String::new()
			}
		};
		out.result(&shown, &json!({ "id": identity, "device": offer.0.key, "event": text, "file": self.out }))
	}
}

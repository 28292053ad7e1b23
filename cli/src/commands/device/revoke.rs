//! `lockstep device revoke`.

use crate::{
	commands::identity::register,
	confirm::Confirm,
	failure::{Failure, Kind},
	globals::Globals,
	output::Out,
	person::Me,
};
use clap::Args;
use lockstep_client::directory::{IdentityKey, IdentityState};

/// Revokes a device of this person, with all that it added, for ever
///
/// A device revokes itself, and those that it added, directly or not. Its commits count no more in groups of people; its places there are
/// taken away by `group remove`.
#[derive(Args)]
pub struct Revoke {
	/// The device: the first digits of its key
	#[arg(value_name = "KEY")]
	key: String,
	#[command(flatten)]
	confirm: Confirm,
}

impl Revoke {
	pub async fn run(self, globals: &Globals, out: &Out) -> Result<(), Failure> {
		let mut me = Me::open(globals, out).await?;
		let command = me.profile.command();
		let revoking = async {
			let myself = me.read().await?;
			let author = myself.author()?;
			let Some(state) = myself.history.newest() else { return Err(me.profile.no_person()) };
			let (key, number) = among(state, &self.key)?;
			let cascade = state.devices.iter().filter(|device| state.descends(device.number, number)).count();
			let also = match cascade.saturating_sub(1) {
				0 => String::new(),
				others => format!(", and {others} that it added"),
			};
			let own = if key == myself.keyring.keys.current.key() { ", which is this one," } else { "" };
			self.confirm.ask(&format!("revoke device {number}, {key}{own}{also} for ever?"))?;
			let history = me.record(&author.revoke_device(&myself.keyring.keys, key)).await?;
			register::show(&me.profile, &history, out)
		};
		revoking.await.map_err(|failure| failure.in_profile(&command))
	}
}

/// The device whose key begins so.
fn among(state: &IdentityState, digits: &str) -> Result<(IdentityKey, u32), Failure> {
	let digits = digits.strip_prefix("0x").unwrap_or(digits).to_ascii_lowercase();
	let usage = |message: String| Err(Failure::new(Kind::Usage, message).advise("lockstep device list"));
	if digits.is_empty() {
		return usage("a device is named by the first digits of its key".to_owned());
	}
	let fitting: Vec<_> = state.devices.iter().filter(|device| device.key.to_string().starts_with(&digits)).collect();
	match fitting[..] {
		[only] => Ok((only.key, only.number)),
		[] => usage(format!("this person has no device whose key begins with {digits}")),
		_ => usage(format!("the keys of {} devices begin with {digits}", fitting.len())),
	}
}

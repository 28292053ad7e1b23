//! `lockstep identity close`.

use super::register;
use crate::{confirm::Confirm, failure::Failure, globals::Globals, output::Out, person::Me};
use clap::Args;

/// Ends this person's identity, for ever but for a recovery within three days
///
/// This device has to be the only one; revoke the others first. In groups of people its commits count no more.
#[derive(Args)]
pub struct Close {
	#[command(flatten)]
	confirm: Confirm,
}

impl Close {
	pub async fn run(self, globals: &Globals, out: &Out) -> Result<(), Failure> {
		let mut me = Me::open(globals, out).await?;
		let command = me.profile.command();
		let closing = async {
			let myself = me.read().await?;
			let author = myself.author()?;
			self.confirm.ask(&format!("end the identity {} for ever?", myself.history.identity()))?;
			let history = me.record(&author.close(&myself.keyring.keys)).await?;
			register::show(&me.profile, &history, out)
		};
		closing.await.map_err(|failure| failure.in_profile(&command))
	}
}

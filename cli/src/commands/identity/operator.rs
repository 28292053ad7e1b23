//! `lockstep identity operator`.

use super::register;
use crate::{failure::Failure, globals::Globals, output::Out, person::Me};
use clap::Args;
use lockstep_client::directory::OperatorId;

/// Says where this person is at home
#[derive(Args)]
pub struct SetOperator {
	/// The operator, 64 hexadecimal digits; none if left out
	#[arg(value_name = "ID")]
	operator: Option<OperatorId>,
}

impl SetOperator {
	pub async fn run(self, globals: &Globals, out: &Out) -> Result<(), Failure> {
		let mut me = Me::open(globals, out).await?;
		let command = me.profile.command();
		let setting = async {
			let myself = me.read().await?;
			let event = myself.author()?.set_operator(&myself.keyring.keys, self.operator);
			let history = me.record(&event).await?;
			register::show(&me.profile, &history, out)
		};
		setting.await.map_err(|failure| failure.in_profile(&command))
	}
}

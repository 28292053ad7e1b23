//! `lockstep identity show`.

use super::register;
use crate::{failure::Failure, globals::Globals, output::Out, person::Reach};
use clap::Args;

/// What the profile says; of a person also what the chain does: its devices, in which block, and its operator
#[derive(Args)]
pub struct Show {}

impl Show {
	pub async fn run(&self, globals: &Globals, out: &Out) -> Result<(), Failure> {
		let mut profile = globals.profile()?;
		if let Some(id) = profile.facts().person.and_then(|person| person.id) {
			let reading = async { Reach::of(&mut profile, globals.patience(), out).await?.read(id).await };
			match reading.await {
				Ok((history, _)) => return register::show(&profile, &history, out),
				Err(failure) => out.warn(format!("this is what the profile says alone: {}", failure.message)),
			}
		}
		out.result(&super::text(&profile), &super::json(&profile))
	}
}

//! `lockstep identity show`.

use crate::{failure::Failure, globals::Globals, output::Out};
use clap::Args;

/// What the profile says
#[derive(Args)]
pub struct Show {}

impl Show {
	pub fn run(&self, globals: &Globals, out: &Out) -> Result<(), Failure> {
		let profile = globals.profile()?;
		out.result(&super::text(&profile), &super::json(&profile))
	}
}

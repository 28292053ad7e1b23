//! `lockstep identity nodes`.

use crate::{failure::Failure, globals::Globals, output::Out};
use clap::Args;

/// Uses these nodes from now on
#[derive(Args)]
pub struct Nodes {
	/// URLs, ws://HOST:PORT
	#[arg(required = true, value_name = "URL", value_parser = super::node_url)]
	urls: Vec<String>,
}

impl Nodes {
	pub fn run(self, globals: &Globals, out: &Out) -> Result<(), Failure> {
		let mut profile = globals.profile()?;
		profile.change(|facts| facts.nodes = self.urls)?;
		out.result(&super::text(&profile), &super::json(&profile))
	}
}

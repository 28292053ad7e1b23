//! `lockstep identity list`.

use crate::{
	failure::Failure,
	output::Out,
	profile::{data_home, Profile},
};
use clap::Args;
use serde_json::json;

/// The profiles that have names
#[derive(Args)]
pub struct List {}

impl List {
	pub fn run(&self, out: &Out) -> Result<(), Failure> {
		let mut profiles = Vec::new();
		for place in Profile::all()? {
			match Profile::open(place) {
				Ok(profile) => profiles.push(profile),
				Err(failure) => out.warn(failure.message),
			}
		}
		if profiles.is_empty() {
			out.note(format!("lockstep: there is no profile in {}", data_home()?.display()));
		}
		let lines = profiles.iter().map(|profile| {
			format!(
				"{}  {}  {}",
				profile.name(),
				profile.facts().member().unwrap_or_else(|| "none yet".to_owned()),
				profile.facts().nodes.join(", ")
			)
		});
		let text = lines.collect::<Vec<_>>().join("\n");
		out.result(&text, &json!({ "profiles": profiles.iter().map(super::json).collect::<Vec<_>>() }))
	}
}

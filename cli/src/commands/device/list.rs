//! `lockstep device list`.

use crate::{
	failure::{Failure, Kind},
	globals::Globals,
	output::Out,
	person::{IdentityView, Reach},
};
use clap::Args;
use serde_json::json;

/// This person's devices, as the log of the identity has them
#[derive(Args)]
pub struct List {}

impl List {
	pub async fn run(self, globals: &Globals, out: &Out) -> Result<(), Failure> {
		let mut profile = globals.profile()?;
		let command = profile.command();
		let reading = async {
			let person = profile.facts().person.ok_or_else(|| profile.no_person())?;
			let id = person.id.ok_or_else(|| {
				Failure::new(Kind::NotADevice, "this device is nobody's yet")
					.advise(format!("{command} device accept EVENT"))
			})?;
			let (history, _) = Reach::of(&mut profile, globals.patience(), out).await?.read(id).await?;
			Ok(IdentityView::new(&history, Some(person.device)))
		};
		let view = reading.await.map_err(|failure: Failure| failure.in_profile(&command))?;
		out.result(&view.devices_text(), &json!({ "id": view.id, "block": view.block, "devices": view.devices }))
	}
}

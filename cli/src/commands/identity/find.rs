//! `lockstep identity find`.

use crate::{
	failure::Failure,
	globals::Globals,
	output::Out,
	person::{self, EventView, IdentityView, Reach},
};
use clap::Args;
use lockstep_client::directory::IdentityId;
use serde_json::json;

/// Shows a person of the directory: the devices, in which block, and the operator
///
/// No node is believed: every event of the identity is judged, and is all that a final block knows. The node that is asked learns whom
/// you look for.
#[derive(Args)]
pub struct Find {
	/// The person's id
	#[arg(value_name = "ID", value_parser = person::identity)]
	id: IdentityId,
	/// Shows the events of the log as well, each with its position and block
	#[arg(long)]
	log: bool,
}

impl Find {
	pub async fn run(self, globals: &Globals, out: &Out) -> Result<(), Failure> {
		let mut profile = globals.profile()?;
		let command = profile.command();
		let this = profile.facts().person.map(|person| person.device);
		let reading = async { Reach::of(&mut profile, globals.patience(), out).await?.read(self.id).await };
		let (history, _) = reading.await.map_err(|failure| failure.in_profile(&command))?;
		let view = IdentityView::new(&history, this);
		if !self.log {
			return out.result(&view.text(), &view);
		}
		let log = EventView::all(&history);
		let lines: Vec<String> = log.iter().map(EventView::text).collect();
		let mut json = serde_json::to_value(&view).unwrap_or_default();
		if let Some(object) = json.as_object_mut() {
			object.insert("log".to_owned(), json!(log));
		}
		out.result(&format!("{}\n{}", view.text(), lines.join("\n")), &json)
	}
}

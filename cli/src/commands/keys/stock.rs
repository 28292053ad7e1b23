//! `lockstep keys stock`.

use crate::{
	failure::{Failure, Kind},
	globals::Globals,
	output::Out,
	person::{self, Reach},
};
use clap::Args;
use lockstep_client::directory::{IdentityId, IdentityKey, Stock};
use serde::{Deserialize, Serialize};
use serde_json::json;

/// How many KeyPackages are left in the directory, of each device
#[derive(Args)]
pub struct Show {
	/// The person; the profile's if left out
	#[arg(value_name = "ID", value_parser = person::identity)]
	id: Option<IdentityId>,
}

/// What the directory has of a device.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct StockView {
	pub device: IdentityKey,
	/// How many are left, with those that have lapsed and were not cleared away yet.
	pub left: u32,
	/// The last block of the last resort, if there is one.
	pub last_resort: Option<u32>,
	/// The block since which the last resort has to be replaced, since it was claimed.
	pub must_replace: Option<u32>,
	/// How often this device has published, or changed the gate.
	pub number: u32,
}

impl StockView {
	pub fn new(device: IdentityKey, stock: Option<Stock>) -> Self {
		Self {
			device,
			left: stock.map_or(0, |stock| stock.left()),
			last_resort: stock.and_then(|stock| stock.last_resort),
			must_replace: stock.and_then(|stock| stock.must_replace),
			number: stock.map_or(0, |stock| stock.number),
		}
	}

	/// On one line.
	pub fn text(&self) -> String {
		let last_resort = match (self.last_resort, self.must_replace) {
			(_, Some(block)) => format!("a last resort that was used in block {block}: publish another one"),
			(Some(block), None) => format!("a last resort up to block {block}"),
			(None, None) => "no last resort".to_owned(),
		};
		format!("{}  {} left, {last_resort}", self.device, self.left)
	}
}

impl Show {
	pub async fn run(self, globals: &Globals, out: &Out) -> Result<(), Failure> {
		let mut profile = globals.profile()?;
		let command = profile.command();
		let reading = async {
			let own = || profile.facts().person.and_then(|person| person.id).ok_or_else(|| profile.no_person());
			let id = self.id.map_or_else(own, Ok)?;
			let reach = Reach::of(&mut profile, globals.patience(), out).await?;
			let (history, _) = reach.read(id).await?;
			let mut stocks = Vec::new();
			let state = history.newest().ok_or_else(|| Failure::new(Kind::NoIdentity, "the identity is not there"))?;
			for device in &state.devices {
				let stock = reach.wait("reading the stock", reach.directory.stock(id, device.key)).await?;
				stocks.push(StockView::new(device.key, stock));
			}
			Ok((id, stocks))
		};
		let (id, stocks) = reading.await.map_err(|failure: Failure| failure.in_profile(&command))?;
		let text = stocks.iter().map(StockView::text).collect::<Vec<_>>().join("\n");
		out.result(&text, &json!({ "id": id, "stocks": stocks }))
	}
}

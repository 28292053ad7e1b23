//! `lockstep keys publish`.

use super::stock::StockView;
use crate::{
	failure::{Failure, Kind},
	job::Job,
	person::Myself,
};
use clap::Args;
use lockstep_client::directory::{DirectoryError, KeyPackageRefusal, Stocking, MAX_LIFE, MAX_STOCK};
use serde::{Deserialize, Serialize};

/// How many KeyPackages are published, and for how many days, if nothing else is said.
pub const COUNT: u32 = 20;
pub const DAYS: u32 = 60;
/// Blocks in a day, and for how many days KeyPackages can be claimed at most.
pub const DAY: u32 = 86_400;
const MOST: u32 = MAX_LIFE / DAY;

/// Publishes KeyPackages of this device, each to be claimed once
///
/// A last resort is given out when no other is left, again and again, and should be replaced then: it is made anew where it has to be.
#[derive(Args, Clone, Debug, Serialize, Deserialize)]
pub struct Publish {
	/// How many
	#[arg(long, value_name = "NUMBER", default_value_t = COUNT, value_parser = clap::value_parser!(u32).range(0..=i64::from(MAX_STOCK)))]
	count: u32,
	/// Makes a last resort as well, in the place of the one that is there
	#[arg(long)]
	last_resort: bool,
	/// Takes those away that are there
	#[arg(long)]
	replace: bool,
	/// For how many days they can be claimed
	#[arg(long, value_name = "DAYS", default_value_t = DAYS, value_parser = clap::value_parser!(u32).range(1..=i64::from(MOST)))]
	days: u32,
}

impl Publish {
	pub async fn run(&self, job: &Job<'_>) -> Result<(), Failure> {
		let (file, opened_with) = job.session.device()?;
		let (identity, _) = file.device()?;
		job.session.reachable(job.out).await?;
		let directory = job.session.directory_from_here().await?;
		let (history, head) = job.until_final("reading the identity", directory.read(identity)).await?;
		let keyring = file.change(|keyring| keyring.learn(&history))?;
		let myself = Myself { keyring, history, head };
		myself.author()?;
		let device = &myself.keyring.keys.current;
		if device.key() != opened_with {
			return Err(Failure::new(Kind::InUse, "the client was opened with the key that this device had before")
				.advise("close the `lockstep` that has the profile open, if there is one, and run this again"));
		}
		let stock = job.until_final("reading the stock", directory.stock(identity, device.key())).await?;
		let with_last_resort = self.last_resort || stock.is_some_and(|stock| stock.must_replace.is_some());
		if self.count == 0 && !with_last_resort {
			return Err(
				Failure::new(Kind::Usage, "there is nothing to publish").advise("--count NUMBER, or --last-resort")
			);
		}
		let client = job.session.client();
		let mut packages = Vec::new();
		for _ in 0..self.count {
			packages.push(client.key_package().await?);
		}
		let lapse = myself.head.number.saturating_add(self.days.saturating_mul(DAY));
		let last_resort = if with_last_resort { Some(client.last_resort_key_package(lapse).await?) } else { None };
		let genesis = myself.history.genesis();
		let stocking = Stocking { genesis, identity, device, stock };
		let refused = |refusal: KeyPackageRefusal| Failure::from(DirectoryError::KeyPackages(refusal));
		let signed = stocking.publish(packages, last_resort, lapse, self.replace).map_err(refused)?;
		let publishing = directory.publish(&signed);
		let stock = job.until_final("waiting for the KeyPackages to be published", publishing).await?;
		let view = StockView::new(device.key(), Some(stock));
		job.out.result(&view.text(), &view)
	}
}

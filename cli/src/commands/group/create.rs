//! `lockstep group create`.

use crate::{
	commands::voucher,
	failure::{Failure, Kind},
	job::Job,
	profile,
};
use clap::Args;
use lockstep_client::{
	voucher::{HeldVoucher, VoucherTextError},
	CreateError, GroupData,
};
use serde::{Deserialize, Serialize};
use serde_json::json;
use std::path::PathBuf;

/// Makes a group with this identity as its only member, and prints its id
#[derive(Args, Clone, Debug, Serialize, Deserialize)]
pub struct Create {
	/// Who pays for it: `alice`, on development chains, or a file with a seed of 64 hexadecimal digits; the profile's sponsor
	/// if left out
	#[arg(long, value_name = "alice|FILE")]
	sponsor: Option<String>,
	/// A file with a voucher that pays for it
	#[arg(long, value_name = "FILE", conflicts_with = "sponsor")]
	voucher: Option<PathBuf>,
	/// What the voucher says, once it is read.
	#[arg(skip)]
	read: Option<String>,
	/// What the group is called; its members see it
	#[arg(long, value_name = "NAME", default_value = "")]
	name: String,
}

impl Create {
	/// Who pays instead of the profile's sponsor.
	pub fn sponsor(&self) -> Option<&str> {
		self.sponsor.as_deref()
	}

	/// Whether there is such an account, or such a voucher, before anything is asked for.
	pub fn prepare(&mut self) -> Result<(), Failure> {
		self.read = self.voucher.as_deref().map(voucher::read).transpose()?.map(|held| held.to_secret_text());
		self.sponsor().map_or(Ok(()), |named| profile::account(named).map(drop))
	}

	/// The voucher that pays, in the process that has the client open.
	fn held(&self) -> Result<Option<HeldVoucher>, Failure> {
		let held = self.read.as_ref().map(|text| text.parse()).transpose();
		held.map_err(|error: VoucherTextError| Failure::new(Kind::Usage, error.to_string()))
	}

	pub async fn run(&self, job: &Job<'_>) -> Result<(), Failure> {
		job.session.reachable(job.out).await?;
		let data = GroupData { name: self.name.clone(), ..GroupData::default() };
		let client = job.session.client();
		let waiting = "waiting for the group to be final";
		let created = match self.held()? {
			Some(voucher) => job.until_final(waiting, client.create_group_by_voucher(data, voucher)).await,
			None => job.until_final(waiting, client.create_group_with(data)).await,
		};
		let group = created.map_err(|failure| match failure.kind {
			Kind::Refused if failure.message == CreateError::NoSponsor.to_string() => {
				let advice = format!(
					"{} group create --sponsor alice, or a file with a seed; or --voucher FILE",
					job.session.profile().command()
				);
				Failure::new(Kind::Refused, "somebody has to pay for a group, and this profile has no sponsor")
					.advise(advice)
			}
			_ => failure,
		})?;
		job.out.result(&group.to_string(), &json!({ "group": group }))
	}
}

//! `lockstep group create`.

use crate::{
	commands::voucher,
	failure::{Failure, Kind},
	job::Job,
	profile,
};
use clap::Args;
use lockstep_client::{
	voucher::{HeldVoucher, VoucherKind},
	AuthenticationService, CreateError, GroupData,
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
	/// The voucher, once it is read.
	#[arg(skip)]
	#[serde(skip)]
	held: Option<HeldVoucher>,
	/// What the group is called; its members see it
	#[arg(long, value_name = "NAME", default_value = "")]
	name: String,
	/// Makes a group of people of the directory: nobody is in it but by a device of the identity that is shown, and that is for ever so
	#[arg(long)]
	#[serde(default)]
	people: bool,
}

impl Create {
	/// Who pays instead of the profile's sponsor.
	pub fn sponsor(&self) -> Option<&str> {
		self.sponsor.as_deref()
	}

	/// Whether this says who pays. Then it is not handed to another process: that might be of an older version, and have the
	/// profile's sponsor pay.
	pub fn says_who_pays(&self) -> bool {
		self.sponsor.is_some() || self.voucher.is_some()
	}

	/// Whether there is such an account, or such a voucher, before anything is asked for.
	pub fn prepare(&mut self) -> Result<(), Failure> {
		if let Some(path) = &self.voucher {
			self.held = Some(voucher::read_for(path, VoucherKind::CreateGroup)?);
		}
		self.sponsor().map_or(Ok(()), |named| profile::account(named).map(drop))
	}

	pub async fn run(&self, job: &Job<'_>) -> Result<(), Failure> {
		job.session.reachable(job.out).await?;
		let mut data = GroupData { name: self.name.clone(), ..GroupData::default() };
		if self.people {
			// Whose leaf is no device's commits nothing there.
			job.session.device()?;
			data.authentication = AuthenticationService::Directory;
		}
		let client = job.session.client();
		let waiting = "waiting for the group to be final";
		let created = match self.held.clone() {
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

//! `lockstep group add`.

use crate::{
	code::{self, What},
	commands::{key_package, keys, voucher},
	failure::{Failure, Kind},
	held::Held,
	job::{GroupName, Job},
	person,
};
use clap::Args;
use lockstep_client::{
	directory::{IdentityId, Seed},
	voucher::{HeldVoucher, VoucherKind},
	GroupId,
};
use serde::{Deserialize, Serialize};
use std::path::PathBuf;

/// Adds the owners of KeyPackages to a group, or a person of the directory
///
/// It returns when they are members; each is sent an invitation, and joins when its client is open. With --person, a KeyPackage is
/// claimed with the voucher first. If it is interrupted, the same command goes on with what was claimed, for half a day.
#[derive(Args, Clone, Debug, Serialize, Deserialize)]
pub struct Add {
	/// The group: the first digits of its id
	group: GroupName,
	/// Files with KeyPackages, one each; - reads one from standard input
	#[arg(required_unless_present = "person", value_name = "FILE")]
	files: Vec<PathBuf>,
	/// Adds a person of the directory, by the id
	#[arg(long, value_name = "ID", value_parser = person::identity, conflicts_with = "files", requires = "voucher")]
	person: Option<IdentityId>,
	/// A file with a voucher that pays for the claim
	#[arg(long, value_name = "FILE", requires = "person")]
	voucher: Option<PathBuf>,
	/// A file with the gate secret of that person, who lets only contacts claim
	#[arg(long, value_name = "FILE", requires = "person")]
	gate: Option<PathBuf>,
	/// What the files hold.
	#[arg(skip)]
	key_packages: Vec<Vec<u8>>,
	#[arg(skip)]
	held: Option<Box<Held<HeldVoucher>>>,
	#[arg(skip)]
	gate_secret: Option<Held<Seed>>,
}

impl Add {
	pub fn prepare(&mut self) -> Result<(), Failure> {
		self.key_packages = self.files.iter().map(|path| key_package::read(path)).collect::<Result<_, _>>()?;
		let held = self.voucher.as_deref().map(|path| voucher::read_for(path, VoucherKind::Claim)).transpose()?;
		self.held = held.map(|held| Box::new(Held(held)));
		self.gate_secret = self.gate.as_deref().map(|path| code::secret(What::Gate, path)).transpose()?.map(Held);
		Ok(())
	}

	pub async fn run(&self, job: &Job<'_>) -> Result<(), Failure> {
		let group = job.group(&self.group).await?;
		match (self.person, &self.held) {
			(Some(person), Some(held)) => {
				add_person(job, group, person, &held.0, self.gate_secret.as_ref().map(|gate| &gate.0)).await
			}
			(Some(_), None) => {
				Err(Failure::new(Kind::Usage, "a person is added with a voucher").advise("--voucher FILE"))
			}
			(None, _) => run(job, group, self.key_packages.clone()).await,
		}
	}
}

/// Adds the owners of these KeyPackages.
pub async fn run(job: &Job<'_>, group: GroupId, key_packages: Vec<Vec<u8>>) -> Result<(), Failure> {
	job.session.reachable(job.out).await?;
	let adding = job.session.client().add(group, key_packages);
	let done = job.until_committed(group, adding).await?;
	// The invitations go out now that it is.
	job.flush().await;
	super::committed(job, group, &done)
}

async fn add_person(
	job: &Job<'_>,
	group: GroupId,
	person: IdentityId,
	voucher: &HeldVoucher,
	gate: Option<&Seed>,
) -> Result<(), Failure> {
	job.session.reachable(job.out).await?;
	let directory = job.session.directory_from_here().await?;
	let claiming = directory.claim(voucher, person, gate);
	let claimed = job.until_final("waiting for the claim to be final", claiming).await?;
	keys::claim::warn(&claimed, job.out);
	let adding = job.session.client().add_claimed(group, &claimed, voucher);
	let done = job.until_committed(group, adding).await?;
	job.flush().await;
	super::committed(job, group, &done)
}

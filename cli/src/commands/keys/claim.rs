//! `lockstep keys claim`.

use crate::{
	code::{self, What},
	commands::voucher,
	failure::Failure,
	globals::Globals,
	output::Out,
	person::{self, Reach},
};
use clap::Args;
use lockstep_client::{
	directory::{Claimed, IdentityId},
	voucher::VoucherKind,
};
use serde_json::json;
use std::path::PathBuf;

/// Claims a KeyPackage of each device of a person, and shows what came
///
/// They are not written to a file: added from there, the chain would see which group the claim was for. `group add GROUP --person ID
/// --voucher FILE`, with the same voucher within half a day, adds the person by what was claimed; it also claims, if nothing was.
#[derive(Args)]
pub struct Claim {
	/// The person's id
	#[arg(value_name = "ID", value_parser = person::identity)]
	id: IdentityId,
	/// A file with a voucher that pays for it
	#[arg(long, value_name = "FILE")]
	voucher: PathBuf,
	/// A file with the gate secret of that person, who lets only contacts claim
	#[arg(long, value_name = "FILE")]
	gate: Option<PathBuf>,
}

impl Claim {
	pub async fn run(self, globals: &Globals, out: &Out) -> Result<(), Failure> {
		let held = voucher::read_for(&self.voucher, VoucherKind::Claim)?;
		let gate = self.gate.as_deref().map(|path| code::secret(What::Gate, path)).transpose()?;
		let mut profile = globals.profile()?;
		let command = profile.command();
		let claiming = async {
			let reach = Reach::of(&mut profile, globals.patience(), out).await?;
			let claiming = reach.directory.claim(&held, self.id, gate.as_ref());
			reach.wait("waiting for the claim to be final", claiming).await
		};
		let claimed = claiming.await.map_err(|failure: Failure| failure.in_profile(&command))?;
		warn(&claimed, out);
		let lines = claimed
			.packages
			.iter()
			.map(|package| format!("{}{}", package.device, if package.last_resort { "  its last resort" } else { "" }));
		let text = format!(
			"claimed in block {}, of {} devices\n{}",
			claimed.block,
			claimed.packages.len(),
			lines.collect::<Vec<_>>().join("\n")
		);
		let packages = claimed
			.packages
			.iter()
			.map(|package| json!({ "device": package.device, "lastResort": package.last_resort }));
		out.result(
			&text,
			&json!({ "id": claimed.target, "block": claimed.block, "packages": packages.collect::<Vec<_>>() }),
		)
	}
}

/// Says what is not as good as it could be.
pub fn warn(claimed: &Claimed, out: &Out) {
	if claimed.packages.iter().any(|package| package.last_resort) {
		out.warn("a last resort was given out, which others get too: ask the person to publish KeyPackages");
	}
}

//! `lockstep keys gate keep`.

use crate::{
	code::{self, What},
	failure::{Failure, Kind},
	held::Held,
	job::Job,
};
use clap::Args;
use lockstep_client::directory::Seed;
use serde::{Deserialize, Serialize};
use serde_json::json;
use std::path::PathBuf;

/// Leaves the gate secret of this person with this profile, for the claims that it makes by itself
///
/// That is what `voucher keep` gives it vouchers for. It takes the place of the one that was left before. The secrets of other people are
/// not kept: give them with --gate FILE where they are asked for.
#[derive(Args, Clone, Debug, Serialize, Deserialize)]
pub struct Keep {
	/// The file that `keys gate set` has written on one of this person's devices; the secret that was set on this one if left out
	#[arg(value_name = "FILE")]
	file: Option<PathBuf>,
	/// There is no gate any more
	#[arg(long, conflicts_with = "file")]
	none: bool,
	#[arg(skip)]
	secret: Option<Held<Seed>>,
}

impl Keep {
	pub fn prepare(&mut self) -> Result<(), Failure> {
		self.secret = self.file.as_deref().map(|path| code::secret(What::Gate, path)).transpose()?.map(Held);
		Ok(())
	}

	pub async fn run(&self, job: &Job<'_>) -> Result<(), Failure> {
		let (file, _) = job.session.device()?;
		let gate = match &self.secret {
			_ if self.none => None,
			Some(secret) => Some(secret.0.clone()),
			None => Some(file.read()?.gate.ok_or_else(not_set)?),
		};
		let kept = gate.is_some();
		job.session.client().keep_claim_gate(gate).await?;
		job.out.result("", &json!({ "kept": kept }))
	}
}

fn not_set() -> Failure {
	Failure::new(Kind::Refused, "no gate was set on this device")
		.advise("name the file that `lockstep keys gate set` has written on the device where it was; or --none")
}

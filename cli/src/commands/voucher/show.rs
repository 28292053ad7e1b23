//! `lockstep voucher show`.

use super::{name, read};
use crate::{failure::Failure, output::Out};
use clap::Args;
use serde_json::json;
use std::path::PathBuf;

/// Shows what a voucher is good for, and until which block, without the means to spend it
#[derive(Args)]
pub struct Show {
	/// A file with one voucher
	#[arg(value_name = "FILE")]
	file: PathBuf,
}

impl Show {
	pub fn run(self, out: &Out) -> Result<(), Failure> {
		let held = read(&self.file)?;
		let voucher = held.voucher();
		let (kind, sponsor, expiry) = (name(voucher.kind), hex::encode(voucher.sponsor.0), voucher.expiry);
		let text = format!("{kind}, paid by {sponsor}, up to block {expiry}");
		out.result(&text, &json!({ "kind": kind, "sponsor": sponsor, "expiry": expiry }))
	}
}

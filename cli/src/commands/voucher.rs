//! `lockstep voucher`.

mod issue;
pub mod keep;
mod show;

use crate::{
	failure::{Failure, Kind},
	files,
	output::Out,
};
use clap::{Subcommand, ValueEnum};
use lockstep_client::voucher::{HeldVoucher, VoucherKind};
use std::path::Path;

/// One-time rights that a sponsor gives away, so that others need no account
#[derive(Subcommand)]
pub enum Voucher {
	Issue(issue::Issue),
	Show(show::Show),
	Keep(keep::Keep),
	Kept(keep::Kept),
}

impl Voucher {
	pub async fn run(self, out: &Out) -> Result<(), Failure> {
		match self {
			Self::Issue(command) => command.run(out).await,
			Self::Show(command) => command.run(out),
			// They need an open client.
			Self::Keep(_) | Self::Kept(_) => Ok(()),
		}
	}
}

/// What a voucher is good for.
#[derive(Clone, Copy, Debug, ValueEnum)]
enum For {
	/// To create a group
	CreateGroup,
	/// To register an identity
	Register,
	/// To claim the KeyPackages of one person
	Claim,
}

impl From<For> for VoucherKind {
	fn from(wanted: For) -> Self {
		match wanted {
			For::CreateGroup => Self::CreateGroup,
			For::Register => Self::Register,
			For::Claim => Self::Claim,
		}
	}
}

/// The name of a kind on the command line and in `--json`.
pub fn name(kind: VoucherKind) -> &'static str {
	match kind {
		VoucherKind::CreateGroup => "create-group",
		VoucherKind::Register => "register",
		VoucherKind::Claim => "claim",
	}
}

/// The voucher in a file, which is of this kind.
pub fn read_for(path: &Path, wanted: VoucherKind) -> Result<HeldVoucher, Failure> {
	let held = read(path)?;
	let kind = held.voucher().kind;
	if kind != wanted {
		let message = format!("the voucher in {} is for something else: {}", path.display(), name(kind));
		return Err(Failure::new(Kind::Usage, message).advise(format!("ask for one of the kind {}", name(wanted))));
	}
	Ok(held)
}

/// The voucher in a file, which has one.
pub fn read(path: &Path) -> Result<HeldVoucher, Failure> {
	let content = zeroize::Zeroizing::new(files::read(path)?);
	let text = std::str::from_utf8(&content).unwrap_or_default();
	let lines = text.trim().lines().count();
	if lines > 1 {
		return Err(Failure::new(Kind::Usage, format!("{} has {lines} lines", path.display()))
			.advise("a file with one voucher: one of these lines"));
	}
	text.parse().map_err(|error| {
		Failure::new(Kind::Usage, format!("{} does not hold a voucher: {error}", path.display()))
			.advise("one voucher in a file, as its sponsor gave it: lockstep voucher issue")
	})
}

/// The vouchers in a file, with the lines that they are in. There is one at least.
pub fn read_all(path: &Path) -> Result<Vec<(usize, HeldVoucher)>, Failure> {
	let content = zeroize::Zeroizing::new(files::read(path)?);
	let mut vouchers = Vec::new();
	for (number, line) in (1usize..).zip(std::str::from_utf8(&content).unwrap_or_default().lines()) {
		if line.trim().is_empty() {
			continue;
		}
		let held = line.parse::<HeldVoucher>().map_err(|error| {
			Failure::new(Kind::Usage, format!("{}, line {number}: {error}", path.display()))
				.advise("one voucher in a line, as its sponsor gave it: lockstep voucher issue")
		})?;
		vouchers.push((number, held));
	}
	match vouchers.is_empty() {
		true => Err(Failure::new(Kind::Usage, format!("{} does not hold a voucher", path.display()))
			.advise("vouchers as their sponsor gave them, one in a line: lockstep voucher issue claim")),
		false => Ok(vouchers),
	}
}

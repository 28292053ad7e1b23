//! `lockstep voucher keep` and `lockstep voucher kept`.

use super::name;
use crate::{
	failure::{Failure, Kind},
	held::Held,
	job::Job,
};
use clap::Args;
use lockstep_client::{
	voucher::{HeldVoucher, Voucher},
	ClaimVoucherFit,
};
use serde::{Deserialize, Serialize};
use serde_json::json;
use std::{collections::BTreeMap, path::PathBuf};

/// Leaves vouchers for claims with this profile, which brings further devices of its person into their groups with them
///
/// It does so by itself while it is open (`chat`, `read --follow`, `events --follow`): one voucher for each group that lacks devices. It
/// keeps 256 at most. They are this profile's alone: give them to nobody else. If the person has a gate: lockstep keys gate keep.
#[derive(Args, Clone, Debug, Serialize, Deserialize)]
pub struct Keep {
	/// Files with vouchers of the kind `claim`, one in a line; - reads them from standard input
	#[arg(required = true, value_name = "FILE")]
	files: Vec<PathBuf>,
	#[arg(skip)]
	given: Vec<Given>,
}

/// How many vouchers for claims this profile has left, and until which block they are good
#[derive(Args, Clone, Debug, Default, Serialize, Deserialize)]
pub struct Kept {}

/// A voucher that was given, and where it stands.
#[derive(Clone, Debug, Serialize, Deserialize)]
struct Given {
	file: PathBuf,
	line: usize,
	held: Held<HeldVoucher>,
}

/// What became of one that was given.
#[derive(Debug, Serialize)]
struct Told<'a> {
	file: &'a PathBuf,
	line: usize,
	expiry: u32,
	kept: bool,
	/// Why it was not, or not now.
	reason: Option<String>,
}

impl<'a> Told<'a> {
	fn new(given: &'a Given, fit: ClaimVoucherFit) -> Self {
		let voucher = given.held.0.voucher();
		let kept = matches!(fit, ClaimVoucherFit::Fit | ClaimVoucherFit::Kept);
		Self { file: &given.file, line: given.line, expiry: voucher.expiry, kept, reason: reason(voucher, fit) }
	}

	/// On one line; nothing if there is nothing to say.
	fn text(&self) -> Option<String> {
		let kept = if self.kept { "" } else { "not kept: " };
		let place = format!("{}, line {}", self.file.display(), self.line);
		self.reason.as_ref().map(|reason| format!("{place}: {kept}{reason}"))
	}
}

/// What there is to say of a voucher beside that it is kept.
fn reason(voucher: &Voucher, fit: ClaimVoucherFit) -> Option<String> {
	Some(match fit {
		ClaimVoucherFit::Fit => return None,
		ClaimVoucherFit::Kept => "it was kept before".to_owned(),
		ClaimVoucherFit::Used => "this profile has used it".to_owned(),
		ClaimVoucherFit::Expired => "it has expired, or will in a minute; ask the sponsor for another".to_owned(),
		ClaimVoucherFit::Refused(_) if name(voucher.kind) != "claim" => {
			format!("it is for something else: {}", name(voucher.kind))
		}
		ClaimVoucherFit::Refused(refusal) => refusal.to_string(),
		_ => "the client does not keep it".to_owned(),
	})
}

impl Keep {
	pub fn prepare(&mut self) -> Result<(), Failure> {
		for file in &self.files {
			let read = super::read_all(file)?;
			let given = read.into_iter().map(|(line, held)| Given { file: file.clone(), line, held: Held(held) });
			self.given.extend(given);
		}
		Ok(())
	}

	pub async fn run(&self, job: &Job<'_>) -> Result<(), Failure> {
		// Nobody else's client claims by itself.
		job.session.device()?;
		let client = job.session.client();
		let held: Vec<HeldVoucher> = self.given.iter().map(|given| given.held.0.clone()).collect();
		let (fits, left) = client.keep_fitting_claim_vouchers(held).await?;
		let kept = fits.iter().filter(|fit| **fit == ClaimVoucherFit::Fit).count();
		let told: Vec<Told<'_>> = self.given.iter().zip(fits).map(|(given, fit)| Told::new(given, fit)).collect();
		let mut lines = vec![format!("{kept} kept now, {left} left")];
		lines.extend(told.iter().filter_map(Told::text));
		job.out.result(&lines.join("\n"), &json!({ "kept": kept, "left": left, "vouchers": told }))?;
		match told.iter().filter(|told| !told.kept).count() {
			0 => Ok(()),
			refused => Err(Failure::new(Kind::Refused, format!("{refused} of {} vouchers were not kept", told.len()))
				.advise("ask the sponsor for others: lockstep voucher issue claim")),
		}
	}
}

impl Kept {
	pub async fn run(&self, job: &Job<'_>) -> Result<(), Failure> {
		job.session.device()?;
		let kept = job.session.client().kept_claim_vouchers().await?;
		let mut expiries = BTreeMap::<u32, usize>::new();
		for voucher in &kept {
			let count = expiries.entry(voucher.expiry).or_default();
			*count = count.saturating_add(1);
		}
		let mut lines = vec![format!("{} left", kept.len())];
		lines.extend(expiries.iter().map(|(expiry, count)| format!("{count} up to block {expiry}")));
		let expiries = expiries.iter().map(|(expiry, count)| json!({ "expiry": expiry, "count": count }));
		let json = json!({ "left": kept.len(), "expiries": expiries.collect::<Vec<_>>() });
		job.out.result(&lines.join("\n"), &json)
	}
}

#[cfg(test)]
mod tests {
	use super::*;
	use lockstep_client::{
		voucher::{VoucherKind, VoucherRefusal},
		GenesisHash, Sponsor,
	};

	#[test]
	fn of_a_voucher_that_is_not_kept_it_is_said_which_and_why() {
		let held = HeldVoucher::issue(&Sponsor::alice(), &GenesisHash([7; 32]), VoucherKind::Register, 5);
		let given = Given { file: "some.vouchers".into(), line: 3, held: Held(held) };
		let text = |fit| Told::new(&given, fit).text();
		assert_eq!(text(ClaimVoucherFit::Fit), None);
		assert_eq!(text(ClaimVoucherFit::Kept).as_deref(), Some("some.vouchers, line 3: it was kept before"));
		let wrong = text(ClaimVoucherFit::Refused(VoucherRefusal::WrongKind)).unwrap();
		assert_eq!(wrong, "some.vouchers, line 3: not kept: it is for something else: register");
		for fit in [ClaimVoucherFit::Used, ClaimVoucherFit::Expired] {
			assert!(text(fit).unwrap().starts_with("some.vouchers, line 3: not kept: "), "{fit:?}");
			assert!(!Told::new(&given, fit).kept);
		}
		assert!(!format!("{given:?}").contains("lockstep-voucher"), "what spends it is not shown");
	}
}

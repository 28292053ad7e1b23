//! `lockstep identity new`.

use super::{
	make::{self, Make},
	recovery::{self, ForRecovery},
	register,
};
use crate::{
	commands::voucher,
	failure::{Failure, Kind},
	globals::Globals,
	keyring::{Keyring, Standing},
	output::Out,
	person,
	profile::Profile,
};
use clap::Args;
use lockstep_client::{
	directory::{OperatorId, RecoveryKeys},
	voucher::VoucherKind,
};
use std::path::PathBuf;

/// Makes an identity, in a profile of its own
///
/// It is a name, which is what members of its groups see; or with --register a person of the directory, on the chain, who can have
/// several devices and is found by its id. Then the keys are kept before anything is sent: run it again if it was interrupted, or
/// `identity register`.
#[derive(Args)]
pub struct New {
	/// The name that members of its groups see; the profile gets it too, unless --profile names another. Nobody sees that of a person
	#[arg(value_name = "NAME", value_parser = make::name)]
	name: String,
	#[command(flatten)]
	make: Make,
	/// Registers a person with this device; the profile's sponsor pays, unless a voucher does
	#[arg(long)]
	register: bool,
	/// A file with a voucher that pays for the registration
	#[arg(long, value_name = "FILE", requires = "register")]
	voucher: Option<PathBuf>,
	#[command(flatten)]
	recovery: ForRecovery,
	/// Where the person is at home, 64 hexadecimal digits
	#[arg(long, value_name = "ID", requires = "register")]
	operator: Option<OperatorId>,
}

impl New {
	pub async fn run(self, globals: &Globals, out: &Out) -> Result<(), Failure> {
		let Self { name, make, register, voucher, recovery, operator } = self;
		if !register {
			recovery.unused()?;
			let profile = make.ready(name, globals)?.of_name(out)?;
			return out.result(&super::text(&profile), &super::json(&profile));
		}
		let voucher = voucher.map(|path| voucher::read_for(&path, VoucherKind::Register)).transpose()?;
		// One that was begun goes on with the keys that it has.
		if let Ok(profile) = Profile::open(make::place(globals, &name)?) {
			let secret = person::unlock(globals, &profile).map_err(|failure| match failure.kind {
				Kind::NotADevice => {
					Failure::new(Kind::ProfileExists, format!("there is a profile {} already", profile.name()))
						.advise("choose another name, or --profile PATH")
				}
				_ => failure,
			})?;
			return register::run(profile, &secret, voucher, globals, out).await;
		}
		recovery.wanted(out)?;
		let ready = make.ready(name, globals)?;
		ready.vacant()?;
		let recovery = match recovery::new_key(&recovery, out)? {
			Some(commitment) => RecoveryKeys::try_from(vec![commitment]).unwrap_or_default(),
			None => RecoveryKeys::default(),
		};
		let (profile, secret) = ready.of_person(&Keyring::new(Standing::Registering { recovery, operator }), out)?;
		register::run(profile, &secret, voucher, globals, out).await
	}
}

//! `lockstep keys gate`.

pub mod keep;

use crate::{
	code::{self, What},
	failure::Failure,
	files,
	globals::Globals,
	output::Out,
	person::Me,
};
use clap::{Args, Subcommand};
use lockstep_client::directory::{Seed, Stocking};
use serde_json::json;
use std::path::PathBuf;

/// Who may claim this person's KeyPackages
#[derive(Subcommand)]
pub enum Gate {
	Set(Set),
	Clear(Clear),
	Keep(keep::Keep),
}

impl Gate {
	pub async fn run(self, globals: &Globals, out: &Out) -> Result<(), Failure> {
		match self {
			Self::Set(command) => command.run(globals, out).await,
			Self::Clear(command) => command.run(globals, out).await,
			// It needs an open client.
			Self::Keep(_) => Ok(()),
		}
	}
}

/// Lets only contacts claim: those who have the secret that this writes to a file
///
/// Hand it to them. Run again, it gives the same secret again; with --new another one, and those who have the old one are kept out.
#[derive(Args)]
pub struct Set {
	/// Where the secret is written to
	#[arg(long, short, value_name = "FILE")]
	out: PathBuf,
	/// Makes another secret
	#[arg(long)]
	new: bool,
}

/// Lets everybody claim who has a voucher
#[derive(Args)]
pub struct Clear {}

impl Set {
	async fn run(self, globals: &Globals, out: &Out) -> Result<(), Failure> {
		files::absent(&self.out)?;
		let mut me = Me::open(globals, out).await?;
		let command = me.profile.command();
		let setting = async {
			let before = me.file.read()?.gate;
			let gate = before.filter(|_| !self.new).unwrap_or_else(Seed::random);
			code::keep_secret(What::Gate, &self.out, &gate)?;
			// Before it is set: it can be set again, and given to others.
			me.file.change(|keyring| keyring.gate = Some(gate.clone()))?;
			change(&mut me, Some(&gate)).await
		};
		let device = setting.await.map_err(|failure| failure.in_profile(&command))?;
		out.note(format!(
			"lockstep: only who has the secret in {} can claim: hand it to your contacts",
			self.out.display()
		));
		out.result("", &json!({ "device": device, "gate": true, "file": self.out }))
	}
}

impl Clear {
	async fn run(self, globals: &Globals, out: &Out) -> Result<(), Failure> {
		let mut me = Me::open(globals, out).await?;
		let command = me.profile.command();
		let clearing = async {
			let device = change(&mut me, None).await?;
			me.file.change(|keyring| keyring.gate = None)?;
			Ok(device)
		};
		let device = clearing.await.map_err(|failure: Failure| failure.in_profile(&command))?;
		out.note("lockstep: everybody can claim who has a voucher");
		out.result("", &json!({ "device": device, "gate": false, "file": null }))
	}
}

/// Signs and sends it, as this device.
async fn change(me: &mut Me<'_>, gate: Option<&Seed>) -> Result<lockstep_client::directory::IdentityKey, Failure> {
	let myself = me.read().await?;
	myself.author()?;
	let (identity, device) = (myself.history.identity(), &myself.keyring.keys.current);
	let reach = &me.reach;
	let stock = reach.wait("reading the stock", reach.directory.stock(identity, device.key())).await?;
	let change = Stocking { genesis: reach.genesis, identity, device, stock }.set_gate(gate);
	reach.wait("waiting for the gate to be final", reach.directory.set_gate(&change)).await?;
	Ok(device.key())
}

//! The subcommands, a file each.
//!
//! A new one is a file with a struct of arguments and its `run`, and a line in each of two places: the enum and the
//! `match` below it.

mod chat;
mod completions;
mod device;
mod doctor;
mod events;
mod exit_codes;
mod group;
mod identity;
mod join;
mod key_package;
mod keys;
mod proof;
mod read;
mod send;
mod status;
mod voucher;

use crate::{failure::Failure, globals::Globals, job::Job, output::Out};
use clap::Subcommand;
use serde::{Deserialize, Serialize};

pub use status::{GroupView, Overview, Status};

/// Every subcommand.
#[derive(Subcommand)]
pub enum Command {
	#[command(subcommand)]
	Identity(identity::Identity),
	#[command(subcommand)]
	Device(device::Device),
	#[command(subcommand)]
	Keys(keys::Keys),
	#[command(flatten)]
	Online(Online),
	Doctor(doctor::Doctor),
	#[command(subcommand)]
	Proof(proof::Proof),
	#[command(subcommand)]
	Voucher(voucher::Voucher),
	Completions(completions::Completions),
	ExitCodes(exit_codes::ExitCodes),
}

impl Command {
	/// The same as one that needs an open client, if it does.
	pub fn online(self) -> Result<Online, Box<Self>> {
		match self {
			Self::Online(command) => Ok(command),
			Self::Device(device::Device::Rotate(command)) => Ok(Online::RotateDevice(command)),
			Self::Keys(keys::Keys::Publish(command)) => Ok(Online::Publish(command)),
			Self::Keys(keys::Keys::Gate(keys::gate::Gate::Keep(command))) => Ok(Online::KeepGate(command)),
			Self::Voucher(voucher::Voucher::Keep(command)) => Ok(Online::KeepVouchers(command)),
			Self::Voucher(voucher::Voucher::Kept(command)) => Ok(Online::KeptVouchers(command)),
			Self::Identity(identity::Identity::News(command)) => Ok(Online::News(command)),
			command => Err(Box::new(command)),
		}
	}

	/// Runs one that needs no open client.
	pub async fn run(self, globals: &Globals, out: &Out) -> Result<(), Failure> {
		match self {
			Self::Identity(command) => command.run(globals, out).await,
			Self::Device(command) => command.run(globals, out).await,
			Self::Keys(command) => command.run(globals, out).await,
			Self::Doctor(command) => command.run(globals, out).await,
			Self::Proof(command) => command.run(out).await,
			Self::Voucher(command) => command.run(out).await,
			Self::Completions(command) => command.run(out),
			Self::ExitCodes(command) => command.run(out),
			Self::Online(_) => Ok(()),
		}
	}
}

/// The subcommands that need an open client. They may run in another process than the one that was called, and so
/// are made complete first: files are read, paths are absolute.
#[derive(Clone, Debug, Subcommand, Serialize, Deserialize)]
pub enum Online {
	#[command(subcommand)]
	Group(group::Group),
	KeyPackage(key_package::KeyPackage),
	Join(join::Join),
	Send(send::Send),
	Read(read::Read),
	Chat(chat::Chat),
	Events(events::Events),
	Status(status::Status),
	/// `device rotate`.
	#[command(skip)]
	RotateDevice(device::rotate::Rotate),
	/// `keys publish`.
	#[command(skip)]
	Publish(keys::publish::Publish),
	/// `keys gate keep`.
	#[command(skip)]
	KeepGate(keys::gate::keep::Keep),
	/// `voucher keep`.
	#[command(skip)]
	KeepVouchers(voucher::keep::Keep),
	/// `voucher kept`.
	#[command(skip)]
	KeptVouchers(voucher::keep::Kept),
	/// `identity news`.
	#[command(skip)]
	News(identity::news::News),
	/// A part of `identity backup`.
	#[command(skip)]
	Backup(identity::backup::Export),
}

impl Online {
	/// Reads what has to be read where the command was called.
	pub fn prepare(&mut self) -> Result<(), Failure> {
		match self {
			Self::Group(command) => command.prepare(),
			Self::KeyPackage(command) => command.prepare(),
			Self::Send(command) => command.prepare(),
			Self::KeepGate(command) => command.prepare(),
			Self::KeepVouchers(command) => command.prepare(),
			_ => Ok(()),
		}
	}

	/// Whether it goes on until it is interrupted, which is then no failure.
	pub fn follows(&self) -> bool {
		match self {
			Self::Chat(_) => true,
			Self::Read(command) => command.follows(),
			Self::Events(command) => command.follows(),
			_ => false,
		}
	}

	/// Whether it can run in another process than the one it was called in.
	pub fn travels(&self) -> bool {
		match self {
			Self::Chat(_) | Self::RotateDevice(_) => false,
			Self::Group(command) => !command.says_who_pays(),
			_ => true,
		}
	}

	/// Who pays instead of the profile's sponsor.
	pub fn sponsor(&self) -> Option<&str> {
		match self {
			Self::Group(command) => command.sponsor(),
			_ => None,
		}
	}

	/// Runs it.
	pub async fn run(&self, job: &Job<'_>) -> Result<(), Failure> {
		match self {
			Self::Group(command) => command.run(job).await,
			Self::KeyPackage(command) => command.run(job).await,
			Self::Join(command) => command.run(job).await,
			Self::Send(command) => command.run(job).await,
			Self::Read(command) => command.run(job).await,
			Self::Chat(command) => command.run(job).await,
			Self::Events(command) => command.run(job).await,
			Self::Status(command) => command.run(job).await,
			Self::RotateDevice(command) => command.run(job).await,
			Self::Publish(command) => command.run(job).await,
			Self::KeepGate(command) => command.run(job).await,
			Self::KeepVouchers(command) => command.run(job).await,
			Self::KeptVouchers(command) => command.run(job).await,
			Self::News(command) => command.run(job).await,
			Self::Backup(command) => command.run(job).await,
		}
	}
}

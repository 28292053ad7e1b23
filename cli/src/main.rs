//! `lockstep`: members of MLS groups on the command line.
//!
//! [`commands`] has a file for each subcommand. Those that need an open client run on a [`session`], in this process
//! or in the one that has the profile open ([`remote`]). [`failure`] says what the process ends with, [`output`] where
//! results go.

#![forbid(unsafe_code)]

mod cli;
mod code;
mod commands;
mod committing;
mod confirm;
mod failure;
mod files;
mod globals;
mod happened;
mod held;
mod history;
mod job;
mod keyring;
mod marks;
mod name;
mod output;
mod person;
mod profile;
mod remote;
mod run;
mod secret;
mod session;

use std::process::ExitCode;

fn main() -> ExitCode {
	ExitCode::from(run::run(std::env::args_os()) as u8)
}

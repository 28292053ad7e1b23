//! From the command line to the exit code.

use crate::{
	cli::Cli,
	commands::{Command, Online},
	failure::{Exit, Failure, Kind},
	globals::Globals,
	job::Job,
	output::Out,
	remote,
	session::Session,
};
use clap::{error::ErrorKind, Parser};
use std::{ffi::OsString, sync::Arc};
use tokio::signal::unix::{signal, SignalKind};

/// Runs one command.
pub fn run(arguments: impl Iterator<Item = OsString>) -> Exit {
	let arguments: Vec<OsString> = arguments.collect();
	let Cli { command, globals } = match Cli::try_parse_from(&arguments) {
		Ok(cli) => cli,
		Err(error) => return misused(&error, arguments.iter().any(|argument| argument == "--json")),
	};
	log();
	let out = Out::standard(globals.json);
	let runtime = match tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build() {
		Ok(runtime) => runtime,
		Err(error) => {
			out.failure(&Failure::new(Kind::Failed, format!("the runtime cannot be started: {error}")));
			return Exit::Failed;
		}
	};
	let done = runtime.block_on(dispatch(command, &globals, &out));
	// Not dropped: that would wait for a thread that reads standard input.
	runtime.shutdown_background();
	match done {
		Ok(()) => Exit::Done,
		Err(failure) => {
			out.failure(&failure);
			failure.exit()
		}
	}
}

async fn dispatch(command: Command, globals: &Globals, out: &Out) -> Result<(), Failure> {
	match command.online() {
		Ok(command) => online(command, globals, out).await,
		Err(command) => tokio::select! {
			// The command first, for the same reason as below.
			biased;
			done = command.run(globals, out) => done,
			failure = interrupted() => Err(failure),
		},
	}
}

/// Runs a command that needs an open client: in the process that has it open, or else in this one.
async fn online(mut command: Online, globals: &Globals, out: &Out) -> Result<(), Failure> {
	command.prepare()?;
	let profile = globals.profile()?;
	let prefix = profile.command();
	let timeout = globals.patience();
	let follows = command.follows();
	let work = async {
		if let Some(done) = remote::forward(&profile, &command, timeout, out).await {
			return done;
		}
		let socket = profile.socket();
		// Before signals are listened for: Ctrl-C ends a process that asks for a passphrase.
		let secret = globals.unlock(&profile)?;
		let opening = Session::open(profile.clone(), &secret, command.sponsor(), timeout.unwrap_or_default(), out);
		let opened = tokio::select! {
			opened = opening => opened,
			_ = interrupted(), if follows => return Ok(()),
			failure = interrupted() => Err(failure),
		};
		let session = match opened {
			Ok(session) => Arc::new(session),
			// Whoever has it open may listen by now.
			Err(failure) if failure.kind == Kind::InUse => {
				return remote::forward(&profile, &command, timeout, out).await.unwrap_or(Err(failure));
			}
			Err(failure) => return Err(failure),
		};
		let server = if follows { remote::serve(&socket, session.clone(), out) } else { None };
		let job = Job { session: &session, out, timeout, lasting: false, asker: None };
		let done = tokio::select! {
			done = command.run(&job) => done,
			failure = interrupted() => if follows { Ok(()) } else { Err(failure) },
		};
		drop(server);
		session.close().await;
		done
	};
	work.await.map_err(|failure| failure.in_profile(&prefix))
}

/// Resolves when the process is asked to end.
pub async fn interrupted() -> Failure {
	let asked: std::io::Result<()> = async {
		let mut terminate = signal(SignalKind::terminate())?;
		tokio::select! {
			interrupt = tokio::signal::ctrl_c() => interrupt,
			_ = terminate.recv() => Ok(()),
		}
	}
	.await;
	match asked {
		Ok(()) => Failure::new(Kind::Interrupted, "interrupted; what was begun may still become final"),
		// Signals that cannot be listened for end the process as they always do.
		Err(_) => std::future::pending().await,
	}
}

/// Help, version, or a mistake on the command line.
fn misused(error: &clap::Error, json: bool) -> Exit {
	if matches!(error.kind(), ErrorKind::DisplayHelp | ErrorKind::DisplayVersion) {
		// The reader may have seen enough.
		drop(error.print());
		return Exit::Done;
	}
	if json {
		let message = error.render().to_string();
		let message = message.trim_start_matches("error: ").trim_end().to_owned();
		Out::standard(true).failure(&Failure::new(Kind::Usage, message).advise("lockstep --help"));
	} else {
		drop(error.print());
	}
	Exit::Usage
}

/// What the library has to say, for those who ask: `LOCKSTEP_LOG=lockstep_client=debug`.
fn log() {
	if let Ok(filter) = tracing_subscriber::EnvFilter::try_from_env("LOCKSTEP_LOG") {
		tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr).init();
	}
}

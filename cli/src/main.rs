//! `lockstep`: proofs of key rotations, made and checked.
//!
//! Exit codes: 0 all went well; 1 a proof does not hold, or none could be made; 2 the command line is wrong.

#![forbid(unsafe_code)]

mod show;

use clap::{Args, Parser, Subcommand};
use lockstep_client::{
	proof::{export_proof, verify_proof, Export, ExportError, ProofError},
	GenesisHash, GroupId,
};
use std::{path::PathBuf, process::ExitCode};

/// Lockstep: the order of MLS commits, proven
#[derive(Parser)]
#[command(version)]
enum Cli {
	/// Portable proofs of the key rotations of a group
	#[command(subcommand)]
	Proof(Proof),
}

#[derive(Subcommand)]
enum Proof {
	/// Makes a proof from what a node has; the node is not believed
	Export(ExportArgs),
	/// Checks a proof, with the genesis of the chain and nothing else, and shows the rotations
	Verify(VerifyArgs),
}

#[derive(Args)]
struct ExportArgs {
	/// URL of a node
	#[arg(long, default_value = "ws://127.0.0.1:9944")]
	node: String,
	/// Genesis hash of the chain
	#[arg(long)]
	genesis: GenesisHash,
	/// Id of the group
	#[arg(long)]
	group: GroupId,
	/// Index of the first entry of interest
	#[arg(long, default_value_t = 0)]
	from: u64,
	/// Index after the last entry of interest; the end of the log if left out
	#[arg(long)]
	to: Option<u64>,
	/// Takes the sealed commits along
	#[arg(long)]
	payloads: bool,
	/// Leaves out when each entry was made
	#[arg(long)]
	no_times: bool,
	/// Where the proof is written to
	#[arg(long, short)]
	out: PathBuf,
}

#[derive(Args)]
struct VerifyArgs {
	/// Genesis hash of the chain: all that is believed
	#[arg(long)]
	genesis: GenesisHash,
	/// Prints JSON
	#[arg(long)]
	json: bool,
	/// The proof
	file: PathBuf,
}

#[derive(Debug, thiserror::Error)]
enum Failure {
	#[error("{}: {source}", .path.display())]
	File { path: PathBuf, source: std::io::Error },
	#[error("no proof was made: {0}")]
	Export(#[from] ExportError),
	#[error("the proof does not hold: {0}")]
	Proof(#[from] ProofError),
	#[error("the runtime could not be started: {0}")]
	Runtime(std::io::Error),
}

fn main() -> ExitCode {
	let Cli::Proof(command) = Cli::parse();
	let done = match command {
		Proof::Export(args) => export(args),
		Proof::Verify(args) => verify(&args),
	};
	match done {
		Ok(()) => ExitCode::SUCCESS,
		Err(failure) => {
			eprintln!("lockstep: {failure}");
			ExitCode::FAILURE
		}
	}
}

fn export(args: ExportArgs) -> Result<(), Failure> {
	let ExportArgs { node, genesis, group, from, to, payloads, no_times, out } = args;
	let export = Export { genesis, group, entries: from..to.unwrap_or(u64::MAX), payloads, times: !no_times };
	let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(Failure::Runtime)?;
	let proof = runtime.block_on(export_proof(&node, export))?;
	std::fs::write(&out, &proof).map_err(|source| Failure::File { path: out.clone(), source })?;
	eprintln!("lockstep: {} bytes in {}, verified", proof.len(), out.display());
	Ok(())
}

fn verify(args: &VerifyArgs) -> Result<(), Failure> {
	let file = std::fs::read(&args.file).map_err(|source| Failure::File { path: args.file.clone(), source })?;
	let rotations = verify_proof(args.genesis, &file)?;
	if args.json {
		println!("{:#}", show::json(&rotations));
	} else {
		print!("{}", show::Text(&rotations));
	}
	Ok(())
}

//! `lockstep proof export`.

use crate::{failure::Failure, files, output::Out};
use clap::Args;
use lockstep_client::{
	proof::{self, export_proof},
	GenesisHash, GroupId,
};
use serde_json::json;
use std::path::PathBuf;

/// Makes a proof from what a node has; the node is not believed
#[derive(Args)]
pub struct Export {
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

impl Export {
	pub async fn run(self, out: &Out) -> Result<(), Failure> {
		let Self { node, genesis, group, from, to, payloads, no_times, out: path } = self;
		let export =
			proof::Export { genesis, group, entries: from..to.unwrap_or(u64::MAX), payloads, times: !no_times };
		let proof = out.wait("collecting the proof", export_proof(&node, export)).await?;
		files::write(&path, &proof)?;
		out.note(format!("lockstep: {} bytes in {}, verified", proof.len(), path.display()));
		out.result("", &json!({ "file": path, "bytes": proof.len() }))
	}
}

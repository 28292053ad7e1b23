//! `lockstep voucher issue`.

use super::{name, For};
use crate::{
	commands::identity::node_url,
	failure::{Failure, Kind},
	files,
	output::Out,
	profile,
};
use clap::Args;
use lockstep_client::{rpc::Node, voucher::HeldVoucher, GenesisHash};
use serde_json::json;
use std::{path::PathBuf, time::Duration};
use tokio::time::timeout;
use zeroize::Zeroizing;

/// Most vouchers at once.
const MOST: u32 = 10_000;
/// How long a node may take to say which block is final: some times what it needs.
const PATIENCE: Duration = Duration::from_secs(10);

/// Signs vouchers, one in a line. Whoever reads one can spend it
///
/// Nothing is sent to the chain: the sponsor's deposit is held when a voucher is spent. It is good for 30 to 60 days, and nobody
/// can choose for how many: all that are issued within 30 days expire together, so that none can be told from another.
#[derive(Args)]
#[command(group = clap::ArgGroup::new("chain").required(true).args(["node", "genesis"]))]
pub struct Issue {
	/// What it is good for
	#[arg(value_name = "KIND", value_enum)]
	kind: For,
	/// Who pays: `alice`, on development chains, or a file with a seed of 64 hexadecimal digits
	#[arg(long, value_name = "alice|FILE")]
	sponsor: String,
	/// How many
	#[arg(long, value_name = "NUMBER", default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..=i64::from(MOST)))]
	count: u32,
	/// URL of a node, ws://HOST:PORT, which is believed about its chain and the newest block
	#[arg(long, value_name = "URL", value_parser = node_url)]
	node: Option<String>,
	/// Genesis hash of the chain; with it no node is asked, so that the sponsor's seed can be on a machine without a network
	#[arg(long, value_name = "HASH", requires = "block")]
	genesis: Option<GenesisHash>,
	/// A recent block, with --genesis
	#[arg(long, value_name = "NUMBER", requires = "genesis", conflicts_with = "node")]
	block: Option<u32>,
	/// Writes them to a file for its owner alone, instead of standard output
	#[arg(long, short, value_name = "FILE")]
	out: Option<PathBuf>,
}

impl Issue {
	pub async fn run(self, out: &Out) -> Result<(), Failure> {
		let sponsor = profile::account(&self.sponsor)?;
		if let Some(path) = &self.out {
			files::absent(path)?;
		}
		let (genesis, block) = match (&self.node, self.genesis, self.block) {
			(Some(url), ..) => out.wait("asking the node for its newest block", newest(url)).await?,
			(None, Some(genesis), Some(block)) => (genesis, block),
			_ => {
				return Err(
					Failure::new(Kind::Usage, "no chain is named").advise("--node URL, or --genesis HASH --block N")
				)
			}
		};
		let issued = (0..self.count).map(|_| HeldVoucher::issue(&sponsor, &genesis, self.kind.into(), block));
		let issued: Vec<HeldVoucher> = issued.collect();
		let expiry = issued.first().map(|voucher| voucher.voucher().expiry);
		let texts: Vec<Zeroizing<String>> =
			issued.iter().map(|voucher| Zeroizing::new(voucher.to_secret_text())).collect();
		let lines = Zeroizing::new(texts.iter().map(|text| text.as_str()).collect::<Vec<_>>().join("\n"));
		let shown = match &self.out {
			None => lines.as_str(),
			Some(path) => {
				files::create(path, format!("{}\n", lines.as_str()).as_bytes())?;
				out.note(format!("lockstep: hand on one line of {} to each", path.display()));
				""
			}
		};
		let until = expiry.map(|block| format!(" up to block {block}")).unwrap_or_default();
		out.note(format!("lockstep: issued in block {block}; good{until}, if that is the present one"));
		let listed: Vec<&str> =
			if self.out.is_some() { Vec::new() } else { texts.iter().map(|text| text.as_str()).collect() };
		out.result(
			shown,
			&json!({
				"kind": name(self.kind.into()),
				"sponsor": hex::encode(sponsor.account()),
				"expiry": expiry,
				"count": issued.len(),
				"vouchers": listed,
				"file": self.out,
			}),
		)
	}
}

/// The chain of a node, and its newest final block.
async fn newest(url: &str) -> Result<(GenesisHash, u32), Failure> {
	let asking = async {
		let node = Node::connect(url, None).await?;
		let mut blocks = node.subscribe_entries(&[]).await?;
		let message = blocks.next().await.and_then(Result::ok);
		Ok::<_, Failure>(message.map(|message| (node.chain().genesis, message.at.number)))
	};
	let silent =
		|| Failure::new(Kind::Node, format!("{url} does not say which block is final")).advise("name another node");
	timeout(PATIENCE, asking).await.map_err(|_| silent())??.ok_or_else(silent)
}

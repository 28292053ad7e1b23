//! What a block of claims takes a validator: one node, as many claims at once as it will take, and the times that it
//! says of the blocks it makes.
//!
//! The claims are signed before, and submitted all at once, so that the pool has more of them than a block takes. Another
//! build of the node is measured with `LOCKSTEP_NODE`.

use clap::Parser;
use futures::future::try_join_all;
use lockstep_client::{
	directory::{incept, DeviceKeys, Directory, IdentityId, RecoveryKeys, Seed, Stocking, MAX_STOCK},
	voucher::{HeldVoucher, VoucherKind},
	Client, Config, GenesisHash, Sponsor, StoreKey, Upkeep,
};
use lockstep_primitives::key_package::{Claim, SUITE};
use lockstep_tests::{
	deadline::asked_to_end, machine::Machine, node::Node, person::broken, programs, rpc::NodeRpc, table::Table, within,
	Error, Result,
};
use std::{path::Path, time::Duration};

/// Of the runtime: claims of one person in a burst.
const BURST: usize = 200;
/// What the node logs of a block that it has made, and how many extrinsics of it are the chain's own.
const PREPARED: &str = "Prepared block for proposing at ";
const INHERENTS: usize = 1;
const PATIENCE: Duration = Duration::from_secs(120);

/// What a block of claims takes a validator
#[derive(Parser)]
struct Arguments {
	/// How many people are claimed, two hundred times each
	#[arg(long, default_value_t = 6)]
	people: usize,
}

#[tokio::main]
async fn main() -> Result<()> {
	tokio::select! {
		ended = bench(Arguments::parse()) => ended,
		() = asked_to_end() => Err(Error::Broken("interrupted".into())),
	}
}

async fn bench(arguments: Arguments) -> Result<()> {
	println!("{}", Machine::here());
	let folder = tempfile::tempdir().map_err(Error::io("making a folder"))?;
	let flags = ["--dev", "--no-mdns", "--no-prometheus", "--rpc-port", "0", "--listen-addr", "/ip4/127.0.0.1/tcp/0"];
	let flags = flags.iter().chain(&["--rpc-max-connections", "200"]).map(|flag| (*flag).to_owned());
	let log = folder.path().join("node.log");
	let node = Node::start(&programs::node()?, "validator", &flags.collect::<Vec<_>>(), &log).await?;
	let url = format!("ws://{}", node.rpc());
	let rpc = NodeRpc::connect(&url).await?;
	let genesis = rpc.genesis().await?;
	let mut claims = Vec::new();
	for _ in 0..arguments.people {
		let target = target(&url, genesis, &rpc, folder.path()).await?;
		let now = rpc.finalized().await?;
		for _ in 0..BURST {
			let voucher = HeldVoucher::issue(&Sponsor::alice(), &genesis, VoucherKind::Claim, now);
			let suites = vec![SUITE].try_into().map_err(|_| broken("it is short"))?;
			let claim = Claim { target, suites, gate: None };
			claims.push(claim.to_extrinsic(&voucher.pay(&genesis, &claim.order())));
		}
	}

	let mut heads = rpc.best_heads().await?;
	let Some(Ok(start)) = heads.next().await else { return Err(broken("the node ended")) };
	let count = claims.len();
	try_join_all(claims.into_iter().map(|claim| rpc.submit(claim))).await?;
	let mut left = count;
	let taking = async {
		while let Some(Ok(head)) = heads.next().await {
			let block = rpc.block(head.number).await?;
			left = left.saturating_sub(block.extrinsics.len().saturating_sub(INHERENTS));
			if left == 0 {
				return Ok(());
			}
		}
		Err(broken("the node ended"))
	};
	within(PATIENCE, "the claims in blocks", taking).await??;
	print(node.log(), start.number, count)?;
	node.kill().await
}

/// Somebody with one device and a full stock.
async fn target(url: &str, genesis: GenesisHash, rpc: &NodeRpc, folder: &Path) -> Result<IdentityId> {
	let directory = Directory::new(vec![url.to_owned()], genesis).map_err(broken)?;
	let device = DeviceKeys::random();
	let first = incept(&genesis, &device, RecoveryKeys::default(), None);
	let now = rpc.finalized().await?;
	let voucher = HeldVoucher::issue(&Sponsor::alice(), &genesis, VoucherKind::Register, now);
	let identity = directory.register_by_voucher(&voucher, &first).await.map_err(broken)?.identity();
	let client = Client::open(Config {
		path: folder.join(Seed::random().key().to_string()),
		key: StoreKey::from_bytes([3; 32]),
		nodes: vec![url.to_owned()],
		identity: identity.0.to_vec(),
		signer: *device.current.as_bytes(),
		sponsor: None,
		genesis: Some(genesis),
		checkpoint: None,
		upkeep: Upkeep::default(),
	});
	let client = client.await.map_err(broken)?;
	let mut packages = Vec::new();
	for _ in 0..=MAX_STOCK {
		packages.push(client.key_package().await.map_err(broken)?);
	}
	let last_resort = packages.pop();
	let stocking = Stocking { genesis, identity, device: &device.current, stock: None };
	let signed = stocking.publish(packages, last_resort, now + 10_000, false).map_err(broken)?;
	directory.publish(&signed).await.map_err(broken)?;
	client.close().await;
	Ok(identity)
}

/// The blocks with claims, by what the node has logged of making them.
fn print(log: &Path, start: u32, count: usize) -> Result<()> {
	let text = std::fs::read_to_string(log).map_err(Error::io("reading the node's log"))?;
	let mut table = Table::new(["block", "claims", "ms to make it", "µs a claim"]);
	for line in text.lines() {
		let Some((number, milliseconds, extrinsics)) = prepared(line) else { continue };
		let claims = extrinsics.saturating_sub(INHERENTS);
		if number > start && claims > 0 {
			let each = milliseconds as usize * 1_000 / claims;
			table.row([number.to_string(), claims.to_string(), milliseconds.to_string(), each.to_string()]);
		}
	}
	println!("\n{table}\n  {count} claims");
	Ok(())
}

/// The number of the block, the milliseconds, and the extrinsics.
fn prepared(line: &str) -> Option<(u32, u64, usize)> {
	let (_, rest) = line.split_once(PREPARED)?;
	let (number, rest) = rest.split_once(" (")?;
	let (milliseconds, rest) = rest.split_once(" ms)")?;
	let (_, extrinsics) = rest.split_once("extrinsics_count: ")?;
	let extrinsics = extrinsics.split(|other: char| !other.is_ascii_digit()).next()?;
	Some((number.parse().ok()?, milliseconds.parse().ok()?, extrinsics.parse().ok()?))
}

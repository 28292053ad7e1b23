//! Submit-to-finalized latency on four validators.
//!
//! A sample is the time from the call in the client to the member having advanced, the store's write included. One
//! group of five commits steadily: a commit, then the next by another member, after a random part of a second, so
//! that calls fall on every part of a slot.
//!
//! Beside it, sample by sample: when the member's node said that the block is final. A client that believed its node,
//! decrypted nothing and stored nothing could have advanced then; what the member takes longer is the most that
//! verification can cost.

use clap::Parser;
use lockstep_tests::{
	deadline::asked_to_end, figures::Samples, machine::Machine, members::ADVANCING, rpc::NodeRpc, table::Table, within,
	Error, Members, Network, Result,
};
use std::{
	collections::BTreeMap,
	hash::{BuildHasher, RandomState},
	path::{Path, PathBuf},
	time::{Duration, Instant, SystemTime, UNIX_EPOCH},
};
use tokio::sync::watch;

/// The chain's slot, in milliseconds.
const SLOT: u64 = 1000;

/// Submit-to-finalized latency on four validators
#[derive(Parser)]
struct Arguments {
	/// How many commits are measured
	#[arg(long, default_value_t = 200)]
	samples: usize,
	/// How many commits go before, and are not counted
	#[arg(long, default_value_t = 10)]
	warm_up: usize,
	/// Where the figures go
	#[arg(long, default_value = "bench-results/latency.json")]
	output: PathBuf,
}

/// Milliseconds since 1970: blocks carry their author's clock, so this is the one clock for everything here.
fn now() -> f64 {
	SystemTime::now().duration_since(UNIX_EPOCH).map_or(0.0, |since| since.as_secs_f64() * 1000.0)
}

/// When a node was seen to import and to finalize each block.
type Times = BTreeMap<u32, Seen>;

#[derive(Clone, Copy, Default)]
struct Seen {
	imported: Option<f64>,
	finalized: Option<f64>,
}

/// One commit: when each thing happened.
struct Sample {
	call: f64,
	slot: f64,
	imported: f64,
	finalized: f64,
	advanced: f64,
}

/// Where the milliseconds of the samples went.
#[derive(Default)]
struct Breakdown {
	total: Samples,
	/// From the call to the word of the member's node that the entry is final: for who believes it.
	believing: Samples,
	/// From the call to the slot whose block carries the entry. The client builds the commit meanwhile.
	slot: Samples,
	/// From that slot, or from the call if it came within the slot, to the block's import by the member's node.
	import: Samples,
	/// From the import to the finalization, as the member's node tells it.
	grandpa: Samples,
	/// From the finalization to the member in its new epoch.
	client: Samples,
}

#[tokio::main]
async fn main() -> Result<()> {
	tokio::select! {
		ended = bench() => ended,
		() = asked_to_end() => Err(Error::Broken("interrupted".into())),
	}
}

async fn bench() -> Result<()> {
	let arguments = Arguments::parse();
	let machine = Machine::here();
	println!("{machine}");
	let network = Network::start().await?;
	let members = Members::open(&network, &["anna", "boris", "chiara", "dmitri", "elena"]).await?;
	let (mut nodes, mut watches) = (Vec::new(), Vec::new());
	for index in 0..network.size() {
		nodes.push(network.rpc(index).await?);
		watches.push(watch_blocks(network.rpc(index).await?));
	}
	let group = members.found().await?;
	let everybody: Vec<usize> = (0..members.len()).collect();
	let mut breakdown = Breakdown::default();
	for sample in 0..arguments.warm_up + arguments.samples {
		tokio::time::sleep(part_of_a_slot()).await;
		let position = sample % members.len();
		let node = position % network.size();
		let call = now();
		let committed = members[position].update(group).await?;
		let advanced = now();
		if sample >= arguments.warm_up {
			let (imported, finalized) = block_times(&mut watches[node], committed.block).await?;
			let slot = slot_of(&nodes[node], committed.block).await?;
			breakdown.add(&Sample { call, slot, imported, finalized, advanced });
		}
		members.agree_at(group, &everybody, committed.epoch, ADVANCING).await?;
	}
	breakdown.print();
	breakdown.write(&arguments.output, &machine)?;
	members.close().await;
	network.finish().await
}

/// A random wait shorter than a slot.
fn part_of_a_slot() -> Duration {
	Duration::from_millis(RandomState::new().hash_one(Instant::now()) % SLOT)
}

/// When the slot of a block began.
async fn slot_of(node: &NodeRpc, block: u32) -> Result<f64> {
	let timestamp = node.block(block).await?.timestamp();
	let timestamp = timestamp.ok_or_else(|| Error::Broken(format!("block {block} carries no time")))?;
	Ok((timestamp / SLOT * SLOT) as f64)
}

/// Notes when a node imports and finalizes each block.
fn watch_blocks(rpc: NodeRpc) -> watch::Receiver<Times> {
	let (writing, times) = watch::channel(Times::new());
	tokio::spawn(async move {
		let (mut best, mut finalized) = (rpc.best_heads().await?, rpc.finalized_heads().await?);
		loop {
			tokio::select! {
				Some(Ok(head)) = best.next() => writing.send_modify(|times| {
					times.entry(head.number).or_default().imported.get_or_insert(now());
				}),
				Some(Ok(head)) = finalized.next() => writing.send_modify(|times| {
					times.entry(head.number).or_default().finalized.get_or_insert(now());
				}),
				else => return Ok::<_, Error>(()),
			}
		}
	});
	times
}

/// When this block was imported and finalized.
async fn block_times(times: &mut watch::Receiver<Times>, block: u32) -> Result<(f64, f64)> {
	let both = |times: &Times| times.get(&block).and_then(|seen| Some((seen.imported?, seen.finalized?)));
	let known = within(ADVANCING, "a node to tell of a block", times.wait_for(|all| both(all).is_some()));
	let known = known.await?.ok().and_then(|times| both(&times));
	known.ok_or_else(|| Error::Broken("a node stopped telling of its blocks".into()))
}

impl Breakdown {
	fn add(&mut self, sample: &Sample) {
		let Sample { call, slot, imported, finalized, advanced } = *sample;
		self.total.push(advanced - call);
		self.believing.push(finalized - call);
		self.slot.push((slot - call).max(0.0));
		self.import.push(imported - slot.max(call));
		self.grandpa.push(finalized - imported);
		self.client.push(advanced - finalized);
	}

	fn parts(&self) -> [(&'static str, &'static str, &Samples); 4] {
		[
			("waiting for the slot", "slot", &self.slot),
			("authoring and import", "import", &self.import),
			("GRANDPA", "grandpa", &self.grandpa),
			("client", "client", &self.client),
		]
	}

	fn print(&self) {
		let mut table = Table::new(["milliseconds", "p50", "p90", "p99", "mean"]);
		let total = ("submit to finalized", "", &self.total);
		let believing = ("the same, believing the node", "", &self.believing);
		for (name, _, samples) in self.parts().into_iter().chain([total, believing]) {
			let [p50, p90, p99] = [50, 90, 99].map(|percent| format!("{:.0}", samples.percentile(percent)));
			table.row([name.into(), p50, p90, p99, format!("{:.0}", samples.mean())]);
		}
		println!(
			"\n{table}\n  {} samples; the percentiles of the parts do not add up, their means do\n  verification adds {:.0} ms \
			 to the p50, at most",
			self.total.len(),
			self.added()
		);
	}

	/// What verification adds to the p50, at most.
	fn added(&self) -> f64 {
		self.total.percentile(50) - self.believing.percentile(50)
	}

	fn write(&self, path: &Path, machine: &Machine) -> Result<()> {
		let percentiles = |samples: &Samples| [50, 90, 99].map(|percent| samples.percentile(percent).round());
		let parts: serde_json::Map<String, serde_json::Value> = self
			.parts()
			.into_iter()
			.map(|(_, key, samples)| {
				let ([p50, p90, p99], mean) = (percentiles(samples), samples.mean().round());
				let part = serde_json::json!({ "p50_ms": p50, "p90_ms": p90, "p99_ms": p99, "mean_ms": mean });
				(key.to_string(), part)
			})
			.collect();
		let [p50, p90, p99] = percentiles(&self.total);
		let figures = serde_json::json!({
			"p50_ms": p50,
			"p90_ms": p90,
			"p99_ms": p99,
			"samples": self.total.len(),
			"believing_p50_ms": self.believing.percentile(50).round(),
			"verification_adds_p50_ms": self.added().round(),
			"breakdown": parts,
			"machine": machine,
		});
		let failed = || Error::io(format!("writing {}", path.display()));
		if let Some(folder) = path.parent() {
			std::fs::create_dir_all(folder).map_err(failed())?;
		}
		let text = serde_json::to_string_pretty(&figures).unwrap_or_default() + "\n";
		std::fs::write(path, text).map_err(failed())
	}
}

//! Four validators.

use crate::{deadline::until, mesh::Mesh, node::Node, peer::PeerKey, programs, rpc::NodeRpc, within, Error, Result};
use lockstep_primitives::{BlockNumber, GenesisHash};
use std::{
	net::SocketAddr,
	path::{Path, PathBuf},
	time::Duration,
};

/// The validators of the chain specification `local`, by the flag that gives a node their keys.
pub const VALIDATORS: [&str; 4] = ["alice", "bob", "charlie", "dave"];
/// How many of them GRANDPA needs to finalize anything.
pub const QUORUM: usize = 3;

/// What a node logs when one of its threads panics.
const PANIC: &[u8] = b"' panicked at ";

const CONNECTED: Duration = Duration::from_secs(60);
const FINALIZING: Duration = Duration::from_secs(90);

/// How a network is set up.
#[derive(Clone, Debug, Default)]
pub struct Options {
	/// The wires between the nodes are the only way for them to meet, so that [`Network::cut_off`] works.
	pub isolatable: bool,
	/// Further arguments of every node.
	pub arguments: Vec<String>,
}

/// A chain of four validators, each a process with a folder, on ports that the system chose.
///
/// Dropped without [`finish`](Self::finish), it kills the nodes, leaves their folders and logs, and says where
/// they are: something went wrong.
#[derive(Debug)]
pub struct Network {
	program: PathBuf,
	chain: String,
	options: Options,
	mesh: Mesh,
	keys: Vec<PeerKey>,
	slots: Vec<Slot>,
	folder: PathBuf,
	/// Whether the folder is to be kept.
	failed: bool,
}

#[derive(Debug)]
struct Slot {
	base: PathBuf,
	node: Option<Node>,
	/// Kept when a node is started again, for the clients that know it by its address.
	rpc: Option<SocketAddr>,
}

impl Network {
	/// Starts the validators and waits until they have finalized a block together.
	pub async fn start() -> Result<Self> {
		Self::start_with(Options::default()).await
	}

	/// As [`start`](Self::start), with options.
	pub async fn start_with(options: Options) -> Result<Self> {
		let program = programs::node()?;
		let folder = tempfile::Builder::new().prefix("lockstep-network-").tempdir();
		let folder = folder.map_err(Error::io("making a folder for the nodes"))?;
		let chain = if options.isolatable { live_chain(&program, folder.path()).await? } else { "local".into() };
		let keys = (1..=VALIDATORS.len()).map(|number| PeerKey::from_seed([number as u8; 32])).collect();
		let slots = VALIDATORS.map(|name| Slot { base: folder.path().join(name), node: None, rpc: None });
		let mesh = Mesh::new(VALIDATORS.len()).await?;
		let (folder, failed) = (folder.keep(), true);
		let mut network = Self { program, chain, options, mesh, keys, slots: slots.into(), folder, failed };
		let starts = futures::future::try_join_all((0..network.size()).map(|index| network.launch(index))).await?;
		for (index, node) in starts.into_iter().enumerate() {
			network.place(index, node).await?;
		}
		network.finalized_past(0, 0, FINALIZING).await?;
		Ok(network)
	}

	/// How many validators there are.
	pub fn size(&self) -> usize {
		self.slots.len()
	}

	/// Where clients reach a node; the same after a restart.
	///
	/// # Panics
	/// If there is no such node.
	pub fn url(&self, index: usize) -> String {
		let address = self.slots[index].rpc.expect("every node was started once; qed");
		format!("ws://{address}")
	}

	/// The folder that holds the folders and the logs of all nodes.
	pub fn folder(&self) -> &Path {
		&self.folder
	}

	/// The process id of a running node.
	pub fn pid(&self, index: usize) -> Option<u32> {
		self.slots.get(index)?.node.as_ref()?.pid()
	}

	/// A connection to a node.
	pub async fn rpc(&self, index: usize) -> Result<NodeRpc> {
		NodeRpc::connect(&self.url(index)).await
	}

	/// The hash of block 0.
	pub async fn genesis(&self) -> Result<GenesisHash> {
		self.rpc(0).await?.genesis().await
	}

	/// Kills a node.
	pub async fn stop(&mut self, index: usize) -> Result<()> {
		self.mesh.moved(index, None, None);
		match self.slots.get_mut(index).and_then(|slot| slot.node.take()) {
			Some(node) => node.kill().await,
			None => Ok(()),
		}
	}

	/// Starts a stopped node again, on its folder and its RPC port.
	pub async fn restart(&mut self, index: usize) -> Result<()> {
		self.stop(index).await?;
		let node = self.launch(index).await?;
		self.place(index, node).await
	}

	/// Cuts every wire of a node and waits until it is alone. Needs [`Options::isolatable`].
	pub async fn cut_off(&self, index: usize) -> Result<()> {
		if !self.options.isolatable {
			return Err(Error::Broken("only an isolatable network can cut a node off".into()));
		}
		self.mesh.cut_off(index, true);
		self.wait_for_peers(index, |peers| peers == 0, "a node to be cut off").await
	}

	/// Mends the wires of a node and waits until it has met another.
	pub async fn reconnect(&self, index: usize) -> Result<()> {
		self.mesh.cut_off(index, false);
		self.wait_for_peers(index, |peers| peers > 0, "a node to be connected again").await
	}

	/// Waits until a node has finalized a block above `number`; returns the height it has finalized.
	pub async fn finalized_past(&self, index: usize, number: BlockNumber, limit: Duration) -> Result<BlockNumber> {
		let rpc = self.rpc(index).await?;
		let mut heads = rpc.finalized_heads().await?;
		let reached = async {
			while let Some(head) = heads.next().await {
				if let Ok(head) = head {
					if head.number > number {
						return Ok(head.number);
					}
				}
			}
			Err(Error::Broken(format!("{} ended its stream of finalized blocks", VALIDATORS[index])))
		};
		within(limit, format!("{} to finalize a block above {number}", VALIDATORS[index]), reached).await?
	}

	/// Stops the nodes and removes their folders: all went well. An error, if a node has panicked meanwhile.
	pub async fn finish(mut self) -> Result<()> {
		for index in 0..self.size() {
			self.stop(index).await?;
		}
		for slot in &self.slots {
			let log = slot.base.with_extension("log");
			let text = tokio::fs::read(&log).await.map_err(Error::io(format!("reading {}", log.display())))?;
			if memchr::memmem::find(&text, PANIC).is_some() {
				return Err(Error::Broken(format!("a node panicked; its log is {}", log.display())));
			}
		}
		self.failed = false;
		Ok(())
	}

	/// Starts the process of a node.
	async fn launch(&self, index: usize) -> Result<Node> {
		let (name, slot, key) = (VALIDATORS[index], &self.slots[index], &self.keys[index]);
		tokio::fs::create_dir_all(&slot.base).await.map_err(Error::io("making a node's folder"))?;
		let rpc_port = slot.rpc.map_or(0, |address| address.port());
		let mut arguments: Vec<String> =
			["--chain", &self.chain, &format!("--{name}"), "--base-path"].map(Into::into).into();
		arguments.push(slot.base.display().to_string());
		arguments.extend(["--listen-addr", "/ip4/127.0.0.1/tcp/0"].map(Into::into));
		arguments.extend(["--rpc-port".into(), rpc_port.to_string(), "--rpc-methods".into(), "unsafe".into()]);
		arguments.extend(["--node-key".into(), key.argument()]);
		arguments.extend(["--no-mdns", "--no-prometheus", "--no-telemetry"].map(Into::into));
		// As on any local chain, also where the specification says otherwise for the sake of the wires.
		arguments.extend(["--grandpa-gossip-ms", "100"].map(Into::into));
		if self.options.isolatable {
			arguments.push("--reserved-only".into());
		}
		arguments.extend(self.options.arguments.iter().cloned());
		arguments.push("--reserved-nodes".into());
		arguments.extend(self.mesh.addresses(index, &self.keys));
		let log = slot.base.with_extension("log");
		let node = Node::start(&self.program, name, &arguments, &log).await?;
		match slot.rpc {
			Some(before) if before != node.rpc() => {
				Err(Error::Broken(format!("{name} came back on {} instead of {before}", node.rpc())))
			}
			_ => Ok(node),
		}
	}

	/// Takes a started node in and opens the doors that lead to it.
	async fn place(&mut self, index: usize, node: Node) -> Result<()> {
		let rpc = NodeRpc::connect(&format!("ws://{}", node.rpc())).await?;
		let listens = until(CONNECTED, "a node to listen for others", || async {
			Ok(rpc.listen_addresses().await?.iter().find_map(|address| loopback(address)))
		});
		self.mesh.moved(index, Some(listens.await?), node.pid());
		let slot = &mut self.slots[index];
		slot.rpc = Some(node.rpc());
		slot.node = Some(node);
		Ok(())
	}

	async fn wait_for_peers(&self, index: usize, enough: impl Fn(usize) -> bool, what: &str) -> Result<()> {
		let rpc = self.rpc(index).await?;
		until(CONNECTED, what, || async { Ok(enough(rpc.peers().await?).then_some(())) }).await
	}
}

impl Drop for Network {
	fn drop(&mut self) {
		// The nodes first: they write into the folder.
		self.slots.clear();
		if self.failed {
			eprintln!("the nodes' folders and logs are kept in {}", self.folder.display());
		} else if let Err(error) = std::fs::remove_dir_all(&self.folder) {
			eprintln!("{} is left behind: {error}", self.folder.display());
		}
	}
}

/// The socket address of a multiaddress `/ip4/127.0.0.1/tcp/<port>...`.
fn loopback(multiaddress: &str) -> Option<SocketAddr> {
	let port = multiaddress.strip_prefix("/ip4/127.0.0.1/tcp/")?.split('/').next()?.parse().ok()?;
	Some(SocketAddr::from(([127, 0, 0, 1], port)))
}

/// The specification of the local chain, with the one change that its nodes do not tell each other their addresses:
/// for a chain of type `Live`, only addresses that the whole internet can reach are worth telling. So they meet
/// nowhere but at the doors. The genesis is the same.
async fn live_chain(program: &Path, folder: &Path) -> Result<String> {
	let path = folder.join("chain.json");
	let mut export = tokio::process::Command::new(program);
	export.args(["export-chain-spec", "--chain", "local", "--raw"]);
	let output = export.output().await.map_err(Error::io(format!("running {}", program.display())))?;
	let unreadable = |detail: String| Error::Broken(format!("the node exported no chain specification: {detail}"));
	if !output.status.success() {
		return Err(unreadable(String::from_utf8_lossy(&output.stderr).into_owned()));
	}
	let mut spec: serde_json::Value =
		serde_json::from_slice(&output.stdout).map_err(|error| unreadable(error.to_string()))?;
	spec["chainType"] = "Live".into();
	tokio::fs::write(&path, spec.to_string()).await.map_err(Error::io("writing the chain specification"))?;
	Ok(path.display().to_string())
}

#[cfg(test)]
mod tests {
	use super::*;

	#[test]
	fn reads_ports_of_multiaddresses() {
		let address = "/ip4/127.0.0.1/tcp/30333/p2p/12D3KooWEyoppNCUx8Yx66oV9fJnriXwCcXwDDUA2kj6vnc6iDEp";
		assert_eq!(loopback(address), Some(SocketAddr::from(([127, 0, 0, 1], 30333))));
		assert_eq!(loopback("/ip4/10.0.0.1/tcp/30333"), None);
		assert_eq!(loopback("/ip4/127.0.0.1/tcp/99999"), None);
	}
}

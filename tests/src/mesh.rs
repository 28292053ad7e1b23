//! The wires between the nodes: a [`Door`] in front of each, and a map of who is where.

use crate::{door::Door, peer::PeerKey, Result};
use std::net::SocketAddr;
use tokio::sync::watch;

/// What is known of each node.
pub type Map = Vec<Position>;

/// What is known of one node.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Position {
	/// Where it listens for others, while it runs.
	pub listens: Option<SocketAddr>,
	/// Its process, while it runs.
	pub pid: Option<u32>,
	/// Whether every wire from and to it is cut.
	pub cut_off: bool,
}

/// See the module.
#[derive(Debug)]
pub struct Mesh {
	map: watch::Sender<Map>,
	doors: Vec<Door>,
}

impl Mesh {
	/// The wires between `size` nodes, none of which runs yet.
	pub async fn new(size: usize) -> Result<Self> {
		let map = watch::Sender::new(vec![Position::default(); size]);
		let mut doors = Vec::new();
		for behind in 0..size {
			doors.push(Door::new(behind, map.subscribe()).await?);
		}
		Ok(Self { map, doors })
	}

	/// The multiaddresses under which node `from` reaches the others, given everybody's keys.
	pub fn addresses(&self, from: usize, keys: &[PeerKey]) -> Vec<String> {
		let others = self.doors.iter().zip(keys).enumerate().filter(|(to, _)| *to != from);
		let doors = others.map(|(_, (door, key))| (door.address(), key.id()));
		doors.map(|(at, id)| format!("/ip4/{}/tcp/{}/p2p/{id}", at.ip(), at.port())).collect()
	}

	/// Notes where a node runs and listens now, or that it does not.
	pub fn moved(&self, node: usize, listens: Option<SocketAddr>, pid: Option<u32>) {
		self.change(node, |position| (position.listens, position.pid) = (listens, pid));
	}

	/// Cuts, or mends, every wire from and to a node.
	pub fn cut_off(&self, node: usize, cut_off: bool) {
		self.change(node, |position| position.cut_off = cut_off);
	}

	fn change(&self, node: usize, change: impl FnOnce(&mut Position)) {
		self.map.send_modify(|map| {
			if let Some(position) = map.get_mut(node) {
				change(position);
			}
		});
	}
}

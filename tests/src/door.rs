//! A door: the address under which the others know a node.
//!
//! It listens on a port of its own from the start, so that nodes can be told about each other before they run, and
//! passes bytes on to wherever the node behind it listens at the moment. Who knocks is learned from the system: nodes
//! tell each other addresses, so a door is used by more than those who were told of it.

use crate::{
	mesh::{Map, Position},
	socket_owner::owner_of,
	Error, Result,
};
use std::{net::SocketAddr, time::Duration};
use tokio::{
	io::copy_bidirectional,
	net::{TcpListener, TcpStream},
	sync::watch,
	task::JoinHandle,
};

/// For how long a connection waits for a node that does not run yet.
const PATIENCE: Duration = Duration::from_secs(15);

/// See the module.
#[derive(Debug)]
pub struct Door {
	address: SocketAddr,
	keeper: JoinHandle<()>,
}

impl Door {
	/// The door of the node that is `behind` it on the map.
	pub async fn new(behind: usize, map: watch::Receiver<Map>) -> Result<Self> {
		let failed = || Error::io("listening on a port of the system's choice");
		let listener = TcpListener::bind(("127.0.0.1", 0)).await.map_err(failed())?;
		let address = listener.local_addr().map_err(failed())?;
		let keeper = tokio::spawn(async move {
			while let Ok((visitor, from)) = listener.accept().await {
				tokio::spawn(lead(visitor, from, behind, map.clone()));
			}
		});
		Ok(Self { address, keeper })
	}

	/// Where it listens.
	pub fn address(&self) -> SocketAddr {
		self.address
	}
}

impl Drop for Door {
	fn drop(&mut self) {
		self.keeper.abort();
	}
}

/// Carries one connection until either side ends it, the node behind the door moves, or the wire is cut.
async fn lead(mut visitor: TcpStream, from: SocketAddr, behind: usize, mut map: watch::Receiver<Map>) {
	let Some(target) = target(behind, &mut map).await else { return };
	if !is_open(&map.borrow_and_update(), from, behind, target) {
		return;
	}
	let Ok(mut host) = TcpStream::connect(target).await else { return };
	// Small messages that somebody waits for: no use in collecting them.
	drop((visitor.set_nodelay(true), host.set_nodelay(true)));
	let carrying = copy_bidirectional(&mut visitor, &mut host);
	tokio::pin!(carrying);
	loop {
		tokio::select! {
			_ = &mut carrying => return,
			changed = map.changed() => {
				if changed.is_err() || !is_open(&map.borrow_and_update(), from, behind, target) {
					return;
				}
			}
		}
	}
}

/// Where the node behind a door listens, as soon as it does.
async fn target(behind: usize, map: &mut watch::Receiver<Map>) -> Option<SocketAddr> {
	let listens = |map: &Map| map.get(behind).and_then(|position| position.listens);
	let known = map.wait_for(|map| listens(map).is_some());
	tokio::time::timeout(PATIENCE, known).await.ok()?.ok().and_then(|map| listens(&map))
}

/// Whether a connection from this socket may go on. While some node is cut off, every connection has to show that it
/// is none of that node's.
fn is_open(map: &Map, from: SocketAddr, behind: usize, target: SocketAddr) -> bool {
	let Some(host) = map.get(behind) else { return false };
	if host.listens != Some(target) || host.cut_off {
		return false;
	}
	if !map.iter().any(|position| position.cut_off) {
		return true;
	}
	let running: Vec<u32> = map.iter().filter_map(|position| position.pid).collect();
	let owner = owner_of(from, &running);
	let visitor = |position: &&Position| owner.is_some() && position.pid == owner;
	map.iter().find(visitor).is_some_and(|visitor| !visitor.cut_off)
}

#[cfg(test)]
mod tests {
	use super::*;
	use tokio::io::{AsyncReadExt, AsyncWriteExt};

	async fn echo() -> SocketAddr {
		let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
		let address = listener.local_addr().unwrap();
		tokio::spawn(async move {
			while let Ok((mut stream, _)) = listener.accept().await {
				tokio::spawn(async move {
					let (mut from, mut to) = stream.split();
					let _ = tokio::io::copy(&mut from, &mut to).await;
				});
			}
		});
		address
	}

	async fn ping(stream: &mut TcpStream) -> std::io::Result<[u8; 4]> {
		stream.write_all(b"ping").await?;
		let mut answer = [0; 4];
		stream.read_exact(&mut answer).await?;
		Ok(answer)
	}

	/// A map with this process as node 0, and a node 1 that does not run.
	fn two_nodes() -> watch::Sender<Map> {
		let here = Position { pid: Some(std::process::id()), ..Position::default() };
		watch::Sender::new(vec![here, Position::default()])
	}

	#[tokio::test]
	async fn holds_visitors_until_the_node_listens() {
		let map = two_nodes();
		let door = Door::new(1, map.subscribe()).await.unwrap();
		let mut early = TcpStream::connect(door.address()).await.unwrap();
		early.write_all(b"ping").await.unwrap();
		let listens = echo().await;
		map.send_modify(|map| map[1].listens = Some(listens));
		let mut answer = [0; 4];
		early.read_exact(&mut answer).await.unwrap();
		assert_eq!(&answer, b"ping");
	}

	#[tokio::test]
	async fn cutting_off_either_side_ends_old_and_new_connections() {
		let map = two_nodes();
		let listens = echo().await;
		map.send_modify(|map| map[1].listens = Some(listens));
		let door = Door::new(1, map.subscribe()).await.unwrap();
		for side in [0, 1] {
			let mut old = TcpStream::connect(door.address()).await.unwrap();
			assert_eq!(ping(&mut old).await.unwrap(), *b"ping");
			map.send_modify(|map| map[side].cut_off = true);
			assert_eq!(old.read(&mut [0; 1]).await.unwrap_or(0), 0);
			let mut new = TcpStream::connect(door.address()).await.unwrap();
			assert!(ping(&mut new).await.is_err(), "side {side}");
			map.send_modify(|map| map[side].cut_off = false);
			let mut mended = TcpStream::connect(door.address()).await.unwrap();
			assert_eq!(ping(&mut mended).await.unwrap(), *b"ping");
		}
	}

	#[tokio::test]
	async fn cutting_off_a_third_node_ends_nothing() {
		let map = two_nodes();
		let listens = echo().await;
		map.send_modify(|map| {
			map[1].listens = Some(listens);
			map.push(Position::default());
		});
		let door = Door::new(1, map.subscribe()).await.unwrap();
		let mut old = TcpStream::connect(door.address()).await.unwrap();
		assert_eq!(ping(&mut old).await.unwrap(), *b"ping");
		map.send_modify(|map| map[2].cut_off = true);
		assert_eq!(ping(&mut old).await.unwrap(), *b"ping");
		let mut new = TcpStream::connect(door.address()).await.unwrap();
		assert_eq!(ping(&mut new).await.unwrap(), *b"ping");
	}
}

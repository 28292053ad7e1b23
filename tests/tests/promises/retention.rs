//! Nodes that delete old blocks, and members that were away for longer than that.

use lockstep_tests::{
	deadline::until,
	members::{Place, ADVANCING, HEARING, JOINING},
	node::Node,
	programs,
	rpc::NodeRpc,
	Error, Member, Members, Network, Result,
};
use std::time::Duration;

/// For a block to be made, and to be followed by so many that its body goes.
const PRUNED: Duration = Duration::from_secs(90);
/// For a node to reach the end of the chain without its beginning.
const WARPED: Duration = Duration::from_secs(90);

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn members_come_back_and_join_after_old_blocks_are_gone() -> Result<()> {
	let folder = tempfile::tempdir().map_err(Error::io("making a folder"))?;
	let arguments = ["--dev", "--blocks-pruning", "8", "--rpc-port", "0", "--listen-addr", "/ip4/127.0.0.1/tcp/0"];
	let arguments: Vec<String> =
		arguments.iter().chain(&["--no-mdns", "--no-prometheus"]).map(|argument| (*argument).into()).collect();
	let node = Node::start(&programs::node()?, "pruning", &arguments, &folder.path().join("node.log")).await?;
	let url = format!("ws://{}", node.rpc());
	let place = |name: &str| Place { name: name.into(), folder: folder.path().join(name), nodes: vec![url.clone()] };

	let (anna, boris) = (Member::open(place("anna")).await?, Member::open(place("boris")).await?);
	let group = anna.found().await?;
	anna.add(group, vec![boris.key_package().await?]).await?;
	boris.joined(group, JOINING).await?;
	let boris = boris.close().await;
	let missed = anna.update(group).await?;
	anna.update(group).await?;

	let rpc = NodeRpc::connect(&url).await?;
	let position = anna.status(group).await?.log_length - 2;
	until(PRUNED, "a block to be pruned", || async {
		let entries = rpc.entries(&group, position, 1).await?;
		Ok(entries.first().is_some_and(|entry| entry.payload.is_none()).then_some(()))
	})
	.await?;

	let boris = Member::open(boris).await?;
	let chronicle = boris.until(group, ADVANCING, "is cut off", |seen| seen.desynchronized.is_some()).await?;
	assert!(!chronicle.epochs.contains_key(&missed.epoch), "nobody has the commit any more");
	boris.joined(group, JOINING).await?;
	boris.send(group, b"back again".to_vec()).await?;
	anna.heard(group, b"back again", "boris", HEARING).await?;
	assert_eq!(anna.status(group).await?.members.len(), 2);

	let chiara = Member::open(place("chiara")).await?;
	anna.add(group, vec![chiara.key_package().await?]).await?;
	chiara.joined(group, JOINING).await?;
	chiara.send(group, b"a long history".to_vec()).await?;
	for member in [&anna, &boris] {
		member.heard(group, b"a long history", "chiara", HEARING).await?;
	}
	for member in [anna, boris, chiara] {
		member.close().await;
	}
	node.kill().await
}

/// By `--sync warp` a node has the newest state, and not the entries before. It says so instead of leaving them out, which
/// would be a lie; a client that needs them goes on to another node.
pub async fn a_node_that_started_in_the_middle_is_no_liar(network: &Network) -> Result<()> {
	let members = Members::open(network, &["anna", "boris"]).await?;
	let [anna, boris] = [&members[0], &members[1]];
	let group = members.found().await?;
	let zoe = members.invite(group, "zoe", network.url(2)).await?;
	let mut place = zoe.close().await;
	for member in [anna, boris, anna] {
		member.update(group).await?;
	}
	boris.send(group, b"before it was there".to_vec()).await?;
	let agreement = members.agree(group, &[0, 1], ADVANCING).await?;

	let folder = tempfile::tempdir().map_err(Error::io("making a folder"))?;
	let base = folder.path().display().to_string();
	let mut arguments = vec!["--chain", "local", "--sync", "warp", "--base-path", &base, "--rpc-port", "0"];
	arguments.extend(["--listen-addr", "/ip4/127.0.0.1/tcp/0", "--no-mdns", "--no-prometheus", "--bootnodes"]);
	let mut arguments: Vec<String> = arguments.into_iter().map(str::to_owned).collect();
	for index in 0..network.size() {
		arguments.extend(network.rpc(index).await?.listen_addresses().await?.into_iter().take(1));
	}
	let node = Node::start(&programs::node()?, "warped", &arguments, &folder.path().join("node.log")).await?;
	let url = format!("ws://{}", node.rpc());
	let rpc = NodeRpc::connect(&url).await?;
	let block = network.rpc(0).await?.finalized().await?;
	until(WARPED, "a node to warp", || async { Ok((rpc.finalized().await? >= block).then_some(())) }).await?;
	assert!(rpc.entries(&group, 0, 1).await.map_or(true, |entries| entries.is_empty()), "it has the beginning");

	place.nodes.insert(0, url);
	let zoe = Member::open(place).await?;
	zoe.reached(group, agreement.epoch, ADVANCING).await?;
	zoe.heard(group, b"before it was there", "boris", HEARING).await?;
	assert_eq!(zoe.status(group).await?.epoch_authenticator, agreement.authenticator);
	assert_eq!(zoe.lies().await?, 0, "it was taken for a liar");
	zoe.close().await;
	members.close().await;
	node.kill().await
}

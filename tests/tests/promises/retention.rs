//! Nodes that delete old blocks, and members that were away for longer than that.

use lockstep_tests::{
	deadline::until,
	members::{Place, ADVANCING, HEARING, JOINING},
	node::Node,
	programs,
	rpc::NodeRpc,
	Error, Member, Result,
};
use std::time::Duration;

/// For a block to be made, and to be followed by so many that its body goes.
const PRUNED: Duration = Duration::from_secs(90);

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

//! Bytes from outside that are wrong: a typed error, and nothing else happens.

use jsonrpsee::core::ClientError;
use lockstep_primitives::{
	rpc::{MAX_ENTRIES, MAX_GROUPS},
	GenesisHash, GroupId,
};
use lockstep_tests::attack;
use lockstep_tests::{
	members::{Place, ADVANCING},
	node::Node,
	programs,
	rpc::NodeRpc,
	Error, Member, Members, Network, Result,
};
use serde_json::{json, Value};

/// A request has to be refused by the node, in JSON-RPC's words.
async fn is_refused(rpc: &NodeRpc, method: &str, params: Vec<Value>) -> Result<()> {
	let shown: String = format!("{method} {params:?}").chars().take(120).collect();
	match rpc.request::<Value>(method, params).await {
		Err(Error::Rpc(ClientError::Call(error))) => {
			assert!(!error.message().is_empty(), "{shown}: an error without words");
			Ok(())
		}
		other => panic!("{shown}: {other:?} in place of an error"),
	}
}

/// A statement has to be turned down, by an error or by the store's own answer.
async fn is_no_statement(rpc: &NodeRpc, bytes: Vec<u8>) -> Result<()> {
	match rpc.submit_statement(bytes.clone()).await {
		Err(Error::Rpc(ClientError::Call(_))) => Ok(()),
		Ok(answer) => {
			let status = answer.get("status").and_then(Value::as_str).unwrap_or_default().to_string();
			assert!(["invalid", "rejected", "knownExpired"].contains(&status.as_str()), "{bytes:02x?}: {answer}");
			Ok(())
		}
		Err(error) => Err(error),
	}
}

pub async fn nodes_refuse_it_and_go_on(network: &Network) -> Result<()> {
	let members = Members::open(network, &["anna", "boris"]).await?;
	let group = members.found().await?;
	let rpc = network.rpc(0).await?;
	let before = rpc.group(&group).await?.state;
	let unknown = GroupId([0xee; 32]);

	for extrinsic in ["", "0x", "0x00", "0xzz", "0x1", "0xffffffff", &format!("0x{}", "ff".repeat(300_000))] {
		is_refused(&rpc, "ordering_submit", vec![json!(extrinsic)]).await?;
	}
	for params in [vec![], vec![json!(7)], vec![json!(null)], vec![json!({})], vec![json!([1, 2, 3])]] {
		is_refused(&rpc, "ordering_submit", params.clone()).await?;
		is_refused(&rpc, "ordering_group", params).await?;
	}
	is_refused(&rpc, "ordering_group", vec![json!("0x1234")]).await?;
	is_refused(&rpc, "ordering_entries", vec![json!(group), json!(0), json!(MAX_ENTRIES + 1)]).await?;
	is_refused(&rpc, "ordering_entries", vec![json!(group), json!(-1), json!(1)]).await?;
	is_refused(&rpc, "ordering_entries", vec![json!(group), json!(0), json!(u64::MAX)]).await?;
	let too_many = vec![json!({ "group": unknown, "from": 0 }); MAX_GROUPS + 1];
	is_refused(&rpc, "ordering_subscribeEntries", vec![json!(too_many)]).await?;
	is_refused(&rpc, "ordering_subscribeEntries", vec![json!("all of them")]).await?;
	// Nothing is wrong with these but that nothing is there.
	assert!(rpc.group(&unknown).await?.state.is_none());
	let far = rpc.entries(&group, u64::MAX, 1).await;
	assert!(far.as_ref().map_or(true, Vec::is_empty), "{far:?}");

	for statement in [vec![], vec![0], vec![0xff; 64], vec![0x04, 0xff], vec![0x11; 2 << 20]] {
		is_no_statement(&rpc, statement).await?;
	}

	// A good entry, cut at every length and with every byte of its head flipped.
	let good = attack::commit(&members[0], group).await?.to_extrinsic();
	for length in (0..good.len()).step_by(7) {
		is_refused(&rpc, "ordering_submit", vec![json!(format!("0x{}", hex::encode(&good[..length])))]).await?;
	}
	for at in 0..200.min(good.len()) {
		let mut bad = good.clone();
		bad[at] ^= 0x55;
		is_refused(&rpc, "ordering_submit", vec![json!(format!("0x{}", hex::encode(bad)))]).await?;
	}

	assert_eq!(rpc.group(&group).await?.state, before, "something changed");
	let committed = members[1].update(group).await?;
	members.agree_at(group, &[0, 1], committed.epoch, ADVANCING).await?;
	members.everybody_hears_everybody(group, &[0, 1], "after all that").await?;
	members.close().await;
	Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn clients_refuse_nodes_of_another_chain() -> Result<()> {
	let folder = tempfile::tempdir().map_err(Error::io("making a folder"))?;
	let start = |name: &'static str, chain: [&'static str; 2]| {
		let base = folder.path().join(name);
		let log = folder.path().join(format!("{name}.log"));
		async move {
			let mut arguments: Vec<String> = chain.map(Into::into).into();
			arguments.extend(["--base-path".into(), base.display().to_string()]);
			arguments.extend(["--listen-addr", "/ip4/127.0.0.1/tcp/0", "--rpc-port", "0"].map(Into::into));
			arguments.extend(["--no-mdns", "--no-prometheus", "--no-telemetry"].map(Into::into));
			Node::start(&programs::node()?, name, &arguments, &log).await
		}
	};
	let (here, elsewhere) =
		futures::future::try_join(start("here", ["--chain", "dev"]), start("elsewhere", ["--chain", "local"])).await?;
	let url = |node: &Node| format!("ws://{}", node.rpc());
	let place =
		|node: &Node| Place { name: "anna".into(), folder: folder.path().join("store"), nodes: vec![url(node)] };

	let genesis = NodeRpc::connect(&url(&here)).await?.genesis().await?;
	let other = GenesisHash([0x77; 32]);
	let refused = Member::open_expecting(place(&here), Some(other)).await;
	assert!(refused.is_err_and(|error| error.to_string().contains("of the chain")), "it expected another genesis");
	Member::open_expecting(place(&here), Some(genesis)).await?.close().await;
	// The store remembers the chain.
	let refused = Member::open_expecting(place(&elsewhere), None).await;
	assert!(refused.is_err_and(|error| error.to_string().contains("of the chain")), "its store is of another chain");
	Member::open_expecting(place(&here), None).await?.close().await;
	here.kill().await?;
	elsewhere.kill().await
}

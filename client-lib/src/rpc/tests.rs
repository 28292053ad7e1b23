//! Against a server that answers what the test wants.

use super::*;
use jsonrpsee::{server::Server, types::ErrorObjectOwned, RpcModule};
use lockstep_primitives::{GenesisHash, OrderingParameters, Refusal};
use std::{
	net::{SocketAddr, TcpListener},
	time::Duration,
};

const GENESIS: GenesisHash = GenesisHash([1; 32]);

fn parameters() -> OrderingParameters {
	OrderingParameters {
		max_payload: 65536,
		candidate_interval: 20,
		contest_window: 86400,
		retention: 2_592_000,
		entry_budget: (1, 1),
		byte_budget: (1, 1),
	}
}

fn module(genesis: GenesisHash, transaction_version: u32) -> RpcModule<()> {
	let mut module = RpcModule::new(());
	module.register_method("chain_getBlockHash", move |_, _, _| serde_json::json!(genesis)).unwrap();
	module
		.register_method(
			"state_getRuntimeVersion",
			move |_, _, _| serde_json::json!({ "specVersion": 7, "transactionVersion": transaction_version }),
		)
		.unwrap();
	module.register_method("ordering_parameters", |_, _, _| serde_json::json!(parameters())).unwrap();
	module
}

async fn serve(module: RpcModule<()>) -> (String, jsonrpsee::server::ServerHandle) {
	let server = Server::builder().build(SocketAddr::from(([127, 0, 0, 1], 0))).await.unwrap();
	let url = format!("ws://{}", server.local_addr().unwrap());
	(url, server.start(module))
}

#[tokio::test]
async fn a_node_of_another_chain_is_refused() {
	let (url, _server) = serve(module(GENESIS, 1)).await;
	assert_eq!(Node::connect(&url, Some(GENESIS)).await.unwrap().chain().spec_version, 7);
	let other = GenesisHash([2; 32]);
	let error = Node::connect(&url, Some(other)).await.unwrap_err();
	assert_eq!(error, RpcError::WrongChain { url, expected: other, found: GENESIS });
}

#[tokio::test]
async fn a_chain_with_other_extrinsics_is_refused() {
	let (url, _server) = serve(module(GENESIS, 2)).await;
	let error = Node::connect(&url, None).await.unwrap_err();
	assert_eq!(error, RpcError::TransactionVersion { known: 1, found: 2 });
}

#[tokio::test]
async fn the_chain_of_the_first_node_binds_the_rest() {
	let (first, server) = serve(module(GENESIS, 1)).await;
	let (second, _server) = serve(module(GenesisHash([2; 32]), 1)).await;
	let nodes = Nodes::new(vec![first, second.clone()], None).unwrap();
	let node = nodes.current().await.unwrap();
	assert_eq!(node.chain().genesis, GENESIS);
	server.stop().unwrap();
	server.stopped().await;
	nodes.give_up(&node).await;
	assert!(matches!(nodes.current().await, Err(RpcError::WrongChain { url, .. }) if url == second));
}

#[tokio::test]
async fn the_next_node_is_asked_when_one_does_not_answer() {
	let (good, _server) = serve(module(GENESIS, 1)).await;
	// Port 1 is reserved and closed.
	let nodes = Nodes::new(vec!["ws://127.0.0.1:1".into(), good.clone()], None).unwrap();
	assert_eq!(nodes.current().await.unwrap().url(), good);
	assert_eq!(Nodes::new(Vec::new(), None).unwrap_err(), RpcError::NoNodes);
}

/// Its connections are accepted, and that is all.
#[tokio::test]
async fn the_next_node_is_asked_when_one_never_answers_the_handshake() {
	let silent = TcpListener::bind(SocketAddr::from(([127, 0, 0, 1], 0))).unwrap();
	let url = format!("ws://{}", silent.local_addr().unwrap());
	let (good, _server) = serve(module(GENESIS, 1)).await;
	let nodes = Nodes::new(vec![url, good.clone()], None).unwrap();
	let node = tokio::time::timeout(Duration::from_secs(60), nodes.current()).await.unwrap();
	assert_eq!(node.unwrap().url(), good);
}

#[tokio::test]
async fn refusals_keep_their_names() {
	let mut module = module(GENESIS, 1);
	module
		.register_method("ordering_submit", |parameters, _, _| -> Result<String, ErrorObjectOwned> {
			let (bytes,): (String,) = parameters.parse()?;
			match bytes.as_str() {
				"0x00" => Ok("0xhash".into()),
				"0x01" => Err(ErrorObjectOwned::owned(9001, "superseded", Some("superseded"))),
				"0x02" => Err(ErrorObjectOwned::owned(9001, "of a newer node", Some("unheard_of"))),
				"0x03" => Err(ErrorObjectOwned::owned(9002, "already imported", None::<()>)),
				_ => Err(ErrorObjectOwned::owned(-32602, "invalid", None::<()>)),
			}
		})
		.unwrap();
	let (url, _server) = serve(module).await;
	let node = Node::connect(&url, None).await.unwrap();
	assert_eq!(node.submit(vec![0]).await, Ok(()));
	assert_eq!(node.submit(vec![1]).await, Err(SubmitError::Refused(Refusal::Superseded)));
	assert!(matches!(node.submit(vec![2]).await, Err(SubmitError::Pool(_))));
	assert!(matches!(node.submit(vec![3]).await, Err(SubmitError::Pool(_))));
	let error = node.submit(vec![4]).await;
	assert!(matches!(error, Err(SubmitError::Unanswered(RpcError::Refused { code: -32602, .. }))), "{error:?}");
}

#[tokio::test]
async fn answers_of_the_statement_store_are_told_apart() {
	let mut module = module(GENESIS, 1);
	module
		.register_method("statement_submit", |parameters, _, _| -> Result<serde_json::Value, ErrorObjectOwned> {
			let (bytes,): (String,) = parameters.parse()?;
			Ok(match bytes.as_str() {
				"0x00" => serde_json::json!({ "status": "new" }),
				"0x01" => serde_json::json!({ "status": "known" }),
				"0x02" => serde_json::json!({ "status": "knownExpired" }),
				"0x03" => serde_json::json!({
					"status": "rejected", "reason": "accountFull", "submitted_expiry": 1, "min_expiry": 2 }),
				"0x04" => serde_json::json!({ "status": "rejected", "reason": "noAllowance" }),
				"0x05" => serde_json::json!({ "status": "invalid", "reason": "badProof" }),
				"0x06" => serde_json::json!({ "status": "internalError", "Db": "gone" }),
				"0x07" => serde_json::json!({
					"status": "rejected", "reason": "dataTooLarge", "submitted_size": 5, "available_size": 4 }),
				_ => serde_json::json!([1, 2]),
			})
		})
		.unwrap();
	let (url, _server) = serve(module).await;
	let node = Node::connect(&url, None).await.unwrap();
	let mut outcomes = Vec::new();
	for first in 0..8 {
		outcomes.push(node.submit_statement(vec![first]).await.unwrap());
	}
	use StatementOutcome::*;
	let later = |text: &str| Later(text.to_owned());
	assert_eq!(
		outcomes,
		[
			Stored,
			Stored,
			Expired,
			Full { min_expiry: 2 },
			later("rejected noAllowance"),
			Invalid("badProof".into()),
			later("internalError"),
			Full { min_expiry: 0 },
		]
	);
	assert!(matches!(node.submit_statement(vec![8]).await, Err(RpcError::Undecodable { .. })));
}

//! Which stores and nodes a client accepts.

use crate::{
	chain::Chain,
	member::{config, found, Member},
	node::Node,
	World,
};
use lockstep_client::{rpc::RpcError, Checkpoint, Client, Config, GroupState, OpenError, StoreError, StoreKey};
use lockstep_verifier::testing::Validators;

#[tokio::test(flavor = "multi_thread")]
async fn a_node_of_another_chain_is_refused_by_its_genesis() {
	let world = World::new().await;
	let mut members = world.members(&["anna"]).await;
	let group = found(&mut members).await;
	members[0].client.close().await;

	let other = Chain::new(2);
	let elsewhere = Node::start(&other).await;
	let mut config = members[0].config.clone();
	config.nodes = vec![elsewhere.url.clone()];
	let error = Client::open(config.clone()).await.unwrap_err();
	assert_eq!(
		error,
		OpenError::Node(RpcError::WrongChain {
			url: elsewhere.url.clone(),
			expected: world.chain.genesis,
			found: other.genesis,
		})
	);
	config.genesis = Some(other.genesis);
	let error = Client::open(config).await.unwrap_err();
	assert_eq!(error, OpenError::OtherChain { stored: world.chain.genesis, asked: other.genesis });

	// A new client that was told which chain to expect.
	let mut fresh = crate::config("bert", &elsewhere.url, world.folder.path());
	fresh.genesis = Some(world.chain.genesis);
	assert!(matches!(Client::open(fresh).await, Err(OpenError::Node(RpcError::WrongChain { .. }))));

	// One node of the right chain among the others is enough.
	let mut config = members[0].config.clone();
	config.nodes = vec![elsewhere.url.clone(), world.node.url.clone()];
	let client = Client::open(config).await.unwrap();
	assert_eq!(client.group(group).await.unwrap().state, GroupState::Active);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_checkpoint_names_the_chain_and_is_not_passed_over() {
	let world = World::new().await;
	let checkpoint = |genesis| Checkpoint {
		genesis,
		number: 1,
		hash: world.chain.state().at().hash,
		state_root: None,
		set: Validators::new(0, 4).set(),
	};
	let elsewhere = Chain::new(2).genesis;
	let mut config = config("anna", &world.node.url, world.folder.path());
	config.checkpoint = Some(checkpoint(elsewhere));
	let error = Client::open(config.clone()).await.unwrap_err();
	assert!(
		matches!(error, OpenError::Node(RpcError::WrongChain { expected, .. }) if expected == elsewhere),
		"{error}"
	);
	config.genesis = Some(world.chain.genesis);
	let error = Client::open(config.clone()).await.unwrap_err();
	assert_eq!(error, OpenError::OtherCheckpoint { checkpoint: elsewhere, genesis: world.chain.genesis });

	// Of the very block that the node has, and without its state: the node is not taken for a liar.
	config.checkpoint = Some(checkpoint(world.chain.genesis));
	let member = Member::open(config).await.unwrap();
	let group = member.client.create_group().await.unwrap();
	member.when(group, |status| status.state == GroupState::Active).await;
	assert_eq!(member.client.evidence().await.unwrap(), Vec::new());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_store_belongs_to_one_identity_and_one_client() {
	let world = World::new().await;
	let members = world.members(&["anna"]).await;
	let again = Client::open(members[0].config.clone()).await.unwrap_err();
	assert!(matches!(again, OpenError::Store(StoreError::InUse { .. })), "{again}");
	members[0].client.close().await;
	let mut other = members[0].config.clone();
	other.key = StoreKey::passphrase("not this one");
	assert_eq!(Client::open(other).await.unwrap_err(), OpenError::Store(StoreError::WrongKey));
	let mut other = members[0].config.clone();
	other.identity = b"eve".to_vec();
	assert_eq!(Client::open(other).await.unwrap_err(), OpenError::OtherIdentity);
	let mut other = members[0].config.clone();
	other.signer[31] ^= 1;
	assert_eq!(Client::open(other).await.unwrap_err(), OpenError::OtherIdentity);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_known_store_opens_without_a_node_and_a_new_one_does_not() {
	let world = World::new().await;
	let mut members = world.members(&["anna"]).await;
	let group = found(&mut members).await;
	members[0].client.close().await;
	let World { node, folder, .. } = world;
	let url = node.url.clone();
	node.stop().await;
	let fresh = Client::open(config("bert", &url, folder.path())).await;
	assert!(matches!(fresh, Err(OpenError::Node(RpcError::Unreachable { .. }))));
	let anna = Member::open(members[0].config.clone()).await.unwrap();
	assert_eq!(anna.client.group(group).await.unwrap().epoch, 0);
	assert_eq!(
		Client::open(Config { nodes: Vec::new(), ..config("cora", &url, folder.path()) }).await.unwrap_err(),
		OpenError::Node(RpcError::NoNodes)
	);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_closed_client_says_so() {
	let world = World::new().await;
	let mut members = world.members(&["anna"]).await;
	let group = found(&mut members).await;
	let anna = members.pop().unwrap();
	anna.client.close().await;
	anna.client.close().await;
	assert!(anna.client.update(group).await.is_err());
	assert!(anna.client.key_package().await.is_err());
	assert!(anna.client.groups().await.is_empty());
}

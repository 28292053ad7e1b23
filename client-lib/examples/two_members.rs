//! Two members on a development chain: one creates a group and adds the other, and both move through its epochs.
//!
//! Start a node with `lockstep-node --dev`, then run this. Another node's URL can be given as the first argument.

use futures::StreamExt;
use lockstep_client::{Client, Config, Event, Sponsor, StoreKey, Upkeep};

/// An application asks for it, and does not write it down.
const PASSPHRASE: &str = "an example's passphrase";

type Result<T> = std::result::Result<T, Box<dyn std::error::Error>>;

async fn member(name: &str, node: &str, folder: &std::path::Path) -> Result<Client> {
	let config = Config {
		path: folder.join(name),
		key: StoreKey::passphrase(PASSPHRASE),
		nodes: vec![node.to_owned()],
		identity: name.as_bytes().to_vec(),
		signer: rand::random(),
		// Alice is an account that development chains endow. She pays for the group.
		sponsor: Some(Sponsor::alice()),
		genesis: None,
		checkpoint: None,
		upkeep: Upkeep::default(),
	};
	Ok(Client::open(config).await?)
}

#[tokio::main]
async fn main() -> Result<()> {
	let node = std::env::args().nth(1).unwrap_or_else(|| "ws://127.0.0.1:9944".to_owned());
	let folder = tempfile::tempdir()?;
	let anna = member("anna", &node, folder.path()).await?;
	let bert = member("bert", &node, folder.path()).await?;
	let mut events = bert.events();

	// Each of these returns when its entry is final.
	let group = anna.create_group().await?;
	println!("group {group} is in the log");
	let added = anna.add(group, vec![bert.key_package().await?]).await?;
	println!("epoch {}: bert was added in block {}", added.epoch, added.block);
	let updated = anna.update(group).await?;
	println!("epoch {}: anna renewed her keys in block {}", updated.epoch, updated.block);
	anna.send(group, b"hello bert".to_vec()).await?;

	while let Some(event) = events.next().await {
		match event {
			Event::Joined { epoch, .. } => println!("bert joined in epoch {epoch}"),
			Event::EpochAdvanced { epoch, entry, .. } => println!("bert is in epoch {epoch}, opened by entry {entry}"),
			Event::Message { data, .. } => {
				println!("bert reads: {}", String::from_utf8_lossy(&data));
				break;
			}
			_ => {}
		}
	}
	let (ours, theirs) = (anna.group(group).await?, bert.group(group).await?);
	assert_eq!(ours.epoch_authenticator, theirs.epoch_authenticator, "both are in the same epoch");
	anna.close().await;
	bert.close().await;
	Ok(())
}

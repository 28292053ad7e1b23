//! Prints what a member reports. Makes a KeyPackage first, in hexadecimal digits, for somebody to add it with.
//!
//! `cargo run --example follow -- <folder> <name> [<node URL>]`

use futures::StreamExt;
use lockstep_client::{Client, Config, StoreKey, Upkeep};

/// An application asks for it, and does not write it down.
const PASSPHRASE: &str = "an example's passphrase";

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
	let mut arguments = std::env::args().skip(1);
	let (Some(folder), Some(name)) = (arguments.next(), arguments.next()) else {
		return Err("name the folder of the store and the member".into());
	};
	let node = arguments.next().unwrap_or_else(|| "ws://127.0.0.1:9944".to_owned());
	tracing_subscriber::fmt().with_env_filter(tracing_subscriber::EnvFilter::from_default_env()).init();

	// An example: whoever knows the name knows the key. An application keeps a random seed with its secrets.
	let mut signer = [0; 32];
	signer.iter_mut().zip(name.bytes()).for_each(|(to, from)| *to = from);
	let config = Config {
		path: folder.into(),
		key: StoreKey::passphrase(PASSPHRASE),
		nodes: vec![node],
		identity: name.into_bytes(),
		signer,
		sponsor: None,
		genesis: None,
		checkpoint: None,
		upkeep: Upkeep::default(),
	};
	let client = Client::open(config).await?;
	let mut events = client.events();
	for group in client.groups().await {
		println!("{:?}", client.group(group).await?);
	}
	println!("KeyPackage {}", hex::encode(client.key_package().await?));
	loop {
		tokio::select! {
			event = events.next() => match event {
				Some(event) => println!("{event:?}"),
				None => return Ok(()),
			},
			_ = tokio::signal::ctrl_c() => {
				client.close().await;
				return Ok(());
			}
		}
	}
}

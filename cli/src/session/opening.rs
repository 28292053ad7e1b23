//! Opening a client, and reaching a node.

use crate::{
	failure::{Failure, Kind},
	output::Out,
	profile::Profile,
};
use lockstep_client::{change_signer, directory::IdentityKey, rpc::Node, Client, Config, OpenError, SignerSeed};
use std::time::{Duration, Instant};

/// How long a store that is in use is waited for, and how often it is tried.
const BUSY: Duration = Duration::from_secs(6);
const RETRY: Duration = Duration::from_millis(100);

/// Opens a client. A store that is in use may be free in a moment: most commands are short.
pub async fn open_patiently(config: Config, is_person: bool, reach: Duration) -> Result<Client, Failure> {
	let started = Instant::now();
	loop {
		let opened = open(&config, is_person).await.map_err(Failure::from);
		let patience = match opened.as_ref().map_err(|failure| failure.kind) {
			Err(Kind::InUse) => BUSY,
			Err(Kind::Unreachable) => reach,
			_ => return opened,
		};
		if started.elapsed() >= patience {
			return opened;
		}
		tokio::time::sleep(RETRY).await;
	}
}

/// Opens a client. That of a person goes over to the key that the device has by now.
async fn open(config: &Config, is_person: bool) -> Result<Client, OpenError> {
	match Client::open(config.clone()).await {
		Err(OpenError::OtherIdentity) if is_person => {
			change_signer(&config.path, &config.key, &config.identity, &config.signer)?;
			Client::open(config.clone()).await
		}
		opened => opened,
	}
}

/// The key that a client is opened with.
pub fn signer_of(config: &Config) -> IdentityKey {
	let public = <[u8; 32]>::try_from(SignerSeed::new(config.signer).public());
	IdentityKey(public.unwrap_or_default())
}

/// The first node of a profile that can be used; one that starts gets the time for it.
pub async fn connect(profile: &Profile, reach: Duration) -> Result<Node, Failure> {
	let started = Instant::now();
	loop {
		let connected = connect_once(profile).await;
		let unreachable = connected.as_ref().is_err_and(|failure| failure.kind == Kind::Unreachable);
		if !unreachable || started.elapsed() >= reach {
			return connected;
		}
		tokio::time::sleep(RETRY).await;
	}
}

async fn connect_once(profile: &Profile) -> Result<Node, Failure> {
	let mut failure = Failure::new(Kind::Unreachable, "the profile names no node")
		.advise(format!("{} identity nodes ws://HOST:PORT", profile.command()));
	for url in &profile.facts().nodes {
		match Node::connect(url, profile.facts().genesis).await {
			Ok(node) => return Ok(node),
			// That a node is of another chain is what has to be heard of first.
			Err(error) if failure.kind != Kind::WrongChain => failure = error.into(),
			Err(_) => {}
		}
	}
	Err(failure)
}

/// Believes the first node about which chain it is of, once.
pub async fn pin(profile: &mut Profile, reach: Duration, out: &Out) -> Result<(), Failure> {
	let node = out.wait("connecting to a node", connect(profile, reach)).await?;
	let genesis = node.chain().genesis;
	out.note(format!(
		"lockstep: {} says that its chain is {genesis}; from now on only that one is accepted",
		node.url()
	));
	profile.change(|facts| facts.genesis = Some(genesis))
}

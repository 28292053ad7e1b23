//! P2 over changes of the validators: members follow them, and so does who was away, and who is new.

use crate::lies::{caught, justification, SET};
use lockstep_primitives::rpc::{Justified, Links};
use lockstep_tests::{
	deadline::until,
	governance::set_validators,
	liar::{Liar, Lies},
	members::{Place, ADVANCING},
	rpc::NodeRpc,
	Member, Members, Network, Result,
};
use lockstep_verifier::Header;
use serde_json::json;
use std::time::Duration;

/// For a change to come into force, and to be final.
const CHANGED: Duration = Duration::from_secs(90);

/// The sets, one after the other. Whoever is left out keeps running.
const SETS: [&[&str]; 3] =
	[&["Alice", "Bob", "Charlie"], &["Dave", "Bob", "Alice"], &["Alice", "Bob", "Charlie", "Dave"]];

/// How many times the authorities have changed, as far as that is final.
async fn changes(rpc: &NodeRpc) -> Result<usize> {
	let Links { links, .. } = rpc.request("finality_links", vec![json!(0)]).await?;
	Ok(links.iter().filter(|link| hands_over(link)).count())
}

/// Whether it is the last block of a set.
fn hands_over(link: &Justified) -> bool {
	Header::decode(&link.header.0).is_ok_and(|header| header.change.is_some())
}

/// Lies about who finalizes blocks, by those who know the keys of every set that ever was.
fn lies() -> Vec<(&'static str, Lies)> {
	let withheld = Lies {
		links: Some(Box::new(|links| {
			links.links.retain(|link| !hands_over(link));
			true
		})),
		..Lies::default()
	};
	vec![
		("the votes of a set that has handed over", justification(|first, header| first.with_id(SET).justify(header))),
		("a change of the set withheld", withheld),
	]
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn three_changes_of_the_authorities_lose_nobody() -> Result<()> {
	let network = Network::start().await?;
	let rpc = network.rpc(0).await?;
	let members = Members::open(&network, &["anna", "boris"]).await?;
	let group = members.found().await?;
	let place = members.invite(group, "vera", network.url(1)).await?.close().await;

	for (number, set) in SETS.into_iter().enumerate() {
		set_validators(&rpc, set).await?;
		let changed = until(CHANGED, format!("change {number} of the validators"), || async {
			Ok((changes(&rpc).await? > number).then_some(()))
		});
		// Members commit all the while.
		let committing = async {
			for member in members.iter() {
				member.update(group).await?;
			}
			Ok(())
		};
		futures::try_join!(changed, committing)?;
		members[1].update(group).await?;
	}
	let agreement = members.agree(group, &[0, 1], ADVANCING).await?;

	// Who was away is lied to about the sets.
	let liar = Liar::start(&network.url(1)).await?;
	for (before, (name, lies)) in lies().into_iter().enumerate() {
		liar.tell(lies);
		let vera = Member::open(Place { nodes: vec![liar.url.clone()], ..place.clone() }).await?;
		let epoch = vera.status(group).await?.epoch;
		let new = caught(&vera, before, name).await?;
		assert!(new.len() == 1 && new[0].contains("what it calls final is not"), "{name}: {new:?}");
		assert_eq!(vera.status(group).await?.epoch, epoch, "{name}: an epoch was moved");
		vera.close().await;
	}
	// From its stored position, which is of the first set.
	let vera = Member::open(Place { nodes: vec![network.url(2)], ..place }).await?;
	vera.reached(group, agreement.epoch, ADVANCING).await?;
	assert_eq!(vera.status(group).await?.epoch_authenticator, agreement.authenticator);
	// From the genesis.
	let genesis = rpc.genesis().await?;
	let place = Place { name: "zoe".into(), folder: members.folder().join("zoe"), nodes: vec![network.url(3)] };
	let zoe = Member::open_expecting(place, Some(genesis)).await?;
	members[0].add(group, vec![zoe.key_package().await?]).await?;
	zoe.joined(group, ADVANCING).await?;
	zoe.update(group).await?;
	members.one_history(group)?;
	for member in [vera, zoe] {
		member.close().await;
	}
	members.close().await;
	network.finish().await
}

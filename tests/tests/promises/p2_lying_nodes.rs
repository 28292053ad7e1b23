//! P2: a lying node moves nobody, is caught, and does not keep a client from one that tells the truth.

use crate::lies::{blocks, caught, entries, evidence, justification, state, validators, CAUGHT, SET};
use futures::future::try_join_all;
use lockstep_primitives::{rpc::HexBytes, GroupId};
use lockstep_tests::{
	liar::{Change, Liar, Lies},
	members::{Place, ADVANCING},
	scenes,
	scenes::play,
	Error, Member, Members, Network, Result,
};
use lockstep_verifier::testing::Validators;

/// A header that no chain has: the real one, but for its seal.
fn forked(header: &mut HexBytes) {
	if let Some(last) = header.0.last_mut() {
		*last ^= 1;
	}
}

/// Every lie, and what a client says of it.
fn lies() -> Vec<(&'static str, Lies, &'static str)> {
	let genesis: Change<_> = Box::new(|genesis: &mut lockstep_primitives::rpc::GenesisProof| {
		genesis.authorities.iter_mut().for_each(|node| node.0.iter_mut().for_each(|byte| *byte ^= 1));
		true
	});
	let mut kept: Option<(Vec<GroupId>, Vec<HexBytes>)> = None;
	vec![
		("the genesis authorities are others", Lies { genesis: Some(genesis), ..Lies::default() }, "genesis"),
		(
			"a justification by strangers",
			justification(|_, header| Validators::new(7, 4).with_id(SET).justify(header)),
			"final",
		),
		(
			"a justification for another set",
			justification(|validators, header| validators.with_id(SET + 1).justify(header)),
			"final",
		),
		(
			"fewer than two thirds",
			justification(|validators, header| validators.justification_by([0, 1], header).encode()),
			"final",
		),
		(
			"one signature twice",
			justification(|validators, header| validators.justification_by([0, 1, 1], header).encode()),
			"final",
		),
		("the votes of another block", blocks(|block| forked(&mut block.header)), "final"),
		(
			"a fork that two of four signed",
			blocks(|block| {
				forked(&mut block.header);
				let votes = validators().justification_by([2, 3], &block.header.0);
				block.justification = HexBytes(votes.encode());
			}),
			"final",
		),
		(
			"a read proof with another value",
			state(|nodes| {
				if let Some(byte) = nodes.last_mut().and_then(|node| node.0.last_mut()) {
					*byte ^= 1;
				}
			}),
			"read proof",
		),
		("a read proof that is cut", state(|nodes| drop(nodes.pop())), "read proof"),
		("a read proof with something else in it", state(|nodes| nodes.push(HexBytes(vec![0; 40]))), "read proof"),
		(
			"the read proof of an older block",
			entries(move |message| {
				let Some(proof) = &mut message.proof else { return true };
				match &kept {
					Some((groups, state)) if *groups == proof.groups => proof.state = state.clone(),
					// Kept and not sent, for as it stands it is true.
					_ => {
						kept = Some((proof.groups.clone(), proof.state.clone()));
						return false;
					}
				}
				true
			}),
			"read proof",
		),
		(
			"a read proof for another group",
			entries(|message| {
				if let Some(proof) = &mut message.proof {
					proof.groups.iter_mut().for_each(|group| group.0[0] ^= 1);
				}
				true
			}),
			"read proof",
		),
		(
			"an entry left out",
			entries(|message| {
				if !message.entries.is_empty() {
					message.entries.remove(0);
				}
				true
			}),
			"",
		),
		(
			"all entries left out",
			entries(|message| {
				message.entries.clear();
				true
			}),
			"left out",
		),
		(
			"entries swapped",
			entries(|message| {
				message.entries.reverse();
				true
			}),
			"do not form its log",
		),
		(
			"an entry twice",
			entries(|message| {
				if let Some(first) = message.entries.first().cloned() {
					message.entries.insert(0, first);
				}
				true
			}),
			"do not form its log",
		),
		(
			"an entry with another key",
			entries(|message| {
				message.entries.iter_mut().for_each(|(_, entry)| entry.body.next_key.0[0] ^= 1);
				true
			}),
			"not those of the chain",
		),
		(
			"another payload",
			entries(|message| {
				let payloads = message.entries.iter_mut().filter_map(|(_, entry)| entry.payload.as_mut());
				payloads.for_each(|payload| payload.0[0] ^= 1);
				true
			}),
			"do not form its log",
		),
		(
			"not even a message",
			Lies {
				json: Some(Box::new(|json| {
					*json = serde_json::json!({ "at": "the end" });
					true
				})),
				..Lies::default()
			},
			"does not decode",
		),
	]
}

/// A member that has been in the group, and is away.
struct Victim {
	place: Place,
	group: GroupId,
}

impl Victim {
	/// Comes back with these nodes, and no more.
	async fn back(&self, nodes: Vec<String>) -> Result<Member> {
		Member::open(Place { nodes, ..self.place.clone() }).await
	}

	async fn epoch(&self, member: &Member) -> Result<u64> {
		Ok(member.status(self.group).await?.epoch)
	}
}

struct Scene {
	members: Members,
	victim: Victim,
}

async fn scene(network: &Network) -> Result<Scene> {
	let members = Members::open(network, &["anna", "boris"]).await?;
	let group = members.found().await?;
	let place = members.invite(group, "vera", network.url(1)).await?.close().await;
	Ok(Scene { members, victim: Victim { place, group } })
}

async fn no_lie_moves_an_epoch_and_each_is_reported(network: &Network) -> Result<()> {
	let Scene { members, victim } = scene(network).await?;
	let group = victim.group;
	// Two entries that the victim has not seen, so that there is something to lie about.
	members[0].update(group).await?;
	members[0].update(group).await?;
	let liar = Liar::start(&network.url(1)).await?;
	let mut before = 0;
	for (name, lies, said) in lies() {
		if name == "the genesis authorities are others" {
			continue;
		}
		liar.tell(lies);
		let vera = victim.back(vec![liar.url.clone()]).await?;
		let epoch = victim.epoch(&vera).await?;
		let new = caught(&vera, before, name).await?;
		assert!(new.iter().all(|lie| lie.contains(said)), "{name}: {new:?}");
		before += new.len();
		assert_eq!(victim.epoch(&vera).await?, epoch, "{name}: an epoch was moved");
		vera.close().await;
	}
	// The truth is believed, from the same mouth.
	liar.tell(Lies::default());
	let vera = victim.back(vec![liar.url.clone()]).await?;
	let epoch = members[0].status(group).await?.epoch;
	vera.reached(group, epoch, ADVANCING).await?;
	vera.close().await;
	members.close().await;
	Ok(())
}

async fn with_one_honest_node_among_five_liars_a_member_progresses(network: &Network) -> Result<()> {
	let Scene { members, victim } = scene(network).await?;
	let group = victim.group;
	members[0].update(group).await?;
	let liars = try_join_all((0..5).map(|_| async { Liar::start(&network.url(1)).await })).await?;
	let kinds =
		["fewer than two thirds", "a fork that two of four signed", "a read proof that is cut", "all entries left out"];
	let of_each_kind = lies().into_iter().filter(|(name, ..)| kinds.contains(name)).map(|(_, lies, _)| lies);
	// The fifth tells nothing, for ever: what it said is true, and old.
	let silent = entries(|_| false);
	for (liar, lies) in liars.iter().zip(of_each_kind.chain([silent])) {
		liar.tell(lies);
	}
	let nodes: Vec<String> = liars.iter().map(|liar| liar.url.clone()).chain([network.url(2)]).collect();
	let vera = victim.back(nodes).await?;
	let committed = members[1].update(group).await?;
	vera.reached(group, committed.epoch, CAUGHT + ADVANCING).await?;
	let own = vera.update(group).await?;
	members.agree_at(group, &[0, 1], own.epoch, ADVANCING).await?;
	assert_eq!(evidence(&vera).await?.len(), 4, "each lie is kept");
	vera.close().await;
	members.close().await;
	Ok(())
}

async fn huge_and_endless_answers_do_no_harm(network: &Network) -> Result<()> {
	let Scene { members, victim } = scene(network).await?;
	let group = victim.group;
	members[0].update(group).await?;
	let (huge, slow) = (Liar::start(&network.url(1)).await?, Liar::start(&network.url(1)).await?);
	huge.tell(Lies {
		json: Some(Box::new(|json| {
			json["junk"] = "x".repeat(20 << 20).into();
			true
		})),
		..Lies::default()
	});
	slow.tell(Lies { links: Some(Box::new(|_| false)), ..Lies::default() });
	let vera = victim.back(vec![huge.url.clone(), slow.url.clone(), network.url(3)]).await?;
	let epoch = members[0].status(group).await?.epoch;
	vera.reached(group, epoch, CAUGHT + ADVANCING).await?;
	vera.close().await;
	members.close().await;
	Ok(())
}

async fn a_chain_of_the_same_names_is_another_chain(network: &Network) -> Result<()> {
	let liar = Liar::start(&network.url(0)).await?;
	let folder = tempfile::tempdir().map_err(Error::io("making a folder"))?;
	let place = Place { name: "vera".into(), folder: folder.path().join("vera"), nodes: vec![liar.url.clone()] };
	let genesis = network.genesis().await?;
	// Everything is as on the real chain, but for what the genesis hash commits to.
	for (name, lies, said) in lies().into_iter().filter(|(name, ..)| name.starts_with("the genesis")) {
		liar.tell(lies);
		let vera = Member::open_expecting(place.clone(), Some(genesis)).await?;
		let new = caught(&vera, 0, name).await?;
		assert!(new.iter().all(|lie| lie.contains(said)), "{name}: {new:?}");
		vera.close().await;
	}
	Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn lying_nodes() -> Result<()> {
	let network = Network::start().await?;
	play(scenes![&network;
		no_lie_moves_an_epoch_and_each_is_reported,
		with_one_honest_node_among_five_liars_a_member_progresses,
		huge_and_endless_answers_do_no_harm,
		a_chain_of_the_same_names_is_another_chain,
	])
	.await?;
	network.finish().await
}

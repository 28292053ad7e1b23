//! A proof file followed from the genesis with smoldot alone, which must end where we end.

use crate::{
	named,
	smoldot_says::{self, Seen, Voters},
	Says,
};
use codec::Decode;
use lockstep_verifier::{
	group::group_keys,
	layout,
	proof_file::{verify, FileAnchor, ProofFile},
	testing::World,
	Link,
};

/// Where smoldot ends: the head, the id of the set in power, and the values of the group's keys in the head's state.
struct End {
	head: Seen,
	voters: Voters,
	values: Vec<Option<Vec<u8>>>,
}

/// The final block of a link, and the set in power after it.
fn advance(voters: Voters, link: &Link) -> Says<(Seen, Voters)> {
	smoldot_says::justification(&link.justification, &voters)?;
	let decoded = smoldot::finality::decode::decode_grandpa_justification(&link.justification, 4);
	let target = *named(decoded)?.target_hash;
	let header = smoldot_says::header(&link.header)?;
	if header.hash != target {
		return Err("AnotherBlock".to_owned());
	}
	let voters = match &header.change {
		None => voters,
		Some(change) => {
			let keys = change.next.iter().map(|(key, _)| *key).collect();
			Voters { set_id: voters.set_id + 1, keys }
		}
	};
	Ok((header, voters))
}

/// What a reader would do who has smoldot and the description of the format: all but the entries.
fn follow(file: &ProofFile) -> Says<End> {
	let FileAnchor::Genesis { header, proof } = &file.anchor else { return Err("Checkpoint".to_owned()) };
	let genesis = smoldot_says::header(header)?;
	if genesis.hash != file.genesis.0 {
		return Err("OtherChain".to_owned());
	}
	let values = smoldot_says::values(&genesis.state_root, proof, &[&layout::GRANDPA_AUTHORITIES])?;
	let value = values[0].clone().unwrap_or_default();
	let list = named(Vec::<([u8; 32], u64)>::decode(&mut &value[..]))?;
	let mut voters = Voters { set_id: 0, keys: list.into_iter().map(|(key, _)| key).collect() };
	for link in &file.links {
		voters = advance(voters, link)?.1;
	}
	let (head, voters) = advance(voters, &file.head)?;
	let keys = group_keys(&[file.group]);
	let keys: Vec<_> = keys.iter().map(Vec::as_slice).collect();
	let values = smoldot_says::values(&head.state_root, &file.read_proof, &keys)?;
	// The proof of one group may show that there is no other: we refuse it for the nodes that this does not need.
	if values[0].is_none() {
		return Err("NoGroup".to_owned());
	}
	Ok(End { head, voters, values })
}

/// Follows the file with both.
pub fn both_end_at_the_same_state(file: &ProofFile) {
	let theirs = follow(file).unwrap();
	let ours = verify(file.genesis, &file.to_bytes()).unwrap();
	assert_eq!((theirs.head.number, theirs.head.hash), (ours.head.number.into(), ours.head.hash.0));
	assert_eq!(theirs.voters.set_id, ours.set);
	assert_eq!(Some(theirs.head.state_root), ours.head.state_root.map(|root| root.0));
	let record = theirs.values[0].as_deref().unwrap();
	assert_eq!(layout::group_state(record), Ok(ours.state));
	assert_eq!(layout::runtime_version(theirs.values[2].as_deref()), Ok(ours.runtime));
}

#[test]
fn both_follow_a_proof_file_to_the_same_state() {
	for (_, file) in [World::small(), World::sample()] {
		both_end_at_the_same_state(&file);
	}
}

#[test]
fn both_refuse_proof_files_with_a_gap_or_another_end() {
	let (world, good) = World::sample();
	let refused = |name: &str, change: &dyn Fn(&mut ProofFile)| {
		let mut file = good.clone();
		change(&mut file);
		let ours = verify(file.genesis, &file.to_bytes());
		assert!(ours.is_err() && follow(&file).is_err(), "{name}");
	};
	for at in 0..good.links.len() {
		refused("a link is missing", &|file| drop(file.links.remove(at)));
		refused("a link is of another block", &|file| file.links[at].header = world.header(1).to_vec());
		refused("the votes are for another block", &|file| {
			file.links[at].justification = file.head.justification.clone();
		});
	}
	refused("links are swapped", &|file| file.links.swap(0, 1));
	refused("the head was justified by an old set", &|file| {
		file.head.justification = world.past[0].1.justify(&file.head.header);
	});
	refused("the state is of another block", &|file| file.head = world.link(world.newest() - 2));
	refused("another genesis", &|file| file.genesis.0[0] ^= 1);
	refused("a node of the anchor is missing", &|file| match &mut file.anchor {
		FileAnchor::Genesis { proof, .. } => drop(proof.pop()),
		FileAnchor::Checkpoint { .. } => unreachable!("the sample starts at the genesis"),
	});
	refused("another group", &|file| file.group.0[0] ^= 1);
}

//! P7: anyone with the chain's genesis can check, offline, that keys were rotated, by whom, in which order, and when.

use lockstep_client::{
	proof::{verify_proof, When},
	GenesisHash,
};
use lockstep_tests::{members::ADVANCING, Error, Members, Network, Result};

fn broken(error: impl std::fmt::Display) -> Error {
	Error::Broken(error.to_string())
}

pub async fn the_rotations_of_a_group_are_proven_by_one_file(network: &Network) -> Result<()> {
	let members = Members::open(network, &["anna", "boris", "chiara"]).await?;
	let everybody = [0, 1, 2];
	let group = members.found().await?;
	for member in members.iter() {
		member.update(group).await?;
	}
	let agreement = members.agree(group, &everybody, ADVANCING).await?;
	let genesis = network.genesis().await?;
	let file = members[2].client().export_proof(group, 0..u64::MAX).await.map_err(broken)?;

	// Without any node: what the members know is what the file proves.
	let rotations = verify_proof(genesis, &file).map_err(broken)?;
	assert_eq!(rotations.entries.len() as u64, agreement.epoch + 1);
	for pair in rotations.entries.windows(2) {
		assert_eq!(pair[1].endorsed_by, Some(pair[0].new_key), "each key is endorsed by the one before it");
		let (When::At(before), When::At(after)) = (pair[0].when, pair[1].when) else { panic!("a time is missing") };
		assert!(before < after);
	}
	let chronicle = members[1].chronicle(group);
	for (epoch, advance) in &chronicle.epochs {
		let entry = &rotations.entries[*epoch as usize];
		assert_eq!((entry.hash, entry.block), (advance.entry, advance.block));
	}
	let other = GenesisHash([1; 32]);
	assert!(verify_proof(other, &file).is_err(), "it is of one chain");
	// Every byte counts: a sample of them, each bit of which is flipped. `verifier` has a test of every one.
	for at in (0..file.len()).step_by(97) {
		let mut changed = file.clone();
		changed[at] ^= 1 << (at % 8);
		assert!(verify_proof(genesis, &changed).is_err(), "a flipped bit in byte {at} is not noticed");
	}
	members.close().await;
	Ok(())
}

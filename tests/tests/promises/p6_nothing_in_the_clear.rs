//! P6: neither the chain nor the nodes keep an identity or a plaintext.

use lockstep_tests::{members::ADVANCING, scan::Words, Members, Network, Result};

const NAMES: [&str; 3] = ["anna of the long name", "boris of the long name", "chiara of the long name"];
const SECRET: &str = "what nobody but the members may read";

pub async fn blocks_stores_and_logs_hold_no_identity_and_no_plaintext(network: &Network) -> Result<()> {
	let members = Members::open(network, &NAMES).await?;
	let everybody = [0, 1, 2];
	let group = members.found().await?;
	members.everybody_hears_everybody(group, &everybody, SECRET).await?;
	for member in members.iter() {
		member.update(group).await?;
	}
	members[0].remove(group, NAMES[2]).await?;
	members.agree(group, &[0, 1], ADVANCING).await?;
	// Not the same again, for each is heard once.
	members.everybody_hears_everybody(group, &[0, 1], &format!("{SECRET}, still")).await?;

	let mut private = Words::default();
	private.add("a message", SECRET.as_bytes());
	for member in members.iter() {
		private.add(&format!("the identity of {}", member.name()), member.name().as_bytes());
		private.add(&format!("the signature key of {}", member.name()), &member.signature_key());
	}
	// The same search finds what has to be there.
	let mut public = Words::default();
	public.add("the group's id", group.as_bytes());

	for index in 0..network.size() {
		let rpc = network.rpc(index).await?;
		let mut dump = String::new();
		for number in 0..=rpc.finalized().await? {
			dump += &rpc.block_json(number).await?.to_string();
		}
		assert!(!public.names_in(dump.as_bytes()).is_empty(), "the search finds nothing in blocks at all");
		assert_eq!(private.names_in(dump.as_bytes()), Vec::<String>::new(), "in the blocks of node {index}");
	}
	let folder = network.folder();
	assert!(!public.search_folder(folder)?.is_empty(), "the search finds nothing in the nodes' folders at all");
	assert_eq!(private.search_folder(folder)?, Vec::new(), "in the nodes' folders");
	// And it finds private words where there are some: a store lies in a folder with its member's name here, which its
	// database logs.
	assert!(!private.search_folder(members.folder())?.is_empty(), "the search misses identities in plain files");
	members.close().await;
	Ok(())
}

//! The SDK's verdicts, for where smoldot is stricter than nodes are.

use finality_grandpa::{validate_commit, voter_set::VoterSet, Chain, Commit, Error, Precommit, SignedPrecommit};
use hash_db::{HashDB, EMPTY_PREFIX};
use lockstep_verifier::{authorities::Authorities, testing::JustificationBuilder, Header};
use sp_core::{Blake2Hasher, H256};
use sp_trie::{LayoutV1, MemoryDB};
use std::collections::HashMap;

type Hash = [u8; 32];

struct Parents(HashMap<Hash, Hash>);

impl Chain<Hash, u32> for Parents {
	fn ancestry(&self, base: Hash, block: Hash) -> Result<Vec<Hash>, Error> {
		let mut route = Vec::new();
		let mut current = block;
		while current != base {
			current = *self.0.get(&current).ok_or(Error::NotDescendent)?;
			route.push(current);
		}
		route.pop();
		Ok(route)
	}
}

/// Whether nodes count the votes as enough for the target; signatures apart.
pub fn counts(builder: &JustificationBuilder, authorities: &Authorities) -> bool {
	let headers = builder.ancestries.iter().map(|bytes| Header::decode(bytes).unwrap());
	let parents = Parents(headers.map(|header| (header.hash.0, header.parent.0)).collect());
	let votes = builder.votes.iter().map(|vote| SignedPrecommit {
		precommit: Precommit { target_hash: vote.target.hash.0, target_number: vote.target.number },
		signature: vote.signature,
		id: vote.signer,
	});
	let commit = Commit {
		target_hash: builder.target.hash.0,
		target_number: builder.target.number,
		precommits: votes.collect(),
	};
	let voters = VoterSet::new(authorities.as_slice().iter().map(|one| (one.key, one.weight))).unwrap();
	validate_commit(&commit, &voters, &parents).is_ok_and(|result| result.is_valid())
}

/// The value of a key in the state under a root; `None` if nodes read none or cannot read.
pub fn value(root: &Hash, nodes: &[Vec<u8>], key: &[u8]) -> Option<Vec<u8>> {
	let mut db = MemoryDB::<Blake2Hasher>::new(&[0]);
	for node in nodes {
		db.insert(EMPTY_PREFIX, node);
	}
	sp_trie::read_trie_value::<LayoutV1<Blake2Hasher>, _>(&db, &H256(*root), key, None, None).ok().flatten()
}

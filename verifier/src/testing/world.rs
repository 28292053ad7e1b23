//! A chain with a group, from genesis to head.

use super::{
	group_record, state::runtime_value, GroupLog, HeaderBuilder, JustificationBuilder, Log, State, Validators,
};
use crate::{
	authorities::Authorities,
	build::Parts,
	chain::{Anchor, FinalizedChain, Link},
	entries::Entry,
	group::group_keys,
	header::{Header, StateRoot},
	justification::Target,
	layout,
	proof_file::{FileAnchor, Moment, ProofFile},
	Trust,
};
use alloc::{vec, vec::Vec};
use codec::Encode;
use lockstep_primitives::{BlockNumber, GenesisHash, GroupId};

/// The group of a [`World`].
pub const GROUP: GroupId = GroupId([0x47; 32]);

/// The Aura slot of block 0, had it one: the first second of 2026. Block `n` has slot `SLOT_ZERO + n`.
pub const SLOT_ZERO: u64 = 1_767_225_600;

/// A chain with a group. Blocks are made one by one; what is final is what the caller has justified.
#[derive(Clone)]
pub struct World {
	/// The hash of block 0.
	pub genesis: GenesisHash,
	/// The headers by number.
	pub headers: Vec<Vec<u8>>,
	/// The set that justifies the next block.
	pub validators: Validators,
	/// The sets before, with the last block of each.
	pub past: Vec<(BlockNumber, Validators)>,
	/// The state after the newest block.
	pub state: State,
	/// The state of block 0.
	pub genesis_state: State,
	/// The group's log.
	pub log: GroupLog,
	root: StateRoot,
}

impl World {
	/// Block 0 with a set of `count` validators, and the group created in block 1.
	pub fn new(count: u64) -> Self {
		let validators = Validators::new(0, count);
		let mut state = State::default();
		state.set(layout::GRANDPA_AUTHORITIES, validators.authorities().encode());
		state.set(layout::ORDERING_STORAGE_VERSION, 1u16.encode());
		// other state, so that proofs are not of a trie with a handful of leaves
		for account in 0u32..256 {
			let hash = crate::crypto::blake2_256(&account.to_le_bytes());
			let length = usize::from(hash[0]) % 80;
			state.set(hash, vec![hash[1]; length]);
		}
		let genesis_state = state.clone();
		let header = HeaderBuilder::genesis(state.root()).encode();
		let genesis = GenesisHash(Header::decode(&header).expect("a header").hash.0);
		state.set(layout::LAST_RUNTIME_UPGRADE, runtime_value(100, layout::KNOWN_SPEC_NAME));
		let log = GroupLog::new(genesis, GROUP, 1);
		let root = state.root();
		let headers = vec![header];
		let mut world = Self { genesis, headers, validators, past: Vec::new(), state, genesis_state, log, root };
		world.store_group();
		world.block();
		world
	}

	fn store_group(&mut self) {
		self.state.set(layout::group_key(&GROUP), group_record(&self.log.state));
		self.root = self.state.root();
	}

	/// Sets a value of the state, from the next block on.
	pub fn set(&mut self, key: impl Into<Vec<u8>>, value: impl Into<Vec<u8>>) {
		self.state.set(key, value);
		self.root = self.state.root();
	}

	/// The number of the newest block.
	pub fn newest(&self) -> BlockNumber {
		self.headers.len() as BlockNumber - 1
	}

	/// The next block, as it would be without anything in it.
	pub fn next(&self) -> HeaderBuilder {
		let parent = &self.headers[self.headers.len() - 1];
		let slot = SLOT_ZERO + self.headers.len() as u64;
		HeaderBuilder::after(parent).state(self.root).log(Log::Slot(slot))
	}

	/// Makes an empty block. Its number.
	pub fn block(&mut self) -> BlockNumber {
		self.put(self.next())
	}

	/// Makes some empty blocks.
	pub fn blocks(&mut self, count: u32) {
		(0..count).for_each(|_| {
			self.block();
		});
	}

	/// Makes a block with this header. Its number.
	pub fn put(&mut self, header: HeaderBuilder) -> BlockNumber {
		self.headers.push(header.log(Log::Seal(vec![5; 64])).encode());
		self.newest()
	}

	/// Makes a block with an entry, a child of entry `parent`. The entry's index.
	pub fn entry(&mut self, parent: usize, payload: &[u8]) -> usize {
		let index = self.log.append(parent, payload, self.newest() + 1);
		self.store_group();
		self.block();
		index
	}

	/// Makes a block with an entry as it is, whether the chain would admit it or not.
	pub fn put_entry(&mut self, entry: Entry) {
		self.log.put(Entry { block: self.newest() + 1, ..entry });
		self.store_group();
		self.block();
	}

	/// Makes a block with which the set hands over to `next`, and the link that shows it.
	pub fn hand_over(&mut self, next: Authorities, keys: Validators) -> Link {
		let number = self.put(self.next().log(Log::Scheduled(next, 0)));
		let link = self.link(number);
		let next = keys.with_id(self.validators.id + 1);
		self.past.push((number, core::mem::replace(&mut self.validators, next)));
		link
	}

	/// Makes a block with which the set hands over to a new one of `count` validators.
	pub fn rotate(&mut self, count: u64) -> Link {
		let next = Validators::new(self.validators.id + 1, count);
		self.hand_over(next.authorities(), next)
	}

	/// Those who justify a block.
	pub fn judges(&self, number: BlockNumber) -> &Validators {
		let past = self.past.iter().find(|(until, _)| number <= *until);
		past.map_or(&self.validators, |(_, validators)| validators)
	}

	/// A block's header.
	pub fn header(&self, number: BlockNumber) -> &[u8] {
		&self.headers[number as usize]
	}

	/// A block with a justification by all.
	pub fn link(&self, number: BlockNumber) -> Link {
		let header = self.header(number).to_vec();
		let justification = self.judges(number).justify(&header);
		Link { header, justification }
	}

	/// A justification of block 1 in which the last validator votes for the block above it.
	pub fn votes_above(&self) -> JustificationBuilder {
		let judges = self.judges(1);
		let last = judges.keys.len() - 1;
		let mut justification = judges.justification_by(0..last, self.header(1));
		let above = Header::decode(self.header(2)).expect("a header");
		let target = Target { hash: above.hash, number: above.number };
		justification.votes.push(judges.vote(last, target, justification.round));
		justification.ancestries.push(self.header(2).to_vec());
		justification
	}

	/// The links of all hand-overs.
	pub fn links(&self) -> Vec<Link> {
		self.past.iter().map(|(until, _)| self.link(*until)).collect()
	}

	/// Block 0 with its read proof.
	pub fn anchor(&self) -> Anchor {
		Anchor::Genesis {
			header: self.headers[0].clone(),
			proof: self.genesis_state.prove([layout::GRANDPA_AUTHORITIES]),
		}
	}

	/// The chain as known from the genesis alone.
	pub fn chain(&self) -> FinalizedChain {
		FinalizedChain::start(self.genesis, &self.anchor()).expect("the anchor holds")
	}

	/// The chain up to the newest block.
	pub fn followed(&self) -> FinalizedChain {
		let mut chain = self.chain();
		chain.catch_up(&self.links()).expect("links hold");
		let head = self.link(self.newest());
		chain.advance(&head.header, &head.justification).expect("the head is final");
		chain
	}

	/// The read proof of the group in the newest state.
	pub fn group_proof(&self) -> Vec<Vec<u8>> {
		self.state.prove(group_keys(&[GROUP]))
	}

	/// What shows the time of a block: its header and a justification.
	pub fn moment(&self, number: BlockNumber) -> Moment {
		let Link { header, justification } = self.link(number);
		Moment { headers: vec![header], justification: Some(justification) }
	}

	/// The parts of a proof of the group from entry `from` on, without moments.
	pub fn parts(&self, from: u64) -> Parts {
		let Anchor::Genesis { header, proof } = self.anchor() else { unreachable!("it is") };
		Parts {
			anchor: FileAnchor::Genesis { header, proof },
			links: self.links(),
			head: self.link(self.newest()),
			read_proof: self.group_proof(),
			group: GROUP,
			log: self.log.entries.clone(),
			from,
			moments: Vec::new(),
		}
	}

	/// What a reader of the proof trusts.
	pub fn trust(&self) -> Trust {
		Trust::Genesis(self.genesis)
	}

	/// The smallest world with everything in it: one validator, one hand-over, two entries, a moment of each kind.
	pub fn small() -> (Self, ProofFile) {
		let mut world = Self::new(1);
		world.state.values.retain(|key, _| key.len() > 32 || key[0] < 0x10 || key.starts_with(&[0x26, 0xaa]));
		let keys = [layout::GRANDPA_AUTHORITIES, layout::ORDERING_STORAGE_VERSION];
		world.state.values.extend(keys.map(|key| (key.to_vec(), world.genesis_state.values[&key[..]].clone())));
		world.rotate(1);
		world.entry(0, b"a commit");
		world.block();
		let (first, second) = (world.log.entries[0].block, world.log.entries[1].block);
		let headers = (second..=world.newest()).map(|number| world.header(number).to_vec()).collect();
		let moments = vec![world.moment(first), Moment { headers, justification: None }];
		let file = crate::build::build(&world.trust(), Parts { moments, ..world.parts(0) }).expect("it verifies");
		let file = ProofFile::from_bytes(&file).expect("it was made so");
		(world, file)
	}

	/// A world with three hand-overs, six entries of which two are contested, and a proof of it all with three
	/// moments: of a justified block, of one before a justified block, and of one before the head.
	pub fn sample() -> (Self, ProofFile) {
		let mut world = Self::new(4);
		world.entry(0, b"first commit");
		world.rotate(4);
		world.blocks(3);
		world.entry(1, b"second commit");
		world.rotate(5);
		world.entry(1, b"rival of the second");
		world.block();
		world.rotate(4);
		world.entry(2, b"third commit");
		world.blocks(2);
		world.entry(4, b"fourth commit");
		world.block();
		let block = |index: usize| world.log.entries[index].block;
		let two = world.header(block(2) + 1).to_vec();
		let before = Moment {
			headers: vec![world.header(block(2)).to_vec(), two],
			justification: Some(world.link(block(2) + 1).justification),
		};
		let (last, newest) = (block(5), world.newest());
		let headers = (last..=newest).map(|number| world.header(number).to_vec()).collect();
		let at_head = Moment { headers, justification: None };
		let parts = Parts { moments: vec![at_head, world.moment(block(1)), before], ..world.parts(0) };
		let file = crate::build::build(&world.trust(), parts).expect("it verifies");
		let file = ProofFile::from_bytes(&file).expect("it was made so");
		(world, file)
	}
}

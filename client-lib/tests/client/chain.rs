//! A chain in memory, that does what a test tells it: which submissions get lost, when a block is made.

use codec::{Compact, Decode, Encode};
use ed25519_dalek::{Signature, VerifyingKey};
use lockstep_primitives::{
	admission, endorsement_payload,
	extrinsic::{Append, CREATE_GROUP_CALL, ORDERING_PALLET},
	payload_hash,
	rpc::{Entry, FinalizedBlock, GenesisProof, HeadProof, HexBytes, Justified},
	BlockNumber, Endorsement, EntryBody, EntryHash, GenesisHash, GroupId, GroupState, LogHead, LogKind, OrderingKey,
	OrderingParameters, Refusal,
};
use lockstep_verifier::{
	layout,
	testing::{group_record, HeaderBuilder, State as Trie, Validators},
	Header, StateRoot,
};
use std::{
	collections::HashMap,
	sync::{Arc, Mutex, MutexGuard},
};
use tokio::sync::watch;

pub const INTERVAL: BlockNumber = 20;

/// What the pool says of a nonce that another transaction has.
pub const NONCE_TAKEN: &str = "nonce taken";

/// What the pool does with submissions.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
	/// Each one gets into a block of its own, at once.
	Prompt,
	/// They wait in the pool for [`Chain::block`].
	Held,
	/// They are accepted and get lost.
	Lost,
	/// Like prompt, but the answer says that it failed.
	Unanswered,
}

#[derive(Clone, Copy)]
struct Known {
	key: OrderingKey,
	children: u32,
	youngest: BlockNumber,
}

#[derive(Default)]
pub struct Log {
	pub head: Option<LogHead>,
	pub entries: Vec<Entry>,
	known: HashMap<EntryHash, Known>,
}

pub struct State {
	pub height: BlockNumber,
	/// By number.
	headers: Vec<Vec<u8>>,
	/// What the state of the newest block is.
	trie: Trie,
	pub mode: Mode,
	pub logs: HashMap<GroupId, Log>,
	/// Calls in the order in which they were taken.
	pub pool: Vec<Append>,
	/// Nonces of the sponsor that other transactions in the pool have: those below this one.
	pub taken: u32,
	/// Hashes of transactions that were once refused: the pool bans them.
	banned: Vec<[u8; 32]>,
	pub statements: Vec<Vec<u8>>,
	/// Nodes take no statements.
	pub deaf: bool,
}

/// See the module. Clones are the same chain.
#[derive(Clone)]
pub struct Chain {
	pub genesis: GenesisHash,
	genesis_proof: Arc<Vec<Vec<u8>>>,
	state: Arc<Mutex<State>>,
	changed: Arc<watch::Sender<u64>>,
}

impl Chain {
	pub fn new(genesis: u8) -> Self {
		let mut trie = Trie::default();
		trie.set(layout::GRANDPA_AUTHORITIES, validators().authorities().encode());
		trie.set(layout::ORDERING_STORAGE_VERSION, layout::KNOWN_STORAGE_VERSION.encode());
		trie.set(b"which chain", [genesis]);
		let header = HeaderBuilder::genesis(trie.root()).encode();
		let genesis = GenesisHash(Header::decode(&header).unwrap().hash.0);
		let genesis_proof = trie.prove([layout::GRANDPA_AUTHORITIES]);
		let mut state = State {
			height: 0,
			headers: vec![header],
			trie,
			mode: Mode::Prompt,
			logs: HashMap::new(),
			pool: Vec::new(),
			taken: 0,
			banned: Vec::new(),
			statements: Vec::new(),
			deaf: false,
		};
		state.finalize();
		Self {
			genesis,
			genesis_proof: Arc::new(genesis_proof),
			state: Arc::new(Mutex::new(state)),
			changed: Arc::new(watch::channel(0).0),
		}
	}

	pub fn state(&self) -> MutexGuard<'_, State> {
		self.state.lock().unwrap()
	}

	/// Changes with everything that happens.
	pub fn changes(&self) -> watch::Receiver<u64> {
		self.changed.subscribe()
	}

	fn touch(&self) {
		self.changed.send_modify(|count| *count += 1);
	}

	pub fn set_mode(&self, mode: Mode) {
		self.state().mode = mode;
	}

	pub fn parameters() -> OrderingParameters {
		OrderingParameters {
			max_payload: 65536,
			candidate_interval: INTERVAL,
			contest_window: 86_400,
			retention: 2_592_000,
			entry_budget: (256, 1),
			byte_budget: (1 << 24, 1024),
		}
	}

	/// Makes a finalized block of what is in the pool.
	pub fn block(&self) {
		let mut state = self.state();
		for call in std::mem::take(&mut state.pool) {
			if state.check(&self.genesis, &call).is_ok() {
				state.append(call);
			}
		}
		state.finalize();
		drop(state);
		self.touch();
	}

	/// What the genesis hash commits to.
	pub fn genesis_proof(&self) -> GenesisProof {
		let header = HexBytes(self.state().headers[0].clone());
		GenesisProof { header, authorities: self.genesis_proof.iter().cloned().map(HexBytes).collect() }
	}

	pub fn blocks(&self, count: u32) {
		for _ in 0..count {
			self.block();
		}
	}

	/// Closes a group, in a block of its own.
	pub fn close(&self, group: &GroupId) {
		let mut state = self.state();
		state.logs.remove(group);
		state.trie.remove(&layout::group_key(group));
		drop(state);
		self.block();
	}

	/// Waits until so many submissions are in the pool.
	pub async fn pooled(&self, count: usize) {
		let mut changes = self.changes();
		while self.state().pool.len() < count {
			changes.changed().await.unwrap();
		}
	}

	/// Waits until so many statements are in the store.
	pub async fn stored(&self, count: usize) {
		let mut changes = self.changes();
		while self.state().statements.len() < count {
			changes.changed().await.unwrap();
		}
	}

	/// Puts a statement into the store. False if it was there.
	pub fn post(&self, statement: Vec<u8>) -> bool {
		let mut state = self.state();
		if state.statements.contains(&statement) {
			return false;
		}
		state.statements.push(statement);
		drop(state);
		self.touch();
		true
	}

	/// Takes an extrinsic. The answer is what a node would say.
	pub fn submit(&self, extrinsic: &[u8]) -> Result<(), String> {
		let mode = self.state().mode;
		if mode == Mode::Lost {
			return Ok(());
		}
		if let Some(call) = Append::from_extrinsic(extrinsic) {
			let hash: [u8; 32] = blake3::hash(extrinsic).into();
			let mut state = self.state();
			if state.banned.contains(&hash) {
				return Err("the transaction is temporarily banned".into());
			}
			let rival = state.pool.iter().any(|other| (other.group, other.parent) == (call.group, call.parent));
			let checked = state.check(&self.genesis, &call).and(if rival { Err(Refusal::Superseded) } else { Ok(()) });
			if let Err(refusal) = checked {
				state.banned.push(hash);
				return Err(refusal.name().into());
			}
			state.pool.push(call);
		} else {
			self.create(extrinsic)?;
		}
		self.touch();
		if mode != Mode::Held {
			self.block();
		}
		if mode == Mode::Unanswered {
			return Err("the connection to the pool was lost".into());
		}
		Ok(())
	}

	/// A signed `create_group`; the signature of the account is not of interest here.
	fn create(&self, extrinsic: &[u8]) -> Result<(), String> {
		let undecodable = || "undecodable".to_owned();
		let input = &mut &extrinsic[..];
		Compact::<u32>::decode(input).map_err(|_| undecodable())?;
		let fixed = 1 + 1 + 32 + 1 + 64;
		let mut rest = input.get(fixed..).ok_or_else(undecodable)?;
		let rest = &mut rest;
		let (_, Compact(nonce), ..) =
			<(u8, Compact<u32>, Compact<u128>, u8)>::decode(rest).map_err(|_| undecodable())?;
		let (pallet, call, group, key, endorsement) =
			<(u8, u8, GroupId, OrderingKey, Endorsement)>::decode(rest).map_err(|_| undecodable())?;
		assert_eq!((pallet, call), (ORDERING_PALLET, CREATE_GROUP_CALL));
		let mut state = self.state();
		if nonce < state.taken {
			return Err(NONCE_TAKEN.into());
		}
		if state.logs.contains_key(&group) {
			return Err("the group exists".into());
		}
		let head = LogHead::empty(LogKind::Group, &self.genesis, group.as_bytes());
		let signed = endorsement_payload(&self.genesis, &group, &head.hash, &payload_hash(&[]), &key);
		verify(&key, &signed, &endorsement).map_err(|refusal| refusal.name().to_owned())?;
		state.logs.insert(group, Log { head: Some(head), ..Log::default() });
		let call = Append { group, parent: head.hash, payload: Vec::new(), next_key: key, endorsement };
		state.append(call);
		Ok(())
	}
}

/// Those who finalize blocks.
fn validators() -> Validators {
	Validators::new(0, 4)
}

impl State {
	/// Ends the block that comes next.
	fn finalize(&mut self) {
		for (group, log) in &self.logs {
			let state =
				GroupState { head: log.head.unwrap(), last_entry_at: self.height, open_entries: 1, contested: false };
			self.trie.set(layout::group_key(group), group_record(&state));
		}
		let parent = &self.headers[self.headers.len() - 1];
		self.headers.push(HeaderBuilder::after(parent).state(self.trie.root()).encode());
		self.height += 1;
	}

	/// The newest block.
	pub fn at(&self) -> FinalizedBlock {
		let hash = Header::decode(&self.headers[self.height as usize]).unwrap().hash;
		FinalizedBlock { number: self.height, hash }
	}

	/// The newest block with the votes for it.
	pub fn justified(&self) -> Justified {
		let header = self.headers[self.height as usize].clone();
		let justification = HexBytes(validators().justify(&header));
		Justified { header: HexBytes(header), justification }
	}

	/// Another block of the newest one's height, with the votes of the same validators: what more than a third of
	/// them can do.
	pub fn rival(&self) -> Justified {
		let parent = &self.headers[self.height as usize - 1];
		let header = HeaderBuilder::after(parent).state(StateRoot([0x66; 32])).encode();
		let justification = HexBytes(validators().justify(&header));
		Justified { header: HexBytes(header), justification }
	}

	/// What shows the heads of groups in the newest block.
	pub fn proof(&self, groups: Vec<GroupId>) -> HeadProof {
		let mut keys: Vec<Vec<u8>> = layout::PINNED.map(|key| key.to_vec()).into();
		keys.extend(groups.iter().map(layout::group_key));
		let state = self.trie.prove(keys).into_iter().map(HexBytes).collect();
		HeadProof { block: self.justified(), groups, state }
	}

	fn check(&self, genesis: &GenesisHash, call: &Append) -> Result<(), Refusal> {
		let log = self.logs.get(&call.group).ok_or(Refusal::UnknownGroup)?;
		let parent = log.known.get(&call.parent).ok_or(Refusal::ParentNotOpen)?;
		if self.height + 1 < admission::next_candidate_at(parent.youngest, parent.children, INTERVAL) {
			return Err(Refusal::Superseded);
		}
		let hash = payload_hash(&call.payload);
		let signed = endorsement_payload(genesis, &call.group, &call.parent, &hash, &call.next_key);
		verify(&parent.key, &signed, &call.endorsement)
	}

	fn append(&mut self, call: Append) {
		let block = self.height + 1;
		let log = self.logs.get_mut(&call.group).unwrap();
		let body = EntryBody {
			parent: call.parent,
			payload_hash: payload_hash(&call.payload),
			payload_len: call.payload.len() as u32,
			next_key: call.next_key,
			endorsement: call.endorsement,
		};
		let head = log.head.unwrap();
		let next = head.append(block, &body).unwrap();
		log.entries.push(Entry { index: head.length, block, body, payload: Some(HexBytes(call.payload)) });
		if let Some(parent) = log.known.get_mut(&call.parent) {
			parent.children += 1;
			parent.youngest = block;
		}
		log.known.insert(next.hash, Known { key: call.next_key, children: 0, youngest: 0 });
		log.head = Some(next);
	}
}

fn verify(key: &OrderingKey, message: &[u8], endorsement: &Endorsement) -> Result<(), Refusal> {
	VerifyingKey::from_bytes(&key.0)
		.and_then(|key| key.verify_strict(message, &Signature::from_bytes(&endorsement.0)))
		.map_err(|_| Refusal::BadEndorsement)
}

//! Opening a client: whose store is it, of which chain, and what was it doing.

use super::{
	actor::Actor,
	core::Core,
	create::Creating,
	drive::DriveError,
	group::Group,
	inbox::Inbox,
	intent::{self, InFlight, StoredIntent},
	letters::Letters,
	outbox::Outbox,
	people::{Claims, Watch},
	records::{Evidence, Founding, Home, Invited, Mailbox, Membership, Outgoing, ONLY},
	set_back::SetBack,
	Client, Config, OpenError, Upkeep,
};
use crate::{
	delivery::{Poster, Seen, StatementFeed},
	directory::Directory,
	finality::{Trust, VerifiedLog},
	mls::{Engine, EpochKeys, Mls},
	mutation::{self, Mutation},
	rpc::{Nodes, RpcError},
	store::{Overlay, Store, StoreError},
};
use ed25519_dalek::SigningKey;
use lockstep_primitives::{rpc::HexBytes, GroupId, OrderingParameters};
use rand::{rngs::StdRng, RngCore, SeedableRng};
use std::{collections::BTreeMap, sync::Arc};
use tokio::sync::{broadcast, mpsc, Mutex};

/// Commands that wait for the actor.
const COMMANDS: usize = 64;
/// Answers that wait for the actor.
const ANSWERS: usize = 64;
/// Events that a slow reader may be behind.
const EVENTS: usize = 512;

pub(super) async fn open(config: Config) -> Result<Client, OpenError> {
	let store = Store::open(&config.path, &config.key)?;
	let known: Option<Home> = store.overlay().get(ONLY)?;
	let named = config.checkpoint.as_ref().map(|checkpoint| checkpoint.genesis);
	if let (Some(genesis), Some(checkpoint)) = (config.genesis, named.filter(|named| config.genesis != Some(*named))) {
		return Err(OpenError::OtherCheckpoint { checkpoint, genesis });
	}
	// A checkpoint is of one chain, and so names it.
	let asked = config.genesis.or(named);
	if let (Some(home), Some(asked)) = (&known, asked) {
		if home.genesis != asked {
			return Err(OpenError::OtherChain { stored: home.genesis, asked });
		}
	}
	let signer = HexBytes(SigningKey::from_bytes(&config.signer).verifying_key().to_bytes().to_vec());
	let same = |home: &Home| home.identity.0 == config.identity && home.signer == signer;
	if !known.as_ref().is_none_or(same) {
		return Err(OpenError::OtherIdentity);
	}
	let genesis = known.as_ref().map(|home| home.genesis).or(asked);
	let nodes = Arc::new(Nodes::new(config.nodes.clone(), genesis)?);
	let home = settle(&store, &nodes, known, HexBytes(config.identity), signer).await?;
	let engine = Engine::new(home.identity.0.clone(), &config.signer, home.genesis)?;

	let (commands, command_queue) = mpsc::channel(COMMANDS);
	let (posted_queue, posted) = mpsc::channel(ANSWERS);
	let (submissions, submitted) = mpsc::channel(ANSWERS);
	let (readings, read) = mpsc::channel(ANSWERS);
	let (events, subscriber) = broadcast::channel(EVENTS);
	let trust = Trust::restore(&store, home.genesis, config.checkpoint)?;
	// Over a connection of its own: what goes wrong with reading a person's log must not touch the groups.
	let directory = Directory::starting_from(config.nodes, home.genesis, trust.chain().cloned())?;
	let core =
		Core::restore(store, engine, home.parameters, config.sponsor.is_some(), config.upkeep, StdRng::from_entropy())?;
	let actor = Actor {
		core,
		sponsor: config.sponsor,
		events,
		log: Box::new(VerifiedLog::start(nodes.clone(), trust)),
		followed: 0,
		held: None,
		feed: StatementFeed::start(nodes.clone()),
		poster: Poster::start(nodes.clone(), posted_queue),
		nodes: nodes.clone(),
		commands: command_queue,
		posted,
		submitted,
		submissions,
		directory: Arc::new(directory),
		read,
		readings,
	};
	let task = tokio::spawn(actor.run());
	Ok(Client {
		commands,
		nodes,
		genesis: home.genesis,
		events: Arc::new(subscriber),
		task: Arc::new(Mutex::new(Some(task))),
	})
}

/// What the store remembers of the chain, brought up to date from a node. Without a node the memory has to do.
async fn settle(
	store: &Store,
	nodes: &Nodes,
	known: Option<Home>,
	identity: HexBytes,
	signer: HexBytes,
) -> Result<Home, OpenError> {
	let chain = match (nodes.current().await, known) {
		(Ok(node), _) => *node.chain(),
		// Being on another chain, or having another kind of extrinsics, does not pass.
		(Err(RpcError::Unreachable { .. }), Some(home)) => return Ok(home),
		(Err(error), _) => return Err(error.into()),
	};
	let home = Home { genesis: chain.genesis, identity, signer, parameters: chain.parameters };
	let overlay = store.overlay();
	overlay.put(ONLY, &home)?;
	overlay.commit()?;
	Ok(home)
}

impl<M: Mls> Core<M> {
	/// A core on what is in the store.
	pub fn restore(
		store: Store,
		engine: M,
		parameters: OrderingParameters,
		sponsored: bool,
		upkeep: Upkeep,
		mut random: StdRng,
	) -> Result<Self, OpenError> {
		let evidence = store.overlay().list::<Evidence>(ONLY)?.len();
		let inbox = Inbox::restore(&store.overlay())?;
		let mut core = Self {
			store,
			engine,
			parameters,
			sponsored,
			upkeep,
			spread: random.next_u64(),
			random,
			actions: Vec::new(),
			finalized: 0,
			groups: BTreeMap::new(),
			creating: BTreeMap::new(),
			joining: BTreeMap::new(),
			set_back: SetBack::default(),
			restored: BTreeMap::new(),
			mailboxes: BTreeMap::new(),
			letters: Letters::default(),
			topics: BTreeMap::new(),
			inbox,
			outbox: Outbox::default(),
			watch: Watch::default(),
			claims: Claims::default(),
			evidence: u64::try_from(evidence).unwrap_or_default(),
			seen: Seen::default(),
			keys_due: None,
			#[cfg(feature = "hostile")]
			hoard: super::hostile::Hoard::default(),
		};
		core.resume()?;
		Ok(core)
	}

	/// Takes up what is in the store.
	fn resume(&mut self) -> Result<(), OpenError> {
		let store = self.store.clone();
		let overlay = store.overlay();
		// One list for all groups each: a list is a search, and there may be a thousand groups.
		let newest = EpochKeys::newest_entries(&overlay)?;
		let mut intents = stored_intents(&overlay)?;
		self.take_up_restored()?;
		for (key, membership) in overlay.list::<Membership>(ONLY)? {
			if let Some(id) = group_id(&key) {
				let tip = *membership.gate.tip();
				let mut group = Group::new(membership);
				take_up_intents(intents.remove(&id).unwrap_or_default(), &mut group);
				group.halted = self.restored.get(&id).map(|_| self.absent(&id));
				self.groups.insert(id, group);
				if self.groups.get(&id).is_some_and(Group::is_followed) && newest.get(&id) != Some(&tip.entry) {
					// Or they are there, and cannot be read.
					let keys = EpochKeys::of_epoch(&overlay, &id, tip.epoch);
					self.halt(&id, keys.err().map_or(DriveError::Apart, DriveError::from));
				}
				self.follow(&id);
				#[cfg(feature = "hostile")]
				self.hoard_keys(&id);
			}
		}
		for (key, founding) in overlay.list::<Founding>(ONLY)? {
			if let Some(id) = group_id(&key) {
				self.creating.insert(id, Creating::new(founding, None));
				self.follow_from_start(&id);
			}
		}
		for (key, invited) in overlay.list::<Invited>(ONLY)? {
			let is_followed = |id: GroupId| self.groups.get(&id).is_some_and(Group::is_followed);
			if group_id(&key).is_some_and(is_followed) {
				// The trouble has passed for which it was to be joined anew. If it was removed, its log says so, and the letter is there.
				let overlay = store.overlay();
				overlay.delete::<Invited>(&key)?;
				overlay.commit()?;
			} else {
				self.resume_joining(invited);
			}
		}
		for id in self.restored.keys().copied().collect::<Vec<_>>() {
			self.follow_restored(&id);
		}
		self.resume_watch()?;
		for (reference, Mailbox { kept_until, .. }) in overlay.list::<Mailbox>(ONLY)? {
			self.keys_are_due(kept_until);
			self.watch_mailbox(reference);
		}
		for (key, outgoing) in overlay.list::<Outgoing>(ONLY)? {
			if let Ok(number) = key.try_into() {
				self.outbox.insert(u64::from_be_bytes(number), outgoing.group, outgoing.size());
			}
		}
		let over = self.groups.iter().filter(|(id, group)| group.is_over(id)).map(|(id, _)| *id);
		for id in over.collect::<Vec<_>>() {
			self.give_up_all(&id);
		}
		self.propose_leaves_again();
		Ok(())
	}
}

/// The intents of a group that had not ended, in their order, and which of them its pending commit carries.
#[derive(Default)]
struct Intents {
	stored: Vec<(u64, StoredIntent)>,
	in_flight: InFlight,
}

fn stored_intents(overlay: &Overlay<'_>) -> Result<BTreeMap<GroupId, Intents>, StoreError> {
	let mut found: BTreeMap<GroupId, Intents> = BTreeMap::new();
	for (key, stored) in overlay.list::<StoredIntent>(ONLY)? {
		let Some((id, number)) = intent::of_key(&key) else { continue };
		found.entry(id).or_default().stored.push((number, stored));
	}
	for (key, in_flight) in overlay.list::<InFlight>(ONLY)? {
		let Some(id) = group_id(&key) else { continue };
		found.entry(id).or_default().in_flight = in_flight;
	}
	Ok(found)
}

/// A group as it is stored, to be followed from there on.
///
/// # Errors
/// Also if the disk takes no writes, or the keys of the epoch are not there.
pub(super) fn stored_group(overlay: Overlay<'_>, id: &GroupId) -> Result<Group, DriveError> {
	let stored: Option<Membership> = overlay.get(id.as_bytes())?;
	let mut group = Group::new(stored.ok_or(DriveError::Lost("the membership"))?);
	let tip = *group.gate.tip();
	let keys = EpochKeys::of_epoch(&overlay, id, tip.epoch)?;
	if keys.is_none_or(|keys| keys.entry != tip.entry) {
		return Err(DriveError::Apart);
	}
	let in_flight: Option<InFlight> = overlay.get(id.as_bytes())?;
	let listed = overlay.list::<StoredIntent>(id.as_bytes())?.into_iter();
	let stored = listed.filter_map(|(key, stored)| Some((intent::of_key(&key)?.1, stored))).collect();
	take_up_intents(Intents { stored, in_flight: in_flight.unwrap_or_default() }, &mut group);
	overlay.put(id.as_bytes(), &group.membership(&group.gate))?;
	overlay.commit()?;
	Ok(group)
}

/// Puts each where it was: carried by the pending commit, or waiting.
fn take_up_intents(intents: Intents, group: &mut Group) {
	for (number, stored) in intents.stored {
		let operation = stored.take_up(number);
		let carried = intents.in_flight.numbers.contains(&number) && !mutation::is(Mutation::ForgetInFlight);
		if group.gate.pending().is_some() && carried {
			group.current.push(operation);
		} else {
			group.waiting.push_back(operation);
		}
	}
}

fn group_id(key: &[u8]) -> Option<GroupId> {
	Some(GroupId(key.try_into().ok()?))
}

//! Against servers that answer what the test wants, with a chain that `lockstep-verifier` makes.

use super::{Directory, DirectoryError, IdentityRefusal, KeyPackageRefusal, Publication, Seed, SignedPublication};
use crate::{
	client::Verified,
	directory::{incept, DeviceKeys, IdentityExportError},
};
use jsonrpsee::{server::Server, types::ErrorObjectOwned, RpcModule};
use lockstep_primitives::{
	extrinsic::TRANSACTION_VERSION,
	identity::{Action, SignedEvent},
	rpc::{
		ChangedIdentities, FinalizedBlock, GenesisProof, HexBytes, IdentityLog, Justified, KeyPackagesProof, Links,
		RecordedEvent, StateProof, MAX_CHANGED,
	},
	BlockHash, BlockNumber, EventSignature, IdentityId, OrderingParameters,
};
use lockstep_verifier::{
	chain::{Anchor, Link},
	identity::{identity_keys, Recorded},
	layout,
	testing::{
		identity::{device, identity_key, identity_record, PersonLog},
		World,
	},
};
use std::{
	net::SocketAddr,
	sync::{
		atomic::{AtomicUsize, Ordering},
		Arc,
	},
};

mod used;
mod waiting;

/// Events in one answer.
const PAGE: usize = 2;
/// In place of more people than an honest node names.
const TOO_MANY: IdentityId = IdentityId([0xff; 32]);

/// A node, as far as it is asked here.
#[derive(Clone)]
struct Served {
	world: World,
	/// The block that it shows.
	head: BlockNumber,
	/// The read proof there.
	state: Vec<Vec<u8>>,
	log: Vec<Recorded>,
	/// What it does to the bytes of each event.
	alter: fn(&mut Vec<u8>),
	/// Whose logs have changed; it does not know the method without.
	changed: Option<Vec<IdentityId>>,
	/// The read proof of a device's stock, if it knows of stocks: then it refuses what is submitted, for its init key.
	stock: Option<Vec<Vec<u8>>>,
	/// How many blocks the chain goes on with each time that it is asked.
	pace: BlockNumber,
	/// How often it was asked for a log, for changes, or for a stock.
	asked: Arc<AtomicUsize>,
	/// What comes of what is submitted to it, if it takes that.
	takes: Option<Takes>,
}

/// Of what is submitted.
#[derive(Clone, Default)]
struct Takes {
	/// How often something was.
	times: Arc<AtomicUsize>,
	/// What the node says of the log from then on; the same as before, without.
	then: Option<Arc<Served>>,
}

impl Served {
	/// What a node says of a person at the newest block of this chain.
	fn new(world: &World, id: &IdentityId, log: &[Recorded]) -> Self {
		let state = world.state.prove(identity_keys(id));
		let (world, log, alter, asked) = (world.clone(), log.to_vec(), (|_| ()) as fn(&mut Vec<u8>), Arc::default());
		let (head, changed, stock, pace, takes) = (world.newest(), None, None, 0, None);
		Self { world, head, state, log, alter, changed, stock, pace, asked, takes }
	}

	fn asked(&self) -> usize {
		self.asked.load(Ordering::SeqCst)
	}

	/// How often it has taken something.
	fn taken(&self) -> usize {
		self.takes.as_ref().map_or(0, |takes| takes.times.load(Ordering::SeqCst))
	}

	/// What it is by now.
	fn by_now(&self) -> &Self {
		let then = self.takes.as_ref().and_then(|takes| takes.then.as_deref());
		then.filter(|_| self.taken() > 0).unwrap_or(self)
	}

	/// Where the chain is by now.
	fn now(&self) -> BlockNumber {
		(self.head + self.asked() as BlockNumber * self.pace).min(self.world.newest())
	}

	fn proven(&self, state: &[Vec<u8>]) -> (FinalizedBlock, StateProof) {
		self.asked.fetch_add(1, Ordering::SeqCst);
		let number = self.now();
		let proof = StateProof { block: justified(self.world.link(number)), state: hex(state) };
		(FinalizedBlock { number, hash: BlockHash([0; 32]) }, proof)
	}

	fn log(&self, from: u64) -> IdentityLog {
		let events = self.log.iter().enumerate().skip(from as usize).take(PAGE);
		let events = events.map(|(index, Recorded { block, event })| {
			let mut bytes = codec::Encode::encode(event);
			(self.alter)(&mut bytes);
			RecordedEvent { index: index as u64, block: *block, event: HexBytes(bytes) }
		});
		let more = self.log.len() > from as usize + PAGE;
		let (at, proof) = self.proven(&self.state);
		IdentityLog { at, events: events.collect(), more, proof: (!more).then_some(proof) }
	}

	async fn serve(&self) -> (String, jsonrpsee::server::ServerHandle) {
		let mut module = RpcModule::new(self.clone());
		module.register_method("chain_getBlockHash", |_, served, _| serde_json::json!(served.world.genesis)).unwrap();
		let version = serde_json::json!({ "specVersion": 3, "transactionVersion": TRANSACTION_VERSION });
		module.register_method("state_getRuntimeVersion", move |_, _, _| version.clone()).unwrap();
		let parameters = OrderingParameters {
			max_payload: 65536,
			candidate_interval: 20,
			contest_window: 86400,
			retention: 2_592_000,
			entry_budget: (1, 1),
			byte_budget: (1, 1),
		};
		module.register_method("ordering_parameters", move |_, _, _| serde_json::json!(parameters)).unwrap();
		let genesis = |served: &Served| {
			let Anchor::Genesis { header, proof } = served.world.anchor() else { unreachable!("it is") };
			GenesisProof { header: HexBytes(header), authorities: hex(&proof) }
		};
		module.register_method("finality_genesis", move |_, served, _| serde_json::json!(genesis(served))).unwrap();
		module
			.register_method("finality_links", |params, served, _| {
				let after: BlockNumber = params.one().unwrap();
				let ends = served.world.past.iter().map(|(number, _)| *number).filter(|number| *number > after);
				let links = ends.map(|number| justified(served.world.link(number))).collect();
				serde_json::json!(Links { links, more: false })
			})
			.unwrap();
		module
			.register_method("directory_log", |params, served, _| {
				let (_, from): (IdentityId, u64) = params.parse().unwrap();
				serde_json::json!(served.by_now().log(from))
			})
			.unwrap();
		if let Some(stock) = self.stock.clone() {
			module
				.register_method("directory_stock", move |_, served, _| {
					let (at, proof) = served.proven(&stock);
					serde_json::json!(KeyPackagesProof { at, proof: Some(proof) })
				})
				.unwrap();
		}
		if let Some(Takes { times, .. }) = self.takes.clone() {
			module
				.register_method("ordering_submit", move |_, _, _| {
					times.fetch_add(1, Ordering::SeqCst);
					serde_json::json!("taken")
				})
				.unwrap();
		} else if self.stock.is_some() {
			module
				.register_method("ordering_submit", |_, _, _| -> Result<String, ErrorObjectOwned> {
					Err(ErrorObjectOwned::owned(9001, "refused", Some("init_key_used")))
				})
				.unwrap();
		}
		if let Some(changed) = self.changed.clone() {
			let at = FinalizedBlock { number: self.head, hash: BlockHash([0; 32]) };
			let identities = Some(changed).filter(|changed| !changed.contains(&TOO_MANY));
			let answer = serde_json::json!(ChangedIdentities { at, identities });
			module
				.register_method("directory_changed", move |_, served, _| {
					served.asked.fetch_add(1, Ordering::SeqCst);
					answer.clone()
				})
				.unwrap();
		}
		let server = Server::builder().build(SocketAddr::from(([127, 0, 0, 1], 0))).await.unwrap();
		let url = format!("ws://{}", server.local_addr().unwrap());
		(url, server.start(module))
	}
}

fn justified(link: Link) -> Justified {
	Justified { header: HexBytes(link.header), justification: HexBytes(link.justification) }
}

fn hex(parts: &[Vec<u8>]) -> Vec<HexBytes> {
	parts.iter().map(|part| HexBytes(part.clone())).collect()
}

/// A chain whose authorities have changed twice, and a person with five events in its state.
fn chain() -> (World, PersonLog) {
	let mut world = World::new(4);
	world.rotate(4);
	world.blocks(3);
	world.rotate(4);
	let mut log = PersonLog::new(world.genesis, 2);
	for number in 2..6 {
		log.act(3, 1, Action::AddDevice(device(number, 100 + number)), Some(number));
	}
	show(&mut world, &log);
	(world, log)
}

/// Puts the person into the state, and makes a block of it.
fn show(world: &mut World, log: &PersonLog) {
	world.set(layout::DIRECTORY_STORAGE_VERSION, codec::Encode::encode(&1u16));
	world.set(layout::identity_key(&log.id), identity_record(&log.state()));
	world.block();
}

#[tokio::test]
async fn a_log_is_read_page_by_page() {
	let (world, log) = chain();
	let node = Served::new(&world, &log.id, &log.recorded);
	let (url, _server) = node.serve().await;
	let directory = Directory::new(vec![url], world.genesis).unwrap();
	for asked in [3, 6] {
		let (history, head) = directory.read(log.id).await.unwrap();
		assert_eq!((history.steps(), head.number), (log.history.steps(), world.newest()));
		assert_eq!(node.asked(), asked);
	}
}

/// Whatever the place of the newest block among those that end an authority set, it is no lie.
#[tokio::test]
async fn a_block_that_ends_an_authority_set_is_as_good_as_any() {
	let (mut world, log) = chain();
	for _ in 0..2 {
		world.rotate(4);
		let node = Served::new(&world, &log.id, &log.recorded);
		let (url, _server) = node.serve().await;
		let directory = Directory::new(vec![url.clone()], world.genesis).unwrap();
		assert_eq!(directory.read(log.id).await.unwrap().1.number, world.newest());
		let file = super::export_identity(&url, world.genesis, log.id).await.unwrap();
		assert_eq!(super::verify_identity(world.genesis, &file).unwrap().1.number, world.newest());
		world.rotate(4);
	}
}

#[tokio::test]
async fn a_node_that_lies_is_asked_no_more_and_one_that_is_behind_is() {
	let (mut world, log) = chain();
	let behind = Served::new(&world, &log.id, &log.recorded);
	show(&mut world, &log);
	let honest = Served::new(&world, &log.id, &log.recorded);
	let mut lying = honest.clone();
	lying.log.pop();
	lying.asked = Arc::default();
	let ((honest_url, _a), (lying_url, _b), (behind_url, _c)) =
		(honest.serve().await, lying.serve().await, behind.serve().await);

	let directory = Directory::new(vec![lying_url, honest_url, behind_url], world.genesis).unwrap();
	let pages = 3;
	assert_eq!(directory.read(log.id).await.unwrap().0.steps(), log.history.steps());
	// Until it was seen: two pages of a log that is too short.
	assert_eq!((lying.asked(), honest.asked()), (2, pages));
	directory.nodes().give_up(&directory.nodes().current().await.unwrap()).await;
	// The one that is behind has its turn, and is passed over: it shows an older block than the one known.
	for turn in 2..4 {
		assert_eq!(directory.read(log.id).await.unwrap().1.number, world.newest());
		assert_eq!((lying.asked(), honest.asked(), behind.asked()), (2, turn * pages, pages));
	}
}

/// A client has verified newer blocks than a node shows: by its number alone, where the client has not stored that block, and by
/// the chain.
#[tokio::test]
async fn what_is_older_than_what_a_client_has_verified_is_refused() {
	let (mut world, log) = chain();
	let (behind, old) = (Served::new(&world, &log.id, &log.recorded), world.followed());
	show(&mut world, &log);
	let honest = Served::new(&world, &log.id, &log.recorded);
	let ((behind_url, _a), (honest_url, _b)) = (behind.serve().await, honest.serve().await);
	let (newest, stored) = (world.newest(), [None, Some(old), Some(world.followed())]);
	for chain in stored {
		let alone = Directory::new(vec![behind_url.clone()], world.genesis).unwrap();
		assert_eq!(alone.read(log.id).await.unwrap().1.number, newest - 1, "it knows no better");
		let both = Directory::new(vec![behind_url.clone(), honest_url.clone()], world.genesis).unwrap();
		for directory in [&alone, &both] {
			directory.not_before(Verified { chain: chain.clone(), newest }).await;
			// A client that has just been opened may know less than another one did.
			directory.not_before(Verified { chain: None, newest: 1 }).await;
		}
		let refused = alone.read(log.id).await;
		assert!(matches!(refused, Err(DirectoryError::Read(IdentityExportError::Behind))), "{refused:?}");
		assert_eq!(both.read(log.id).await.unwrap().1.number, newest);
	}
}

/// An event has one encoding; a node that sends another one sends none.
#[tokio::test]
async fn an_event_in_another_encoding_is_not_read() {
	let (world, log) = chain();
	let good = Served::new(&world, &log.id, &log.recorded);
	let alterations: [fn(&mut Vec<u8>); 2] = [
		|bytes| bytes.push(0),
		// How many recovery keys the first event has, in two bytes.
		|bytes| drop(bytes.splice(169..170, [(2 << 2) | 1, 0])),
	];
	for alter in alterations {
		let (url, _server) = Served { alter, ..good.clone() }.serve().await;
		let error = super::export_identity(&url, world.genesis, log.id).await.unwrap_err();
		assert!(matches!(error, IdentityExportError::Malformed), "{error}");
		assert!(error.is_lie(), "no honest node sends it");
	}
	let (url, _server) = good.serve().await;
	assert!(super::export_identity(&url, world.genesis, log.id).await.is_ok());
}

/// Whose logs have changed is a hint: the first node that gives one stays in use, whatever it leaves out.
#[tokio::test]
async fn a_node_that_does_not_say_what_has_changed_is_left_and_one_that_does_is_not() {
	let (world, log) = chain();
	let silent = Served::new(&world, &log.id, &log.recorded);
	let hiding = Served { changed: Some(Vec::new()), ..silent.clone() };
	let honest = Served { changed: Some(vec![log.id]), ..silent.clone() };
	let ((silent_url, _a), (hiding_url, _b), (honest_url, _c)) =
		(silent.serve().await, hiding.serve().await, honest.serve().await);

	let directory = Directory::new(vec![silent_url, honest_url.clone()], world.genesis).unwrap();
	assert!(directory.changed(0).await.is_err());
	assert!(directory.changed(0).await.unwrap().people.unwrap().contains(&log.id));
	let directory = Directory::new(vec![hiding_url, honest_url], world.genesis).unwrap();
	for _ in 0..2 {
		assert!(directory.changed(0).await.unwrap().people.unwrap().is_empty());
	}
}

/// Which blocks the other one was asked about when it was in use is not known: so both are asked.
#[tokio::test]
async fn what_one_of_two_nodes_hides_the_other_tells() {
	let (world, log) = chain();
	let silent = Served::new(&world, &log.id, &log.recorded);
	let hiding = Served { changed: Some(Vec::new()), ..silent.clone() };
	let honest = Served { changed: Some(vec![log.id]), head: world.newest() - 1, ..silent.clone() };
	let ((silent_url, _a), (hiding_url, _b), (honest_url, _c)) =
		(silent.serve().await, hiding.serve().await, honest.serve().await);
	let over = |urls: [&String; 2]| Directory::new(urls.map(String::clone).to_vec(), world.genesis).unwrap();

	for (urls, until) in [
		([&hiding_url, &honest_url], honest.head),
		([&honest_url, &hiding_url], hiding.head),
		([&silent_url, &honest_url], honest.head),
	] {
		let changes = over(urls).changed_elsewhere(0).await.unwrap();
		assert_eq!((changes.until, changes.people), (until, Some([log.id].into())), "{urls:?}");
	}
	assert_eq!(over([&honest_url, &silent_url]).changed_elsewhere(0).await, None, "no other one says it");

	// One count for all three.
	let asked = honest.asked();
	assert_eq!(over([&honest_url, &honest_url]).changed_elsewhere(0).await, None, "it is one node");
	let directory = over([&hiding_url, &honest_url]);
	let other = directory.nodes().another(&directory.nodes().current().await.unwrap()).await.unwrap();
	directory.nodes().ban(&other, "a lie").await;
	assert_eq!(directory.changed_elsewhere(0).await, None, "it has lied");
	assert_eq!(honest.asked(), asked, "nobody is asked");
}

/// An honest one says that it does not know, in place of that.
#[tokio::test]
async fn a_node_that_names_more_people_than_it_may_has_not_answered() {
	let (world, log) = chain();
	let honest = Served { changed: Some(vec![log.id]), ..Served::new(&world, &log.id, &log.recorded) };
	let naming = |stranger, count| Served { changed: Some(vec![IdentityId([stranger; 32]); count]), ..honest.clone() };
	let (most, more, too_many) = (naming(9, MAX_CHANGED), naming(9, MAX_CHANGED + 1), naming(0xff, 1));
	let ((honest_url, _a), (most_url, _b), (more_url, _c), (too_many_url, _d)) =
		(honest.serve().await, most.serve().await, more.serve().await, too_many.serve().await);
	let over = |urls: [&String; 2]| Directory::new(urls.map(String::clone).to_vec(), world.genesis).unwrap();

	let directory = over([&more_url, &honest_url]);
	assert!(directory.changed(0).await.is_err());
	assert!(directory.changed(0).await.unwrap().people.unwrap().contains(&log.id), "it is left for the next");
	assert_eq!(over([&honest_url, &more_url]).changed_elsewhere(0).await, None);
	let people = over([&more_url, &honest_url]).changed_elsewhere(0).await.unwrap().people;
	assert_eq!(people.unwrap().len(), 1, "what it has named is not read");

	let people = over([&honest_url, &most_url]).changed_elsewhere(0).await.unwrap().people;
	assert_eq!(people.unwrap().len(), 2);
	let changes = over([&honest_url, &too_many_url]).changed_elsewhere(0).await.unwrap();
	assert_eq!((changes.until, changes.people), (too_many.head, None), "it has answered");
	let changes = over([&too_many_url, &honest_url]).changed_elsewhere(0).await.unwrap();
	assert_eq!(changes.people, None, "the one in use does not know, and the other may hide somebody");
}

/// A runtime that this library does not know yet is no lie: after an update the same node is as good as before.
#[tokio::test]
async fn a_layout_that_is_not_known_is_no_lie() {
	let (mut world, log) = chain();
	world.set(layout::DIRECTORY_STORAGE_VERSION, codec::Encode::encode(&2u16));
	world.block();
	let node = Served::new(&world, &log.id, &log.recorded);
	let (url, _server) = node.serve().await;
	let directory = Directory::new(vec![url], world.genesis).unwrap();
	for _ in 0..2 {
		let error = directory.read(log.id).await.unwrap_err();
		assert!(error.to_string().contains("update the library"), "{error}");
	}
}

#[tokio::test]
async fn what_the_rules_refuse_is_not_submitted() {
	let (world, log) = chain();
	let node = Served::new(&world, &log.id, &log.recorded);
	// It has no method to submit anything.
	let (url, _server) = node.serve().await;
	let directory = Directory::new(vec![url], world.genesis).unwrap();
	let refused = async |event: &SignedEvent| match directory.record(event).await {
		Err(DirectoryError::Refused(refusal)) => refusal,
		other => panic!("{other:?}"),
	};
	let mut event = log.next(1, Action::AddDevice(device(9, 109)), Some(9));
	event.signature.0[0] ^= 1;
	assert_eq!(refused(&event).await, IdentityRefusal::BadSignature);
	let stranger = log.next(9, Action::AddDevice(device(9, 109)), Some(9));
	assert_eq!(refused(&stranger).await, IdentityRefusal::NotAuthorised);
	let again = log.next(1, Action::AddDevice(device(2, 102)), Some(2));
	assert_eq!(refused(&again).await, IdentityRefusal::KeyUsed);
	let mut far = log.next(1, Action::RevokeDevice(identity_key(2)), None);
	far.event.index += 1;
	assert_eq!(refused(&far).await, IdentityRefusal::BadSequence);

	// What is in the log is done; what has lost its place has lost it for good.
	assert_eq!(directory.record(&log.recorded[2].event).await.unwrap().steps(), log.history.steps());
	let mut other = log.recorded[2].event.clone();
	other.event.action = Action::SetOperator(None);
	let lost = directory.record(&other).await;
	assert!(matches!(lost, Err(DirectoryError::Superseded { index: 2, .. })), "{lost:?}");
}

/// Neither goes to a node if the other would be refused.
#[tokio::test]
async fn an_event_goes_with_what_a_device_publishes_that_is_there_after_it() {
	let (world, log) = chain();
	let node = Served::new(&world, &log.id, &log.recorded);
	// It has no method to submit anything, and none to read a stock.
	let (url, _server) = node.serve().await;
	let directory = Directory::new(vec![url], world.genesis).unwrap();
	let published = |identity, number| {
		let (packages, last_resort) = (Default::default(), None);
		let device = identity_key(number);
		let publication = Publication { identity, device, number: 0, replace: true, lapse: 9, packages, last_resort };
		SignedPublication { publication, signature: EventSignature([0; 64]) }
	};
	let event = log.next(1, Action::RevokeDevice(identity_key(2)), None);
	for (identity, number) in [(log.id, 2), (log.id, 9), (IdentityId([9; 32]), 3)] {
		let refused = directory.record_and_publish(&event, &published(identity, number)).await;
		let is_refused = matches!(refused, Err(DirectoryError::KeyPackages(KeyPackageRefusal::UnknownDevice)));
		assert!(is_refused, "{number}: {refused:?}");
	}
	let mut bad = event.clone();
	bad.signature.0[0] ^= 1;
	let refused = directory.record_and_publish(&bad, &published(log.id, 3)).await;
	assert!(matches!(refused, Err(DirectoryError::Refused(IdentityRefusal::BadSignature))), "{refused:?}");
	let unread = directory.record_and_publish(&event, &published(log.id, 3)).await;
	assert!(matches!(unread, Err(DirectoryError::Read(_))), "as far as it gets: {unread:?}");

	// The event is there, and of the KeyPackages nothing is known.
	let recorded = &log.recorded[2].event;
	let half = directory.record_and_publish(recorded, &published(log.id, 3)).await;
	assert!(matches!(half, Err(DirectoryError::NotPublished(_))), "{half:?}");
}

/// Once an event may be on its way, no trouble with a node makes it seem not to be.
#[tokio::test]
async fn an_identity_that_is_not_there_is_told_from_trouble() {
	let (world, log) = chain();
	let keys = DeviceKeys { current: Seed::new([1; 32]), next: Seed::new([2; 32]) };
	let nobody = incept(&world.genesis, &keys, Default::default(), None).event.identity;
	let node = Served::new(&world, &nobody, &[]);
	let (url, server) = node.serve().await;
	let directory = Directory::new(vec![url], world.genesis).unwrap();
	assert!(matches!(directory.read(nobody).await, Err(DirectoryError::Unknown(id)) if id == nobody));
	assert!(matches!(directory.read(log.id).await, Err(DirectoryError::Read(_))), "the proof is of another");
	server.stop().unwrap();
	server.stopped().await;
	let gone = directory.read(nobody).await;
	assert!(matches!(gone, Err(DirectoryError::Read(IdentityExportError::Rpc(_)))), "{gone:?}");
}

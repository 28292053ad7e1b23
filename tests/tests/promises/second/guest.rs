//! A member of mls-rs on a real network: it believes no node more than section 11 lets it, and finds people and their KeyPackages by
//! the directory.

use super::{
	member::member,
	reader::{Binding, Reader, Waiting, When},
};
use crate::person::{broken, Enrolled};
use codec::Encode;
use jsonrpsee::core::client::Subscription;
use lockstep_client::{
	directory::Claimed,
	log::{LogCursor, VerifiedEntry},
	rpc::{Node, StatementEvent, StatementOutcome},
	voucher::HeldVoucher,
};
use lockstep_primitives::{
	rpc::{FinalizedEntries, HexBytes, Justified, Position},
	BlockNumber, GroupId, IdentityId, IdentityKey,
};
use lockstep_tests::{within, Network, Result};
use lockstep_verifier::{prove_groups, FinalityError, FinalizedChain, History};
use mls_rs::client_builder::MlsConfig;
use std::{collections::BTreeMap, time::Duration};

const PATIENCE: Duration = Duration::from_secs(90);

/// A group's log, as far as it was received.
struct Log {
	group: GroupId,
	cursor: LogCursor,
	/// Entries that are not proven yet.
	waiting: Vec<VerifiedEntry>,
}

/// See the module.
pub struct Guest<C: MlsConfig> {
	pub person: Enrolled,
	pub reader: Reader<C>,
	node: Node,
	chain: FinalizedChain,
	log: Option<Log>,
	entries: Subscription<FinalizedEntries>,
	listening: (String, Subscription<StatementEvent>),
	people: BTreeMap<IdentityId, History>,
}

/// Somebody new, who asks this node.
pub async fn guest(network: &Network, index: usize) -> Result<Guest<impl MlsConfig>> {
	let person = Enrolled::new(network, index).await?;
	let node = Node::connect(&network.url(index), Some(person.genesis)).await.map_err(broken)?;
	let genesis = node.finality_genesis().await.map_err(broken)?;
	let chain = FinalizedChain::from_genesis(person.genesis, &genesis.header.0, &bytes(&genesis.authorities));
	let entries = node.subscribe_entries(&[]).await.map_err(broken)?;
	let listening = node.subscribe_statements().await.map_err(broken)?;
	let reader = Reader::new(member(&person.id.0, person.device.current.as_bytes(), person.genesis));
	let chain = chain.map_err(broken)?;
	Ok(Guest { person, reader, node, chain, log: None, entries, listening, people: BTreeMap::new() })
}

fn bytes(nodes: &[HexBytes]) -> Vec<Vec<u8>> {
	nodes.iter().map(|node| node.0.clone()).collect()
}

impl<C: MlsConfig> Guest<C> {
	/// Publishes KeyPackages, which can be claimed up to this block.
	pub async fn publish(&mut self, count: usize, lapse: BlockNumber) -> Result<()> {
		let packages = (0..count).map(|_| self.reader.key_package()).collect::<Result<_>>()?;
		self.person.publish(packages, None, lapse).await.map(drop)
	}

	/// Commits until an entry carries a commit of its own, and follows it: adds whose KeyPackages it has claimed, or renews its keys.
	pub async fn commit(&mut self, claimed: Option<(&Claimed, &HeldVoucher)>) -> Result<()> {
		let mut packages = Vec::new();
		for one in claimed.iter().flat_map(|(claimed, _)| &claimed.packages) {
			packages.push(one.bytes.to_vec());
		}
		let seed =
			|(claimed, voucher): (&Claimed, &HeldVoucher)| voucher.envelope_key(claimed).seed.encode().try_into();
		let claim = claimed.map(seed).transpose().map_err(|_| broken("a seed has 32 bytes"))?;
		loop {
			let append = self.reader.commit(&packages, claim)?;
			let (parent, wanted) = (append.parent, append.next_key);
			// What comes of it is in the log.
			drop(self.node.submit(append.to_extrinsic()).await);
			let opened = |reader: &mut Reader<C>| {
				let tip = reader.member.seat().ok()?.tip();
				(tip.entry != parent).then(|| tip.public())
			};
			if self.until("an entry", opened).await? == wanted {
				return Ok(());
			}
		}
	}

	/// Says something to the group.
	pub async fn say(&mut self, text: &[u8]) -> Result<()> {
		self.reader.say(text)?;
		self.until("a node to take it", |reader| reader.outbox.is_empty().then_some(())).await
	}

	/// Takes in what comes until it has what is looked for.
	pub async fn until<T>(&mut self, what: &str, mut found: impl FnMut(&mut Reader<C>) -> Option<T>) -> Result<T> {
		let looking = async {
			loop {
				self.go_on().await?;
				if let Some(found) = found(&mut self.reader) {
					return Ok(found);
				}
				tokio::select! {
					message = self.entries.next() => match message {
						Some(message) => self.on_entries(message.map_err(broken)?).await?,
						None => return Err(broken("the node ended its stream of entries")),
					},
					event = self.listening.1.next() => match event {
						Some(event) => self.on_statements(event.map_err(broken)?),
						None => return Err(broken("the node ended its stream of statements")),
					},
				}
			}
		};
		within(PATIENCE, format!("{what}, for a member of mls-rs"), looking).await?
	}

	async fn go_on(&mut self) -> Result<()> {
		loop {
			let people = &self.people;
			let is_device = |(identity, key): &Binding, when: When| {
				let (Ok(id), Ok(key)) = (<[u8; 32]>::try_from(&identity[..]), <[u8; 32]>::try_from(&key[..])) else {
					return Some(false);
				};
				let history = people.get(&IdentityId(id)).filter(|history| history.until() >= when.block())?;
				Some(match when {
					When::In(block) => history.has_device_at(&IdentityKey(key), block),
					When::UpTo(block) => (0..=block).any(|block| history.has_device_at(&IdentityKey(key), block)),
				})
			};
			match self.reader.go_on(is_device)? {
				Waiting::Person(identity, block) => {
					let id = IdentityId(<[u8; 32]>::try_from(&identity[..]).map_err(|_| broken("no identity"))?);
					self.look_up(id, block).await?;
				}
				Waiting::Input => break,
			}
		}
		for topic in self.reader.new_topics() {
			let filter = self.node.add_statement_filter(&self.listening.0, &topic).await.map_err(broken)?;
			assert!(filter.is_some(), "there are few topics");
		}
		if let Some(group) = self.reader.invited_to.filter(|_| self.log.is_none()) {
			self.log = Some(Log { group, cursor: LogCursor::start(&self.person.genesis, &group), waiting: Vec::new() });
			self.entries = self.node.subscribe_entries(&[Position { group, from: 0 }]).await.map_err(broken)?;
		}
		let mut left = Vec::new();
		for statement in std::mem::take(&mut self.reader.outbox) {
			match self.node.submit_statement(statement.clone()).await.map_err(broken)? {
				StatementOutcome::Stored => {}
				// The key has an allowance as soon as the node knows the entry that names it: with the next block.
				StatementOutcome::Later(_) => left.push(statement),
				other => return Err(broken(format!("a node does not take a statement: {other:?}"))),
			}
		}
		self.reader.outbox = left;
		Ok(())
	}

	/// Reads the log of a person up to a block.
	async fn look_up(&mut self, id: IdentityId, block: BlockNumber) -> Result<()> {
		loop {
			let (history, _) = self.person.directory.read(id).await.map_err(broken)?;
			if history.until() >= block {
				self.people.insert(id, history);
				return Ok(());
			}
		}
	}

	fn on_statements(&mut self, event: StatementEvent) {
		let statements = match event {
			StatementEvent::ReplayStatements { statements } => statements,
			StatementEvent::NewStatements { statements } => statements.into_iter().map(|new| new.statement).collect(),
			_ => Vec::new(),
		};
		statements.iter().for_each(|statement| self.reader.on_statement(&statement.0));
	}

	async fn on_entries(&mut self, message: FinalizedEntries) -> Result<()> {
		for (group, entry) in message.entries {
			let Some(log) = self.log.as_mut().filter(|log| log.group == group) else { continue };
			let entry = log.cursor.admit(entry).map_err(broken)?;
			log.waiting.push(entry);
		}
		let Some(proof) = message.proof.filter(|_| !message.more) else { return Ok(()) };
		if !self.verify(&proof.block).await? {
			return Ok(());
		}
		self.reader.finalized = self.chain.head().number;
		let proven = prove_groups(self.chain.head(), &bytes(&proof.state), &proof.groups).map_err(broken)?;
		let Some(log) = &mut self.log else { return Ok(()) };
		for (group, state) in proof.groups.iter().zip(proven.states) {
			if *group != log.group {
				continue;
			}
			if state.map(|state| state.head) != Some(log.cursor.head) {
				return Err(broken("the node leaves entries out, or makes them up"));
			}
			log.waiting.drain(..).for_each(|entry| self.reader.on_entry(entry));
		}
		Ok(())
	}

	/// Whether a block is final, and newer than what was known to be.
	async fn verify(&mut self, block: &Justified) -> Result<bool> {
		match self.chain.advance(&block.header.0, &block.justification.0) {
			Ok(_) => return Ok(true),
			Err(FinalityError::Stale { .. }) => return Ok(false),
			// The validators have changed since.
			Err(_) => {}
		}
		loop {
			let after = self.chain.head().number;
			let answer = self.node.finality_links(after).await.map_err(broken)?;
			for link in &answer.links {
				self.chain.advance(&link.header.0, &link.justification.0).map_err(broken)?;
			}
			if !answer.more {
				break;
			}
		}
		match self.chain.advance(&block.header.0, &block.justification.0) {
			Ok(_) => Ok(true),
			Err(FinalityError::Stale { .. }) => Ok(false),
			Err(error) => Err(broken(error)),
		}
	}
}

//! What a member makes of entries and statements, in whatever order they come: it joins when it is invited, goes on with each valid
//! entry, and reads what the others say.

use super::{
	group::{is_of_people, leaves},
	letters::{invitations, LetterKey},
	member::Member,
	statement::{statement, Heard, Statement},
	verdict::{Candidate, Judged},
};
use crate::person::broken;
use lockstep_client::log::VerifiedEntry;
use lockstep_primitives::{
	extrinsic::Append,
	topic::{group_topic, mailbox_topic},
	BlockNumber, EntryHash, GroupId,
};
use lockstep_tests::Result;
use mls_rs::client_builder::MlsConfig;
use std::collections::{BTreeMap, BTreeSet};

/// When a key has to have been a device of a person.
#[derive(Clone, Copy)]
pub enum When {
	/// In this block.
	In(BlockNumber),
	/// In any up to this one.
	UpTo(BlockNumber),
}

impl When {
	pub fn block(self) -> BlockNumber {
		match self {
			Self::In(block) | Self::UpTo(block) => block,
		}
	}
}

/// An identity and a signature key.
pub type Binding = (Vec<u8>, Vec<u8>);

/// What stops it for now.
pub enum Waiting {
	/// More of the log, or of what others say.
	Input,
	/// The log of this person.
	Person(Vec<u8>, BlockNumber),
}

/// See the module.
pub struct Reader<C: MlsConfig> {
	pub member: Member<C>,
	/// The KeyPackageRefs of those that it has made.
	references: Vec<Vec<u8>>,
	letter: Option<LetterKey>,
	/// The log, from its beginning on.
	entries: Vec<VerifiedEntry>,
	depths: BTreeMap<EntryHash, u64>,
	next: usize,
	statements: Vec<Statement>,
	/// The group that it is invited to.
	pub invited_to: Option<GroupId>,
	/// The newest final block.
	pub finalized: BlockNumber,
	/// The block of the entry that opened the epoch.
	began: BlockNumber,
	/// What others have said: who, and what.
	pub heard: Vec<Binding>,
	/// Entries that do not count, and why.
	pub skipped: Vec<(EntryHash, String)>,
	/// Statements to be posted.
	pub outbox: Vec<Vec<u8>>,
	/// What signs the envelopes to those whose KeyPackages it has claimed.
	claim: Option<[u8; 32]>,
	/// The topics that were asked for.
	asked: BTreeSet<[u8; 32]>,
}

impl<C: MlsConfig> Reader<C> {
	pub fn new(member: Member<C>) -> Self {
		Self {
			member,
			references: Vec::new(),
			letter: None,
			entries: Vec::new(),
			depths: BTreeMap::new(),
			next: 0,
			statements: Vec::new(),
			invited_to: None,
			finalized: 0,
			began: 0,
			heard: Vec::new(),
			skipped: Vec::new(),
			outbox: Vec::new(),
			claim: None,
			asked: BTreeSet::new(),
		}
	}

	/// Makes a KeyPackage, and listens to its mailbox from then on.
	pub fn key_package(&mut self) -> Result<Vec<u8>> {
		let (package, reference) = self.member.key_package()?;
		self.references.push(reference);
		Ok(package)
	}

	/// The topics that it listens to.
	pub fn topics(&self) -> Vec<[u8; 32]> {
		let mailboxes = self.references.iter().map(|reference| mailbox_topic(reference));
		let letter = self.letter.iter().map(LetterKey::topic);
		mailboxes.chain(letter).chain(self.invited_to.iter().map(group_topic)).collect()
	}

	/// Those of them that it has not asked for before.
	pub fn new_topics(&mut self) -> Vec<[u8; 32]> {
		let topics = self.topics();
		topics.into_iter().filter(|topic| self.asked.insert(*topic)).collect()
	}

	pub fn has_asked(&self, topic: &[u8; 32]) -> bool {
		self.asked.contains(topic)
	}

	/// The next entry of the log, which is final.
	pub fn on_entry(&mut self, entry: VerifiedEntry) {
		let depth = self.depths.get(&entry.header.parent).map_or(0, |parent| parent + 1);
		self.depths.insert(entry.header.hash, depth);
		self.entries.push(entry);
	}

	pub fn on_statement(&mut self, bytes: &[u8]) {
		self.statements.extend(Statement::read(bytes).filter(|statement| self.topics().contains(&statement.topic)));
	}

	/// Goes as far as it can. `people` says whether a key was a device of a person, if it knows.
	pub fn go_on(&mut self, people: impl Fn(&Binding, When) -> Option<bool>) -> Result<Waiting> {
		if !self.member.is_seated() {
			if let Some(waiting) = self.join(&people)? {
				return Ok(waiting);
			}
		}
		if let Some(waiting) = self.follow(&people)? {
			return Ok(waiting);
		}
		self.listen()?;
		Ok(Waiting::Input)
	}

	fn join(&mut self, people: &impl Fn(&Binding, When) -> Option<bool>) -> Result<Option<Waiting>> {
		if self.letter.is_none() {
			let opened = self.references.iter().find_map(|reference| {
				let mut here = self.statements.iter().filter(|one| one.topic == mailbox_topic(reference));
				// Whoever has seen the KeyPackage can put anything there.
				here.find_map(|envelope| self.member.open_envelope(reference, &envelope.data).ok())
			});
			self.letter = opened;
		}
		let Some(key) = &self.letter else { return Ok(Some(Waiting::Input)) };
		let mut here = self.statements.iter().filter(|one| one.topic == key.topic());
		let Some(letter) = here.find_map(|one| key.open(&one.data).ok()) else { return Ok(Some(Waiting::Input)) };
		self.invited_to = Some(letter.group);
		let index = usize::try_from(letter.index).map_err(broken)?;
		let Some(entry) = self.entries.get(index) else { return Ok(Some(Waiting::Input)) };
		let (header, depth) = (entry.header, self.depths.get(&letter.entry).copied().unwrap_or_default());
		if header.hash != letter.entry {
			return Err(broken("the letter names an entry that is not there"));
		}
		let seat = self.member.join(&letter, depth, header.next_key)?;
		if is_of_people(&seat.data) {
			for leaf in leaves(&seat.mls) {
				let leaf = (leaf.identity, leaf.key);
				match people(&leaf, When::UpTo(header.block)) {
					Some(true) => {}
					Some(false) => return Err(broken("a leaf is no device")),
					None => return Ok(Some(Waiting::Person(leaf.0, header.block))),
				}
			}
		}
		self.member.sit(seat);
		(self.next, self.began) = (index + 1, header.block);
		Ok(None)
	}

	fn follow(&mut self, people: &impl Fn(&Binding, When) -> Option<bool>) -> Result<Option<Waiting>> {
		while let Some(entry) = self.entries.get(self.next) {
			let header = entry.header;
			let payload = entry.payload.as_deref().ok_or_else(|| broken("the node has deleted a commit"))?;
			let (hash, parent, next_key) = (header.hash, header.parent, header.next_key);
			let next = match self.member.judge(Candidate { hash, parent, next_key, payload })? {
				Judged::Elsewhere => None,
				Judged::Invalid(reason) => {
					self.skipped.push((hash, reason));
					None
				}
				Judged::Valid(next) => {
					let mut counts = true;
					for leaf in &next.brought_in {
						match people(leaf, When::In(header.block)) {
							Some(is_device) => counts &= is_device,
							None => return Ok(Some(Waiting::Person(leaf.0.clone(), header.block))),
						}
					}
					if !counts {
						self.skipped.push((hash, "a leaf is no device".to_owned()));
					}
					counts.then_some(next)
				}
			};
			if let Some(next) = next {
				let own = self.member.advance(*next)?;
				self.began = header.block;
				if let Some(own) = own {
					let seat = self.member.seat()?;
					let epoch = seat.tip().ordering_seed;
					for (nth, (topic, data)) in invitations(&own, seat.group, hash, header.index)?.iter().enumerate() {
						// The letter comes first, and is the group's.
						let seed = self.claim.filter(|_| nth > 0).unwrap_or(epoch);
						self.outbox.push(statement(&seed, topic, data, 0)?);
					}
				}
			}
			self.next += 1;
		}
		Ok(None)
	}

	fn listen(&mut self) -> Result<()> {
		let Some(topic) = self.invited_to.map(|group| group_topic(&group)) else { return Ok(()) };
		for statement in std::mem::take(&mut self.statements) {
			if statement.topic != topic {
				continue;
			}
			match self.member.hear(&statement)? {
				Heard::Message { sender, data } => self.heard.push((sender, data)),
				Heard::Unknown => self.statements.push(statement),
				Heard::Nothing => {}
			}
		}
		Ok(())
	}

	/// Says something to the group.
	pub fn say(&mut self, text: &[u8]) -> Result<()> {
		let age = u64::from(self.finalized.saturating_sub(self.began));
		let statement = self.member.say(text, age)?;
		self.outbox.push(statement);
		Ok(())
	}

	/// Makes a commit, to be submitted. `claim` is the seed of the voucher that has paid for these KeyPackages, if any has.
	pub fn commit(&mut self, key_packages: &[Vec<u8>], claim: Option<[u8; 32]>) -> Result<Append> {
		self.claim = claim;
		self.member.commit(key_packages)
	}
}

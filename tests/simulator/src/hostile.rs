//! What hostile members do, and those who are members no more (P4).

use crate::{
	chain::{Kind, Transaction, GENESIS},
	flavour::{DiceOf, Flavour, KindOf},
	world::{Happening, World},
};
use ed25519_dalek::{Signer, SigningKey};
use lockstep_client::GroupState;
use lockstep_primitives::{
	endorsement_payload, extrinsic::Append, payload_hash, Endorsement, EntryHash, GroupId, OrderingKey, Refusal,
};

impl<F: Flavour> World<F> {
	/// Something hostile, now and then.
	pub(crate) fn misbehave(&mut self) {
		let Some(group) = self.group else { return };
		if self.dice.chance(150) {
			self.come_back(&group);
		}
		// Best where nothing waits yet: then it comes first.
		let crowded = self.nodes.waiting(&mut self.dice).is_some();
		if self.deeds >= self.weather.deeds || !self.dice.chance(if crowded { 150 } else { 300 }) {
			return;
		}
		let is_in = |one: &crate::member::Member<F>| {
			one.position(&group).is_some_and(|position| position.state == GroupState::Active)
		};
		let hostile: Vec<usize> = (0..self.members.len())
			.filter(|at| self.members.get(*at).is_some_and(|one| !one.honest && is_in(one)))
			.collect();
		let Some(member) = self.dice.pick(&hostile) else { return };
		// A commit that waits can be taken.
		let deed = if crowded && self.dice.chance(700) { 3 } else { self.dice.below(7) };
		let made = match deed {
			0 => self.garbage(member, &group, false),
			1 => self.garbage(member, &group, true),
			2 => self.wrong_key(member, &group),
			3 => self.reseal(member, &group),
			4 => self.good(member, &group),
			_ => self.broken(member, &group),
		};
		let Some((append, kind)) = made else { return };
		self.deeds = self.deeds.saturating_add(1);
		let Append { group, parent, payload, next_key, endorsement } = append;
		let transaction = Transaction::new(member, kind, group, parent, payload, next_key, endorsement);
		let (name, kind) = (member, &transaction.kind);
		let line = format!("hostile m{name:02} submits {kind:?}");
		self.tell(|| line);
		// To all nodes at once: it wants to win.
		for node in 0..crate::world::NODES {
			let transaction = transaction.clone();
			self.later(0, Happening::Submit { member, life: 0, node, transaction });
		}
	}

	/// The newest key of a member, and the entry that opened its epoch.
	fn key(&self, member: usize, group: &GroupId) -> Option<(EntryHash, SigningKey)> {
		let one = self.members.get(member)?;
		let tip = one.position(group)?.tip.entry;
		let keys = one.client.as_ref()?.hostile_keys(group);
		let (_, seed) = keys.iter().find(|(entry, _)| *entry == tip)?;
		Some((tip, SigningKey::from_bytes(seed)))
	}

	fn endorse(
		&self,
		(parent, key): (EntryHash, &SigningKey),
		group: &GroupId,
		payload: Vec<u8>,
		next_key: OrderingKey,
	) -> Append {
		let message = endorsement_payload(&GENESIS, group, &parent, &payload_hash(&payload), &next_key);
		let endorsement = Endorsement(key.sign(&message).to_bytes());
		Append { group: *group, parent, payload, next_key, endorsement }
	}

	fn any_key(&mut self) -> OrderingKey {
		let seed = self.dice.bytes(32).try_into().unwrap_or([0; 32]);
		OrderingKey(SigningKey::from_bytes(&seed).verifying_key().to_bytes())
	}

	/// Bytes that mean nothing, sealed or not.
	fn garbage(&mut self, member: usize, group: &GroupId, sealed: bool) -> Option<(Append, Kind)> {
		let (bytes, next_key) = (self.dice.bytes(40), self.any_key());
		let (parent, key) = self.key(member, group)?;
		let client = self.members.get(member)?.client.as_ref()?;
		let payload = if sealed { client.hostile_seal(group, &bytes)? } else { bytes };
		Some((self.endorse((parent, &key), group, payload, next_key), Kind::Bad))
	}

	/// A good commit under a key that its epoch does not have.
	fn wrong_key(&mut self, member: usize, group: &GroupId) -> Option<(Append, Kind)> {
		let next_key = self.any_key();
		let (parent, key) = self.key(member, group)?;
		let append = self.members.get(member)?.client.as_ref()?.hostile_commit(group)?;
		Some((self.endorse((parent, &key), group, append.payload, next_key), Kind::WrongKey))
	}

	/// A good commit that its maker does not keep.
	fn good(&mut self, member: usize, group: &GroupId) -> Option<(Append, Kind)> {
		Some((self.members.get(member)?.client.as_ref()?.hostile_commit(group)?, Kind::Good))
	}

	/// Another member's commit, before it is in a block: sealed anew, or as it is, under the right key or a wrong one.
	fn reseal(&mut self, member: usize, group: &GroupId) -> Option<(Append, Kind)> {
		let waiting = self.nodes.waiting(&mut self.dice).filter(|waiting| waiting.kind == Kind::Good)?;
		let (wrong, anew, other) = (self.dice.chance(500), self.dice.chance(500), self.any_key());
		let (parent, key) = self.key(member, group)?;
		if waiting.parent != parent || waiting.from == member {
			return None;
		}
		let client = self.members.get(member)?.client.as_ref()?;
		let payload = if anew {
			client.hostile_seal(group, &client.hostile_open(group, &waiting.payload)?)?
		} else {
			waiting.payload.clone()
		};
		let (next_key, kind) =
			if wrong { (other, Kind::WrongKey) } else { (waiting.next_key, Kind::Resealed(waiting.payload_hash)) };
		Some((self.endorse((parent, &key), group, payload, next_key), kind))
	}

	/// A commit that is wrong in itself, for all or for some.
	fn broken(&mut self, member: usize, group: &GroupId) -> Option<(Append, Kind)> {
		let victims: Vec<(usize, String)> = self
			.members
			.iter()
			.enumerate()
			.filter(|(at, one)| *at != member && *at != 0 && one.known.contains_key(group))
			.map(|(at, one)| (at, one.name.clone()))
			.collect();
		let client = self.members.get(member)?.client.as_ref()?;
		let (append, KindOf(kind)) = F::broken(client, group, &victims, &mut DiceOf(&mut self.dice))?;
		Some((append, kind))
	}

	/// One who was removed tries every key that it ever had on the newest entry: the chain must refuse all of them (P4).
	fn come_back(&mut self, group: &GroupId) {
		let out: Vec<usize> = (0..self.members.len())
			.filter(|at| {
				let position = self.members.get(*at).and_then(|one| one.position(group));
				position.is_some_and(|position| position.state == GroupState::Removed)
			})
			.collect();
		let Some(member) = self.dice.pick(&out) else { return };
		let Some(client) = self.members.get(member).and_then(|one| one.client.as_ref()) else { return };
		let keys = client.hostile_keys(group);
		let Some(history) = self.oracle.groups.get(group) else { return };
		let Some(tip) = history.path.last().map(|entry| entry.header.hash) else { return };
		let name = self.members.get(member).map(|one| one.name.clone().into_bytes()).unwrap_or_default();
		if history.epoch(&tip).is_none_or(|epoch| epoch.members.contains(&name)) {
			return;
		}
		let next_key = self.any_key();
		for (_, seed) in keys {
			let payload = self.dice.bytes(40);
			let key = SigningKey::from_bytes(&seed);
			let Append { group, parent, payload, next_key, endorsement } =
				self.endorse((tip, &key), group, payload, next_key);
			let attempt = Transaction::new(member, Kind::Bad, group, parent, payload, next_key, endorsement);
			let late = self.chain.finalized_height().saturating_add(1_000);
			match self.chain.finalized().admit(&attempt, late) {
				Err(Refusal::BadEndorsement) => {}
				other => self.fail(format!("m{member:02} was removed, and its key is {other:?} on the newest entry")),
			}
		}
	}
}

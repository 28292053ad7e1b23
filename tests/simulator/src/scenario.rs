//! What members are asked to do.

use crate::{flavour::Flavour, promises::Taken, world::World};
use lockstep_client::{GroupState, Intent};
use lockstep_primitives::{rpc::HexBytes, GroupId};

/// Blocks between two invitations of the same member.
const INVITED: u32 = 15;

impl<F: Flavour> World<F> {
	/// The first block: one member makes the group.
	pub(crate) fn begin(&mut self) {
		for member in 0..self.members.len() {
			self.open(member);
		}
		self.step(0, |client| client.create());
	}

	/// What members want in this block.
	pub(crate) fn operate(&mut self) {
		let Some(group) = self.group else { return self.insist_on_the_group() };
		if !self.dice.chance(self.weather.operation) {
			return;
		}
		match self.dice.below(100) {
			0..34 => self.speak(&group),
			34..56 => self.race(&group),
			56..72 => self.invite(&group),
			72..80 => self.remove(&group),
			80..84 => self.leave(&group),
			84..92 => self.acknowledge(),
			92..96 => self.change_node(),
			_ => self.put_out_cut_off(&group),
		}
	}

	/// A creation that was asked for by a client that was killed before it was stored is asked for again.
	fn insist_on_the_group(&mut self) {
		let Some(founder) = self.members.first() else { return };
		if founder.client.is_some() && founder.follows.is_empty() {
			self.step(0, |client| client.create());
		}
	}

	/// Those who follow the group.
	pub(crate) fn active(&self, group: &GroupId) -> Vec<usize> {
		let is_in = |at: &usize| {
			let position = self.members.get(*at).and_then(|one| one.position(group));
			position.is_some_and(|position| position.state == GroupState::Active)
		};
		(0..self.members.len()).filter(is_in).collect()
	}

	pub(crate) fn some_active(&mut self, group: &GroupId) -> Option<usize> {
		let active = self.active(group);
		self.dice.pick(&active)
	}

	fn speak(&mut self, group: &GroupId) {
		let Some(member) = self.some_active(group) else { return };
		self.say(member, group);
	}

	/// A member sends a message.
	pub(crate) fn say(&mut self, member: usize, group: &GroupId) -> Option<Vec<u8>> {
		let one = self.members.get_mut(member)?;
		one.spoke = one.spoke.saturating_add(1);
		let text = format!("{} says {}", one.name, one.spoke).into_bytes();
		let (group, said) = (*group, text.clone());
		// Before it is known whether it is taken: others may read it at once.
		one.promises.sent.insert(text.clone(), true);
		let mut told = false;
		let keep = |world: &mut Self, sent: &Result<(), _>| {
			if let Some(one) = world.members.get_mut(member).filter(|_| sent.is_ok()) {
				one.promises.sent.insert(text.clone(), false);
				told = true;
			}
		};
		drop(self.step_then(member, move |client| client.send(&group, &said), keep)?);
		self.tell(|| format!("m{member:02} sends {:?}: {told}", String::from_utf8_lossy(&text)));
		told.then_some(text)
	}

	/// Asks a member for a commit.
	pub(crate) fn want(&mut self, member: usize, group: &GroupId, intent: Intent) {
		let (group, wanted) = (*group, intent.clone());
		let take_on = |world: &mut Self, taken: &Result<u64, _>| {
			let Ok(number) = *taken else { return };
			let shown = match &intent {
				Intent::Add(list) => format!("add {}", list.len()),
				other => format!("{other:?}"),
			};
			world.tell(|| format!("m{member:02} takes on intent {number}: {shown}"));
			if let Some(one) = world.members.get_mut(member) {
				one.promises.intents.insert((group, number), Taken { intent: Some(intent), ended: None });
			}
		};
		drop(self.step_then(member, move |client| client.enqueue(&group, wanted), take_on));
	}

	/// Some members renew their keys at the same time.
	fn race(&mut self, group: &GroupId) {
		for _ in 0..=self.dice.below(4) {
			if let Some(member) = self.some_active(group) {
				self.want(member, group, Intent::Update);
			}
		}
	}

	fn invite(&mut self, group: &GroupId) {
		let now = self.now;
		let due = |one: &crate::member::Member<F>| {
			one.invited_at.is_none_or(|at| at.saturating_add(INVITED) < now) && one.client.is_some()
		};
		let active = self.active(group);
		// Those who are out, whether they know it already or not.
		let history = self.oracle.groups.get(group);
		let newest = history.and_then(|history| history.epoch(&history.path.last()?.header.hash));
		let is_in = |one: &crate::member::Member<F>| match newest {
			Some(epoch) => epoch.members.iter().any(|member| member == one.name.as_bytes()),
			None => true,
		};
		let wanted = |one: &crate::member::Member<F>| due(one) && !is_in(one);
		let mut out: Vec<usize> =
			(0..self.members.len()).filter(|at| self.members.get(*at).is_some_and(wanted)).collect();
		self.dice.shuffle(&mut out);
		// Most at the beginning, and one or two later.
		out.truncate(if active.len() < 2 { out.len().saturating_sub(2).max(1) } else { 1 + self.dice.below(2) });
		let mut packages = Vec::new();
		for member in out {
			if let Some(Ok(package)) = self.step(member, |client| client.key_package()) {
				if let Some(one) = self.members.get_mut(member) {
					one.invited_at = Some(now);
					self.packages.insert(package.clone(), one.name.clone().into_bytes());
				}
				packages.push(HexBytes(package));
			}
		}
		if let Some(member) = self.some_active(group).filter(|_| !packages.is_empty()) {
			self.want(member, group, Intent::Add(packages));
		}
	}

	fn remove(&mut self, group: &GroupId) {
		let active = self.active(group);
		if active.len() <= 3 {
			return;
		}
		let (Some(member), Some(other)) = (self.dice.pick(&active), self.dice.pick(&active)) else { return };
		// The first stays, so that somebody does.
		if member != other && other != 0 {
			self.put_out(member, other, group);
		}
	}

	fn put_out(&mut self, member: usize, other: usize, group: &GroupId) {
		let Some(name) = self.members.get(other).map(|one| one.name.clone()) else { return };
		self.want(member, group, Intent::Remove(vec![HexBytes(name.into_bytes())]));
	}

	/// Somebody removes one who was cut off, so that it can be invited again.
	fn put_out_cut_off(&mut self, group: &GroupId) {
		let cut_off = |at: &usize| {
			let position = self.members.get(*at).and_then(|one| one.position(group));
			let cut_off = position.is_some_and(|position| position.state == GroupState::Desynchronized);
			cut_off || self.misled.contains(at)
		};
		let cut_off: Vec<usize> = (0..self.members.len()).filter(cut_off).collect();
		if let (Some(other), Some(member)) = (self.dice.pick(&cut_off), self.some_active(group)) {
			self.put_out(member, other, group);
		}
	}

	fn leave(&mut self, group: &GroupId) {
		let active = self.active(group);
		if active.len() <= 3 {
			return;
		}
		let Some(member) = self.dice.pick(&active).filter(|member| *member != 0) else { return };
		let group = *group;
		if let Some(Ok(())) = self.step(member, move |client| client.leave(&group)) {
			self.tell(|| format!("m{member:02} wants to leave"));
			if let Some(one) = self.members.get_mut(member) {
				one.promises.leaving = true;
			}
		}
	}

	fn acknowledge(&mut self) {
		let member = self.dice.below(self.members.len());
		let Some(one) = self.members.get(member) else { return };
		let Some(newest) = one.promises.read.values().copied().max() else { return };
		if let Some(Ok(())) = self.step(member, move |client| client.acknowledge(newest)) {
			if let Some(one) = self.members.get_mut(member) {
				one.promises.acknowledged = one.promises.acknowledged.max(newest.saturating_add(1));
			}
		}
	}

	fn change_node(&mut self) {
		let member = self.dice.below(self.members.len());
		let node = self.dice.below(crate::world::NODES);
		self.use_node(member, node);
	}

	/// A member uses another node, which sends it all that it has.
	pub(crate) fn use_node(&mut self, member: usize, node: usize) {
		let Some(one) = self.members.get_mut(member) else { return };
		one.node = node;
		for topic in one.watches.clone() {
			for statement in self.network.under(node, &topic) {
				let way = self.way();
				self.later(way, crate::world::Happening::Deliver { member, statement });
			}
		}
	}
}

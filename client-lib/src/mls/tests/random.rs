//! Random histories: honest commits, races, joins, removals and restarts, and among them commits that a hostile member
//! breaks in every way that it can. Whatever happens, no two members take different turns.

use super::{
	add, assert_agreement, group,
	hostile::{forge, leaf_key, submit_bundle, submit_payload, Crypto, Fault},
	log::{Entry, Log, ANY_KEY},
	remove, Intent, Member, Outcome,
};
use lockstep_primitives::rpc::HexBytes;
use rand::{rngs::StdRng, seq::SliceRandom, Rng, SeedableRng};

struct World {
	log: Log,
	/// Members that follow the log; those that stopped or were removed are dropped.
	members: Vec<Member>,
	random: StdRng,
	born: u32,
	/// How often a member advanced, skipped, and stopped.
	tally: [u32; 3],
}

impl World {
	fn new(seed: u64) -> Self {
		let (log, members) = group(&["a", "b", "c", "d"]);
		Self { log, members, random: StdRng::seed_from_u64(seed), born: 0, tally: [0; 3] }
	}

	fn anyone(&mut self) -> usize {
		self.random.gen_range(0..self.members.len())
	}

	fn round(&mut self) {
		match self.random.gen_range(0..12) {
			0..=3 => self.race(),
			4 | 5 if self.members.len() < 6 => self.join(),
			6 if self.members.len() > 3 => self.removal(),
			7 if self.members.len() > 3 => self.leaving(),
			8 => {
				let member = self.anyone();
				self.members[member].restart(&self.log);
			}
			_ => self.attack(),
		}
	}

	/// Several members commit; the log takes one of them first.
	fn race(&mut self) {
		let prepared: Vec<_> =
			self.members.iter_mut().map(|member| member.prepare(&self.log, &Intent::Update)).collect();
		let winner = prepared.choose(&mut self.random).unwrap();
		let entry = self.log.append(winner);
		self.all_follow(&entry);
	}

	fn join(&mut self) {
		self.born += 1;
		let mut joiner = Member::new(&format!("joiner {}", self.born));
		let package = joiner.key_package();
		let inviter = self.anyone();
		let prepared = self.members[inviter].prepare(&self.log, &add(std::slice::from_ref(&package)));
		let entry = self.log.append(&prepared);
		let welcomes = self.members[inviter].welcomes(&prepared, &entry);
		self.all_follow(&entry);
		joiner.join(&self.log, &package, &welcomes);
		self.members.push(joiner);
	}

	fn removal(&mut self) {
		let remover = self.anyone();
		let victim = (remover + 1) % self.members.len();
		let name = self.members[victim].name();
		let prepared = self.members[remover].prepare(&self.log, &remove(&[&name]));
		let entry = self.log.append(&prepared);
		self.all_follow(&entry);
	}

	fn leaving(&mut self) {
		let committer = self.anyone();
		let leaver = (committer + 1) % self.members.len();
		let log = &self.log;
		let leave = self.members[leaver].read(|engine, overlay| engine.propose_leave(overlay, &log.group)).unwrap();
		let prepared = self.members[committer].prepare(log, &Intent::Proposals(vec![HexBytes(leave)]));
		let entry = self.log.append(&prepared);
		self.all_follow(&entry);
	}

	/// A hostile member endorses something; it leaves if the others accept it, for it cannot follow its own forgery.
	fn attack(&mut self) {
		let forger = self.anyone();
		let victim = (forger + 1) % self.members.len();
		let victim = leaf_key(&self.members, &self.log, &self.members[victim].name());
		let fault = match self.random.gen_range(0..5) {
			0 | 1 => Fault::OtherText(victim, vec![1; self.random.gen_range(0..40)]),
			2 => Fault::WrongMac(self.random.gen_range(0..3)),
			3 => Fault::OtherPublicKey(self.random.gen_range(0..4), vec![0; 32]),
			_ => Fault::None,
		};
		let forger_member = &self.members[forger];
		let forged = forge(forger_member, &self.log, &Crypto::with(fault), |builder| builder);
		let mut bundle = forged.bundle();
		let entry = match self.random.gen_range(0..5) {
			0 => submit_payload(forger_member, &mut self.log, &bundle, &forged.next_key),
			1 => submit_bundle(forger_member, &mut self.log, &bundle, &ANY_KEY),
			2 => {
				let position = self.random.gen_range(0..bundle.len());
				bundle[position] ^= 1 << self.random.gen_range(0..8);
				submit_bundle(forger_member, &mut self.log, &bundle, &forged.next_key)
			}
			_ => forged.submit(forger_member, &mut self.log),
		};
		let forger = self.members.swap_remove(forger);
		if !self.all_follow(&entry) {
			// nobody went on, so the forger is still a member like any other
			self.members.push(forger);
		}
	}

	/// All members follow an entry. Those that stop or are removed drop out; of the rest, all advance or none does.
	fn all_follow(&mut self, entry: &Entry) -> bool {
		let (mut advanced, mut skipped, mut stopped) = (0, 0, 0);
		let mut kept = Vec::new();
		for mut member in self.members.drain(..) {
			match member.follow(&self.log, entry) {
				Outcome::Advanced(change) => {
					advanced += 1;
					if change.removed_me {
						continue;
					}
				}
				Outcome::Skipped(_) => skipped += 1,
				Outcome::Waiting(people) => panic!("{} waits for {people:?}", member.name()),
				Outcome::Stuck(_) => {
					stopped += 1;
					continue;
				}
			}
			kept.push(member);
		}
		assert!(advanced == 0 || skipped == 0, "{advanced} advanced and {skipped} skipped");
		for (sum, count) in self.tally.iter_mut().zip([advanced, skipped, stopped]) {
			*sum += count;
		}
		self.members = kept;
		advanced > 0
	}
}

#[test]
fn no_two_members_ever_take_different_turns() {
	let mut tally = [0; 3];
	for seed in 0..5 {
		let mut world = World::new(seed);
		for _ in 0..20 {
			if world.members.len() > 1 {
				world.round();
			}
		}
		assert_agreement(&mut world.members, &world.log);
		for (sum, count) in tally.iter_mut().zip(world.tally) {
			*sum += count;
		}
	}
	assert!(tally[0] > 100 && tally[1] > 20 && tally[2] > 2, "the histories are too tame: {tally:?}");
}

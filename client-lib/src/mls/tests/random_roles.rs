//! Random roles: random data of a group, random members who do random things, by honest means and by forgery. All
//! members judge alike, and what a member would build is exactly what the others would accept.

use super::{
	add, assert_agreement, group_of, hex,
	hostile::{forge, Crypto},
	log::Log,
	remove,
	roles::{leaf, with_extensions},
	BuildError, GroupChange, GroupData, Intent, InvalidReason, Member, Rights, SignerSeed, Verdict, Who,
};
use crate::mls::key_package;
use rand::{rngs::StdRng, seq::SliceRandom, Rng, SeedableRng};
use std::collections::BTreeSet;

fn random_rights(random: &mut StdRng) -> Rights {
	let mut who = || match random.gen_bool(0.5) {
		true => Who::Administrators,
		false => Who::Everyone,
	};
	Rights { add: who(), remove: who(), data: who(), roles: who() }
}

/// Some of the names, and now and then one that is nobody's.
fn random_administrators(names: &[String], random: &mut StdRng) -> BTreeSet<Vec<u8>> {
	let mut chosen: BTreeSet<Vec<u8>> =
		names.iter().filter(|_| random.gen_bool(0.4)).map(|name| name.as_bytes().to_vec()).collect();
	if random.gen_bool(0.1) {
		chosen.insert(b"nobody".to_vec());
	}
	chosen
}

/// The change that leads from one group data to another.
fn difference(from: &GroupData, to: &GroupData) -> Intent {
	let named = |one: &GroupData, other: &GroupData| {
		one.administrators.difference(&other.administrators).map(|identity| hex(identity)).collect()
	};
	Intent::GroupData(GroupChange {
		name: Some(to.name.clone()),
		application: Some(hex(&to.application)),
		appoint: named(to, from),
		dismiss: named(from, to),
		add: Some(to.rights.add),
		remove: Some(to.rights.remove),
		data: Some(to.rights.data),
		roles: Some(to.rights.roles),
	})
}

struct World {
	log: Log,
	members: Vec<Member>,
	random: StdRng,
	born: u32,
	/// How many forgeries were accepted, and how many were not.
	tally: [u32; 2],
}

impl World {
	fn new(seed: u64) -> Self {
		let mut random = StdRng::seed_from_u64(seed);
		let data = GroupData { rights: random_rights(&mut random), ..GroupData::default() };
		let (log, members) = group_of(&data, &["a", "b", "c", "d"]);
		Self { log, members, random, born: 0, tally: [0; 2] }
	}

	fn names(&self) -> Vec<String> {
		self.members.iter().map(Member::name).collect()
	}

	fn newcomer(&mut self) -> Member {
		self.born += 1;
		Member::new(&format!("newcomer {}", self.born))
	}

	fn random_data(&mut self) -> GroupData {
		let mut data = self.members[0].view(&self.log).data;
		if self.random.gen_bool(0.4) {
			data.name = format!("name {}", self.random.gen_range(0..1000));
		}
		if self.random.gen_bool(0.5) {
			data.administrators = random_administrators(&self.names(), &mut self.random);
		}
		if self.random.gen_bool(0.5) {
			data.rights = random_rights(&mut self.random);
		}
		data
	}

	/// Somebody does one thing outside the engine's rules; the others judge it, and do as the engine would have.
	fn forgery(&mut self) {
		let forger = self.random.gen_range(0..self.members.len());
		let other = (forger + 1) % self.members.len();
		let victim = self.members[other].name();
		let crypto = Crypto::default();
		let (forged, intent) = match self.random.gen_range(0..4) {
			0 => {
				let package = self.newcomer().key_package();
				let parsed = key_package::parse(&self.members[forger].engine.crypto, &package.bytes).unwrap();
				let forged = forge(&self.members[forger], &self.log, &crypto, |builder| builder.propose_adds([parsed]));
				(forged, add(&[package]))
			}
			1 => {
				let index = leaf(&self.members[forger], &self.log, &victim);
				// an administrator leaves the list when it goes, as the engine would see to
				let mut data = self.members[forger].view(&self.log).data;
				let listed = data.administrators.remove(victim.as_bytes());
				let extensions = data.to_extensions().unwrap();
				let forged = forge(&self.members[forger], &self.log, &crypto, |builder| {
					let builder = builder.propose_removals([index]);
					match listed {
						true => builder.propose_group_context_extensions(extensions).unwrap(),
						false => builder,
					}
				});
				(forged, remove(&[&victim]))
			}
			2 => {
				// a leaf of the same member, with its own key or with another one
				let mut device = Member::new(&victim);
				if self.random.gen_bool(0.5) {
					device.engine =
						super::Engine::new(victim.as_bytes().to_vec(), &self.random.gen(), super::log::GENESIS)
							.unwrap();
				}
				let package = device.key_package();
				let parsed = key_package::parse(&device.engine.crypto, &package.bytes).unwrap();
				let index = leaf(&self.members[forger], &self.log, &victim);
				let replaces = super::hostile::leaf_key(&self.members, &self.log, &victim);
				let forged = forge(&self.members[forger], &self.log, &crypto, |builder| {
					builder.propose_adds([parsed]).propose_removals([index])
				});
				let (identity, key_package) = (hex(victim.as_bytes()), hex(&package.bytes));
				(forged, Intent::Readmit { identity, key_package, replaces: hex(&replaces) })
			}
			_ => {
				let before = self.members[0].view(&self.log).data;
				let data = self.random_data();
				let extensions = with_extensions(data.to_extensions().unwrap());
				let forged = forge(&self.members[forger], &self.log, &crypto, extensions);
				(forged, difference(&before, &data))
			}
		};
		let log = &self.log;
		let built = self.members[forger].read(|engine, overlay| engine.build_one(overlay, &log.group, &intent));
		let entry = forged.submit(&self.members[forger], &mut self.log);
		let mut verdicts = Vec::new();
		for (index, member) in self.members.iter().enumerate() {
			if index != forger {
				verdicts.push(match member.judge(&self.log, &entry).unwrap() {
					Verdict::Valid(_) => None,
					Verdict::PubliclyInvalid(reason) => Some(reason),
					Verdict::PrivatelyFailing(reason) => panic!("{} says {reason}", member.name()),
					Verdict::Unknown(people) => panic!("{} asks for {people:?}", member.name()),
				});
			}
		}
		assert!(verdicts.windows(2).all(|pair| pair[0] == pair[1]), "{verdicts:?} of {intent:?}");
		match (&verdicts[0], built) {
			(None, Ok(_) | Err(BuildError::Unchanged)) => self.tally[0] += 1,
			(Some(reason @ InvalidReason::Policy(_)), Err(BuildError::Refused(refused))) => {
				assert_eq!(reason, &refused, "{intent:?}");
				self.tally[1] += 1;
			}
			(verdict, built) => panic!("the others say {verdict:?}, the builder {built:?} of {intent:?}"),
		}
	}

	/// Somebody wants something, and gets it if it may.
	fn honest(&mut self) {
		let committer = self.random.gen_range(0..self.members.len());
		let other = (committer + 1) % self.members.len();
		let mut joiner = None;
		let mut intents = vec![difference(&self.members[0].view(&self.log).data, &self.random_data())];
		if self.members.len() < 6 {
			let mut newcomer = self.newcomer();
			let package = newcomer.key_package();
			intents.push(add(std::slice::from_ref(&package)));
			joiner = Some((newcomer, package));
		}
		if self.members.len() > 3 {
			intents.push(remove(&[&self.members[other].name()]));
		}
		if self.random.gen_bool(0.3) {
			intents.push(Intent::Rotate { seed: SignerSeed::new(self.random.gen()) });
		}
		intents.shuffle(&mut self.random);
		let log = &self.log;
		let batch = self.members[committer].read(|engine, overlay| engine.build_commit(overlay, &log.group, &intents));
		let Some(prepared) = batch.unwrap().prepared else { return };
		let entry = self.log.append(&prepared);
		let own =
			self.members[committer].write(|engine, overlay| engine.merge_own(overlay, &entry.hash, &prepared)).unwrap();
		let mut gone = None;
		for (index, member) in self.members.iter_mut().enumerate() {
			if index != committer {
				let change = member.advance(&self.log, &entry);
				assert_eq!((&change.data, &change.rotated), (&own.data, &own.rotated));
				if change.removed_me {
					gone = Some(index);
				}
			}
		}
		if let Some((mut newcomer, package)) = joiner
			.filter(|(joiner, _)| own.added.iter().any(|identity| identity.as_slice() == joiner.engine.identity()))
		{
			newcomer.join(&self.log, &package, &self.members[committer].welcomes(&prepared, &entry));
			self.members.push(newcomer);
		}
		if let Some(gone) = gone {
			self.members.remove(gone);
		}
	}
}

#[test]
fn what_is_built_is_what_is_accepted_whoever_may_do_what() {
	let mut tally = [0; 2];
	for seed in 0..6 {
		let mut world = World::new(seed);
		for _ in 0..10 {
			world.forgery();
			world.forgery();
			world.honest();
		}
		assert_agreement(&mut world.members, &world.log);
		for (sum, count) in tally.iter_mut().zip(world.tally) {
			*sum += count;
		}
	}
	assert!(tally.iter().all(|count| *count > 25), "the histories are too tame: {tally:?}");
}

//! Random publications, claims, events and blocks, beside a model that knows of each device what it has.

use crate::mock::*;
use frame_support::weights::Weight;
use lockstep_primitives::{
	identity::Action,
	key_package::{KeyPackageBytes, Publication},
};
use std::collections::{BTreeMap, BTreeSet, VecDeque};

const PEOPLE: u32 = 3;
const STEPS: u32 = 150;

/// SplitMix64.
struct Dice(u64);

impl Dice {
	fn below(&mut self, bound: u32) -> u32 {
		self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
		let mut mixed = self.0;
		mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
		mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
		((mixed ^ (mixed >> 31)) % u64::from(bound)) as u32
	}
}

/// What the model knows of a device.
#[derive(Default)]
struct Has {
	packages: VecDeque<(KeyPackageBytes, u32)>,
	last_resort: Option<(KeyPackageBytes, u32)>,
	/// Whether the last resort was given out: then it goes for a new one only.
	used: bool,
}

/// Plays one game; how many KeyPackages were given out, and how many last resorts.
fn run(seed: u64) -> (usize, usize) {
	let mut dice = Dice(seed);
	let people: Vec<_> = (1..=PEOPLE).map(person).collect();
	// Devices by number, in the order in which they came, and whose they are.
	let mut devices: BTreeMap<u32, u32> = (1..=PEOPLE).map(|person| (person, person)).collect();
	let mut has: BTreeMap<u32, Has> = BTreeMap::new();
	let (mut given, mut last_resorts, mut serial, mut next_device) = (BTreeSet::new(), 0, 0, 10);
	for step in 0..STEPS {
		let whose = dice.below(PEOPLE) + 1;
		let identity = people[whose as usize - 1];
		let own: Vec<u32> = devices.iter().filter(|(_, person)| **person == whose).map(|(device, _)| *device).collect();
		let device = own[dice.below(own.len() as u32) as usize];
		match dice.below(10) {
			0..=2 => {
				let count = dice.below(4);
				let last_resort = (dice.below(3) == 0).then_some(serial + count);
				let lapse = now() + dice.below(60);
				let replace = dice.below(5) == 0;
				let made = publication(identity, device, serial..serial + count, last_resort);
				let made = Publication { lapse, replace, ..made };
				serial += count + 1;
				if publish(&sign(made.clone(), device)).is_ok() {
					let has = has.entry(device).or_default();
					if replace {
						assert!(!has.used || made.last_resort.is_some(), "seed {seed}, step {step}: shed");
						*has = Has::default();
					}
					has.used &= made.last_resort.is_none();
					has.packages.extend(made.packages.into_iter().map(|bytes| (bytes, lapse)));
					has.last_resort = made.last_resort.map(|bytes| (bytes, lapse)).or(has.last_resort.take());
				}
			}
			3..=6 => {
				let mut expected = Vec::new();
				for device in &own {
					let Some(has) = has.get_mut(device) else { continue };
					let lapsed = has.packages.iter().take_while(|(_, lapse)| *lapse < now()).count();
					let passed = lapsed.min(crate::claiming::MAX_PASSED as usize);
					match has.packages.get(passed).filter(|_| lapsed == passed && passed < 8) {
						Some((bytes, _)) => {
							expected.push((bytes.clone(), false));
							has.packages.drain(..=passed);
						}
						None => {
							let last_resort = has.last_resort.clone().filter(|(_, lapse)| *lapse >= now());
							has.used |= last_resort.is_some();
							expected.extend(last_resort.map(|(bytes, _)| (bytes, true)));
						}
					}
				}
				let got = claim(&claim_of(identity), 100_000 + step).unwrap_or_default();
				assert_eq!(got, expected, "seed {seed}, step {step}");
				for (bytes, last_resort) in got {
					last_resorts += usize::from(last_resort);
					assert!(last_resort || given.insert(bytes), "seed {seed}, step {step}: given out twice");
				}
			}
			7 if own.len() < 4 => {
				add_device(identity, own[0], next_device);
				devices.insert(next_device, whose);
				next_device += 1;
			}
			8 if own.len() > 1 && device != own[0] => {
				record(&next_event(identity, own[0], Action::RevokeDevice(key(device)), None));
				devices.remove(&device);
				has.remove(&device);
			}
			_ => {
				skip(1 + dice.below(9));
				Pallet::tidy(Weight::MAX);
				// What lies at the end of a stock and has lapsed may be cleared away, or not yet: it is never given out.
				for has in has.values_mut() {
					while has.packages.front().is_some_and(|(_, lapse)| *lapse < now()) {
						has.packages.pop_front();
					}
					has.used &= has.last_resort.as_ref().is_some_and(|(_, lapse)| *lapse >= now());
				}
				// All stocks have their turn.
				(0..8).for_each(|_| {
					Pallet::tidy(Weight::MAX);
				});
			}
		}
		check();
	}
	(given.len(), last_resorts)
}

type Pallet = crate::Pallet<Test>;

#[test]
fn the_chain_gives_out_what_the_model_says() {
	let games: Vec<_> = (0..12).map(|seed| new_test_ext().execute_with(|| run(seed))).collect();
	let (given, last_resorts): (Vec<_>, Vec<_>) = games.into_iter().unzip();
	// The games are games.
	assert!(given.iter().sum::<usize>() > 200, "{given:?}");
	assert!(last_resorts.iter().sum::<usize>() > 50, "{last_resorts:?}");
}

//! What the members run on: the stand-in for MLS, or OpenMLS.

use crate::{
	chain::{Kind, GENESIS},
	dice::Dice,
};
use lockstep_client::simulation::{Engine, Mls, SimulatedClient, StandIn};
use lockstep_primitives::{extrinsic::Append, GroupId};
use rand::{rngs::StdRng, SeedableRng};

/// What the members of a run are made of.
pub trait Flavour {
	/// Their MLS.
	type Mls: Mls;

	/// The engine of a member. It is made anew each time that the member is opened.
	fn engine(name: &str, seed: u64) -> Self::Mls;

	/// A commit that is wrong in itself, by the hostile member `me`.
	#[doc(hidden)]
	fn broken(
		client: &SimulatedClient<Self::Mls>,
		group: &GroupId,
		victims: &[(usize, String)],
		dice: &mut DiceOf<'_>,
	) -> Option<(Append, KindOf)>;
}

/// Chance, for a flavour.
#[doc(hidden)]
pub struct DiceOf<'a>(pub(crate) &'a mut Dice);

/// What an entry is, for a flavour.
#[doc(hidden)]
pub struct KindOf(pub(crate) Kind);

/// Members with the stand-in.
pub struct StandIns;

impl Flavour for StandIns {
	type Mls = StandIn;

	fn engine(name: &str, seed: u64) -> StandIn {
		StandIn::new(name.as_bytes().to_vec(), GENESIS, StdRng::seed_from_u64(seed))
	}

	fn broken(
		client: &SimulatedClient<StandIn>,
		group: &GroupId,
		victims: &[(usize, String)],
		dice: &mut DiceOf<'_>,
	) -> Option<(Append, KindOf)> {
		if victims.is_empty() || dice.0.chance(400) {
			return Some((client.hostile_public(group)?, KindOf(Kind::Bad)));
		}
		let count = 1 + dice.0.below(victims.len().div_ceil(4));
		let mut chosen = victims.to_vec();
		dice.0.shuffle(&mut chosen);
		chosen.truncate(count);
		let (indices, names) = chosen.into_iter().unzip();
		Some((client.hostile_private(group, names)?, KindOf(Kind::Private(Some(indices)))))
	}
}

/// Members with OpenMLS.
pub struct OpenMls;

impl Flavour for OpenMls {
	type Mls = Engine;

	fn engine(name: &str, seed: u64) -> Engine {
		let mut signer = [0; 32];
		signer.iter_mut().zip(name.bytes()).for_each(|(byte, letter)| *byte = letter);
		let engine = Engine::new(name.as_bytes().to_vec(), &signer, GENESIS).expect("the names are short");
		engine.with_seed(seed)
	}

	fn broken(
		client: &SimulatedClient<Engine>,
		group: &GroupId,
		_: &[(usize, String)],
		dice: &mut DiceOf<'_>,
	) -> Option<(Append, KindOf)> {
		// Whom it cuts off follows from the tree.
		Some((client.hostile_path(group, dice.0.below(3))?, KindOf(Kind::Private(None))))
	}
}

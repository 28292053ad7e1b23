//! Several intents in one commit, for a queue that holds what a member wants.

use super::{
	commit::Prepared,
	error::{BuildError, EngineError},
	intent::Intent,
	key_package,
	keys::EpochKeys,
	leaves::{Leaf, Leaves},
	loaded::Loaded,
	long_paths,
	people::MemberDevice,
	plan::{Before, NotPlaced, Plan},
	Engine,
};
use crate::store::Overlay;
use lockstep_primitives::{rpc::HexBytes, GroupId};
use openmls::prelude::{KeyPackage, MlsGroup};

/// A commit of as many intents as go into one, and what became of each.
#[derive(Debug)]
pub struct Batch {
	/// The commit; `None` if no intent is included.
	pub prepared: Option<Prepared>,
	/// What became of the intents, in their order.
	pub placed: Vec<Placed>,
}

/// What became of an intent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Placed {
	/// It is done if the commit wins.
	Included,
	/// It is done already; the reason says why there is nothing to do.
	Satisfied(BuildError),
	/// It does not go along with those included, or there is no room for it: it is for a later commit.
	Deferred,
	/// It makes no sense in this epoch, or is not allowed.
	Refused(BuildError),
}

impl Batch {
	/// The commit of a batch of one intent.
	///
	/// # Errors
	/// The reason for which there is none, also if that is because the intent is satisfied.
	#[cfg(any(test, feature = "hostile"))]
	pub fn into_single(self) -> Result<Prepared, BuildError> {
		match (self.prepared, self.placed.into_iter().next()) {
			(Some(prepared), _) => Ok(prepared),
			(None, Some(Placed::Satisfied(reason) | Placed::Refused(reason))) => Err(reason),
			(None, Some(Placed::Included | Placed::Deferred)) => Err(BuildError::Conflict),
			(None, None) => Err(BuildError::Empty),
		}
	}
}

impl Engine {
	/// Makes a commit of as many of these intents as go into one, in the group's current epoch. Writes nothing to
	/// `overlay`.
	///
	/// An intent is placed whole or not at all, and one that cannot be placed does not keep out the others. Proposals
	/// of others come first, then the rest in their order; a removal that a proposal brings about already, or that is
	/// asked for twice, is made once. What contradicts what is placed, such as to add somebody who is being removed, is
	/// deferred. Never is a commit handed out that the members, this one too, would refuse.
	///
	/// # Errors
	/// Trouble of this member only; what is wrong with an intent is in [`Batch::placed`].
	pub fn build_commit(
		&self,
		overlay: &Overlay<'_>,
		group: &GroupId,
		intents: &[Intent],
	) -> Result<Batch, EngineError> {
		let scratch = overlay.nested();
		let mut loaded = self.take_active(&scratch, group)?;
		loaded.mls.clear_pending_proposals(&scratch)?;
		let tip = self.tip(&scratch, group, &loaded.mls)?;
		let before = Before::new(&loaded.mls)?;
		Selection { engine: self, overlay, group, tip: &tip, before: &before, intents }.build(&scratch, loaded)
	}

	/// The commit of one intent: [`Self::build_commit`] for those who have no queue.
	///
	/// # Errors
	/// [`BuildError`] says what in the intent makes no sense in this epoch.
	#[cfg(test)]
	pub fn build_one(&self, overlay: &Overlay<'_>, group: &GroupId, intent: &Intent) -> Result<Prepared, BuildError> {
		self.build_commit(overlay, group, std::slice::from_ref(intent))?.into_single()
	}

	/// Whether what an intent wants is so already in the group's current epoch, whoever brought it about: to be asked
	/// after a race was lost. To renew keys, and to commit proposals, is never so already.
	///
	/// # Errors
	/// [`EngineError`].
	pub fn satisfied(&self, overlay: &Overlay<'_>, group: &GroupId, intent: &Intent) -> Result<bool, EngineError> {
		let mls = self.load_active(overlay, group)?;
		Ok(Before::new(&mls)?.satisfies(self, overlay, &mls, intent))
	}

	/// Whom the KeyPackages of an intent have brought in, as far as their leaves are as they came: they have committed nothing
	/// since, and nobody has given them another one.
	///
	/// # Errors
	/// [`EngineError`].
	pub fn as_added(
		&self,
		overlay: &Overlay<'_>,
		group: &GroupId,
		intent: &Intent,
	) -> Result<Vec<MemberDevice>, EngineError> {
		let parsed = |package: &HexBytes| key_package::parse(&self.crypto, &package.0).ok();
		let packages: Vec<KeyPackage> = intent.key_packages().iter().filter_map(parsed).collect();
		if packages.is_empty() {
			return Ok(Vec::new());
		}
		let mls = self.load_active(overlay, group)?;
		let leaves = Leaves::of(mls.treesync());
		let came = |leaf: &Leaf<'_>| {
			let mut keys = packages.iter().map(|package| package.leaf_node().encryption_key());
			keys.any(|key| key == leaf.node.encryption_key())
		};
		let device =
			|leaf: Leaf<'_>| leaf.binding().map(MemberDevice::of).map_err(EngineError::library("reading the members"));
		leaves.iter().filter(came).map(device).collect()
	}
}

/// What there is to choose from.
#[derive(Clone, Copy)]
struct Selection<'a> {
	engine: &'a Engine,
	overlay: &'a Overlay<'a>,
	group: &'a GroupId,
	tip: &'a EpochKeys,
	before: &'a Before,
	intents: &'a [Intent],
}

impl<'a> Selection<'a> {
	/// Works on a state of the group that is loaded already.
	fn build(self, scratch: &Overlay<'_>, mut loaded: Loaded) -> Result<Batch, EngineError> {
		let (plan, mut placed) = self.place(scratch, &mut loaded.mls, &vec![true; self.intents.len()])?;
		let included = included(&placed);
		if !included.contains(&true) {
			loaded.give_back(self.overlay);
			return Ok(Batch { prepared: None, placed });
		}
		match self.make(scratch, &mut loaded, plan) {
			Ok(prepared) => {
				loaded.give_back(self.overlay);
				return Ok(Batch { prepared: Some(prepared), placed });
			}
			Err(BuildError::Engine(error)) => return Err(error),
			// What is too long alone is not made a second time.
			Err(reason @ BuildError::LongPath { .. }) if included.iter().filter(|included| **included).count() == 1 => {
				let refused = |(placed, included): (Placed, &bool)| match included {
					true => Placed::Refused(reason.clone()),
					false => placed,
				};
				let placed = placed.into_iter().zip(&included).map(refused).collect();
				return Ok(Batch { prepared: None, placed });
			}
			Err(reason) => {
				tracing::debug!(group = %self.group, %reason, "intents do not go into one commit, trying one by one");
			}
		}
		// The plan did not show that something in it does not fit, such as a key that is in the tree. Leave it out.
		let mut kept = vec![false; self.intents.len()];
		let mut best = None;
		for index in (0..self.intents.len()).filter(|index| included.get(*index) == Some(&true)) {
			if self.overwrites(index, &placed) {
				set(&mut placed, index, Placed::Deferred);
				continue;
			}
			let mut wider = kept.clone();
			set(&mut wider, index, true);
			match self.attempt(&wider)? {
				Ok(prepared) => (kept, best) = (wider, Some(prepared)),
				// There is no room for anything beside it, nor for it alone.
				Err(reason @ BuildError::LongPath { nodes, max, .. }) if !long_paths::leave_room(nodes, max) => {
					let rest = (index..self.intents.len()).filter(|index| included.get(*index) == Some(&true));
					rest.for_each(|index| set(&mut placed, index, Placed::Refused(reason.clone())));
					break;
				}
				Err(reason) => set(&mut placed, index, self.blame(index, &kept, reason)?),
			}
		}
		Ok(Batch { prepared: best, placed })
	}

	/// Whether an intent sets what an earlier one sets for which the path is too long, so that it has to come after that.
	fn overwrites(self, index: usize, placed: &[Placed]) -> bool {
		let earlier = self.intents.iter().zip(placed).take(index);
		let mut long = earlier.filter(|(_, placed)| matches!(placed, Placed::Refused(BuildError::LongPath { .. })));
		match self.intents.get(index) {
			Some(Intent::GroupData(_)) => long.any(|(earlier, _)| matches!(earlier, Intent::GroupData(_))),
			Some(Intent::Rotate { .. }) => long.any(|(earlier, _)| matches!(earlier, Intent::Rotate { .. })),
			_ => false,
		}
	}

	/// What becomes of an intent that does not fit beside those kept.
	fn blame(self, index: usize, kept: &[bool], reason: BuildError) -> Result<Placed, EngineError> {
		if !kept.contains(&true) {
			return Ok(Placed::Refused(reason));
		}
		let alone: Vec<bool> = (0..self.intents.len()).map(|other| other == index).collect();
		Ok(match self.attempt(&alone)? {
			Ok(_) => Placed::Deferred,
			Err(reason) => Placed::Refused(reason),
		})
	}

	/// The commit of the chosen intents, all of which must be placed.
	fn attempt(self, chosen: &[bool]) -> Result<Result<Prepared, BuildError>, EngineError> {
		let scratch = self.overlay.nested();
		let mut loaded = self.engine.take_active(&scratch, self.group)?;
		loaded.mls.clear_pending_proposals(&scratch)?;
		let (plan, placed) = self.place(&scratch, &mut loaded.mls, chosen)?;
		let missing = placed.into_iter().zip(chosen).find(|(placed, chosen)| **chosen && *placed != Placed::Included);
		match missing {
			Some((Placed::Satisfied(reason) | Placed::Refused(reason), _)) => return Ok(Err(reason)),
			Some(_) => return Ok(Err(BuildError::Conflict)),
			None => {}
		}
		match self.make(&scratch, &mut loaded, plan) {
			Err(BuildError::Engine(error)) => Err(error),
			made => Ok(made),
		}
	}

	/// Plans a commit of the chosen intents.
	fn place(
		self,
		scratch: &Overlay<'_>,
		mls: &mut MlsGroup,
		chosen: &[bool],
	) -> Result<(Plan<'a>, Vec<Placed>), EngineError> {
		let mut plan = Plan::new(self.before);
		let mut placed = vec![Placed::Deferred; self.intents.len()];
		// twice through the list: a removal that a proposal brings about takes no right of the committer's
		for proposals in [true, false] {
			for (index, intent) in self.intents.iter().enumerate() {
				if chosen.get(index) == Some(&true) && matches!(intent, Intent::Proposals(_)) == proposals {
					let first = !included(&placed).contains(&true);
					set(&mut placed, index, self.put(&mut plan, scratch, mls, intent, first)?);
				}
			}
		}
		// OpenMLS takes some failed reads for absent keys
		match scratch.fault() {
			Some(fault) => Err(fault.into()),
			None => Ok((plan, placed)),
		}
	}

	fn put(
		self,
		plan: &mut Plan<'a>,
		scratch: &Overlay<'_>,
		mls: &mut MlsGroup,
		intent: &Intent,
		first: bool,
	) -> Result<Placed, EngineError> {
		match plan.with(self.engine, scratch, mls, intent) {
			Ok(wider) => {
				*plan = wider;
				Ok(Placed::Included)
			}
			Err(NotPlaced::Satisfied(reason)) => Ok(Placed::Satisfied(reason)),
			// with nothing beside it, it contradicts itself
			Err(NotPlaced::Conflict) if first => Ok(Placed::Refused(BuildError::Conflict)),
			Err(NotPlaced::Conflict) => Ok(Placed::Deferred),
			Err(NotPlaced::Refused(reason)) => Ok(Placed::Refused(reason)),
			Err(NotPlaced::Engine(error)) => Err(error),
		}
	}

	fn make(self, scratch: &Overlay<'_>, loaded: &mut Loaded, plan: Plan<'_>) -> Result<Prepared, BuildError> {
		let made = self.engine.make(self.overlay, scratch, self.group, loaded, self.tip, plan);
		match scratch.fault() {
			Some(fault) => Err(EngineError::from(fault).into()),
			None => made,
		}
	}
}

fn included(placed: &[Placed]) -> Vec<bool> {
	placed.iter().map(|placed| *placed == Placed::Included).collect()
}

fn set<T>(list: &mut [T], index: usize, value: T) {
	if let Some(place) = list.get_mut(index) {
		*place = value;
	}
}

//! How far the application was told what happened to people, so that it is told the rest after a restart.

use super::{command::Reply, core::Core, records::ONLY, GroupError};
use crate::{
	mls::{AuthenticationService, Mls},
	store::{Record, StoreError},
};
use lockstep_primitives::{IdentityId, LogHead};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};

pub(crate) enum PositionsCommand {
	/// Who is in the groups of people that the client is in, itself among them; and how far what was told of whom.
	Look(Reply<(BTreeSet<IdentityId>, BTreeMap<IdentityId, LogHead>), GroupError>),
	/// It was told up to here.
	Keep(BTreeMap<IdentityId, LogHead>, Reply<(), GroupError>),
}

/// The head of a person's log when it was told of last, by the identity.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
struct Told {
	head: LogHead,
}

impl Record for Told {
	const KIND: &'static str = "told of a person";
}

impl<M: Mls> Core<M> {
	pub(super) fn on_positions(&mut self, command: PositionsCommand) {
		let failed = |error: StoreError| GroupError::Store(error.to_string());
		match command {
			PositionsCommand::Look(reply) => {
				let positions = self.positions().map_err(failed);
				drop(reply.send(positions.map(|positions| (self.people(), positions))));
			}
			PositionsCommand::Keep(heads, reply) => drop(reply.send(self.keep_positions(&heads).map_err(failed))),
		}
	}

	fn positions(&self) -> Result<BTreeMap<IdentityId, LogHead>, StoreError> {
		let told = self.store.overlay().list::<Told>(ONLY)?;
		let of = |(key, told): (Vec<u8>, Told)| Some((IdentityId(key.try_into().ok()?), told.head));
		Ok(told.into_iter().filter_map(of).collect())
	}

	/// Positions do not go back: of two that were told at the same time the later one stays.
	fn keep_positions(&mut self, heads: &BTreeMap<IdentityId, LogHead>) -> Result<(), StoreError> {
		let overlay = self.store.overlay();
		for (person, head) in heads {
			let kept: Option<Told> = overlay.get(&person.0)?;
			if kept.is_none_or(|kept| kept.head.length < head.length) {
				overlay.put(&person.0, &Told { head: *head })?;
			}
		}
		overlay.commit()
	}

	/// The members of the groups of people.
	fn people(&self) -> BTreeSet<IdentityId> {
		let mut people = BTreeSet::new();
		for id in self.groups.iter().filter(|(_, group)| group.is_followed()).map(|(id, _)| id) {
			match self.engine.group(&self.store.overlay(), id) {
				Ok(Some(view)) if view.data.authentication == AuthenticationService::Directory => {
					people.extend(
						view.members.into_iter().filter_map(|member| Some(IdentityId(member.try_into().ok()?))),
					);
				}
				Ok(_) => {}
				Err(error) => tracing::warn!(group = %id, %error, "the members of a group cannot be read"),
			}
		}
		people
	}
}

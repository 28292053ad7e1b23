//! What a lying node can be told to say, and what clients have caught it with.

use lockstep_primitives::rpc::{FinalizedEntries, HexBytes, Justified};
use lockstep_tests::{deadline::until, keys, liar::Lies, Error, Member, Result};
use lockstep_verifier::testing::Validators;
use std::time::Duration;

/// For a client to find out.
pub const CAUGHT: Duration = Duration::from_secs(60);
/// The id of the authority set that the genesis names.
pub const SET: u64 = 0;

/// The validators of the network: an attack with their keys is the strongest there is.
pub fn validators() -> Validators {
	Validators { id: SET, keys: keys::validators() }
}

pub fn entries(change: impl FnMut(&mut FinalizedEntries) -> bool + Send + Sync + 'static) -> Lies {
	Lies { entries: Some(Box::new(change)), ..Lies::default() }
}

/// Changes the proof of each block, in the way to the newest one and in the messages.
pub fn blocks(change: impl Fn(&mut Justified) + Clone + Send + Sync + 'static) -> Lies {
	let in_links = change.clone();
	Lies {
		links: Some(Box::new(move |links| {
			links.links.iter_mut().for_each(&in_links);
			true
		})),
		..entries(move |message| {
			if let Some(proof) = &mut message.proof {
				change(&mut proof.block);
			}
			true
		})
	}
}

/// Changes the read proofs.
pub fn state(change: impl Fn(&mut Vec<HexBytes>) + Send + Sync + 'static) -> Lies {
	entries(move |message| {
		if let Some(proof) = &mut message.proof {
			change(&mut proof.state);
		}
		true
	})
}

pub fn justification(make: impl Fn(&Validators, &[u8]) -> Vec<u8> + Clone + Send + Sync + 'static) -> Lies {
	blocks(move |block| block.justification = HexBytes(make(&validators(), &block.header.0)))
}

/// What the member has caught nodes with.
pub async fn evidence(member: &Member) -> Result<Vec<String>> {
	let evidence = member.client().evidence().await.map_err(Error::client(member.name()))?;
	Ok(evidence.into_iter().map(|evidence| evidence.lie).collect())
}

/// Waits until a member has caught a node once more than `before` times, and returns what was new.
pub async fn caught(member: &Member, before: usize, what: &str) -> Result<Vec<String>> {
	until(CAUGHT, &format!("a client to notice: {what}"), || async {
		let new = evidence(member).await?.split_off(before);
		Ok((!new.is_empty()).then_some(new))
	})
	.await
}

//! How an event comes into a log: judged by rules that are not this pallet's, and then written.

use crate::{types::IdentityOf, BlockEvents, Config, Ended, Error, Event, Identities, Pallet, UsedKeys};
use alloc::vec::Vec;
use frame_support::{pallet_prelude::*, traits::Get, weights::Weight};
use lockstep_primitives::{
	identity::{
		judge, Action, Change, IdentityRefusal as Refusal, IdentityState, OnRevoked, Place, SignedEvent,
		MAX_RECOVERY_KEYS,
	},
	BlockNumber, EventSignature, GenesisHash, IdentityId, IdentityKey, LogHead,
};
use sp_core::ed25519;
use sp_runtime::SaturatedConversion;

/// The tag that an event provides to the pool starts with this; the identity and the position follow. So the pool holds one
/// event for a position, the first that it saw.
pub const EVENT_TAG: &[u8] = b"lockstep/event";

/// Every event has this priority, that of an append to a group, so that nothing but the order of arrival decides between
/// events; except recoveries, which go before, the higher ranks first: a thief that posts event after event does not keep
/// them out of the pool.
pub const EVENT_PRIORITY: TransactionPriority = 1 << 20;

/// The priority of an event.
fn priority(action: &Action) -> TransactionPriority {
	match action {
		Action::Recover { rank, .. } => {
			let ranks = u64::from(MAX_RECOVERY_KEYS);
			EVENT_PRIORITY.saturating_add(ranks.saturating_sub(u64::from(*rank)))
		}
		_ => EVENT_PRIORITY,
	}
}

/// Whether the signatures of an event are still to be verified.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Signatures {
	/// Verify them.
	Verify,
	/// They were, for the same event in the same block; what they sign is in the arguments of the call.
	Verified,
}

/// Whether a signature of a key verifies, by ZIP 215.
pub fn verify(key: &IdentityKey, text: &[u8], signature: &EventSignature) -> bool {
	let signature = ed25519::Signature::from_raw(*signature.as_bytes());
	sp_io::crypto::ed25519_verify(&signature, text, &ed25519::Public::from_raw(*key.as_bytes()))
}

impl<T: Config> Pallet<T> {
	/// Decides whether the event may be recorded in this block, and what follows from it.
	pub(crate) fn admit(signed: &SignedEvent, signatures: Signatures) -> Result<(IdentityOf<T>, Change), Refusal> {
		let id = &signed.event.identity;
		let record = match Identities::<T>::get(id) {
			Some(record) => record,
			None if Ended::<T>::contains_key(id) => return Err(Refusal::Closed),
			None => return Err(Refusal::UnknownIdentity),
		};
		let genesis = Self::genesis();
		let change =
			judge(&Self::place(&genesis, id), &record.state, signed, Self::is_used, |key, text, signature| {
				signatures == Signatures::Verified || verify(key, text, signature)
			})?;
		Ok((record, change))
	}

	/// Records an event that was authorised, for `record`.
	pub fn take(signed: &SignedEvent) -> DispatchResult {
		let (record, change) = Self::admit(signed, Signatures::Verified).map_err(Error::<T>::from)?;
		let (identity, index) = (signed.event.identity, signed.event.index);
		Self::deposit_event(Event::EventRecorded { identity, index, entry: change.hash });
		if let Some(from) = change.overrides {
			Self::deposit_event(Event::EventsOverridden { identity, from, by: index });
		}
		if signed.event.action == Action::Close {
			Self::deposit_event(Event::IdentityClosed { identity });
		}
		let record = IdentityOf::<T> { state: change.state.clone(), ..record };
		Self::write(signed, record, change);
		Ok(())
	}

	pub(crate) fn write(signed: &SignedEvent, record: IdentityOf<T>, change: Change) {
		let id = &signed.event.identity;
		for key in change.revoked {
			T::OnRevoked::on_revoked(&key);
			Self::deposit_event(Event::DeviceRevoked { identity: *id, key });
		}
		if let Some(key) = change.added {
			UsedKeys::<T>::insert(key, id);
			Self::deposit_event(Event::DeviceAdded { identity: *id, key });
		}
		Identities::<T>::insert(id, record);
		BlockEvents::<T>::append(signed);
	}

	/// Decides whether the pool and the block may take the event, and under which conditions.
	pub fn authorize_record(signed: &SignedEvent) -> TransactionValidityWithRefund {
		Self::admit(signed, Signatures::Verify).map_err(|refusal| InvalidTransaction::Custom(refusal.code()))?;
		let validity = ValidTransaction {
			priority: priority(&signed.event.action),
			requires: Vec::new(),
			provides: alloc::vec![(EVENT_TAG, signed.event.identity, signed.event.index).encode()],
			longevity: T::EventLongevity::get(),
			propagate: true,
		};
		Ok((validity, Weight::zero()))
	}

	/// The devices of its identity after an event whose signatures were verified in this block; none if it is closed then.
	///
	/// # Errors
	/// [`Refusal`], if it may not be recorded in this block.
	pub fn devices_after(signed: &SignedEvent) -> Result<Vec<IdentityKey>, Refusal> {
		let state = Self::admit(signed, Signatures::Verified)?.1.state;
		let devices = state.devices.iter().filter(|_| !state.closed);
		Ok(devices.map(|device| device.key).collect())
	}

	/// An identity, unless it never was or has ended.
	pub fn identity(id: IdentityId) -> Option<IdentityState> {
		Identities::<T>::get(id).map(|record| record.state)
	}

	/// The head of the log of an identity, also of one that has ended.
	pub fn identity_head(id: IdentityId) -> Option<LogHead> {
		Self::identity(id).map(|state| state.head).or_else(|| Ended::<T>::get(id))
	}

	/// The events that this block recorded, in order.
	pub fn block_events() -> Vec<SignedEvent> {
		BlockEvents::<T>::get()
	}

	/// How many identities there are.
	pub fn identity_count() -> u32 {
		Identities::<T>::count()
	}

	pub(crate) fn place<'a>(genesis: &'a GenesisHash, identity: &'a IdentityId) -> Place<'a> {
		Place { genesis, identity, block: Self::now(), window: T::RecoveryWindow::get() }
	}

	pub(crate) fn is_used(key: &IdentityKey) -> bool {
		UsedKeys::<T>::contains_key(key)
	}

	/// The number of this block.
	pub fn now() -> BlockNumber {
		frame_system::Pallet::<T>::block_number().saturated_into()
	}

	/// The chain.
	pub fn genesis() -> GenesisHash {
		GenesisHash(
			frame_system::Pallet::<T>::block_hash(frame_system::pallet_prelude::BlockNumberFor::<T>::from(0u32)).0,
		)
	}
}

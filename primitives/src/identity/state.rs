//! What an identity is after so many events.

use super::event::{NewDevice, RecoveryKeys, MAX_DEVICES};
use crate::{BlockNumber, IdentityKey, KeyCommitment, LogHead, OperatorId};
use alloc::vec::Vec;
use bounded_collections::{BoundedVec, ConstU32};
use codec::{Decode, DecodeWithMemTracking, Encode, MaxEncodedLen};
use scale_info::TypeInfo;

/// Events within the window of recovery that an identity can have, without those that are overridden.
pub const MAX_RECENT: u32 = 64;
/// Recoveries within the window, with those that are overridden.
pub const MAX_RECOVERIES: u32 = 8;
/// The number of recent events from which on the oldest device can have no further ones; two less for each device that
/// came before, and one more for a rotation. Whoever has stolen a device can use these up, and keep out no recovery, no
/// older device, and no rotation of the device itself.
pub const RECENT_FOR_DEVICES: usize = 54;

/// A device of an identity.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Device {
	/// It keeps its number when its key is rotated; a number is used once.
	pub number: u32,
	/// Its key.
	pub key: IdentityKey,
	/// What is known of the next one.
	pub next: KeyCommitment,
	/// The number of the device that added it; of the first one, and those of recoveries, there is none.
	pub added_by: Option<u32>,
	/// The block since which it has this key.
	pub since: BlockNumber,
}

/// How an event is taken back.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo)]
pub enum Undo {
	/// It has only taken away.
	#[codec(index = 0)]
	Nothing,
	/// The device goes that it added or rotated, with what that one added.
	#[codec(index = 1)]
	Device(u32),
	/// The person is at home where it was before.
	#[codec(index = 2)]
	Operator(Option<OperatorId>),
	/// The identity is open again.
	#[codec(index = 3)]
	Close,
	/// A recovery: its device goes. The keys that it replaced are of lower ranks than the one that overrides it, which
	/// replaces them again.
	#[codec(index = 4)]
	Recovery {
		/// The rank of the key that did it.
		rank: u8,
		/// The number of its device.
		device: u32,
	},
}

/// An event that can still be overridden.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo)]
pub struct Recent {
	/// Its position in the log.
	pub index: u64,
	/// The block that carries it.
	pub block: BlockNumber,
	/// How it is taken back.
	pub undo: Undo,
}

/// An identity, as the chain knows it and as the events of its log make it.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo)]
pub struct IdentityState {
	/// Length and head hash of its log.
	pub head: LogHead,
	/// Its devices, in the order of their numbers. Those that were revoked are not among them.
	pub devices: BoundedVec<Device, ConstU32<MAX_DEVICES>>,
	/// The number of the next device.
	pub next_number: u32,
	/// What is known of the recovery keys, the highest rank first.
	pub recovery: RecoveryKeys,
	/// Where the person is at home.
	pub operator: Option<OperatorId>,
	/// Whether it has ended.
	pub closed: bool,
	/// The events that can still be overridden, the oldest first; older ones that could not are not among them.
	pub recent: BoundedVec<Recent, ConstU32<MAX_RECENT>>,
	/// The blocks of the recoveries within the window, also of those that are overridden.
	pub recoveries: BoundedVec<BlockNumber, ConstU32<MAX_RECOVERIES>>,
}

impl IdentityState {
	/// The device that has this key now.
	pub fn device(&self, key: &IdentityKey) -> Option<&Device> {
		self.devices.iter().find(|device| device.key == *key)
	}

	/// From how many recent events on this device can have no further ones; `None` if it is none of the identity's.
	pub(super) fn limit_of(&self, device: u32) -> Option<usize> {
		let older = self.devices.iter().position(|other| other.number == device)?;
		Some(RECENT_FOR_DEVICES.saturating_sub(older.saturating_mul(2)))
	}

	/// Whether `number` is `ancestor`, or was added by it, directly or not.
	pub fn descends(&self, number: u32, ancestor: u32) -> bool {
		let mut at = Some(number);
		// Whoever adds has a smaller number, so this ends.
		while let Some(current) = at {
			if current == ancestor {
				return true;
			}
			let device = self.devices.iter().find(|device| device.number == current);
			at = device.and_then(|device| device.added_by).filter(|parent| *parent < current);
		}
		false
	}

	/// Takes out a device and all that it added, directly or not; gives their keys.
	pub(super) fn revoke(&mut self, number: u32) -> Vec<IdentityKey> {
		let gone: Vec<u32> =
			self.devices.iter().map(|device| device.number).filter(|other| self.descends(*other, number)).collect();
		let keys =
			self.devices.iter().filter(|device| gone.contains(&device.number)).map(|device| device.key).collect();
		self.devices.retain(|device| !gone.contains(&device.number));
		keys
	}

	/// Brings in a device; gives its number. `None` if there is no room.
	pub(super) fn admit(&mut self, device: &NewDevice, added_by: Option<u32>, since: BlockNumber) -> Option<u32> {
		let number = self.next_number;
		let next_number = number.checked_add(1)?;
		let NewDevice { key, next } = *device;
		self.devices.try_push(Device { number, key, next, added_by, since }).ok()?;
		self.next_number = next_number;
		Some(number)
	}

	/// Forgets events that no recovery can override any more in block `now`.
	pub(super) fn forget_older(&mut self, now: BlockNumber, window: BlockNumber) {
		self.recent.retain(|recent| now.saturating_sub(recent.block) <= window);
		self.recoveries.retain(|block| now.saturating_sub(*block) <= window);
	}
}

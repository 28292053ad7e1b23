//! How KeyPackages come into a stock: read and verified by rules that are not this pallet's, and then written.

use crate::{
	types::{Allowance, InitKeysOf, Stored},
	ClaimAllowances, Config, Error, Event, Gates, InitKeys, KeyPackages, Lapsing, LastResorts, Leaving, Pallet, Stocks,
};
use alloc::{collections::BTreeSet, vec::Vec};
use frame_support::{pallet_prelude::*, traits::Get, weights::Weight};
use lockstep_primitives::{
	identity::{OnRevoked, SignedEvent},
	key_package::{
		read, KeyPackageRefusal as Refusal, SignedGateChange, SignedPublication, Stock, MAX_LIFE, MAX_STOCK,
	},
	BlockNumber, EventSignature, GenesisHash, IdentityId, IdentityKey,
};
use pallet_directory::recording::{verify, Signatures, EVENT_PRIORITY};

type Directory<T> = pallet_directory::Pallet<T>;

/// The tag that a publication, or a change of the gate, provides to the pool starts with this; the device and the number
/// follow. So the pool holds one for each number, the first that it saw.
pub const STOCK_TAG: &[u8] = b"lockstep/stock";

/// What follows from a publication.
pub(crate) struct Admitted {
	stock: Stock,
	init_keys: InitKeysOf,
}

impl<T: Config> Pallet<T> {
	/// A device's stock in this block, with what it may publish, if `number` is the next one's.
	fn next_of(
		identity: &IdentityId,
		device: &IdentityKey,
		number: u32,
		devices: &[IdentityKey],
	) -> Result<Stock, Refusal> {
		if !devices.contains(device) {
			return Err(Refusal::UnknownDevice);
		}
		let (now, burst) = (Self::now(), T::PublishBurst::get());
		let stock = Stocks::<T>::get(device).unwrap_or(Stock {
			identity: *identity,
			number: 0,
			first: 0,
			next: 0,
			last_resort: None,
			must_replace: None,
			allowed: burst,
			allowed_at: now,
		});
		if stock.number != number {
			return Err(Refusal::BadSequence);
		}
		let allowance = Allowance { left: stock.allowed, at: stock.allowed_at };
		let Allowance { left, at } = allowance.refilled(burst, T::PublishEvery::get(), now);
		Ok(Stock { allowed: left, allowed_at: at, ..stock })
	}

	/// The same stock after `times` of its allowance were used, for its next number.
	fn used(stock: Stock, times: u32) -> Result<Stock, Refusal> {
		let number = stock.number.checked_add(1).ok_or(Refusal::Full)?;
		let allowed = stock.allowed.checked_sub(times).ok_or(Refusal::TooSoon)?;
		Ok(Stock { number, allowed, ..stock })
	}

	/// Decides whether the publication may be taken in this block, where the identity has these devices.
	pub(crate) fn admit(
		signed: &SignedPublication,
		devices: &[IdentityKey],
		signatures: Signatures,
	) -> Result<Admitted, Refusal> {
		let publication = &signed.publication;
		let (identity, device, now) = (&publication.identity, &publication.device, Self::now());
		if publication.count() == 0 && !publication.replace {
			return Err(Refusal::Empty);
		}
		let mut stock = Self::next_of(identity, device, publication.number, devices)?;
		if publication.lapse < now || publication.lapse > now.saturating_add(MAX_LIFE) {
			return Err(Refusal::BadLapse);
		}
		let fresh = publication.last_resort.is_some();
		let is_over = |since: BlockNumber| now > since.saturating_add(T::LastResortGrace::get());
		// One that was used goes for a new one only: who could clear it away would need none.
		if !fresh && stock.must_replace.is_some_and(|since| publication.replace || is_over(since)) {
			return Err(Refusal::LastResortDue);
		}
		stock = Self::used(stock, publication.count().max(1))?;
		if publication.replace {
			stock.first = stock.next;
		}
		if fresh || publication.replace {
			stock.last_resort = fresh.then_some(publication.lapse);
			stock.must_replace = None;
		}
		let more = u32::try_from(publication.packages.len()).map_err(|_| Refusal::Full)?;
		stock.next = stock.next.checked_add(more).ok_or(Refusal::Full)?;
		if stock.left() > MAX_STOCK {
			return Err(Refusal::Full);
		}
		let verified = |key: &IdentityKey, text: &[u8], signature: &EventSignature| {
			signatures == Signatures::Verified || verify(key, text, signature)
		};
		if !verified(device, &publication.signing_payload(&Self::genesis()), &signed.signature) {
			return Err(Refusal::BadSignature);
		}
		let (mut init_keys, mut seen) = (InitKeysOf::default(), BTreeSet::new());
		for bytes in publication.all() {
			let package = read(bytes, identity, device, verified)?;
			if !seen.insert(package.init_key) || InitKeys::<T>::contains_key((identity, package.init_key)) {
				return Err(Refusal::InitKeyUsed);
			}
			init_keys.try_push(package.init_key).map_err(|_| Refusal::Full)?;
		}
		Ok(Admitted { stock, init_keys })
	}

	/// The devices of an identity; none if there is no such identity, or it is closed.
	pub(crate) fn devices(identity: &IdentityId) -> Vec<IdentityKey> {
		let open = Directory::<T>::identity(*identity).filter(|state| !state.closed);
		open.map(|state| state.devices.iter().map(|device| device.key).collect()).unwrap_or_default()
	}

	/// Takes a publication that was authorised in this block.
	pub(crate) fn take(signed: &SignedPublication) -> DispatchResult {
		let devices = Self::devices(&signed.publication.identity);
		let admitted = Self::admit(signed, &devices, Signatures::Verified).map_err(Error::<T>::not_taken)?;
		Self::write(signed, admitted);
		Ok(())
	}

	/// Records an event and takes a publication that were authorised together in this block.
	pub(crate) fn take_both(event: &SignedEvent, signed: &SignedPublication) -> DispatchResult {
		Directory::<T>::take(event)?;
		Self::take(signed)
	}

	fn write(signed: &SignedPublication, Admitted { stock, init_keys }: Admitted) {
		let publication = &signed.publication;
		let device = &publication.device;
		if publication.replace {
			if let Some(before) = Stocks::<T>::get(device) {
				(before.first..before.next).for_each(|place| KeyPackages::<T>::remove(device, place));
			}
			LastResorts::<T>::remove(device);
		}
		let lapse = publication.lapse;
		let places = stock.next.saturating_sub(publication.packages.len() as u32)..stock.next;
		for (place, bytes) in places.zip(&publication.packages) {
			KeyPackages::<T>::insert(device, place, Stored { bytes: bytes.clone(), lapse });
		}
		if let Some(bytes) = &publication.last_resort {
			LastResorts::<T>::insert(device, bytes);
		}
		let (identity, number) = (publication.identity, publication.number);
		init_keys.iter().for_each(|key| InitKeys::<T>::insert((identity, key), (lapse, number)));
		if !init_keys.is_empty() {
			Lapsing::<T>::insert(Self::period(lapse), (identity, device, number), init_keys);
		}
		Stocks::<T>::insert(device, stock);
		Self::deposit_event(Event::Published {
			identity: publication.identity,
			device: *device,
			number: publication.number,
			packages: publication.packages.len() as u32,
			last_resort: publication.last_resort.is_some(),
		});
	}

	fn admit_gate(signed: &SignedGateChange, signatures: Signatures) -> Result<Stock, Refusal> {
		let change = &signed.change;
		let devices = Self::devices(&change.identity);
		let stock = Self::next_of(&change.identity, &change.device, change.number, &devices)?;
		let stock = Self::used(stock, 1)?;
		let text = change.signing_payload(&Self::genesis());
		if signatures == Signatures::Verify && !verify(&change.device, &text, &signed.signature) {
			return Err(Refusal::BadSignature);
		}
		Ok(stock)
	}

	/// Changes a gate as was authorised in this block.
	pub(crate) fn change_gate(signed: &SignedGateChange) -> DispatchResult {
		let stock = Self::admit_gate(signed, Signatures::Verified).map_err(Error::<T>::not_taken)?;
		let change = &signed.change;
		Stocks::<T>::insert(change.device, stock);
		Gates::<T>::set(change.identity, change.gate);
		Self::deposit_event(Event::GateChanged { identity: change.identity, gate: change.gate });
		Ok(())
	}

	/// Decides whether the pool and the block may take the publication, and under which conditions.
	pub(crate) fn authorize_publish(signed: &SignedPublication) -> TransactionValidityWithRefund {
		let publication = &signed.publication;
		let devices = Self::devices(&publication.identity);
		Self::admit(signed, &devices, Signatures::Verify).map_err(invalid)?;
		Ok((Self::valid(&publication.device, publication.number), Weight::zero()))
	}

	/// The same for a change of the gate.
	pub(crate) fn authorize_set_gate(signed: &SignedGateChange) -> TransactionValidityWithRefund {
		Self::admit_gate(signed, Signatures::Verify).map_err(invalid)?;
		Ok((Self::valid(&signed.change.device, signed.change.number), Weight::zero()))
	}

	/// The same for an event with a publication of what comes after it.
	pub(crate) fn authorize_record_and_publish(
		event: &SignedEvent,
		signed: &SignedPublication,
	) -> TransactionValidityWithRefund {
		let (mut validity, refund) = Directory::<T>::authorize_record(event)?;
		let publication = &signed.publication;
		let after =
			Directory::<T>::devices_after(event).map_err(|refusal| InvalidTransaction::Custom(refusal.code()))?;
		let is_same = publication.identity == event.event.identity;
		let devices = if is_same { after } else { Vec::new() };
		Self::admit(signed, &devices, Signatures::Verify).map_err(invalid)?;
		validity.provides.extend(Self::valid(&publication.device, publication.number).provides);
		Ok((validity, refund))
	}

	fn valid(device: &IdentityKey, number: u32) -> ValidTransaction {
		ValidTransaction {
			priority: EVENT_PRIORITY,
			requires: Vec::new(),
			provides: alloc::vec![(STOCK_TAG, device, number).encode()],
			longevity: T::EventLongevity::get(),
			propagate: true,
		}
	}

	pub(crate) fn now() -> BlockNumber {
		Directory::<T>::now()
	}

	pub(crate) fn genesis() -> GenesisHash {
		Directory::<T>::genesis()
	}

	/// The period in which a block lies.
	pub(crate) fn period(block: BlockNumber) -> u32 {
		block.checked_div(T::Period::get()).unwrap_or_default()
	}
}

pub(crate) fn invalid(refusal: Refusal) -> InvalidTransaction {
	InvalidTransaction::Custom(refusal.code())
}

/// What a device has published goes with it. Whether it has published is seen later, so that an event costs the same.
impl<T: Config> OnRevoked for Pallet<T> {
	fn on_revoked(device: &IdentityKey) {
		Leaving::<T>::insert(device, ());
	}

	fn on_ended(identity: &IdentityId) {
		Gates::<T>::remove(identity);
		ClaimAllowances::<T>::remove(identity);
	}
}

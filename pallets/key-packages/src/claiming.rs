//! How KeyPackages are given out: one of each device, each once, to nobody who is named.

use crate::{
	hook::OnClaim, publishing::invalid, types::Allowance, weights::WeightInfo, ClaimAllowances, ClaimDeposits, Claims,
	ClaimsByPeriod, Config, Error, Event, Gates, HoldReason, KeyPackages, LastResorts, Pallet, Stocks,
};
use alloc::vec::Vec;
use codec::Encode;
use frame_support::{
	dispatch::PostDispatchInfo,
	pallet_prelude::*,
	traits::{
		fungible::{InspectHold, MutateHold},
		Get,
	},
};
use lockstep_primitives::{
	identity::MAX_DEVICES,
	key_package::{Claim, Claimed, ClaimedKeyPackage, KeyPackageRefusal as Refusal, Stock, StockView, SUITE},
	voucher::{Cashier, Payment, VoucherKind, VoucherRefusal, POOL_TAG},
	EventSignature, IdentityKey, VoucherKey,
};
use pallet_directory::recording::{verify, EVENT_PRIORITY};

/// KeyPackages that have lapsed, of one device, that one claim passes over at most. If there are more, the device counts as one
/// that has none but its last resort, until they are cleared away.
pub const MAX_PASSED: u32 = 8;

/// What a claim takes from one device.
pub(crate) struct Pick {
	device: IdentityKey,
	stock: Stock,
	/// The place of the KeyPackage; the last resort, if there is none.
	place: Option<u32>,
}

/// What a claim takes.
pub(crate) struct Given {
	picks: Vec<Pick>,
	allowance: Allowance,
	/// How many devices were looked at.
	pub(crate) devices: u32,
}

impl<T: Config> Pallet<T> {
	/// Decides what a claim gets in this block.
	pub(crate) fn pick(claim: &Claim, voucher: &VoucherKey) -> Result<Given, Refusal> {
		if !claim.suites.contains(&SUITE) {
			return Err(Refusal::Suite);
		}
		// Vouchers that differ may have the same key, and what a claim got is kept by the key.
		if Claims::<T>::contains_key(voucher) {
			return Err(Refusal::AlreadyClaimed);
		}
		let now = Self::now();
		let devices = Self::devices(&claim.target);
		if devices.is_empty() {
			return Err(Refusal::UnknownTarget);
		}
		if let Some(gate) = Gates::<T>::get(claim.target) {
			let text = claim.gate_payload(&Self::genesis(), voucher);
			let shown = claim.gate.map(|signature| EventSignature(signature.0));
			if !shown.is_some_and(|signature| verify(&gate, &text, &signature)) {
				return Err(Refusal::GateClosed);
			}
		}
		let burst = T::ClaimBurst::get();
		let allowance = ClaimAllowances::<T>::get(claim.target).unwrap_or(Allowance::full(burst, now));
		let allowance = allowance.refilled(burst, T::ClaimEvery::get(), now);
		let allowance = allowance.after(1).ok_or(Refusal::TooManyClaims)?;
		let picks: Vec<Pick> = devices.iter().filter_map(|device| Self::pick_of(device)).collect();
		if picks.is_empty() {
			return Err(Refusal::NothingLeft);
		}
		Ok(Given { picks, allowance, devices: u32::try_from(devices.len()).unwrap_or(MAX_DEVICES) })
	}

	fn pick_of(device: &IdentityKey) -> Option<Pick> {
		let (stock, now) = (Stocks::<T>::get(device)?, Self::now());
		let places = stock.first..stock.next.min(stock.first.saturating_add(MAX_PASSED));
		let is_good = |place: &u32| KeyPackages::<T>::get(device, place).is_some_and(|stored| stored.lapse >= now);
		let place = places.into_iter().find(is_good);
		let is_there = place.is_some() || stock.last_resort.is_some_and(|lapse| lapse >= now);
		is_there.then_some(Pick { device: *device, stock, place })
	}

	/// Gives out what a claim gets that was authorised in this block.
	pub(crate) fn give(claim: &Claim, payment: &Payment) -> DispatchResultWithPostInfo {
		let sponsor = T::Vouchers::spend(VoucherKind::Claim, payment, &claim.order());
		let sponsor = sponsor.map_err(|_| Error::<T>::VoucherRefused)?;
		let voucher = payment.voucher.voucher.key;
		let devices = Self::hand_out(claim, &voucher, sponsor)?;
		let weight = <T as Config>::WeightInfo::claim(devices).saturating_add(T::VoucherWeights::get().1);
		Ok(PostDispatchInfo { actual_weight: Some(weight), pays_fee: Pays::No })
	}

	/// The same, without the voucher. Says how many devices were looked at.
	pub(crate) fn hand_out(claim: &Claim, voucher: &VoucherKey, sponsor: T::AccountId) -> Result<u32, DispatchError> {
		let Given { picks, allowance, devices } = Self::pick(claim, voucher).map_err(Error::<T>::not_given)?;
		let deposit = T::ClaimDeposit::get();
		T::Currency::hold(&HoldReason::Claim.into(), &sponsor, deposit)?;
		ClaimDeposits::<T>::insert(voucher, (sponsor, deposit));
		let mut packages = Vec::new();
		for pick in picks {
			packages.extend(Self::hand_out_one(pick));
		}
		let (target, block) = (claim.target, Self::now());
		let count = u32::try_from(packages.len()).unwrap_or(MAX_DEVICES);
		let packages = packages.try_into().map_err(|_| Error::<T>::NotGiven)?;
		Claims::<T>::insert(voucher, Claimed { target, block, packages });
		ClaimsByPeriod::<T>::insert(Self::period(block), voucher, ());
		ClaimAllowances::<T>::insert(target, allowance);
		T::OnClaim::claimed(voucher, count);
		Self::deposit_event(Event::KeyPackagesClaimed { target, voucher: *voucher, packages: count });
		Ok(devices)
	}

	fn hand_out_one(pick: Pick) -> Option<ClaimedKeyPackage> {
		let Pick { device, mut stock, place } = pick;
		let identity = stock.identity;
		let last_resort = place.is_none();
		let bytes = match place {
			Some(place) => {
				let bytes = KeyPackages::<T>::get(device, place)?.bytes;
				let (before, after) = (stock.left(), place.saturating_add(1));
				(stock.first..after).for_each(|place| KeyPackages::<T>::remove(device, place));
				stock.first = after;
				let low = T::LowStock::get();
				if stock.left() <= low && (before > low || stock.left() == 0) {
					Self::deposit_event(Event::StockLow { identity, device, left: stock.left() });
				}
				bytes
			}
			None => {
				if stock.must_replace.is_none() {
					stock.must_replace = Some(Self::now());
					Self::deposit_event(Event::LastResortUsed { identity, device });
				}
				LastResorts::<T>::get(device)?
			}
		};
		Stocks::<T>::insert(device, stock);
		Some(ClaimedKeyPackage { device, last_resort, bytes })
	}

	/// What the claim would get, if the sponsor can pay for it.
	pub(crate) fn can_hand_out(
		claim: &Claim,
		voucher: &VoucherKey,
		sponsor: &T::AccountId,
	) -> Result<Given, InvalidTransaction> {
		let given = Self::pick(claim, voucher).map_err(invalid)?;
		T::Currency::ensure_can_hold(&HoldReason::Claim.into(), sponsor, T::ClaimDeposit::get())
			.map_err(|_| InvalidTransaction::Custom(VoucherRefusal::NoFunds.code()))?;
		Ok(given)
	}

	/// Decides whether the pool and the block may take the claim, and under which conditions.
	pub(crate) fn authorize_claim(claim: &Claim, payment: &Payment) -> TransactionValidityWithRefund {
		let sponsor = T::Vouchers::check(VoucherKind::Claim, payment, &claim.order());
		let sponsor = sponsor.map_err(|refusal| InvalidTransaction::Custom(refusal.code()))?;
		let voucher = payment.voucher.voucher.key;
		let given = Self::can_hand_out(claim, &voucher, &sponsor)?;
		let validity = ValidTransaction {
			priority: EVENT_PRIORITY,
			requires: Vec::new(),
			provides: alloc::vec![(POOL_TAG, voucher).encode()],
			longevity: T::EventLongevity::get(),
			propagate: true,
		};
		let (most, looked) = (
			<T as Config>::WeightInfo::authorize_claim(MAX_DEVICES),
			<T as Config>::WeightInfo::authorize_claim(given.devices),
		);
		Ok((validity, most.saturating_sub(looked)))
	}

	/// What a claim got, as long as that is kept.
	pub fn claimed(voucher: VoucherKey) -> Option<Claimed> {
		Claims::<T>::get(voucher)
	}

	/// What is known of a device's KeyPackages.
	pub fn stock(device: IdentityKey) -> Option<StockView> {
		Stocks::<T>::get(device).map(|stock| StockView { left: stock.left(), stock })
	}
}

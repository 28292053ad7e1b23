//! How KeyPackages are given out: one of each device, each once, to nobody who is named.
//!
//! Whether a claim may be made is decided when it is authorised, and only there: FRAME authorises and dispatches one extrinsic
//! after the other, in the same state, so that what is dispatched needs to be looked up again and not judged again.

use crate::{
	hook::OnClaim,
	publishing::invalid,
	types::{Allowance, Kept},
	weights::WeightInfo,
	ClaimAllowances, Claims, ClaimsOf, Config, Error, Event, Gates, HoldReason, KeyPackages, LastResorts, Pallet,
	Stocks,
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
	key_package::{
		Claim, Claimed, ClaimedKeyPackage, KeyPackageBytes, KeyPackageRefusal as Refusal, Stock, StockView, SUITE,
	},
	voucher::{Cashier, Payment, VoucherKind, VoucherRefusal, POOL_TAG},
	EventSignature, IdentityId, IdentityKey, VoucherKey,
};
use pallet_directory::recording::{verify, EVENT_PRIORITY};

/// KeyPackages that have lapsed, of one device, that one claim passes over at most. If there are more, the device counts as one
/// that has none but its last resort, until they are cleared away.
pub const MAX_PASSED: u32 = 8;

/// What a claim takes from one device.
pub(crate) struct Pick {
	device: IdentityKey,
	stock: Stock,
	/// The KeyPackage and its place; the last resort, if there is none.
	package: Option<(u32, KeyPackageBytes)>,
}

/// How much a claim has looked at, by which it is weighed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Looked {
	/// How many devices the person has.
	pub devices: u32,
	/// How many KeyPackages have lapsed that were looked at, of all devices.
	pub passed: u32,
}

impl Looked {
	/// The most that there can be.
	pub const MOST: Self = Self { devices: MAX_DEVICES, passed: MAX_DEVICES.saturating_mul(MAX_PASSED) };
}

/// What a claim takes.
pub(crate) struct Given {
	pub(crate) picks: Vec<Pick>,
	allowance: Allowance,
	looked: Looked,
}

impl<T: Config> Pallet<T> {
	/// What it costs to authorise a claim that has looked at so much.
	pub(crate) fn weight_of_authorizing(claim: &Claim, looked: Looked) -> Weight {
		let authorized = <T as Config>::WeightInfo::authorize_claim(looked.devices);
		match claim.gate {
			Some(_) => authorized.saturating_add(<T as Config>::WeightInfo::pass_gate()),
			None => authorized,
		}
	}

	/// What it costs to give out what was authorised. A claim is measured as a whole: what is read twice is in the database's
	/// hands once.
	pub(crate) fn weight_of_giving(looked: Looked) -> Weight {
		let authorized = <T as Config>::WeightInfo::authorize_claim(looked.devices);
		let given = <T as Config>::WeightInfo::claim(looked.devices).saturating_sub(authorized);
		match looked.passed {
			0 => given,
			passed => given.saturating_add(<T as Config>::WeightInfo::pass_over(passed)),
		}
	}

	/// Decides whether this may be claimed with this voucher, whatever there is to get; what costs least comes first. Gives the
	/// devices of the person.
	fn admit_claim(claim: &Claim, payment: &Payment) -> Result<Vec<IdentityKey>, InvalidTransaction> {
		let refused = |refusal: VoucherRefusal| InvalidTransaction::Custom(refusal.code());
		if !claim.suites.contains(&SUITE) {
			return Err(invalid(Refusal::Suite));
		}
		// Vouchers that differ may have the same key, and what a claim got is kept by the key.
		let voucher = &payment.voucher.voucher;
		if Claims::<T>::contains_key(voucher.key) {
			let is_same = Claims::<T>::get(voucher.key).is_some_and(|kept| kept.voucher(voucher.key) == *voucher);
			return Err(if is_same { refused(VoucherRefusal::Spent) } else { invalid(Refusal::AlreadyClaimed) });
		}
		T::Currency::ensure_can_hold(&HoldReason::Claim.into(), &T::Vouchers::sponsor(voucher), T::ClaimDeposit::get())
			.map_err(|_| refused(VoucherRefusal::NoFunds))?;
		T::Vouchers::check(VoucherKind::Claim, payment, &claim.order()).map_err(refused)?;
		let devices = Self::devices(&claim.target);
		if devices.is_empty() {
			return Err(invalid(Refusal::UnknownTarget));
		}
		Self::pass_gate(claim, &voucher.key)?;
		Ok(devices)
	}

	/// Whether the person has no gate, or the claim has its signature.
	pub(crate) fn pass_gate(claim: &Claim, voucher: &VoucherKey) -> Result<(), InvalidTransaction> {
		let Some(gate) = Gates::<T>::get(claim.target) else { return Ok(()) };
		let is_signed = claim.gate.is_some_and(|shown| {
			let text = claim.gate_payload(&Self::genesis(), voucher);
			verify(&gate, &text, &EventSignature(shown.0))
		});
		if is_signed {
			Ok(())
		} else {
			Err(invalid(Refusal::GateClosed))
		}
	}

	/// Looks up what a claim gets in this block of the person who has these devices.
	pub(crate) fn pick(target: &IdentityId, devices: &[IdentityKey]) -> Result<Given, Refusal> {
		let (burst, now) = (T::ClaimBurst::get(), Self::now());
		let allowance = ClaimAllowances::<T>::get(target).unwrap_or(Allowance::full(burst, now));
		let allowance = allowance.refilled(burst, T::ClaimEvery::get(), now);
		let allowance = allowance.after(1).ok_or(Refusal::TooManyClaims)?;
		let mut looked = Looked { devices: u32::try_from(devices.len()).unwrap_or(MAX_DEVICES), passed: 0 };
		let mut picks = Vec::new();
		for device in devices {
			let (passed, pick) = Self::pick_of(device);
			looked.passed = looked.passed.saturating_add(passed);
			picks.extend(pick);
		}
		if picks.is_empty() {
			return Err(Refusal::NothingLeft);
		}
		Ok(Given { picks, allowance, looked })
	}

	/// What a device gives, and how many that have lapsed were looked at before.
	fn pick_of(device: &IdentityKey) -> (u32, Option<Pick>) {
		let Some(stock) = Stocks::<T>::get(device) else { return (0, None) };
		let now = Self::now();
		let mut passed = 0u32;
		for place in stock.first..stock.next.min(stock.first.saturating_add(MAX_PASSED)) {
			if let Some(stored) = KeyPackages::<T>::get(device, place).filter(|stored| stored.lapse >= now) {
				return (passed, Some(Pick { device: *device, stock, package: Some((place, stored.bytes)) }));
			}
			passed = passed.saturating_add(1);
		}
		let is_there = stock.last_resort.is_some_and(|lapse| lapse >= now);
		(passed, is_there.then_some(Pick { device: *device, stock, package: None }))
	}

	/// Gives out what a claim gets that was authorised in this block.
	pub(crate) fn give(claim: &Claim, payment: &Payment) -> DispatchResultWithPostInfo {
		let (target, voucher) = (claim.target, payment.voucher.voucher);
		let Given { picks, allowance, looked } =
			Self::pick(&target, &Self::devices(&target)).map_err(Error::<T>::not_given)?;
		let (block, deposit) = (Self::now(), T::ClaimDeposit::get());
		// No block has room for so many: `integrity_test`.
		ClaimsOf::<T>::try_append(block, voucher.key).map_err(|()| Error::<T>::NotGiven)?;
		T::Currency::hold(&HoldReason::Claim.into(), &T::Vouchers::sponsor(&voucher), deposit)?;
		let mut packages = Vec::new();
		for pick in picks {
			packages.extend(Self::hand_out(pick));
		}
		let count = u32::try_from(packages.len()).unwrap_or(MAX_DEVICES);
		let packages = packages.try_into().map_err(|_| Error::<T>::NotGiven)?;
		let (sponsor, expiry) = (voucher.sponsor, voucher.expiry);
		Claims::<T>::insert(
			voucher.key,
			Kept { claimed: Claimed { target, block, packages }, sponsor, expiry, deposit },
		);
		ClaimAllowances::<T>::insert(target, allowance);
		T::OnClaim::claimed(&voucher.key, count);
		Self::deposit_event(Event::KeyPackagesClaimed { target, voucher: voucher.key, packages: count });
		Ok(PostDispatchInfo { actual_weight: Some(Self::weight_of_giving(looked)), pays_fee: Pays::No })
	}

	/// Takes the KeyPackage out of the stock, with those that were passed over.
	pub(crate) fn hand_out(pick: Pick) -> Option<ClaimedKeyPackage> {
		let Pick { device, mut stock, package } = pick;
		let identity = stock.identity;
		let last_resort = package.is_none();
		let bytes = match package {
			Some((place, bytes)) => {
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

	/// Decides whether the pool and the block may take the claim, and under which conditions.
	pub(crate) fn authorize_claim(claim: &Claim, payment: &Payment) -> TransactionValidityWithRefund {
		let devices = Self::admit_claim(claim, payment)?;
		let looked = Self::pick(&claim.target, &devices).map_err(invalid)?.looked;
		let validity = ValidTransaction {
			priority: EVENT_PRIORITY,
			requires: Vec::new(),
			provides: alloc::vec![(POOL_TAG, payment.voucher.voucher.key).encode()],
			longevity: T::EventLongevity::get(),
			propagate: true,
		};
		let most = Self::weight_of_authorizing(claim, Looked::MOST);
		Ok((validity, most.saturating_sub(Self::weight_of_authorizing(claim, looked))))
	}

	/// What a claim got, as long as that is kept.
	pub fn claimed(voucher: VoucherKey) -> Option<Claimed> {
		Claims::<T>::get(voucher).map(|kept| kept.claimed)
	}

	/// What is known of a device's KeyPackages.
	pub fn stock(device: IdentityKey) -> Option<StockView> {
		Stocks::<T>::get(device).map(|stock| StockView { left: stock.left(), stock })
	}
}

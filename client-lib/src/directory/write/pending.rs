//! An event on its way into a log. What nodes say of it are hints.

use super::DirectoryError;
use crate::{
	client::{hand_over_once, submit_signed, SignedAndSent},
	rpc::{Nodes, SubmitError},
	Sponsor,
};
use lockstep_primitives::{
	extrinsic::SignedCall, identity::IdentityRefusal, key_package::KeyPackageRefusal, voucher::VoucherRefusal,
	BlockNumber,
};
use lockstep_verifier::chain::Head;
use std::time::Duration;
use tokio::time::Instant;

/// After which what a node has taken is submitted again, the same bytes, to the next node: it may have been lost with that one, or
/// dropped. Shorter in tests.
const AGAIN: Duration = Duration::from_millis(if cfg!(test) { 1_000 } else { 15_000 });
/// After which what no node has taken is submitted again.
const SOON: Duration = Duration::from_secs(2);
/// How often a registration is signed at most. Each can cost a fee.
const MAX_SIGNED: usize = 2;
/// Final blocks after which what a node has seen in any block is final, or gone.
const SPENT_FOR_GOOD: BlockNumber = 12;

/// How an event gets to the chain.
pub(super) enum Way<'a> {
	/// By itself.
	General(Vec<u8>),
	/// In a call that an account signs.
	Signed {
		/// The account.
		sponsor: &'a Sponsor,
		/// The call.
		call: SignedCall,
	},
}

/// See the module.
pub(super) struct Pending<'a> {
	nodes: &'a Nodes,
	way: Way<'a>,
	/// The call as it was signed, and its nonce.
	signed: Option<(Vec<u8>, u32)>,
	/// How often it was signed.
	times: usize,
	/// Whether a node may have it: then what others say may be because of that.
	taken: bool,
	/// When it is to be submitted next.
	due: Instant,
	/// The URL of the node that it was handed to last.
	handed_to: Option<String>,
	/// How many nodes have refused it in a row for a reason that this client cannot judge.
	refusals: usize,
	/// What the last of them had against the voucher. Asked again, a node says only that it has refused it before.
	voucher: Option<VoucherRefusal>,
	/// What the last of them had against the KeyPackages.
	key_packages: Option<KeyPackageRefusal>,
	said: String,
	/// What a node has said to be used up.
	spent: Option<Spent>,
	/// The final block at that time.
	spent_at: Option<BlockNumber>,
}

/// What can be used once: by this very submission perhaps, or by something else.
#[derive(Clone, Copy, Debug)]
enum Spent {
	Voucher,
	InitKey,
}

impl From<Spent> for DirectoryError {
	fn from(spent: Spent) -> Self {
		match spent {
			Spent::Voucher => Self::Voucher(VoucherRefusal::Spent),
			Spent::InitKey => Self::KeyPackages(KeyPackageRefusal::InitKeyUsed),
		}
	}
}

impl<'a> Pending<'a> {
	pub fn new(nodes: &'a Nodes, way: Way<'a>) -> Self {
		Self {
			nodes,
			way,
			signed: None,
			times: 0,
			taken: false,
			due: Instant::now(),
			handed_to: None,
			refusals: 0,
			voucher: None,
			key_packages: None,
			said: String::new(),
			spent: None,
			spent_at: None,
		}
	}

	/// Submits it if that is due.
	///
	/// # Errors
	/// [`DirectoryError::Refused`], [`DirectoryError::Voucher`] and [`DirectoryError::NotRegistered`], if each node says so.
	pub async fn submit(&mut self) -> Result<(), DirectoryError> {
		if Instant::now() < self.due {
			return Ok(());
		}
		self.choose_node().await;
		let answer = match (&self.way, &self.signed) {
			(Way::General(extrinsic), _) | (Way::Signed { .. }, Some((extrinsic, _))) => {
				hand_over_once(self.nodes, extrinsic.clone()).await
			}
			(Way::Signed { sponsor, call }, None) => match submit_signed(self.nodes, sponsor, call).await {
				// It counts, and is not signed anew, if the answer was lost: each can cost a fee.
				Ok(SignedAndSent { extrinsic, nonce, unanswered }) => {
					self.times = self.times.saturating_add(1);
					self.signed = Some((extrinsic, nonce));
					unanswered.map_or(Ok(()), |error| Err(error.into()))
				}
				Err(error) => Err(error),
			},
		};
		let taken = matches!(answer, Ok(()) | Err(SubmitError::InPool));
		self.due = Instant::now().checked_add(if taken { AGAIN } else { SOON }).unwrap_or(self.due);
		self.taken |= answer.as_ref().err().is_none_or(SubmitError::may_have_been_taken);
		let Err(error) = answer else {
			self.refusals = 0;
			return Ok(());
		};
		// Whatever depends on what is in the log is seen there: a node may count blocks that are not final, or be behind. That a
		// voucher is spent, or an init key used, may be this very submission's doing.
		match error {
			SubmitError::InPool | SubmitError::Unsent(_) | SubmitError::Unanswered(_) => {
				self.said = error.to_string();
				return Ok(());
			}
			SubmitError::RefusedEvent(IdentityRefusal::KeyUsed) => self.refusals = self.refusals.saturating_add(1),
			SubmitError::RefusedVoucher(refusal) if refusal != VoucherRefusal::Spent => {
				self.voucher = Some(refusal);
				self.refusals = self.refusals.saturating_add(1);
			}
			SubmitError::RefusedVoucher(_) => self.spent = Some(Spent::Voucher),
			SubmitError::RefusedKeyPackages(KeyPackageRefusal::InitKeyUsed) => self.spent = Some(Spent::InitKey),
			// The stock says whether it is because of this very submission, or the node is behind.
			SubmitError::RefusedKeyPackages(
				KeyPackageRefusal::BadSequence | KeyPackageRefusal::UnknownDevice | KeyPackageRefusal::AlreadyClaimed,
			) => {}
			SubmitError::RefusedKeyPackages(refusal) => {
				self.key_packages = Some(refusal);
				self.refusals = self.refusals.saturating_add(1);
			}
			SubmitError::Pool(_) => self.refusals = self.refusals.saturating_add(1),
			_ => {}
		}
		if self.refusals >= self.nodes.count() && !self.taken {
			if let Some(refusal) = self.key_packages {
				return Err(DirectoryError::KeyPackages(refusal));
			}
			match (&error, self.voucher) {
				(SubmitError::RefusedEvent(refusal), _) => return Err(DirectoryError::Refused(*refusal)),
				(_, Some(refusal)) => return Err(DirectoryError::Voucher(refusal)),
				(SubmitError::Pool(reason), _) if matches!(self.way, Way::Signed { .. }) => {
					return Err(DirectoryError::NotRegistered(reason.clone()));
				}
				_ => {}
			}
		}
		if self.voucher.is_none() && self.key_packages.is_none() {
			self.said = error.to_string();
		}
		// A node does not take what it has once refused; another one may.
		if let Some(node) = self.nodes.connected().await {
			self.nodes.give_up(&node).await;
		}
		Ok(())
	}

	/// Leaves the node that was handed it last, for nothing has come of that: whatever it said, it may have dropped it.
	async fn choose_node(&mut self) {
		let Ok(mut node) = self.nodes.current().await else { return };
		if self.nodes.count() > 1 && self.handed_to.as_deref() == Some(node.url()) {
			self.nodes.give_up(&node).await;
			let Ok(next) = self.nodes.current().await else { return };
			node = next;
		}
		self.handed_to = Some(node.url().to_owned());
	}

	/// It has not come about in this final block. If a node said well before it that the voucher was spent, or an init key used, that
	/// was by something else: whoever has the key of a device of the person can publish an init key that it has seen. If the nonce of
	/// the signed call is used up there, the call was included and has failed, or something else of the sponsor's has taken its
	/// place: it will never come.
	///
	/// # Errors
	/// [`DirectoryError::Voucher`]; [`DirectoryError::KeyPackages`]; [`DirectoryError::NotRegistered`] if it was signed often enough.
	pub async fn was_free(&mut self, head: &Head) -> Result<(), DirectoryError> {
		if self.spent.is_some() && self.spent_at.is_none() {
			self.spent_at = Some(head.number);
		}
		if let (Some(spent), Some(spent_at)) = (self.spent, self.spent_at) {
			if head.number >= spent_at.saturating_add(SPENT_FOR_GOOD) {
				return Err(spent.into());
			}
		}
		let (Way::Signed { sponsor, .. }, Some((_, nonce))) = (&self.way, &self.signed) else { return Ok(()) };
		let Some(node) = self.nodes.connected().await else { return Ok(()) };
		if node.nonce_after(&sponsor.account(), &head.hash).await.is_ok_and(|next| next > *nonce) {
			if self.times >= MAX_SIGNED {
				let reason = "the call was included and has failed, or another one of the sponsor's took its place";
				return Err(DirectoryError::NotRegistered(reason.to_owned()));
			}
			// By the next node: what this one says of the nonce nothing proves.
			self.signed = None;
			self.due = Instant::now();
		}
		Ok(())
	}

	/// Something went wrong on the way.
	pub fn said(&mut self, what: impl ToString) {
		self.said = what.to_string();
	}

	/// What was said last.
	pub fn into_said(self) -> String {
		if self.said.is_empty() {
			return "no node has anything against it".to_owned();
		}
		self.said
	}
}

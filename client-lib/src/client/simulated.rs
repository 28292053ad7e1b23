//! A client without tasks, sockets or disk: for simulations only.
//!
//! It is the same core that the [`Client`](super::Client) runs. Whoever drives it gives it what happens, and carries out
//! what it asks for. Dropping it at any moment and opening it again on the same disk is a crash and a restart.

pub use super::action::Action;
use super::{
	core::Core,
	group::{Group, Operation},
	intent::InFlight,
	messages::invitations,
	records::Outgoing,
	submit::Submitted,
	CommitError, GroupError, GroupState, GroupStatus, IntentState, KeyPackageError, LeaveError, Message, OpenError,
	RejoinAskError, SendError, Undelivered, Upkeep,
};
use crate::{
	delivery::Posted,
	finality::{Finalized, Update},
	gate::{Mode, Tip},
	mls::{
		stand_in::{Flaw, StandIn},
		Engine, EngineError, GroupData, Intent, Mls,
	},
	rpc::{RpcError, StatementOutcome, SubmitError},
	store::{MemoryDisk, Store, StoreKey},
	voucher::HeldVoucher,
};
use lockstep_primitives::{extrinsic::Append, rpc::HexBytes, EntryHash, GroupId, OrderingParameters};
use rand::{rngs::StdRng, SeedableRng};
use std::path::Path;
use tokio::sync::oneshot;

/// See the module.
pub struct SimulatedClient<M: Mls> {
	core: Core<M>,
}

/// Where a client stands in a group, as far as it has it in memory.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Position {
	/// The entry that opened its epoch.
	pub tip: Tip,
	/// How many entries it has read.
	pub read: u64,
	/// Whether it follows.
	pub state: GroupState,
}

impl<M: Mls> SimulatedClient<M> {
	/// Opens a client on what is on the disk. Its waits are drawn from the seed.
	///
	/// # Errors
	/// [`OpenError`], if what is on the disk cannot be read.
	pub fn open(
		disk: &MemoryDisk,
		engine: M,
		parameters: OrderingParameters,
		upkeep: Upkeep,
		seed: u64,
	) -> Result<Self, OpenError> {
		let store = Store::in_memory(disk, &StoreKey::from_bytes([0; 32]))?;
		Self::on(store, engine, parameters, upkeep, seed)
	}

	/// Opens a client on a store in a folder, as [`Client::open`](super::Client::open) does.
	///
	/// # Errors
	/// [`OpenError`], if the store cannot be opened or read.
	pub fn open_in(
		folder: &Path,
		key: &StoreKey,
		engine: M,
		parameters: OrderingParameters,
		upkeep: Upkeep,
		seed: u64,
	) -> Result<Self, OpenError> {
		Self::on(Store::open(folder, key)?, engine, parameters, upkeep, seed)
	}

	fn on(
		store: Store,
		engine: M,
		parameters: OrderingParameters,
		upkeep: Upkeep,
		seed: u64,
	) -> Result<Self, OpenError> {
		let core = Core::restore(store, engine, parameters, true, upkeep, StdRng::seed_from_u64(seed))?;
		Ok(Self { core })
	}

	/// What it wants done, in order.
	pub fn take_actions(&mut self) -> Vec<Action> {
		self.core.take_actions()
	}

	/// Finality has gone on.
	pub fn on_finalized(&mut self, finalized: Finalized) {
		self.core.on_update(Update::Finalized(finalized));
	}

	/// A statement arrived.
	pub fn on_statement(&mut self, bytes: &[u8]) {
		self.core.on_statement(bytes);
	}

	/// A node answered to [`Action::Post`], or did not (`None`).
	pub fn on_posted(&mut self, number: u64, outcome: Option<StatementOutcome>) {
		self.core.on_posted(&Posted { id: number, outcome: outcome.ok_or_else(silence) });
	}

	/// A node answered to [`Action::Append`], [`Action::Create`] or [`Action::Buy`], or did not (`None`), and may have it.
	pub fn on_submitted(&mut self, group: GroupId, result: Option<Result<(), SubmitError>>) {
		let result = result.unwrap_or_else(|| Err(SubmitError::Unanswered(silence())));
		self.core.on_submitted(Submitted { group, result });
	}

	/// Whether a path of its commits would be encrypted to more nodes than this, and its renewal would help that.
	///
	/// # Errors
	/// [`EngineError`].
	pub fn long_path(&self, group: &GroupId, limit: u32) -> Result<bool, EngineError> {
		Ok(self.core.engine.long_path(&self.core.store.overlay(), group, limit)?.is_some())
	}

	/// Makes a KeyPackage.
	///
	/// # Errors
	/// As [`Client::key_package`](super::Client::key_package).
	pub fn key_package(&mut self) -> Result<Vec<u8>, KeyPackageError> {
		let (reply, mut answer) = oneshot::channel();
		self.core.on_command(super::command::Command::KeyPackage(reply));
		answer.try_recv().unwrap_or(Err(KeyPackageError::Closed))
	}

	/// What a keeper asks.
	#[cfg(test)]
	pub(crate) fn on_stock(&mut self, command: super::StockCommand) {
		self.core.on_stock(command);
	}

	/// The KeyPackageRefs of the KeyPackages that it awaits invitations to, each with whether the private keys are there.
	#[cfg(test)]
	pub(crate) fn awaited(&self) -> Vec<(Vec<u8>, bool)> {
		let overlay = self.core.store.overlay();
		let mailboxes = overlay.list::<super::records::Mailbox>(super::records::ONLY).unwrap();
		let unknown = Err(crate::mls::WelcomeError::UnknownKeyPackage);
		let has_keys = |reference: &[u8]| self.core.engine.open_envelope(&overlay, reference, &[]) != unknown;
		mailboxes.into_iter().map(|(reference, _)| (reference.clone(), has_keys(&reference))).collect()
	}

	/// Overwrites every record of a kind in its store, or deletes it; gives how many there were.
	#[cfg(test)]
	pub(crate) fn damage(&self, kind: &'static str, with: Option<&[u8]>) -> usize {
		self.core.store.damage(kind, with)
	}

	/// A backup of it, sealed with this key.
	#[cfg(test)]
	pub(crate) fn backup(&self, key: &StoreKey) -> Vec<u8> {
		self.core.backup().unwrap().seal(Vec::new(), key).unwrap()
	}

	/// As [`Self::rejoin`], when this is the newest entry of the log.
	#[cfg(test)]
	pub(crate) fn rejoin_after(&mut self, group: &GroupId, newest: EntryHash) -> Result<Vec<u8>, RejoinAskError> {
		self.core.ask_to_rejoin(group, Some(newest))
	}

	/// A node says that this library is too old for its chain.
	#[cfg(test)]
	pub(crate) fn outdated(&mut self) {
		self.core.on_update(Update::Outdated("tested".to_owned()));
	}

	/// How many invitations trouble has set back.
	#[cfg(test)]
	pub(crate) fn set_back(&self) -> usize {
		self.core.set_back.invited().count()
	}

	/// How many letters it awaits.
	#[cfg(test)]
	pub(crate) fn letters(&self) -> usize {
		self.core.letters.topics().len()
	}

	/// Creates a group; [`Event::Created`](super::Event::Created) tells when it is there.
	pub fn create(&mut self) {
		let (reply, _) = oneshot::channel();
		self.core.create(&GroupData::default(), None, reply);
	}

	/// Creates a group that a voucher pays for.
	pub fn create_by_voucher(&mut self, voucher: &HeldVoucher) {
		let (reply, _) = oneshot::channel();
		self.core.create(&GroupData::default(), Some(voucher), reply);
	}

	/// Takes an intent on; gives its number.
	///
	/// # Errors
	/// As [`Client::enqueue`](super::Client::enqueue).
	pub fn enqueue(&mut self, group: &GroupId, intent: Intent) -> Result<u64, CommitError> {
		let (taken, mut answer) = oneshot::channel();
		self.core.commit(group, intent, false, Some(taken), None);
		let answer = answer.try_recv().unwrap_or(Err(CommitError::Group(GroupError::Closed)));
		answer.map(|intent| intent.number)
	}

	/// Sends a message.
	///
	/// # Errors
	/// As [`Client::send`](super::Client::send).
	pub fn send(&mut self, group: &GroupId, data: &[u8]) -> Result<(), SendError> {
		self.core.send(group, data)
	}

	/// Proposes to leave.
	///
	/// # Errors
	/// As [`Client::leave`](super::Client::leave).
	pub fn leave(&mut self, group: &GroupId) -> Result<(), LeaveError> {
		self.core.leave(group)
	}

	/// Asks to be readmitted; gives the request.
	///
	/// # Errors
	/// As [`Client::rejoin`](super::Client::rejoin).
	pub fn rejoin(&mut self, group: &GroupId) -> Result<Vec<u8>, RejoinAskError> {
		self.core.ask_to_rejoin(group, None)
	}

	/// Takes on the intent that answers a request; gives its number.
	///
	/// # Errors
	/// As [`Client::readmit`](super::Client::readmit).
	pub fn readmit(&mut self, group: &GroupId, request: &[u8]) -> Result<u64, CommitError> {
		let intent = self.core.readmission(group, request)?;
		self.enqueue(group, intent)
	}

	/// The messages that were not acknowledged.
	///
	/// # Errors
	/// As [`Client::unread`](super::Client::unread).
	pub fn unread(&self) -> Result<Vec<(u64, Message)>, GroupError> {
		self.core.unread().map_err(|error| GroupError::Store(error.to_string()))
	}

	/// The application has all messages up to this number.
	///
	/// # Errors
	/// As [`Client::acknowledge`](super::Client::acknowledge).
	pub fn acknowledge(&mut self, up_to: u64) -> Result<(), GroupError> {
		self.core.acknowledge(up_to)
	}

	/// The messages that were given up.
	///
	/// # Errors
	/// As [`Client::undelivered`](super::Client::undelivered).
	pub fn undelivered(&self) -> Result<Vec<(u64, Undelivered)>, GroupError> {
		self.core.undelivered()
	}

	/// The application has dealt with all that was given up, up to this number.
	///
	/// # Errors
	/// As [`Client::dismiss`](super::Client::dismiss).
	pub fn dismiss(&mut self, up_to: u64) -> Result<(), GroupError> {
		self.core.dismiss(up_to)
	}

	/// How the intents are doing, by number.
	///
	/// # Errors
	/// As [`Client::intents`](super::Client::intents).
	pub fn intents(&self, group: &GroupId) -> Result<Vec<(u64, IntentState)>, GroupError> {
		Ok(self.core.intents(group)?.into_iter().map(|(intent, state)| (intent.number, state)).collect())
	}

	/// Where it stands, read from its store.
	///
	/// # Errors
	/// As [`Client::group`](super::Client::group).
	pub fn status(&self, group: &GroupId) -> Result<GroupStatus, GroupError> {
		self.core.status(group)
	}

	/// Where it stands, from memory; `None` if it was never in the group.
	pub fn position(&self, group: &GroupId) -> Option<Position> {
		let group = self.core.groups.get(group)?;
		Some(Position { tip: *group.gate.tip(), read: group.gate.cursor().head.length, state: state(group) })
	}

	/// The intents that its pending commit carries, with their numbers.
	pub fn carried(&self, group: &GroupId) -> Vec<(u64, Intent)> {
		let found = self.core.store.overlay().get::<InFlight>(group.as_bytes());
		let stored = found.ok().flatten().unwrap_or_default().numbers;
		let carried = self.core.groups.get(group).map(|group| &group.current[..]).unwrap_or_default();
		let of = |operation: &Operation| Some((operation.number?, operation.intent.clone()));
		carried.iter().filter_map(of).filter(|(number, _)| stored.contains(number)).collect()
	}

	/// What a statement in the outbox says, if it is a message that no node has taken yet.
	pub fn unsent(&self, number: u64) -> Option<Vec<u8>> {
		let outgoing = self.core.store.overlay().get::<Outgoing>(&number.to_be_bytes()).ok()??;
		Some(outgoing.unsent?.data.0)
	}

	/// All messages in the outbox.
	pub fn outbox(&self) -> Vec<Vec<u8>> {
		let found = self.core.store.overlay().list::<Outgoing>(super::records::ONLY).unwrap_or_default();
		found.into_iter().filter_map(|(_, outgoing)| Some(outgoing.unsent?.data.0)).collect()
	}

	/// All statements that no node has taken.
	pub fn statements(&self) -> Vec<Vec<u8>> {
		let found = self.core.store.overlay().list::<Outgoing>(super::records::ONLY).unwrap_or_default();
		found.into_iter().map(|(_, outgoing)| outgoing.statement.0).filter(|bytes| !bytes.is_empty()).collect()
	}

	/// The seeds of all ordering keys that it had since it was opened, with the entries that opened their epochs.
	pub fn hostile_keys(&self, group: &GroupId) -> Vec<(EntryHash, [u8; 32])> {
		self.core.hoard.get(group).cloned().unwrap_or_default()
	}

	/// A good self-update of the current epoch, neither stored nor submitted.
	pub fn hostile_commit(&self, group: &GroupId) -> Option<Append> {
		let batch = self.core.engine.build_commit(&self.core.store.overlay(), group, &[Intent::Update]);
		Some(batch.ok()?.prepared?.append())
	}

	/// Statements that invite the owner of a KeyPackage into an epoch that never was: they name the entry that opened the
	/// current one.
	pub fn hostile_invitation(&self, group: &GroupId, key_package: &[u8]) -> Option<Vec<Vec<u8>>> {
		let overlay = self.core.store.overlay();
		let add = Intent::Add(vec![HexBytes(key_package.to_vec())]);
		let prepared = self.core.engine.build_commit(&overlay, group, &[add]).ok()?.prepared?;
		let tip = self.core.groups.get(group)?.gate.tip();
		let welcomes = self.core.engine.welcomes(&overlay, &prepared, &tip.entry, tip.index).ok()??;
		let keys = self.core.engine.epoch_keys(&overlay, group).ok()?.pop()?;
		let statements = invitations(group, &keys, &welcomes).ok()?;
		Some(statements.into_iter().map(|outgoing| outgoing.statement.0).collect())
	}

	/// Any bytes, sealed as a payload of the current epoch.
	pub fn hostile_seal(&self, group: &GroupId, bytes: &[u8]) -> Option<Vec<u8>> {
		self.core.engine.seal_anything(&self.core.store.overlay(), group, bytes).ok()
	}

	/// The bundle in a payload of the current epoch.
	pub fn hostile_open(&self, group: &GroupId, payload: &[u8]) -> Option<Vec<u8>> {
		self.core.engine.open_anything(&self.core.store.overlay(), group, payload).ok()
	}
}

impl SimulatedClient<StandIn> {
	/// A commit that these members cannot process, and all others can.
	pub fn hostile_private(&self, group: &GroupId, victims: Vec<String>) -> Option<Append> {
		let prepared = self.core.engine.flawed(&self.core.store.overlay(), group, Flaw::Private(victims));
		Some(prepared.ok()?.append())
	}

	/// A commit that says of itself that it is invalid.
	pub fn hostile_public(&self, group: &GroupId) -> Option<Append> {
		let prepared = self.core.engine.flawed(&self.core.store.overlay(), group, Flaw::Public);
		Some(prepared.ok()?.append())
	}
}

#[cfg(test)]
impl SimulatedClient<Engine> {
	/// From now on no commit has more bytes than this.
	pub(super) fn set_max_commit(&mut self, max: usize) {
		self.core.engine.max_commit = max;
	}
}

impl SimulatedClient<Engine> {
	/// A commit of whose path secrets the n-th is wrong: those who need it cannot process it.
	pub fn hostile_path(&self, group: &GroupId, turn: usize) -> Option<Append> {
		self.core.engine.broken_path(&self.core.store.overlay(), group, turn).ok()
	}
}

fn state(group: &Group) -> GroupState {
	match (group.gate.mode(), &group.halted) {
		// A simulation does not tell whether its place went to another client.
		(Mode::Removed, _) => GroupState::Removed,
		(Mode::Desynchronized(_), _) => GroupState::Desynchronized,
		(_, None) => GroupState::Active,
		(_, Some(GroupError::Gone(_))) => GroupState::Closed,
		(_, Some(_)) => GroupState::Halted,
	}
}

fn silence() -> RpcError {
	RpcError::Unreachable { url: "simulated".to_owned(), reason: "no answer".to_owned() }
}

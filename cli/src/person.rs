//! People of the directory: reading and writing identities for the profile that a command works with.

mod log;
mod news;
mod view;

pub use log::EventView;
pub use news::NewsView;
pub use view::IdentityView;

use crate::{
	failure::{Failure, Kind},
	globals::Globals,
	job::PATIENCE,
	keyring::{KeyFile, Keyring},
	output::Out,
	profile::Profile,
	secret::Secret,
	session,
};
use lockstep_client::{
	directory::{Author, Directory, DirectoryError, Head, History, IdentityId, SignedEvent},
	GenesisHash,
};
use std::{future::Future, str::FromStr, time::Duration};
use tokio::time::timeout;

/// The directory of a chain, for one command.
pub struct Reach<'a> {
	/// Over the profile's nodes.
	pub directory: Directory,
	/// The chain.
	pub genesis: GenesisHash,
	timeout: Option<Duration>,
	out: &'a Out,
}

impl<'a> Reach<'a> {
	/// Of the profile's chain, once one of its nodes can be used; if the chain is not known yet, that of the first one.
	pub async fn of(profile: &mut Profile, timeout: Option<Duration>, out: &'a Out) -> Result<Self, Failure> {
		let reach = timeout.unwrap_or_default();
		if profile.facts().genesis.is_none() {
			session::pin(profile, reach, out).await?;
		}
		let connecting = session::connect(profile, reach);
		let genesis = out.wait("connecting to a node", connecting).await?.chain().genesis;
		let directory = Directory::new(profile.facts().nodes.clone(), genesis)?;
		Ok(Self { directory, genesis, timeout, out })
	}

	/// Waits for the chain.
	pub async fn wait<T>(
		&self,
		what: &str,
		asking: impl Future<Output = Result<T, DirectoryError>>,
	) -> Result<T, Failure> {
		let patience = self.timeout.unwrap_or(PATIENCE);
		match self.out.wait(what, timeout(patience, asking)).await {
			Ok(done) => Ok(done?),
			Err(_) => {
				let message = format!("not final after {} s; it may still become so", patience.as_secs());
				Err(Failure::new(Kind::Timeout, message).advise("run it again, which goes on from there"))
			}
		}
	}

	/// An identity.
	pub async fn read(&self, identity: IdentityId) -> Result<(History, Head), Failure> {
		self.wait("reading the identity", self.directory.read(identity)).await
	}

	/// Records an event.
	pub async fn record(&self, event: &SignedEvent) -> Result<History, Failure> {
		self.wait("waiting for the event to be final", self.directory.record(event)).await
	}
}

/// The person whose device the profile is.
pub struct Me<'a> {
	/// The profile.
	pub profile: Profile,
	/// The device's keys.
	pub file: KeyFile,
	/// The chain.
	pub reach: Reach<'a>,
}

impl<'a> Me<'a> {
	/// Of the profile that is meant.
	pub async fn open(globals: &Globals, out: &'a Out) -> Result<Self, Failure> {
		let profile = globals.profile()?;
		let secret = unlock(globals, &profile)?;
		Self::of(profile, &secret, globals.patience(), out).await
	}

	/// Of a profile whose secret is open.
	pub async fn of(
		mut profile: Profile,
		secret: &Secret,
		timeout: Option<Duration>,
		out: &'a Out,
	) -> Result<Self, Failure> {
		let file = KeyFile::of(&profile, secret);
		let reach = Reach::of(&mut profile, timeout, out).await?;
		Ok(Self { profile, file, reach })
	}

	/// Whose device this is, by its log, with the keys that it has by that.
	pub async fn read(&mut self) -> Result<Myself, Failure> {
		let identity = match self.file.device() {
			Ok((identity, _)) => identity,
			// What was begun may have come through.
			Err(failure) => self.file.read()?.identity.ok_or(failure)?,
		};
		let (history, head) = self.reach.read(identity).await?;
		let keyring = self.learn(&history)?;
		keyring.device_of(&self.profile.command())?;
		Ok(Myself { keyring, history, head })
	}

	/// Takes in what the log says.
	pub fn learn(&mut self, history: &History) -> Result<Keyring, Failure> {
		let keyring = self.file.change(|keyring| keyring.learn(history))?;
		self.profile.note_device(keyring.identity, keyring.keys.current.key())?;
		Ok(keyring)
	}

	/// Records what an author makes.
	pub async fn record(&mut self, event: &SignedEvent) -> Result<History, Failure> {
		let history = self.reach.record(event).await?;
		self.learn(&history)?;
		Ok(history)
	}
}

/// A device and its person.
pub struct Myself {
	/// The device's keys.
	pub keyring: Keyring,
	/// The person's log.
	pub history: History,
	/// The block that shows it.
	pub head: Head,
}

impl Myself {
	/// What makes the next event, if this is a device still.
	pub fn author(&self) -> Result<Author, Failure> {
		let key = self.keyring.keys.current.key();
		let Some(state) = self.history.newest() else { return Err(gone("the identity is not there")) };
		if state.closed {
			return Err(gone("this identity is closed"));
		}
		match state.device(&key) {
			Some(_) => Ok(Author::after(&self.history)),
			None => Err(gone("this device was revoked")),
		}
	}
}

fn gone(what: &str) -> Failure {
	Failure::new(Kind::NotADevice, what)
		.advise("use another device of yours; if there is none: lockstep identity recover, with a recovery key")
}

/// The secret of a profile that is a person's.
pub fn unlock(globals: &Globals, profile: &Profile) -> Result<Secret, Failure> {
	match profile.facts().person {
		Some(_) => globals.unlock(profile),
		None => Err(profile.no_person()),
	}
}

/// An identity on the command line: as it is shown anywhere.
pub fn identity(text: &str) -> Result<IdentityId, String> {
	let digits = text.strip_prefix("hex:").unwrap_or(text);
	IdentityId::from_str(digits).map_err(|error| format!("the id of an identity has 64 hexadecimal digits: {error}"))
}

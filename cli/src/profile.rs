//! A profile: one identity in a folder, with its secret, its store and its history.
//!
//! Everything that makes a [`Config`] of the library is here.

mod facts;
mod place;

pub use facts::{Facts, Person};
pub use place::{data_home, Place};

use crate::{
	failure::{Failure, Kind},
	files,
	keyring::KeyFile,
	secret::{Passphrase, Secret},
};
use lockstep_client::{
	directory::{IdentityId, IdentityKey},
	Config, Sponsor, StoreKey, Upkeep,
};
use std::path::{Path, PathBuf};

/// A profile that exists.
#[derive(Clone, Debug)]
pub struct Profile {
	place: Place,
	facts: Facts,
}

impl Profile {
	/// The profile of this name or path; without one, the only one there is.
	pub fn find(named: Option<&str>) -> Result<Self, Failure> {
		match named {
			Some(named) => Self::open(Place::named(named)?),
			None => {
				let mut places = Self::all()?;
				match (places.pop(), places.pop()) {
					(Some(only), None) => Self::open(only),
					(None, _) => Err(Failure::new(Kind::NoProfile, "there is no profile yet")
						.advise("lockstep identity new NAME --dev --insecure-no-passphrase")),
					(Some(one), Some(_)) => Err(Failure::new(Kind::Usage, "there are several profiles: name one")
						.advise(format!(
							"--profile {}, or set LOCKSTEP_PROFILE; `lockstep identity list` shows all",
							one.name()
						))),
				}
			}
		}
	}

	/// Where profiles are that have names, in the order of these.
	pub fn all() -> Result<Vec<Place>, Failure> {
		let home = data_home()?;
		let entries = match std::fs::read_dir(&home) {
			Ok(entries) => entries,
			Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Vec::new()),
			Err(error) => return Err(Failure::file(&home, &error)),
		};
		let names = entries.filter_map(|entry| entry.ok()?.file_name().into_string().ok());
		let places = names.filter_map(|name| Place::named(&name).ok());
		let mut places: Vec<Place> = places.filter(|place| place.facts().is_file()).collect();
		places.sort_by(|one, other| one.name().cmp(other.name()));
		Ok(places)
	}

	/// The profile in a folder.
	pub fn open(place: Place) -> Result<Self, Failure> {
		let path = place.facts();
		let file = match std::fs::read(&path) {
			Ok(file) => file,
			Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
				return Err(Failure::new(Kind::NoProfile, format!("there is no profile {}", place.name()))
					.advise("lockstep identity list, or: lockstep identity new NAME"));
			}
			Err(error) => return Err(Failure::file(&path, &error)),
		};
		let damaged = |reason: String| {
			Failure::new(Kind::ProfileDamaged, format!("{} cannot be read: {reason}", path.display()))
				.advise("restore it from a backup; it is not secret, but names the identity and the nodes")
		};
		let facts: Facts = serde_json::from_slice(&file).map_err(|error| damaged(error.to_string()))?;
		match facts.fault() {
			None => Ok(Self { place, facts }),
			Some(fault) => Err(damaged(fault)),
		}
	}

	/// Makes a profile. `passphrase` seals its secret; without one the secret lies there as it is.
	pub fn create(place: Place, facts: Facts, passphrase: Option<&Passphrase>) -> Result<Self, Failure> {
		if place.facts().exists() || place.secret().exists() {
			let message = format!("there is a profile {} already, in {}", place.name(), place.folder().display());
			return Err(Failure::new(Kind::ProfileExists, message).advise("choose another name, or --profile PATH"));
		}
		files::make_folder(place.folder())?;
		Secret::random().write(&place.secret(), passphrase)?;
		let profile = Self { place, facts };
		// Last: a profile is there when this file is.
		profile.save()?;
		Ok(profile)
	}

	/// Fails if there is anything where a profile is to be made of a backup.
	pub fn vacant(place: &Place) -> Result<(), Failure> {
		match std::fs::read_dir(place.folder()).map(|mut entries| entries.next().is_none()) {
			Ok(true) => Ok(()),
			Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(()),
			Ok(false) => {
				let message = format!("there is something in {} already", place.folder().display());
				Err(Failure::new(Kind::ProfileExists, message).advise("choose another name, or an empty folder"))
			}
			Err(error) => Err(Failure::file(place.folder(), &error)),
		}
	}

	/// Makes a profile with this secret; `fill` makes what else it has. It is there whole or not at all: it is made beside its
	/// place, and moved there.
	pub fn make(
		place: Place,
		facts: Facts,
		secret: &Secret,
		passphrase: Option<&Passphrase>,
		fill: impl FnOnce(&Self) -> Result<(), Failure>,
	) -> Result<Self, Failure> {
		Self::vacant(&place)?;
		let beside = place.beside().ok_or_else(|| Failure::new(Kind::Usage, "the folder has no name"))?;
		let new = Self { place: beside, facts };
		let make = || {
			files::make_folder(new.folder())?;
			secret.write(&new.secret(), passphrase)?;
			fill(&new)?;
			new.save()?;
			// This takes an empty folder's place, and no other's.
			files::rename(new.folder(), place.folder())
		};
		if let Err(failure) = make() {
			drop(std::fs::remove_dir_all(new.folder()));
			return Err(failure);
		}
		Ok(Self { place, facts: new.facts })
	}

	/// Changes what `profile.json` says.
	pub fn change(&mut self, change: impl FnOnce(&mut Facts)) -> Result<(), Failure> {
		change(&mut self.facts);
		self.save()
	}

	fn save(&self) -> Result<(), Failure> {
		let json = serde_json::to_vec_pretty(&self.facts).map_err(|error| Failure::new(Kind::Failed, error))?;
		files::replace(&self.place.facts(), &json)
	}

	/// What a client of this profile is opened with.
	pub fn config(&self, secret: &Secret, sponsor: Option<&str>) -> Result<Config, Failure> {
		let sponsor = sponsor.or(self.facts.sponsor.as_deref()).map(account).transpose()?;
		let (identity, signer) = match self.facts.person {
			None => (self.facts.identity.clone().into_bytes(), secret.signer()),
			Some(_) => {
				let (identity, keyring) = KeyFile::of(self, secret).device()?;
				(identity.0.to_vec(), *keyring.keys.current.as_bytes())
			}
		};
		Ok(Config {
			path: self.store(),
			key: StoreKey::from_bytes(secret.store_key()),
			nodes: self.facts.nodes.clone(),
			identity,
			signer,
			sponsor,
			genesis: self.facts.genesis,
			checkpoint: None,
			upkeep: Upkeep::default(),
		})
	}

	/// Notes whose device it is, and by which key.
	pub fn note_device(&mut self, id: Option<IdentityId>, device: IdentityKey) -> Result<(), Failure> {
		match self.facts.person {
			Some(known) if known != (Person { id, device }) => {
				self.change(|facts| facts.person = Some(Person { id, device }))
			}
			_ => Ok(()),
		}
	}

	/// Why something cannot be done that takes a person.
	pub fn no_person(&self) -> Failure {
		Failure::new(Kind::NotADevice, format!("the profile {} is a name, and no person of the directory", self.name()))
			.advise(
				"make one: lockstep identity new NAME --register, or lockstep device offer NAME for a further device",
			)
	}

	/// How commands for this profile begin, to be shown in advice.
	pub fn command(&self) -> String {
		format!("lockstep --profile {}", self.place.name())
	}

	/// Its name, or its path.
	pub fn name(&self) -> &str {
		self.place.name()
	}

	/// What `profile.json` says.
	pub fn facts(&self) -> &Facts {
		&self.facts
	}

	/// Its folder.
	pub fn folder(&self) -> &Path {
		self.place.folder()
	}

	/// The file with its secret.
	pub fn secret(&self) -> PathBuf {
		self.place.secret()
	}

	/// The file with the keys of a person's device.
	pub fn device(&self) -> PathBuf {
		self.folder().join("device")
	}

	/// The folder of the client's store.
	pub fn store(&self) -> PathBuf {
		self.folder().join("store")
	}

	/// The file with what happened.
	pub fn history(&self) -> PathBuf {
		self.folder().join("history")
	}

	/// The file that says what was read.
	pub fn marks(&self) -> PathBuf {
		self.folder().join("marks.json")
	}

	/// The socket of the process that has the store open.
	pub fn socket(&self) -> PathBuf {
		self.folder().join("socket")
	}
}

/// The account that pays: `alice`, or the one whose seed is in a file, as 64 hexadecimal digits.
pub fn account(named: &str) -> Result<Sponsor, Failure> {
	if named == "alice" {
		return Ok(Sponsor::alice());
	}
	let path = Path::new(named);
	let text = zeroize::Zeroizing::new(files::read(path)?);
	let digits = text.trim_ascii();
	let mut seed = zeroize::Zeroizing::new([0; 32]);
	hex::decode_to_slice(digits.strip_prefix(b"0x").unwrap_or(digits), seed.as_mut_slice()).map_err(|error| {
		Failure::new(Kind::Usage, format!("{named} does not hold a seed: {error}"))
			.advise("name `alice`, or a file with 64 hexadecimal digits")
	})?;
	Ok(Sponsor::from_seed(*seed))
}

#[cfg(test)]
mod tests {
	use super::*;
	use lockstep_client::GenesisHash;

	fn made(folder: &Path) -> Profile {
		let place = Place::named(folder.to_str().unwrap()).unwrap();
		Profile::create(place, Facts::new("anna".into(), vec!["ws://127.0.0.1:9944".into()]), None).unwrap()
	}

	#[test]
	fn a_profile_is_found_as_it_was_made() {
		let folder = tempfile::tempdir().unwrap();
		let path = folder.path().join("anna");
		let mut profile = made(&path);
		profile.change(|facts| facts.genesis = Some(GenesisHash([7; 32]))).unwrap();
		let found = Profile::find(path.to_str()).unwrap();
		assert_eq!(found.facts(), profile.facts());
		let again = Profile::create(found.place, Facts::new("anna".into(), Vec::new()), None).unwrap_err();
		assert_eq!(again.kind, Kind::ProfileExists);
		std::fs::remove_file(path.join("profile.json")).unwrap();
		assert_eq!(Profile::find(path.to_str()).unwrap_err().kind, Kind::NoProfile);
		std::fs::write(path.join("profile.json"), "{").unwrap();
		assert_eq!(Profile::find(path.to_str()).unwrap_err().kind, Kind::ProfileDamaged);
	}

	#[test]
	fn a_secret_is_never_overwritten_by_a_new_profile() {
		let folder = tempfile::tempdir().unwrap();
		let path = folder.path().join("anna");
		let profile = made(&path);
		let secret = std::fs::read(profile.secret()).unwrap();
		std::fs::remove_file(path.join("profile.json")).unwrap();
		let again = Profile::create(profile.place.clone(), Facts::new("anna".into(), Vec::new()), None).unwrap_err();
		assert_eq!(again.kind, Kind::ProfileExists);
		assert_eq!(std::fs::read(profile.secret()).unwrap(), secret);
	}

	#[test]
	fn a_sponsor_is_alice_or_a_seed_in_a_file() {
		let folder = tempfile::tempdir().unwrap();
		let path = folder.path().join("seed");
		std::fs::write(&path, format!("0x{}\n", "11".repeat(32))).unwrap();
		let sponsor = account(path.to_str().unwrap()).unwrap();
		assert_eq!(sponsor.account(), Sponsor::from_seed([0x11; 32]).account());
		assert_eq!(account("alice").unwrap().account(), Sponsor::alice().account());
		std::fs::write(&path, "11").unwrap();
		assert_eq!(account(path.to_str().unwrap()).unwrap_err().kind, Kind::Usage);
	}
}

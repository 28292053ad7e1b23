//! Which database a node uses when the command line does not say: ParityDB, by whose speed blocks are weighed, unless there is
//! another one already.

use sc_service::{config::DatabaseSource, Configuration};
use std::path::{Path, PathBuf};

/// Why it is not clear which one it is.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("there are two databases, in {parity} and in {rocks}: say which one the node is to use (`--database paritydb` or `--database rocksdb`), or remove the other")]
pub struct TwoDatabases {
	parity: PathBuf,
	rocks: PathBuf,
}

#[derive(Debug, PartialEq, Eq)]
enum Kind {
	Parity,
	Rocks,
}

fn choose(parity: &Path, rocks: &Path) -> Result<Kind, TwoDatabases> {
	match (parity.join("metadata").exists(), rocks.join("CURRENT").exists()) {
		(true, true) => Err(TwoDatabases { parity: parity.to_owned(), rocks: rocks.to_owned() }),
		(false, true) => Ok(Kind::Rocks),
		_ => Ok(Kind::Parity),
	}
}

/// The configuration with one database.
///
/// # Errors
/// [`TwoDatabases`].
pub fn settled(mut config: Configuration) -> sc_cli::Result<Configuration> {
	let DatabaseSource::Auto { paritydb_path, rocksdb_path, cache_size } = &config.database else { return Ok(config) };
	let kind = choose(paritydb_path, rocksdb_path).map_err(|error| sc_cli::Error::Input(error.to_string()))?;
	let (parity, rocks, cache_size) = (paritydb_path.clone(), rocksdb_path.clone(), *cache_size);
	config.database = match kind {
		Kind::Parity => {
			log::info!("the database is ParityDB, in {}", parity.display());
			DatabaseSource::ParityDb { path: parity }
		}
		Kind::Rocks => {
			log::warn!("the database is RocksDB, which was there, in {}: a validator should move to ParityDB, by whose speed blocks are weighed", rocks.display());
			DatabaseSource::RocksDb { path: rocks, cache_size }
		}
	};
	Ok(config)
}

#[cfg(test)]
mod tests {
	use super::*;

	#[test]
	fn what_is_there_is_used_and_of_two_neither() {
		let folder = tempfile::tempdir().unwrap();
		let (parity, rocks) = (folder.path().join("paritydb/full"), folder.path().join("db/full"));
		let choice = || choose(&parity, &rocks);
		assert_eq!(choice(), Ok(Kind::Parity));
		std::fs::create_dir_all(&rocks).unwrap();
		assert_eq!(choice(), Ok(Kind::Parity), "an empty folder is no database");
		std::fs::write(rocks.join("CURRENT"), "").unwrap();
		assert_eq!(choice(), Ok(Kind::Rocks));
		std::fs::create_dir_all(&parity).unwrap();
		std::fs::write(parity.join("metadata"), "").unwrap();
		assert!(matches!(choice(), Err(error) if error.to_string().contains("--database")));
		std::fs::remove_file(rocks.join("CURRENT")).unwrap();
		assert_eq!(choice(), Ok(Kind::Parity));
	}
}

//! Looking for words in what nodes keep and show.

use crate::{Error, Result};
use memchr::memmem;
use std::{
	fs::File,
	io::Read,
	path::{Path, PathBuf},
};

/// Bytes read at a time.
const CHUNK: usize = 1 << 20;

/// Words to look for: as they are, and as the two ways in which text formats write bytes.
#[derive(Clone, Debug, Default)]
pub struct Words {
	patterns: Vec<(String, Vec<u8>)>,
}

/// A word that was found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Found {
	/// The name of the word.
	pub word: String,
	/// Where it was.
	pub place: PathBuf,
}

impl Words {
	/// One more word, under a name.
	pub fn add(&mut self, name: &str, word: &[u8]) {
		let lower = hex::encode(word);
		self.patterns.push((name.into(), word.to_vec()));
		self.patterns.push((format!("{name}, in upper-case hexadecimal"), lower.to_uppercase().into_bytes()));
		self.patterns.push((format!("{name}, in hexadecimal"), lower.into_bytes()));
	}

	/// The names of the words that these bytes contain.
	pub fn names_in(&self, bytes: &[u8]) -> Vec<String> {
		let contained = self.patterns.iter().filter(|(_, pattern)| memmem::find(bytes, pattern).is_some());
		contained.map(|(name, _)| name.clone()).collect()
	}

	/// Looks through every file below a folder.
	pub fn search_folder(&self, folder: &Path) -> Result<Vec<Found>> {
		let mut found = Vec::new();
		let mut folders = vec![folder.to_path_buf()];
		while let Some(folder) = folders.pop() {
			let entries = std::fs::read_dir(&folder).map_err(Error::io(format!("reading {}", folder.display())))?;
			for entry in entries.flatten() {
				let path = entry.path();
				match entry.file_type() {
					Ok(kind) if kind.is_dir() => folders.push(path),
					Ok(kind) if kind.is_file() => self.search_file(&path, &mut found)?,
					_ => {}
				}
			}
		}
		Ok(found)
	}

	fn search_file(&self, path: &Path, found: &mut Vec<Found>) -> Result<()> {
		// A database under way may have removed the file since it was listed.
		let Ok(mut file) = File::open(path) else { return Ok(()) };
		let overlap = self.patterns.iter().map(|(_, pattern)| pattern.len()).max().unwrap_or(1) - 1;
		let mut window: Vec<u8> = Vec::new();
		let mut chunk = vec![0; CHUNK];
		loop {
			let read = file.read(&mut chunk).map_err(Error::io(format!("reading {}", path.display())))?;
			if read == 0 {
				return Ok(());
			}
			window.drain(..window.len().saturating_sub(overlap));
			window.extend_from_slice(&chunk[..read]);
			for word in self.names_in(&window) {
				let hit = Found { word, place: path.into() };
				if !found.contains(&hit) {
					found.push(hit);
				}
			}
		}
	}
}

#[cfg(test)]
mod tests {
	use super::*;

	#[test]
	fn finds_words_in_every_form() {
		let mut words = Words::default();
		words.add("greeting", b"hello");
		assert_eq!(words.names_in(b"say hello"), ["greeting"]);
		assert_eq!(words.names_in(b"0x68656c6c6f00"), ["greeting, in hexadecimal"]);
		assert_eq!(words.names_in(b"68656C6C6F"), ["greeting, in upper-case hexadecimal"]);
		assert!(words.names_in(b"hell o").is_empty());
	}

	#[test]
	fn finds_words_across_chunks_and_in_subfolders() {
		let folder = tempfile::tempdir().unwrap();
		let below = folder.path().join("db");
		std::fs::create_dir(&below).unwrap();
		let mut bytes = vec![0; CHUNK - 2];
		bytes.extend(b"hello");
		std::fs::write(below.join("table"), bytes).unwrap();
		std::fs::write(below.join("other"), b"nothing").unwrap();
		let mut words = Words::default();
		words.add("greeting", b"hello");
		let found = words.search_folder(folder.path()).unwrap();
		assert_eq!(found, [Found { word: "greeting".into(), place: below.join("table") }]);
	}
}

//! Values that are kept in pieces.
//!
//! A commit changes a dozen nodes of a ratchet tree, which in a group of a thousand has 600 kB. So the tree is cut into pieces of some
//! nodes each, which are records named by their hashes, and the record of the tree is the list of these. A piece that is as it was is
//! there already: neither encrypted nor written again.

use super::{
	codec::{self, PieceHash},
	key::Key,
	Overlay, StoreError,
};
use serde::{de::DeserializeOwned, Serialize};
use std::collections::HashSet;
use zeroize::Zeroizing;

impl Overlay<'_> {
	/// Writes a value, and those of its pieces that are not there; deletes those that it has no more. `piece` gives the key of a piece.
	pub(super) fn write_pieces<T: Serialize + ?Sized>(
		&self,
		key: &Key,
		piece: impl Fn(&PieceHash) -> Result<Key, StoreError>,
		value: &T,
	) -> Result<(), StoreError> {
		self.counts_on_records();
		let mut before: HashSet<PieceHash> = self.pieces(key)?.into_iter().collect();
		let (mut now, mut new) = (HashSet::new(), Vec::new());
		let mut take = |hash, bytes: &[u8]| {
			if now.insert(hash) && !before.remove(&hash) {
				new.push((hash, Zeroizing::new(bytes.to_vec())));
			}
		};
		let main = self.noting(codec::encode_pieces(key, value, &mut take))?;
		for (hash, bytes) in new {
			self.put_bytes(&self.noting(piece(&hash))?, bytes);
		}
		for hash in before {
			self.remove(self.noting(piece(&hash))?);
		}
		self.put_bytes(key, main);
		#[cfg(test)]
		self.check_pieces(key, &piece, value)?;
		Ok(())
	}

	/// Reads what [`Self::write_pieces`] wrote, or what was written in one.
	pub(super) fn read_pieces<T: DeserializeOwned>(
		&self,
		key: &Key,
		piece: impl Fn(&PieceHash) -> Result<Key, StoreError>,
	) -> Result<Option<T>, StoreError> {
		let Some(main) = self.noting(self.bytes(key))? else { return Ok(None) };
		let Some(hashes) = self.noting(codec::pieces(key, &main))? else {
			return self.noting(codec::decode(key, &main)).map(Some);
		};
		let read = |hash: &PieceHash| {
			let piece = piece(hash)?;
			let corrupt = |reason: &str| StoreError::Corrupt { kind: piece.kind(), reason: reason.to_owned() };
			let bytes = self.bytes(&piece)?.ok_or_else(|| corrupt("it is missing"))?;
			if blake3::hash(&bytes) == *hash {
				Ok(bytes)
			} else {
				Err(corrupt("it is another one"))
			}
		};
		let pieces = self.noting(hashes.iter().map(read).collect::<Result<Vec<_>, StoreError>>())?;
		self.noting(codec::decode(key, &codec::join(&pieces))).map(Some)
	}

	/// Deletes a value and its pieces.
	pub(super) fn remove_pieces(
		&self,
		key: Key,
		piece: impl Fn(&PieceHash) -> Result<Key, StoreError>,
	) -> Result<(), StoreError> {
		self.counts_on_records();
		for hash in self.pieces(&key)? {
			self.remove(self.noting(piece(&hash))?);
		}
		self.remove(key);
		Ok(())
	}

	/// What is named is there, and together it is the value.
	#[cfg(test)]
	fn check_pieces<T: Serialize + ?Sized>(
		&self,
		key: &Key,
		piece: &impl Fn(&PieceHash) -> Result<Key, StoreError>,
		value: &T,
	) -> Result<(), StoreError> {
		let hashes = self.pieces(key)?;
		let pieces: Vec<_> = hashes.iter().map(|hash| self.bytes(&piece(hash)?)).collect::<Result<_, StoreError>>()?;
		let pieces: Vec<_> = pieces.into_iter().map(|piece| piece.expect("a piece that stays is there")).collect();
		assert_eq!(*codec::join(&pieces), *codec::encode(key, value)?, "the pieces are those of another value");
		Ok(())
	}

	/// The pieces that are stored.
	fn pieces(&self, key: &Key) -> Result<Vec<PieceHash>, StoreError> {
		let Some(main) = self.noting(self.bytes(key))? else { return Ok(Vec::new()) };
		Ok(self.noting(codec::pieces(key, &main))?.unwrap_or_default())
	}
}

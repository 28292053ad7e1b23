//! Bytes that only holders of a key make and accept. They are not hidden: nobody in a simulation looks.

use crate::mls::seal::SealError;

const NONCE: usize = 16;
const MARK: usize = 32;

/// Puts a nonce, which makes what is sealed twice different, and a mark of the key in front.
pub(super) fn seal(key: &[u8; 32], random: &[u8; 32], text: &[u8]) -> Vec<u8> {
	let nonce = random.get(..NONCE).unwrap_or_default();
	[nonce, &mark(key, nonce, text), text].concat()
}

/// Takes them off.
pub(super) fn open(key: &[u8; 32], sealed: &[u8]) -> Result<Vec<u8>, SealError> {
	let short = SealError::TooShort { length: sealed.len() };
	let (nonce, rest) = sealed.split_at_checked(NONCE).ok_or(short.clone())?;
	let (found, text) = rest.split_at_checked(MARK).ok_or(short)?;
	if found == mark(key, nonce, text) {
		Ok(text.to_vec())
	} else {
		Err(SealError::Unauthentic)
	}
}

fn mark(key: &[u8; 32], nonce: &[u8], text: &[u8]) -> [u8; MARK] {
	let mut hasher = blake3::Hasher::new_keyed(key);
	hasher.update(nonce).update(text);
	hasher.finalize().into()
}

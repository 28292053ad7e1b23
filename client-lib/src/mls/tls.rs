//! Decoding of TLS structures (RFC 9420 section 2.1) from bytes that anyone may have made.
//!
//! tls_codec decodes in two ways, from a reader and from a slice. Only the first is for bytes from outside: the
//! second asserts, in builds with debug assertions, that a vector is not truncated.

use openmls::prelude::tls_codec::Deserialize;

/// The structure that `bytes` are the encoding of; `None` if they are not, or go on after its end.
pub(super) fn decode<T: Deserialize>(bytes: &[u8]) -> Option<T> {
	let rest = &mut &bytes[..];
	let value = T::tls_deserialize(rest).ok()?;
	rest.is_empty().then_some(value)
}

//! Whatever comes as a statement: it is one, or an error.

use super::{
	envelope::{self, Content},
	statement::Statement,
};
use proptest::{collection::vec, prelude::*, sample::Index};

proptest! {
	#![proptest_config(ProptestConfig { cases: 4_000, ..ProptestConfig::default() })]

	#[test]
	fn any_bytes_are_a_statement_or_an_error(bytes in vec(any::<u8>(), 0..400)) {
		if let Ok(statement) = Statement::decode(&bytes) {
			let _ = envelope::unwrap(&statement.data);
		}
		let _ = envelope::unwrap(&bytes);
		drop(Content::decode(&bytes));
	}

	#[test]
	fn changed_statements_are_statements_or_errors(
		data in vec(any::<u8>(), 0..100),
		edits in vec((any::<Index>(), any::<u8>(), 0..3u8), 1..6),
	) {
		let statement = Statement { signer: [1; 32], topic: [2; 32], data };
		let mut bytes = statement.encode(7, |_| [3; 64]).unwrap();
		for (at, byte, how) in edits {
			let at = at.index(bytes.len());
			match how {
				0 => bytes[at] = byte,
				1 if bytes.len() > 1 => drop(bytes.remove(at)),
				_ => bytes.insert(at, byte),
			}
		}
		if let Ok(other) = Statement::decode(&bytes) {
			// A vector's length is the one thing that can be wrong and still be noticed at the end.
			prop_assert!(other.data.len() <= bytes.len());
		}
	}
}

//! A second opinion: smoldot, a light client that shares no code with the SDK and none with this crate, judges the same
//! justifications, read proofs and headers. Nothing but these tests uses it.
//!
//! What is compared are verdicts. Where the two differ, a test of its own pins the difference and says why:
//!
//! - smoldot accepts and we refuse: what no honest node sends, so that to accept it gains nothing.
//! - smoldot refuses and we accept: what nodes of this chain accept. To refuse it would let one validator or one author
//!   stop every client (`docs/decisions/0012`), so there nodes are right, and of votes and tries the SDK is asked (`sdk`).
//!
//! One part is not independent: both leave the signature itself to `ed25519-zebra`, as the SDK does, smoldot in batches.

mod follow;
mod headers;
mod proofs;
mod sdk;
mod smoldot_says;
mod vectors;
mod votes;

/// What a library says of some bytes: a result, or the name of the error's variant, for tables to hold.
type Says<T> = Result<T, String>;

fn named<T, E: std::fmt::Debug>(result: Result<T, E>) -> Says<T> {
	result.map_err(|error| {
		let text = format!("{error:?}");
		text.split(|letter: char| !letter.is_alphanumeric()).next().unwrap_or_default().to_owned()
	})
}

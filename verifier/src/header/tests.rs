use super::*;
use crate::testing::{HeaderBuilder, Log, Validators};
use codec::Encode;

const ROOT: StateRoot = StateRoot([2; 32]);

fn block() -> HeaderBuilder {
	HeaderBuilder {
		parent: BlockHash([1; 32]),
		number: 70_000,
		state_root: ROOT,
		extrinsics_root: [3; 32],
		logs: vec![],
	}
}

fn decode(header: HeaderBuilder) -> Result<Header, HeaderError> {
	Header::decode(&header.encode())
}

#[test]
fn a_header_is_hashed_as_received() {
	let next = Validators::new(1, 4).authorities();
	let full = block()
		.log(Log::Slot(77))
		.log(Log::Other(vec![1, 2, 3]))
		.log(Log::Scheduled(next.clone(), 0))
		.log(Log::RuntimeUpdated)
		.log(Log::Seal(vec![9; 64]));
	let bytes = full.encode();
	let header = Header::decode(&bytes).unwrap();
	assert_eq!(header.hash.0, sp_crypto_hashing::blake2_256(&bytes));
	assert_eq!((header.parent, header.number), (BlockHash([1; 32]), 70_000));
	assert_eq!((header.state_root, header.extrinsics_root), (ROOT, [3; 32]));
	assert_eq!((header.slot, header.time()), (Some(77), Some(77_000)));
	assert_eq!(header.change, Some(SetChange::Scheduled { next, delay: 0 }));
	assert!(header.runtime_updated);
}

#[test]
fn a_header_without_digest_says_nothing() {
	let header = decode(block()).unwrap();
	assert_eq!((header.slot, header.time(), header.change, header.runtime_updated), (None, None, None, false));
}

#[test]
fn damaged_headers_are_refused() {
	let next = Validators::new(1, 2).authorities();
	let good = block().log(Log::Slot(77)).log(Log::Scheduled(next, 0)).log(Log::Seal(vec![9; 64])).encode();
	for cut in 0..good.len() {
		assert!(Header::decode(&good[..cut]).is_err(), "cut at {cut}");
	}
	let longer = [&good[..], &[0]].concat();
	assert_eq!(Header::decode(&longer), Err(HeaderError::Malformed(Malformed::Trailing)));
}

#[test]
fn unknown_digest_items_are_refused() {
	for variant in [1, 2, 3, 7, 9, 255] {
		let raw = Log::Raw((variant, b"FRNK", vec![0u8; 8]).encode());
		assert_eq!(decode(block().log(raw)), Err(HeaderError::Malformed(Malformed::Variant)), "variant {variant}");
	}
}

#[test]
fn headers_of_any_length_are_not_read() {
	let long = block().log(Log::Other(vec![0; MAX_HEADER_BYTES]));
	assert!(matches!(decode(long), Err(HeaderError::TooLong(_))));
	let fits = block().log(Log::Other(vec![0; MAX_HEADER_BYTES - 200]));
	assert!(decode(fits).is_ok());
}

#[test]
fn a_number_that_is_not_in_its_shortest_form_is_refused() {
	let mut bytes = block().encode();
	bytes.splice(32..36, [0b11, 0x70, 0x11, 0x01, 0x00]);
	assert_eq!(Header::decode(&bytes), Err(HeaderError::Malformed(Malformed::Compact)));
}

#[test]
fn one_change_of_each_kind_and_the_forced_one_counts() {
	let (one, two) = (Validators::new(1, 2).authorities(), Validators::new(2, 2).authorities());
	let twice = block().log(Log::Scheduled(one.clone(), 0)).log(Log::Scheduled(two.clone(), 0));
	assert_eq!(decode(twice), Err(HeaderError::RepeatedChange));
	let twice = block().log(Log::Forced(1, one.clone(), 0)).log(Log::Forced(1, one.clone(), 0));
	assert_eq!(decode(twice), Err(HeaderError::RepeatedChange));
	let both = block().log(Log::Scheduled(one, 0)).log(Log::Forced(5, two.clone(), 3));
	let forced = SetChange::Forced { next: two, delay: 3, best_finalized: 5 };
	assert_eq!(decode(both).unwrap().change, Some(forced));
}

#[test]
fn authorities_that_cannot_be_are_refused() {
	use crate::authorities::Authority;
	let change = |list: Vec<Authority>| decode(block().log(Log::Grandpa((1u8, list, 0u32).encode())));
	let one = Authority { key: [1; 32], weight: 1 };
	assert!(change(vec![one]).is_ok());
	assert_eq!(change(vec![]), Err(AuthorityError::Empty.into()));
	assert_eq!(change(vec![one, one]), Err(AuthorityError::Repeated(1).into()));
	assert_eq!(change(vec![Authority { weight: 0, ..one }]), Err(AuthorityError::ZeroWeight(0).into()));
	let other = Authority { key: [2; 32], weight: u64::MAX };
	assert_eq!(change(vec![one, other]), Err(AuthorityError::Overflow.into()));
	assert_eq!(change(vec![one; 1_025]), Err(AuthorityError::TooMany(1_025).into()));
	// a count that no input can satisfy is refused before memory is set aside for it
	let claim = decode(block().log(Log::Grandpa((1u8, codec::Compact(u32::MAX)).encode())));
	assert_eq!(claim, Err(AuthorityError::Malformed(Malformed::Short).into()));
}

#[test]
fn other_grandpa_messages_are_understood_or_refused() {
	for harmless in [(3u8, 5u64).encode(), (4u8, 5u32).encode(), (5u8, 5u32).encode()] {
		let header = decode(block().log(Log::Grandpa(harmless.clone()))).unwrap();
		assert_eq!(header.change, None);
		let longer = [harmless, vec![0]].concat();
		assert_eq!(decode(block().log(Log::Grandpa(longer))), Err(HeaderError::Grandpa));
	}
	assert_eq!(decode(block().log(Log::Grandpa(vec![6, 0, 0]))), Err(HeaderError::Grandpa));
	assert!(decode(block().log(Log::Grandpa(vec![]))).is_err());
	let next = Validators::new(1, 2).authorities();
	let longer = (1u8, next, 0u32, 0u8).encode();
	assert_eq!(decode(block().log(Log::Grandpa(longer))), Err(HeaderError::Grandpa));
}

#[test]
fn what_an_author_adds_stops_nobody() {
	// Nodes look for eight bytes of Aura's and pass over everything else; so must clients, or one author could
	// make a block that only they refuse.
	let header = block()
		.log(Log::PreRuntime(*b"aura", vec![1, 2, 3]))
		.log(Log::PreRuntime(*b"FRNK", vec![1]))
		.log(Log::PreRuntime(*b"BABE", vec![4; 100]))
		.log(Log::Slot(7));
	assert_eq!(decode(header).unwrap().slot, Some(7));
	assert_eq!(decode(block().log(Log::Slot(7)).log(Log::Slot(7))), Err(HeaderError::RepeatedSlot));
}

#[test]
fn a_slot_beyond_all_time_has_no_time() {
	assert_eq!(decode(block().log(Log::Slot(u64::MAX))).unwrap().time(), None);
}

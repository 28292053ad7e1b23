//! Attacks on a client that follows the chain; each test is named after one.

use super::*;
use crate::{
	authorities::AuthorityError,
	layout,
	read_proof::ReadProofError,
	testing::{HeaderBuilder, Log, State, Validators, World},
};
use FinalityError::{
	Conflict, DelayedChange, EarlierSet, ForcedChange, Justification, LaterSet, OldSet, OtherBlock, SetIds, Stale,
};

/// A chain of one set, with some blocks.
fn short() -> World {
	let mut world = World::new(4);
	world.blocks(10);
	world
}

/// A world that handed over three times, and its links with the newest block.
fn long() -> (World, Vec<Link>) {
	let mut world = World::new(4);
	let mut links = Vec::new();
	for count in [4, 7, 4] {
		world.blocks(20);
		links.push(world.rotate(count));
	}
	world.blocks(20);
	links.push(world.link(world.newest()));
	(world, links)
}

fn advance(chain: &mut FinalizedChain, link: &Link) -> Result<Advanced, FinalityError> {
	let before = chain.clone();
	let result = chain.advance(&link.header, &link.justification);
	if result.is_err() {
		assert_eq!(*chain, before, "an error changes nothing");
	}
	result
}

#[test]
fn the_head_moves_to_what_is_final() {
	let world = short();
	let mut chain = world.chain();
	assert_eq!((chain.head().number, chain.head().time), (0, None));
	let link = world.link(6);
	let advanced = advance(&mut chain, &link).unwrap();
	assert_eq!(advanced, Advanced { moved: true, new_set: None, runtime_updated: false });
	let header = Header::decode(world.header(6)).unwrap();
	let time = Some((crate::testing::SLOT_ZERO + 6) * 1000);
	assert_eq!(*chain.head(), Head { number: 6, hash: header.hash, state_root: Some(header.state_root), time });
	// the same again moves nothing
	let again = advance(&mut chain, &link).unwrap();
	assert!(!again.moved);
	assert_eq!(chain.head().number, 6);
}

#[test]
fn three_changes_of_authorities_are_followed() {
	let (world, links) = long();
	let mut chain = world.chain();
	assert_eq!(chain.catch_up(&links), Ok(4));
	assert_eq!((chain.set().id, chain.set().authorities.as_slice().len()), (3, 4));
	assert_eq!(chain.head().number, world.newest());
	// from a stored position too
	let mut stored = world.chain();
	stored.catch_up(&links[..2]).unwrap();
	let mut stored = FinalizedChain::decode(&mut &stored.encode()[..]).unwrap();
	assert_eq!(stored.catch_up(&links[2..]), Ok(2));
	assert_eq!(stored, chain);
	// and from a checkpoint
	let mut early = world.chain();
	early.catch_up(&links[..2]).unwrap();
	let checkpoint = early.checkpoint();
	let anchor = Anchor::Checkpoint(Checkpoint::decode(&mut &checkpoint.encode()[..]).unwrap());
	let mut chain = FinalizedChain::start(world.genesis, &anchor).unwrap();
	chain.catch_up(&links[2..]).unwrap();
	assert_eq!((chain.head(), chain.set()), (stored.head(), stored.set()));
}

#[test]
fn catching_up_is_all_or_nothing() {
	let (world, mut links) = long();
	links[2].justification[200] ^= 1;
	let mut chain = world.chain();
	let before = chain.clone();
	let error = chain.catch_up(&links).unwrap_err();
	assert_eq!(error.link, 2);
	assert!(matches!(error.error, Justification(_)));
	assert_eq!(chain, before);
}

#[test]
fn forged_justification() {
	let world = short();
	let mut chain = world.chain();
	let mut forged = world.link(5);
	let forger = Validators::new(77, 4).with_id(0);
	forged.justification = forger.justify(&forged.header);
	assert_eq!(advance(&mut chain, &forged), Err(Justification(JustificationError::UnknownSigner(0))));
	let mut forged = world.link(5);
	let at = forged.justification.len() - 60;
	forged.justification[at] ^= 1;
	assert_eq!(advance(&mut chain, &forged), Err(Justification(JustificationError::BadSignature(3))));
}

#[test]
fn too_few_signatures() {
	let world = short();
	let mut chain = world.chain();
	let mut few = world.link(5);
	few.justification = world.validators.justification_by(0..2, &few.header).encode();
	let error = JustificationError::TooLittleWeight { weight: 2, threshold: 3 };
	assert_eq!(advance(&mut chain, &few), Err(Justification(error)));
}

#[test]
fn justification_of_another_block() {
	let world = short();
	let mut chain = world.chain();
	let mixed = Link { header: world.header(5).to_vec(), justification: world.link(6).justification };
	assert_eq!(advance(&mut chain, &mixed), Err(OtherBlock { number: 5, justified: 6 }));
	// a block of the same number
	let rival = world.next().log(Log::Other(vec![1])).encode();
	let mut world = world;
	let number = world.block();
	let mixed = Link { header: rival, justification: world.link(number).justification };
	assert_eq!(advance(&mut chain, &mixed), Err(OtherBlock { number, justified: number }));
}

#[test]
fn header_altered() {
	let world = short();
	let mut chain = world.chain();
	let good = world.link(5);
	for at in 0..good.header.len() {
		let mut altered = good.clone();
		altered.header[at] ^= 1;
		assert!(advance(&mut chain, &altered).is_err(), "byte {at}");
	}
	assert!(advance(&mut chain, &good).is_ok());
}

#[test]
fn stale_block() {
	let world = short();
	let mut chain = world.chain();
	advance(&mut chain, &world.link(6)).unwrap();
	assert_eq!(advance(&mut chain, &world.link(5)), Err(Stale { number: 5, head: 6 }));
}

#[test]
fn final_header_of_a_fork() {
	let world = short();
	let fork = HeaderBuilder::after(world.header(4)).log(Log::Other(vec![1])).encode();
	let hash = |header: &[u8]| Header::decode(header).unwrap().hash;
	let ours = hash(world.header(5));
	// not signed by enough
	let mut chain = world.chain();
	advance(&mut chain, &world.link(5)).unwrap();
	let few = world.validators.justification_by(0..2, &fork).encode();
	let forked = Link { header: fork.clone(), justification: few };
	let error = JustificationError::TooLittleWeight { weight: 2, threshold: 3 };
	assert_eq!(advance(&mut chain, &forked), Err(Justification(error)));
	// signed by enough: evidence
	let forked = Link { header: fork.clone(), justification: world.validators.justify(&fork) };
	let conflict = Conflict { number: 5, ours, theirs: hash(&fork) };
	assert_eq!(advance(&mut chain, &forked), Err(conflict));
}

#[test]
fn final_header_of_a_fork_at_a_hand_over() {
	// the block that hands over was final by the old set, so a rival of it is evidence against the old set
	let (world, links) = long();
	let (number, old) = &world.past[0];
	let mut chain = world.chain();
	advance(&mut chain, &links[0]).unwrap();
	let fork = HeaderBuilder::after(world.header(number - 1)).log(Log::Other(vec![1])).encode();
	let forked = Link { justification: old.justify(&fork), header: fork.clone() };
	assert!(matches!(advance(&mut chain, &forked), Err(Conflict { .. })));
	let forked = Link { justification: world.past[1].1.justify(&fork), header: fork };
	assert!(matches!(advance(&mut chain, &forked), Err(Justification(_))), "the new set has no say there");
}

#[test]
fn justification_of_an_old_set() {
	let (world, links) = long();
	let (until, old) = &world.past[0];
	let mut chain = world.chain();
	advance(&mut chain, &links[0]).unwrap();
	let header = world.header(until + 3).to_vec();
	let by_old = Link { justification: old.justify(&header), header: header.clone() };
	assert_eq!(advance(&mut chain, &by_old), Err(OldSet { number: until + 3, set: 0, until: *until }));
	// by the keys of the old set, for the id of the new one
	let by_old = Link { justification: old.with_id(1).justify(&header), header: header.clone() };
	assert_eq!(advance(&mut chain, &by_old), Err(Justification(JustificationError::UnknownSigner(0))));
	// by the keys of the new set, for the old id
	let new = &world.past[1].1;
	let by_new = Link { justification: new.with_id(0).justify(&header), header };
	let earlier = EarlierSet { number: until + 3, signed: 0, current: 1 };
	assert_eq!(advance(&mut chain, &by_new), Err(earlier));
}

#[test]
fn withheld_set_change() {
	// two sets with the same members: the signatures fail, but tell of which set they are
	let mut world = World::new(4);
	let same = world.validators.clone();
	let link = world.hand_over(same.authorities(), same);
	world.blocks(5);
	let newest = world.link(world.newest());
	let number = world.newest();
	let mut chain = world.chain();
	assert_eq!(advance(&mut chain, &newest), Err(LaterSet { number, signed: 1, current: 0 }));
	advance(&mut chain, &link).unwrap();
	assert!(advance(&mut chain, &newest).is_ok());
	// sets without a common member: nothing can be told, and nothing is accepted
	let (world, links) = long();
	let mut chain = world.chain();
	assert!(matches!(advance(&mut chain, &links[1]), Err(Justification(JustificationError::UnknownSigner(_)))));
	// the header of the change with the digest cut out is another block
	let number = world.past[0].0;
	let mut cut = HeaderBuilder::after(world.header(number - 1));
	cut.logs = vec![Log::Slot(crate::testing::SLOT_ZERO + u64::from(number)), Log::Seal(vec![5; 64])];
	let cut = Link { header: cut.encode(), justification: links[0].justification.clone() };
	assert_eq!(advance(&mut chain, &cut), Err(OtherBlock { number, justified: number }));
}

#[test]
fn made_up_set_change() {
	// a change that the set in power did not sign
	let world = short();
	let mut chain = world.chain();
	let mine = Validators::new(1, 4);
	let header = world.next().log(Log::Scheduled(mine.authorities(), 0)).encode();
	let link = Link { justification: mine.with_id(0).justify(&header), header };
	assert!(matches!(advance(&mut chain, &link), Err(Justification(_))));
	assert_eq!(chain.set().id, 0);
}

#[test]
fn forced_and_delayed_changes_are_refused() {
	let mut world = short();
	let next = Validators::new(1, 4).authorities();
	let forced = world.put(world.next().log(Log::Forced(3, next.clone(), 0)));
	let mut chain = world.chain();
	assert_eq!(advance(&mut chain, &world.link(forced)), Err(ForcedChange(forced)));
	let mut world = short();
	let delayed = world.put(world.next().log(Log::Scheduled(next, 2)));
	let mut chain = world.chain();
	assert_eq!(advance(&mut chain, &world.link(delayed)), Err(DelayedChange { number: delayed, delay: 2 }));
}

#[test]
fn a_checkpoint_without_its_state_is_completed_by_its_header() {
	let world = short();
	let whole = world.followed();
	let mut chain = FinalizedChain::from_checkpoint(Checkpoint { state_root: None, ..whole.checkpoint() });
	assert_eq!((chain.head().state_root, chain.head().time), (None, None));
	assert_eq!(advance(&mut chain, &world.link(world.newest())).map(|advanced| advanced.moved), Ok(false));
	assert_eq!(chain.head(), whole.head());
}

#[test]
fn set_ids_end() {
	let mut world = short();
	world.validators = world.validators.with_id(u64::MAX);
	let mut chain = world.chain();
	let mut last = chain.checkpoint();
	last.set.id = u64::MAX;
	chain = FinalizedChain::from_checkpoint(last);
	let keys = world.validators.clone();
	let number = world.put(world.next().log(Log::Scheduled(keys.authorities(), 0)));
	assert_eq!(advance(&mut chain, &world.link(number)), Err(SetIds));
}

#[test]
fn another_chain_with_the_same_names() {
	let (ours, theirs) = (World::new(4), World::new(5));
	let error = FinalizedChain::start(ours.genesis, &theirs.anchor()).unwrap_err();
	assert_eq!(error, AnchorError::OtherChain { expected: ours.genesis, got: theirs.genesis });
	let checkpoint = Anchor::Checkpoint(theirs.chain().checkpoint());
	let error = FinalizedChain::start(ours.genesis, &checkpoint).unwrap_err();
	assert_eq!(error, AnchorError::OtherChain { expected: ours.genesis, got: theirs.genesis });
}

#[test]
fn forged_genesis_authorities() {
	let world = World::new(4);
	let header = world.headers[0].clone();
	let mut state = world.genesis_state.clone();
	state.set(layout::GRANDPA_AUTHORITIES, Validators::new(7, 4).authorities().encode());
	let proof = state.prove([layout::GRANDPA_AUTHORITIES]);
	let error = FinalizedChain::from_genesis(world.genesis, &header, &proof).unwrap_err();
	assert!(matches!(error, AnchorError::ReadProof(ReadProofError::Incomplete(_))));
	// with the header to match, it is another chain
	let header = HeaderBuilder::genesis(state.root()).encode();
	let error = FinalizedChain::from_genesis(world.genesis, &header, &proof).unwrap_err();
	assert!(matches!(error, AnchorError::OtherChain { .. }));
}

#[test]
fn a_genesis_that_cannot_be_followed() {
	let start = |state: &State, number: u32| {
		let header = HeaderBuilder { number, ..HeaderBuilder::genesis(state.root()) }.encode();
		let genesis = GenesisHash(Header::decode(&header).unwrap().hash.0);
		FinalizedChain::from_genesis(genesis, &header, &state.prove([layout::GRANDPA_AUTHORITIES])).unwrap_err()
	};
	let mut state = State::default();
	state.set(b"something", b"else");
	assert_eq!(start(&state, 0), AnchorError::NoAuthorities);
	assert_eq!(start(&state, 3), AnchorError::NotBlockZero(3));
	state.set(layout::GRANDPA_AUTHORITIES, vec![0]);
	assert_eq!(start(&state, 0), AnchorError::Authorities(AuthorityError::Empty));
}

#[test]
fn stored_positions_are_versioned() {
	let (world, links) = long();
	let mut chain = world.chain();
	chain.catch_up(&links[..2]).unwrap();
	let bytes = chain.encode();
	assert_eq!(FinalizedChain::decode(&mut &bytes[..]), Ok(chain));
	for cut in 0..bytes.len() {
		assert!(FinalizedChain::decode(&mut &bytes[..cut]).is_err(), "cut at {cut}");
	}
	let newer = [&[2], &bytes[1..]].concat();
	assert!(FinalizedChain::decode(&mut &newer[..]).is_err());
}

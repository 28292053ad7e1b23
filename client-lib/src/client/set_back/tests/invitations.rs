//! What becomes of an invitation that was set back when another one has led to its group.

use super::{finalized, pass, LAST, RETRY};
use crate::{
	client::{
		claimed::engine,
		decoys::{failures, has_joined, posted_by, Party},
		GroupState,
	},
	finality::Finalized,
	log::VerifiedEntry,
	mls::Intent,
	Event,
};
use lockstep_primitives::{rpc::HexBytes, BlockNumber};

/// When the guest learns of what comes after the entry that it was let in by.
const LATER: BlockNumber = LAST + 2 * RETRY + 1;

/// The disk gives nothing back when the last entry comes, to which these letters invite. Then the guest is let in by the first
/// invitation, and reads no further than that. Gives the rest of the log, and the invitation waits.
fn is_in_by_another(party: &mut Party, first: &[Vec<u8>], letters: &[Vec<u8>]) -> Vec<VerifiedEntry> {
	let last = party.founder.log.pop().unwrap();
	party.serve(letters);
	party.disk.fail_reads(0, u64::MAX);
	party.goes_on(last);
	party.disk.fail_reads(0, 0);
	let rest = party.founder.log.split_off(2);
	assert!(has_joined(&party.serve(first)));
	let told = pass(party, LAST + 1..LATER);
	assert_eq!((party.guest.set_back(), failures(&told)), (1, 0), "it may lead back yet");
	rest
}

/// The guest reads the rest of the log. Gives what it tells from then on.
fn reads_on(party: &mut Party, rest: Vec<VerifiedEntry>) -> Vec<Event> {
	let group = party.founder.group;
	let entries = rest.iter().map(|entry| (group, entry.clone())).collect();
	party.founder.log.extend(rest);
	party.guest.on_finalized(Finalized { entries, ..finalized(LATER) });
	pass(party, LATER + 1..=LATER + 2 * RETRY)
}

/// Of the KeyPackage that it is for the private keys would be kept for as long.
#[test]
fn one_that_its_group_has_gone_past_is_dropped() {
	let mut party = Party::new();
	let (group, first) = (party.founder.group, party.founder.sent.clone());
	let spare = party.guest.key_package().unwrap();
	party.founder.client.enqueue(&group, Intent::Update).unwrap();
	party.founder.act();
	party.founder.win();
	let header = party.founder.log.last().unwrap().header;
	let mut elsewhere = party.invitation.clone();
	(elsewhere.entry, elsewhere.index) = (header.hash, header.index);
	let letters = posted_by(&engine("mallory"), &elsewhere, &spare, |_, _| {});

	let rest = is_in_by_another(&mut party, &first, &letters);
	let told = reads_on(&mut party, rest);
	assert_eq!((party.guest.set_back(), failures(&told)), (0, 0), "{told:?}");
	let position = party.guest.position(&group).unwrap();
	assert_eq!((position.state, position.tip.entry), (GroupState::Active, header.hash));
}

/// The guest was put out, and in again.
#[test]
fn one_that_leads_back_after_a_removal_is_kept_for_that() {
	let mut party = Party::new();
	let (group, first) = (party.founder.group, party.founder.sent.clone());
	let spare = party.guest.key_package().unwrap();
	for intent in [Intent::Remove(vec![HexBytes(b"guest".to_vec())]), Intent::Add(vec![HexBytes(spare)])] {
		party.founder.client.enqueue(&group, intent).unwrap();
		party.founder.act();
		party.founder.win();
	}
	let letters = party.founder.sent.split_off(first.len());
	let entry = party.founder.log.last().unwrap().header.hash;

	let rest = is_in_by_another(&mut party, &first, &letters);
	let told = reads_on(&mut party, rest);
	assert!(has_joined(&told), "{told:?}");
	assert_eq!((party.guest.set_back(), failures(&told)), (0, 0), "{told:?}");
	let position = party.guest.position(&group).unwrap();
	assert_eq!((position.state, position.tip.entry), (GroupState::Active, entry));
}

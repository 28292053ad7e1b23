//! A creation that a voucher pays for: what is submitted, for how long, and after what.

use crate::{
	client::{parameters::PARAMETERS, Event},
	finality::Finalized,
	mls::stand_in::StandIn,
	rpc::{RpcError, SubmitError},
	simulation::{Action, MemoryDisk, SimulatedClient},
	voucher::{HeldVoucher, VoucherKind, VoucherRefusal, PERIOD},
	GenesisHash, GroupId, Sponsor, Upkeep,
};
use lockstep_primitives::BlockNumber;
use rand::{rngs::StdRng, SeedableRng};

const GENESIS: GenesisHash = GenesisHash([7; 32]);
/// When vouchers of the first period expire, and when this begins.
const EXPIRY: BlockNumber = 2 * PERIOD;
const START: BlockNumber = EXPIRY - 500;

type Client = SimulatedClient<StandIn>;

fn open(disk: &MemoryDisk) -> Client {
	let engine = StandIn::new(b"anna".to_vec(), GENESIS, StdRng::seed_from_u64(1));
	SimulatedClient::open(disk, engine, PARAMETERS, Upkeep::default(), 1).unwrap()
}

fn voucher() -> HeldVoucher {
	HeldVoucher::issue(&Sponsor::alice(), &GENESIS, VoucherKind::CreateGroup, 0)
}

/// What it wants submitted now.
fn bought(client: &mut Client) -> Vec<(GroupId, Vec<u8>)> {
	let actions = client.take_actions().into_iter();
	actions
		.filter_map(|action| match action {
			Action::Buy { group, extrinsic } => Some((group, extrinsic)),
			Action::Create { .. } => panic!("nobody else is to pay"),
			_ => None,
		})
		.collect()
}

/// Blocks in which nothing happens.
fn pass(client: &mut Client, to: BlockNumber) {
	client.on_finalized(Finalized { block: to, entries: Vec::new(), closed: Vec::new(), complete: true });
}

/// Lets blocks pass, and answers to each submission; how often it was submitted, and whether it was given up.
fn answer(
	client: &mut Client,
	blocks: std::ops::Range<BlockNumber>,
	said: impl Fn() -> Result<(), SubmitError>,
) -> usize {
	answer_or_not(client, blocks, || Some(said()))
}

/// The same, where some of the answers are lost.
fn answer_or_not(
	client: &mut Client,
	blocks: std::ops::Range<BlockNumber>,
	mut said: impl FnMut() -> Option<Result<(), SubmitError>>,
) -> usize {
	let mut times = 0;
	for block in blocks {
		pass(client, block);
		for (group, _) in bought(client) {
			times += 1;
			client.on_submitted(group, said());
		}
	}
	times
}

#[test]
fn it_is_resumed_with_the_same_payment_after_a_restart() {
	let disk = MemoryDisk::new();
	let mut client = open(&disk);
	client.create_by_voucher(&voucher());
	let first = bought(&mut client);
	assert_eq!(first.len(), 1);
	drop(client);
	let mut client = open(&disk);
	pass(&mut client, 10);
	let mut resumed = bought(&mut client);
	resumed.dedup();
	assert_eq!(resumed, first);
}

/// What no node has taken is given up: the voucher is good for something else.
#[test]
fn what_every_node_refuses_is_given_up() {
	let disk = MemoryDisk::new();
	let mut client = open(&disk);
	client.create_by_voucher(&voucher());
	let times = answer(&mut client, 1..200, || Err(SubmitError::RefusedVoucher(VoucherRefusal::NoFunds)));
	assert!((1..20).contains(&times), "{times}");
	drop(client);
	assert_eq!(answer(&mut open(&disk), 200..300, || Ok(())), 0);
}

/// What a node has taken others have seen: it can come about until the voucher has expired, and must not do so without its
/// member.
#[test]
fn what_a_node_has_taken_is_not_given_up_before_the_voucher_has_expired() {
	let mut client = open(&MemoryDisk::new());
	client.create_by_voucher(&voucher());
	assert!(answer(&mut client, START..START + 50, || Ok(())) > 5);
	let refused = || Err(SubmitError::RefusedVoucher(VoucherRefusal::Spent));
	assert!(answer(&mut client, START + 50..EXPIRY + 1, refused) > 50);
	answer(&mut client, EXPIRY + 1..EXPIRY + 20, refused);
	assert_eq!(answer(&mut client, EXPIRY + 20..EXPIRY + 100, refused), 0);
	assert!(client.take_actions().iter().all(|action| !matches!(action, Action::Report(Event::Created { .. }))));
}

/// A connection that breaks after the submission was sent leaves the voucher with the node.
#[test]
fn what_a_node_may_have_is_not_given_up_for_what_others_say() {
	let mut client = open(&MemoryDisk::new());
	client.create_by_voucher(&voucher());
	let mut answers = 0;
	let lost_once = || {
		answers += 1;
		(answers > 1).then_some(Err(SubmitError::RefusedVoucher(VoucherRefusal::NoFunds)))
	};
	assert!(answer_or_not(&mut client, START..EXPIRY, lost_once) > 50);
}

/// What was sent to nobody is nobody's.
#[test]
fn what_was_sent_to_no_node_is_given_up_when_nodes_refuse_it() {
	let mut client = open(&MemoryDisk::new());
	client.create_by_voucher(&voucher());
	let unsent = || Err(SubmitError::Unsent(RpcError::ConnectionLost));
	assert!(answer(&mut client, 1..100, unsent) > 20);
	let refused = || Err(SubmitError::RefusedVoucher(VoucherRefusal::NoFunds));
	assert!(answer(&mut client, 100..300, refused) < 20);
}

//! An init key that somebody else has published.

use super::*;
use lockstep_primitives::key_package::{read, KeyPackageBytes};
use lockstep_verifier::{key_packages::stock_keys, testing::identity::key_package};

/// What a device with the key of this number publishes first.
fn first_of(identity: IdentityId, number: u64) -> SignedPublication {
	let bytes = KeyPackageBytes::try_from(key_package(&identity, number)).unwrap();
	let (device, packages) = (identity_key(number), vec![bytes].try_into().unwrap());
	let (replace, lapse, last_resort) = (false, 1_000, None);
	let publication = Publication { identity, device, number: 0, replace, lapse, packages, last_resort };
	SignedPublication { publication, signature: EventSignature([0; 64]) }
}

/// A chain that goes on, and knows nothing of the stock of the device with the key of this number; and what that publishes first.
pub(super) fn goes_on(number: u64) -> (Served, PersonLog, SignedPublication) {
	let (mut world, log) = chain();
	world.set(layout::KEY_PACKAGES_STORAGE_VERSION, codec::Encode::encode(&1u16));
	let head = world.block();
	world.blocks(200);
	let signed = first_of(log.id, number);
	let device = identity_key(number);
	let init_key = read(&signed.publication.packages[0], &log.id, &device, |_, _, _| true).unwrap().init_key;
	let stock = world.state.prove(stock_keys(&log.id, &device, Some(&init_key)));
	let node = Served { head, stock: Some(stock), pace: 5, ..Served::new(&world, &log.id, &log.recorded) };
	(node, log, signed)
}

/// It is no trouble that passes: the call ends, so that the event can be recorded without that. Not before what a node may have seen
/// in a block that is not final would be in one that is.
#[tokio::test]
async fn what_has_a_used_init_key_is_refused_and_does_not_run_into_a_deadline() {
	let (node, log, signed) = goes_on(9);
	let (url, _server) = node.serve().await;
	let directory = Directory::new(vec![url], node.world.genesis).unwrap();
	let event = log.next(1, Action::AddDevice(device(9, 109)), Some(9));
	let refused = directory.record_and_publish(&event, &signed).await;
	let is_used = |error: &DirectoryError| matches!(error, DirectoryError::KeyPackages(KeyPackageRefusal::InitKeyUsed));
	assert!(refused.as_ref().is_err_and(is_used), "{refused:?}");
	// Three pages, the stock, and the pages again, twice: 15 blocks lie between.
	assert!(node.asked() >= 10, "{}", node.asked());

	// The event is there.
	let (node, log, signed) = goes_on(3);
	let (url, _server) = node.serve().await;
	let directory = Directory::new(vec![url], node.world.genesis).unwrap();
	let half = directory.record_and_publish(&log.recorded[2].event, &signed).await;
	assert!(matches!(&half, Err(DirectoryError::NotPublished(inside)) if is_used(inside)), "{half:?}");
}

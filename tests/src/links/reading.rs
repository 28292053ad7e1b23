//! What an outsider makes of an extrinsic or a statement: what it is, whose it is, and what follows from that.

use super::{key_package, Kind, Record};
use blake2::{digest::consts::U32, Blake2b, Digest};
use codec::{Compact, Decode, DecodeAll};
use lockstep_primitives::{
	extrinsic::{
		Append, Founding, APPEND_CALL, CLAIM_CALL, CREATE_GROUP_BY_VOUCHER_CALL, DIRECTORY_PALLET, KEY_PACKAGES_PALLET,
		ORDERING_PALLET, PUBLISH_CALL, REGISTER_BY_VOUCHER_CALL,
	},
	identity::SignedEvent,
	key_package::{Claim, SignedPublication},
	payload_hash,
	topic::{group_topic, letter_hash, mailbox_topic},
	voucher::Payment,
	GroupId, IdentityKey,
};

/// An extrinsic.
pub fn extrinsic(name: &str, bytes: &[u8]) -> Record {
	let (kind, word, shown) = call(bytes).unwrap_or((Kind::Other, "something else", Shown::default()));
	record(format!("{name} ({word})"), kind, bytes, shown)
}

/// A statement. Whatever it shows on purpose an extrinsic has shown before: keys of epochs and vouchers, ids and KeyPackages from
/// which topics follow.
pub fn statement(bytes: &[u8]) -> Record {
	/// Four fields: a proof by an Ed25519 key, the expiry, a topic, the data.
	type Fields = (Compact<u32>, ([u8; 2], [u8; 64], [u8; 32]), (u8, u64), (u8, [u8; 32]), (u8, Vec<u8>));
	let mut record = record("a statement of another form".into(), Kind::Statement, bytes, Shown::default());
	if let Ok((_, (_, _, signer), _, (_, topic), (_, data))) = Fields::decode_all(&mut &bytes[..]) {
		let number = hex::encode(&payload_hash(bytes).0[..4]);
		record.name = format!("statement {number} of 0x{} under 0x{}", hex::encode(signer), hex::encode(topic));
		// An envelope names a letter by this.
		record.parts.extend(data.get(1..).map(|letter| letter_hash(letter).to_vec()));
	}
	record
}

/// What is named on purpose.
#[derive(Default)]
struct Shown {
	ids: Vec<[u8; 32]>,
	key_packages: Vec<Vec<u8>>,
}

impl Shown {
	fn ids(ids: impl Into<Vec<[u8; 32]>>) -> Self {
		Self { ids: ids.into(), key_packages: Vec::new() }
	}
}

fn record(name: String, kind: Kind, bytes: &[u8], shown: Shown) -> Record {
	let mut follows: Vec<Vec<u8>> = shown.ids.iter().flat_map(of_id).collect();
	for key_package in &shown.key_packages {
		let reference = key_package::reference(key_package);
		let hashes = [reference, mailbox_topic(&reference), payload_hash(key_package).0, blake2_256(key_package)];
		follows.extend(hashes.map(|hash| hash.to_vec()));
	}
	let hashes = [payload_hash(bytes).0, blake2_256(bytes)].map(|hash| hash.to_vec());
	let parts = [bytes.to_vec()].into_iter().chain(hashes).chain(follows.clone()).collect();
	let ids = shown.ids.iter().map(|id| id.to_vec());
	Record { name, kind, parts, shown: ids.chain(shown.key_packages.clone()).chain(follows).collect() }
}

/// What an id may have become elsewhere: a topic, a commitment, a hash, digits.
fn of_id(id: &[u8; 32]) -> Vec<Vec<u8>> {
	let topics = [group_topic(&GroupId(*id)), mailbox_topic(id)];
	let hashes = [IdentityKey(*id).commitment().0, payload_hash(id).0, blake2_256(id)];
	let values = topics.into_iter().chain(hashes).map(|value| value.to_vec());
	values.chain([hex::encode(id).into_bytes(), hex::encode_upper(id).into_bytes()]).collect()
}

fn blake2_256(bytes: &[u8]) -> [u8; 32] {
	Blake2b::<U32>::digest(bytes).into()
}

/// Reads a general transaction, without an account.
fn call(extrinsic: &[u8]) -> Option<(Kind, &'static str, Shown)> {
	let mut input = extrinsic;
	Compact::<u32>::decode(&mut input).ok()?;
	let [0x45, 0, 0, 0, 0, 0, pallet, call] = <[u8; 8]>::decode(&mut input).ok()? else {
		return inherent(extrinsic);
	};
	let input = &mut input;
	Some(match (pallet, call) {
		(DIRECTORY_PALLET, REGISTER_BY_VOUCHER_CALL) => {
			let (SignedEvent { event, .. }, payment) = <(SignedEvent, Payment)>::decode_all(input).ok()?;
			let ids = [event.identity.0, event.author.0, payment.voucher.voucher.key.0];
			(Kind::Register, "somebody registers", Shown::ids(ids))
		}
		(KEY_PACKAGES_PALLET, PUBLISH_CALL) => {
			let SignedPublication { publication, .. } = DecodeAll::decode_all(input).ok()?;
			let key_packages = publication.all().map(|bytes| bytes.to_vec()).collect();
			let shown = Shown { key_packages, ids: vec![publication.identity.0, publication.device.0] };
			(Kind::Publish, "somebody publishes KeyPackages", shown)
		}
		(KEY_PACKAGES_PALLET, CLAIM_CALL) => {
			let (claim, payment) = <(Claim, Payment)>::decode_all(input).ok()?;
			(Kind::Claim, "a claim", Shown::ids([claim.target.0, payment.voucher.voucher.key.0]))
		}
		(ORDERING_PALLET, CREATE_GROUP_BY_VOUCHER_CALL) => {
			let (founding, payment) = <(Founding, Payment)>::decode_all(input).ok()?;
			let ids = [founding.group.0, founding.next_key.0, payment.voucher.voucher.key.0];
			(Kind::Found, "a group is created", Shown::ids(ids))
		}
		(ORDERING_PALLET, APPEND_CALL) => {
			let append = Append::decode_all(input).ok()?;
			let ids = [append.group.0, append.parent.0, append.next_key.0, payload_hash(&append.payload).0];
			(Kind::Append, "a commit", Shown::ids(ids))
		}
		_ => return None,
	})
}

/// What the author of a block puts into it: the time.
fn inherent(extrinsic: &[u8]) -> Option<(Kind, &'static str, Shown)> {
	let mut input = extrinsic;
	Compact::<u32>::decode(&mut input).ok()?;
	let [version, pallet, call] = <[u8; 3]>::decode(&mut input).ok()?;
	// Without a signature, in format 4 or 5; `timestamp.set`.
	let is_time = [4, 5].contains(&version) && (pallet, call) == (1, 0);
	is_time.then(|| (Kind::Trace, "the time", Shown::default()))
}

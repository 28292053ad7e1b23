//! P7: what a node says of KeyPackages and claims is proven or not believed, and what it says of changes in logs can
//! make a client late, and no more.

use super::{
	p7_members::{epoch, found, invite, not_a_device, until, until_within},
	person::{broken, voucher, Enrolled, Person},
};
use codec::Encode;
use futures::future::try_join_all;
use lockstep_client::{
	directory::{Claimed, DeviceKeys, Directory, DirectoryError, IdentityExportError, IdentityId, IdentityKey, Stock},
	proof::ExportError,
	rpc::RpcError,
	voucher::{HeldVoucher, VoucherKind},
	Event, GroupId, SkippedBecause,
};
use lockstep_primitives::rpc::{HexBytes, KeyPackagesProof};
use lockstep_tests::{
	deadline,
	liar::{Liar, Lies},
	rpc::NodeRpc,
	Error, Network, Result,
};
use serde_json::{json, Value};
use std::time::Duration;

const STOCK: &str = "directory_stock";
const CLAIM: &str = "directory_claim";
pub const LOG: &str = "directory_log";
const CHANGED: &str = "directory_changed";

/// The node in front of which liars stand, and which is the honest one as well.
const NODE: usize = 2;
const PATIENCE: Duration = Duration::from_secs(120);
/// For some of the comparisons that a client makes every 32 blocks: one may come to nothing.
const COMPARISONS: Duration = Duration::from_secs(240);
/// Blocks in which each member would have taken its turn.
const TURNS: u32 = 24;

/// What a directory is asked.
enum Question {
	Stock(IdentityId, IdentityKey),
	Claim(HeldVoucher, IdentityId),
}

/// What it says.
#[derive(Debug, PartialEq)]
enum Answer {
	Stock(Option<Stock>),
	Claim(Claimed),
}

impl Question {
	async fn ask(&self, directory: &Directory) -> Result<Answer, DirectoryError> {
		match self {
			Self::Stock(person, device) => directory.stock(*person, *device).await.map(Answer::Stock),
			Self::Claim(voucher, target) => directory.claim(voucher, *target, None).await.map(Answer::Claim),
		}
	}
}

/// What becomes of a node.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Then {
	/// It is asked no more.
	Banned,
	/// The next one is asked.
	Left,
}

type Row = (&'static str, Lies, Then);

/// Changes what a method answers.
fn says(method: &'static str, change: impl Fn(&mut Value) + Send + Sync + 'static) -> Lies {
	let tell = move |asked: &str, answer: &mut Value| {
		if asked == method {
			change(answer);
		}
	};
	Lies { answer: Some(Box::new(tell)), ..Lies::default() }
}

/// Answers another question, truly and as of the same block.
fn asks(method: &'static str, other: Value) -> Lies {
	let tell = move |asked: &str, parameters: &mut Value| {
		if asked == method {
			*parameters = other.clone();
		}
	};
	Lies { question: Some(Box::new(tell)), ..Lies::default() }
}

fn refuses(method: &'static str) -> Lies {
	Lies { refuse: Some(method), ..Lies::default() }
}

/// Changes the trie nodes of a proof.
fn nodes(method: &'static str, change: impl Fn(&mut Vec<HexBytes>) + Send + Sync + 'static) -> Lies {
	says(method, move |answer| {
		let Ok(mut said) = serde_json::from_value::<KeyPackagesProof>(answer.clone()) else { return };
		if let Some(proof) = &mut said.proof {
			change(&mut proof.state);
		}
		if let Ok(lie) = serde_json::to_value(said) {
			*answer = lie;
		}
	})
}

/// Another value in the place of this one.
fn value(method: &'static str, truth: Vec<u8>, lie: Vec<u8>) -> Lies {
	nodes(method, move |nodes| {
		for node in nodes.iter_mut() {
			if let Some(rest) = node.0.strip_prefix(&truth[..]) {
				node.0 = [&lie[..], rest].concat();
			}
		}
	})
}

/// The state of an older block, under the newest one.
fn older_state(method: &'static str, old: &Value) -> Lies {
	let state = old["proof"]["state"].clone();
	says(method, move |answer| {
		// A block that has no justification yet has no proof.
		if let Some(proof) = answer["proof"].as_object_mut() {
			proof.insert("state".to_owned(), state.clone());
		}
	})
}

/// What can be done about any proof.
fn any(method: &'static str, old: &Value) -> Vec<Row> {
	let flip = |nodes: &mut Vec<HexBytes>| nodes.iter_mut().for_each(|node| node.0[0] ^= 1);
	let cut = |nodes: &mut Vec<HexBytes>| drop(nodes.pop());
	vec![
		("the state of an older block", older_state(method, old), Then::Banned),
		("altered state", nodes(method, flip), Then::Banned),
		("state that is cut", nodes(method, cut), Then::Banned),
		("no state at all", nodes(method, Vec::clear), Then::Banned),
		("an error", refuses(method), Then::Left),
		("no proof, for ever", says(method, |answer| answer["proof"] = Value::Null), Then::Left),
	]
}

/// Whether a node did not answer, or not in time, or had no proof yet: on a busy machine the most honest one may do that.
fn is_silence(error: &DirectoryError) -> bool {
	let DirectoryError::Read(error) = error else { return false };
	match error {
		IdentityExportError::NoProof => true,
		IdentityExportError::Rpc(error) | IdentityExportError::Chain(ExportError::Rpc(error)) => {
			!matches!(error, RpcError::Banned { .. })
		}
		_ => false,
	}
}

/// Whoever asks a liar alone is told nothing, and whoever asks an honest node as well the truth. Where the machine was too slow for
/// an answer, it is asked again.
async fn put(network: &Network, question: &Question, truth: &Answer, (name, lies, then): Row) -> Result<()> {
	let genesis = network.genesis().await?;
	let liar = Liar::start(&network.url(NODE)).await?;
	liar.tell(lies);
	let alone = Directory::new(vec![liar.url.clone()], genesis).map_err(broken)?;
	// One that is caught the first time has heard of the lie. Silence is all that the others are to show.
	let caught = deadline::until(PATIENCE, name, || async {
		let told = question.ask(&alone).await;
		assert!(matches!(told, Err(DirectoryError::Read(_))), "{name}: {told:?}");
		Ok(told.err().filter(|error| then == Then::Left || !is_silence(error)))
	});
	let caught = caught.await?;
	let again = question.ask(&alone).await;
	let is_banned = matches!(again, Err(DirectoryError::Read(IdentityExportError::Rpc(RpcError::Banned { .. }))));
	assert!(again.is_err() && is_banned == (then == Then::Banned), "{name}: {caught}, and again: {again:?}");
	// Each time by somebody who has asked nobody yet: whom the liar fails has to be told by the other node at once.
	let told = deadline::until(PATIENCE, name, || async {
		let both = Directory::new(vec![liar.url.clone(), network.url(NODE)], genesis).map_err(broken)?;
		match question.ask(&both).await {
			Ok(told) => Ok(Some(told)),
			Err(error) if is_silence(&error) => Ok(None),
			Err(error) => Err(broken(format!("{name}: {error}"))),
		}
	});
	assert_eq!(told.await?, *truth, "{name}");
	Ok(())
}

async fn put_all(network: &Network, question: &Question, truth: &Answer, rows: Vec<Row>) -> Result<()> {
	try_join_all(rows.into_iter().map(|row| put(network, question, truth, row))).await.map(drop)
}

/// What an honest node answers, as soon as it has a proof.
pub async fn proven(node: &NodeRpc, method: &str, parameters: Vec<Value>) -> Result<Value> {
	deadline::until(PATIENCE, method, || async {
		let answer: Value = node.request(method, parameters.clone()).await?;
		Ok((!answer["proof"].is_null()).then_some(answer))
	})
	.await
}

/// A node that answers as of some block for ever. All of it was true.
pub fn stands_still<const ANSWERS: usize>(answers: [(&'static str, Value); ANSWERS]) -> Lies {
	let tell = move |asked: &str, answer: &mut Value| {
		if let Some((_, old)) = answers.iter().find(|(method, _)| *method == asked) {
			*answer = old.clone();
		}
	};
	Lies { answer: Some(Box::new(tell)), ..Lies::default() }
}

pub async fn no_lie_about_a_stock_or_a_claim_is_believed(network: &Network) -> Result<()> {
	let folder = tempfile::tempdir().map_err(Error::io("making a folder"))?;
	let (boris, eve) =
		tokio::try_join!(Person::new(network, NODE, folder.path()), Person::new(network, NODE, folder.path()))?;
	let node = network.rpc(NODE).await?;
	let now = node.finalized().await?;
	tokio::try_join!(boris.publish(3, false, now + 10_000), eve.publish(1, false, now + 10_000))?;
	let (device, directory) = (boris.device.current.key(), &boris.directory);
	let (paid, others, unspent) = tokio::try_join!(
		voucher(network, VoucherKind::Claim),
		voucher(network, VoucherKind::Claim),
		voucher(network, VoucherKind::Claim)
	)?;
	directory.claim(&others, boris.id, None).await.map_err(broken)?;

	// Two KeyPackages are left, and one of the vouchers is not spent. Then it is.
	let before = directory.stock(boris.id, device).await.map_err(broken)?;
	let key = |voucher: &HeldVoucher| json!([voucher.voucher().key]);
	let old_log = proven(&node, LOG, vec![json!(boris.id), json!(0)]).await?;
	let old_claim = proven(&node, CLAIM, vec![json!(paid.voucher().key)]).await?;
	let old_stock = proven(&node, STOCK, vec![json!(boris.id), json!(device), Value::Null]).await?;
	let claimed = directory.claim(&paid, boris.id, None).await.map_err(broken)?;
	let stock = directory.stock(boris.id, device).await.map_err(broken)?.ok_or_else(|| broken("it has published"))?;
	assert_eq!((before.map(|before| before.left()), stock.left()), (Some(2), 1));

	let of_stock = Question::Stock(boris.id, device);
	let true_stock = Answer::Stock(Some(stock));
	let of_eve = json!([eve.id, eve.device.current.key(), null]);
	let of_nobody = json!([boris.id, DeviceKeys::random().current.key(), null]);
	let empty = Stock { first: stock.next, ..stock };
	let mut about_stock = any(STOCK, &old_stock);
	about_stock.extend([
		("the stock of another device", asks(STOCK, of_eve), Then::Banned),
		("the absence of another device's stock", asks(STOCK, of_nobody), Then::Banned),
		("an empty stock", value(STOCK, stock.encode(), empty.encode()), Then::Banned),
	]);

	let mut forged = claimed.clone();
	let of_eves_making = eve.client.key_package().await.map_err(broken)?;
	forged.packages[0].bytes = of_eves_making.try_into().map_err(|_| broken("it is short"))?;
	let mut about_claim = any(CLAIM, &old_claim);
	about_claim.extend([
		("a KeyPackage of an attacker's", value(CLAIM, claimed.encode(), forged.encode()), Then::Banned),
		("what another voucher got", asks(CLAIM, key(&others)), Then::Banned),
		("that nothing was claimed, as with another voucher", asks(CLAIM, key(&unspent)), Then::Banned),
	]);
	let of_claim = Question::Claim(paid, boris.id);
	let true_claim = Answer::Claim(claimed);

	let old = [(LOG, old_log), (CLAIM, old_claim), (STOCK, old_stock)];
	tokio::try_join!(
		put_all(network, &of_stock, &true_stock, about_stock),
		put_all(network, &of_claim, &true_claim, about_claim),
		what_was_true_is_told_as_of_its_block(network, (&of_stock, &true_stock), (&of_claim, &true_claim), before, old),
	)?;
	boris.client.close().await;
	eve.client.close().await;
	Ok(())
}

/// That a state is old cannot be seen by who knows no newer block. It is that of the block which comes with it;
/// whoever has seen a newer one is not taken back, and with a voucher that is spent nothing else is claimed.
async fn what_was_true_is_told_as_of_its_block(
	network: &Network,
	(of_stock, true_stock): (&Question, &Answer),
	(of_claim, true_claim): (&Question, &Answer),
	before: Option<Stock>,
	old: [(&'static str, Value); 3],
) -> Result<()> {
	let genesis = network.genesis().await?;
	let liar = Liar::start(&network.url(NODE)).await?;
	let alone = || Directory::new(vec![liar.url.clone()], genesis).map_err(broken);
	let both = || Directory::new(vec![liar.url.clone(), network.url(NODE)], genesis).map_err(broken);
	let block = old[2].1["at"]["number"].as_u64();
	let Question::Stock(person, device) = of_stock else { return Err(broken("it is about a stock")) };

	liar.tell(stands_still(old.clone()));
	let (stock, head) = alone()?.stock_as_of(*person, *device).await.map_err(broken)?;
	assert_eq!((stock, Some(u64::from(head.number))), (before, block));

	for (directory, has_honest) in [(alone()?, false), (both()?, true)] {
		liar.tell(Lies::default());
		assert_eq!(of_stock.ask(&directory).await.map_err(broken)?, *true_stock);
		liar.tell(stands_still(old.clone()));
		match of_stock.ask(&directory).await {
			Ok(told) if has_honest => assert_eq!(told, *true_stock),
			Err(DirectoryError::Read(IdentityExportError::Behind)) if !has_honest => {}
			other => return Err(broken(format!("{other:?} from a node that stands still"))),
		}
	}

	// The voucher seems not to be spent, is refused, and is not taken for lost: it may have bought just this.
	assert_eq!(of_claim.ask(&both()?).await.map_err(broken)?, *true_claim);
	let told = of_claim.ask(&alone()?).await;
	assert!(matches!(told, Err(DirectoryError::NotFinal { .. })), "{told:?}");
	Ok(())
}

/// Leaves a person out of those whose logs have changed.
fn hides(person: IdentityId) -> Lies {
	says(CHANGED, move |answer| {
		if let Some(people) = answer["identities"].as_array_mut() {
			people.retain(|one| *one != json!(person));
		}
	})
}

/// Names a thousand strangers beside.
fn invents() -> Lies {
	let stranger = |number: u32| {
		let mut id = [0xee; 32];
		id[..4].copy_from_slice(&number.to_le_bytes());
		json!(IdentityId(id))
	};
	let strangers: Vec<Value> = (0..1_000).map(stranger).collect();
	says(CHANGED, move |answer| {
		if let Some(people) = answer["identities"].as_array_mut() {
			people.extend(strangers.iter().cloned());
		}
	})
}

/// Somebody whose client asks a liar.
struct Watcher {
	person: Person,
	_liar: Liar,
}

/// Somebody new whose client has a liar for its first node, and perhaps an honest one for its second.
async fn watcher(network: &Network, folder: &tempfile::TempDir, lies: Lies, honest: Option<usize>) -> Result<Watcher> {
	let liar = Liar::start(&network.url(0)).await?;
	liar.tell(lies);
	let nodes = [liar.url.clone()].into_iter().chain(honest.map(|node| network.url(node))).collect();
	let person = Person::over(Enrolled::new(network, 0).await?, nodes, network, folder.path()).await?;
	Ok(Watcher { person, _liar: liar })
}

/// Adds somebody with both devices.
async fn bring_in(network: &Network, host: &Person, group: GroupId, boris: &Person, phone: &Person) -> Result<()> {
	phone.publish(1, false, network.rpc(0).await?.finalized().await? + 10_000).await?;
	let mut of_phone = phone.client.events();
	invite(network, host, group, boris).await?;
	until(&mut of_phone, "joining", |event| matches!(event, Event::Joined { .. }).then_some(())).await?;
	deadline::until(PATIENCE, "the host to see both devices", || sees(host, group, boris, 2)).await
}

/// Whether so many of a person's devices are in a group, as a member sees it.
async fn sees(member: &Person, group: GroupId, of: &Person, count: usize) -> Result<Option<()>> {
	let devices = member.client.group(group).await.map_err(broken)?.devices;
	let theirs = devices.iter().filter(|device| device.identity.0 == of.id.0).count();
	Ok((theirs == count).then_some(()))
}

/// The node of each member hides a revocation, by another lie. The revoked device, from which it is hidden as well,
/// commits: that counts for none of them, and they hear of the revocation by it.
pub async fn a_hidden_revocation_makes_clients_late_and_lets_no_commit_pass(network: &Network) -> Result<()> {
	let folder = tempfile::tempdir().map_err(Error::io("making a folder"))?;
	let boris = Person::new(network, 1, folder.path()).await?;
	let phone = Enrolled::with_further_device(&boris, network, 3).await?;
	let liar = Liar::start(&network.url(3)).await?;
	liar.tell(hides(boris.id));
	let phone = Person::over(phone, vec![liar.url.clone()], network, folder.path()).await?;
	let of_block_0 = says(CHANGED, |answer| answer["at"]["number"] = 0.into());
	let lies = [hides(boris.id), of_block_0, refuses(CHANGED)];
	let watchers = try_join_all(lies.map(|lies| watcher(network, &folder, lies, None))).await?;
	let members: Vec<&Person> = watchers.iter().map(|watcher| &watcher.person).collect();

	let group = found(network, members[0]).await?;
	for member in &members[1..] {
		invite(network, members[0], group, member).await?;
	}
	bring_in(network, members[0], group, &boris, &phone).await?;
	for member in &members {
		deadline::until(PATIENCE, "all to see both devices", || sees(member, group, &boris, 2)).await?;
	}

	// His other device, which would have taken the phone out, is away.
	boris.client.close().await;
	let mut events: Vec<_> = members.iter().map(|member| member.client.events()).collect();
	let before = epoch(members[0], group).await?;
	let (id, revoked) = (boris.id, phone.device.current.key());
	boris.record(|author| author.revoke_device(&boris.device, revoked)).await?;
	let now = network.rpc(0).await?.finalized().await?;
	network.finalized_past(0, now + TURNS, PATIENCE).await?;
	for member in &members {
		assert_eq!(epoch(member, group).await?, before, "the lies hide nothing");
	}

	let committed = phone.client.update(group).await;
	assert!(committed.is_err(), "{committed:?}");
	let seen = events.iter_mut().map(|events| async move {
		let reason = until(events, "the commit that does not count", |event| match event {
			Event::Skipped { reason: SkippedBecause::Invalid(reason), .. } => Some(reason),
			_ => None,
		});
		assert_eq!(reason.await?, not_a_device(id));
		until(events, "the phone to be out", |event| match event {
			Event::DeviceRemoved { identity, key, .. } => (identity == id.0 && key == revoked.0).then_some(()),
			_ => None,
		})
		.await
	});
	try_join_all(seen).await?;
	for person in members.into_iter().chain([&phone]) {
		person.client.close().await;
	}
	Ok(())
}

/// Names of strangers are passed over, a node that does not answer is left for the next, and what one hides another one
/// is asked about.
pub async fn beside_an_honest_node_a_liar_about_changes_makes_no_client_late(network: &Network) -> Result<()> {
	let folder = tempfile::tempdir().map_err(Error::io("making a folder"))?;
	let boris = Person::new(network, 1, folder.path()).await?;
	let phone = boris.with_further_device(network, 3, folder.path()).await?;
	let lies = [invents(), refuses(CHANGED), hides(boris.id)];
	let watchers = try_join_all(lies.map(|lies| watcher(network, &folder, lies, Some(NODE)))).await?;
	let mut groups = Vec::new();
	for Watcher { person, .. } in &watchers {
		let group = found(network, person).await?;
		bring_in(network, person, group, &boris, &phone).await?;
		groups.push((person.client.events(), group));
	}

	boris.client.close().await;
	phone.client.close().await;
	let revoked = phone.device.current.key();
	boris.record(|author| author.revoke_device(&boris.device, revoked)).await?;
	let seen = groups.iter_mut().map(|(events, of)| async move {
		until_within(COMPARISONS, events, "the phone to be out", |event| match event {
			Event::DeviceRemoved { group, key, .. } => (group == *of && key == revoked.0).then_some(()),
			_ => None,
		})
		.await
	});
	try_join_all(seen).await?;
	for watcher in watchers {
		watcher.person.client.close().await;
	}
	Ok(())
}

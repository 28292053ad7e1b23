//! A member as a process: requests in, answers out, a line of JSON each; see `lockstep_tests::remote`.

use clap::Parser;
use futures::StreamExt;
use lockstep_client::{on_write, Ended, Intent, IntentId, IntentState, Upkeep};
use lockstep_primitives::rpc::HexBytes;
use lockstep_primitives::GroupId;
use lockstep_tests::{
	members::{Place, ADVANCING, HEARING, JOINING},
	remote::{Answer, Request, DIE_AT, PAST_EPOCHS_KEPT, WRITES},
	within,
	write_kinds::{DeathPoint, WriteKind},
	Error, Member, Result,
};
use std::{
	collections::BTreeSet,
	fs::OpenOptions,
	io::Write,
	path::PathBuf,
	sync::{
		atomic::{AtomicU64, Ordering},
		Mutex,
	},
	time::{SystemTime, UNIX_EPOCH},
};
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};

/// A member that does what it is told on its standard input.
#[derive(Parser)]
struct Arguments {
	/// Its name, which is its identity too
	#[arg(long)]
	name: String,
	/// The folder of its store
	#[arg(long)]
	folder: PathBuf,
	/// The node it uses, or several with commas between them
	#[arg(long = "node", value_delimiter = ',')]
	nodes: Vec<String>,
}

#[tokio::main]
async fn main() -> Result<()> {
	let Arguments { name, folder, nodes } = Arguments::parse();
	die_where_told()?;
	let member = Member::open_with(Place { name, folder, nodes }, None, upkeep()?).await?;
	let (mut requests, mut answers) = (BufReader::new(tokio::io::stdin()).lines(), tokio::io::stdout());
	let failed = || Error::io("talking over standard input and output");
	while let Some(line) = requests.next_line().await.map_err(failed())? {
		let answer = match serde_json::from_str(&line) {
			Ok(request) => fulfil(&member, request).await.unwrap_or_else(failure),
			Err(error) => failure(error),
		};
		let line = serde_json::to_string(&answer).unwrap_or_default() + "\n";
		answers.write_all(line.as_bytes()).await.map_err(failed())?;
		answers.flush().await.map_err(failed())?;
	}
	member.close().await;
	Ok(())
}

/// What it does of its own accord: as usual, unless the environment says otherwise.
fn upkeep() -> Result<Upkeep> {
	let kept = std::env::var(PAST_EPOCHS_KEPT).ok().map(|blocks| blocks.parse()).transpose();
	let usual = Upkeep::default();
	let kept = kept.map_err(|error| Error::Broken(format!("{PAST_EPOCHS_KEPT} is no number of blocks: {error}")))?;
	Ok(Upkeep { past_epochs_kept: kept.unwrap_or(usual.past_epochs_kept), ..usual })
}

/// Ends the process at the write that the environment names: as suddenly as a kill, at a place that a kill from outside
/// hardly ever meets. Notes which kinds of writes there are.
fn die_where_told() -> Result<()> {
	let point = std::env::var(DIE_AT).ok().map(|text| text.parse::<DeathPoint>()).transpose().map_err(Error::Broken)?;
	let notes = std::env::var_os(WRITES).map(|path| OpenOptions::new().create(true).append(true).open(path));
	let notes = Mutex::new((notes.transpose().map_err(Error::io("opening the notes"))?, BTreeSet::new()));
	if point.is_none() && std::env::var_os(WRITES).is_none() {
		return Ok(());
	}
	let passed = AtomicU64::new(0);
	on_write(move |side, changes| {
		let kind = WriteKind::of(changes);
		if let Ok(mut notes) = notes.lock() {
			let line = kind.map_or_else(|| format!("{changes:?}"), |kind| kind.to_string());
			if let (true, Some(file)) = (notes.1.insert(line.clone()), &mut notes.0) {
				drop(file.write_all((line + "\n").as_bytes()));
			}
		}
		let here = point.filter(|point| Some(point.kind) == kind && point.side == side);
		if here.is_some_and(|point| passed.fetch_add(1, Ordering::Relaxed) == point.after) {
			std::process::abort();
		}
	});
	Ok(())
}

fn failure(error: impl std::fmt::Display) -> Answer {
	Answer::Failed { reason: error.to_string() }
}

async fn fulfil(member: &Member, request: Request) -> Result<Answer> {
	Ok(match request {
		Request::Clock => {
			let since = SystemTime::now().duration_since(UNIX_EPOCH);
			Answer::Clock { unix: since.map_or(0, |since| since.as_secs()) }
		}
		Request::Groups => Answer::Groups { groups: member.client().groups().await },
		Request::Found => Answer::Founded { group: member.found().await? },
		Request::Add { group, key_packages } => {
			let decoded = key_packages.iter().map(hex::decode).collect::<std::result::Result<Vec<_>, _>>();
			let decoded = decoded.map_err(|error| Error::Broken(format!("a KeyPackage is no hexadecimal: {error}")))?;
			member.add(group, decoded).await?;
			status(member, group).await?
		}
		Request::Stand { group } => status(member, group).await?,
		Request::Enqueue { group } => Answer::Taken { number: member.enqueue(group, Intent::Update).await?.number },
		Request::EnqueueRemoval { group, name } => {
			let intent = Intent::Remove(vec![HexBytes(name.into_bytes())]);
			Answer::Taken { number: member.enqueue(group, intent).await?.number }
		}
		Request::Intents { group } => ended(member.intents(group).await?),
		Request::Settle { group } => settle(member, group).await?,
		Request::Unread => {
			let text = |bytes: Vec<u8>| String::from_utf8_lossy(&bytes).into_owned();
			let unread = member.unread().await?.into_iter();
			let messages = unread.map(|(number, message)| (number, text(message.sender), text(message.data))).collect();
			Answer::Unread { messages }
		}
		Request::Undelivered => {
			let undelivered = member.client().undelivered().await.map_err(|error| Error::Broken(error.to_string()))?;
			let text = |bytes: Vec<u8>| String::from_utf8_lossy(&bytes).into_owned();
			Answer::Undelivered { texts: undelivered.into_iter().map(|(_, given_up)| text(given_up.data)).collect() }
		}
		Request::Dismiss => {
			let broken = |error: lockstep_client::GroupError| Error::Broken(error.to_string());
			let undelivered = member.client().undelivered().await.map_err(broken)?;
			if let Some((newest, _)) = undelivered.last() {
				member.client().dismiss(*newest).await.map_err(broken)?;
			}
			Answer::Done
		}
		Request::Acknowledge { up_to } => {
			member.acknowledge(up_to).await?;
			Answer::Done
		}
		Request::KeyPackage => Answer::KeyPackage { bytes: hex::encode(member.key_package().await?) },
		Request::Reach { group, epoch } => {
			// What came about in an earlier life is not reported again.
			let standing = member.status(group).await.ok().map(|status| status.epoch);
			if standing.is_none() {
				member.joined(group, JOINING).await?;
			}
			if standing < Some(epoch) {
				member.reached(group, epoch, ADVANCING).await?;
			}
			status(member, group).await?
		}
		Request::Lies => Answer::Count { count: member.lies().await? },
		Request::Epochs { group } => {
			let keys = member.client().hostile_keys(group).await;
			Answer::Count { count: keys.map_err(|error| Error::Broken(error.to_string()))?.len() }
		}
		Request::Update { group } => {
			member.update(group).await?;
			status(member, group).await?
		}
		Request::Send { group, text } => {
			member.send(group, text.into_bytes()).await?;
			Answer::Done
		}
		Request::Hear { group, sender, text } => {
			member.heard(group, text.as_bytes(), &sender, HEARING).await?;
			Answer::Done
		}
	})
}

/// Waits until all intents have ended.
async fn settle(member: &Member, group: GroupId) -> Result<Answer> {
	let mut events = member.client().events();
	loop {
		let intents = member.intents(group).await?;
		if intents.iter().all(|(_, state)| matches!(state, IntentState::Ended(_))) {
			return Ok(ended(intents));
		}
		within(ADVANCING, "the next event", events.next()).await?;
	}
}

/// Those that have ended.
fn ended(intents: Vec<(IntentId, IntentState)>) -> Answer {
	let (mut done, mut failed) = (Vec::new(), Vec::new());
	for (id, state) in intents {
		match state {
			IntentState::Ended(Ended::Done(committed)) => done.push((id.number, committed.entry)),
			IntentState::Ended(other) => failed.push((id.number, format!("{other:?}"))),
			_ => {}
		}
	}
	Answer::Ended { done, failed }
}

async fn status(member: &Member, group: GroupId) -> Result<Answer> {
	let status = member.status(group).await?;
	let authenticator = hex::encode(status.epoch_authenticator);
	Ok(Answer::Status { epoch: status.epoch, entry: status.entry, authenticator })
}

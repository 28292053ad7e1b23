//! The nodes: whether they answer, are of one chain, and bring new final blocks; and this machine's clock beside them.

use super::report::Report;
use crate::{
	failure::{Failure, Kind},
	output::Out,
	profile::Profile,
};
use lockstep_client::{rpc::Node, GenesisHash};
use lockstep_verifier::Header;
use std::time::{Duration, SystemTime, UNIX_EPOCH};
use tokio::time::timeout;

/// How long a node may take to bring a new final block: some times what it needs.
const PATIENCE: Duration = Duration::from_secs(10);
/// How far apart this clock and that of the validators may be: far more than any network explains.
const SKEW: Duration = Duration::from_secs(30);
/// How many blocks a node may be behind another.
const BEHIND: u64 = 10;

/// What a node showed.
struct Seen {
	url: String,
	genesis: GenesisHash,
	/// The newest final block, and when it was made in milliseconds since 1970, if it says so.
	newest: u64,
	made: Option<u64>,
	/// Whether there was a newer one while it was watched.
	goes_on: bool,
}

/// Looks at all nodes of a profile at once.
pub async fn examine(profile: &Profile, out: &Out, report: &mut Report) {
	let looks = profile.facts().nodes.iter().map(|url| look(url, profile.facts().genesis));
	let seen = out.wait("watching the nodes", futures::future::join_all(looks)).await;
	let mut good = Vec::new();
	let mut bad = Vec::new();
	for result in seen {
		match result {
			Ok(node) => good.push(node),
			Err(failure) => bad.push(failure),
		}
	}
	let advice = |kind| match kind {
		Kind::Unreachable => format!(
			"start it (`lockstep-node --dev` for a development chain), or name others: {} identity nodes ws://HOST:PORT",
			profile.command()
		),
		_ => format!("name a node of the right chain: {} identity nodes ws://HOST:PORT", profile.command()),
	};
	for failure in bad {
		let advice = advice(failure.kind);
		match good.is_empty() {
			true => report.wrong("nodes", failure.advise(advice)),
			false => report.warning("nodes", failure.message, Some(advice)),
		}
	}
	judge(&good, report);
	if let Some(node) = good.iter().max_by_key(|node| node.newest).filter(|node| node.goes_on) {
		clock(node.made, now(), report);
	}
}

async fn look(url: &str, genesis: Option<GenesisHash>) -> Result<Seen, Failure> {
	let node = Node::connect(url, genesis).await?;
	let genesis = node.chain().genesis;
	let mut blocks = node.subscribe_entries(&[]).await?;
	let mut seen = Seen { url: url.to_owned(), genesis, newest: 0, made: None, goes_on: false };
	let mut first = None;
	let watching = async {
		while let Some(Ok(message)) = blocks.next().await {
			seen.newest = message.at.number.into();
			let header = message.proof.and_then(|proof| Header::decode(&proof.block.header.0).ok());
			seen.made = header.and_then(|header| header.time()).or(seen.made);
			seen.goes_on = seen.newest > *first.get_or_insert(seen.newest);
			if seen.goes_on && seen.made.is_some() {
				return;
			}
		}
	};
	// What it has shown by then is what counts.
	drop(timeout(PATIENCE, watching).await);
	Ok(seen)
}

fn judge(good: &[Seen], report: &mut Report) {
	let furthest = good.iter().map(|node| node.newest).max().unwrap_or_default();
	let one = good.first().map(|node| node.genesis);
	for node in good {
		let Seen { url, newest, goes_on, genesis, .. } = node;
		if one != Some(*genesis) {
			let message = format!("{url} is of the chain {genesis}, other nodes of the profile are of another");
			report.wrong("nodes", Failure::new(Kind::WrongChain, message).advise("name the nodes of one chain only"));
		} else if newest.saturating_add(BEHIND) < furthest {
			let message = format!("{url} is at final block {newest}, another node at {furthest}");
			report.warning("nodes", message, Some("wait until it has caught up".to_owned()));
		} else if *goes_on {
			report.fine("nodes", format!("{url}: chain {genesis}, final block {newest}, going on"));
		} else {
			let message = format!("{url}: no new final block in {} s; the last is {newest}", PATIENCE.as_secs());
			let advice =
				"ask those who run the validators: more than two thirds of them have to vote. Messages still travel";
			report.wrong("nodes", Failure::new(Kind::Node, message).advise(advice));
		}
	}
}

/// Compares this clock with the time of a block that was made a moment ago.
fn clock(made: Option<u64>, now: Duration, report: &mut Report) {
	let Some(made) = made.map(Duration::from_millis) else {
		return report.warning("clock", "no block says when it was made, to compare this clock with".to_owned(), None);
	};
	let (apart, word) = match now.checked_sub(made) {
		Some(ahead) => (ahead, "ahead of"),
		None => (made.saturating_sub(now), "behind"),
	};
	if apart <= SKEW {
		return report.fine("clock", "it agrees with that of the validators".to_owned());
	}
	let message =
		format!("this clock is {} s {word} that of the validators: what is sent may count as expired", apart.as_secs());
	report.wrong(
		"clock",
		Failure::new(Kind::Failed, message).advise("set it, with NTP for example: timedatectl set-ntp true"),
	);
}

fn now() -> Duration {
	SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default()
}

#[cfg(test)]
mod tests {
	use super::*;
	use crate::failure::Exit;

	fn node(url: &str, genesis: u8, newest: u64, goes_on: bool) -> Seen {
		Seen { url: url.into(), genesis: GenesisHash([genesis; 32]), newest, made: None, goes_on }
	}

	fn judged(nodes: &[Seen]) -> (Result<(), Failure>, String) {
		let mut report = Report::default();
		judge(nodes, &mut report);
		(report.verdict(), report.text())
	}

	#[test]
	fn nodes_that_go_on_together_are_fine() {
		let (verdict, text) = judged(&[node("ws://a", 1, 100, true), node("ws://b", 1, 92, true)]);
		assert!(verdict.is_ok() && !text.contains("warning"), "{text}");
	}

	#[test]
	fn what_stands_still_or_is_of_another_chain_is_wrong_and_what_lags_a_warning() {
		let (verdict, _) = judged(&[node("ws://a", 1, 100, false)]);
		assert_eq!(verdict.unwrap_err().exit(), Exit::Node);
		let (verdict, _) = judged(&[node("ws://a", 1, 100, true), node("ws://b", 2, 100, true)]);
		assert_eq!(verdict.unwrap_err().kind, Kind::WrongChain);
		let (verdict, text) = judged(&[node("ws://a", 1, 100, true), node("ws://b", 1, 50, false)]);
		assert!(verdict.is_ok() && text.contains("warning  nodes: ws://b"), "{text}");
	}

	#[test]
	fn a_clock_is_wrong_when_it_is_far_from_a_block_that_was_just_made() {
		let verdict = |now: u64| {
			let mut report = Report::default();
			clock(Some(1_000_000), Duration::from_millis(now), &mut report);
			report.verdict().map_err(|failure| failure.message)
		};
		assert_eq!(verdict(1_002_000), Ok(()));
		assert_eq!(verdict(999_000), Ok(()));
		assert!(verdict(1_100_000).unwrap_err().contains("100 s ahead of"));
		assert!(verdict(900_000).unwrap_err().contains("100 s behind"));
	}
}

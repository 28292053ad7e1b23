//! Four validators and five members in lockstep, before your eyes.
//!
//! The members found a group, commit all at once for twenty rounds, remove one of them and talk. The exit status is
//! 0 only if every two members agree on every epoch, no message between members of an epoch was lost, and the removed
//! member read nothing that was sent after its removal.

mod screen;
mod verdict;

use clap::Parser;
use lockstep_primitives::GroupId;
use lockstep_tests::{
	deadline::asked_to_end,
	figures::Samples,
	members::{saying, ADVANCING},
	network::VALIDATORS,
	Error, Members, Network, Result,
};
use screen::{EpochLine, Screen};
use std::{process::ExitCode, time::Instant};
use verdict::Verdict;

const NAMES: [&str; 5] = ["anna", "boris", "chiara", "dmitri", "elena"];
/// Positions of all members, and of those who stay.
const ALL: [usize; 5] = [0, 1, 2, 3, 4];
const STAYING: [usize; 4] = [0, 1, 2, 3];
/// Who is removed, by the first of those who stay.
const LEAVING: usize = 4;

const BEFORE: &str = "before the removal";
const AFTER: &str = "after the removal";

/// Four validators and five members in lockstep, before your eyes.
#[derive(Parser)]
struct Arguments {
	/// How many times all members commit at once
	#[arg(long, default_value_t = 20)]
	rounds: usize,
}

#[tokio::main]
async fn main() -> ExitCode {
	let Arguments { rounds } = Arguments::parse();
	let ended = tokio::select! {
		ended = demo(rounds) => ended,
		() = asked_to_end() => Err(Error::Broken("interrupted".into())),
	};
	match ended {
		Ok(verdict) => {
			println!("{verdict}");
			if verdict.holds() {
				ExitCode::SUCCESS
			} else {
				ExitCode::FAILURE
			}
		}
		Err(error) => {
			println!("\n  NOT IN LOCKSTEP: {error}\n");
			ExitCode::FAILURE
		}
	}
}

async fn demo(rounds: usize) -> Result<Verdict> {
	let mut screen = Screen::new();
	let start = Instant::now();
	screen.say(format!("starting the validators {}", VALIDATORS.join(", ")));
	let network = Network::start().await?;
	screen.say(format!("they finalize blocks together, {:.1} s after their start", start.elapsed().as_secs_f64()));

	let members = Members::open(&network, &NAMES).await?;
	for (member, node) in members.iter().zip(VALIDATORS.iter().cycle()) {
		screen.say(format!("{:<7} is a member with a store of its own, on {node}'s node", member.name()));
	}

	let mut latencies = Samples::default();
	let group = founding(&members, &mut screen, &mut latencies).await?;
	let mut won = [0; NAMES.len()];
	for _ in 0..rounds {
		round(&members, group, &mut screen, &mut latencies, &mut won).await?;
	}

	screen.gap();
	members.everybody_hears_everybody(group, &ALL, BEFORE).await?;
	screen.say("each member's message was read by the four others, once".into());
	removal(&members, group, &mut screen, &mut latencies).await?;
	screen.gap();
	members.everybody_hears_everybody(group, &STAYING, AFTER).await?;
	// What the removed member could have read has reached its node by now: two more blocks are final there.
	let node = LEAVING % network.size();
	let now = network.rpc(node).await?.finalized().await?;
	network.finalized_past(node, now + 1, ADVANCING).await?;
	screen.say("each message of those who stay was read by the three others, once".into());

	let mut verdict = Verdict::new(&members, group, &NAMES, latencies, won);
	verdict.compare(&members, group, &STAYING).await?;
	verdict.count_messages(&members, group, &ALL, BEFORE);
	verdict.count_messages(&members, group, &STAYING, AFTER);
	verdict.look_at_removed(&members[LEAVING], group, |name| saying(AFTER, name));
	members.close().await;
	network.finish().await?;
	Ok(verdict)
}

/// The first member founds the group and adds the others.
async fn founding(members: &Members, screen: &mut Screen, latencies: &mut Samples) -> Result<GroupId> {
	let founder = &members[0];
	let start = Instant::now();
	let group = founder.found().await?;
	let elapsed = start.elapsed();
	screen.say(format!("{} founded group {group}", founder.name()));
	screen.headings();
	let status = founder.status(group).await?;
	let opening = EpochLine { epoch: 0, entry: status.entry, winner: founder.name(), refused: 0, elapsed };
	screen.epoch(&opening, None, "creates the group");
	for member in members.iter().skip(1) {
		let key_package = member.key_package().await?;
		let start = Instant::now();
		let committed = founder.add(group, vec![key_package]).await?;
		let elapsed = start.elapsed();
		latencies.push(elapsed.as_secs_f64() * 1000.0);
		let line =
			EpochLine { epoch: committed.epoch, entry: committed.entry, winner: founder.name(), refused: 0, elapsed };
		screen.epoch(&line, Some(committed.block), &format!("adds {}", member.name()));
		member.joined(group, ADVANCING).await?;
	}
	members.agree(group, &ALL, ADVANCING).await?;
	Ok(group)
}

/// Everybody commits at once; everybody ends in the same epoch.
async fn round(
	members: &Members,
	group: GroupId,
	screen: &mut Screen,
	latencies: &mut Samples,
	won: &mut [usize],
) -> Result<()> {
	let round = members.race(group, &ALL, ADVANCING).await?;
	let winners = round.winners();
	let Some((_, last)) = winners.last() else {
		return Err(Error::Broken("all five committed and none of them won".into()));
	};
	for (attempt, committed) in &winners {
		latencies.push(attempt.elapsed.as_secs_f64() * 1000.0);
		won[attempt.member] += 1;
		let line = EpochLine {
			epoch: committed.epoch,
			entry: committed.entry,
			winner: members[attempt.member].name(),
			refused: round.superseded_by(committed.entry),
			elapsed: attempt.elapsed,
		};
		screen.epoch(&line, Some(committed.block), "");
	}
	members.agree_at(group, &ALL, last.epoch, ADVANCING).await?;
	Ok(())
}

/// The first member removes the last one.
async fn removal(members: &Members, group: GroupId, screen: &mut Screen, latencies: &mut Samples) -> Result<()> {
	let (remover, leaving) = (&members[0], &members[LEAVING]);
	let start = Instant::now();
	let committed = remover.remove(group, leaving.name()).await?;
	let elapsed = start.elapsed();
	latencies.push(elapsed.as_secs_f64() * 1000.0);
	screen.headings();
	let line =
		EpochLine { epoch: committed.epoch, entry: committed.entry, winner: remover.name(), refused: 0, elapsed };
	screen.epoch(&line, Some(committed.block), &format!("removes {}", leaving.name()));
	members.agree_at(group, &STAYING, committed.epoch, ADVANCING).await?;
	leaving.until(group, ADVANCING, "learns of its removal", |chronicle| chronicle.removed).await?;
	Ok(())
}

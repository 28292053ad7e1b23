//! Four validators and five people in lockstep, before your eyes.
//!
//! The people are registered in the directory, one of them with two devices, and found there by identity. All devices commit
//! at once for twenty rounds, in the middle of which one of them gets another key. Then one device is revoked, and one person
//! removed, and they talk. The exit status is 0 only if every two members agree on every epoch, no message between members of
//! an epoch was lost, exactly one member took the revoked device out, and whoever is out read nothing that was sent after.

mod leaving;
mod people;
mod race;
mod screen;
mod verdict;

use clap::Parser;
use leaving::{STAYING, WITHOUT_PHONE};
use lockstep_tests::{deadline::asked_to_end, members::ADVANCING, network::VALIDATORS, Error, Network, Result};
use people::{People, ALL, ELENA, PHONE};
use screen::Screen;
use std::{process::ExitCode, time::Instant};
use verdict::{Tally, Verdict};

const BEFORE: &str = "before the revocation";
const REVOKED: &str = "after the revocation";
const REMOVED: &str = "after the removal";

/// Four validators and five people in lockstep, before your eyes.
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
	let screen = Screen::new();
	let start = Instant::now();
	screen.say(format!("starting the validators {}", VALIDATORS.join(", ")));
	let network = Network::start().await?;
	screen.say(format!("they finalize blocks together, {:.1} s after their start", start.elapsed().as_secs_f64()));

	let mut tally = Tally::default();
	let mut people = People::enroll(&network, &screen).await?;
	let group = people.found(&network, &screen, &mut tally).await?;
	let half = rounds / 2;
	for _ in 0..half {
		race::round(&people, group, &screen, &mut tally).await?;
	}
	race::rotation(&mut people, group, &screen, &mut tally).await?;
	for _ in half..rounds {
		race::round(&people, group, &screen, &mut tally).await?;
	}
	screen.gap();
	people.members.everybody_hears_everybody(group, &ALL, BEFORE).await?;
	screen.say("each device's message was read by the five others, once".into());

	let revoked = leaving::revocation(&people, group, &screen).await?;
	screen.gap();
	people.members.everybody_hears_everybody(group, &WITHOUT_PHONE, REVOKED).await?;
	screen.say("each message without the revoked device was read by the four others, once".into());
	leaving::nobody_else(&people, group, &revoked, &network, &screen).await?;

	leaving::removal(&people, group, &screen, &mut tally).await?;
	screen.gap();
	people.members.everybody_hears_everybody(group, &STAYING, REMOVED).await?;
	// What those who are out could have read has reached their nodes by now: two more blocks are final there.
	for out in [PHONE, ELENA] {
		let node = out % network.size();
		let now = network.rpc(node).await?.finalized().await?;
		network.finalized_past(node, now.saturating_add(1), ADVANCING).await?;
	}
	screen.say("each message of those who stay was read by the three others, once".into());

	let mut verdict = Verdict::new(&people, group, tally);
	verdict.compare(&people.members, group, &STAYING).await?;
	verdict.count_messages(&people.members, group, &ALL, BEFORE);
	verdict.count_messages(&people.members, group, &WITHOUT_PHONE, REVOKED);
	verdict.count_messages(&people.members, group, &STAYING, REMOVED);
	verdict.look_at_removed(&people.members[PHONE], group, &[REVOKED, REMOVED]);
	verdict.look_at_removed(&people.members[ELENA], group, &[REMOVED]);
	people.members.close().await;
	network.finish().await?;
	Ok(verdict)
}

//! Races: members commit all at once, and one of the commits opens the epoch.

use crate::{
	people::{People, ALL, CHIARA, NAMES},
	screen::{EpochLine, Screen},
	verdict::Tally,
};
use lockstep_client::directory::DeviceKeys;
use lockstep_primitives::{BlockNumber, EntryHash, GroupId};
use lockstep_tests::{
	members::{Chronicle, Round, ADVANCING},
	person::broken,
	Error, Result,
};
use std::{pin::pin, time::Duration};

/// Everybody but the one whose device gets another key.
const OTHERS: [usize; 5] = [0, 1, 2, 4, 5];
/// Races of the others meanwhile, at most: then they let the one in whose device it is.
const MEANWHILE: usize = 8;

/// How an epoch was opened.
#[derive(Clone, Copy)]
struct Opening {
	epoch: u64,
	entry: EntryHash,
	block: BlockNumber,
	/// Position of the member whose commit it was.
	winner: usize,
	/// `None` for a commit that nobody called for: the client made it of its own accord.
	elapsed: Option<Duration>,
}

/// Everybody commits at once; everybody ends in the same epoch.
pub async fn round(people: &People, group: GroupId, screen: &Screen, tally: &mut Tally) -> Result<()> {
	let round = people.members.race(group, &ALL, ADVANCING).await?;
	let openings = won(&round);
	let Some(last) = openings.last().map(|opening| opening.epoch) else {
		return Err(broken("all committed and none of them won"));
	};
	show(openings, &[round], screen, tally);
	people.members.agree_at(group, &ALL, last, ADVANCING).await?;
	Ok(())
}

/// One device gets another key while the others go on committing all at once. Its leaf follows by a commit of the client's own
/// accord, which has to win against theirs. Everybody ends in the same epoch, and was told.
pub async fn rotation(people: &mut People, group: GroupId, screen: &Screen, tally: &mut Tally) -> Result<()> {
	let name = NAMES[CHIARA];
	screen.gap();
	screen.say(format!("{name}'s device gets another key, and the others race on"));
	screen.headings();
	let rotated = people.enrolled[CHIARA].device.rotated();
	race_beside(people, group, &rotated, screen, tally).await?;
	people.members.agree(group, &ALL, ADVANCING).await?;
	let whose = people.members[CHIARA].identity();
	for position in OTHERS {
		let told = |seen: &Chronicle| seen.keys_changed.iter().any(|(_, identity)| identity == whose);
		people.members[position].until(group, ADVANCING, "is told of another's key", told).await?;
	}
	screen.gap();
	screen.say(format!("every other member was told that {name} has another key"));
	screen.headings();
	people.enrolled[CHIARA].device = rotated;
	Ok(())
}

/// The others race until the one has gone over to its new key.
async fn race_beside(
	people: &People,
	group: GroupId,
	to: &DeviceKeys,
	screen: &Screen,
	tally: &mut Tally,
) -> Result<()> {
	let mut going_over = pin!(go_over(people, group, to));
	let mut gone_over: Option<Opening> = None;
	let mut rounds = Vec::new();
	while gone_over.is_none() && rounds.len() < MEANWHILE {
		let mut race = pin!(people.members.race(group, &OTHERS, ADVANCING));
		let round = loop {
			tokio::select! {
				round = &mut race => break round?,
				opening = &mut going_over, if gone_over.is_none() => gone_over = Some(opening?),
			}
		};
		let mut openings = won(&round);
		rounds.push(round);
		openings.extend(gone_over);
		show(openings, &rounds, screen, tally);
	}
	if gone_over.is_none() {
		show(vec![going_over.await?], &rounds, screen, tally);
	}
	Ok(())
}

/// The rotation is recorded in the person's log, and the client told of it. The rest it does by itself.
async fn go_over(people: &People, group: GroupId, to: &DeviceKeys) -> Result<Opening> {
	let (member, device) = (&people.members[CHIARA], &people.enrolled[CHIARA]);
	device.record(|author| author.rotate(&device.device, to)).await?;
	let before = member.status(group).await?.epoch;
	let own = |seen: &Chronicle| {
		let mut since = seen.epochs.range(before.saturating_add(1)..);
		since.find(|(_, advance)| advance.own).map(|(epoch, advance)| (*epoch, advance.entry, advance.block))
	};
	member.client().change_signer(to.current.signer()).await.map_err(Error::client(member.name()))?;
	let seen = member.until(group, ADVANCING, "gives its leaf the new key", |seen| own(seen).is_some()).await?;
	let (epoch, entry, block) = own(&seen).ok_or_else(|| broken("a commit was there and is gone"))?;
	Ok(Opening { epoch, entry, block, winner: CHIARA, elapsed: None })
}

/// The attempts that opened an epoch, in the order of the epochs.
fn won(round: &Round) -> Vec<Opening> {
	let winners = round.winners().into_iter();
	let opening = winners.map(|(attempt, committed)| Opening {
		epoch: committed.epoch,
		entry: committed.entry,
		block: committed.block,
		winner: attempt.member,
		elapsed: Some(attempt.elapsed),
	});
	opening.collect()
}

/// A line for each, in the order of the epochs; `rounds` are those in which others may have lost against them.
fn show(mut openings: Vec<Opening>, rounds: &[Round], screen: &Screen, tally: &mut Tally) {
	openings.sort_by_key(|opening| opening.epoch);
	for Opening { epoch, entry, block, winner, elapsed } in openings {
		let refused = rounds.iter().map(|round| round.superseded_by(entry)).sum();
		let mut note = "";
		match elapsed {
			Some(elapsed) => {
				tally.latencies.push(elapsed.as_secs_f64() * 1000.0);
				tally.won[winner] += 1;
			}
			None => note = "the leaf goes over to the new key, by itself",
		}
		let line = EpochLine { epoch, entry, winner: NAMES[winner], refused, elapsed };
		screen.epoch(&line, Some(block), note);
	}
}

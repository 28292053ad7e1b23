//! Who goes: a device that its person revokes, and a person whom a member removes.

use crate::{
	people::{People, ALL, BORIS, ELENA, FOUNDER, NAMES, PHONE},
	screen::{EpochLine, Screen},
	verdict::Tally,
};
use lockstep_primitives::GroupId;
use lockstep_tests::{
	members::{Advance, ADVANCING},
	person::broken,
	within, Error, Network, Result,
};
use std::time::{Duration, Instant};

/// Positions of the members without the device that was revoked,
pub const WITHOUT_PHONE: [usize; 5] = [0, 1, 3, 4, 5];
/// and of those who are there in the end.
pub const STAYING: [usize; 4] = [0, 1, 3, 4];

/// For the members to hear of a revocation, and to take the leaf out.
const RETIRING: Duration = Duration::from_secs(120);
/// Blocks in which each other member would have had its turn to take the leaf out.
const TURNS: u32 = 24;

/// A commit that members make of their own accord.
pub struct ByItself {
	epoch: u64,
	advance: Advance,
}

/// A device is revoked, in its person's log and nowhere else. One member takes out the leaf, and the device is out.
pub async fn revocation(people: &People, group: GroupId, screen: &Screen) -> Result<ByItself> {
	let (boris, phone) = (&people.enrolled[BORIS], people.enrolled[PHONE].device.current.key());
	let before = people.members.agree(group, &ALL, ADVANCING).await?.epoch;
	boris.record(|author| author.revoke_device(&boris.device, phone)).await?;
	screen.say(format!("{} revoked {} in his log; no member is asked to do anything", NAMES[BORIS], NAMES[PHONE]));
	let (mut by, mut found) = (Vec::new(), None);
	for position in WITHOUT_PHONE {
		let (member, mut gone) = (&people.members[position], None);
		let seen = member.until(group, RETIRING, "sees a revoked device go", |seen| {
			gone = seen.devices_removed.iter().find(|(_, key)| *key == phone.0).map(|(epoch, _)| *epoch);
			gone.is_some()
		});
		let seen = seen.await?;
		let advance = gone.and_then(|epoch| Some((epoch, seen.epochs.get(&epoch)?.clone())));
		let (epoch, advance) = advance.ok_or_else(|| broken("a device went in no epoch"))?;
		if epoch != before.saturating_add(1) {
			let name = member.name();
			return Err(broken(format!("{name} saw the device go in epoch {epoch}, not right after {before}")));
		}
		if advance.own {
			by.push(member.name());
		}
		found = Some(ByItself { epoch, advance });
	}
	let (&[winner], Some(done)) = (&by[..], found) else {
		return Err(broken(format!("not one member has taken the revoked device out, but {by:?}")));
	};
	screen.headings();
	let line = EpochLine { epoch: done.epoch, entry: done.advance.entry, winner, refused: 0, elapsed: None };
	screen.epoch(&line, Some(done.advance.block), &format!("takes out {}, by itself", NAMES[PHONE]));
	let (who, what) = (&people.members[PHONE], "learns that it was revoked");
	who.until(group, ADVANCING, what, |seen| seen.removed).await?;
	Ok(done)
}

/// Every other member would have had its turn by now, and none has made use of it.
pub async fn nobody_else(
	people: &People,
	group: GroupId,
	done: &ByItself,
	network: &Network,
	screen: &Screen,
) -> Result<()> {
	network.finalized_past(0, done.advance.block.saturating_add(TURNS), ADVANCING).await?;
	let agreed = people.members.agree(group, &WITHOUT_PHONE, ADVANCING).await?;
	if (agreed.epoch, agreed.entry) != (done.epoch, done.advance.entry) {
		return Err(broken(format!("somebody committed epoch {} after the device was out", agreed.epoch)));
	}
	screen.say(format!("{TURNS} blocks later nobody else has committed anything for it"));
	Ok(())
}

/// The founder removes a person.
pub async fn removal(people: &People, group: GroupId, screen: &Screen, tally: &mut Tally) -> Result<()> {
	let (remover, leaving) = (&people.members[FOUNDER], &people.members[ELENA]);
	let start = Instant::now();
	let removing = remover.client().remove(group, vec![leaving.identity().to_vec()]);
	let committed = within(ADVANCING, format!("{} to be removed", leaving.name()), removing).await?;
	let committed = committed.map_err(Error::client(remover.name()))?;
	let elapsed = start.elapsed();
	tally.latencies.push(elapsed.as_secs_f64() * 1000.0);
	screen.headings();
	let (epoch, entry) = (committed.epoch, committed.entry);
	let line = EpochLine { epoch, entry, winner: remover.name(), refused: 0, elapsed: Some(elapsed) };
	screen.epoch(&line, Some(committed.block), &format!("removes {}", leaving.name()));
	people.members.agree_at(group, &STAYING, epoch, ADVANCING).await?;
	leaving.until(group, ADVANCING, "learns of its removal", |seen| seen.removed).await?;
	Ok(())
}

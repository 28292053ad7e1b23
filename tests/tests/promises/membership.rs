//! Members that go away: for a while, and for good.

use lockstep_client::MAX_MESSAGE;
use lockstep_primitives::GroupId;
use lockstep_tests::{
	members::{Place, ADVANCING, HEARING},
	Member, Members, Network, Result,
};

pub async fn a_member_that_was_away_catches_up(network: &Network) -> Result<()> {
	let members = Members::open(network, &["anna", "boris"]).await?;
	let [anna, boris] = [&members[0], &members[1]];
	let group = members.found().await?;
	let zoe = members.invite(group, "zoe", network.url(2)).await?;
	anna.send(group, b"while you are here".to_vec()).await?;
	zoe.heard(group, b"while you are here", "anna", HEARING).await?;

	let place = zoe.close().await;
	for member in [anna, boris, anna] {
		member.update(group).await?;
	}
	boris.send(group, b"while you are away".to_vec()).await?;
	let agreement = members.agree(group, &[0, 1], ADVANCING).await?;
	let epoch = agreement.epoch;

	let zoe = Member::open(place).await?;
	zoe.reached(group, epoch, ADVANCING).await?;
	let status = zoe.status(group).await?;
	assert_eq!((status.entry, status.epoch_authenticator), (agreement.entry, agreement.authenticator));
	zoe.heard(group, b"while you are away", "boris", HEARING).await?;
	assert_eq!(zoe.chronicle(group).times_heard(b"while you are here", b"anna"), 0, "a message was reported twice");
	zoe.send(group, b"back again".to_vec()).await?;
	anna.heard(group, b"back again", "zoe", HEARING).await?;
	zoe.update(group).await?;
	members.agree_at(group, &[0, 1], epoch + 1, ADVANCING).await?;
	zoe.close().await;
	members.close().await;
	Ok(())
}

/// An epoch's key may store 4 MiB. The nodes would make room by displacing what is stored; whoever was away would not get it.
pub async fn more_is_said_than_fits_into_one_epoch(network: &Network) -> Result<()> {
	let members = Members::open_on(network, &["anna", "boris"], &[0, 0]).await?;
	let [anna, boris] = [&members[0], &members[1]];
	let group = members.found().await?;
	let zoe = members.invite(group, "zoe", network.url(0)).await?;
	let epoch = anna.status(group).await?.epoch;
	let place = zoe.close().await;

	let said: Vec<Vec<u8>> = (0..140).map(|number| vec![number; 32 * 1024]).collect();
	for data in &said {
		anna.send(group, data.clone()).await?;
	}
	for data in &said {
		boris.heard(group, data, "anna", HEARING).await?;
	}
	// She renewed her keys to make room.
	anna.reached(group, epoch + 1, ADVANCING).await?;

	reads_all(place, group, &said, boris).await?;
	members.close().await;
	Ok(())
}

/// Who was away reads all that Anna said, once, as somebody did who was there.
async fn reads_all(away: Place, group: GroupId, said: &[Vec<u8>], there: &Member) -> Result<()> {
	let back = Member::open(away).await?;
	for data in said {
		back.heard(group, data, "anna", HEARING).await?;
		let times = [there, &back].map(|member| member.chronicle(group).times_heard(data, b"anna"));
		assert_eq!(times, [1, 1], "message {}", data[0]);
	}
	back.close().await;
	Ok(())
}

/// Four of them fill an epoch; they reach whoever was away at another node.
pub async fn the_largest_messages_reach_everybody(network: &Network) -> Result<()> {
	let members = Members::open_on(network, &["anna", "boris"], &[0, 1]).await?;
	let [anna, boris] = [&members[0], &members[1]];
	let group = members.found().await?;
	let zoe = members.invite(group, "zoe", network.url(2)).await?;
	let place = zoe.close().await;
	let said: Vec<Vec<u8>> = (0..9).map(|number| vec![number; MAX_MESSAGE]).collect();
	for data in &said {
		anna.send(group, data.clone()).await?;
	}
	for data in &said {
		boris.heard(group, data, "anna", HEARING).await?;
	}
	reads_all(place, group, &said, boris).await?;
	members.close().await;
	Ok(())
}

pub async fn a_member_leaves_and_another_commits_it(network: &Network) -> Result<()> {
	let members = Members::open(network, &["anna", "boris", "chiara", "dmitri"]).await?;
	let staying = [0, 1, 2];
	let group = members.found().await?;
	let epoch = members[0].status(group).await?.epoch;
	let dmitri = &members[3];
	dmitri.leave(group).await?;
	let chronicle = dmitri.until(group, ADVANCING, "is removed", |seen| seen.removed).await?;
	assert_eq!(chronicle.desynchronized, None);
	// Everybody saw the proposal, and one commit was enough.
	members.agree_at(group, &staying, epoch + 1, ADVANCING).await?;
	for position in staying {
		let names = members[position].status(group).await?.members;
		assert!(!names.contains(&b"dmitri".to_vec()), "{} still counts him in", members[position].name());
	}
	members.everybody_hears_everybody(group, &staying, "he is gone").await?;
	assert!(dmitri.chronicle(group).heard.is_empty());
	members[1].update(group).await?;
	members.agree_at(group, &staying, epoch + 2, ADVANCING).await?;
	members.one_history(group)?;
	members.close().await;
	Ok(())
}

//! About messages: those that come to nothing, and those that come twice.

use super::Stage;
use crate::{
	crashes::{founding::dies, unexpected, Lives},
	liar::{Liar, Lies},
	remote::{Answer, Request},
	write_kinds::WriteKind,
	Error, Network, Result,
};
use lockstep_client::WritePoint;
use lockstep_primitives::GroupId;
use serde_json::json;
use std::path::Path;

/// What hands a message to a node.
const SUBMIT: &str = "statement_submit";

/// Plays all of them; gives the lives of those who died.
pub(super) async fn play(network: &Network, folder: &Path) -> Result<Vec<Lives>> {
	let (first, second) =
		futures::try_join!(a_message_is_given_up(network, folder), a_message_comes_twice(network, folder),)?;
	Ok(vec![first, second])
}

/// It is removed before a node has taken what it said.
async fn a_message_is_given_up(network: &Network, folder: &Path) -> Result<Lives> {
	let liar = Liar::start(&network.url(0)).await?;
	let mut stage = Stage::new(network, folder, &["iris"], "lars", liar.url.clone()).await?;
	let (group, text) = (stage.group, "does anybody hear me?");
	liar.tell(Lies { refuse: Some(SUBMIT), ..Lies::default() });
	stage.says(Request::Send { group, text: text.into() }).await?;
	stage.members[0].remove(group, "lars").await?;
	stage.dies(WriteKind::GivenUp, None).await?;
	liar.tell(Lies::default());
	let given_up = |answer| match answer {
		Answer::Undelivered { texts } => Ok(texts),
		_ => Err(unexpected("lars")),
	};
	for (side, left) in WritePoint::ALL.into_iter().zip([true, false]) {
		if given_up(stage.says(Request::Undelivered).await?)? != [text] {
			return Err(Error::Broken("a message that was given up is not there once".into()));
		}
		dies(&mut stage.lives, WriteKind::Dismissed, side, Some(Request::Dismiss)).await?;
		if given_up(stage.says(Request::Undelivered).await?)?.is_empty() == left {
			return Err(Error::Broken(format!("what was given up is there {left}, which it should not be")));
		}
	}
	Ok(stage.end().await)
}

/// A node has taken a message and says that it has not, so that its sender says it again in the next epoch.
async fn a_message_comes_twice(network: &Network, folder: &Path) -> Result<Lives> {
	let liar = Liar::start(&network.url(1)).await?;
	let mut stage = Stage::new(network, folder, &["jens"], "mona", network.url(2)).await?;
	let (group, text) = (stage.group, "can you hear me?");
	let speaker = stage.members.invite(group, "nils", liar.url.clone()).await?;
	stage.catches_up().await?;
	liar.tell(Lies {
		answer: Some(Box::new(|method, answer| {
			if method == SUBMIT {
				*answer = json!({ "status": "internalError", "error": "none that is" });
			}
		})),
		..Lies::default()
	});
	speaker.send(group, text.into()).await?;
	stage.says(hearing(group, text)).await?;
	stage.members[0].update(group).await?;
	stage.dies(WriteKind::UsedUp, None).await?;
	stage.catches_up().await?;
	let Answer::Unread { messages } = stage.says(Request::Unread).await? else { return Err(unexpected("mona")) };
	let heard: Vec<_> = messages.iter().map(|(_, sender, text)| (sender.as_str(), text.as_str())).collect();
	if heard != [("nils", text)] {
		return Err(Error::Broken(format!("what was said twice was read as {heard:?}")));
	}
	speaker.close().await;
	Ok(stage.end().await)
}

fn hearing(group: GroupId, text: &str) -> Request {
	Request::Hear { group, sender: "nils".into(), text: text.into() }
}

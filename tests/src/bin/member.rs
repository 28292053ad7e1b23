//! A member as a process: requests in, answers out, a line of JSON each; see `lockstep_tests::remote`.

use clap::Parser;
use lockstep_primitives::GroupId;
use lockstep_tests::{
	members::{Place, ADVANCING, HEARING, JOINING},
	remote::{Answer, Request},
	Error, Member, Result,
};
use std::{
	path::PathBuf,
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
	/// The node it uses
	#[arg(long)]
	node: String,
}

#[tokio::main]
async fn main() -> Result<()> {
	let Arguments { name, folder, node } = Arguments::parse();
	let member = Member::open(Place { name, folder, nodes: vec![node] }).await?;
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

fn failure(error: impl std::fmt::Display) -> Answer {
	Answer::Failed { reason: error.to_string() }
}

async fn fulfil(member: &Member, request: Request) -> Result<Answer> {
	Ok(match request {
		Request::Clock => {
			let since = SystemTime::now().duration_since(UNIX_EPOCH);
			Answer::Clock { unix: since.map_or(0, |since| since.as_secs()) }
		}
		Request::KeyPackage => Answer::KeyPackage { bytes: hex::encode(member.key_package().await?) },
		Request::Reach { group, epoch } => {
			member.joined(group, JOINING).await?;
			member.reached(group, epoch, ADVANCING).await?;
			status(member, group).await?
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

async fn status(member: &Member, group: GroupId) -> Result<Answer> {
	let status = member.status(group).await?;
	let authenticator = hex::encode(status.epoch_authenticator);
	Ok(Answer::Status { epoch: status.epoch, entry: status.entry, authenticator })
}

//! `lockstep identity`.

pub mod backup;
mod close;
mod find;
mod list;
pub mod make;
mod new;
pub mod news;
mod nodes;
mod operator;
mod passphrase;
mod proof;
mod recover;
mod recovery;
pub mod register;
mod restore;
mod safety_number;
mod show;

use crate::{failure::Failure, globals::Globals, output::Out, profile::Profile, secret::Secret};
use clap::Subcommand;
use serde_json::{json, Value};

/// Makes and shows profiles, an identity each; registers people, and finds them
#[derive(Subcommand)]
pub enum Identity {
	New(new::New),
	List(list::List),
	Show(show::Show),
	Register(register::Register),
	Find(find::Find),
	News(news::News),
	SafetyNumber(safety_number::ShowSafetyNumber),
	Recover(recover::Recover),
	Operator(operator::SetOperator),
	Close(close::Close),
	Export(proof::Export),
	Verify(proof::Verify),
	Nodes(nodes::Nodes),
	Passphrase(passphrase::ChangePassphrase),
	Backup(backup::MakeBackup),
	Restore(restore::Restore),
}

impl Identity {
	pub async fn run(self, globals: &Globals, out: &Out) -> Result<(), Failure> {
		match self {
			Self::New(command) => command.run(globals, out).await,
			Self::List(command) => command.run(out),
			Self::Show(command) => command.run(globals, out).await,
			Self::Register(command) => command.run(globals, out).await,
			Self::Find(command) => command.run(globals, out).await,
			// It needs an open client.
			Self::News(_) => Ok(()),
			Self::SafetyNumber(command) => command.run(globals, out),
			Self::Recover(command) => command.run(globals, out).await,
			Self::Operator(command) => command.run(globals, out).await,
			Self::Close(command) => command.run(globals, out).await,
			Self::Export(command) => command.run(globals, out).await,
			Self::Verify(command) => command.run(out),
			Self::Nodes(command) => command.run(globals, out),
			Self::Passphrase(command) => command.run(globals, out),
			Self::Backup(command) => command.run(globals, out).await,
			Self::Restore(command) => command.run(globals, out),
		}
	}
}

/// A profile for programs.
fn json(profile: &Profile) -> Value {
	let facts = profile.facts();
	json!({
		"profile": profile.name(),
		"folder": profile.folder(),
		"identity": facts.member(),
		"name": facts.identity,
		"person": facts.person,
		"nodes": facts.nodes,
		"genesis": facts.genesis,
		"sponsor": facts.sponsor,
		"passphrase": Secret::takes_passphrase(&profile.secret()).ok(),
	})
}

/// A profile for people.
fn text(profile: &Profile) -> String {
	let facts = profile.facts();
	let genesis = facts.genesis.map_or("that of the first node it meets".to_owned(), |genesis| genesis.to_string());
	let secret = match Secret::takes_passphrase(&profile.secret()) {
		Ok(true) => "sealed under a passphrase",
		Ok(false) => "IN THE CLEAR",
		Err(_) => "cannot be read",
	};
	let identity = match (facts.person, facts.member()) {
		(None, _) => facts.identity.clone(),
		(_, Some(member)) => format!("{member}, here called {}", facts.identity),
		(_, None) => format!("none yet, here called {}", facts.identity),
	};
	format!(
		"identity  {identity}\nfolder    {}\nnodes     {}\nchain     {genesis}\nsponsor   {}\nsecret    {secret}",
		profile.folder().display(),
		facts.nodes.join(", "),
		facts.sponsor.as_deref().unwrap_or("none"),
	)
}

/// The URL of a node on the command line.
pub fn node_url(text: &str) -> Result<String, String> {
	match text.starts_with("ws://") || text.starts_with("wss://") {
		true => Ok(text.to_owned()),
		false => Err("the URL of a node begins with ws:// or wss://".to_owned()),
	}
}

//! `lockstep status`.

use crate::{failure::Failure, happened::Happened, job::Job, name, session::Session};
use clap::Args;
use lockstep_client::{AuthenticationService, GroupId, GroupState, GroupStatus};
use serde::{Deserialize, Serialize};

/// Who this is, and where it stands in its groups; asks no node
#[derive(Args, Clone, Debug, Default, Serialize, Deserialize)]
pub struct Status {}

/// What `status` shows.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Overview {
	pub profile: String,
	pub identity: String,
	pub nodes: Vec<String>,
	pub genesis: Option<lockstep_client::GenesisHash>,
	/// Messages and events that were not read.
	pub unread: usize,
	pub groups: Vec<GroupView>,
	/// What nodes were caught with.
	pub lies: Vec<LieView>,
}

/// A lie of a node.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct LieView {
	pub node: String,
	pub lie: String,
}

/// Where the client stands in a group.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct GroupView {
	pub group: GroupId,
	/// `active`, `removed`, `replaced`, `returning`, `not_readmitted`, `desynchronized`, `closed`, `halted` or `unknown`.
	pub state: String,
	/// Why, if it is not active and more is known than that.
	#[serde(default, skip_serializing_if = "Option::is_none")]
	pub reason: Option<String>,
	/// Whether its members are people of the directory.
	#[serde(default)]
	pub people: bool,
	/// What the group is called; may be empty.
	#[serde(default)]
	pub name: String,
	pub epoch: u64,
	pub entry: lockstep_client::EntryHash,
	pub log_length: u64,
	pub members: Vec<String>,
	/// Of the epoch (RFC 9420 section 8.7): the same for two members exactly if their states are.
	pub authenticator: String,
	/// The newest finalized block that the client has heard of since it was opened.
	pub finalized: u64,
	pub contested: bool,
	/// Statements, messages among them, that no node has taken yet.
	#[serde(default)]
	pub unposted: usize,
}

impl From<GroupStatus> for GroupView {
	fn from(status: GroupStatus) -> Self {
		Self {
			group: status.group,
			state: state(status.state).to_owned(),
			reason: None,
			people: status.data.authentication == AuthenticationService::Directory,
			name: status.data.name,
			epoch: status.epoch,
			entry: status.entry,
			log_length: status.log_length,
			members: status.members.iter().map(|member| name::show(member)).collect(),
			authenticator: hex::encode(status.epoch_authenticator),
			finalized: status.finalized.into(),
			contested: status.contested,
			unposted: status.unposted,
		}
	}
}

impl GroupView {
	/// On one line.
	pub fn line(&self) -> String {
		let Self { group, state, epoch, members, .. } = self;
		let name = if self.name.is_empty() { String::new() } else { format!("  {:?}", name::printable(&self.name)) };
		format!("{group}  {state}, epoch {epoch}, {} members{name}", members.len())
	}

	/// In full.
	pub fn text(&self) -> String {
		let contested = if self.contested { ", contested" } else { "" };
		format!(
			"group          {}\nname           {}\nstate          {}\nepoch          {}\nentry          {}\nlog            {} entries{contested}\n\
			authenticator  {}\nmembers        {}{}",
			self.group,
			name::printable(&self.name),
			self.state,
			self.epoch,
			self.entry,
			self.log_length,
			self.authenticator,
			self.members.join(", "),
			if self.people { ", people of the directory" } else { "" },
		)
	}
}

fn state(state: GroupState) -> &'static str {
	match state {
		GroupState::Active => "active",
		GroupState::Removed => "removed",
		GroupState::Replaced => "replaced",
		GroupState::Returning => "returning",
		GroupState::NotReadmitted => "not_readmitted",
		GroupState::Desynchronized => "desynchronized",
		GroupState::Closed => "closed",
		GroupState::Halted => "halted",
		_ => "unknown",
	}
}

/// Where a client stands in all its groups.
pub async fn groups(session: &Session) -> Vec<GroupView> {
	let mut views = Vec::new();
	for group in session.client().groups().await {
		views.push(match session.client().group(group).await {
			Ok(status) => status.into(),
			Err(error) => GroupView {
				group,
				state: "halted".to_owned(),
				reason: Some(error.to_string()),
				people: false,
				name: String::new(),
				epoch: 0,
				entry: lockstep_client::EntryHash([0; 32]),
				log_length: 0,
				members: Vec::new(),
				authenticator: String::new(),
				finalized: 0,
				contested: false,
				unposted: 0,
			},
		});
	}
	views
}

impl Status {
	pub async fn run(&self, job: &Job<'_>) -> Result<(), Failure> {
		let overview = overview(job).await;
		let Overview { profile, identity, nodes, genesis, unread, groups, lies } = &overview;
		let genesis = genesis.map_or("not known yet".to_owned(), |genesis| genesis.to_string());
		let mut text = format!(
			"profile   {profile}\nidentity  {identity}\nnodes     {}\nchain     {genesis}\nunread    {unread}\n",
			nodes.join(", ")
		);
		for group in groups {
			text.push_str(&group.line());
			text.push('\n');
		}
		for LieView { node, lie } in lies {
			text.push_str(&format!("node {node} lied: {}\n", name::printable(lie)));
		}
		job.out.result(&text, &overview)
	}
}

/// How many records belong to conversations and were not shown.
fn unread(session: &Session) -> usize {
	let marks = session.marks();
	let records = session.history().since(0);
	let is_unread = |number: usize, happened: &Happened| {
		happened.is_conversation() && happened.group().is_some_and(|group| number >= marks.of(&group))
	};
	records.iter().enumerate().filter(|(number, record)| is_unread(*number, &record.happened)).count()
}

async fn overview(job: &Job<'_>) -> Overview {
	let session = job.session;
	let facts = session.profile().facts();
	let lies = session.client().evidence().await.unwrap_or_default();
	let unread = unread(session);
	Overview {
		profile: session.profile().name().to_owned(),
		identity: facts.member().unwrap_or_default(),
		nodes: facts.nodes.clone(),
		genesis: facts.genesis,
		unread,
		groups: groups(session).await,
		lies: lies.into_iter().map(|evidence| LieView { node: evidence.node, lie: evidence.lie }).collect(),
	}
}

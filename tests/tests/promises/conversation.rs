//! The conversation of `docs/cli.md`, typed into two terminals: the program `lockstep`, as its users have it.

use lockstep_tests::{programs, within, Error, Network, Result};
use std::{
	path::{Path, PathBuf},
	process::Stdio,
	time::Duration,
};
use tokio::{
	io::{AsyncBufReadExt, AsyncWriteExt, BufReader, Lines},
	process::{Child, ChildStdin, ChildStdout, Command},
};

/// For one command, and for a line to appear in the other terminal.
const PATIENCE: Duration = Duration::from_secs(60);

/// A machine with its profiles.
pub struct Machine {
	folder: tempfile::TempDir,
	program: PathBuf,
}

impl Machine {
	pub fn new() -> Result<Self> {
		let folder = tempfile::tempdir().map_err(Error::io("making a folder for profiles"))?;
		Ok(Self { folder, program: programs::lockstep()? })
	}

	fn path(&self) -> &Path {
		self.folder.path()
	}

	fn command(&self, arguments: &[&str]) -> Command {
		let mut command = Command::new(&self.program);
		command.args(arguments).current_dir(self.path()).kill_on_drop(true);
		for name in ["LOCKSTEP_PROFILE", "LOCKSTEP_PASSPHRASE", "LOCKSTEP_PASSPHRASE_FILE", "LOCKSTEP_LOG"] {
			command.env_remove(name);
		}
		command.env("XDG_DATA_HOME", self.path()).env("HOME", self.path());
		command
	}

	/// Runs a command to its end; gives what it printed.
	pub async fn run(&self, arguments: &[&str]) -> Result<String> {
		let what = format!("lockstep {}", arguments.join(" "));
		let output = within(PATIENCE, what.clone(), self.command(arguments).stdin(Stdio::null()).output()).await?;
		let output = output.map_err(Error::io(what.clone()))?;
		if !output.status.success() {
			return Err(Error::Broken(format!("{what}: {}", String::from_utf8_lossy(&output.stderr))));
		}
		Ok(String::from_utf8_lossy(&output.stdout).trim().to_owned())
	}

	/// A new identity, whose groups Alice pays for.
	async fn identity(&self, name: &str, url: &str) -> Result<()> {
		self.run(&["identity", "new", name, "--dev", "--insecure-no-passphrase", "--node", url]).await.map(drop)
	}

	/// A terminal in which somebody chats.
	pub fn chat(&self, profile: &str) -> Result<Terminal> {
		self.terminal(&["--profile", profile, "chat"])
	}

	/// Waits until a member reads this in a group. Nodes may take a second to pass it on.
	async fn reads(&self, profile: &str, group: &str, wanted: &str) -> Result<()> {
		let mut terminal = self.terminal(&["--profile", profile, "read", "--follow", group])?;
		terminal.shows(wanted).await?;
		terminal.kill().await
	}

	fn terminal(&self, arguments: &[&str]) -> Result<Terminal> {
		let mut command = self.command(arguments);
		command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null());
		let mut child = command.spawn().map_err(Error::io("starting a chat"))?;
		let gone = || Error::Broken("a chat has no terminal".into());
		let keyboard = child.stdin.take().ok_or_else(gone)?;
		let screen = BufReader::new(child.stdout.take().ok_or_else(gone)?).lines();
		Ok(Terminal { child, keyboard, screen, shown: Vec::new() })
	}
}

/// A chat, and what it has shown.
pub struct Terminal {
	child: Child,
	keyboard: ChildStdin,
	screen: Lines<BufReader<ChildStdout>>,
	shown: Vec<String>,
}

impl Terminal {
	pub async fn types(&mut self, line: &str) -> Result<()> {
		let typed = format!("{line}\n");
		self.keyboard.write_all(typed.as_bytes()).await.map_err(Error::io("typing into a chat"))?;
		self.keyboard.flush().await.map_err(Error::io("typing into a chat"))
	}

	/// Waits until a line with this in it is shown.
	pub async fn shows(&mut self, wanted: &str) -> Result<()> {
		let reading = async {
			while let Some(line) = self.screen.next_line().await.map_err(Error::io("reading a chat"))? {
				let found = line.contains(wanted);
				self.shown.push(line);
				if found {
					return Ok(());
				}
			}
			Err(Error::Broken(format!("the chat ended before it showed {wanted:?}: {:?}", self.shown)))
		};
		within(PATIENCE, format!("{wanted:?} in a terminal"), reading).await?
	}

	/// `kill -9`.
	async fn kill(mut self) -> Result<()> {
		self.child.kill().await.map_err(Error::io("killing a chat"))
	}

	pub async fn quits(mut self) -> Result<()> {
		self.types("/quit").await?;
		let ended =
			within(PATIENCE, "the end of a chat", self.child.wait()).await?.map_err(Error::io("ending a chat"))?;
		if ended.success() {
			Ok(())
		} else {
			Err(Error::Broken(format!("a chat ended with {ended}")))
		}
	}
}

pub async fn two_people_talk_in_two_terminals(network: &Network) -> Result<()> {
	let machine = Machine::new()?;
	machine.identity("anna", &network.url(0)).await?;
	machine.identity("bert", &network.url(1)).await?;
	machine.run(&["--profile", "bert", "key-package", "--out", "bert.kp"]).await?;
	let group = machine.run(&["--profile", "anna", "group", "create", "--name", "two of us"]).await?;
	machine.run(&["--profile", "anna", "group", "add", &group, "bert.kp"]).await?;

	let mut anna = machine.chat("anna")?;
	let mut bert = machine.chat("bert")?;
	bert.shows("joined in epoch 1").await?;
	anna.types("hello bert").await?;
	bert.shows("anna: hello bert").await?;
	bert.types("hello anna").await?;
	anna.shows("bert: hello anna").await?;
	bert.types("/rotate").await?;
	anna.shows("bert has another signature key from epoch 2 on").await?;
	bert.shows("epoch 2").await?;

	bert.kill().await?;
	anna.types("are you there?").await?;
	anna.types("/update").await?;
	anna.shows("epoch 3").await?;
	anna.types("/update").await?;
	anna.shows("epoch 4").await?;
	let mut bert = machine.chat("bert")?;
	bert.shows("anna: are you there?").await?;
	bert.shows("epoch 4").await?;
	bert.types("here again").await?;
	anna.shows("bert: here again").await?;
	bert.quits().await?;
	anna.quits().await?;

	// The same without a keyboard.
	machine.run(&["--profile", "anna", "send", &group, "and now by command"]).await?;
	machine.reads("bert", &group, "anna: and now by command").await?;
	machine.run(&["--profile", "bert", "group", "rename", &group, "still two"]).await?;
	let shown = machine.run(&["--profile", "anna", "group", "show", &group]).await?;
	if !shown.contains("still two") {
		return Err(Error::Broken(format!("anna sees {shown:?}")));
	}
	machine.run(&["--profile", "anna", "doctor"]).await.map(drop)
}

/// Bert's store is gone, and nothing but his secret is left.
pub async fn who_lost_its_store_is_readmitted(network: &Network) -> Result<()> {
	let machine = Machine::new()?;
	machine.identity("anna", &network.url(2)).await?;
	machine.identity("bert", &network.url(3)).await?;
	machine.run(&["--profile", "bert", "key-package", "--out", "bert.kp"]).await?;
	let group = machine.run(&["--profile", "anna", "group", "create"]).await?;
	machine.run(&["--profile", "anna", "group", "add", &group, "bert.kp"]).await?;
	machine.run(&["--profile", "bert", "join", &group]).await?;

	let store = machine.path().join("lockstep").join("bert").join("store");
	std::fs::remove_dir_all(&store).map_err(Error::io("losing a store"))?;
	machine.run(&["--profile", "bert", "group", "rejoin", &group, "--out", "bert.request"]).await?;
	machine.run(&["--profile", "anna", "group", "readmit", &group, "bert.request"]).await?;
	machine.run(&["--profile", "bert", "join", &group]).await?;
	machine.run(&["--profile", "bert", "send", &group, "back"]).await?;
	machine.reads("anna", &group, "bert: back").await
}

/// Bert's device is lost while he chats, and he has a backup. Later the old device turns up again.
pub async fn who_lost_its_device_comes_back_from_a_backup(network: &Network) -> Result<()> {
	let machine = Machine::new()?;
	machine.identity("anna", &network.url(1)).await?;
	machine.identity("bert", &network.url(2)).await?;
	machine.run(&["--profile", "bert", "key-package", "--out", "bert.kp"]).await?;
	let group = machine.run(&["--profile", "anna", "group", "create"]).await?;
	machine.run(&["--profile", "anna", "group", "add", &group, "bert.kp"]).await?;
	let mut anna = machine.chat("anna")?;
	let mut bert = machine.chat("bert")?;
	bert.types("before").await?;
	anna.shows("bert: before").await?;
	// Beside the chat, which is in another epoch by the time that the backup is needed.
	machine.run(&["--profile", "bert", "identity", "backup", "bert.backup", "--insecure-no-passphrase"]).await?;
	bert.types("/update").await?;
	anna.shows("epoch 2").await?;
	bert.kill().await?;
	let profiles = machine.path().join("lockstep");
	std::fs::rename(profiles.join("bert"), profiles.join("lost")).map_err(Error::io("losing a device"))?;

	// Anna's chat lets him in.
	machine.run(&["identity", "restore", "found", "bert.backup", "--insecure-no-passphrase"]).await?;
	machine.run(&["--profile", "found", "join", &group]).await?;
	machine.run(&["--profile", "found", "send", &group, "back"]).await?;
	anna.shows("bert: back").await?;

	let mut old = machine.terminal(&["--profile", "lost", "read", "--follow", &group])?;
	old.shows("another device of this identity").await?;
	old.kill().await?;
	anna.types("who is there?").await?;
	machine.reads("found", &group, "anna: who is there?").await?;
	let shown = machine.run(&["--profile", "lost", "group", "show", &group]).await?;
	if !shown.contains("replaced") || shown.contains("who is there") {
		return Err(Error::Broken(format!("the old device is in: {shown:?}")));
	}
	let shown = machine.run(&["--profile", "found", "group", "show", &group]).await?;
	if !shown.contains("active") {
		return Err(Error::Broken(format!("the new device is out: {shown:?}")));
	}
	anna.quits().await
}

/// The second group finds the voucher spent, and the command ends as one that the chain refused.
pub async fn a_group_is_paid_for_by_a_voucher_once(network: &Network) -> Result<()> {
	let machine = Machine::new()?;
	let url = network.url(2);
	machine.identity("dora", &url).await?;
	let issue = ["voucher", "issue", "create-group", "--node", &url, "--sponsor", "alice", "--out", "voucher"];
	machine.run(&issue).await?;
	let shown = machine.run(&["voucher", "show", "voucher"]).await?;
	assert!(shown.starts_with("create-group, paid by 88dc3417"), "{shown}");
	let create = ["--profile", "dora", "--json", "group", "create", "--voucher", "voucher"];
	let created = machine.run(&create).await?;
	assert!(created.contains("\"group\""), "{created}");
	let again = within(PATIENCE, "a second group", machine.command(&create).stdin(Stdio::null()).output()).await?;
	let again = again.map_err(Error::io("creating a second group"))?;
	assert_eq!(again.status.code(), Some(5), "{}", String::from_utf8_lossy(&again.stderr));
	Ok(())
}

//! What `docs/cli.md` says of people: found by their ids, with several devices, and a way back.

use super::conversation::Machine;
use lockstep_tests::{Error, Network, Result};
use serde_json::Value;

impl Machine {
	/// A voucher in a file of this name.
	async fn voucher(&self, kind: &str, url: &str, file: &str) -> Result<()> {
		self.run(&["voucher", "issue", kind, "--sponsor", "alice", "--node", url, "--out", file]).await.map(drop)
	}

	/// A person, registered by a voucher; gives the id.
	async fn person(&self, name: &str, url: &str) -> Result<String> {
		let (voucher, recovery) = (format!("{name}.voucher"), format!("{name}.recovery"));
		self.voucher("register", url, &voucher).await?;
		let arguments = ["identity", "new", name, "--register", "--voucher", &voucher, "--recovery-file", &recovery];
		let shown =
			self.json(&[&arguments[..], &["--dev", "--insecure-no-passphrase", "--node", url]].concat()).await?;
		string(&shown, "/person/id")
	}

	async fn json(&self, arguments: &[&str]) -> Result<Value> {
		let printed = self.run(&[&["--json"], arguments].concat()).await?;
		serde_json::from_str(&printed).map_err(|error| Error::Broken(format!("{error}: {printed}")))
	}

	/// A command that has to end with this kind of error.
	async fn fails(&self, kind: &str, arguments: &[&str]) -> Result<()> {
		match self.run(&[&["--json"], arguments].concat()).await {
			Err(error) if error.to_string().contains(&format!("\"kind\":\"{kind}\"")) => Ok(()),
			other => Err(Error::Broken(format!("{arguments:?} did not end with {kind}: {other:?}"))),
		}
	}
}

fn string(json: &Value, pointer: &str) -> Result<String> {
	let found = json.pointer(pointer).and_then(Value::as_str);
	found.map(str::to_owned).ok_or_else(|| Error::Broken(format!("there is no {pointer} in {json}")))
}

fn count(json: &Value, pointer: &str) -> usize {
	json.pointer(pointer).and_then(Value::as_array).map_or(0, Vec::len)
}

pub async fn two_people_find_each_other_and_talk(network: &Network) -> Result<()> {
	let machine = Machine::new()?;
	let (first, second) = (network.url(0), network.url(1));
	let (anna, bert) = tokio::try_join!(machine.person("anna", &first), machine.person("bert", &second))?;
	// Again: it is the same identity, and costs nothing.
	let again = machine.json(&["--profile", "anna", "identity", "register"]).await?;
	assert_eq!((string(&again, "/person/id")?, count(&again, "/person/devices")), (anna.clone(), 1));
	assert_eq!(again.pointer("/person/events"), Some(&1.into()));

	// Bert publishes, lets only contacts claim, and hands Anna the secret.
	let publish = ["--profile", "bert", "keys", "publish", "--count", "2", "--last-resort"];
	assert_eq!(machine.json(&publish).await?["left"], 2);
	machine.run(&["--profile", "bert", "keys", "gate", "set", "--out", "bert.gate"]).await?;
	machine.voucher("claim", &first, "claim").await?;
	machine.fails("refused", &["--profile", "anna", "keys", "claim", &bert, "--voucher", "claim"]).await?;
	let claim = ["--profile", "anna", "keys", "claim", &bert, "--voucher", "claim", "--gate", "bert.gate"];
	assert_eq!(count(&machine.json(&claim).await?, "/packages"), 1);

	machine.voucher("create-group", &first, "group").await?;
	let create = ["--profile", "anna", "group", "create", "--people", "--name", "us", "--voucher", "group"];
	let group = machine.run(&create).await?;
	// Beside a chat of hers, which does it, with what was claimed before.
	let mut hers = machine.chat("anna")?;
	hers.shows("the group is in the log").await?;
	let add =
		["--profile", "anna", "group", "add", &group, "--person", &bert, "--voucher", "claim", "--gate", "bert.gate"];
	machine.run(&add).await?;
	let left = machine.json(&["--profile", "anna", "keys", "stock", &bert]).await?;
	assert_eq!(left.pointer("/stocks/0/left"), Some(&1.into()), "one claim, one KeyPackage");
	let mut his = machine.chat("bert")?;
	his.shows("joined in epoch 1").await?;
	let shown = |id: &str| format!("hex:{}", id.trim_start_matches("0x"));
	hers.types("hello bert").await?;
	his.shows(&format!("{}: hello bert", shown(&anna))).await?;
	his.types("hello anna").await?;
	hers.shows(&format!("{}: hello anna", shown(&bert))).await?;

	// Another key for Bert's device, with KeyPackages of it: his place goes over to it, and he goes on.
	machine.fails("in_use", &["--profile", "bert", "device", "rotate"]).await?;
	his.quits().await?;
	let before = machine.json(&["--profile", "bert", "device", "list"]).await?;
	let rotated = machine.json(&["--profile", "bert", "device", "rotate"]).await?;
	assert_eq!((count(&rotated, "/groups"), count(&rotated, "/behind")), (1, 0), "{rotated}");
	assert_eq!((&rotated["published"], rotated["lastResort"].is_u64()), (&20.into(), true), "{rotated}");
	hers.shows(&format!("{} has another signature key", shown(&bert))).await?;
	let after = machine.json(&["--profile", "bert", "device", "list"]).await?;
	assert_ne!(string(&before, "/devices/0/key")?, string(&after, "/devices/0/key")?);
	assert_eq!(string(&after, "/devices/0/key")?, string(&rotated, "/device")?);
	assert_eq!(after.pointer("/devices/0/this"), Some(&true.into()));
	machine.run(&["--profile", "bert", "group", "update", &group]).await?;
	machine.run(&["--profile", "bert", "send", &group, "with another key"]).await?;
	hers.shows("with another key").await?;
	// What is published from now on has the new key, and comes to what came with it.
	let published = machine.json(&["--profile", "bert", "keys", "publish", "--count", "3"]).await?;
	assert_eq!((&published["left"], &published["number"]), (&23.into(), &2.into()));
	assert_eq!(string(&published, "/device")?, string(&rotated, "/device")?);
	machine.fails("refused", &["--profile", "bert", "group", "rotate", &group]).await?;
	hers.quits().await?;

	machine.run(&["--profile", "anna", "identity", "export", &bert, "--out", "bert.proof"]).await?;
	let genesis = string(&again, "/genesis")?;
	let proven = machine.json(&["identity", "verify", "bert.proof", "--genesis", &genesis]).await?;
	assert_eq!((string(&proven, "/id")?, count(&proven, "/devices")), (bert.clone(), 1));
	machine.run(&["--profile", "bert", "identity", "close", "--yes"]).await?;
	let found = machine.json(&["--profile", "anna", "identity", "find", &bert]).await?;
	assert_eq!(found["closed"], true);
	machine.fails("not_a_device", &["--profile", "bert", "keys", "publish"]).await
}

pub async fn a_device_comes_in_goes_and_the_identity_is_recovered(network: &Network) -> Result<()> {
	let machine = Machine::new()?;
	let (here, there) = (network.url(2), network.url(3));
	let anna = machine.person("anna", &here).await?;
	let make = ["--dev", "--insecure-no-passphrase", "--node", &there];
	let offered = machine.json(&[&["device", "offer", "phone"], &make[..]].concat()).await?;
	let code = string(&offered, "/code")?;
	let event = machine.run(&["--profile", "anna", "device", "add", &code]).await?;
	let other = format!("0x{}", "02".repeat(32));
	machine.fails("refused", &["--profile", "phone", "device", "accept", &event, "--id", &other]).await?;
	machine.fails("usage", &["--profile", "phone", "device", "accept", &event]).await?;
	let accept = ["--profile", "phone", "device", "accept", &event, "--id", &anna];
	for _ in 0..2 {
		let accepted = machine.json(&accept).await?;
		assert_eq!((string(&accepted, "/person/id")?, count(&accepted, "/person/devices")), (anna.clone(), 2));
	}
	let listed = machine.json(&["--profile", "anna", "device", "list"]).await?;
	let phone = string(&listed, "/devices/1/key")?;
	assert_eq!((phone.clone(), count(&listed, "/devices")), (string(&offered, "/device")?, 2));
	machine.run(&["--profile", "phone", "keys", "publish", "--count", "1"]).await?;
	let stocks = machine.json(&["--profile", "anna", "keys", "stock"]).await?;
	assert_eq!(
		(stocks.pointer("/stocks/0/left"), stocks.pointer("/stocks/1/left")),
		(Some(&0.into()), Some(&1.into()))
	);

	// The phone came later, and cannot touch what was there before.
	let old = string(&listed, "/devices/0/key")?;
	machine.fails("refused", &["--profile", "phone", "device", "revoke", &old, "--yes"]).await?;
	machine.fails("usage", &["--profile", "anna", "device", "revoke", &phone]).await?;
	let revoked = machine.json(&["--profile", "anna", "device", "revoke", &phone[..12], "--yes"]).await?;
	assert_eq!(count(&revoked, "/person/devices"), 1);
	machine.fails("not_a_device", &["--profile", "phone", "keys", "publish"]).await?;
	machine.fails("not_a_device", &["--profile", "phone", "device", "add", &code]).await?;

	// Anna's machine is stolen, and she has her recovery key.
	let recover = ["identity", "recover", "new", &anna, "--recovery-file", "anna.recovery", "--new-recovery-file"];
	let recovered = machine.json(&[&recover[..], &["second.recovery", "--yes"], &make].concat()).await?;
	assert_eq!((string(&recovered, "/person/id")?, count(&recovered, "/person/devices")), (anna.clone(), 1));
	assert_eq!(recovered.pointer("/person/devices/0/this"), Some(&true.into()));
	machine.fails("not_a_device", &["--profile", "anna", "device", "add", &code]).await?;
	let found = machine.json(&["--profile", "anna", "identity", "find", &anna, "--log"]).await?;
	assert_eq!(count(&found, "/log"), 4, "{found}");
	assert_eq!(found.pointer("/log/3/action"), Some(&"recover".into()));
	let again = ["identity", "recover", "newer", &anna, "--recovery-file", "anna.recovery", "--new-recovery-file"];
	machine.fails("refused", &[&again[..], &["third.recovery", "--yes"], &make].concat()).await
}

/// Anna has left vouchers with her profile, and what is to come in does so while she chats. Then she asks what happened.
pub async fn a_profile_with_vouchers_brings_in_a_device_and_says_what_happened(network: &Network) -> Result<()> {
	let machine = Machine::new()?;
	let (here, there) = (network.url(1), network.url(3));
	let (anna, bert) = tokio::try_join!(machine.person("anna", &here), machine.person("bert", &there))?;
	let hers = machine.json(&["--profile", "anna", "identity", "safety-number", &bert]).await?;
	let his = machine.json(&["--profile", "bert", "identity", "safety-number", &anna]).await?;
	assert_eq!((string(&hers, "/number")?, count(&hers, "/groups")), (string(&his, "/number")?, 12));

	// Of herself she is told all, of somebody new nothing, and nothing twice.
	machine.run(&["--profile", "anna", "keys", "publish", "--count", "1"]).await?;
	let look = ["--profile", "anna", "identity", "news", &bert];
	let told = machine.json(&look).await?;
	assert_eq!((count(&told, "/news"), told.pointer("/news/0/what")), (1, Some(&"created".into())), "{told}");
	assert_eq!(count(&machine.json(&look).await?, "/news"), 0);

	let issue = ["voucher", "issue", "claim", "--count", "2", "--sponsor", "alice", "--node", &here, "--out", "claims"];
	machine.run(&issue).await?;
	let keep = ["--profile", "anna", "voucher", "keep", "claims"];
	// The one that she was registered by is for something else; the others are kept.
	machine.fails("refused", &[&keep[..], &["anna.voucher"]].concat()).await?;
	let left = ["--profile", "anna", "voucher", "kept"];
	assert_eq!(machine.json(&left).await?["left"], 2);
	let again = machine.json(&keep).await?;
	assert_eq!((again.pointer("/kept"), again.pointer("/left")), (Some(&0.into()), Some(&2.into())));
	// She lets only contacts claim, which her own profile has to be told, too.
	machine.fails("refused", &["--profile", "anna", "keys", "gate", "keep"]).await?;
	machine.run(&["--profile", "anna", "keys", "gate", "set", "--out", "anna.gate"]).await?;
	assert_eq!(machine.json(&["--profile", "anna", "keys", "gate", "keep"]).await?["kept"], true);
	machine.voucher("create-group", &here, "group").await?;
	let group = machine.run(&["--profile", "anna", "group", "create", "--people", "--voucher", "group"]).await?;

	let make = ["--dev", "--insecure-no-passphrase", "--node", &there];
	let offered = machine.json(&[&["device", "offer", "phone"], &make[..]].concat()).await?;
	let code = string(&offered, "/code")?;
	let event = machine.run(&["--profile", "anna", "device", "add", &code]).await?;
	machine.run(&["--profile", "phone", "device", "accept", &event, "--id", &anna]).await?;
	machine.run(&["--profile", "phone", "keys", "publish", "--count", "1"]).await?;
	let operator = "03".repeat(32);
	machine.run(&["--profile", "bert", "identity", "operator", &operator]).await?;
	let mut hers = machine.chat("anna")?;
	hers.shows("epoch 1 (block").await?;
	machine.run(&["--profile", "phone", "join", &group]).await?;
	machine.run(&["--profile", "phone", "send", &group, "by the phone"]).await?;
	hers.shows("by the phone").await?;

	// Beside her chat, in the order of the blocks.
	assert_eq!(machine.json(&left).await?["left"], 1, "one voucher for one group");
	let told = machine.json(&look).await?;
	assert_eq!(count(&told, "/news"), 2, "{told}");
	let (first, second) = (&told["news"][0], &told["news"][1]);
	assert_eq!((&first["what"], &first["own"]), (&"device_added".into(), &true.into()), "{told}");
	assert_eq!((&second["what"], &second["own"]), (&"operator_set".into(), &false.into()), "{told}");
	assert_eq!(told.pointer("/stock/gone"), Some(&1.into()), "a claim takes one of each device: {told}");
	assert_eq!(count(&machine.json(&look).await?, "/news"), 0);
	hers.quits().await
}

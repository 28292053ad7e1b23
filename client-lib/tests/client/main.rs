//! Whole clients, against a chain in memory.

mod backups;
mod chain;
mod durable;
mod faults;
#[cfg(feature = "hostile")]
mod hostile;
mod lies;
mod member;
mod membership;
mod node;
mod opening;
mod rejoining;

use chain::Chain;
use lockstep_client::{GroupId, GroupStatus};
use member::{config, Member};
use node::Node;
use tempfile::TempDir;

/// A chain, a node, and members.
struct World {
	chain: Chain,
	node: Node,
	folder: TempDir,
}

impl World {
	async fn new() -> Self {
		let filter = tracing_subscriber::EnvFilter::from_default_env();
		drop(tracing_subscriber::fmt().with_env_filter(filter).with_test_writer().try_init());
		let chain = Chain::new(1);
		let node = Node::start(&chain).await;
		Self { chain, node, folder: tempfile::tempdir().unwrap() }
	}

	/// Makes blocks, each when all members have seen the one before, until the members are where the test wants them.
	async fn run_until(&self, members: &[Member], group: GroupId, there: impl Fn(&GroupStatus) -> bool) {
		for _ in 0..200 {
			self.chain.block();
			let height = self.chain.state().height;
			let mut all = true;
			for member in members {
				let status = member.when(group, |status| status.finalized >= height).await;
				all &= there(&status);
			}
			if all {
				return;
			}
		}
		panic!("200 blocks were not enough");
	}

	async fn members(&self, names: &[&str]) -> Vec<Member> {
		let mut members = Vec::new();
		for name in names {
			members.push(Member::open(config(name, &self.node.url, self.folder.path())).await.unwrap());
		}
		members
	}
}

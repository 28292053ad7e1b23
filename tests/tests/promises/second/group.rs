//! What a group has to be like: its members, and the data in its GroupContext (section 6, number 3, and 6.1).

use crate::person::broken;
use lockstep_client::{AuthenticationService, GroupData, Rights};
use lockstep_tests::Result;
use mls_rs::{client_builder::MlsConfig, group::Member, Group};
use std::collections::BTreeSet;

/// The extension with the group data.
pub const GROUP_DATA: u16 = 0xf10c;
/// `required_capabilities`, and what it has to say: that one extension type, no proposals, no credentials.
const REQUIRED_CAPABILITIES: (u16, &[u8]) = (3, &[2, 0xf1, 0x0c, 0, 0]);

/// A leaf of the tree.
#[derive(PartialEq, Eq)]
pub struct Leaf {
	pub index: u32,
	pub identity: Vec<u8>,
	pub key: Vec<u8>,
}

pub fn leaves<C: MlsConfig>(mls: &Group<C>) -> Vec<Leaf> {
	let of = |member: Member| {
		let signing = member.signing_identity();
		let identity = signing.credential.as_basic().map(|basic| basic.identifier().to_vec()).unwrap_or_default();
		Leaf { index: member.index(), identity, key: signing.signature_key.as_bytes().to_vec() }
	};
	mls.roster().members_iter().map(of).collect()
}

/// Identities have 1 to 256 bytes; no two leaves have the same one, or the same signature key.
pub fn check_members<C: MlsConfig>(mls: &Group<C>) -> Result<()> {
	let leaves = leaves(mls);
	let identities: BTreeSet<_> = leaves.iter().map(|leaf| &leaf.identity).collect();
	let keys: BTreeSet<_> = leaves.iter().map(|leaf| &leaf.key).collect();
	let named = identities.iter().all(|identity| (1..=256).contains(&identity.len()));
	if named && identities.len() == leaves.len() && keys.len() == leaves.len() {
		Ok(())
	} else {
		Err(broken("identities or signature keys are not as they must be"))
	}
}

/// The data of a group whose GroupContext has the two extensions and no others, if everyone may do everything there.
pub fn group_data<C: MlsConfig>(mls: &Group<C>) -> Result<GroupData> {
	let extensions = &mls.context().extensions;
	let extensions: Vec<_> = extensions.iter().map(|one| (*one.extension_type, &one.extension_data[..])).collect();
	let data = match extensions[..] {
		[REQUIRED_CAPABILITIES, (GROUP_DATA, data)] => GroupData::decode(data).map_err(broken)?,
		_ => return Err(broken("the GroupContext has other extensions")),
	};
	if data.rights != Rights::default() {
		return Err(broken("not everyone may do everything: this member knows no other groups"));
	}
	let leaves = leaves(mls);
	if data.administrators.iter().all(|one| leaves.iter().any(|leaf| leaf.identity == *one)) {
		Ok(data)
	} else {
		Err(broken("an administrator is no member"))
	}
}

/// Whether the chain's identity logs say who is who.
pub fn is_of_people(data: &GroupData) -> bool {
	data.authentication == AuthenticationService::Directory
}

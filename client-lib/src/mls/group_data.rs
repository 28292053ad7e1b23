//! Group data: what the members of a group agree on besides who they are, as an extension of the GroupContext.
//!
//! It is part of the GroupContext (RFC 9420 section 8.1), so every member has the same, a commit changes it (section
//! 12.1.7), and a joiner gets it with its Welcome. This file is its encoding; what it means is the
//! [`policy`](super::policy)'s business.

use super::{
	constants::{MAX_ADMINISTRATORS, MAX_APPLICATION_DATA, MAX_IDENTITY, MAX_NAME},
	policy::PolicyError,
};
use codec::{Decode, DecodeAll, Encode};
use openmls::{
	group::GroupContext,
	prelude::{Extension, ExtensionType, Extensions, RequiredCapabilitiesExtension, UnknownExtension},
};
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;

/// The type of the extension, of those for private use (RFC 9420 section 17.3).
pub const EXTENSION: u16 = 0xf10c;

/// The versions of the policy, the first byte of the extension.
const OF_APPLICATION: u8 = 1;
const OF_DIRECTORY: u8 = 2;

/// What the members of a group agree on besides who they are.
///
/// ```text
/// extension_data = SCALE(version: u8, name: bytes, application: bytes, administrators: Vec<bytes>,
///                        rights: [u8; 4])
/// ```
/// The version says who vouches for the members, 1 the application, 2 the directory. Administrators come in ascending order. The rights are those to add, to remove others, to change name and
/// application data, and to change administrators and rights; 0 is everyone, 1 administrators only.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct GroupData {
	/// What the group is called; [`MAX_NAME`] bytes at most, and may be empty.
	pub name: String,
	/// Whatever the application wants all members to have; [`MAX_APPLICATION_DATA`] bytes at most.
	pub application: Vec<u8>,
	/// The identities of the administrators, all of them members; [`MAX_ADMINISTRATORS`] at most.
	pub administrators: BTreeSet<Vec<u8>>,
	/// Who may do what.
	pub rights: Rights,
	/// Who says which signature keys a member has. It is the same for as long as the group exists.
	pub authentication: AuthenticationService,
}

/// Who says which signature keys a member has: the Authentication Service of a group (RFC 9750 section 4).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AuthenticationService {
	/// The application; identities are any bytes, and Lockstep looks at them no further.
	#[default]
	Application,
	/// The identity logs on the chain: a member's identity is that of a person, and its signature key a device of that person in the
	/// block of the entry that brings it in (`docs/protocol.md` section 12).
	Directory,
}

/// Who may do what. Whatever is said here, a member may always leave and renew its own keys.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Rights {
	/// Who may add members.
	pub add: Who,
	/// Who may remove other members. Administrators are removed only by those who also have the right `roles`.
	pub remove: Who,
	/// Who may change the name and the application data.
	pub data: Who,
	/// Who may change who is administrator, and these rights.
	pub roles: Who,
}

/// The members that have a right.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Who {
	/// Every member.
	#[default]
	Everyone,
	/// Administrators only.
	Administrators,
}

/// Why bytes are not group data, or why group data has no bytes.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum GroupDataError {
	/// It is of another version of the policy.
	#[error("group data of version {0} does not exist; use a newer version of this library")]
	Version(u8),
	/// The bytes end early, go on after the end, or are not the one encoding of what they hold.
	#[error("the group data does not decode, or is not encoded in the one way that it can be")]
	Encoding,
	/// The name is too long.
	#[error("a group's name has {MAX_NAME} bytes at most, this one {length}; choose a shorter one")]
	Name {
		/// Its length, in bytes.
		length: usize,
	},
	/// The name is no text.
	#[error("a group's name is not UTF-8")]
	Text,
	/// There is too much application data.
	#[error("application data has {MAX_APPLICATION_DATA} bytes at most, this has {length}; keep it elsewhere")]
	Application {
		/// Its length, in bytes.
		length: usize,
	},
	/// There are too many administrators.
	#[error("a group has {MAX_ADMINISTRATORS} administrators at most, not {count}; dismiss some first")]
	Administrators {
		/// How many there are.
		count: usize,
	},
	/// An administrator's identity is empty or too long.
	#[error("an administrator's identity is empty or longer than {MAX_IDENTITY} bytes")]
	Identity,
	/// A right is given to nobody known.
	#[error("{0} does not say who has a right")]
	Who(u8),
}

/// The form that travels.
#[derive(Encode, Decode)]
struct Wire {
	version: u8,
	name: Vec<u8>,
	application: Vec<u8>,
	administrators: Vec<Vec<u8>>,
	rights: [u8; 4],
}

impl GroupData {
	/// The bytes of the extension.
	///
	/// # Errors
	/// [`GroupDataError`] if something is out of bounds.
	pub fn encode(&self) -> Result<Vec<u8>, GroupDataError> {
		self.check()?;
		let Rights { add, remove, data, roles } = self.rights;
		let wire = Wire {
			version: match self.authentication {
				AuthenticationService::Application => OF_APPLICATION,
				AuthenticationService::Directory => OF_DIRECTORY,
			},
			name: self.name.clone().into_bytes(),
			application: self.application.clone(),
			administrators: self.administrators.iter().cloned().collect(),
			rights: [add.byte(), remove.byte(), data.byte(), roles.byte()],
		};
		Ok(wire.encode())
	}

	/// Reads the extension. Total: any bytes give group data or an error, and each group data comes from one byte
	/// string only, so that equal data means equal GroupContexts.
	///
	/// # Errors
	/// [`GroupDataError`].
	pub fn decode(bytes: &[u8]) -> Result<Self, GroupDataError> {
		let authentication = match bytes.first() {
			Some(&OF_APPLICATION) => AuthenticationService::Application,
			Some(&OF_DIRECTORY) => AuthenticationService::Directory,
			Some(&other) => return Err(GroupDataError::Version(other)),
			None => return Err(GroupDataError::Encoding),
		};
		let wire = Wire::decode_all(&mut &bytes[..]).map_err(|_| GroupDataError::Encoding)?;
		let [add, remove, data, roles] = wire.rights;
		let rights = Rights {
			add: Who::of_byte(add)?,
			remove: Who::of_byte(remove)?,
			data: Who::of_byte(data)?,
			roles: Who::of_byte(roles)?,
		};
		let decoded = Self {
			name: String::from_utf8(wire.name).map_err(|_| GroupDataError::Text)?,
			application: wire.application,
			administrators: wire.administrators.into_iter().collect(),
			rights,
			authentication,
		};
		if decoded.encode()? == bytes {
			Ok(decoded)
		} else {
			Err(GroupDataError::Encoding)
		}
	}

	fn check(&self) -> Result<(), GroupDataError> {
		if self.name.len() > MAX_NAME {
			return Err(GroupDataError::Name { length: self.name.len() });
		}
		if self.application.len() > MAX_APPLICATION_DATA {
			return Err(GroupDataError::Application { length: self.application.len() });
		}
		if self.administrators.len() > MAX_ADMINISTRATORS {
			return Err(GroupDataError::Administrators { count: self.administrators.len() });
		}
		if self.administrators.iter().any(|identity| identity.is_empty() || identity.len() > MAX_IDENTITY) {
			return Err(GroupDataError::Identity);
		}
		Ok(())
	}

	/// The extensions of a GroupContext with this data: the data, and that every leaf must know its type (RFC 9420
	/// section 11.1). There are no others, and they come in this order.
	pub(super) fn to_extensions(&self) -> Result<Extensions<GroupContext>, GroupDataError> {
		let data = Extension::Unknown(EXTENSION, UnknownExtension(self.encode()?));
		let extensions = vec![Extension::RequiredCapabilities(required_capabilities()), data];
		Extensions::from_vec(extensions).map_err(|_| GroupDataError::Encoding)
	}

	/// The data in the extensions of a GroupContext, which must be exactly those of [`Self::to_extensions`].
	pub(super) fn of_extensions(extensions: &Extensions<GroupContext>) -> Result<Self, PolicyError> {
		let mut extensions = extensions.iter();
		match (extensions.next(), extensions.next(), extensions.next()) {
			(
				Some(Extension::RequiredCapabilities(required)),
				Some(Extension::Unknown(EXTENSION, UnknownExtension(bytes))),
				None,
			) if *required == required_capabilities() => Ok(Self::decode(bytes)?),
			_ => Err(PolicyError::Extension),
		}
	}
}

impl Who {
	fn byte(self) -> u8 {
		match self {
			Self::Everyone => 0,
			Self::Administrators => 1,
		}
	}

	fn of_byte(byte: u8) -> Result<Self, GroupDataError> {
		match byte {
			0 => Ok(Self::Everyone),
			1 => Ok(Self::Administrators),
			other => Err(GroupDataError::Who(other)),
		}
	}
}

/// The extension types that every leaf must list.
pub(super) fn extension_types() -> [ExtensionType; 1] {
	[ExtensionType::Unknown(EXTENSION)]
}

fn required_capabilities() -> RequiredCapabilitiesExtension {
	RequiredCapabilitiesExtension::new(&extension_types(), &[], &[])
}

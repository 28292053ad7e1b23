//! What a command works with while the client is open.

use crate::{
	failure::{Failure, Kind},
	output::Out,
	remote::Asker,
	session::Session,
};
use lockstep_client::{GroupId, GroupStatus};
use serde::{Deserialize, Serialize};
use std::{fmt, future::Future, str::FromStr, time::Duration};
use tokio::time::timeout;

/// How long a command waits for finality if it is not told otherwise.
pub const PATIENCE: Duration = Duration::from_secs(300);

/// One command's run.
pub struct Job<'a> {
	/// The open client.
	pub session: &'a Session,
	/// Where results go.
	pub out: &'a Out,
	/// `--timeout`.
	pub timeout: Option<Duration>,
	/// Whether the client stays open after the command, so that nothing is in a hurry.
	pub lasting: bool,
	/// Who asked for it, if that is another process.
	pub asker: Option<&'a Asker>,
}

impl Job<'_> {
	/// How long to wait.
	pub fn patience(&self) -> Duration {
		self.timeout.unwrap_or(PATIENCE)
	}

	/// Waits until everything that was printed so far has been shown.
	pub async fn shown(&self) -> Result<(), Failure> {
		match self.asker {
			Some(asker) => asker.has_shown().await,
			None => Ok(()),
		}
	}

	/// Waits until a node has taken what was sent, unless there is time enough. Whether none is known not to have.
	pub async fn flush(&self) -> bool {
		self.lasting || self.session.flush(self.out).await
	}

	/// The group that is meant.
	pub async fn group(&self, named: &GroupName) -> Result<GroupId, Failure> {
		named.among(&self.session.client().groups().await)
	}

	/// The group that is meant, and where the client stands in it.
	pub async fn status(&self, named: &GroupName) -> Result<GroupStatus, Failure> {
		Ok(self.session.client().group(self.group(named).await?).await?)
	}

	/// Waits for an operation that ends when something is final.
	pub async fn until_final<T, E>(
		&self,
		what: &str,
		operation: impl Future<Output = Result<T, E>>,
	) -> Result<T, Failure>
	where
		Failure: From<E>,
	{
		let patience = self.patience();
		match self.out.wait(what, timeout(patience, operation)).await {
			Ok(done) => Ok(done?),
			Err(_) => Err(self.late(patience)),
		}
	}

	/// The time is up.
	pub fn late(&self, patience: Duration) -> Failure {
		let message = format!("not final after {} s; it may still become so", patience.as_secs());
		let advice = format!("{} group list, some time later", self.session.profile().command());
		Failure::new(Kind::Timeout, message).advise(advice)
	}
}

/// The first digits of a group's id, enough to tell it from the client's other groups.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct GroupName(String);

impl FromStr for GroupName {
	type Err = String;

	fn from_str(text: &str) -> Result<Self, String> {
		let digits = text.strip_prefix("0x").unwrap_or(text).to_ascii_lowercase();
		if digits.is_empty() || digits.len() > 64 || !digits.bytes().all(|byte| byte.is_ascii_hexdigit()) {
			return Err("a group is named by the first hexadecimal digits of its id".to_owned());
		}
		Ok(Self(digits))
	}
}

impl fmt::Display for GroupName {
	fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
		f.write_str(&self.0)
	}
}

impl GroupName {
	/// The group, if this is all of its id.
	pub fn whole(&self) -> Option<GroupId> {
		let mut id = [0; 32];
		hex::decode_to_slice(&self.0, &mut id).ok()?;
		Some(GroupId(id))
	}

	/// Whether it can be this group.
	pub fn fits(&self, group: &GroupId) -> bool {
		group.to_string().starts_with(&self.0)
	}

	/// The one of these groups that is meant.
	pub fn among(&self, groups: &[GroupId]) -> Result<GroupId, Failure> {
		let fitting: Vec<&GroupId> = groups.iter().filter(|group| self.fits(group)).collect();
		match fitting[..] {
			[only] => Ok(*only),
			[] => Err(Failure::new(Kind::NoGroup, format!("this client is in no group {self}"))),
			_ => {
				let ids: Vec<String> = fitting.iter().map(ToString::to_string).collect();
				Err(Failure::new(Kind::AmbiguousGroup, format!("{self} could be any of {}", ids.join(", "))))
			}
		}
	}
}

#[cfg(test)]
mod tests {
	use super::*;

	#[test]
	fn a_group_is_named_by_as_many_digits_as_it_takes() {
		let groups = [GroupId([0xab; 32]), GroupId([0xac; 32])];
		let named = |text: &str| text.parse::<GroupName>().unwrap().among(&groups);
		assert_eq!(named("ab"), Ok(groups[0]));
		assert_eq!(named("0xAC"), Ok(groups[1]));
		assert_eq!(named(&groups[1].to_string()), Ok(groups[1]));
		let whole = |text: &str| text.parse::<GroupName>().unwrap().whole();
		assert_eq!((whole(&groups[0].to_string()), whole("ab")), (Some(groups[0]), None));
		assert_eq!(named("a").unwrap_err().kind, Kind::AmbiguousGroup);
		assert_eq!(named("b").unwrap_err().kind, Kind::NoGroup);
		for text in ["", "0x", "xyz", "caf\u{e9}", &"a".repeat(65)] {
			assert!(text.parse::<GroupName>().is_err(), "{text:?}");
		}
	}
}

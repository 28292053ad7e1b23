//! Where the workspace's own programs are.

use crate::{Error, Result};
use std::path::{Path, PathBuf};

/// The environment variable that names another node binary than the one beside the running program.
pub const NODE_VARIABLE: &str = "LOCKSTEP_NODE";

/// The node's binary: `$LOCKSTEP_NODE`, or the one built with the running program.
pub fn node() -> Result<PathBuf> {
	match std::env::var_os(NODE_VARIABLE) {
		Some(path) => Ok(path.into()),
		None => built("lockstep-node"),
	}
}

/// The member as a process of its own; see [`crate::remote`].
pub fn member() -> Result<PathBuf> {
	built("member")
}

/// The command line.
pub fn lockstep() -> Result<PathBuf> {
	built("lockstep")
}

/// A program of the workspace, in the folder of the running one; for a test that is the folder above `deps`.
fn built(name: &str) -> Result<PathBuf> {
	let running = std::env::current_exe().map_err(Error::io("finding the running program"))?;
	let folder = running.parent().unwrap_or(Path::new("."));
	let folder = match folder.file_name() {
		Some(last) if last == "deps" => folder.parent().unwrap_or(folder),
		_ => folder,
	};
	let path = folder.join(name);
	if path.is_file() {
		Ok(path)
	} else {
		Err(Error::ProgramMissing { name: name.into(), looked_in: folder.into() })
	}
}

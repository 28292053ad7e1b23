//! What a measurement was made on, and how much memory a process has in use.

use std::{fs, process::Command};

/// The facts of a machine that matter for a latency.
#[derive(Clone, Debug, serde::Serialize)]
pub struct Machine {
	/// The processor's name.
	pub processor: String,
	/// Processors that programs can use.
	pub cores: usize,
	/// Memory, in MiB.
	pub memory_mib: u64,
	/// The kernel's release.
	pub kernel: String,
	/// The compiler that is on the path.
	pub rustc: String,
}

impl Machine {
	/// This machine. What cannot be learned is said to be unknown.
	pub fn here() -> Self {
		let unknown = || "unknown".to_string();
		let processor = fs::read_to_string("/proc/cpuinfo").ok().and_then(|text| field(&text, "model name"));
		let memory = fs::read_to_string("/proc/meminfo").ok().and_then(|text| kib(&text, "MemTotal"));
		let kernel = fs::read_to_string("/proc/sys/kernel/osrelease").ok().map(|text| text.trim().to_string());
		let rustc = Command::new("rustc").arg("--version").output().ok();
		let rustc = rustc.and_then(|out| String::from_utf8(out.stdout).ok()).map(|text| text.trim().to_string());
		Self {
			processor: processor.unwrap_or_else(unknown),
			cores: std::thread::available_parallelism().map_or(0, usize::from),
			memory_mib: memory.unwrap_or(0) / 1024,
			kernel: kernel.unwrap_or_else(unknown),
			rustc: rustc.unwrap_or_else(unknown),
		}
	}
}

impl std::fmt::Display for Machine {
	fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
		let Self { processor, cores, memory_mib, kernel, rustc } = self;
		write!(f, "{cores} x {processor}, {memory_mib} MiB, Linux {kernel}, {rustc}")
	}
}

/// The resident memory of a process, in MiB.
#[derive(Clone, Copy, Debug, Default)]
pub struct Resident {
	/// What it has allocated. Nobody else can use it.
	pub own: f64,
	/// Pages of files that it has mapped, its program and its database among them. The system takes them back when
	/// it needs them, and a database that grows has more of them.
	pub files: f64,
}

impl Resident {
	/// That of a process; `None` if it does not run.
	pub fn of(pid: u32) -> Option<Self> {
		let status = fs::read_to_string(format!("/proc/{pid}/status")).ok()?;
		let mib = |name| kib(&status, name).map(|kib| kib as f64 / 1024.0);
		Some(Self { own: mib("RssAnon")?, files: mib("RssFile")? + mib("RssShmem")? })
	}
}

/// The value of a line `name : value`.
fn field(text: &str, name: &str) -> Option<String> {
	let line = text.lines().find(|line| line.starts_with(name))?;
	Some(line.split_once(':')?.1.trim().to_string())
}

/// The value of a line `name: value kB`.
fn kib(text: &str, name: &str) -> Option<u64> {
	field(text, name)?.split_whitespace().next()?.parse().ok()
}

#[cfg(test)]
mod tests {
	use super::*;

	#[test]
	fn this_process_uses_memory() {
		let resident = Resident::of(std::process::id()).unwrap();
		assert!(resident.own > 0.1 && resident.files > 0.1, "{resident:?}");
		assert!(Resident::of(u32::MAX).is_none());
	}
}

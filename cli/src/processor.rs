//! Whether this processor can do what RocksDB was built for (`.cargo/config.toml`). It would stop the command without a word.

/// Asks the processor.
///
/// # Errors
/// Says what it lacks, and what to do.
pub fn check() -> Result<(), String> {
	#[cfg(target_arch = "x86_64")]
	if !(std::is_x86_feature_detected!("sse4.2") && std::is_x86_feature_detected!("pclmulqdq")) {
		return Err("this processor has no SSE4.2 or no PCLMUL, which this command was built for; give the virtual machine the \
		            processor of its host, or build without CXXFLAGS_x86_64_unknown_linux_gnu in .cargo/config.toml"
			.to_owned());
	}
	Ok(())
}

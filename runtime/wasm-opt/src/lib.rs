//! Stands in for the crate `wasm-opt` in the build of the runtime.
//!
//! `substrate-wasm-builder` asks it for two things only, at optimisation level 0: to leave out debug information, and
//! to express sign extension in the first version of WebAssembly. The target `wasm32v1-none` is that version, so the
//! second has nothing to do, and is refused where it would have. Binaryen, which does both and much more, takes as
//! long to compile as a fifth of the whole workspace (docs/decisions/0014).
#![forbid(unsafe_code)]

mod module;

use std::path::Path;

/// What is to be done; the names are those of Binaryen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pass {
	/// Leave out the custom sections that hold DWARF.
	StripDwarf,
	/// Refuse a module that uses the sign extension operators.
	SignextLowering,
}

/// Why a module was not written.
#[derive(Debug, thiserror::Error)]
pub enum OptimizationError {
	#[error("the module cannot be read or written: {0}")]
	Io(#[from] std::io::Error),
	#[error("not a WebAssembly module: {0}")]
	Malformed(&'static str),
	#[error("the module uses sign extension operators; build the runtime for wasm32v1-none (`rustup target add wasm32v1-none`)")]
	SignExtension,
}

/// Passes to run over a module, in the builder style of the crate that this one replaces.
#[derive(Debug, Default)]
pub struct OptimizationOptions {
	passes: Vec<Pass>,
}

impl OptimizationOptions {
	/// No optimisation: only the passes that are added.
	pub fn new_opt_level_0() -> Self {
		Self::default()
	}

	/// Names the first version of WebAssembly, which is what the passes expect anyway.
	pub fn mvp_features_only(&mut self) -> &mut Self {
		self
	}

	/// Names of functions are kept in any case.
	pub fn debug_info(&mut self, _keep: bool) -> &mut Self {
		self
	}

	/// Adds a pass.
	pub fn add_pass(&mut self, pass: Pass) -> &mut Self {
		self.passes.push(pass);
		self
	}

	/// Reads the module at `from`, runs the passes, and writes the result to `to`, which may be the same file.
	pub fn run(&self, from: impl AsRef<Path>, to: impl AsRef<Path>) -> Result<(), OptimizationError> {
		let bytes = std::fs::read(from)?;
		let strip = self.passes.contains(&Pass::StripDwarf);
		let mut out = module::HEADER.to_vec();
		for section in module::sections(&bytes)? {
			let section = section?;
			if self.passes.contains(&Pass::SignextLowering) && section.names_sign_extension() {
				return Err(OptimizationError::SignExtension);
			}
			if !(strip && section.is_dwarf()) {
				out.extend_from_slice(section.bytes);
			}
		}
		Ok(std::fs::write(to, out)?)
	}
}

#[cfg(test)]
mod tests;

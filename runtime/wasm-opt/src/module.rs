//! A module as a row of sections (WebAssembly core specification, section 5.5).

use crate::OptimizationError;

/// The magic number and version 1.
pub const HEADER: &[u8] = b"\0asm\x01\0\0\0";
/// The id of a custom section.
const CUSTOM: u8 = 0;

/// One section of a module.
pub struct Section<'a> {
	/// All of it, id and size included.
	pub bytes: &'a [u8],
	/// The name and content of a custom section.
	custom: Option<(&'a [u8], &'a [u8])>,
}

impl Section<'_> {
	/// Whether this is a custom section with debug information.
	pub fn is_dwarf(&self) -> bool {
		self.custom.is_some_and(|(name, _)| name.starts_with(b".debug_") || name.starts_with(b"reloc..debug_"))
	}

	/// Whether this is the linker's list of features in use, and sign extension is one of them.
	pub fn names_sign_extension(&self) -> bool {
		const FEATURE: &[u8] = b"+\x08sign-ext";
		self.custom.is_some_and(|(name, content)| {
			name == b"target_features" && content.windows(FEATURE.len()).any(|window| window == FEATURE)
		})
	}
}

/// The sections of `module`, in order.
pub fn sections(module: &[u8]) -> Result<Sections<'_>, OptimizationError> {
	let rest =
		module.strip_prefix(HEADER).ok_or(OptimizationError::Malformed("it does not begin as one of version 1"))?;
	Ok(Sections { rest })
}

/// See [`sections`].
pub struct Sections<'a> {
	rest: &'a [u8],
}

impl<'a> Iterator for Sections<'a> {
	type Item = Result<Section<'a>, OptimizationError>;

	fn next(&mut self) -> Option<Self::Item> {
		let (id, after_id) = self.rest.split_first()?;
		let section = section(*id, after_id, self.rest);
		self.rest = match &section {
			Ok(section) => self.rest.get(section.bytes.len()..).unwrap_or_default(),
			Err(_) => &[],
		};
		Some(section)
	}
}

fn section<'a>(id: u8, after_id: &'a [u8], all: &'a [u8]) -> Result<Section<'a>, OptimizationError> {
	const SHORT: OptimizationError = OptimizationError::Malformed("a section is longer than what is left");
	let (content, left) = sized(after_id).ok_or(SHORT)?;
	let bytes = all.get(..all.len() - left.len()).ok_or(SHORT)?;
	let custom = match id {
		CUSTOM => Some(sized(content).ok_or(OptimizationError::Malformed("a custom section has no name"))?),
		_ => None,
	};
	Ok(Section { bytes, custom })
}

/// A length in front, and as many bytes; and what follows them.
fn sized(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
	let (length, rest) = leb128(bytes)?;
	rest.split_at_checked(usize::try_from(length).ok()?)
}

/// An unsigned number of at most 32 bits (section 5.2.2).
fn leb128(bytes: &[u8]) -> Option<(u32, &[u8])> {
	let mut value = 0u64;
	for (index, byte) in bytes.iter().take(5).enumerate() {
		value |= u64::from(byte & 0x7f) << (7 * index);
		if byte & 0x80 == 0 {
			return Some((u32::try_from(value).ok()?, bytes.get(index + 1..)?));
		}
	}
	None
}

//! Identities and messages of others, as they are shown.
//!
//! Identities are bytes that other members chose, and messages say what their senders like: neither may move a
//! terminal's cursor, or pass for something that it is not.

/// What begins an identity that is not shown as the text it may be.
const HEX: &str = "hex:";

/// An identity as text: itself if that is readable, else `hex:` and its digits. [`parse`] gives the same bytes back.
pub fn show(identity: &[u8]) -> String {
	match std::str::from_utf8(identity) {
		Ok(text) if !text.is_empty() && !text.starts_with(HEX) && !text.chars().any(is_deceptive) => text.to_owned(),
		_ => format!("{HEX}{}", hex::encode(identity)),
	}
}

/// The identity that a text stands for.
pub fn parse(text: &str) -> Result<Vec<u8>, String> {
	match text.strip_prefix(HEX) {
		Some(digits) => hex::decode(digits).map_err(|error| format!("after `{HEX}` come hexadecimal digits: {error}")),
		None if text.is_empty() => Err("an identity is not empty".to_owned()),
		None => Ok(text.as_bytes().to_vec()),
	}
}

/// Text of others for a terminal: no control character but the end of a line, and lines after the first are
/// indented, so that none passes for a line of this program.
pub fn printable(text: &str) -> String {
	let mut shown = String::with_capacity(text.len());
	for char in text.trim_end_matches(['\n', '\r']).chars() {
		match char {
			'\n' => shown.push_str("\n    "),
			'\t' => shown.push('\t'),
			char if is_deceptive(char) => shown.extend(char.escape_unicode()),
			char => shown.push(char),
		}
	}
	shown
}

/// Control characters, and those that change the direction or the place of what surrounds them without being seen.
fn is_deceptive(char: char) -> bool {
	char.is_control()
		|| matches!(char, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{2069}' | '\u{feff}')
}

#[cfg(test)]
mod tests {
	use super::*;

	#[test]
	fn identities_come_back_as_the_bytes_they_were() {
		for identity in
			[&b"anna"[..], "Zo\u{eb}".as_bytes(), b"", b"\xff\x00", b"hex:00", b"a\x1b[2J", "a\u{202e}b".as_bytes()]
		{
			let shown = show(identity);
			assert!(shown.chars().all(|char| !is_deceptive(char)), "{shown}");
			assert_eq!(parse(&shown).unwrap(), identity, "{shown}");
		}
		assert_eq!(show(b"anna"), "anna");
		assert_eq!(show(b"\xff"), "hex:ff");
		assert!(parse("hex:0").is_err());
		assert!(parse("").is_err());
	}

	#[test]
	fn a_message_cannot_move_the_cursor_or_fake_a_line() {
		assert_eq!(printable("hi\x1b[2J"), "hi\\u{1b}[2J");
		assert_eq!(printable("one\nbert: two\n"), "one\n    bert: two");
		assert_eq!(printable("a\r\u{202e}b"), "a\\u{d}\\u{202e}b");
	}
}

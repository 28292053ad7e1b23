//! Tables for a plain terminal.

use std::fmt::{self, Write};

/// Rows under headings; every column as wide as it needs to be, figures to the right.
#[derive(Clone, Debug)]
pub struct Table {
	headings: Vec<String>,
	rows: Vec<Vec<String>>,
}

impl Table {
	/// A table without rows.
	pub fn new<const N: usize>(headings: [&str; N]) -> Self {
		Self { headings: headings.map(String::from).into(), rows: Vec::new() }
	}

	/// One more row; a cell a heading.
	pub fn row<const N: usize>(&mut self, cells: [String; N]) {
		self.rows.push(cells.into());
	}

	fn width(&self, column: usize) -> usize {
		let cells = self.rows.iter().chain([&self.headings]).filter_map(|row| row.get(column));
		cells.map(|cell| cell.chars().count()).max().unwrap_or(0)
	}

	fn line(&self, f: &mut fmt::Formatter<'_>, cells: &[String]) -> fmt::Result {
		let mut text = String::new();
		for (column, cell) in cells.iter().enumerate() {
			let width = self.width(column);
			let figure = cell.starts_with(|first: char| first.is_ascii_digit() || first == '-');
			let gap = if column == 0 { "  " } else { "   " };
			if figure {
				write!(text, "{gap}{cell:>width$}")?;
			} else {
				write!(text, "{gap}{cell:<width$}")?;
			}
		}
		writeln!(f, "{}", text.trim_end())
	}
}

impl fmt::Display for Table {
	fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
		self.line(f, &self.headings)?;
		let rules: Vec<String> = (0..self.headings.len()).map(|column| "─".repeat(self.width(column))).collect();
		self.line(f, &rules)?;
		self.rows.iter().try_for_each(|row| self.line(f, row))
	}
}

/// The first eight digits of a hash or key, enough to tell two apart on a screen.
pub fn short(bytes: &[u8]) -> String {
	hex::encode(bytes.get(..4).unwrap_or(bytes))
}

#[cfg(test)]
mod tests {
	use super::*;

	#[test]
	fn columns_line_up() {
		let mut table = Table::new(["member", "epoch"]);
		table.row(["ada".into(), "7".into()]);
		table.row(["barbara".into(), "12".into()]);
		let text = table.to_string();
		let lines: Vec<&str> = text.lines().collect();
		assert_eq!(lines.first(), Some(&"  member    epoch"));
		assert_eq!(lines.get(2), Some(&"  ada           7"));
		assert_eq!(lines.get(3), Some(&"  barbara      12"));
	}
}

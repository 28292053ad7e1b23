//! What the documents say of tests is true.

use std::{fs, path::Path};

/// The text of all Rust files below a folder.
fn sources(folder: &Path, into: &mut String) {
	for entry in fs::read_dir(folder).expect("the folder can be read") {
		let path = entry.expect("it can be read").path();
		if path.is_dir() {
			sources(&path, into);
		} else if path.extension().is_some_and(|end| end == "rs") {
			into.push_str(&fs::read_to_string(&path).expect("it is text"));
		}
	}
}

#[test]
fn every_test_that_is_named_exists() {
	let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
	let mut text = String::new();
	["client-lib", "cli", "tests", "verifier"].iter().for_each(|part| sources(&root.join(part), &mut text));
	let page = fs::read_to_string(root.join("docs/what-breaks-others.md")).expect("the page is there");
	// Names of tests have a low line in them, and nothing else in the page that is set like code has but paths.
	let named = page.split('`').skip(1).step_by(2);
	let named: Vec<&str> = named.filter(|name| name.contains('_') && !name.contains(['/', ' '])).collect();
	assert!(named.len() > 40, "{} names", named.len());
	let missing: Vec<&&str> = named.iter().filter(|name| !text.contains(&format!("fn {name}("))).collect();
	assert!(missing.is_empty(), "the page names tests that are not there: {missing:?}");
	for row in page.lines().filter(|line| line.starts_with("| ") && !line.contains("---") && !line.contains("naive")) {
		assert!(row.matches("_").count() > 3, "a row without a test: {row}");
	}
	for mutation in page.split("(`").skip(1).filter_map(|rest| rest.split('`').next()) {
		let known = lockstep_simulator::Mutation::ALL.iter().any(|known| format!("{known:?}") == mutation);
		assert!(known || mutation.contains(['_', '/']), "the page names a fault that is not there: {mutation}");
	}
}

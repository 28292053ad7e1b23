//! Work trees that share a target directory, as they do unless told otherwise, never run each other's code.

use std::{fs, os::unix::fs::PermissionsExt, path::Path, process::Command, time::Duration};

const ROOT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/..");

/// A package that prints its name, with this repository's settings for cargo.
fn work_tree(at: &Path, name: &str) {
	for folder in ["src", "scripts", ".cargo"] {
		fs::create_dir_all(at.join(folder)).expect("a folder");
	}
	fs::write(
		at.join("Cargo.toml"),
		"[package]\nname = \"said\"\nversion = \"0.0.0\"\nedition = \"2024\"\n[workspace]\n",
	)
	.expect("a manifest");
	fs::write(at.join("src/lib.rs"), format!("pub const NAME: &str = \"{name}\";\n")).expect("a library");
	fs::write(at.join("src/main.rs"), "fn main() {\n\tprintln!(\"{}\", said::NAME);\n}\n").expect("a program");
	for file in [".cargo/config.toml", "scripts/rustc"] {
		fs::copy(Path::new(ROOT).join(file), at.join(file)).expect("it is in this repository");
	}
	assert!(fs::metadata(at.join("scripts/rustc")).expect("it is there").permissions().mode() & 0o111 != 0);
}

fn says(tree: &Path, target: &Path) -> String {
	let output = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()))
		.args(["run", "--quiet", "--offline"])
		.current_dir(tree)
		.env("CARGO_TARGET_DIR", target)
		.env_remove("RUSTC_WORKSPACE_WRAPPER")
		.output()
		.expect("cargo starts");
	assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
	String::from_utf8_lossy(&output.stdout).trim().to_string()
}

#[test]
fn what_another_work_tree_has_built_is_not_taken_for_ones_own() {
	let folder = tempfile::tempdir().expect("a folder");
	let [target, first, second] = ["target", "first", "second"].map(|name| folder.path().join(name));
	work_tree(&first, "first");
	work_tree(&second, "second");
	// All of the second's sources are older than what the first builds.
	let hour_ago = std::time::SystemTime::now() - Duration::from_secs(3600);
	for file in ["Cargo.toml", "src/lib.rs", "src/main.rs"] {
		let file = fs::File::options().write(true).open(second.join(file)).expect("it is there");
		file.set_modified(hour_ago).expect("a time");
	}
	assert_eq!(says(&first, &target), "first");
	assert_eq!(says(&second, &target), "second");
	assert_eq!(says(&first, &target), "first");
}

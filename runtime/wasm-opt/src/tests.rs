use crate::{module::HEADER, OptimizationError, OptimizationOptions, Pass};

fn custom(name: &str, content: &[u8]) -> Vec<u8> {
	let mut body = vec![name.len() as u8];
	body.extend_from_slice(name.as_bytes());
	body.extend_from_slice(content);
	let mut section = vec![0, body.len() as u8];
	section.extend_from_slice(&body);
	section
}

/// An empty section of types, of id 1, with its length in two bytes.
const TYPES: &[u8] = &[1, 0x81, 0, 0];

fn run(sections: &[&[u8]]) -> Result<Vec<u8>, OptimizationError> {
	let file = std::env::temp_dir().join(format!("wasm-opt-{}-{:?}", std::process::id(), std::thread::current().id()));
	std::fs::write(&file, [HEADER, &sections.concat()].concat()).unwrap();
	let done = OptimizationOptions::new_opt_level_0()
		.mvp_features_only()
		.debug_info(true)
		.add_pass(Pass::StripDwarf)
		.add_pass(Pass::SignextLowering)
		.run(&file, &file);
	let bytes = std::fs::read(&file).unwrap();
	std::fs::remove_file(&file).unwrap();
	done.map(|()| bytes)
}

#[test]
fn debug_information_goes_and_everything_else_stays_as_it_was() {
	let version = custom("runtime_version", &[1, 2, 3]);
	let name = custom("name", b"main");
	let out =
		run(&[TYPES, &custom(".debug_info", &[9; 40]), &version, &custom("reloc..debug_line", &[8]), &name]).unwrap();
	assert_eq!(out, [HEADER, TYPES, &version, &name].concat());
}

#[test]
fn a_module_with_sign_extension_is_refused() {
	let features = custom("target_features", b"\x02+\x0fmutable-globals+\x08sign-ext");
	assert!(matches!(run(&[TYPES, &features]), Err(OptimizationError::SignExtension)));
	assert!(run(&[TYPES, &custom("target_features", b"\x01+\x0fmutable-globals")]).is_ok());
}

#[test]
fn what_is_no_module_is_refused_and_left_as_it_is() {
	assert!(matches!(run(&[&[1, 5, 0]]), Err(OptimizationError::Malformed(_))));
	assert!(matches!(run(&[&[0, 1]]), Err(OptimizationError::Malformed(_))));
	assert!(matches!(run(&[&[1, 0x80, 0x80, 0x80, 0x80, 0x80, 0]]), Err(OptimizationError::Malformed(_))));
	let file = std::env::temp_dir().join(format!("wasm-opt-not-{}", std::process::id()));
	std::fs::write(&file, b"\x7fELF").unwrap();
	let done = OptimizationOptions::new_opt_level_0().run(&file, &file);
	std::fs::remove_file(&file).unwrap();
	assert!(matches!(done, Err(OptimizationError::Malformed(_))));
}

//! Compiles the runtime to WebAssembly, for inclusion in the node.

fn main() {
	#[cfg(feature = "std")]
	substrate_wasm_builder::WasmBuilder::build_using_defaults();
}

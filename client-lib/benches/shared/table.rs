//! The results of criterion as tables, beside what was promised.

use serde_json::Value;
use std::{env, fs, path::PathBuf};

/// Where criterion is told to keep its results.
pub fn folder() -> PathBuf {
	env::var_os("CARGO_TARGET_DIR").map_or_else(|| "target".into(), PathBuf::from).join("criterion")
}

/// The median of a benchmark, in milliseconds; `None` if it was not run.
pub fn median(group: &str, function: &str) -> Option<f64> {
	let path = folder().join(group).join(function).join("new/estimates.json");
	let estimates: Value = serde_json::from_slice(&fs::read(path).ok()?).ok()?;
	Some(estimates.get("median")?.get("point_estimate")?.as_f64()? / 1e6)
}

/// What a part of the values lies below. There have to be some.
pub fn quantile(mut values: Vec<f64>, part: f64) -> f64 {
	values.sort_by(f64::total_cmp);
	#[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, clippy::cast_precision_loss)]
	let place = ((values.len() - 1) as f64 * part).round() as usize;
	values[place]
}

/// A time in milliseconds with three digits.
pub fn shown(time: Option<f64>) -> String {
	match time {
		None => "-".to_owned(),
		Some(time) if time < 1.0 => format!("{time:.3}"),
		Some(time) if time < 10.0 => format!("{time:.2}"),
		Some(time) if time < 100.0 => format!("{time:.1}"),
		Some(time) => format!("{time:.0}"),
	}
}

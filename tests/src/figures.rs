//! Percentiles and slopes.

/// Samples of one quantity.
#[derive(Clone, Debug, Default)]
pub struct Samples(Vec<f64>);

impl Samples {
	/// One more.
	pub fn push(&mut self, value: f64) {
		self.0.push(value);
	}

	/// How many there are.
	pub fn len(&self) -> usize {
		self.0.len()
	}

	/// Whether there is none.
	pub fn is_empty(&self) -> bool {
		self.0.is_empty()
	}

	/// The smallest sample that at least `percent` of a hundred samples do not exceed (nearest rank); 0 without
	/// samples.
	pub fn percentile(&self, percent: u32) -> f64 {
		let mut sorted = self.0.clone();
		sorted.sort_by(f64::total_cmp);
		let rank = (self.0.len() * percent as usize).div_ceil(100).max(1);
		sorted.get(rank - 1).copied().unwrap_or(0.0)
	}

	/// The mean; 0 without samples.
	pub fn mean(&self) -> f64 {
		if self.0.is_empty() {
			0.0
		} else {
			self.0.iter().sum::<f64>() / self.0.len() as f64
		}
	}
}

impl Extend<f64> for Samples {
	fn extend<T: IntoIterator<Item = f64>>(&mut self, values: T) {
		self.0.extend(values);
	}
}

/// The slope of the line through `(x, y)` points that fits best (least squares); 0 for fewer than two distinct `x`.
pub fn slope(points: &[(f64, f64)]) -> f64 {
	let count = points.len() as f64;
	let (mean_x, mean_y) = points.iter().fold((0.0, 0.0), |(x, y), point| (x + point.0 / count, y + point.1 / count));
	let spread: f64 = points.iter().map(|(x, _)| (x - mean_x).powi(2)).sum();
	if spread == 0.0 {
		return 0.0;
	}
	points.iter().map(|(x, y)| (x - mean_x) * (y - mean_y)).sum::<f64>() / spread
}

#[cfg(test)]
mod tests {
	use super::*;

	#[test]
	fn percentiles_are_samples_by_nearest_rank() {
		let mut samples = Samples::default();
		assert_eq!(samples.percentile(99), 0.0);
		samples.extend((1..=200).rev().map(f64::from));
		assert_eq!(samples.percentile(50), 100.0);
		assert_eq!(samples.percentile(99), 198.0);
		assert_eq!(samples.percentile(100), 200.0);
		assert_eq!(samples.mean(), 100.5);
	}

	#[test]
	fn slopes_of_lines() {
		assert_eq!(slope(&[]), 0.0);
		assert_eq!(slope(&[(1.0, 5.0), (1.0, 7.0)]), 0.0);
		assert!((slope(&[(0.0, 1.0), (1.0, 3.0), (2.0, 5.0)]) - 2.0).abs() < 1e-9);
	}
}

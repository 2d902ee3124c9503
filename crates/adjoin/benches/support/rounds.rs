//! Several rounds of one measurement.

/// The best of the rounds' medians, the least disturbed by whatever else runs on the machine, and the worst.
pub fn best_and_worst(medians: &[f64]) -> (f64, f64) {
    (medians.iter().copied().fold(f64::INFINITY, f64::min), medians.iter().copied().fold(0.0, f64::max))
}

//! Times, and what is told of them.

use std::time::Duration;

/// The times of one round.
#[derive(Debug, Default)]
pub struct Samples(Vec<Duration>);

impl Samples {
    pub fn add(&mut self, time: Duration) {
        self.0.push(time);
    }

    /// The time that this share of the round stayed under, in microseconds. 0.5 is the median.
    pub fn at(&mut self, share: f64) -> f64 {
        self.0.sort_unstable();
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            clippy::cast_precision_loss,
            reason = "an index of a short vector"
        )]
        let index = ((self.0.len() - 1) as f64 * share) as usize;
        self.0[index].as_secs_f64() * 1e6
    }
}

/// The best of the rounds' medians, the least disturbed by whatever else runs on the machine, and the worst.
pub fn best_and_worst(medians: &[f64]) -> (f64, f64) {
    (medians.iter().copied().fold(f64::INFINITY, f64::min), medians.iter().copied().fold(0.0, f64::max))
}

/// How busy the machine is with all that runs on it: runnable processes, averaged over a minute.
pub fn load() -> String {
    std::fs::read_to_string("/proc/loadavg")
        .ok()
        .and_then(|text| text.split(' ').next().map(str::to_owned))
        .unwrap_or_else(|| "unknown".to_owned())
}

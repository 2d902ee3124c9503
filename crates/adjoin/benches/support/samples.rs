//! Times, and what is told of them.

use std::time::Duration;

/// The times of one round.
#[derive(Debug, Default)]
pub struct Samples(pub Vec<Duration>);

impl Samples {
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

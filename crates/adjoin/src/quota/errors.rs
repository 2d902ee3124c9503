//! The share of errors among the last calls. Meta takes the Full access tier away from an app of whose last 500 calls
//! 15 % or more failed (marketing-api/get-started/authorization).
//!
//! Nothing is held back because of it: calls that are not sent cannot bring the share down. What keeps it down is that
//! wrong, unpermitted and throttled calls end here.

/// How many calls Meta looks at.
const WINDOW: usize = 500;
/// From this share on we warn, well before Meta's 15 %.
pub const WARN_SHARE: f64 = 0.10;
/// Fewer calls than this say nothing.
const ENOUGH: usize = 100;

/// A ring of outcomes.
#[derive(Debug)]
pub struct ErrorShare {
    failed: Box<[bool; WINDOW]>,
    next: usize,
    counted: usize,
    failures: usize,
    warned: bool,
}

impl Default for ErrorShare {
    fn default() -> Self {
        Self { failed: Box::new([false; WINDOW]), next: 0, counted: 0, failures: 0, warned: false }
    }
}

impl ErrorShare {
    /// Counts a call; answers the share when it has just become worth a warning.
    pub fn count(&mut self, failed: bool) -> Option<f64> {
        self.failures -= usize::from(self.failed[self.next]);
        self.failures += usize::from(failed);
        self.failed[self.next] = failed;
        self.next = (self.next + 1) % WINDOW;
        self.counted = (self.counted + 1).min(WINDOW);
        let share = self.share();
        let high = self.counted >= ENOUGH && share >= WARN_SHARE;
        let newly = high && !self.warned;
        // Warned again only after it was clearly better in between.
        self.warned = high || (self.warned && share > WARN_SHARE / 2.0);
        newly.then_some(share)
    }

    /// 0 to 1.
    pub fn share(&self) -> f64 {
        #[expect(clippy::cast_precision_loss, reason = "both are at most 500")]
        let share = self.failures as f64 / self.counted.max(1) as f64;
        share
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_warns_once_when_the_share_is_high_and_forgets_what_is_long_ago() {
        let mut share = ErrorShare::default();
        assert!((0..400).all(|_| share.count(false).is_none()));
        let warnings = (0..100).filter(|_| share.count(true).is_some()).count();
        assert_eq!(warnings, 1);
        assert!((share.share() - 0.2).abs() < 1e-9);
        assert!((0..500).all(|_| share.count(false).is_none()));
        assert!(share.share() < 1e-9);
        assert_eq!((0..100).filter(|_| share.count(true).is_some()).count(), 1);
    }

    #[test]
    fn a_few_calls_are_no_sample() {
        let mut share = ErrorShare::default();
        assert!((0..99).all(|_| share.count(true).is_none()));
        assert_eq!(share.count(true), Some(1.0));
    }
}

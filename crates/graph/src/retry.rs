use std::time::Duration;

use crate::Error;

/// When a failed call is worth another try. Pure: what it says depends on its arguments alone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RetryPolicy {
    /// Tries in all, the first included. 1 means never again.
    pub attempts: u32,
    /// The wait after the first failure; it doubles with each further one.
    pub base: Duration,
    /// No wait is longer.
    pub longest: Duration,
}

/// What to do about a failed call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Retry {
    /// Hand the error to the caller.
    Stop,
    /// Wait this long, then send the same request again.
    Wait(Duration),
}

impl Default for RetryPolicy {
    fn default() -> Self {
        Self { attempts: 4, base: Duration::from_millis(500), longest: Duration::from_secs(20) }
    }
}

impl RetryPolicy {
    pub const NEVER: Self = Self { attempts: 1, base: Duration::ZERO, longest: Duration::ZERO };

    /// `attempt` counts from 1 and is the one that failed; `jitter` lies in `0.0..=1.0`.
    ///
    /// A read is repeated after a fault that passes (Meta's transient errors, 5xx, timeouts, a broken
    /// connection). A write is repeated only when it certainly did not reach Meta. A throttle is never
    /// repeated here: calling on while blocked lengthens the block, so the caller has to know.
    pub fn decide(&self, error: &Error, attempt: u32, is_read: bool, jitter: f64) -> Retry {
        let worth_it = if is_read { error.is_passing() } else { error.is_unsent() };
        if !worth_it || attempt >= self.attempts {
            return Retry::Stop;
        }
        let doubled = self.base.saturating_mul(2_u32.saturating_pow(attempt.saturating_sub(1)));
        // Half is kept and half is random, so that many callers do not come back together.
        let share = 0.5 + jitter.clamp(0.0, 1.0) / 2.0;
        Retry::Wait(doubled.min(self.longest).mul_f64(share))
    }
}

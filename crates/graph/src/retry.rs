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
        let worth_it = error.is_passing() && (is_read || error.is_unsent());
        if !worth_it || attempt >= self.attempts {
            return Retry::Stop;
        }
        let doubled = self.base.saturating_mul(2_u32.saturating_pow(attempt.saturating_sub(1)));
        // Half is kept and half is random, so that many callers do not come back together.
        let share = 0.5 + jitter.clamp(0.0, 1.0) / 2.0;
        Retry::Wait(doubled.min(self.longest).mul_f64(share))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;
    use crate::{GraphRefusal, Usage};

    const POLICY: RetryPolicy =
        RetryPolicy { attempts: 5, base: Duration::from_secs(1), longest: Duration::from_secs(5) };

    fn refused(status: u16, code: i64, subcode: Option<i64>, is_transient: bool) -> Error {
        let body = json!({"error": {"message": "m", "code": code, "error_subcode": subcode, "is_transient": is_transient}});
        Error::Refused(Box::new(GraphRefusal::read(status, body, Usage::default()).unwrap()))
    }

    fn unreachable(sent: bool) -> Error {
        Error::Unreachable { sent, source: "gone".into() }
    }

    #[test]
    fn reads_are_repeated_after_faults_that_pass_only() {
        let passing = [
            refused(500, 1, None, false),
            refused(400, 2, Some(1_504_043), false),
            refused(400, 100, None, true),
            refused(503, 999, None, false),
            Error::Timeout { sent: true },
            unreachable(true),
            Error::Unreadable { status: 502, reason: String::new(), trace_id: None },
        ];
        let lasting = [
            refused(400, 100, Some(33), false),
            refused(401, 190, Some(463), false),
            refused(500, 1, Some(99), false),
            refused(400, 2, Some(1_504_038), true),
            refused(200, 0, None, false),
            // Throttles, however transient Meta calls them.
            refused(400, 4, None, true),
            refused(400, 17, Some(2_446_079), true),
            refused(503, 613, None, true),
            refused(400, 80_004, None, true),
            Error::Unreadable { status: 200, reason: String::new(), trace_id: None },
            Error::TooLarge { limit: 1 },
            Error::PagingLoop { path: String::new() },
            Error::invalid(""),
        ];
        for error in passing {
            assert_ne!(POLICY.decide(&error, 1, true, 0.5), Retry::Stop, "{error}");
            assert_eq!(POLICY.decide(&error, 1, false, 0.5), Retry::Stop, "a write after {error}");
        }
        for error in lasting {
            assert_eq!(POLICY.decide(&error, 1, true, 0.5), Retry::Stop, "{error}");
        }
    }

    #[test]
    fn a_write_is_repeated_when_it_certainly_was_not_sent() {
        assert_ne!(POLICY.decide(&unreachable(false), 1, false, 0.5), Retry::Stop);
        assert_ne!(POLICY.decide(&Error::Timeout { sent: false }, 1, false, 0.5), Retry::Stop);
        assert_eq!(POLICY.decide(&Error::invalid("a wrong path"), 1, false, 0.5), Retry::Stop);
    }

    #[test]
    fn waits_double_up_to_the_longest_and_end() {
        let waits: Vec<_> =
            (1..=5).map(|attempt| POLICY.decide(&unreachable(true), attempt, true, 1.0)).collect();
        let seconds = |it| Retry::Wait(Duration::from_secs(it));
        assert_eq!(waits, [seconds(1), seconds(2), seconds(4), seconds(5), Retry::Stop]);
        assert_eq!(POLICY.decide(&unreachable(true), 1, true, 0.0), Retry::Wait(Duration::from_millis(500)));
        assert_eq!(RetryPolicy::NEVER.decide(&unreachable(false), 1, true, 0.0), Retry::Stop);
    }

    proptest! {
        #[test]
        fn a_wait_is_never_longer_than_the_longest(attempt: u32, jitter: f64, attempts: u32, base in 0_u64..u64::MAX / 2_000) {
            let policy = RetryPolicy { attempts, base: Duration::from_millis(base), longest: Duration::from_secs(9) };
            if let Retry::Wait(wait) = policy.decide(&unreachable(true), attempt, true, jitter) {
                prop_assert!(wait <= policy.longest && attempt < attempts);
            }
        }
    }
}

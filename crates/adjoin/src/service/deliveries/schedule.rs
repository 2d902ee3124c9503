//! When a delivery that failed is tried again.

use crate::time::Timestamp;

/// Seconds between an attempt and the next: 5 s, 5 min, 30 min, 2 h, 5 h, 10 h, 14 h, 20 h, 24 h; the example of the Standard
/// Webhooks specification. Ten attempts over 75 hours and 35 minutes.
const WAITS: [i64; 9] = [5, 300, 1800, 7200, 18_000, 36_000, 50_400, 72_000, 86_400];
/// How far a wait is spread, so that what failed together does not come back together.
const JITTER: f64 = 0.1;
/// Longest a `Retry-After` is believed, in seconds.
pub const PAUSE_MAX: i64 = 3600;
/// How long an endpoint is left alone that is overloaded, or takes longer than we wait, and does not say how long.
const PAUSE: i64 = 30;

/// What becomes of a delivery after a failed attempt.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Next {
    Retry { at: Timestamp },
    Dead,
}

/// After so many failed attempts. `share`, `0.0..=1.0`, is the place within the jitter.
pub fn next(attempts: i64, now: Timestamp, share: f64) -> Next {
    let wait = usize::try_from(attempts - 1).ok().and_then(|index| WAITS.get(index));
    let Some(&seconds) = wait else { return Next::Dead };
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_precision_loss,
        reason = "a day has few milliseconds"
    )]
    let millis = (seconds as f64 * 1000.0 * (1.0 - JITTER + 2.0 * JITTER * share)) as i64;
    Next::Retry { at: Timestamp::from_millis(now.millis() + millis) }
}

/// How long the endpoint is left alone, in seconds, if at all. `status`: none when there was no answer in time.
pub fn pause(status: Option<u16>, retry_after: Option<i64>) -> Option<i64> {
    match (status, retry_after) {
        (_, Some(seconds)) => Some(seconds.clamp(1, PAUSE_MAX)),
        (None | Some(429 | 502..=504), None) => Some(PAUSE),
        (Some(_), None) => None,
    }
}

/// Seconds that a `Retry-After` asks for: a number, or a moment.
pub fn retry_after(header: &str, now: Timestamp) -> Option<i64> {
    let header = header.trim();
    if let Ok(seconds) = header.parse::<u32>() {
        return Some(seconds.into());
    }
    let at = jiff::fmt::rfc2822::DateTimeParser::new().parse_timestamp(header).ok()?;
    Some((at.as_second() - now.unix()).max(0))
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Timestamp = Timestamp(jiff::Timestamp::UNIX_EPOCH);

    #[test]
    fn ten_attempts_over_three_days_and_then_dead() {
        let mut total = 0;
        for attempts in 1..=9 {
            let Next::Retry { at } = next(attempts, NOW, 0.5) else { panic!("dead after {attempts}") };
            total += at.unix();
        }
        assert_eq!(total, 5 + 75 * 3600 + 35 * 60);
        assert_eq!(next(10, NOW, 0.5), Next::Dead);
        assert_eq!(next(i64::MAX, NOW, 0.5), Next::Dead);
    }

    #[test]
    fn waits_are_spread_by_a_tenth_either_way() {
        let at = |share| match next(2, NOW, share) {
            Next::Retry { at } => at.millis(),
            Next::Dead => panic!(),
        };
        assert_eq!((at(0.0), at(0.5), at(1.0)), (270_000, 300_000, 330_000));
    }

    #[test]
    fn an_endpoint_says_how_long_and_is_believed_for_an_hour() {
        assert_eq!(pause(Some(429), Some(90)), Some(90));
        assert_eq!(pause(Some(500), Some(90)), Some(90));
        assert_eq!(pause(Some(503), Some(100_000)), Some(PAUSE_MAX));
        assert_eq!(pause(Some(503), Some(0)), Some(1));
        assert_eq!((pause(Some(503), None), pause(None, None)), (Some(PAUSE), Some(PAUSE)));
        assert_eq!((pause(Some(500), None), pause(Some(404), None)), (None, None));
        assert_eq!(retry_after(" 120 ", NOW), Some(120));
        assert_eq!(retry_after("Thu, 01 Jan 1970 00:01:00 GMT", NOW), Some(60));
        assert_eq!(retry_after("Thu, 01 Jan 1970 00:01:00 GMT", NOW.plus_seconds(90)), Some(0));
        for nonsense in ["", "-5", "soon", "1.5"] {
            assert_eq!(retry_after(nonsense, NOW), None, "{nonsense}");
        }
    }
}

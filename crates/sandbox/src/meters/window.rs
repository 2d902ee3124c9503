//! Ways to count over time. All times are Unix seconds.

use std::collections::VecDeque;

/// Points that drain evenly; too many of them block for a while.
#[derive(Debug, Default)]
pub struct Drain {
    points: f64,
    at: i64,
    blocked_until: i64,
}

impl Drain {
    fn drain(&mut self, now: i64, limit: f64, seconds: i64) {
        #[expect(clippy::cast_precision_loss, reason = "seconds between two calls")]
        let passed = (now - self.at).max(0) as f64 / seconds as f64;
        self.points = (self.points - passed * limit).max(0.0);
        self.at = now;
    }

    /// Adds points; true when the call is refused. A refused call begins the block anew.
    pub fn add(&mut self, now: i64, points: f64, limit: f64, seconds: i64, block: i64) -> bool {
        self.drain(now, limit, seconds);
        if now < self.blocked_until {
            self.blocked_until = now + block;
            return true;
        }
        if self.points + points > limit {
            self.points = limit;
            self.blocked_until = now + block;
            return true;
        }
        self.points += points;
        false
    }

    /// Points now, and seconds until a block ends.
    pub fn read(&mut self, now: i64, limit: f64, seconds: i64) -> (f64, i64) {
        self.drain(now, limit, seconds);
        (self.points, (self.blocked_until - now).max(0))
    }
}

const MINUTES: i64 = 60;

/// Calls of the last hour, kept by the minute.
#[derive(Debug)]
pub struct Hour {
    counts: [u32; 60],
    /// The minute that was counted last.
    minute: i64,
    sum: u32,
}

impl Default for Hour {
    fn default() -> Self {
        Self { counts: [0; 60], minute: 0, sum: 0 }
    }
}

impl Hour {
    fn slot(minute: i64) -> usize {
        usize::try_from(minute.rem_euclid(MINUTES)).unwrap_or_default()
    }

    fn forget(&mut self, now: i64) {
        let minute = now.div_euclid(60);
        let passed = (minute - self.minute).clamp(0, MINUTES);
        for step in 1..=passed {
            let slot = Self::slot(minute - passed + step);
            self.sum -= self.counts[slot];
            self.counts[slot] = 0;
        }
        // A clock that was set back starts over in the past.
        self.minute = minute;
    }

    /// Counts one call and answers how many there were in the hour.
    pub fn add(&mut self, now: i64) -> u32 {
        self.forget(now);
        self.counts[Self::slot(self.minute)] += 1;
        self.sum += 1;
        self.sum
    }

    pub fn read(&mut self, now: i64) -> u32 {
        self.forget(now);
        self.sum
    }

    /// Minutes until so many calls have gone out of the hour that one more fits under the limit.
    pub fn minutes_until(&mut self, now: i64, limit: u32) -> i64 {
        self.forget(now);
        let mut sum = self.sum;
        for minutes in 1..=MINUTES {
            if sum < limit {
                return minutes - 1;
            }
            sum -= self.counts[Self::slot(self.minute - MINUTES + minutes)];
        }
        MINUTES
    }
}

/// The times of the last few events.
#[derive(Debug, Default)]
pub struct Recent(VecDeque<i64>);

impl Recent {
    /// How many events there were within the last `seconds`.
    pub fn within(&self, now: i64, seconds: i64) -> usize {
        self.0.iter().filter(|at| **at > now - seconds).count()
    }

    /// Notes an event unless there were `limit` within the last `seconds`.
    pub fn add(&mut self, now: i64, seconds: i64, limit: usize) -> bool {
        self.0.retain(|at| *at > now - seconds);
        let fits = self.0.len() < limit;
        if fits {
            self.0.push_back(now);
        }
        fits
    }
}

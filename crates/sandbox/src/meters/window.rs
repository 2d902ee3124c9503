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

/// Calls of the last hour, kept by the minute.
pub type Hour = Sliding<60, 60>;
/// Calls of the last twenty-four hours, kept by the hour.
pub type Day = Sliding<24, 3_600>;

/// Calls of the last `SLOTS` times `SECONDS` seconds.
#[derive(Debug)]
pub struct Sliding<const SLOTS: usize, const SECONDS: i64> {
    counts: [u32; SLOTS],
    /// The slot of time that was counted last.
    last: i64,
    sum: u32,
}

impl<const SLOTS: usize, const SECONDS: i64> Default for Sliding<SLOTS, SECONDS> {
    fn default() -> Self {
        Self { counts: [0; SLOTS], last: 0, sum: 0 }
    }
}

impl<const SLOTS: usize, const SECONDS: i64> Sliding<SLOTS, SECONDS> {
    #[expect(clippy::cast_possible_wrap, reason = "a handful")]
    const STEPS: i64 = SLOTS as i64;

    fn slot(time: i64) -> usize {
        usize::try_from(time.rem_euclid(Self::STEPS)).unwrap_or_default()
    }

    fn forget(&mut self, now: i64) {
        let time = now.div_euclid(SECONDS);
        let passed = (time - self.last).clamp(0, Self::STEPS);
        for step in 1..=passed {
            let slot = Self::slot(time - passed + step);
            self.sum -= self.counts[slot];
            self.counts[slot] = 0;
        }
        // A clock that was set back starts over in the past.
        self.last = time;
    }

    /// Counts one call and answers how many there were.
    pub fn add(&mut self, now: i64) -> u32 {
        self.forget(now);
        self.counts[Self::slot(self.last)] += 1;
        self.sum += 1;
        self.sum
    }

    pub fn read(&mut self, now: i64) -> u32 {
        self.forget(now);
        self.sum
    }

    /// Minutes until so many calls are too old to count that one more fits under the limit.
    pub fn minutes_until(&mut self, now: i64, limit: u32) -> i64 {
        self.forget(now);
        let mut sum = self.sum;
        for step in 1..=Self::STEPS {
            if sum < limit {
                return (step - 1) * SECONDS / 60;
            }
            sum -= self.counts[Self::slot(self.last - Self::STEPS + step)];
        }
        Self::STEPS * SECONDS / 60
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

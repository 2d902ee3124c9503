//! The sandbox's virtual clock: real time plus an offset that scenarios and tests move.

use jiff::{SignedDuration, Timestamp};

/// Where the sandbox reads the time. `Frozen` stands still until it is moved.
#[derive(Debug, Clone)]
pub enum Clock {
    Running { offset: SignedDuration },
    Frozen { at: Timestamp },
}

impl Clock {
    pub fn now(&self) -> Timestamp {
        match self {
            Self::Running { offset } => Timestamp::now() + *offset,
            Self::Frozen { at } => *at,
        }
    }

    /// Unix seconds, as Meta's token fields count.
    pub fn unix(&self) -> i64 {
        self.now().as_second()
    }

    /// Moves the clock forward (or back, with a negative duration).
    pub fn advance(&mut self, by: SignedDuration) {
        match self {
            Self::Running { offset } => *offset += by,
            Self::Frozen { at } => *at += by,
        }
    }
}

impl Default for Clock {
    fn default() -> Self {
        Self::Running { offset: SignedDuration::ZERO }
    }
}

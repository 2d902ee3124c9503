use std::collections::VecDeque;

use serde_json::Value;

/// How many events are remembered.
const KEPT: usize = 10_000;

/// What was sent to datasets through the Conversions API.
#[derive(Debug, Default)]
pub struct Events {
    received: VecDeque<Received>,
    pub count: u64,
}

/// An event as it came.
#[derive(Debug, Clone)]
pub struct Received {
    pub dataset: String,
    /// Unix seconds.
    pub at: i64,
    pub event: Value,
    /// The lead it is about.
    pub lead: Option<u64>,
    /// It is dated before its lead was made, and may count for nothing.
    pub before_its_lead: bool,
    pub test_event_code: Option<String>,
}

impl Events {
    pub fn add(&mut self, received: Received) {
        if self.received.len() == KEPT {
            self.received.pop_front();
        }
        self.count += 1;
        self.received.push_back(received);
    }

    /// The newest first.
    pub fn iter(&self) -> impl Iterator<Item = &Received> {
        self.received.iter().rev()
    }
}

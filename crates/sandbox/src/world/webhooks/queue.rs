use std::{
    collections::{BTreeMap, HashMap, VecDeque},
    time::{Duration, Instant},
};

use bytes::Bytes;
use jiff::Timestamp;
use serde::Serialize;
use serde_json::Value;

use super::delivery::{self, Change, Delivery, Outcome};

/// Changes that may wait, sent or not: a receiver that is away for long must not fill this machine's memory.
const CAPACITY: usize = 100_000;
/// POSTs under way at the same time.
const IN_FLIGHT: usize = 8;
/// What Meta puts into one POST at most. Source: webhooks/getting-started.
pub const MAX_CHANGES: usize = 1_000;
/// How much of what happened is remembered, and of which bodies.
const LOGGED: usize = 100;
const LOGGED_BODY: usize = 16 * 1024;

/// Changes that wait for their POST, and POSTs that wait for their turn or their answer.
#[derive(Debug, Default)]
pub struct Queue {
    waiting: VecDeque<Change>,
    deliveries: BTreeMap<u64, Delivery>,
    /// Changes in these.
    in_deliveries: usize,
    next_id: u64,
    counts: Counts,
    log: VecDeque<Logged>,
}

/// Changes, and how they fared.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Counts {
    /// Raised for somebody who is subscribed.
    pub raised: u64,
    /// Answered with 200.
    pub sent: u64,
    /// Wait for their POST, or for its next attempt.
    pub pending: u64,
    /// Never sent, because a scenario says so.
    pub lost: u64,
    /// Sent once more than needed.
    pub duplicated: u64,
    /// Given up after 36 hours.
    pub dropped: u64,
    /// Not taken in: too many were waiting.
    pub overflowed: u64,
    /// Nobody is subscribed at both levels.
    pub unsubscribed: u64,
    /// POSTs that were made.
    pub posts: u64,
    /// POSTs that were not answered with 200.
    pub failed_posts: u64,
}

/// One thing that happened, for the admin path.
#[derive(Debug, Clone, Serialize)]
pub struct Logged {
    pub at: Timestamp,
    /// `sent`, `failed`, `dropped`, `lost`, `unsubscribed`, `overflowed`.
    pub what: &'static str,
    pub object: String,
    pub changes: usize,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub attempt: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub status: Option<u16>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
    /// The body as it was sent, unless it is long.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub payload: Option<Value>,
}

/// How changes are put together.
#[derive(Debug, Clone, Copy)]
pub struct Batching {
    pub max: usize,
    /// How long the first change of a POST waits for others.
    pub linger: Duration,
}

impl Queue {
    pub fn counts(&self) -> Counts {
        Counts { pending: self.pending() as u64, ..self.counts }
    }

    /// What happened last, the newest first.
    pub fn log(&self) -> impl Iterator<Item = &Logged> {
        self.log.iter().rev()
    }

    fn pending(&self) -> usize {
        self.waiting.len() + self.in_deliveries
    }

    /// POSTs that are under way.
    pub fn in_flight(&self) -> usize {
        self.deliveries.values().filter(|delivery| delivery.in_flight).count()
    }

    /// Whether there is anything that could become due.
    pub fn is_idle(&self) -> bool {
        self.waiting.is_empty() && self.deliveries.values().all(|delivery| delivery.in_flight)
    }

    pub(super) fn put(&mut self, change: Change, now: Timestamp) {
        self.counts.raised += 1;
        if self.pending() >= CAPACITY {
            self.counts.overflowed += 1;
            self.note(now, "overflowed", &change.object, 1, None);
        } else {
            self.waiting.push_back(change);
        }
    }

    pub(super) fn put_again(&mut self, change: Change) {
        if self.pending() < CAPACITY {
            self.counts.duplicated += 1;
            self.waiting.push_back(change);
        }
    }

    /// A change that nobody will hear of.
    pub(super) fn lose(&mut self, what: &'static str, object: &str, payload: Value, now: Timestamp) {
        if what == "lost" {
            self.counts.raised += 1;
            self.counts.lost += 1;
        } else {
            self.counts.unsubscribed += 1;
        }
        self.note(now, what, object, 1, Some(payload));
    }

    /// A POST that is ready as it stands.
    pub(super) fn put_whole(&mut self, app: &str, object: &str, body: Bytes, now: i64) {
        self.counts.raised += 1;
        self.deliver(app.to_owned(), object.to_owned(), body, 1, now);
    }

    fn deliver(&mut self, app: String, object: String, body: Bytes, changes: usize, now: i64) {
        self.next_id += 1;
        self.in_deliveries += changes;
        let delivery =
            Delivery { app, object, body, changes, attempts: 0, first: now, due: now, in_flight: false };
        self.deliveries.insert(self.next_id, delivery);
    }

    /// Puts waiting changes together into POSTs. `values` says of an app and object whether values are included.
    pub(super) fn gather(
        &mut self,
        batching: Batching,
        instant: Instant,
        now: i64,
        values: impl Fn(&str, &str) -> bool,
    ) {
        while self.deliveries.values().filter(|delivery| delivery.due <= now).count() < IN_FLIGHT {
            let Some((app, object)) = self.ready(batching, instant) else { return };
            let mut taken: Vec<Change> = Vec::new();
            let mut passed_over: Vec<Change> = Vec::new();
            while taken.len() < batching.max
                && let Some(change) = self.waiting.pop_front()
            {
                let fits = change.hold <= instant && change.app == app && change.object == object;
                if fits { &mut taken } else { &mut passed_over }.push(change);
            }
            for change in passed_over.into_iter().rev() {
                self.waiting.push_front(change);
            }
            taken.sort_by_key(|change| change.hold);
            let count = taken.len();
            let body = delivery::body(&object, taken, values(&app, &object), now);
            self.deliver(app, object, body, count, now);
        }
    }

    /// The app and object that have enough changes for a POST, or one that waited long enough.
    fn ready(&self, batching: Batching, instant: Instant) -> Option<(String, String)> {
        let free = || self.waiting.iter().filter(|change| change.hold <= instant);
        let named = |change: &Change| (change.app.clone(), change.object.clone());
        if let Some(ripe) = free().find(|change| change.since + batching.linger <= instant) {
            return Some(named(ripe));
        }
        let mut counts: HashMap<(&str, &str), usize> = HashMap::new();
        free()
            .find(|change| {
                let count = counts.entry((&change.app, &change.object)).or_default();
                *count += 1;
                *count >= batching.max
            })
            .map(named)
    }

    /// Marks due POSTs as under way and gives their ids.
    pub(super) fn start(&mut self, now: i64) -> Vec<u64> {
        let under_way = self.in_flight();
        self.deliveries
            .iter_mut()
            .filter(|(_, delivery)| !delivery.in_flight && delivery.due <= now)
            .take(IN_FLIGHT.saturating_sub(under_way))
            .map(|(id, delivery)| {
                delivery.in_flight = true;
                *id
            })
            .collect()
    }

    pub(super) fn delivery(&self, id: u64) -> Option<&Delivery> {
        self.deliveries.get(&id)
    }

    /// Takes a POST out that has nobody to go to any more.
    pub(super) fn abandon(&mut self, id: u64, now: Timestamp) {
        if let Some(delivery) = self.deliveries.remove(&id) {
            self.in_deliveries -= delivery.changes;
            self.counts.unsubscribed += delivery.changes as u64;
            self.note(now, "unsubscribed", &delivery.object, delivery.changes, None);
        }
    }

    /// Notes how a POST went, and plans the next attempt if there is one.
    pub fn finish(&mut self, id: u64, outcome: &Outcome, now: Timestamp) {
        // A world that began anew in between does not know it.
        let Some(delivery) = self.deliveries.get_mut(&id) else { return };
        delivery.attempts += 1;
        self.counts.posts += 1;
        let what = if *outcome == Ok(200) {
            self.counts.sent += delivery.changes as u64;
            "sent"
        } else {
            self.counts.failed_posts += 1;
            if delivery.failed() {
                "failed"
            } else {
                self.counts.dropped += delivery.changes as u64;
                "dropped"
            }
        };
        let payload = (delivery.body.len() <= LOGGED_BODY)
            .then(|| serde_json::from_slice(&delivery.body).ok())
            .flatten();
        let logged = Logged {
            at: now,
            what,
            object: delivery.object.clone(),
            changes: delivery.changes,
            attempt: Some(delivery.attempts),
            status: outcome.as_ref().ok().copied(),
            error: outcome.as_ref().err().cloned(),
            payload,
        };
        if what != "failed" {
            self.in_deliveries -= delivery.changes;
            self.deliveries.remove(&id);
        }
        self.remember(logged);
    }

    fn note(
        &mut self,
        at: Timestamp,
        what: &'static str,
        object: &str,
        changes: usize,
        payload: Option<Value>,
    ) {
        let object = object.to_owned();
        self.remember(Logged {
            at,
            what,
            object,
            changes,
            attempt: None,
            status: None,
            error: None,
            payload,
        });
    }

    fn remember(&mut self, logged: Logged) {
        if self.log.len() == LOGGED {
            self.log.pop_front();
        }
        self.log.push_back(logged);
    }

    pub(super) fn succeed(&mut self, before: &Queue) {
        self.next_id = before.next_id;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn change(app: &str, entry: usize) -> Change {
        let now = Instant::now();
        Change {
            app: app.to_owned(),
            object: "page".to_owned(),
            entry: entry.to_string(),
            field: "leadgen".to_owned(),
            value: Value::Null,
            since: now,
            hold: now,
        }
    }

    const AT_ONCE: Batching = Batching { max: 2, linger: Duration::ZERO };

    #[test]
    fn changes_of_an_app_share_posts_and_the_counts_add_up() {
        let mut queue = Queue::default();
        for (index, app) in ["a", "b", "a", "a", "b"].into_iter().enumerate() {
            queue.put(change(app, index), Timestamp::UNIX_EPOCH);
        }
        queue.gather(AT_ONCE, Instant::now(), 0, |_, _| true);
        let posts: Vec<(String, usize)> =
            queue.deliveries.values().map(|delivery| (delivery.app.clone(), delivery.changes)).collect();
        assert_eq!(posts, [("a".to_owned(), 2), ("b".to_owned(), 2), ("a".to_owned(), 1)]);
        for id in queue.start(0) {
            queue.finish(id, &Ok(200), Timestamp::UNIX_EPOCH);
        }
        let counts = queue.counts();
        assert_eq!((counts.raised, counts.sent, counts.pending, counts.posts), (5, 5, 0, 3));
        assert!(queue.is_idle());
    }

    #[test]
    fn what_does_not_fit_is_not_taken_in() {
        let mut queue = Queue::default();
        for index in 0..=CAPACITY {
            queue.put(change("a", index), Timestamp::UNIX_EPOCH);
        }
        assert_eq!((queue.counts().pending, queue.counts().overflowed), (CAPACITY as u64, 1));
    }
}

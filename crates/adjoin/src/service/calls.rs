//! The call log: which methods were called for a connection and how they ended. Written behind the calls, in batches,
//! so that no call waits for it.

use std::{sync::Arc, time::Duration};

use tokio::sync::{mpsc, oneshot};

use super::{App, Result, connections};
use crate::{
    id::{AccountId, ConnectionId},
    metrics::Metrics,
    store::{self, Db, Page, calls, idempotency},
    time::{Clock, Timestamp},
};

pub use store::calls::Call;

/// Most calls one page holds.
pub const PAGE_MAX: usize = 100;

/// Calls that may wait to be written; beyond it they are counted and dropped.
const QUEUE: usize = 10_000;
/// Calls in one transaction.
const BATCH: usize = 500;
/// How long a first call waits for others to share its transaction. A commit costs milliseconds of a core; who asks for the
/// log does not wait for this.
const LINGER: Duration = Duration::from_millis(250);
/// How long a call is kept.
const KEPT_SECONDS: i64 = 30 * 24 * 3600;
/// How long an idempotency key is kept.
const KEYS_KEPT_SECONDS: i64 = 24 * 3600;
const PRUNE_EVERY_SECONDS: i64 = 3600;
/// Most lines, and most keys, forgotten in one transaction.
const PRUNED: i64 = 1000;

/// The end of the log that calls write to.
#[derive(Debug)]
pub struct Log {
    queue: mpsc::Sender<Box<Call>>,
    flushes: mpsc::Sender<Flush>,
    metrics: Arc<Metrics>,
}

/// Answered once everything before it is written.
type Flush = oneshot::Sender<()>;

impl Log {
    /// Starts the task that writes. It ends when the log is dropped.
    pub fn start(db: Db, clock: Clock, metrics: Arc<Metrics>) -> Self {
        let (queue, calls) = mpsc::channel(QUEUE);
        let (flushes, asked) = mpsc::channel(1);
        let writer = Writer { db, clock, metrics: Arc::clone(&metrics), pruned_at: None };
        tokio::spawn(writer.run(calls, asked));
        Self { queue, flushes, metrics }
    }

    /// Never waits.
    pub fn add(&self, call: Call) {
        if self.queue.try_send(Box::new(call)).is_err() {
            self.metrics.not_logged(1);
        }
    }

    /// Waits until everything added so far is written.
    pub async fn flush(&self) {
        let (written, wait) = oneshot::channel();
        if self.flushes.send(written).await.is_ok() {
            let _ = wait.await;
        }
    }
}

struct Writer {
    db: Db,
    clock: Clock,
    metrics: Arc<Metrics>,
    pruned_at: Option<Timestamp>,
}

impl Writer {
    async fn run(mut self, mut calls: mpsc::Receiver<Box<Call>>, mut flushes: mpsc::Receiver<Flush>) {
        loop {
            let mut batch = Vec::new();
            let flush = tokio::select! {
                first = calls.recv() => {
                    let Some(first) = first else { return };
                    batch.push(*first);
                    // Not listening meanwhile: a call that wakes nobody is answered sooner.
                    tokio::time::timeout(LINGER, flushes.recv()).await.ok().flatten()
                }
                Some(flush) = flushes.recv() => Some(flush),
            };
            for _ in 0..=calls.len() / BATCH {
                while batch.len() < BATCH
                    && let Ok(call) = calls.try_recv()
                {
                    batch.push(*call);
                }
                self.write(&batch).await;
                batch.clear();
            }
            self.prune().await;
            self.metrics.upkeep();
            if let Some(written) = flush {
                let _ = written.send(());
            }
        }
    }

    async fn write(&self, calls: &[Call]) {
        if calls.is_empty() || self.try_write(calls).await.is_ok() {
            return;
        }
        // One bad line must not take the others with it.
        let mut lost = 0;
        for call in calls {
            if let Err(error) = self.try_write(std::slice::from_ref(call)).await {
                tracing::error!(%error, "a call is missing in the call log");
                lost += 1;
            }
        }
        self.metrics.not_logged(lost);
    }

    async fn try_write(&self, batch: &[Call]) -> store::Result<()> {
        let mut tx = self.db.begin_apart().await?;
        calls::insert(&mut tx, batch).await?;
        tx.commit().await
    }

    async fn prune(&mut self) {
        let now = self.clock.now();
        if self.pruned_at.is_some_and(|at| at.plus_seconds(PRUNE_EVERY_SECONDS) > now) {
            return;
        }
        self.pruned_at = Some(now);
        let pruned = async {
            let mut tx = self.db.begin_apart().await?;
            let calls = calls::prune(&mut tx, now.plus_seconds(-KEPT_SECONDS), PRUNED).await?;
            let keys = idempotency::prune(&mut tx, now.plus_seconds(-KEYS_KEPT_SECONDS), PRUNED).await?;
            tx.commit().await?;
            Ok::<_, store::Error>(calls.max(keys) >= PRUNED.unsigned_abs())
        };
        match pruned.await {
            // The rest goes behind the next lines.
            Ok(true) => self.pruned_at = None,
            Ok(false) => {}
            Err(error) => tracing::warn!(%error, "old calls stay in the call log for now"),
        }
    }
}

/// The calls of one connection, newest first. Those of the last moment in another process may not be written yet.
pub async fn list(
    app: &App,
    account: &AccountId,
    connection: &ConnectionId,
    after: Option<&str>,
    limit: usize,
) -> Result<Page<Call>> {
    connections::get(app, account, connection).await?;
    app.calls.flush().await;
    Ok(calls::of_connection(&app.db, account, connection, after, limit.clamp(1, PAGE_MAX)).await?)
}

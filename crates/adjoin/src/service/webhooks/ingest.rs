//! Many webhooks, one commit. While one commit is under way the next ones gather, so the disk sets the pace and
//! nobody waits for a timer.

use std::sync::Arc;

use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc, oneshot};

use crate::{
    id::WebhookId,
    metrics::Metrics,
    store::{
        self, Db,
        webhooks::{self as table, Stored},
    },
    time::Timestamp,
};

/// Bodies that may wait for a commit. Beyond it Meta is told to come again.
const QUEUE: usize = 4096;
/// Most bytes of those that wait, and of those that are being committed.
const QUEUE_BYTES: usize = 64 * 1024 * 1024;
/// Most bodies in one commit.
const GROUP: usize = 512;
/// Most bytes in one commit: those who wait are not to wait for a huge one.
const GROUP_BYTES: usize = 16 * 1024 * 1024;

/// Why a body is not on disk. Meta is answered with a 5xx and tries again for 36 hours.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum NotStored {
    #[error("too many webhooks wait to be stored")]
    Full,
    #[error("the database did not store it")]
    Failed,
}

/// A body that waits for a commit.
#[derive(Debug)]
struct Waiting {
    row: Stored,
    asker: Asker,
}

/// Who waits, and the room that the body takes until it is committed.
#[derive(Debug)]
struct Asker {
    tell: oneshot::Sender<Result<(), NotStored>>,
    _room: OwnedSemaphorePermit,
}

/// Where webhooks are stored.
#[derive(Debug)]
pub struct Intake {
    queue: mpsc::Sender<Waiting>,
    /// A permit a byte.
    room: Arc<Semaphore>,
    metrics: Arc<Metrics>,
}

impl Intake {
    /// Starts the task that writes. It ends when the intake is dropped.
    pub fn start(db: Db, metrics: Arc<Metrics>) -> Self {
        let (intake, waiting) = Self::new(Arc::clone(&metrics));
        tokio::spawn(write(db, waiting, metrics));
        intake
    }

    fn new(metrics: Arc<Metrics>) -> (Self, mpsc::Receiver<Waiting>) {
        let (queue, waiting) = mpsc::channel(QUEUE);
        (Self { queue, room: Arc::new(Semaphore::new(QUEUE_BYTES)), metrics }, waiting)
    }

    /// Answers once the body is committed.
    pub async fn store(&self, body: Vec<u8>, now: Timestamp) -> Result<(), NotStored> {
        let bytes = u32::try_from(body.len()).map_err(|_| NotStored::Full)?;
        let room = Arc::clone(&self.room).try_acquire_many_owned(bytes).map_err(|_| NotStored::Full)?;
        let (tell, told) = oneshot::channel();
        let row = Stored { id: WebhookId::new(), received_at: now, body };
        let waiting = Waiting { row, asker: Asker { tell, _room: room } };
        self.queue.try_send(waiting).map_err(|_| NotStored::Full)?;
        self.metrics.webhook_waits();
        told.await.unwrap_or(Err(NotStored::Failed))
    }
}

async fn write(db: Db, mut waiting: mpsc::Receiver<Waiting>, metrics: Arc<Metrics>) {
    while let Some(first) = waiting.recv().await {
        let mut bytes = first.row.body.len();
        let (mut rows, mut askers) = (vec![first.row], vec![first.asker]);
        while rows.len() < GROUP
            && bytes < GROUP_BYTES
            && let Ok(next) = waiting.try_recv()
        {
            bytes += next.row.body.len();
            rows.push(next.row);
            askers.push(next.asker);
        }
        let outcome = commit(&db, &rows).await.map(|()| metrics.webhooks_committed()).map_err(|error| {
            tracing::error!(
                error = &error as &dyn std::error::Error,
                "webhooks were not stored; Meta is asked to send them again"
            );
            NotStored::Failed
        });
        metrics.webhooks_settled(u32::try_from(rows.len()).unwrap_or(u32::MAX));
        drop(rows);
        for asker in askers {
            // Who went away is told again by Meta; the lead is the same one then.
            let _ = asker.tell.send(outcome);
        }
    }
}

async fn commit(db: &Db, rows: &[Stored]) -> store::Result<()> {
    let mut tx = db.begin_apart().await?;
    table::insert(&mut tx, rows).await?;
    tx.commit().await
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What the database is too slow for is told to come again; what is stored makes room.
    #[tokio::test]
    async fn the_bytes_that_wait_have_a_limit() {
        let (intake, mut waiting) = Intake::new(Arc::default());
        let intake = Arc::new(intake);
        let store = |bytes: usize| {
            let intake = Arc::clone(&intake);
            async move { intake.store(vec![0; bytes], Timestamp::from_unix(0)).await }
        };
        let settle = |waiting: Waiting, outcome| waiting.asker.tell.send(outcome).unwrap();
        let first = tokio::spawn(store(QUEUE_BYTES - 1));
        let queued = waiting.recv().await.unwrap();
        assert_eq!(queued.row.body.len(), QUEUE_BYTES - 1);
        assert_eq!(store(2).await, Err(NotStored::Full));
        settle(queued, Ok(()));
        assert_eq!(first.await.unwrap(), Ok(()));
        let second = tokio::spawn(store(2));
        settle(waiting.recv().await.unwrap(), Err(NotStored::Failed));
        assert_eq!(second.await.unwrap(), Err(NotStored::Failed));
    }
}

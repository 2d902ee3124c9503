//! Many webhooks, one commit. While one commit is under way the next ones gather, so the disk sets the pace and
//! nobody waits for a timer.

use tokio::sync::{mpsc, oneshot};

use crate::{
    id::WebhookId,
    store::{
        self, Db,
        webhooks::{self as table, Stored},
    },
    time::Timestamp,
};

/// Bodies that may wait for a commit. Beyond it Meta is told to come again.
const QUEUE: usize = 4096;
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

type Waiting = (Stored, oneshot::Sender<Result<(), NotStored>>);

/// Where webhooks are stored.
#[derive(Debug)]
pub struct Intake(mpsc::Sender<Waiting>);

impl Intake {
    /// Starts the task that writes. It ends when the intake is dropped.
    pub fn start(db: Db) -> Self {
        let (queue, waiting) = mpsc::channel(QUEUE);
        tokio::spawn(write(db, waiting));
        Self(queue)
    }

    /// Answers once the body is committed.
    pub async fn store(&self, body: Vec<u8>, now: Timestamp) -> Result<(), NotStored> {
        let (tell, told) = oneshot::channel();
        let row = Stored { id: WebhookId::new(), received_at: now, body };
        self.0.try_send((row, tell)).map_err(|_| NotStored::Full)?;
        told.await.unwrap_or(Err(NotStored::Failed))
    }
}

async fn write(db: Db, mut waiting: mpsc::Receiver<Waiting>) {
    while let Some(first) = waiting.recv().await {
        let mut bytes = first.0.body.len();
        let (mut rows, mut tells) = (vec![first.0], vec![first.1]);
        while rows.len() < GROUP
            && bytes < GROUP_BYTES
            && let Ok((row, tell)) = waiting.try_recv()
        {
            bytes += row.body.len();
            rows.push(row);
            tells.push(tell);
        }
        let outcome = commit(&db, &rows).await.map_err(|error| {
            tracing::error!(
                error = &error as &dyn std::error::Error,
                "webhooks were not stored; Meta is asked to send them again"
            );
            NotStored::Failed
        });
        for tell in tells {
            // Who went away is told again by Meta; the lead is the same one then.
            let _ = tell.send(outcome);
        }
    }
}

async fn commit(db: &Db, rows: &[Stored]) -> store::Result<()> {
    let mut tx = db.begin_apart().await?;
    table::insert(&mut tx, rows).await?;
    tx.commit().await
}

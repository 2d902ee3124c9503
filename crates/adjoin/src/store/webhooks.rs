use std::sync::LazyLock;

use super::{Result, Tx, row, sql};
use crate::{
    id::{AccountId, WebhookId},
    time::Timestamp,
};

/// A body that Meta posted, as it came.
#[derive(Debug, Clone)]
pub struct Stored {
    pub id: WebhookId,
    pub received_at: Timestamp,
    pub body: Vec<u8>,
}
row!(Stored { id, received_at, body });

/// Most bodies in one statement.
const LINES: usize = 16;

/// `INSERTS[n]` adds `n + 1` bodies.
static INSERTS: LazyLock<Vec<String>> = LazyLock::new(|| {
    let line = |nth: usize| format!("(${}, ${}, ${})", 3 * nth + 1, 3 * nth + 2, 3 * nth + 3);
    let insert = |lines| {
        let lines: Vec<String> = (0..lines).map(line).collect();
        format!("INSERT INTO webhooks (id, received_at, body) VALUES {}", lines.join(", "))
    };
    (1..=LINES).map(insert).collect()
});

pub async fn insert(tx: &mut Tx, bodies: &[Stored]) -> Result<()> {
    for lines in bodies.chunks(LINES) {
        let insert = lines.iter().fold(sql(&INSERTS[lines.len() - 1]), |insert, it| {
            insert.bind(&it.id).bind(it.received_at).bind(it.body.clone())
        });
        insert.execute(tx).await?;
    }
    Ok(())
}

#[derive(Debug)]
struct Size {
    bytes: i64,
}
row!(Size { bytes });

/// How many of the oldest bodies have no more bytes than these together: one at least, and `limit` at most.
pub async fn fitting(tx: &mut Tx, limit: i64, bytes: i64) -> Result<i64> {
    let sizes: Vec<Size> =
        sql("SELECT CAST(LENGTH(body) AS BIGINT) AS bytes FROM webhooks ORDER BY id LIMIT $1")
            .bind(limit)
            .all(tx)
            .await?;
    let mut left = bytes;
    for (fitting, size) in (0..).zip(&sizes) {
        left -= size.bytes;
        if left < 0 {
            return Ok(i64::max(fitting, 1));
        }
    }
    Ok(limit)
}

/// The oldest bodies, held until the transaction ends; those that another process holds are passed over.
pub async fn take_oldest(tx: &mut Tx, limit: i64) -> Result<Vec<Stored>> {
    let text = if tx.locks_rows() {
        "SELECT id, received_at, body FROM webhooks ORDER BY id LIMIT $1 FOR UPDATE SKIP LOCKED"
    } else {
        "SELECT id, received_at, body FROM webhooks ORDER BY id LIMIT $1"
    };
    sql(text).bind(limit).all(tx).await
}

pub async fn delete(tx: &mut Tx, id: &WebhookId) -> Result<()> {
    sql("DELETE FROM webhooks WHERE id = $1").bind(id).execute(tx).await?;
    Ok(())
}

#[derive(Debug)]
struct Count {
    count: i64,
}
row!(Count { count });

/// How many bodies wait to be sorted.
pub async fn count(db: &super::Db) -> Result<i64> {
    let counted: Option<Count> = sql("SELECT COUNT(*) AS count FROM webhooks").optional(db).await?;
    Ok(counted.map_or(0, |row| row.count))
}

#[derive(Debug)]
struct Recipient {
    account_id: AccountId,
}
row!(Recipient { account_id });

/// The accounts that the webhooks of a Page or an ad account (without `act_`) go to.
pub async fn recipients(tx: &mut Tx, object: &str, object_id: &str) -> Result<Vec<AccountId>> {
    let rows: Vec<Recipient> =
        sql("SELECT account_id FROM subscriptions WHERE object = $1 AND object_id = $2
         ORDER BY account_id")
        .bind(object)
        .bind(object_id)
        .all(tx)
        .await?;
    Ok(rows.into_iter().map(|row| row.account_id).collect())
}

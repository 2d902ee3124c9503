use std::sync::LazyLock;

use super::{Db, Page, Result, Tx, row, sql};
use crate::{
    id::{AccountId, CallId, ConnectionId},
    time::Timestamp,
};

/// One call of a method, as the log keeps it: neither arguments nor answers.
#[derive(Debug, Clone)]
pub struct Call {
    pub id: CallId,
    pub account_id: AccountId,
    pub connection_id: ConnectionId,
    pub method: String,
    /// How it ended, as the service names it.
    pub outcome: String,
    /// Meta's code and subcode, when it was Meta that refused.
    pub code: Option<i64>,
    pub subcode: Option<i64>,
    /// Why it did not succeed.
    pub message: Option<String>,
    /// Names the call at Meta's support.
    pub trace_id: Option<String>,
    pub duration_us: i64,
    pub at: Timestamp,
}
row!(Call {
    id,
    account_id,
    connection_id,
    method,
    outcome,
    code,
    subcode,
    message,
    trace_id,
    duration_us,
    at
});

/// Most lines in one statement.
const LINES: usize = 20;
const COLUMNS: usize = 11;

/// `INSERTS[n]` adds `n + 1` lines.
static INSERTS: LazyLock<Vec<String>> = LazyLock::new(|| (1..=LINES).map(insert_text).collect());

fn insert_text(lines: usize) -> String {
    let line = |nth: usize| {
        let values: Vec<String> =
            (1..=COLUMNS).map(|column| format!("${}", nth * COLUMNS + column)).collect();
        format!("({})", values.join(", "))
    };
    let lines: Vec<String> = (0..lines).map(line).collect();
    format!(
        "WITH new (id, account_id, connection_id, method, outcome, code, subcode, message, trace_id, duration_us, at)
             AS (VALUES {})
         INSERT INTO calls (id, account_id, connection_id, method, outcome, code, subcode, message, trace_id,
                            duration_us, at)
         SELECT new.id, n.account_id, n.id, new.method, new.outcome, new.code, new.subcode, new.message,
                new.trace_id, new.duration_us, new.at
         FROM new JOIN connections n ON n.id = new.connection_id AND n.account_id = new.account_id",
        lines.join(", ")
    )
}

/// Adds lines, but for those whose connection is gone by now.
pub async fn insert(tx: &mut Tx, calls: &[Call]) -> Result<()> {
    for lines in calls.chunks(LINES) {
        let insert = lines.iter().fold(sql(&INSERTS[lines.len() - 1]), |insert, call| {
            insert
                .bind(&call.id)
                .bind(&call.account_id)
                .bind(&call.connection_id)
                .bind(&call.method)
                .bind(&call.outcome)
                .bind(call.code)
                .bind(call.subcode)
                .bind(call.message.clone())
                .bind(call.trace_id.clone())
                .bind(call.duration_us)
                .bind(call.at)
        });
        insert.execute(tx).await?;
    }
    Ok(())
}

/// Calls of one connection, newest first, before the cursor.
pub async fn of_connection(
    db: &Db,
    account: &AccountId,
    connection: &ConnectionId,
    before: Option<&str>,
    limit: usize,
) -> Result<Page<Call>> {
    let rows = sql("SELECT id, account_id, connection_id, method, outcome, code, subcode, message, trace_id,
                duration_us, at
         FROM calls WHERE connection_id = $1 AND account_id = $2 AND id < $3 ORDER BY id DESC LIMIT $4")
    .bind(connection)
    .bind(account)
    .bind(before.unwrap_or(CallId::BEYOND))
    .bind(i64::try_from(limit).unwrap_or(i64::MAX - 1) + 1)
    .all(db)
    .await?;
    Ok(Page::from_rows(rows, limit, |call: &Call| call.id.to_string()))
}

/// Forgets some calls from before this moment.
pub async fn prune(tx: &mut Tx, before: Timestamp, limit: i64) -> Result<u64> {
    sql("DELETE FROM calls WHERE id IN (SELECT id FROM calls WHERE at < $1 LIMIT $2)")
        .bind(before)
        .bind(limit)
        .execute(tx)
        .await
}

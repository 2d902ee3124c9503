use serde_json::Value;

use super::{Db, Json, Result, Tx, row, sql};
use crate::{audit::Actor, id::AuditId, time::Timestamp};

/// A line of the audit log. It never holds a secret.
#[derive(Debug, Clone)]
pub struct Entry {
    pub id: AuditId,
    pub at: Timestamp,
    pub actor: String,
    pub action: String,
    pub subject: String,
    pub detail: Json<Value>,
}
row!(Entry { id, at, actor, action, subject, detail });

pub async fn insert(
    tx: &mut Tx,
    actor: &Actor,
    action: &str,
    subject: &str,
    detail: Value,
    now: Timestamp,
) -> Result<()> {
    sql("INSERT INTO audit (id, at, actor, action, subject, detail) VALUES ($1, $2, $3, $4, $5, $6)")
        .bind(&AuditId::new())
        .bind(now)
        .bind(actor.to_string())
        .bind(action)
        .bind(subject)
        .bind(Json(detail))
        .execute(tx)
        .await?;
    Ok(())
}

/// The newest lines about a subject; about a connection, also those of its connect sessions.
pub async fn about(db: &Db, subject: &str, limit: i64) -> Result<Vec<Entry>> {
    sql("SELECT id, at, actor, action, subject, detail FROM audit
         WHERE subject = $1 OR subject IN (SELECT id FROM connect_sessions WHERE connection_id = $1)
         ORDER BY id DESC LIMIT $2")
    .bind(subject)
    .bind(limit)
    .all(db)
    .await
}

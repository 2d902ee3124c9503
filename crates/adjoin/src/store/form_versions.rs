use super::{Db, Json, Result, Tx, row, sql};
use crate::{
    id::{AccountId, FormVersionId},
    time::Timestamp,
};

/// A form as it stood when it was read: what leads answered. Labels of questions change.
#[derive(Debug, Clone)]
pub struct Stored {
    pub id: FormVersionId,
    /// Meta's JSON of the parts that make a version.
    pub content: Json<serde_json::Value>,
    /// When it was first read.
    pub seen_at: Timestamp,
}
row!(Stored { id, content, seen_at });

#[derive(Debug)]
struct Id {
    id: FormVersionId,
}
row!(Id { id });

/// The version with this content: the one that is there, or a new one.
pub async fn get_or_insert(
    tx: &mut Tx,
    account: &AccountId,
    form_id: &str,
    content_hash: &[u8],
    content: serde_json::Value,
    now: Timestamp,
) -> Result<FormVersionId> {
    if let Some(id) = by_hash(tx, account, form_id, content_hash).await? {
        return Ok(id);
    }
    let id = FormVersionId::new();
    // Somebody else may be reading the same form for the first time: the one who came first counts.
    sql("INSERT INTO form_versions (id, account_id, form_id, content_hash, content, seen_at)
         VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT (account_id, form_id, content_hash) DO NOTHING")
    .bind(&id)
    .bind(account)
    .bind(form_id)
    .bind(content_hash)
    .bind(Json(content))
    .bind(now)
    .execute(&mut *tx)
    .await?;
    Ok(by_hash(tx, account, form_id, content_hash).await?.unwrap_or(id))
}

async fn by_hash(
    tx: &mut Tx,
    account: &AccountId,
    form_id: &str,
    content_hash: &[u8],
) -> Result<Option<FormVersionId>> {
    let row: Option<Id> =
        sql("SELECT id FROM form_versions WHERE account_id = $1 AND form_id = $2 AND content_hash = $3")
            .bind(account)
            .bind(form_id)
            .bind(content_hash)
            .optional(tx)
            .await?;
    Ok(row.map(|row| row.id))
}

/// Gives a version to some leads of the form that were read while none was known. Answers how many.
pub async fn fill(
    tx: &mut Tx,
    account: &AccountId,
    form_id: &str,
    version: &FormVersionId,
    limit: i64,
) -> Result<u64> {
    macro_rules! filled {
        ($lock:literal) => {
            concat!(
                "UPDATE leads SET form_version_id = $3 WHERE id IN
                     (SELECT id FROM leads WHERE account_id = $1 AND form_id = $2 AND form_version_id IS NULL
                          AND hydrated_at IS NOT NULL
                      ORDER BY meta_lead_id LIMIT $4",
                $lock,
                ")"
            )
        };
    }
    sql(if tx.locks_rows() { filled!(" FOR UPDATE") } else { filled!("") })
        .bind(account)
        .bind(form_id)
        .bind(version)
        .bind(limit)
        .execute(tx)
        .await
}

/// The newest versions of a form, newest first.
pub async fn of_form(db: &Db, account: &AccountId, form_id: &str, limit: i64) -> Result<Vec<Stored>> {
    sql("SELECT id, content, seen_at FROM form_versions WHERE account_id = $1 AND form_id = $2
         ORDER BY seen_at DESC, id DESC LIMIT $3")
    .bind(account)
    .bind(form_id)
    .bind(limit)
    .all(db)
    .await
}

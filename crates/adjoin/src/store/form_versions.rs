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
    let known: Option<Id> =
        sql("SELECT id FROM form_versions WHERE account_id = $1 AND form_id = $2 AND content_hash = $3")
            .bind(account)
            .bind(form_id)
            .bind(content_hash)
            .optional(&mut *tx)
            .await?;
    if let Some(known) = known {
        return Ok(known.id);
    }
    let id = FormVersionId::new();
    sql("INSERT INTO form_versions (id, account_id, form_id, content_hash, content, seen_at)
         VALUES ($1, $2, $3, $4, $5, $6)")
    .bind(&id)
    .bind(account)
    .bind(form_id)
    .bind(content_hash)
    .bind(Json(content))
    .bind(now)
    .execute(tx)
    .await?;
    Ok(id)
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

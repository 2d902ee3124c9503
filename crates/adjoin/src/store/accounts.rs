use super::{Db, Page, Result, Tx, row, sql};
use crate::{id::AccountId, time::Timestamp};

/// A customer of the partner.
#[derive(Debug, Clone)]
pub struct Account {
    pub id: AccountId,
    /// The partner's own id for it, unique when there is one.
    pub external_id: Option<String>,
    pub name: String,
    pub created_at: Timestamp,
}
row!(Account { id, external_id, name, created_at });

pub async fn insert(tx: &mut Tx, account: &Account) -> Result<()> {
    sql("INSERT INTO accounts (id, external_id, name, created_at) VALUES ($1, $2, $3, $4)")
        .bind(&account.id)
        .bind(account.external_id.clone())
        .bind(&account.name)
        .bind(account.created_at)
        .execute(tx)
        .await?;
    Ok(())
}

pub async fn rename(tx: &mut Tx, id: &AccountId, name: &str) -> Result<bool> {
    Ok(sql("UPDATE accounts SET name = $2 WHERE id = $1").bind(id).bind(name).execute(tx).await? == 1)
}

pub async fn delete(tx: &mut Tx, id: &AccountId) -> Result<bool> {
    Ok(sql("DELETE FROM accounts WHERE id = $1").bind(id).execute(tx).await? == 1)
}

pub async fn by_id(db: &Db, id: &AccountId) -> Result<Option<Account>> {
    sql("SELECT id, external_id, name, created_at FROM accounts WHERE id = $1").bind(id).optional(db).await
}

pub async fn by_external_id(db: &Db, external_id: &str) -> Result<Option<Account>> {
    sql("SELECT id, external_id, name, created_at FROM accounts WHERE external_id = $1")
        .bind(external_id)
        .optional(db)
        .await
}

/// Accounts whose name or external id contains the text (any case), newest first, before the cursor.
pub async fn find(db: &Db, text: &str, before: Option<&str>, limit: usize) -> Result<Page<Account>> {
    let pattern =
        format!("%{}%", text.to_lowercase().replace('\\', "\\\\").replace('%', "\\%").replace('_', "\\_"));
    let rows = sql("SELECT id, external_id, name, created_at FROM accounts
         WHERE (LOWER(name) LIKE $1 ESCAPE '\\' OR LOWER(COALESCE(external_id, '')) LIKE $1 ESCAPE '\\' OR id = $2)
           AND id < $3
         ORDER BY id DESC LIMIT $4")
    .bind(pattern)
    .bind(text)
    .bind(before.unwrap_or("acc_~"))
    .bind(i64::try_from(limit).unwrap_or(i64::MAX - 1) + 1)
    .all(db)
    .await?;
    Ok(Page::from_rows(rows, limit, |account: &Account| account.id.to_string()))
}

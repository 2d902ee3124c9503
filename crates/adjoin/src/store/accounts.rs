use super::{Db, Page, Result, Tx, row, sql};
use crate::{id::AccountId, time::Timestamp};

/// A customer of the partner.
#[derive(Debug, Clone)]
pub struct Account {
    pub id: AccountId,
    /// The partner's own id for it, unique when there is one.
    pub external_id: Option<String>,
    pub name: String,
    /// How many days its leads are kept. `None`: until they are erased.
    pub lead_retention_days: Option<i64>,
    pub created_at: Timestamp,
}
row!(Account { id, external_id, name, lead_retention_days, created_at });

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

pub async fn keep_leads(tx: &mut Tx, id: &AccountId, days: Option<i64>) -> Result<bool> {
    let done =
        sql("UPDATE accounts SET lead_retention_days = $2 WHERE id = $1").bind(id).bind(days).execute(tx);
    Ok(done.await? == 1)
}

pub async fn delete(tx: &mut Tx, id: &AccountId) -> Result<bool> {
    Ok(sql("DELETE FROM accounts WHERE id = $1").bind(id).execute(tx).await? == 1)
}

pub async fn by_id(db: &Db, id: &AccountId) -> Result<Option<Account>> {
    sql("SELECT id, external_id, name, lead_retention_days, created_at FROM accounts WHERE id = $1")
        .bind(id)
        .optional(db)
        .await
}

pub async fn by_external_id(db: &Db, external_id: &str) -> Result<Option<Account>> {
    sql("SELECT id, external_id, name, lead_retention_days, created_at FROM accounts WHERE external_id = $1")
        .bind(external_id)
        .optional(db)
        .await
}

/// An account with how its connection stands.
#[derive(Debug, Clone)]
pub struct Listed {
    pub id: AccountId,
    pub external_id: Option<String>,
    pub name: String,
    pub created_at: Timestamp,
    /// The name of the connection's state; `None` when the connector is not installed.
    pub status: Option<String>,
}
row!(Listed { id, external_id, name, created_at, status });

#[derive(Debug)]
struct Count {
    count: i64,
}
row!(Count { count });

pub async fn count(db: &Db) -> Result<i64> {
    let counted = sql("SELECT COUNT(*) AS count FROM accounts").optional::<Count>(db).await?;
    Ok(counted.map_or(0, |row| row.count))
}

/// Accounts whose name or external id contains the text (any case), newest first, before the cursor.
pub async fn find(db: &Db, text: &str, before: Option<&str>, limit: usize) -> Result<Page<Account>> {
    let rows = sql("SELECT id, external_id, name, lead_retention_days, created_at FROM accounts
         WHERE (LOWER(name) LIKE $1 ESCAPE '\\' OR LOWER(COALESCE(external_id, '')) LIKE $1 ESCAPE '\\' OR id = $2)
           AND id < $3
         ORDER BY id DESC LIMIT $4")
    .bind(containing(text))
    .bind(text)
    .bind(before.unwrap_or("acc_~"))
    .bind(one_more(limit))
    .all(db)
    .await?;
    Ok(Page::from_rows(rows, limit, |account: &Account| account.id.to_string()))
}

/// The same with each account's connection; an empty `status` takes all, another only accounts whose connection is in
/// that state.
pub async fn find_listed(
    db: &Db,
    text: &str,
    status: &str,
    before: Option<&str>,
    limit: usize,
) -> Result<Page<Listed>> {
    let rows = sql(
        "SELECT a.id AS id, a.external_id AS external_id, a.name AS name, a.created_at AS created_at, c.status AS status
         FROM accounts a LEFT JOIN connections c ON c.account_id = a.id
         WHERE (LOWER(a.name) LIKE $1 ESCAPE '\\' OR LOWER(COALESCE(a.external_id, '')) LIKE $1 ESCAPE '\\' OR a.id = $2)
           AND ($3 = '' OR c.status = $3) AND a.id < $4
         ORDER BY a.id DESC LIMIT $5",
    )
    .bind(containing(text))
    .bind(text)
    .bind(status)
    .bind(before.unwrap_or("acc_~"))
    .bind(one_more(limit))
    .all(db)
    .await?;
    Ok(Page::from_rows(rows, limit, |account: &Listed| account.id.to_string()))
}

/// The LIKE pattern of texts that contain this one, itself taken literally.
fn containing(text: &str) -> String {
    format!("%{}%", text.to_lowercase().replace('\\', "\\\\").replace('%', "\\%").replace('_', "\\_"))
}

/// One row beyond the limit shows whether there is another page.
fn one_more(limit: usize) -> i64 {
    i64::try_from(limit).unwrap_or(i64::MAX - 1) + 1
}

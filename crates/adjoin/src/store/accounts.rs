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
    sql("INSERT INTO accounts (id, external_id, name, name_folded, created_at) VALUES ($1, $2, $3, $4, $5)")
        .bind(&account.id)
        .bind(account.external_id.clone())
        .bind(&account.name)
        .bind(folded(&account.name))
        .bind(account.created_at)
        .execute(tx)
        .await?;
    Ok(())
}

pub async fn rename(tx: &mut Tx, id: &AccountId, name: &str) -> Result<bool> {
    let done = sql("UPDATE accounts SET name = $2, name_folded = $3 WHERE id = $1")
        .bind(id)
        .bind(name)
        .bind(folded(name))
        .execute(tx);
    Ok(done.await? == 1)
}

#[derive(Debug)]
struct Name {
    id: AccountId,
    name: String,
}
row!(Name { id, name });

/// Folds the names that stand there from before names were folded.
pub(super) async fn fold_names(tx: &mut Tx) -> Result<()> {
    let names: Vec<Name> =
        sql("SELECT id, name FROM accounts WHERE name_folded IS NULL").all(&mut *tx).await?;
    for Name { id, name } in names {
        sql("UPDATE accounts SET name_folded = $2 WHERE id = $1")
            .bind(&id)
            .bind(folded(&name))
            .execute(&mut *tx)
            .await?;
    }
    Ok(())
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
         WHERE (COALESCE(name_folded, LOWER(name)) LIKE $1 ESCAPE '\\'
                OR LOWER(COALESCE(external_id, '')) LIKE $1 ESCAPE '\\' OR id = $2)
           AND id < $3
         ORDER BY id DESC LIMIT $4")
    .bind(containing(text))
    .bind(text)
    .bind(before.unwrap_or(AccountId::BEYOND))
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
         WHERE (COALESCE(a.name_folded, LOWER(a.name)) LIKE $1 ESCAPE '\\'
                OR LOWER(COALESCE(a.external_id, '')) LIKE $1 ESCAPE '\\' OR a.id = $2)
           AND ($3 = '' OR c.status = $3) AND a.id < $4
         ORDER BY a.id DESC LIMIT $5",
    )
    .bind(containing(text))
    .bind(text)
    .bind(status)
    .bind(before.unwrap_or(AccountId::BEYOND))
    .bind(one_more(limit))
    .all(db)
    .await?;
    Ok(Page::from_rows(rows, limit, |account: &Listed| account.id.to_string()))
}

/// A text in which capitals do not count. The databases do not agree on which letters have capitals, so this is the only place.
fn folded(text: &str) -> String {
    text.to_lowercase()
}

/// The LIKE pattern of texts that contain this one, itself taken literally.
fn containing(text: &str) -> String {
    format!("%{}%", folded(text).replace('\\', "\\\\").replace('%', "\\%").replace('_', "\\_"))
}

/// One row beyond the limit shows whether there is another page.
fn one_more(limit: usize) -> i64 {
    i64::try_from(limit).unwrap_or(i64::MAX - 1) + 1
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::support::on_each_database;

    #[test]
    fn a_name_is_found_whatever_its_capitals() {
        on_each_database(async |database| {
            let db = &database.db;
            let found = async |text: &str| {
                let names: Vec<_> =
                    find(db, text, None, 9).await.unwrap().items.into_iter().map(|it| it.name).collect();
                let listed =
                    find_listed(db, text, "", None, 9).await.unwrap().items.into_iter().map(|it| it.name);
                assert_eq!(names, listed.collect::<Vec<_>>(), "{text}");
                names
            };
            let at = Timestamp::from_unix(1_795_514_400);
            let account = |name: &str| Account {
                id: AccountId::new(),
                external_id: None,
                name: name.to_owned(),
                lead_retention_days: None,
                created_at: at,
            };
            let (doctors, dentists) = (account("Ärzte GmbH"), account("Zahnärzte"));
            let mut tx = db.begin().await.unwrap();
            insert(&mut tx, &doctors).await.unwrap();
            insert(&mut tx, &dentists).await.unwrap();
            tx.commit().await.unwrap();
            for text in ["ärzte", "Ärzte", "ÄRZTE"] {
                assert_eq!(found(text).await, ["Zahnärzte", "Ärzte GmbH"], "{text}");
            }
            assert!(found("arzte").await.is_empty());

            let mut tx = db.begin().await.unwrap();
            rename(&mut tx, &dentists.id, "Ökonomen").await.unwrap();
            // As a node of before wrote it.
            sql("UPDATE accounts SET name_folded = NULL WHERE name = 'Ärzte GmbH'")
                .execute(&mut tx)
                .await
                .unwrap();
            tx.commit().await.unwrap();
            assert_eq!(found("öko").await, ["Ökonomen"]);
            assert_eq!(found("gmbh").await, ["Ärzte GmbH"]);
            let mut tx = db.begin().await.unwrap();
            fold_names(&mut tx).await.unwrap();
            tx.commit().await.unwrap();
            assert_eq!(found("ärzte").await, ["Ärzte GmbH"]);
        });
    }
}

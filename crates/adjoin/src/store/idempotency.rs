//! Idempotency keys of writes, one an account and key.

use super::{Db, Result, Tx, row, sql};
use crate::{id::AccountId, time::Timestamp};

/// What is known of a key.
#[derive(Debug)]
pub struct Claim {
    pub request_hash: Vec<u8>,
    /// JSON of the service's own; null while the call is under way.
    pub answer: Option<String>,
    pub created_at: Timestamp,
}
row!(Claim { request_hash, answer, created_at });

/// Takes the key for this request; false if somebody has it.
pub async fn take(
    tx: &mut Tx,
    account: &AccountId,
    key: &str,
    request_hash: &[u8],
    now: Timestamp,
) -> Result<bool> {
    let taken = sql("INSERT INTO idempotency_keys (account_id, idempotency_key, request_hash, created_at)
         VALUES ($1, $2, $3, $4) ON CONFLICT (account_id, idempotency_key) DO NOTHING")
    .bind(account)
    .bind(key)
    .bind(request_hash)
    .bind(now)
    .execute(tx)
    .await?;
    Ok(taken == 1)
}

pub async fn get(db: &Db, account: &AccountId, key: &str) -> Result<Option<Claim>> {
    sql("SELECT request_hash, answer, created_at FROM idempotency_keys
         WHERE account_id = $1 AND idempotency_key = $2")
    .bind(account)
    .bind(key)
    .optional(db)
    .await
}

/// Keeps the answer of the request that holds the key.
pub async fn keep(tx: &mut Tx, account: &AccountId, key: &str, answer: &str) -> Result<()> {
    sql("UPDATE idempotency_keys SET answer = $3 WHERE account_id = $1 AND idempotency_key = $2")
        .bind(account)
        .bind(key)
        .bind(answer)
        .execute(tx)
        .await?;
    Ok(())
}

/// Gives the key back: nothing was done with it.
pub async fn give_back(tx: &mut Tx, account: &AccountId, key: &str) -> Result<()> {
    sql("DELETE FROM idempotency_keys WHERE account_id = $1 AND idempotency_key = $2 AND answer IS NULL")
        .bind(account)
        .bind(key)
        .execute(tx)
        .await?;
    Ok(())
}

/// Forgets some keys from before this moment.
pub async fn prune(tx: &mut Tx, before: Timestamp, limit: i64) -> Result<u64> {
    sql("DELETE FROM idempotency_keys WHERE (account_id, idempotency_key) IN
             (SELECT account_id, idempotency_key FROM idempotency_keys WHERE created_at < $1 LIMIT $2)")
    .bind(before)
    .bind(limit)
    .execute(tx)
    .await
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{store::accounts, support::on_each_database};

    #[test]
    fn old_keys_go_step_by_step_and_others_stay() {
        on_each_database(async |database| {
            let now = Timestamp::from_unix(1_795_514_400);
            let account = accounts::Account {
                id: AccountId::new(),
                external_id: None,
                name: "Acme".to_owned(),
                lead_retention_days: None,
                created_at: now,
            };
            let mut tx = database.db.begin().await.unwrap();
            accounts::insert(&mut tx, &account).await.unwrap();
            for (key, age) in [("a", 30), ("b", 20), ("c", 10), ("d", 0)] {
                assert!(take(&mut tx, &account.id, key, b"hash", now.plus_seconds(-age)).await.unwrap());
            }
            for gone in [2, 1, 0] {
                assert_eq!(prune(&mut tx, now, 2).await.unwrap(), gone);
            }
            tx.commit().await.unwrap();
            assert!(get(&database.db, &account.id, "d").await.unwrap().is_some());
        });
    }
}

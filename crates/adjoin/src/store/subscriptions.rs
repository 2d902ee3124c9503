use super::{Db, Json, Result, Tx, leases, row, sql};
use crate::{
    id::{AccountId, ConnectionId},
    service::subscriptions::{Arrivals, Object, State},
    time::Timestamp,
};

/// A Page or an ad account whose webhooks go to an account.
#[derive(Debug, Clone)]
pub struct Stored {
    pub account_id: AccountId,
    pub object: Object,
    /// Meta's id; an ad account's without `act_`.
    pub object_id: String,
    pub connection_id: ConnectionId,
    pub name: String,
    pub state: Json<State>,
    pub checked_at: Option<Timestamp>,
    /// When it is due, or until when somebody is at it.
    pub check_at: Timestamp,
    pub list_forms_at: Option<Timestamp>,
    pub created_at: Timestamp,
}
row!(Stored {
    account_id,
    object,
    object_id,
    connection_id,
    name,
    state,
    checked_at,
    check_at,
    list_forms_at,
    created_at,
});

/// The columns of [`Stored`], between `before` and `after`.
macro_rules! stored {
    ($before:literal, $after:literal) => {
        concat!(
            $before,
            " account_id, object, object_id, connection_id, name, state, checked_at, check_at, list_forms_at, created_at ",
            $after
        )
    };
}

/// Adds it or gives it to the connection, due at once. What is known of its state stays, unless it was leaving.
pub async fn adopt(tx: &mut Tx, new: &Stored) -> Result<()> {
    sql("INSERT INTO subscriptions (account_id, object, object_id, connection_id, name, status, state, check_at,
                                    list_forms_at, created_at)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)
         ON CONFLICT (account_id, object, object_id) DO UPDATE SET connection_id = excluded.connection_id,
             name = excluded.name, check_at = excluded.check_at, list_forms_at = excluded.list_forms_at,
             state = CASE WHEN subscriptions.status = 'leaving' THEN excluded.state ELSE subscriptions.state END,
             status = CASE WHEN subscriptions.status = 'leaving' THEN excluded.status ELSE subscriptions.status END")
        .bind(&new.account_id)
        .bind(new.object.as_str())
        .bind(&new.object_id)
        .bind(&new.connection_id)
        .bind(&new.name)
        .bind(new.state.0.name())
        .bind(new.state.clone())
        .bind(new.check_at)
        .bind(new.list_forms_at)
        .bind(new.created_at)
        .execute(tx)
        .await?;
    Ok(())
}

/// The account's, unless it is leaving.
pub async fn staying(
    db: &Db,
    account: &AccountId,
    object: Object,
    object_id: &str,
) -> Result<Option<Stored>> {
    sql(stored!(
        "SELECT",
        "FROM subscriptions WHERE account_id = $1 AND object = $2 AND object_id = $3 AND status <> 'leaving'"
    ))
    .bind(account)
    .bind(object.as_str())
    .bind(object_id)
    .optional(db)
    .await
}

pub async fn of_connection(tx: &mut Tx, connection: &ConnectionId) -> Result<Vec<Stored>> {
    sql(stored!("SELECT", "FROM subscriptions WHERE connection_id = $1 ORDER BY object, object_id"))
        .bind(connection)
        .all(tx)
        .await
}

/// The account's, in the order of their ids, after the cursor.
pub async fn of_account(
    db: &Db,
    account: &AccountId,
    after: &(String, String),
    limit: i64,
) -> Result<Vec<Stored>> {
    sql(stored!(
        "SELECT",
        "FROM subscriptions WHERE account_id = $1 AND (object > $2 OR (object = $2 AND object_id > $3))
         ORDER BY object, object_id LIMIT $4"
    ))
    .bind(account)
    .bind(&after.0)
    .bind(&after.1)
    .bind(limit)
    .all(db)
    .await
}

/// Takes those that are due; nobody else does until `leased_until`. What was planned later than `latest` comes from a
/// clock that was ahead, and is due.
pub async fn claim_checks(
    tx: &mut Tx,
    now: Timestamp,
    leased_until: Timestamp,
    latest: Timestamp,
    limit: i64,
) -> Result<Vec<Stored>> {
    for (from, until) in leases::due(now, latest) {
        let claimed: Vec<Stored> = sql(stored!(
            "UPDATE subscriptions SET check_at = $1
             WHERE check_at >= $2 AND check_at <= $3 AND (account_id, object, object_id) IN
                 (SELECT account_id, object, object_id FROM subscriptions WHERE check_at >= $2 AND check_at <= $3
                  ORDER BY check_at LIMIT $4)
             RETURNING",
            ""
        ))
        .bind(leased_until)
        .bind(from)
        .bind(until)
        .bind(limit)
        .all(&mut *tx)
        .await?;
        if !claimed.is_empty() {
            return Ok(claimed);
        }
    }
    Ok(Vec::new())
}

/// The same for Pages whose forms are to be listed. Those of connections that cannot be used wait.
pub async fn claim_listings(
    tx: &mut Tx,
    now: Timestamp,
    leased_until: Timestamp,
    latest: Timestamp,
    limit: i64,
) -> Result<Vec<Stored>> {
    for (from, until) in leases::due(now, latest) {
        let claimed: Vec<Stored> = sql(stored!(
            "UPDATE subscriptions SET list_forms_at = $1
             WHERE list_forms_at >= $2 AND list_forms_at <= $3 AND (account_id, object, object_id) IN
                 (SELECT s.account_id, s.object, s.object_id FROM subscriptions s
                  JOIN connections c ON c.id = s.connection_id
                  WHERE s.list_forms_at >= $2 AND s.list_forms_at <= $3 AND s.status <> 'leaving'
                      AND c.status IN ('connected', 'connected_with_gaps')
                  ORDER BY s.list_forms_at LIMIT $4)
             RETURNING",
            ""
        ))
        .bind(leased_until)
        .bind(from)
        .bind(until)
        .bind(limit)
        .all(&mut *tx)
        .await?;
        if !claimed.is_empty() {
            return Ok(claimed);
        }
    }
    Ok(Vec::new())
}

/// The row, held until the transaction ends.
pub async fn for_update(
    tx: &mut Tx,
    account: &AccountId,
    object: Object,
    object_id: &str,
) -> Result<Option<Stored>> {
    sql(stored!(
        "UPDATE subscriptions SET name = name WHERE account_id = $1 AND object = $2 AND object_id = $3 RETURNING",
        ""
    ))
    .bind(account)
    .bind(object.as_str())
    .bind(object_id)
    .optional(tx)
    .await
}

/// Writes what a check found. A check that was asked for meanwhile stays due.
pub async fn settle_check(tx: &mut Tx, row: &Stored, leased_until: Timestamp, next: Timestamp) -> Result<()> {
    sql("UPDATE subscriptions SET status = $4, state = $5, checked_at = $6,
             check_at = CASE WHEN check_at = $7 THEN $8 ELSE check_at END
         WHERE account_id = $1 AND object = $2 AND object_id = $3")
    .bind(&row.account_id)
    .bind(row.object.as_str())
    .bind(&row.object_id)
    .bind(row.state.0.name())
    .bind(row.state.clone())
    .bind(row.checked_at)
    .bind(leased_until)
    .bind(next)
    .execute(tx)
    .await?;
    Ok(())
}

/// When the Page's forms are listed next. A listing that was asked for meanwhile stays due.
pub async fn settle_listing(
    tx: &mut Tx,
    row: &Stored,
    leased_until: Timestamp,
    next: Timestamp,
) -> Result<()> {
    sql("UPDATE subscriptions SET list_forms_at = $5
         WHERE account_id = $1 AND object = $2 AND object_id = $3 AND list_forms_at = $4")
    .bind(&row.account_id)
    .bind(row.object.as_str())
    .bind(&row.object_id)
    .bind(leased_until)
    .bind(next)
    .execute(tx)
    .await?;
    Ok(())
}

/// Makes one due.
pub async fn check_soon(
    tx: &mut Tx,
    account: &AccountId,
    object: Object,
    object_id: &str,
    at: Timestamp,
) -> Result<()> {
    sql("UPDATE subscriptions SET check_at = $4
         WHERE account_id = $1 AND object = $2 AND object_id = $3 AND check_at > $4")
    .bind(account)
    .bind(object.as_str())
    .bind(object_id)
    .bind(at)
    .execute(tx)
    .await?;
    Ok(())
}

/// Makes all of an account due; answers how many there are.
pub async fn check_all(tx: &mut Tx, account: &AccountId, at: Timestamp) -> Result<u64> {
    sql("UPDATE subscriptions SET check_at = $2 WHERE account_id = $1")
        .bind(account)
        .bind(at)
        .execute(tx)
        .await
}

/// Makes the forms of a Page due to be listed.
pub async fn list_soon(tx: &mut Tx, account: &AccountId, page_id: &str, at: Timestamp) -> Result<()> {
    sql("UPDATE subscriptions SET list_forms_at = $3
         WHERE account_id = $1 AND object = 'page' AND object_id = $2 AND list_forms_at > $3")
    .bind(account)
    .bind(page_id)
    .bind(at)
    .execute(tx)
    .await?;
    Ok(())
}

/// Makes the forms of all Pages of an account due to be listed.
pub async fn list_all(tx: &mut Tx, account: &AccountId, at: Timestamp) -> Result<u64> {
    sql("UPDATE subscriptions SET list_forms_at = $2 WHERE account_id = $1 AND object = 'page'")
        .bind(account)
        .bind(at)
        .execute(tx)
        .await
}

/// Those of a connection that were seen to be subscribed.
pub async fn looked_at(
    db: &Db,
    account: &AccountId,
    connection: &ConnectionId,
    limit: i64,
) -> Result<Vec<Stored>> {
    sql(stored!(
        "SELECT",
        "FROM subscriptions WHERE account_id = $1 AND connection_id = $2 AND checked_at IS NOT NULL
         ORDER BY object DESC, object_id LIMIT $3"
    ))
    .bind(account)
    .bind(connection)
    .bind(limit)
    .all(db)
    .await
}

/// Forgets one that leaves, unless it was taken over again.
pub async fn remove_if_leaving(
    tx: &mut Tx,
    account: &AccountId,
    object: Object,
    object_id: &str,
) -> Result<u64> {
    sql("DELETE FROM subscriptions WHERE account_id = $1 AND object = $2 AND object_id = $3 AND status = 'leaving'")
        .bind(account)
        .bind(object.as_str())
        .bind(object_id)
        .execute(tx)
        .await
}

pub async fn remove_of_connection(tx: &mut Tx, connection: &ConnectionId) -> Result<u64> {
    sql("DELETE FROM subscriptions WHERE connection_id = $1").bind(connection).execute(tx).await
}

#[derive(Debug)]
struct Count {
    count: i64,
}
row!(Count { count });

/// How many other accounts receive the webhooks of this object.
pub async fn others(db: &Db, account: &AccountId, object: Object, object_id: &str) -> Result<i64> {
    let row: Option<Count> =
        sql("SELECT COUNT(*) AS count FROM subscriptions s JOIN connections c ON c.id = s.connection_id
         WHERE s.object = $2 AND s.object_id = $3 AND s.account_id <> $1 AND s.status <> 'leaving'
             AND c.status <> 'disconnected'")
        .bind(account)
        .bind(object.as_str())
        .bind(object_id)
        .optional(db)
        .await?;
    Ok(row.map_or(0, |row| row.count))
}

row!(Arrivals { leads, unannounced });

/// How many leads of a Page were submitted in `[from, until)`, and how many of these no webhook announced. That Meta told of
/// a change of a lead is no announcement.
pub async fn announced(
    db: &Db,
    account: &AccountId,
    page_id: &str,
    from: Timestamp,
    until: Timestamp,
) -> Result<Arrivals> {
    let row = sql("SELECT COUNT(*) AS leads, COUNT(*) - COUNT(w.lead_id) AS unannounced
         FROM leads l LEFT JOIN lead_sightings w ON w.lead_id = l.id AND w.source = 'webhook'
         WHERE l.account_id = $1 AND l.page_id = $2 AND l.submitted_at >= $3 AND l.submitted_at < $4")
    .bind(account)
    .bind(page_id)
    .bind(from)
    .bind(until)
    .optional(db)
    .await?;
    Ok(row.unwrap_or(Arrivals { leads: 0, unannounced: 0 }))
}

#[derive(Debug)]
struct LeadId {
    id: String,
}
row!(LeadId { id });

/// Whether a webhook announced any lead that was seen since then.
pub async fn any_announced(db: &Db, from: Timestamp) -> Result<bool> {
    let row: Option<LeadId> = sql("SELECT l.id AS id FROM leads l
         JOIN lead_sightings w ON w.lead_id = l.id AND w.source = 'webhook'
         WHERE l.seen_at >= $1 LIMIT 1")
    .bind(from)
    .optional(db)
    .await?;
    Ok(row.is_some_and(|row| !row.id.is_empty()))
}

use super::{Db, FromRow, Json, Result, Row, Tx, leases, row, sql};
use crate::{
    id::{AccountId, ConnectionId, FormVersionId},
    service::forms::{Counts, Known, Sweep},
    time::Timestamp,
};

/// A lead form of a Page, as one account has it.
#[derive(Debug, Clone)]
pub struct Stored {
    pub account_id: AccountId,
    pub form_id: String,
    pub page_id: String,
    pub connection_id: ConnectionId,
    pub name: String,
    /// Meta's word: `ACTIVE`, `ARCHIVED`, `DELETED`, `DRAFT`.
    pub status: String,
    /// The version that stands.
    pub version_id: Option<FormVersionId>,
    pub counts: Json<Counts>,
    pub counted_at: Option<Timestamp>,
    /// When the newest lead that is committed here was submitted.
    pub watermark: Option<Timestamp>,
    pub sweep: Json<Sweep>,
    pub sweep_at: Timestamp,
    pub leased_until: Option<Timestamp>,
    pub created_at: Timestamp,
}
row!(Stored {
    account_id,
    form_id,
    page_id,
    connection_id,
    name,
    status,
    version_id,
    counts,
    counted_at,
    watermark,
    sweep,
    sweep_at,
    leased_until,
    created_at,
});

/// The columns of [`Stored`], between `before` and `after`.
macro_rules! stored {
    ($before:literal, $after:literal) => {
        concat!(
            $before,
            " account_id, form_id, page_id, connection_id, name, status, version_id, counts, counted_at, watermark,
              sweep, sweep_at, leased_until, created_at ",
            $after
        )
    };
}

pub async fn insert(tx: &mut Tx, row: &Stored) -> Result<()> {
    sql("INSERT INTO forms (account_id, form_id, page_id, connection_id, name, status, version_id, counts, counted_at,
                            watermark, sweep, sweep_at, created_at)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)
         ON CONFLICT (account_id, form_id) DO NOTHING")
        .bind(&row.account_id)
        .bind(&row.form_id)
        .bind(&row.page_id)
        .bind(&row.connection_id)
        .bind(&row.name)
        .bind(&row.status)
        .bind(row.version_id.as_ref())
        .bind(row.counts.clone())
        .bind(row.counted_at)
        .bind(row.watermark)
        .bind(row.sweep.clone())
        .bind(row.sweep_at)
        .bind(row.created_at)
        .execute(tx)
        .await?;
    Ok(())
}

/// Writes what Meta says about the form.
pub async fn put_listed(tx: &mut Tx, row: &Stored) -> Result<()> {
    sql("UPDATE forms SET page_id = $3, connection_id = $4, name = $5, status = $6, version_id = $7, counts = $8,
             counted_at = $9
         WHERE account_id = $1 AND form_id = $2")
    .bind(&row.account_id)
    .bind(&row.form_id)
    .bind(&row.page_id)
    .bind(&row.connection_id)
    .bind(&row.name)
    .bind(&row.status)
    .bind(row.version_id.as_ref())
    .bind(row.counts.clone())
    .bind(row.counted_at)
    .execute(tx)
    .await?;
    Ok(())
}

/// Writes how far the sweep is, and until when it is somebody's.
pub async fn put_sweep(tx: &mut Tx, row: &Stored) -> Result<()> {
    sql("UPDATE forms SET watermark = $3, sweep = $4, sweep_at = $5, leased_until = $6
         WHERE account_id = $1 AND form_id = $2")
    .bind(&row.account_id)
    .bind(&row.form_id)
    .bind(row.watermark)
    .bind(row.sweep.clone())
    .bind(row.sweep_at)
    .bind(row.leased_until)
    .execute(tx)
    .await?;
    Ok(())
}

pub async fn by_id(db: &Db, account: &AccountId, form_id: &str) -> Result<Option<Stored>> {
    sql(stored!("SELECT", "FROM forms WHERE account_id = $1 AND form_id = $2"))
        .bind(account)
        .bind(form_id)
        .optional(db)
        .await
}

/// The same, with the row held until the transaction ends.
pub async fn by_id_for_update(tx: &mut Tx, account: &AccountId, form_id: &str) -> Result<Option<Stored>> {
    sql(stored!("UPDATE forms SET name = name WHERE account_id = $1 AND form_id = $2 RETURNING", ""))
        .bind(account)
        .bind(form_id)
        .optional(tx)
        .await
}

/// An account's forms in the order of their ids, after the cursor; an empty `page_id` takes those of all Pages.
pub async fn of_account(
    db: &Db,
    account: &AccountId,
    page_id: &str,
    after: &str,
    limit: i64,
) -> Result<Vec<Stored>> {
    sql(stored!(
        "SELECT",
        "FROM forms WHERE account_id = $1 AND ($2 = '' OR page_id = $2) AND form_id > $3 ORDER BY form_id LIMIT $4"
    ))
    .bind(account)
    .bind(page_id)
    .bind(after)
    .bind(limit)
    .all(db)
    .await
}

/// The clocks of two nodes are no further apart.
const CLOCKS_APART_SECONDS: i64 = 60 * 60;

/// Takes forms that are due and that nobody is at; nobody else takes them until `leased_until`. Forms whose connection
/// cannot be used, or whose Page is no longer shared, wait. What was planned later than `latest`, or is leased for longer
/// than we lease, comes from a clock that was ahead, and is due.
pub async fn claim(
    tx: &mut Tx,
    now: Timestamp,
    leased_until: Timestamp,
    latest: Timestamp,
    limit: i64,
) -> Result<Vec<Stored>> {
    for (from, until) in leases::due(now, latest) {
        // CROSS JOIN: SQLite begins with the forms, by when they are due.
        let claimed: Vec<Stored> = sql(stored!(
            "UPDATE forms SET leased_until = $2
             WHERE sweep_at >= $5 AND sweep_at <= $6
                 AND (leased_until IS NULL OR leased_until <= $1 OR leased_until > $4) AND (account_id, form_id) IN
                 (SELECT f.account_id, f.form_id FROM forms f CROSS JOIN subscriptions s CROSS JOIN connections c
                  WHERE f.sweep_at >= $5 AND f.sweep_at <= $6
                      AND (f.leased_until IS NULL OR f.leased_until <= $1 OR f.leased_until > $4)
                      AND s.account_id = f.account_id AND s.object = 'page' AND s.object_id = f.page_id
                      AND s.status <> 'leaving'
                      AND c.id = s.connection_id AND c.status IN ('connected', 'connected_with_gaps')
                  ORDER BY f.sweep_at LIMIT $3)
             RETURNING",
            ""
        ))
        .bind(now)
        .bind(leased_until)
        .bind(limit)
        .bind(leased_until.plus_seconds(CLOCKS_APART_SECONDS))
        .bind(from)
        .bind(until)
        .all(&mut *tx)
        .await?;
        if !claimed.is_empty() {
            return Ok(claimed);
        }
    }
    Ok(Vec::new())
}

/// Makes the forms of a connection due.
pub async fn sweep_connection(tx: &mut Tx, connection: &ConnectionId, at: Timestamp) -> Result<u64> {
    sql("UPDATE forms SET sweep_at = $2 WHERE connection_id = $1 AND sweep_at > $2")
        .bind(connection)
        .bind(at)
        .execute(tx)
        .await
}

/// Makes all forms of an account due.
pub async fn sweep_account(tx: &mut Tx, account: &AccountId, at: Timestamp) -> Result<u64> {
    sql("UPDATE forms SET sweep_at = $2 WHERE account_id = $1").bind(account).bind(at).execute(tx).await
}

#[derive(Debug)]
struct FormId {
    form_id: String,
}
row!(FormId { form_id });

/// Forms of a Page that were not counted since then: the list left them out.
pub async fn uncounted(
    db: &Db,
    account: &AccountId,
    page_id: &str,
    since: Timestamp,
    limit: i64,
) -> Result<Vec<String>> {
    let rows: Vec<FormId> = sql("SELECT form_id FROM forms
         WHERE account_id = $1 AND page_id = $2 AND (counted_at IS NULL OR counted_at < $3)
         ORDER BY COALESCE(counted_at, 0), form_id LIMIT $4")
    .bind(account)
    .bind(page_id)
    .bind(since)
    .bind(limit)
    .all(db)
    .await?;
    Ok(rows.into_iter().map(|row| row.form_id).collect())
}

/// Forms that leads of a Page answered since then and that are not known here.
pub async fn unknown(
    db: &Db,
    account: &AccountId,
    page_id: &str,
    since: Timestamp,
    limit: i64,
) -> Result<Vec<String>> {
    let rows: Vec<FormId> = sql("SELECT DISTINCT l.form_id AS form_id FROM leads l
         LEFT JOIN forms f ON f.account_id = l.account_id AND f.form_id = l.form_id
         WHERE l.account_id = $1 AND l.page_id = $2 AND l.submitted_at >= $3 AND f.form_id IS NULL AND l.form_id <> ''
         LIMIT $4")
    .bind(account)
    .bind(page_id)
    .bind(since)
    .bind(limit)
    .all(db)
    .await?;
    Ok(rows.into_iter().map(|row| row.form_id).collect())
}

/// How many leads of a form are here, test leads apart: read whole, announced only, announced but not there at Meta, and
/// erased before anybody read them.
#[derive(Debug, Clone, Copy, Default)]
pub struct Here {
    pub held: i64,
    pub waiting: i64,
    pub gone: i64,
    pub erased_unread: i64,
    /// See [`Known`]; of those that were sent before Meta counted.
    pub kept: i64,
    pub perhaps_kept: i64,
}
row!(Here { held, waiting, gone, erased_unread, kept, perhaps_kept });

impl Here {
    pub fn known(&self) -> Known {
        Known { kept: self.kept, perhaps_kept: self.perhaps_kept }
    }
}

/// What is counted of the leads `l` of a form, which Meta has counted at `$counted_at`.
macro_rules! here {
    ($counted_at:literal) => {
        concat!(
            "COUNT(l.hydrated_at) AS held,
             COUNT(CASE WHEN l.status IN ('seen', 'parked') THEN 1 END) AS waiting,
             COUNT(CASE WHEN l.status = 'gone' THEN 1 END) AS gone,
             COUNT(CASE WHEN l.status = 'erased' AND l.hydrated_at IS NULL THEN 1 END) AS erased_unread,
             COUNT(CASE WHEN l.status <> 'gone' AND COALESCE(l.submitted_at, l.seen_at) <= ",
            $counted_at,
            "
                 AND COALESCE(l.submitted_at, l.seen_at) > ",
            $counted_at,
            " - 7776000000 THEN 1 END) AS kept,
             COUNT(CASE WHEN l.status <> 'gone' AND COALESCE(l.submitted_at, l.seen_at) <= ",
            $counted_at,
            "
                 AND COALESCE(l.submitted_at, l.seen_at) > ",
            $counted_at,
            " - 7862400000 THEN 1 END) AS perhaps_kept"
        )
    };
}

pub async fn here(db: &Db, form: &Stored) -> Result<Here> {
    let row = sql(concat!(
        "SELECT ",
        here!("$3"),
        " FROM leads l WHERE l.account_id = $1 AND l.form_id = $2 AND NOT l.is_test"
    ))
    .bind(&form.account_id)
    .bind(&form.form_id)
    .bind(form.counted_at.map_or(0, Timestamp::millis))
    .optional(db)
    .await?;
    Ok(row.unwrap_or_default())
}

/// A form's counts at Meta with what is here of it.
#[derive(Debug)]
pub struct Counted {
    pub counts: Json<Counts>,
    pub here: Here,
}

impl FromRow for Counted {
    fn from_row(row: &Row) -> Result<Self> {
        Ok(Self { counts: row.get("counts")?, here: Here::from_row(row)? })
    }
}

/// Every form of an account, or of all, for the totals.
pub async fn counted(db: &Db, account: Option<&AccountId>, limit: i64) -> Result<Vec<Counted>> {
    // Two texts, so that the first is found by its account.
    macro_rules! counted {
        ($of:literal) => {
            concat!(
                "SELECT f.counts AS counts, ",
                here!("f.counted_at"),
                " FROM forms f
                  LEFT JOIN leads l ON l.account_id = f.account_id AND l.form_id = f.form_id AND NOT l.is_test
                  WHERE ",
                $of,
                " GROUP BY f.account_id, f.form_id, f.counts ORDER BY f.account_id, f.form_id LIMIT $2"
            )
        };
    }
    sql(if account.is_some() { counted!("f.account_id = $1") } else { counted!("$1 = ''") })
        .bind(account.map_or("", AccountId::as_str))
        .bind(limit)
        .all(db)
        .await
}

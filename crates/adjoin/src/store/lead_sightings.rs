use super::{Db, Result, Tx, row, sql};
use crate::{id::LeadId, time::Timestamp};

/// How often one source has named a lead.
#[derive(Debug, Clone)]
pub struct Sightings {
    pub source: String,
    pub first_at: Timestamp,
    pub last_at: Timestamp,
    pub times: i64,
}
row!(Sightings { source, first_at, last_at, times });

pub async fn count(tx: &mut Tx, lead: &LeadId, source: &str, at: Timestamp) -> Result<()> {
    sql("INSERT INTO lead_sightings (lead_id, source, first_at, last_at, times) VALUES ($1, $2, $3, $3, 1)
         ON CONFLICT (lead_id, source) DO UPDATE SET last_at = $3, times = lead_sightings.times + 1")
    .bind(lead)
    .bind(source)
    .bind(at)
    .execute(tx)
    .await?;
    Ok(())
}

#[derive(Debug)]
struct Source {
    source: String,
}
row!(Source { source });

/// Who named a lead first.
pub async fn first(db: &Db, lead: &LeadId) -> Result<Option<String>> {
    let row: Option<Source> =
        sql("SELECT source FROM lead_sightings WHERE lead_id = $1 ORDER BY first_at, source LIMIT 1")
            .bind(lead)
            .optional(db)
            .await?;
    Ok(row.map(|row| row.source))
}

pub async fn of_lead(db: &Db, lead: &LeadId) -> Result<Vec<Sightings>> {
    sql("SELECT source, first_at, last_at, times FROM lead_sightings WHERE lead_id = $1 ORDER BY first_at, source")
        .bind(lead)
        .all(db)
        .await
}

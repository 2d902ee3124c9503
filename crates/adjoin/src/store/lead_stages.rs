//! Stages of leads that were told to Meta: the memory by which none is told twice.

use super::{Db, Json, Result, Tx, query::On, row, sql};
use crate::{
    id::{AccountId, LeadId, LeadStageId},
    service::leads::StageState,
    time::Timestamp,
};

/// A stage of a lead, and what became of telling it.
#[derive(Debug, Clone)]
pub struct Stored {
    pub id: LeadStageId,
    pub lead_id: LeadId,
    /// The dataset (pixel) it goes to.
    pub dataset_id: String,
    /// In the partner's own words.
    pub stage: String,
    /// When the lead came to it.
    pub staged_at: Timestamp,
    pub state: Json<StageState>,
    pub created_at: Timestamp,
}
row!(Stored { id, lead_id, dataset_id, stage, staged_at, state, created_at });

/// Adds a stage that is about to be told. False when it is there.
pub async fn insert_if_absent(tx: &mut Tx, stage: &Stored) -> Result<bool> {
    let done = sql(
        "INSERT INTO lead_stages (id, lead_id, dataset_id, stage, staged_at, status, state, created_at)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8) ON CONFLICT (lead_id, dataset_id, stage, staged_at) DO NOTHING",
    )
    .bind(&stage.id)
    .bind(&stage.lead_id)
    .bind(stage.dataset_id.as_str())
    .bind(stage.stage.as_str())
    .bind(stage.staged_at)
    .bind(stage.state.0.name())
    .bind(stage.state.clone())
    .bind(stage.created_at)
    .execute(tx)
    .await?;
    Ok(done == 1)
}

/// The same stage as it stands.
pub async fn same(on: impl Into<On<'_>>, stage: &Stored) -> Result<Option<Stored>> {
    sql("SELECT id, lead_id, dataset_id, stage, staged_at, state, created_at FROM lead_stages
         WHERE lead_id = $1 AND dataset_id = $2 AND stage = $3 AND staged_at = $4")
    .bind(&stage.lead_id)
    .bind(stage.dataset_id.as_str())
    .bind(stage.stage.as_str())
    .bind(stage.staged_at)
    .optional(on)
    .await
}

/// When a lead last came to a stage of this name, by what was reported to this dataset.
pub async fn last(db: &Db, lead: &LeadId, dataset_id: &str, stage: &str) -> Result<Option<Timestamp>> {
    let stages: Vec<Stored> =
        sql("SELECT id, lead_id, dataset_id, stage, staged_at, state, created_at FROM lead_stages
         WHERE lead_id = $1 AND dataset_id = $2 AND stage = $3 ORDER BY staged_at DESC LIMIT 1")
        .bind(lead)
        .bind(dataset_id)
        .bind(stage)
        .all(db)
        .await?;
    Ok(stages.first().map(|stage| stage.staged_at))
}

/// All stages of a lead, in the order in which it came to them.
pub async fn of_lead(db: &Db, lead: &LeadId) -> Result<Vec<Stored>> {
    sql("SELECT id, lead_id, dataset_id, stage, staged_at, state, created_at FROM lead_stages
         WHERE lead_id = $1 ORDER BY staged_at, id")
    .bind(lead)
    .all(db)
    .await
}

/// Writes the state, if it still is the one of this name. False when it is not: somebody else came first.
pub async fn put_state(tx: &mut Tx, id: &LeadStageId, before: &str, state: &StageState) -> Result<bool> {
    let done = sql("UPDATE lead_stages SET status = $3, state = $4 WHERE id = $1 AND status = $2")
        .bind(id)
        .bind(before)
        .bind(state.name())
        .bind(Json(state.clone()))
        .execute(tx)
        .await?;
    Ok(done == 1)
}

#[derive(Debug)]
struct Lead {
    id: LeadId,
}
row!(Lead { id });

/// Our id of the lead with this id of Meta's.
pub async fn lead_of_meta(db: &Db, account: &AccountId, meta_lead_id: &str) -> Result<Option<LeadId>> {
    let lead: Option<Lead> = sql("SELECT id FROM leads WHERE account_id = $1 AND meta_lead_id = $2")
        .bind(account)
        .bind(meta_lead_id)
        .optional(db)
        .await?;
    Ok(lead.map(|lead| lead.id))
}

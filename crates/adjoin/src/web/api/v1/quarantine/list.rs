use aide::transform::TransformOperation;
use axum::{Json, extract::State};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{
    id::QuarantineId,
    service::{
        App,
        webhooks::{self, Counted, Quarantined, Reason},
    },
    web::api::{
        Result,
        caller::Partner,
        describe as docs,
        input::{Cursor, Limit, Query},
    },
};

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct QuarantineQuery {
    /// Only changes kept for this reason.
    reason: Option<Reason>,
    /// Most entries a page has, 1 to 100.
    #[serde(default)]
    limit: Limit,
    /// `next` of the page before.
    after: Option<Cursor<QuarantineId>>,
}

/// One page of changes, and how many there are of each reason.
#[derive(Debug, Serialize, JsonSchema)]
pub struct QuarantineList {
    pub data: Vec<Quarantined>,
    /// Send it as `after` to read on; null on the last page.
    pub next: Option<String>,
    pub counts: Vec<Counted>,
}

pub async fn handle(
    _: Partner,
    State(app): State<App>,
    Query(query): Query<QuarantineQuery>,
) -> Result<Json<QuarantineList>> {
    let after = Cursor::text(query.after.as_ref());
    let page = webhooks::list(&app, query.reason, after.as_deref(), query.limit.0).await?;
    let counts = webhooks::counts(&app).await?;
    Ok(Json(QuarantineList { data: page.items, next: page.next, counts }))
}

pub fn describe(operation: TransformOperation<'_>) -> TransformOperation<'_> {
    docs::operation(
        operation,
        "quarantine.list",
        "List webhooks that nobody could use",
        "Changes that Meta sent of a Page or ad account no account has, of a field Adjoin does nothing with, that cannot be \
         read, or that come from the *Test* button of Meta's dashboard; the newest first. They are kept for 30 days. \
         Those of a Page that becomes known are sorted after all. Needs a key for all accounts.",
    )
}

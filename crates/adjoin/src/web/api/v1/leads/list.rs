use aide::transform::TransformOperation;
use axum::{Json, extract::State};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{
    id::LeadId,
    service::{
        App,
        leads::{self, Cause, Filter, Lead, Status, Waiting},
    },
    time::Timestamp,
    web::api::{
        Result,
        caller::InAccount,
        describe as docs,
        input::{Cursor, Limit, Query},
        v1::forms::MetaId,
    },
};

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct LeadsQuery {
    /// Only leads of this form.
    form_id: Option<MetaId>,
    /// Only leads in this state.
    status: Option<Status>,
    /// Only leads that are parked for this cause.
    cause: Option<Cause>,
    /// Only leads that an endpoint has taken, or only those that none has.
    delivered: Option<bool>,
    /// Only leads sent at this moment or later.
    submitted_from: Option<Timestamp>,
    /// Only leads sent before this moment.
    submitted_until: Option<Timestamp>,
    /// Most entries a page has, 1 to 100.
    #[serde(default)]
    limit: Limit,
    /// `next` of the page before.
    after: Option<Cursor<LeadId>>,
}

/// One page of leads, and what leads of the account wait for.
#[derive(Debug, Serialize, JsonSchema)]
pub struct LeadList {
    pub data: Vec<Lead>,
    /// Send it as `after` to read on; null on the last page.
    pub next: Option<String>,
    /// About all leads of the account.
    pub waiting: Vec<Waiting>,
}

pub async fn handle(
    account: InAccount,
    State(app): State<App>,
    Query(query): Query<LeadsQuery>,
) -> Result<Json<LeadList>> {
    let filter = Filter {
        form_id: query.form_id.map(|id| id.0),
        status: query.status,
        cause: query.cause,
        delivered: query.delivered,
        submitted_from: query.submitted_from,
        submitted_until: query.submitted_until,
    };
    let after = Cursor::text(query.after.as_ref());
    let page = leads::list(&app, Some(&account.id), &filter, after.as_deref(), query.limit.0).await?;
    let waiting = leads::waiting(&app, Some(&account.id)).await?;
    Ok(Json(LeadList { data: page.items, next: page.next, waiting }))
}

pub fn describe(operation: TransformOperation<'_>) -> TransformOperation<'_> {
    docs::operation(
        operation,
        "leads.list",
        "List an account's leads",
        "Form submissions, the newest first, without what the persons wrote. A lead that could not be read from Meta yet is \
         `parked`, with the cause, who can end it and how many hours are left until Meta no longer keeps it; it is read \
         by itself when the cause ends. `waiting` counts them by what they wait for.",
    )
}

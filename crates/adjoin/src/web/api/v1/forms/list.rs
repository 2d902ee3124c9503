use aide::transform::TransformOperation;
use axum::{Json, extract::State};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::MetaId;
use crate::{
    service::{
        App,
        forms::{self, Form, Totals},
    },
    web::api::{
        Result,
        caller::InAccount,
        describe as docs,
        input::{Cursor, Limit, Query},
    },
};

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct FormsQuery {
    /// Only forms of this Page.
    page_id: Option<MetaId>,
    /// Most entries a page has, 1 to 100.
    #[serde(default)]
    limit: Limit,
    /// `next` of the page before.
    after: Option<Cursor<MetaId>>,
}

/// One page of forms, and the totals of all forms of the account.
#[derive(Debug, Serialize, JsonSchema)]
pub struct FormList {
    pub data: Vec<Form>,
    /// Send it as `after` to read on; null on the last page.
    pub next: Option<String>,
    pub totals: Totals,
}

pub async fn handle(
    account: InAccount,
    State(app): State<App>,
    Query(query): Query<FormsQuery>,
) -> Result<Json<FormList>> {
    let page_id = query.page_id.as_ref().map(|id| id.0.as_str());
    let after = Cursor::text(query.after.as_ref());
    let found = forms::list(&app, &account.id, page_id, after.as_deref(), query.limit.0).await?;
    Ok(Json(FormList { data: found.page.items, next: found.page.next, totals: found.totals }))
}

pub fn describe(operation: TransformOperation<'_>) -> TransformOperation<'_> {
    docs::operation(
        operation,
        "forms.list",
        "List an account's lead forms",
        "Every form of every connected Page, archived ones too, with its completeness (what Meta counts, what is held here, \
         and how many at least are missing) and how far its sweep is. `totals` is about all forms of the account.",
    )
}

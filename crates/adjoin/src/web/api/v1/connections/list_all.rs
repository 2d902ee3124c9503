use aide::transform::TransformOperation;
use axum::{Json, extract::State};
use schemars::JsonSchema;
use serde::Deserialize;

use crate::{
    id::ConnectionId,
    service::{
        App,
        connections::{self, Connection},
    },
    web::api::{
        Result,
        answer::List,
        caller::Partner,
        describe as docs,
        input::{Cursor, Limit, Query},
    },
};

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ConnectionsQuery {
    /// Only those in this state.
    state: Option<StateName>,
    /// Most entries a page has, 1 to 100.
    #[serde(default)]
    limit: Limit,
    /// `next` of the page before.
    after: Option<Cursor<ConnectionId>>,
}

/// The name of a connection's state.
#[derive(Debug, Clone, Copy, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum StateName {
    Installed,
    Connected,
    ConnectedWithGaps,
    NothingShared,
    ActionNeeded,
    Broken,
    Disconnected,
}

impl StateName {
    const fn as_str(self) -> &'static str {
        match self {
            Self::Installed => "installed",
            Self::Connected => "connected",
            Self::ConnectedWithGaps => "connected_with_gaps",
            Self::NothingShared => "nothing_shared",
            Self::ActionNeeded => "action_needed",
            Self::Broken => "broken",
            Self::Disconnected => "disconnected",
        }
    }
}

pub async fn handle(
    _: Partner,
    State(app): State<App>,
    Query(query): Query<ConnectionsQuery>,
) -> Result<Json<List<Connection>>> {
    let state = query.state.map(StateName::as_str);
    let after = Cursor::text(query.after.as_ref());
    let page = connections::find_all(&app, state, after.as_deref(), query.limit.0).await?;
    Ok(List::from_page(page, |connection| connection))
}

pub fn describe(operation: TransformOperation<'_>) -> TransformOperation<'_> {
    docs::operation(
        operation,
        "connections.list_all",
        "List the connections of all accounts",
        "Newest first; `state` narrows them, for example to those that are `broken`. Needs a key for all accounts.",
    )
}

use std::{fmt, str::FromStr};

use aide::transform::TransformOperation;
use axum::{Json, extract::State};
use schemars::JsonSchema;
use serde::Deserialize;

use crate::{
    service::{
        App,
        subscriptions::{self, Object, Subscription},
    },
    web::api::{
        Result,
        answer::List,
        caller::InAccount,
        describe as docs,
        input::{Cursor, Limit, Query},
        v1::forms::MetaId,
    },
};

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SubscriptionsQuery {
    /// Most entries a page has, 1 to 100.
    #[serde(default)]
    limit: Limit,
    /// `next` of the page before.
    after: Option<Cursor<Place>>,
}

/// An object's type and id: `page:1234`.
#[derive(Debug, Clone, JsonSchema)]
pub struct Place(Object, MetaId);

impl FromStr for Place {
    type Err = String;

    fn from_str(text: &str) -> std::result::Result<Self, String> {
        let (object, id) = text.split_once(':').ok_or_else(|| "there is no colon".to_owned())?;
        Ok(Self(object.parse()?, id.parse()?))
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.0.as_str(), self.1)
    }
}

pub async fn handle(
    account: InAccount,
    State(app): State<App>,
    Query(query): Query<SubscriptionsQuery>,
) -> Result<Json<List<Subscription>>> {
    let after = Cursor::text(query.after.as_ref());
    let page = subscriptions::list(&app, &account.id, after.as_deref(), query.limit.0).await?;
    Ok(List::from_page(page, |subscription| subscription))
}

pub fn describe(operation: TransformOperation<'_>) -> TransformOperation<'_> {
    docs::operation(
        operation,
        "subscriptions.list",
        "List an account's webhook subscriptions",
        "Each Page and ad account whose webhooks Adjoin subscribes for this account. A `faulty` one says why webhooks do \
         not come or leads cannot be read, who can mend it and the next step. They are looked at every hour and after \
         every new consent.",
    )
}

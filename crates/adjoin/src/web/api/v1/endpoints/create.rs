use aide::transform::TransformOperation;
use axum::extract::State;
use schemars::JsonSchema;
use secrecy::ExposeSecret as _;
use serde::{Deserialize, Serialize};

use crate::{
    id::AccountId,
    service::{
        App,
        deliveries::{self, Endpoint, NewEndpoint},
        events::Pattern,
    },
    web::api::{Result, answer::Created, caller::Caller, describe as docs, input::Body},
};

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct EndpointInput {
    /// Only events of this account. Left out: of all accounts, or of the key's own.
    account_id: Option<AccountId>,
    /// An https address on the public internet, port 443 or 8443; the operator may allow others.
    url: String,
    /// At most 200 characters.
    #[serde(default)]
    description: String,
    /// Types of events, or families of them (`lead.*`); empty or left out: all.
    #[serde(default)]
    types: Vec<Pattern>,
    /// Whether it gets events of test leads too. `GET /v1/events` always has them, marked `is_test`. Whether a lead is a
    /// test lead is known once it is read: a `lead.updated` of before is sent, with `is_test` null, and so is a lead of
    /// which Meta does not tell it then.
    #[serde(default)]
    test_leads: bool,
}

/// A new endpoint, with its signing secret this once.
#[derive(Serialize, JsonSchema)]
pub struct FreshEndpoint {
    #[serde(flatten)]
    endpoint: Endpoint,
    /// What deliveries are signed with (Standard Webhooks). It is not shown again.
    secret: String,
}

pub async fn handle(
    caller: Caller,
    State(app): State<App>,
    Body(input): Body<EndpointInput>,
) -> Result<Created<FreshEndpoint>> {
    let new = NewEndpoint {
        account_id: input.account_id,
        url: input.url,
        description: input.description,
        types: input.types,
        test_leads: input.test_leads,
    };
    let (endpoint, secret) = deliveries::create(&app, &caller.actor, &caller.reach, new).await?;
    Ok(Created(FreshEndpoint { endpoint, secret: secret.expose_secret().to_owned() }))
}

pub fn describe(operation: TransformOperation<'_>) -> TransformOperation<'_> {
    let operation = docs::operation(
        operation,
        "endpoints.create",
        "Make an endpoint",
        "From now on events are posted there, signed as [Standard Webhooks](https://www.standardwebhooks.com) 1.0.0 says, \
         each at least once, and those of one subject (a lead, a connection) in their order. Answer 2xx within 20 \
         seconds; anything else is tried again over three days. `webhook-id` is the event's id and the same each time.",
    );
    docs::problems(operation, &[(404, "There is no such account"), (409, "There are 20 endpoints already")])
}

use aide::transform::TransformOperation;
use axum::{Json, extract::State};
use schemars::JsonSchema;
use serde::Deserialize;

use crate::{
    service::{
        App,
        leads::{self, ErasedPerson, Person},
    },
    web::api::{Result, caller::InAccount, describe as docs, input::Body},
};

/// Whom to forget; at least one of the two.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct PersonInput {
    email: Option<String>,
    /// With the country code, as the person would have written it.
    phone: Option<String>,
}

pub async fn handle(
    account: InAccount,
    State(app): State<App>,
    Body(input): Body<PersonInput>,
) -> Result<Json<ErasedPerson>> {
    let person = Person { email: input.email, phone: input.phone };
    Ok(Json(leads::erase_person(&app, &account.actor, &account.reach, &account.id, &person).await?))
}

pub fn describe(operation: TransformOperation<'_>) -> TransformOperation<'_> {
    docs::operation(
        operation,
        "leads.erase_person",
        "Erase a person's leads",
        "Erases every lead of the account in which this e-mail address or phone number stands. There is no index of \
         persons, so the leads are opened one after the other: that takes a moment when there are many. The person is \
         not written down, also not in the audit log. `unread` leads could not be looked into; ask again once they are read. \
         Nor is the quarantine looked into: `quarantined` changes lie there, the last until `quarantine_until`.",
    )
}

use aide::transform::TransformOperation;
use axum::{Json, extract::State};

use super::LeadPath;
use crate::{
    service::{
        App,
        leads::{self, LeadDetail},
    },
    web::api::{Result, caller::InAccount, describe as docs, input::At},
};

pub async fn handle(
    account: InAccount,
    State(app): State<App>,
    At(path): At<LeadPath>,
) -> Result<Json<LeadDetail>> {
    Ok(Json(leads::detail(&app, &account.reach, &account.id, &path.lead_id).await?))
}

pub fn describe(operation: TransformOperation<'_>) -> TransformOperation<'_> {
    docs::operation(
        operation,
        "leads.get",
        "Get a lead",
        "A lead with everything the person sent (all answers with the labels of the form they answered, consents, where it \
         came from, and Meta's own answer), and its way: who named it and when, its events, every attempt to deliver \
         them, and the stages that were told to Meta.",
    )
}

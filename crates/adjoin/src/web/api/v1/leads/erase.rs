use aide::transform::TransformOperation;
use axum::{extract::State, response::NoContent};

use super::LeadPath;
use crate::{
    service::{App, leads},
    web::api::{Result, caller::InAccount, describe as docs, input::At},
};

pub async fn handle(account: InAccount, State(app): State<App>, At(path): At<LeadPath>) -> Result<NoContent> {
    leads::erase(&app, &account.actor, &account.id, &path.lead_id).await?;
    Ok(NoContent)
}

pub fn describe(operation: TransformOperation<'_>) -> TransformOperation<'_> {
    docs::operation(
        operation,
        "leads.erase",
        "Erase a lead",
        "Erases what the person sent, for good. That there was a lead stays for 100 days without its content, so that no \
         sweep brings it back; deliveries that still wait say `erased`. Meta's copy and yours stay.",
    )
}

use aide::transform::TransformOperation;
use axum::{Json, extract::State, http::StatusCode};

use super::FormPath;
use crate::{
    service::{
        App,
        canaries::{self, Canary},
    },
    web::api::{Result, caller::InAccount, describe as docs, input::At},
};

pub async fn handle(
    account: InAccount,
    State(app): State<App>,
    At(path): At<FormPath>,
) -> Result<(StatusCode, Json<Canary>)> {
    let canary = canaries::run_now(&app, &account.actor, &account.id, &path.form_id).await?;
    Ok((StatusCode::ACCEPTED, Json(canary)))
}

pub fn describe(operation: TransformOperation<'_>) -> TransformOperation<'_> {
    let operation = docs::operation(
        operation,
        "forms.canary_run",
        "Send a canary",
        "Sends a test lead through the form, in the background, waits until Meta's webhook has named it, it is read, and an \
         endpoint that wants test leads has taken it, and deletes it at Meta. It takes 15 minutes at most once it is sent; \
         `under_way` and `last` of the form's `canary` tell how it goes. Test leads are marked, are not counted, and go to \
         endpoints with `test_leads` alone; where there is none, the canary has passed when it was read. A form's test lead \
         that Adjoin did not send is left alone, and no canary is sent then.",
    )
    .response_with::<202, Json<Canary>, _>(|response| response.description("It is due"));
    docs::problems(operation, &[(409, "One is under way.")])
}

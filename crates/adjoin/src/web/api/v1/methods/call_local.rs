use aide::transform::TransformOperation;
use axum::extract::State;

use super::{
    MethodPath,
    call::{Answered, Arguments},
};
use crate::{
    service::{App, methods},
    web::api::{Result, caller::Caller, describe as docs, input::At},
};

pub async fn handle(
    _: Caller,
    State(app): State<App>,
    At(path): At<MethodPath>,
    Arguments(arguments): Arguments,
) -> Result<Answered> {
    let method = methods::find(&path.method)?;
    Ok(Answered(methods::call_local(&app, method, &arguments)?))
}

pub fn describe(operation: TransformOperation<'_>) -> TransformOperation<'_> {
    let operation = docs::operation(
        operation,
        "methods.call_local",
        "Call a method that needs no account",
        "Methods of the kind `local` are answered here, without a connection and without Meta. `ad_set.validate` \
         checks `{ad_set, campaign?, ad_account?, existing?, api_version?}` against Meta's rules; its `data` is the \
         verdict and every finding, whether the ad set is accepted or not.",
    );
    docs::problems(operation, &[(409, "The method is called for an account")])
}

use aide::transform::TransformOperation;
use axum::extract::State;

use super::{
    MethodPath,
    call::{Answered, Arguments, CallQuery, IdempotencyKey, PROBLEMS, WHAT},
};
use crate::{
    service::{
        App,
        methods::{self, Call},
    },
    web::api::{
        Result,
        caller::InAccount,
        describe as docs,
        input::{At, Query},
    },
};

pub async fn handle(
    account: InAccount,
    State(app): State<App>,
    At(path): At<MethodPath>,
    Query(query): Query<CallQuery>,
    key: IdempotencyKey,
    Arguments(arguments): Arguments,
) -> Result<Answered> {
    let call = Call {
        account_id: account.id,
        connection_id: None,
        method: path.method,
        arguments,
        preview: query.preview,
        look_up: query.look_up,
        idempotency_key: key.0,
    };
    Ok(Answered(methods::call(&app, call).await?))
}

pub fn describe(operation: TransformOperation<'_>) -> TransformOperation<'_> {
    let summary = "Call a method of an account's only connection";
    let operation = docs::operation(operation, "methods.call_of_account", summary, WHAT);
    docs::problems(operation, &PROBLEMS)
}

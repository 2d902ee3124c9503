use adjoin_marketing::catalogue;
use aide::transform::TransformOperation;
use axum::Json;

use super::Method;
use crate::web::api::{Result, answer::List, caller::Caller, describe as docs};

pub async fn handle(_: Caller) -> Result<Json<List<Method>>> {
    Ok(List::whole(catalogue::methods().iter().map(Method::from).collect()))
}

pub fn describe(operation: TransformOperation<'_>) -> TransformOperation<'_> {
    docs::operation(
        operation,
        "methods.list",
        "List the methods",
        "Every method, with the JSON Schema of its arguments and the permissions it needs.",
    )
}

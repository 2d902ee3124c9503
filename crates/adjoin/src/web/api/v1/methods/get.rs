use aide::transform::TransformOperation;
use axum::Json;

use super::{Method, MethodPath};
use crate::{
    service::methods,
    web::api::{Result, caller::Caller, describe as docs, input::At},
};

pub async fn handle(_: Caller, At(path): At<MethodPath>) -> Result<Json<Method>> {
    Ok(Json(methods::find(&path.method)?.into()))
}

pub fn describe(operation: TransformOperation<'_>) -> TransformOperation<'_> {
    docs::operation(
        operation,
        "methods.get",
        "Read a method",
        "One method, with the JSON Schema of its arguments.",
    )
}

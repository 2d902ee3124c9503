use aide::transform::TransformOperation;
use axum::{Json, extract::State};

use crate::{
    service::{
        App, Error,
        setup::{self, Setup},
    },
    web::api::{Result, caller::Partner, describe as docs},
};

pub async fn handle(_: Partner, State(app): State<App>) -> Result<Json<Setup>> {
    let setup = setup::get(&app).await?.ok_or(Error::NotFound { what: "a setup of the connector" })?;
    Ok(Json(setup))
}

pub fn describe(operation: TransformOperation<'_>) -> TransformOperation<'_> {
    let operation = docs::operation(
        operation,
        "setup.get",
        "Read the connector's setup",
        "Your Meta app as the connector *Facebook Marketing API* is set up with it. The Client Secret is never \
         answered.",
    );
    docs::problems(operation, &[(404, "The connector is not set up yet")])
}

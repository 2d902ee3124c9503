use adjoin_graph::webhook_signature;
use axum::{
    body::{Body, to_bytes},
    extract::State,
    http::{HeaderMap, StatusCode, header},
};

use crate::service::{
    App,
    webhooks::{self, Refused},
};

/// Largest body, in bytes. Meta puts up to 1000 updates into one: of a lead some 300 bytes each, of an ad with issues, and
/// their messages, some thousand.
const BODY_MAX: usize = 8 * 1024 * 1024;

/// Takes a webhook. 200 means that it is on disk; a 5xx makes Meta send it again. Who is not Meta learns nothing.
pub async fn take(State(app): State<App>, headers: HeaderMap, body: Body) -> StatusCode {
    let length = headers.get(header::CONTENT_LENGTH).and_then(|it| it.to_str().ok()?.parse::<usize>().ok());
    if length.is_some_and(|length| length > BODY_MAX) {
        return StatusCode::PAYLOAD_TOO_LARGE;
    }
    let Some(signature) = headers.get(webhook_signature::HEADER).and_then(|it| it.to_str().ok()) else {
        app.metrics.webhook("unsigned");
        return StatusCode::FORBIDDEN;
    };
    let Ok(body) = to_bytes(body, BODY_MAX).await else { return StatusCode::PAYLOAD_TOO_LARGE };
    let (outcome, status) = match webhooks::take(&app, signature, body.into()).await {
        Ok(()) => ("stored", StatusCode::OK),
        Err(Refused::Unsigned(_)) => ("unsigned", StatusCode::FORBIDDEN),
        // Once the connector is set up, Meta's next try is believed.
        Err(Refused::NotSetUp) => ("not_set_up", StatusCode::SERVICE_UNAVAILABLE),
        Err(Refused::NotStored(_)) => ("not_stored", StatusCode::SERVICE_UNAVAILABLE),
        Err(Refused::Failed(error)) => {
            tracing::error!(error = &error as &dyn std::error::Error, "a webhook could not be checked");
            ("not_stored", StatusCode::SERVICE_UNAVAILABLE)
        }
    };
    app.metrics.webhook(outcome);
    status
}

//! Whether the process lives, whether it can work, and its numbers.

use axum::{
    Router,
    extract::State,
    http::{HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
    routing::get,
};

use super::problem::Problem;
use crate::service::{App, Who, ready};

pub fn router() -> Router<App> {
    Router::new()
        .route("/healthz", get(|| async { "ok" }))
        .route("/readyz", get(readyz))
        .route("/metrics", get(metrics))
}

async fn readyz(State(app): State<App>) -> Response {
    match ready::check(&app).await {
        Ok(()) => "ready".into_response(),
        Err(unready) => {
            tracing::error!(error = &unready as &dyn std::error::Error, "not ready");
            Problem::new(
                StatusCode::SERVICE_UNAVAILABLE,
                "not-ready",
                "Not ready",
                unready.to_string(),
                Who::Partner,
                "look in the service's log; it is ready again once this is mended",
            )
            .into_response()
        }
    }
}

async fn metrics(State(app): State<App>) -> Response {
    const TEXT: HeaderValue = HeaderValue::from_static("text/plain; version=0.0.4; charset=utf-8");
    ([(header::CONTENT_TYPE, TEXT)], app.metrics.render(app.quota.error_share())).into_response()
}

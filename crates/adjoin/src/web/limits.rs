//! Limits that hold for every request, and problems for those that go beyond.

use std::time::Duration;

use axum::{
    extract::Request,
    http::StatusCode,
    middleware::Next,
    response::{IntoResponse, Response},
};

use super::problem::Problem;
use crate::service::Who;

/// Largest body that is read, in bytes: 1 MiB.
pub const BODY_MAX: usize = 1024 * 1024;

/// Longest time a request to the API may take: some reads at Meta, each with its own limit.
const DEADLINE: Duration = Duration::from_mins(2);

/// The layer that ends a request at its deadline.
pub async fn deadline(request: Request, next: Next) -> Response {
    let answer = tokio::time::timeout(DEADLINE, next.run(request)).await;
    answer.unwrap_or_else(|_| {
        Problem::new(
            StatusCode::GATEWAY_TIMEOUT,
            "took-too-long",
            "It took too long",
            "there was no answer in time; a write may have been carried out all the same",
            Who::Meta,
            "look whether it was made before sending it again",
        )
        .into_response()
    })
}

pub fn too_large() -> Problem {
    Problem::new(
        StatusCode::PAYLOAD_TOO_LARGE,
        "too-large",
        "The body is too large",
        "the body is larger than 1 MiB; nothing was done",
        Who::Partner,
        "send less at once",
    )
}

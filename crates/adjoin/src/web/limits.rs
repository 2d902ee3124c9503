//! Limits that hold for every request, and problems for those that go beyond.

use axum::http::StatusCode;

use super::problem::Problem;
use crate::service::Who;

/// Largest body that is read, in bytes: 1 MiB.
pub const BODY_MAX: usize = 1024 * 1024;

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

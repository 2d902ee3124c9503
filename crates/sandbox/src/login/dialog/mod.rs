//! dialog
use axum::Router;

use crate::world::SharedWorld;

/// Refusals that come back as `error_code` and `error_message`.
pub const REFUSALS: &[(u32, &str)] = &[(1_349_220, "x")];

#[derive(Debug)]
pub struct PendingDialog {}

pub fn dialog_router(_world: SharedWorld) -> Router {
    Router::new()
}

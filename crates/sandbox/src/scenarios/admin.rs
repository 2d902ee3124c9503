use axum::Router;

use crate::world::SharedWorld;

/// The admin path: `/_sandbox`.
pub fn admin_router(_world: SharedWorld) -> Router {
    Router::new()
}

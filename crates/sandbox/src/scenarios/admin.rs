use axum::{Router, routing::get};

use crate::{pages, world::SharedWorld};

/// The admin path: `/_sandbox`.
pub fn admin_router(_world: SharedWorld) -> Router {
    Router::new().route("/_sandbox/style.css", get(pages::style))
}

//! The skins over the services: JSON API, console, connect page, callbacks. They parse, authenticate, call one
//! service function and answer; no rules live here.

pub mod api;
pub mod assets;
pub mod callbacks;
pub mod connect;
pub mod console;
mod fields;
pub mod headers;
mod health;
pub mod limits;
pub mod problem;
mod reader;
mod serve;
pub mod webhooks;

use axum::{Router, middleware, routing::get};
use tokio::net::TcpListener;

pub use serve::serve;

use crate::service::App;

/// Every route of the service.
pub fn router(app: App) -> Router {
    let open_to_all = connect::router().merge(callbacks::router()).layer(middleware::from_fn_with_state(
        (app.clone(), limits::PerAddress::new(app.clock.clone())),
        limits::per_address,
    ));
    Router::new()
        .merge(open_to_all)
        .merge(api::router(&app))
        .merge(console::router(&app))
        .merge(webhooks::router())
        .merge(health::router())
        .route("/assets/{fingerprint}/{name}", get(assets::serve))
        .fallback(reader::nothing_here)
        .method_not_allowed_fallback(reader::wrong_verb)
        .layer(middleware::from_fn_with_state(app.clone(), reader::address_is_text))
        .layer(middleware::from_fn(headers::guard))
        .with_state(app)
}

/// Serves until `shutdown` ends, then lets requests under way finish.
pub async fn run(app: App, listener: TcpListener, shutdown: impl Future<Output = ()>) {
    serve(listener, router(app.clone()), shutdown).await;
    app.calls.flush().await;
}

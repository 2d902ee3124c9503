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

use axum::{
    Extension, Router,
    extract::{DefaultBodyLimit, Request, State},
    middleware::{self, Next},
    response::Response,
    routing::get,
};
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
        .merge(api::router())
        .merge(console::router(&app))
        .merge(webhooks::router())
        .merge(health::router())
        .route("/assets/{fingerprint}/{name}", get(assets::serve))
        .fallback(reader::nothing_here)
        .method_not_allowed_fallback(reader::wrong_verb)
        // At once: each call of `layer` boxes every request's way anew.
        .layer((
            middleware::from_fn_with_state(app.clone(), around),
            DefaultBodyLimit::max(limits::BODY_MAX),
            Extension(api::RateLimits::new(app.config.api_rate, app.clock.clone())),
        ))
        .with_state(app)
}

/// What holds for every request.
async fn around(State(app): State<App>, request: Request, next: Next) -> Response {
    let https = headers::served_over_https(request.headers());
    let uri = request.uri().clone();
    let answer = match reader::fault_of_address(&uri) {
        None => limits::within_deadline(next.run(request)).await,
        Some(problem) => Err(problem),
    };
    let mut response = answer.unwrap_or_else(|problem| reader::answer(&app, uri.path(), problem));
    if reader::is_for_one_visitor(uri.path()) {
        headers::keep_private(response.headers_mut());
    }
    headers::guard(response.headers_mut(), https);
    response
}

/// Serves until `shutdown` ends, then lets requests under way finish.
pub async fn run(app: App, listener: TcpListener, shutdown: impl Future<Output = ()>) {
    serve(listener, router(app.clone()), shutdown).await;
    app.calls.flush().await;
}

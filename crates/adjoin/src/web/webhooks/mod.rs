//! Where Meta posts webhooks: one address for the app, whatever the account.

mod challenge;
mod receive;

use axum::{Router, routing::get};

use crate::service::App;

/// Meta comes in bursts, so nothing here counts requests.
pub fn router() -> Router<App> {
    Router::new().route("/webhooks/facebook", get(challenge::answer).post(receive::take))
}

//! Webhooks on the wire: asking a callback to prove itself, and sending what the world has to tell.
//!
//! Source: graph-api/webhooks/getting-started.

mod admin;
mod challenge;
mod emit;
mod sender;
mod signature;

use std::time::Duration;

pub use admin::{no_form, router};
pub use challenge::ask;
pub use sender::run;
pub use signature::{SIGNATURE, signature};

/// How long a callback may take. Meta does not say.
const PATIENCE: Duration = Duration::from_secs(10);

/// What speaks to callbacks: it follows no redirect and no proxy, since nothing is to leave this machine.
pub fn client() -> reqwest::Client {
    reqwest::Client::builder()
        .redirect(reqwest::redirect::Policy::none())
        .no_proxy()
        .timeout(PATIENCE)
        .user_agent("adjoin-sandbox")
        .build()
        .expect("a client without special needs")
}

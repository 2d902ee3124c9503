//! A client for Meta's Graph API.
//!
//! A request is a value, an answer is a value, and Meta's own error is kept whole. The crate knows the
//! protocol (tokens, proofs, paging, batch, usage headers, OAuth, signatures) and nothing of what is asked
//! through it.
//!
//! ```no_run
//! use adjoin_graph::{Access, Graph, GraphConfig, Request};
//! use futures_util::TryStreamExt;
//!
//! # async fn example() -> Result<(), Box<dyn std::error::Error>> {
//! let graph = Graph::new(GraphConfig::new("https://graph.facebook.com".parse()?, "v26.0"))?;
//! let access = Access::signed("the user's token", "the app secret");
//!
//! // One call.
//! let me = graph.send(&Request::get("/me").param("fields", "id,name"), &access).await?;
//! println!("{} speaks, {:?} of the hourly calls used", me.json()?["name"], me.usage.highest_percent());
//!
//! // A whole list, page by page.
//! let request = Request::get("/me/adaccounts").param("fields", "id,name,currency");
//! let mut accounts = std::pin::pin!(graph.items::<serde_json::Value>(request, access));
//! while let Some(account) = accounts.try_next().await? {
//!     println!("{}", account["name"]);
//! }
//! # Ok(())
//! # }
//! ```
//!
//! # What is safe to print
//! `Debug` and `Display` of every type here leave out tokens, proofs, secrets, parameter values and answer
//! bodies. Where Meta repeats a token in an error text it is replaced before the error is built.
//!
//! # What is never done
//! A write is never repeated unless it is certain that it did not reach Meta ([`RetryPolicy`]). Redirects and
//! proxies are not followed. A paging `next` URL is not followed either, since it carries the token:
//! only its cursor is used.

mod access;
mod answer;
mod batch;
mod client;
mod clock;
mod error;
pub mod oauth;
mod page;
pub mod proof;
mod request;
mod retry;
pub mod signed_request;
mod usage;
pub mod webhook_signature;

#[cfg(test)]
mod peer;

pub use access::Access;
pub use answer::Answer;
pub use batch::{Batch, BatchAnswer, BatchItem};
pub use client::{Graph, GraphConfig};
pub use clock::Clock;
pub use error::{Error, GraphRefusal};
pub use page::Page;
pub use proof::hex;
pub use request::{Method, Request};
pub use retry::{Retry, RetryPolicy};
pub use usage::{AccessTier, AdAccountUsage, AppUsage, BusinessUsage, InsightsThrottle, Usage};

pub use secrecy::{ExposeSecret, SecretString};

//! Facebook Login: the dialog, tokens, permissions.
//!
//! [`dialog_router`] serves the consent page, [`graph()`] answers the Graph calls that belong to login
//! (`oauth/access_token`, `debug_token`, ...), [`authenticate`] turns a call's token and proof into a
//! [`Caller`](crate::protocol::Caller), and [`require`] checks that a caller may touch an asset.

mod access;
mod authenticate;
pub mod dialog;
mod graph;
mod leads;
pub mod permissions;
mod proof;
mod signed_request;

pub use access::{client_business_id, page_token, require};
pub use authenticate::authenticate;
pub use dialog::dialog_router;
pub use graph::graph;
pub use leads::{has_task, lead_access, require_leads, tasks};
pub use proof::appsecret_proof;
pub use signed_request::signed_request;

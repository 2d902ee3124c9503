//! A stateful local stand-in for `graph.facebook.com` and the login dialog of `www.facebook.com`.
//!
//! Everything lives in one [`World`] behind a lock; a request becomes a [`protocol::Call`], a pure
//! function of the world answers it, and batch items take the same way.

pub mod clock;
pub mod login;
pub mod meters;
pub mod nodes;
pub mod protocol;
pub mod scenarios;
pub mod world;

pub use world::{SharedWorld, World};

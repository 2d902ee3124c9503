//! The Marketing API's facts as data, and pure functions over them.
//!
//! The tables under `data/` hold what Meta documents, and what was seen in practice, each row with its source and a
//! [`Mark`]. The modules read them once and answer questions: is this ad set right ([`ad_set`]), this lead form
//! ([`lead_form`]), this alert ([`ad_alert`]), which methods exist
//! ([`catalogue`]), what does this error mean ([`errors`], [`dialog`]), which permissions does this need
//! ([`permissions`]), which version is alive ([`versions`]), how much money is this ([`money`]).
//!
//! Nothing here does I/O. The time is an argument wherever it matters.

pub mod ad_alert;
pub mod ad_set;
pub mod catalogue;
pub mod customer;
pub mod dialog;
pub mod errors;
mod facts;
mod given;
pub mod lead_form;
pub mod money;
pub mod nearest;
pub mod permissions;
pub mod versions;
pub mod vocabulary;

pub use facts::{Mark, Who};

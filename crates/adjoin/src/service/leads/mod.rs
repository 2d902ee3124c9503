//! Leads: form submissions, each by Meta's id, from the first sighting to its delivery.
//!
//! ```text
//! Seen -> Hydrated -> (delivered)        Hydrated, Parked or Gone -> Erased, Expired
//!   \-> Parked (by cause) -> Hydrated
//!   \-> Gone
//! ```

pub mod charts;
mod detail;
mod erase;
mod expiry;
mod hydrate;
mod read;
mod render;
mod sight;
pub mod stages;
mod state;
mod trouble;
mod view;

use crate::service::{App, Result};

pub use detail::{id, maybe_a_test, time};
pub use erase::{ErasedPerson, Person, erase, erase_person, retry, retry_all, tidy};
pub use expiry::tell as tell_expiring;
pub use read::{Fields, TestLead, ask_test_leads, asks_too_much, test_leads};
pub use render::{Answer, Consent, Content, render};
pub use sight::{Sighted, Sighting, Source, drain, fill, keep_out, sight};
pub use stages::{Stage, StageState};
pub use state::{Cause, State};
pub use view::{
    Filter, Lead, LeadDetail, LeadEvent, PAGE_MAX, SightedBy, Status, Timeline, Waiting, detail, get, list,
    timeline, waiting,
};

/// Does what is due now. True when there is more to do at once.
pub async fn step(app: &App) -> Result<bool> {
    hydrate::step(app).await
}

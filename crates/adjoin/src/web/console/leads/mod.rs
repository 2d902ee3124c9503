//! The inbox of leads.

pub mod actions;
pub mod list;
pub mod page;
mod shown;
mod way;
pub mod words;

use super::Failure;
use crate::{
    id::LeadId,
    service::{
        App,
        leads::{self, Lead},
    },
};

/// The lead of the address; one of another account is not there.
async fn of_path(app: &App, account: &str, lead: &str) -> Result<Lead, Failure> {
    let account = account.parse().map_err(|_| Failure::no_page())?;
    let lead: LeadId = lead.parse().map_err(|_| Failure::no_page())?;
    Ok(leads::get(app, &account, &lead).await?)
}

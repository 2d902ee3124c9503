//! Where events are delivered, and what became of each delivery.

pub mod actions;
pub mod delete;
pub mod delivery;
pub mod edit;
pub mod list;
pub mod page;
pub mod words;

use super::Failure;
use crate::{
    id::{AccountId, EndpointId},
    service::{App, Error, accounts},
};

/// The id in the address; whatever is no id is a page that is not there.
fn endpoint_id(text: &str) -> Result<EndpointId, Failure> {
    text.parse().map_err(|_| Failure::no_page())
}

/// The account's name; `None` stands for all accounts.
async fn account_name(app: &App, id: Option<&AccountId>) -> Result<Option<String>, Error> {
    match id {
        Some(id) => Ok(Some(accounts::get(app, id).await?.name)),
        None => Ok(None),
    }
}

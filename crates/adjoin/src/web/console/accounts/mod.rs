//! Accounts: find, create, open, rename, delete.

pub mod create;
pub mod delete;
pub mod list;
pub mod page;

use super::Failure;
use crate::id::AccountId;

/// The id in the address; whatever is no id is a page that is not there.
pub fn account_id(text: &str) -> Result<AccountId, Failure> {
    text.parse().map_err(|_| Failure::no_page())
}

pub mod erase;
pub mod erase_person;
pub mod get;
pub mod list;
pub mod retry;
pub mod retry_all;

use schemars::JsonSchema;
use serde::Deserialize;

use crate::id::LeadId;

#[derive(Debug, Deserialize, JsonSchema)]
pub struct LeadPath {
    /// The lead.
    pub lead_id: LeadId,
}

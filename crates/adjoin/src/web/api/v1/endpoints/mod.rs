pub mod change;
pub mod create;
pub mod delete;
pub mod deliveries;
pub mod get;
pub mod list;
pub mod recover;
pub mod replay;
pub mod rotate_secret;
pub mod test;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::id::EndpointId;

#[derive(Debug, Deserialize, JsonSchema)]
pub struct EndpointPath {
    /// The endpoint.
    pub endpoint_id: EndpointId,
}

/// How much is on its way now.
#[derive(Debug, Serialize, JsonSchema)]
pub struct OnTheirWay {
    /// How many deliveries.
    pub deliveries: u64,
}

/// What all that send to a disabled endpoint answer.
pub const DISABLED: (u16, &str) = (409, "The endpoint is disabled");

pub mod get;
pub mod replay;

use schemars::JsonSchema;
use serde::Deserialize;

use crate::id::DeliveryId;

#[derive(Debug, Deserialize, JsonSchema)]
pub struct DeliveryPath {
    /// The delivery.
    pub delivery_id: DeliveryId,
}

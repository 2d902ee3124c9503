pub mod list;
pub mod take_over;

use schemars::JsonSchema;
use serde::Deserialize;

#[derive(Debug, Deserialize, JsonSchema)]
pub struct ObjectPath {
    /// `page` or `ad_account`.
    pub object: String,
}

pub mod disconnect;
pub mod get;
pub mod install;
pub mod list;
pub mod list_all;
pub mod reconnect;
pub mod test;

use schemars::JsonSchema;
use serde::Deserialize;

use crate::id::ConnectionId;

#[derive(Debug, Deserialize, JsonSchema)]
pub struct ConnectionPath {
    /// The connection.
    pub connection_id: ConnectionId,
}

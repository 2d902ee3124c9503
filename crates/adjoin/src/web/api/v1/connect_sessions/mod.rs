pub mod accept_identity;
pub mod cancel;
pub mod complete;
pub mod create;
pub mod get;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{id::ConnectSessionId, service::connect_sessions::ConnectSession};

#[derive(Debug, Deserialize, JsonSchema)]
pub struct ConnectSessionPath {
    /// The connect session.
    pub connect_session_id: ConnectSessionId,
}

/// A new session, with its address this once.
#[derive(Serialize, JsonSchema)]
pub struct FreshConnectSession {
    #[serde(flatten)]
    pub session: ConnectSession,
    /// Open it in the browser of the person who is to connect. It lets its holder connect this account, works for one
    /// browser, and is not answered again.
    pub url: String,
}

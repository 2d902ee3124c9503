//! Facebook Login: the dialog, tokens, permissions.
//!
//! `graph` answers the Graph calls that belong to login (`oauth/access_token`, `debug_token`, ...) and is
//! `None` for all others; `authenticate` turns a call's token and proof into a [`Caller`].

use serde_json::Value;

use crate::{
    protocol::{Call, Caller, GraphError},
    world::World,
};

/// The answer of a login endpoint, or `None` when the path is not one of login's.
pub fn graph(_world: &mut World, _call: &Call) -> Option<Result<Value, GraphError>> {
    None
}

/// Checks the token of a call and, when there is one, its `appsecret_proof`.
pub fn authenticate(_world: &World, _call: &Call) -> Result<Caller, GraphError> {
    Err(GraphError::new(104, "An access token is required to request this resource."))
}

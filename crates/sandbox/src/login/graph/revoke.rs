use serde_json::{Value, json};

use super::{client, missing};
use crate::{
    login::authenticate::inspect,
    protocol::{Call, GraphError},
    world::{World, identity::TokenDeath},
};

/// `oauth/revoke`: ends one token and leaves the person's others alone.
pub fn revoke(world: &mut World, call: &Call) -> Result<Value, GraphError> {
    let app = client(world, call)?;
    let text = call.params.text("revoke_token").ok_or_else(|| missing("revoke_token"))?;
    if let Some(caller) = call.token.as_deref() {
        let seen = inspect(world, caller)?;
        // A token may revoke itself even when it is dead already.
        if let Some((_, error)) = seen.fault.filter(|_| caller != text) {
            return Err(error);
        }
    }
    if inspect(world, &text)?.app.id != app.id {
        return Err(GraphError::new(100, "The access token does not belong to application"));
    }
    let Some(token) = world.identity.tokens.get_mut(&text) else {
        return Err(GraphError::new(100, "Only user and system user access tokens can be revoked"));
    };
    token.death.get_or_insert(TokenDeath::InvalidatedByApi);
    Ok(json!({ "success": true }))
}

use serde_json::{Value, json};

use super::client;
use crate::{
    login::authenticate::inspect,
    protocol::{Call, GraphError},
    world::{
        World,
        identity::{Code, TokenKind, TokenLife},
    },
};

/// `oauth/client_code`: a code with which a client gets a long-lived token of its own.
pub fn client_code(world: &mut World, call: &Call) -> Result<Value, GraphError> {
    let app = client(world, call)?;
    let redirect_uri = call
        .params
        .text("redirect_uri")
        .ok_or_else(|| GraphError::new(191, "Missing redirect_uri parameter."))?;
    let text = call
        .token
        .clone()
        .ok_or_else(|| GraphError::new(104, "An access token is required to request this resource."))?;
    let seen = inspect(world, &text)?;
    if let Some((_, error)) = seen.fault {
        return Err(error);
    }
    let kind = match (&seen.kind, seen.token) {
        (TokenKind::User { .. }, Some(token)) if token.life == TokenLife::Long && seen.app.id == app.id => {
            seen.kind.clone()
        }
        _ => {
            return Err(GraphError::new(
                100,
                "A long-lived user access token of this application is required",
            ));
        }
    };
    let code = Code {
        app_id: app.id,
        redirect_uri,
        kind,
        life: TokenLife::Long,
        issued_at: world.clock.unix(),
        used: false,
        auth_nonce: None,
        auth_type: None,
    };
    Ok(json!({ "code": world.identity.keep_code(code) }))
}

//! The Graph calls that belong to login, one file a call.

mod client_code;
mod debug_token;
mod exchange;
mod permissions;
mod revoke;
mod system_user_access_tokens;

use serde_json::Value;

use crate::{
    protocol::{Call, GraphError, Method},
    world::{World, identity::App},
};

/// The answer of a login endpoint, or `None` when the path is not one of login's.
pub fn graph(world: &mut World, call: &Call) -> Option<Result<Value, GraphError>> {
    let path: Vec<&str> = call.path.iter().map(String::as_str).collect();
    Some(match (path.as_slice(), call.method) {
        (["oauth", "access_token"], Method::Get | Method::Post) => exchange::access_token(world, call),
        (["oauth", "client_code"], Method::Get | Method::Post) => client_code::client_code(world, call),
        (["oauth", "revoke"], Method::Get | Method::Post) => revoke::revoke(world, call),
        (["debug_token"], Method::Get) => debug_token::debug_token(world, call),
        ([subject, "permissions"], Method::Get) => permissions::list(world, call, subject),
        ([subject, "permissions"], Method::Delete) => permissions::delete(world, call, subject, None),
        ([subject, "permissions", name], Method::Delete) => {
            permissions::delete(world, call, subject, Some(name))
        }
        ([business, "system_user_access_tokens"], Method::Post) => {
            system_user_access_tokens::create(world, call, business)
        }
        _ => return None,
    })
}

/// The app that `client_id` and `client_secret` name.
fn client(world: &World, call: &Call) -> Result<App, GraphError> {
    let id =
        call.params.text("client_id").ok_or_else(|| GraphError::new(101, "Missing client_id parameter."))?;
    let app = world.identity.apps.get(&id).ok_or_else(|| {
        GraphError::new(
            101,
            "Error validating application. Cannot get application info due to a system error.",
        )
    })?;
    let secret = call
        .params
        .text("client_secret")
        .ok_or_else(|| GraphError::new(1, "Missing client_secret parameter."))?;
    if secret != app.secret {
        return Err(GraphError::new(1, "Error validating client secret."));
    }
    Ok(app.clone())
}

fn missing(parameter: &str) -> GraphError {
    GraphError::new(100, format!("(#100) The parameter {parameter} is required"))
}

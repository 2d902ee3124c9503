use serde_json::{Map, Value, json};

use super::missing;
use crate::{
    login::{
        access::acts_for_app,
        authenticate::{authenticate, inspect, live_permissions},
        permissions::{self, AssetKind},
    },
    protocol::{Call, GraphError},
    world::{
        World,
        identity::{Reach, TokenKind, TokenLife},
    },
};

/// `debug_token`: what a token is, asked by its own app (or a developer of it). A dead token is described in a
/// 200 answer with `is_valid: false`.
pub fn debug_token(world: &World, call: &Call) -> Result<Value, GraphError> {
    let caller = authenticate(world, call)?;
    let input = call.params.text("input_token").ok_or_else(|| missing("input_token"))?;
    if !acts_for_app(world, &caller) {
        return Err(GraphError::new(
            100,
            "(#100) You must provide an app access token, or a user access token that is an owner or developer of the app",
        ));
    }
    let seen = match inspect(world, &input) {
        Ok(seen) => seen,
        Err(error) => return Ok(unknown(&error)),
    };
    if seen.app.id != caller.app_id {
        return Ok(unknown(&GraphError::new(
            100,
            "(#100) The App_id in the input_token did not match the Viewing App",
        )));
    }
    let mut data = Map::new();
    data.insert("app_id".into(), seen.app.id.clone().into());
    data.insert("type".into(), seen.kind.meta_name().into());
    data.insert("application".into(), seen.app.name.clone().into());
    let Some(token) = seen.token else {
        data.insert("is_valid".into(), true.into());
        data.insert("scopes".into(), json!([]));
        return Ok(json!({ "data": data }));
    };
    let subject = seen.kind.subject().unwrap_or_default();
    let data_access = match seen.kind {
        TokenKind::SystemUser { .. } => 0,
        _ => world.identity.grant(&seen.app.id, subject).map_or(0, |grant| grant.data_access_until),
    };
    data.insert("data_access_expires_at".into(), data_access.into());
    if let Some((_, error)) = &seen.fault {
        let mut body = Map::new();
        body.insert("code".into(), error.code.into());
        body.insert("message".into(), error.message.clone().into());
        if let Some(subcode) = error.subcode {
            body.insert("subcode".into(), subcode.into());
        }
        data.insert("error".into(), body.into());
    }
    data.insert("expires_at".into(), seen.expires_at.unwrap_or(0).into());
    data.insert("is_valid".into(), seen.fault.is_none().into());
    if token.life != TokenLife::Short {
        data.insert("issued_at".into(), token.issued_at.into());
    }
    let mut metadata = Map::new();
    for (name, value) in [("auth_type", &token.auth_type), ("auth_nonce", &token.auth_nonce)] {
        if let Some(value) = value {
            metadata.insert(name.into(), value.clone().into());
        }
    }
    if !metadata.is_empty() {
        data.insert("metadata".into(), metadata.into());
    }
    if let TokenKind::Page { page_id, .. } = &seen.kind {
        data.insert("profile_id".into(), page_id.clone().into());
    }
    let granted = live_permissions(world, seen.app, &seen.kind, seen.token);
    data.insert("scopes".into(), granted.iter().map(|(name, _)| name.clone()).collect());
    data.insert(
        "granular_scopes".into(),
        granted.iter().filter_map(|(name, reach)| granular(world, name, reach)).collect(),
    );
    data.insert("user_id".into(), subject.into());
    Ok(json!({ "data": data }))
}

/// One row of `granular_scopes`. No `target_ids` means all assets, an empty list means none.
fn granular(world: &World, name: &str, reach: &Reach) -> Option<Value> {
    let kind = permissions::asset_kind(name)?;
    Some(match reach {
        Reach::All => json!({ "scope": name }),
        Reach::Only(ids) => {
            let prefix =
                if kind == AssetKind::AdAccount && world.scenarios.act_prefix() { "act_" } else { "" };
            let ids: Vec<String> = ids.iter().map(|id| format!("{prefix}{id}")).collect();
            json!({ "scope": name, "target_ids": ids })
        }
    })
}

fn unknown(error: &GraphError) -> Value {
    json!({ "data": {
        "error": { "code": error.code, "message": error.message },
        "is_valid": false,
        "scopes": [],
    } })
}

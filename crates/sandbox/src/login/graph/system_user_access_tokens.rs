use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::missing;
use crate::{
    login::{access::require, authenticate::authenticate_with, permissions::AssetKind},
    protocol::{Call, GraphError},
    world::{
        World,
        identity::{Narrowing, Reach, TokenKind, TokenLife},
    },
};

/// `POST /{client_business_id}/system_user_access_tokens`: reads the integration's token (`fetch_only`), or
/// mints one, whole or granular (`asset` and `scope` are subsets of what was granted). Needs a proof.
pub fn create(world: &mut World, call: &Call, business_id: &str) -> Result<Value, GraphError> {
    let caller = authenticate_with(world, call, true)?;
    require(world, &caller, &["business_management"], AssetKind::Business, business_id)?;
    let user_id = call
        .params
        .text("system_user_id")
        .or_else(|| match &caller.kind {
            TokenKind::SystemUser { system_user_id, .. } => Some(system_user_id.clone()),
            _ => None,
        })
        .ok_or_else(|| missing("system_user_id"))?;
    let known = world
        .identity
        .system_users
        .get(&user_id)
        .is_some_and(|user| user.business_id == business_id && user.app_id == caller.app_id);
    if !known {
        return Err(GraphError::new(100, format!("(#100) {user_id} is not a system user of this business")));
    }
    let kind = TokenKind::SystemUser { system_user_id: user_id.clone(), business_id: business_id.to_owned() };
    let now = world.clock.unix();
    if call.params.bool("fetch_only") == Some(true) {
        let existing = world
            .identity
            .tokens
            .iter()
            .filter(|(_, token)| {
                token.app_id == caller.app_id
                    && token.kind == kind
                    && token.narrowing.is_none()
                    && token.death.is_none()
                    && token.expires_at.is_none_or(|at| at > now)
            })
            .max_by_key(|(_, token)| token.serial)
            .map(|(text, _)| text.clone());
        return existing
            .map(|text| json!({ "access_token": text }))
            .ok_or_else(|| GraphError::new(100, "(#100) There is no access token for this system user"));
    }
    let narrowing = narrowing(world, call, &caller.app_id, &user_id)?;
    let life = match call.params.bool("set_token_expires_in_60_days") {
        Some(true) => TokenLife::Long,
        _ => TokenLife::Never,
    };
    let token = world.identity.issue(&caller.app_id, kind, life, now);
    if let Some(kept) = world.identity.tokens.get_mut(&token) {
        kept.narrowing = narrowing;
    }
    Ok(json!({ "access_token": token }))
}

fn narrowing(
    world: &World,
    call: &Call,
    app_id: &str,
    user_id: &str,
) -> Result<Option<Narrowing>, GraphError> {
    let scopes = call.params.list("scope").map(|names| names.into_iter().collect::<BTreeSet<_>>());
    let assets = call.params.list("asset").map(|ids| {
        ids.into_iter()
            .map(|id| id.strip_prefix("act_").map_or(id.clone(), str::to_owned))
            .collect::<BTreeSet<_>>()
    });
    if scopes.is_none() && assets.is_none() {
        return Ok(None);
    }
    let granted: Vec<(&str, &Reach)> = world
        .identity
        .grant(app_id, user_id)
        .into_iter()
        .flat_map(|grant| grant.live(world.clock.unix()))
        .collect();
    for name in scopes.iter().flatten() {
        if !granted.iter().any(|(n, _)| n == name) {
            return Err(GraphError::new(100, format!("(#100) The permission {name} has not been granted")));
        }
    }
    for id in assets.iter().flatten() {
        let reached = granted.iter().any(|(_, reach)| match reach {
            Reach::All => true,
            Reach::Only(ids) => ids.contains(id),
        });
        if !reached {
            return Err(GraphError::new(100, format!("(#100) The asset {id} has not been granted")));
        }
    }
    Ok(Some(Narrowing { permissions: scopes, assets: assets.map_or(Reach::All, Reach::Only) }))
}

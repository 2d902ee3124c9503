use serde_json::{Value, json};

use crate::{
    login::authenticate::authenticate,
    protocol::{Call, Caller, GraphError},
    world::{
        World,
        identity::{PermissionState, TokenKind},
    },
};

/// `GET /{user}/permissions`: what the person granted and declined; `?permission=` and `?status=` narrow it.
pub fn list(world: &World, call: &Call, subject: &str) -> Result<Value, GraphError> {
    let caller = authenticate(world, call)?;
    let subject = resolve(&caller, subject)?;
    let now = world.clock.unix();
    let wanted = call.params.text("permission");
    let status = call.params.text("status");
    let grant = world.identity.grant(&caller.app_id, &subject);
    let live: Vec<&str> = grant.into_iter().flat_map(|g| g.live(now)).map(|(name, _)| name).collect();
    let rows: Vec<Value> = grant
        .into_iter()
        .flat_map(|grant| &grant.permissions)
        .map(|(name, state)| {
            let status = match state {
                PermissionState::Declined => "declined",
                PermissionState::Granted(_) if live.contains(&name.as_str()) => "granted",
                PermissionState::Granted(_) => "expired",
            };
            (name, status)
        })
        .filter(|(name, _)| wanted.as_ref().is_none_or(|w| w == *name))
        .filter(|(_, now)| status.as_ref().is_none_or(|s| s == now))
        .map(|(name, status)| json!({ "permission": name, "status": status }))
        .collect();
    Ok(json!({ "data": rows }))
}

/// `DELETE /{user}/permissions[/{name}]`: drops one permission, or the app as a whole. Both act on the person,
/// so on every token of theirs.
pub fn delete(
    world: &mut World,
    call: &Call,
    subject: &str,
    name: Option<&str>,
) -> Result<Value, GraphError> {
    let caller = authenticate(world, call)?;
    let subject = resolve(&caller, subject)?;
    let name = name.map(str::to_owned).or_else(|| call.params.text("permission"));
    if world.identity.grant(&caller.app_id, &subject).is_none() {
        return Err(GraphError::unsupported_get(&subject));
    }
    match name.as_deref() {
        None | Some("public_profile") => world.identity.deauthorize(&caller.app_id, &subject),
        Some(name) => {
            let now = world.clock.unix();
            let grant = world.identity.grant_mut(&caller.app_id, &subject, now);
            match grant.permissions.get_mut(name) {
                Some(state @ PermissionState::Granted(_)) => *state = PermissionState::Declined,
                Some(PermissionState::Declined) => {}
                None => {
                    return Err(GraphError::new(
                        100,
                        format!("(#100) The permission {name} has not been granted"),
                    ));
                }
            }
        }
    }
    Ok(json!({ "success": true }))
}

/// A person's token speaks for that person only, an app token for anybody who uses the app.
fn resolve(caller: &Caller, subject: &str) -> Result<String, GraphError> {
    match (&caller.kind, caller.kind.subject()) {
        (TokenKind::User { .. } | TokenKind::SystemUser { .. }, Some(own))
            if subject == "me" || subject == own =>
        {
            Ok(own.to_owned())
        }
        (TokenKind::App, _) if subject != "me" => Ok(subject.to_owned()),
        (TokenKind::App, _) => Err(GraphError::new(
            2500,
            "An active access token must be used to query information about the current user.",
        )),
        _ => Err(GraphError::unsupported_get(subject)),
    }
}

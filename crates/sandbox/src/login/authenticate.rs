use super::proof;
use crate::{
    protocol::{Call, Caller, GraphError},
    world::{
        World,
        identity::{App, Grant, Reach, Token, TokenDeath, TokenKind, TokenLife},
    },
};

/// Checks the token of a call and, when there is one, its `appsecret_proof`.
pub fn authenticate(world: &World, call: &Call) -> Result<Caller, GraphError> {
    authenticate_with(world, call, false)
}

/// As [`authenticate`]; with `proof_always` the call is refused without a proof whatever the app's setting.
pub fn authenticate_with(world: &World, call: &Call, proof_always: bool) -> Result<Caller, GraphError> {
    let Some(text) = call.token.as_deref().filter(|t| !t.is_empty()) else {
        return Err(if call.path.first().is_some_and(|p| p == "me") {
            GraphError::new(
                2500,
                "An active access token must be used to query information about the current user.",
            )
        } else {
            GraphError::new(104, "An access token is required to request this resource.")
        });
    };
    let seen = inspect(world, text)?;
    if let Some((_, error)) = seen.fault {
        return Err(error);
    }
    proof::check(world, seen.app, text, call, proof_always)?;
    let granted = live_permissions(world, seen.app, &seen.kind, seen.token);
    let granular = granted
        .iter()
        .filter_map(|(name, reach)| match reach {
            Reach::All => None,
            Reach::Only(ids) => Some((name.clone(), ids.iter().cloned().collect())),
        })
        .collect();
    Ok(Caller {
        token: text.to_owned(),
        app_id: seen.app.id.clone(),
        kind: seen.kind,
        scopes: granted.into_iter().map(|(name, _)| name).collect(),
        granular,
    })
}

/// A token that this world knows, dead or alive.
pub struct Inspected<'w> {
    pub app: &'w App,
    pub kind: TokenKind,
    /// The kept token: for a page token the one it was derived from, for an app token none.
    pub token: Option<&'w Token>,
    /// Unix seconds; `None` = never.
    pub expires_at: Option<i64>,
    /// Why it does not work, when it does not.
    pub fault: Option<(TokenDeath, GraphError)>,
}

/// Reads a token string. An error means that it is not a token of this world at all.
pub fn inspect<'w>(world: &'w World, text: &str) -> Result<Inspected<'w>, GraphError> {
    let identity = &world.identity;
    if let Some((app_id, secret)) = text.split_once('|') {
        let app = identity.apps.get(app_id).ok_or_else(|| {
            GraphError::new(
                190,
                "Error validating application. Cannot get application info due to a system error.",
            )
        })?;
        if secret != app.secret && text != app_token(app) {
            return Err(GraphError::new(190, "Invalid OAuth access token signature."));
        }
        return Ok(Inspected { app, kind: TokenKind::App, token: None, expires_at: None, fault: None });
    }
    let unreadable = || GraphError::new(190, "Invalid OAuth access token - Cannot parse access token");
    let (token, kind) = if let Some(token) = identity.tokens.get(text) {
        (token, token.kind.clone())
    } else {
        let (serial, page_id) = identity.minter.read_page_token(text).ok_or_else(unreadable)?;
        let parent = identity
            .token_serials
            .get(&serial)
            .and_then(|text| identity.tokens.get(text))
            .ok_or_else(unreadable)?;
        let person_id = parent.kind.subject().ok_or_else(unreadable)?.to_owned();
        (parent, TokenKind::Page { page_id: page_id.to_string(), person_id })
    };
    let app = identity.apps.get(&token.app_id).ok_or_else(unreadable)?;
    let is_page = matches!(kind, TokenKind::Page { .. });
    // A page token from a long-lived token has no date of its own and outlives that token's.
    let expires_at = if is_page && token.life != TokenLife::Short { None } else { token.expires_at };
    let now = world.clock.unix();
    let death = world
        .scenarios
        .token_death()
        .or_else(|| world.scenarios.page_token_death().filter(|_| is_page))
        .or(token.death)
        .or_else(|| expires_at.filter(|at| *at <= now).map(|_| TokenDeath::Expired))
        .or_else(|| match &kind {
            TokenKind::Page { page_id, person_id } if !has_page_role(world, page_id, person_id) => {
                Some(TokenDeath::NoPageRole)
            }
            _ => None,
        });
    let fault = death.map(|death| {
        // A scenario kills tokens before their date: say an hour ago then.
        let end = expires_at.filter(|at| *at <= now).unwrap_or(now - 3600);
        (death, death.error(&app.id, end, now))
    });
    Ok(Inspected { app, kind, token: Some(token), expires_at, fault })
}

/// The permissions a token carries now, each with what it reaches.
pub fn live_permissions(
    world: &World,
    app: &App,
    kind: &TokenKind,
    token: Option<&Token>,
) -> Vec<(String, Reach)> {
    let Some(grant) = kind.subject().and_then(|subject| world.identity.grant(&app.id, subject)) else {
        return Vec::new();
    };
    let narrowing = token.and_then(|t| t.narrowing.as_ref());
    live(grant, world.clock.unix())
        .filter(|(name, _)| {
            narrowing.and_then(|n| n.permissions.as_ref()).is_none_or(|names| names.contains(name))
        })
        .map(|(name, reach)| {
            let reach = match narrowing {
                Some(n) if super::permissions::asset_kind(&name).is_some() => reach.intersection(&n.assets),
                _ => reach,
            };
            (name, reach)
        })
        .collect()
}

fn live(grant: &Grant, now: i64) -> impl Iterator<Item = (String, Reach)> {
    grant.live(now).map(|(name, reach)| (name.to_owned(), reach.clone()))
}

/// Whether a person or system user can use a Page. A Page that is not there is left to the node that reads it.
fn has_page_role(world: &World, page_id: &str, subject: &str) -> bool {
    world.assets.pages.get(page_id).is_none_or(|page| page.users.contains_key(subject))
}

/// The token that `client_credentials` answers: not the secret itself, and the same each time.
pub fn app_token(app: &App) -> String {
    format!("{}|{}", app.id, &proof::appsecret_proof(&app.secret, "app token", None)[..27])
}

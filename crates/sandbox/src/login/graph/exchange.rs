use serde_json::{Value, json};

use super::{client, missing};
use crate::{
    login::authenticate::{app_token, inspect},
    protocol::{Call, GraphError},
    world::{
        World,
        identity::{App, Code, TokenKind, TokenLife},
    },
};

/// `oauth/access_token`: a code, a token to be exchanged, or the app's own credentials for a token.
pub fn access_token(world: &mut World, call: &Call) -> Result<Value, GraphError> {
    let app = client(world, call)?;
    match call.params.text("grant_type").as_deref() {
        Some("client_credentials") => Ok(json!({ "access_token": app_token(&app), "token_type": "bearer" })),
        Some("fb_exchange_token") => exchange_token(world, call, &app),
        None | Some("authorization_code") => exchange_code(world, call, &app),
        Some(other) => Err(GraphError::new(1, format!("Unsupported grant_type: {other}"))),
    }
}

fn exchange_code(world: &mut World, call: &Call, app: &App) -> Result<Value, GraphError> {
    let text = call.params.text("code").ok_or_else(|| GraphError::new(1, "Missing authorization code"))?;
    let redirect_uri = call
        .params
        .text("redirect_uri")
        .ok_or_else(|| GraphError::new(191, "Missing redirect_uri parameter."))?;
    if call.params.has("code_verifier") {
        return Err(GraphError::new(
            100,
            "code_verifier param is provided without a code_challenge in authorization request",
        ));
    }
    let now = world.clock.unix();
    let code = world
        .identity
        .codes
        .get_mut(&text)
        .filter(|code| code.app_id == app.id)
        .ok_or_else(|| GraphError::new(100, "Invalid verification code format."))?;
    if !app.redirect_uris.contains(&redirect_uri) {
        return Err(GraphError::new(
            191,
            "Given URL is not allowed by the Application configuration: One or more of the given URLs is not allowed by the App's settings.",
        ));
    }
    if code.redirect_uri != redirect_uri {
        return Err(GraphError::new(100, "Error validating verification code. Please make sure your redirect_uri is identical to the one you used in the OAuth dialog request").subcode(36008));
    }
    if code.used {
        return Err(GraphError::new(100, "This authorization code has been used.").subcode(36009));
    }
    if now >= code.issued_at + Code::LIFE_SECONDS {
        return Err(GraphError::new(100, "This authorization code has expired.").subcode(36007));
    }
    code.used = true;
    let code = code.clone();
    let token = world.identity.issue(&app.id, code.kind, code.life, now);
    if let Some(kept) = world.identity.tokens.get_mut(&token) {
        kept.auth_nonce = code.auth_nonce;
        kept.auth_type = code.auth_type;
    }
    Ok(answer(&token, code.life.seconds()))
}

/// A short user token becomes a long one; a live long one is renewed; a system user's gets 60 new days.
fn exchange_token(world: &mut World, call: &Call, app: &App) -> Result<Value, GraphError> {
    let text = call.params.text("fb_exchange_token").ok_or_else(|| missing("fb_exchange_token"))?;
    let seen = inspect(world, &text)?;
    if let Some((_, error)) = seen.fault {
        return Err(error);
    }
    let Some(old) = seen.token.filter(|_| seen.app.id == app.id).cloned() else {
        return Err(GraphError::new(100, "The access token does not belong to application")
            .status(http::StatusCode::BAD_REQUEST));
    };
    let now = world.clock.unix();
    let life = match &seen.kind {
        TokenKind::User { .. } => {
            if old.life == TokenLife::Long && world.scenarios.renewal_ignored() {
                return Ok(answer(&text, old.expires_at.map(|at| at - now)));
            }
            TokenLife::Long
        }
        TokenKind::SystemUser { .. } => match call.params.bool("set_token_expires_in_60_days") {
            Some(true) => TokenLife::Long,
            _ if old.life == TokenLife::Never => TokenLife::Never,
            _ => return Err(missing("set_token_expires_in_60_days")),
        },
        TokenKind::Page { .. } | TokenKind::App => {
            return Err(GraphError::new(100, "Only user and system user access tokens can be exchanged"));
        }
    };
    let token = world.identity.issue(&app.id, old.kind, life, now);
    if let Some(kept) = world.identity.tokens.get_mut(&token) {
        kept.narrowing = old.narrowing;
        kept.auth_nonce = old.auth_nonce;
        kept.auth_type = old.auth_type;
    }
    Ok(answer(&token, life.seconds()))
}

/// `expires_in` is absent for a token that never expires.
fn answer(token: &str, expires_in: Option<i64>) -> Value {
    let mut answer = json!({ "access_token": token, "token_type": "bearer" });
    if let Some(seconds) = expires_in {
        answer["expires_in"] = seconds.into();
    }
    answer
}

//! The ways back to the app. All but a token's end in `#_=_`, as Facebook's do.

use url::{Url, form_urlencoded};

use super::{DialogRequest, refusal};
use crate::world::World;

/// The person pressed Cancel.
pub fn cancelled(request: &DialogRequest) -> String {
    let mut pairs = vec![
        ("error", "access_denied".to_owned()),
        ("error_reason", "user_denied".to_owned()),
        ("error_description", "Permissions error".to_owned()),
        ("error_code", "200".to_owned()),
    ];
    pairs.extend(request.state.clone().map(|state| ("state", state)));
    back(request, &pairs, "_=_")
}

/// Meta refuses: `error_code` and `error_message`, and no `error`.
pub fn refused(world: &World, request: &DialogRequest, code: i64) -> String {
    let message = refusal(code).map_or("", |refusal| refusal.what.as_str());
    let mut pairs = vec![("error_code", code.to_string()), ("error_message", message.to_owned())];
    if !world.scenarios.stateless_refusals() {
        pairs.extend(request.state.clone().map(|state| ("state", state)));
    }
    back(request, &pairs, "_=_")
}

/// What a consent gives.
pub struct Success {
    pub code: Option<String>,
    /// Token, its seconds, and when data access ends (Unix seconds).
    pub token: Option<(String, i64, i64)>,
    pub granted: Vec<String>,
    pub denied: Vec<String>,
}

/// A code comes in the query, a token (and all with it) in the fragment.
pub fn succeeded(request: &DialogRequest, success: Success) -> String {
    let mut pairs = Vec::new();
    if let Some((token, seconds, data_access)) = &success.token {
        pairs.push(("access_token", token.clone()));
        pairs.push(("data_access_expiration_time", data_access.to_string()));
        pairs.push(("expires_in", seconds.to_string()));
    }
    pairs.extend(success.code.map(|code| ("code", code)));
    if request.respond.granted_scopes {
        pairs.push(("granted_scopes", success.granted.join(",")));
        pairs.push(("denied_scopes", success.denied.join(",")));
    }
    pairs.extend(request.state.clone().map(|state| ("state", state)));
    if success.token.is_some() {
        let fragment = form_urlencoded::Serializer::new(String::new()).extend_pairs(pairs).finish();
        return back(request, &[], &fragment);
    }
    back(request, &pairs, "_=_")
}

fn back(request: &DialogRequest, pairs: &[(&str, String)], fragment: &str) -> String {
    // It was parsed when the dialog opened.
    let Ok(mut url) = Url::parse(&request.redirect_uri) else { return request.redirect_uri.clone() };
    if !pairs.is_empty() {
        url.query_pairs_mut().extend_pairs(pairs);
    }
    url.set_fragment(Some(fragment));
    url.into()
}

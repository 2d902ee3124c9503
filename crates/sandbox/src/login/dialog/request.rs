use url::Url;

use super::page::Own;
use crate::{
    login::permissions,
    world::{
        World,
        identity::{Configuration, ConfigurationToken},
    },
};

/// What an app asks the dialog for. It was checked: the app exists and the redirect URI is registered.
#[derive(Debug, Clone)]
pub struct DialogRequest {
    pub app_id: String,
    pub redirect_uri: String,
    pub state: Option<String>,
    pub ask: Ask,
    pub respond: Respond,
    pub auth_type: Option<String>,
    pub auth_nonce: Option<String>,
    /// A challenge was sent. Meta takes it and forgets it.
    pub challenge_dropped: bool,
}

#[derive(Debug, Clone)]
pub enum Ask {
    /// Facebook Login: each permission can be unticked. Without `public_profile`, which is always there.
    Permissions(Vec<String>),
    /// Facebook Login for Business: all of the configuration or nothing.
    Configuration(Configuration),
}

/// What `response_type` asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Respond {
    pub code: bool,
    pub token: bool,
    pub granted_scopes: bool,
}

impl DialogRequest {
    pub fn permissions(&self) -> &[String] {
        match &self.ask {
            Ask::Permissions(names) => names,
            Ask::Configuration(configuration) => &configuration.permissions,
        }
    }

    pub fn is_system_user(&self) -> bool {
        matches!(&self.ask, Ask::Configuration(c) if matches!(c.token, ConfigurationToken::SystemUser { .. }))
    }

    /// Whether `auth_type`, a comma list, holds this kind.
    pub fn has_auth_type(&self, kind: &str) -> bool {
        self.auth_type.as_deref().is_some_and(|kinds| kinds.split(',').any(|k| k.trim() == kind))
    }
}

/// Reads the query of `dialog/oauth`. What is wrong before the redirect URI is known to be the app's is told on
/// Facebook's own page: nobody is sent to an address that nobody registered.
pub fn read(world: &World, query: &str) -> Result<DialogRequest, Own> {
    let pairs: Vec<(String, String)> = serde_urlencoded::from_str(query)
        .map_err(|_| Own::new("The address cannot be read", "The query is not form-encoded."))?;
    let get =
        |name: &str| pairs.iter().find(|(n, v)| n == name && !v.is_empty()).map(|(_, value)| value.as_str());
    let app_id = get("client_id")
        .or_else(|| get("app_id"))
        .ok_or_else(|| Own::new("No app", "The parameter client_id is required."))?;
    let app = world.identity.apps.get(app_id).ok_or_else(|| {
        Own::new("Invalid App ID", "The provided app ID does not look like a valid app ID.")
            .detail("client_id", app_id)
            .next("Use the app_id that the sandbox printed when it started.")
    })?;
    let redirect_uri = get("redirect_uri")
        .ok_or_else(|| Own::new("No way back", "The parameter redirect_uri is required."))?;
    if !app.redirect_uris.iter().any(|uri| uri == redirect_uri) || Url::parse(redirect_uri).is_err() {
        let mut own = Own::new(
            "URL blocked",
            "The redirect URI is not one of the app's Valid OAuth Redirect URIs. The match is exact: path, query, trailing slash, everything.",
        )
        .detail("Error code", "1349168 (191 in the exchange)")
        .detail("redirect_uri", redirect_uri);
        for uri in &app.redirect_uris {
            own = own.detail("Registered", uri);
        }
        return Err(own.next("Register it on the sandbox's own page, or start the sandbox with it."));
    }
    let respond = response_type(get("response_type"))?;
    let ask = if let Some(config_id) = get("config_id") {
        let configuration = app.configurations.get(config_id).ok_or_else(|| {
            Own::new("Invalid configuration", "The app has no Login for Business configuration of this id.")
                .detail("config_id", config_id)
        })?;
        let system_user = matches!(configuration.token, ConfigurationToken::SystemUser { .. });
        let overridden = get("override_default_response_type") == Some("true");
        if system_user && !(respond.code && !respond.token && overridden) {
            return Err(Own::new(
                "Wrong response type",
                "A configuration for system-user tokens gives a code and nothing else.",
            )
            .detail("response_type", get("response_type").unwrap_or("(none)"))
            .detail(
                "override_default_response_type",
                get("override_default_response_type").unwrap_or("(none)"),
            )
            .next("Send response_type=code and override_default_response_type=true."));
        }
        Ask::Configuration(configuration.clone())
    } else {
        Ask::Permissions(scope(get("scope").unwrap_or_default())?)
    };
    Ok(DialogRequest {
        app_id: app_id.to_owned(),
        redirect_uri: redirect_uri.to_owned(),
        state: pairs.iter().find(|(name, _)| name == "state").map(|(_, value)| value.clone()),
        ask,
        respond,
        auth_type: get("auth_type").map(str::to_owned),
        auth_nonce: get("auth_nonce").map(str::to_owned),
        challenge_dropped: get("code_challenge").is_some(),
    })
}

fn response_type(text: Option<&str>) -> Result<Respond, Own> {
    let mut respond = Respond { code: false, token: false, granted_scopes: false };
    for word in text.unwrap_or_default().split([',', ' ']).filter(|word| !word.is_empty()) {
        match word {
            "code" => respond.code = true,
            "token" => respond.token = true,
            "granted_scopes" => respond.granted_scopes = true,
            other => {
                return Err(Own::new(
                    "Wrong response type",
                    "response_type is code, token, or both, and may add granted_scopes.",
                )
                .detail("response_type", other));
            }
        }
    }
    respond.code |= !respond.token;
    Ok(respond)
}

/// The asked permissions, each once, in the order in which they were asked.
fn scope(text: &str) -> Result<Vec<String>, Own> {
    let mut names: Vec<String> = Vec::new();
    let mut unknown = Vec::new();
    for name in text.split([',', ' ']).filter(|name| !name.is_empty()) {
        if permissions::find(name).is_none() {
            unknown.push(name);
        } else if name != "public_profile" && !names.iter().any(|n| n == name) {
            names.push(name.to_owned());
        }
    }
    if unknown.is_empty() {
        return Ok(names);
    }
    Err(Own::new(
        "Invalid Scopes",
        "Some of the permissions asked for do not exist. Only developers see this page.",
    )
    .detail("Invalid Scopes", &unknown.join(", ")))
}

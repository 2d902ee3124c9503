//! Meta's OAuth: the dialog, its answer, and the calls about tokens.
//!
//! There is no PKCE and no refresh token here since Meta has neither: the plain dialog drops a challenge, and an
//! exchange that sends a verifier then fails.
//!
//! Sources: facebook-login/guides/advanced/manual-flow, facebook-login/facebook-login-for-business,
//! facebook-login/guides/access-tokens/get-long-lived, graph-api/reference/debug_token.

use std::fmt;

use futures_util::TryStreamExt;
use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Deserializer, Serialize};
use serde_json::Value;
use url::Url;

use crate::{Access, Answer, Error, Graph, Request};

/// A Meta app: its Client ID and Client Secret. `Debug` does not show the secret.
#[derive(Debug, Clone)]
pub struct App {
    /// Client ID, which Meta also calls App ID.
    pub id: String,
    /// Client Secret, which Meta also calls App Secret.
    pub secret: SecretString,
}

impl App {
    pub fn new(id: impl Into<String>, secret: impl Into<SecretString>) -> Self {
        Self { id: id.into(), secret: secret.into() }
    }

    /// The app's own access, with its app token.
    pub fn access(&self) -> Access {
        Access::app(&self.id, &self.secret)
    }
}

/// What the dialog asks the person for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Ask {
    /// Facebook Login: these permissions.
    Permissions(Vec<String>),
    /// Facebook Login for Business: a saved configuration, which is granted whole or not at all.
    Configuration {
        config_id: String,
        /// Whether the configuration gives a business integration system user token rather than a user token.
        system_user: bool,
    },
}

/// Why a person who consented before is asked again.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum AuthType {
    /// Ask again for declined permissions. Without it Meta never does.
    Rerequest,
    /// Ask for the password.
    Reauthenticate,
    /// Renew the 90 days of data access.
    Reauthorize,
}

impl AuthType {
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Rerequest => "rerequest",
            Self::Reauthenticate => "reauthenticate",
            Self::Reauthorize => "reauthorize",
        }
    }
}

/// One visit to Meta's dialog.
#[derive(Clone)]
pub struct DialogRequest {
    /// `https://www.facebook.com`, or a sandbox. An operator's setting.
    pub dialog_url: Url,
    /// As in [`crate::GraphConfig`]: both must be the same.
    pub version: String,
    pub client_id: String,
    /// Character by character one of the app's Valid OAuth Redirect URIs; the same again in the exchange.
    pub redirect_uri: String,
    /// Comes back unchanged. Bind it to the browser, use it once.
    pub state: String,
    pub ask: Ask,
    pub auth_type: Vec<AuthType>,
    /// Alphanumeric, fresh per visit; comes back in [`TokenInfo::metadata`].
    pub auth_nonce: Option<String>,
}

impl fmt::Debug for DialogRequest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("DialogRequest")
            .field("client_id", &self.client_id)
            .field("redirect_uri", &self.redirect_uri)
            .field("ask", &self.ask)
            .field("auth_type", &self.auth_type)
            .finish_non_exhaustive()
    }
}

/// Where to send the browser.
pub fn dialog_url(request: &DialogRequest) -> Url {
    let mut url = request.dialog_url.clone();
    if let Ok(mut path) = url.path_segments_mut() {
        path.pop_if_empty().extend([request.version.as_str(), "dialog", "oauth"]);
    }
    let mut query = url.query_pairs_mut();
    query
        .append_pair("client_id", &request.client_id)
        .append_pair("redirect_uri", &request.redirect_uri)
        .append_pair("state", &request.state)
        .append_pair("response_type", "code");
    match &request.ask {
        Ask::Permissions(permissions) => {
            query.append_pair("scope", &permissions.join(","));
        }
        Ask::Configuration { config_id, system_user } => {
            query.append_pair("config_id", config_id);
            if *system_user {
                query.append_pair("override_default_response_type", "true");
            }
        }
    }
    if !request.auth_type.is_empty() {
        let kinds: Vec<&str> = request.auth_type.iter().map(|kind| kind.as_str()).collect();
        query.append_pair("auth_type", &kinds.join(","));
    }
    if let Some(nonce) = &request.auth_nonce {
        query.append_pair("auth_nonce", nonce);
    }
    drop(query);
    url
}

/// What the dialog sent back to the redirect URI. `Debug` shows neither code nor state.
#[derive(Clone)]
pub enum Callback {
    /// The person consented. The code works once and soon.
    Code { code: SecretString, state: Option<String> },
    /// The person said no.
    Declined { state: Option<String> },
    /// Meta refuses: the app, its settings or its URLs are at fault, or Meta itself (`server_error`). Branch on the
    /// number, and for want of one on OAuth's `error`; the text is localised.
    Refused { error: Option<String>, code: Option<i64>, message: Option<String>, state: Option<String> },
    /// None of Meta's parameters is there.
    Unknown { state: Option<String> },
}

impl Callback {
    /// Reads the query of a callback. Meta refuses in two ways: with OAuth's `error`, or with nothing but
    /// `error_code` and `error_message`.
    pub fn read(query: &str) -> Self {
        let get = |wanted: &str| {
            url::form_urlencoded::parse(query.as_bytes())
                .find(|(name, value)| name == wanted && !value.is_empty())
                .map(|(_, value)| value.into_owned())
        };
        let state = get("state");
        let code = get("error_code").and_then(|it| it.parse().ok());
        let message = get("error_message").or_else(|| get("error_description"));
        match (get("error"), code) {
            (_, Some(200)) => Self::Declined { state },
            (Some(error), None) if error == "access_denied" => Self::Declined { state },
            (None, None) if message.is_none() => match get("code") {
                Some(code) => Self::Code { code: code.into(), state },
                None => Self::Unknown { state },
            },
            (error, code) => Self::Refused { error, code, message, state },
        }
    }

    /// As the dialog got it; some refusals come without.
    pub fn state(&self) -> Option<&str> {
        match self {
            Self::Code { state, .. }
            | Self::Declined { state }
            | Self::Refused { state, .. }
            | Self::Unknown { state } => state.as_deref(),
        }
    }
}

impl fmt::Debug for Callback {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Code { .. } => f.write_str("Code"),
            Self::Declined { .. } => f.write_str("Declined"),
            Self::Refused { error, code, message, .. } => f
                .debug_struct("Refused")
                .field("error", error)
                .field("code", code)
                .field("message", message)
                .finish_non_exhaustive(),
            Self::Unknown { .. } => f.write_str("Unknown"),
        }
    }
}

/// A token that Meta gave out. `Debug` does not show it.
#[derive(Debug, Clone, Deserialize)]
pub struct TokenGrant {
    #[serde(deserialize_with = "secret")]
    pub access_token: SecretString,
    #[serde(default)]
    pub token_type: Option<String>,
    /// Seconds of life left. `None` when Meta names no end (or 0): ask [`debug_token`].
    #[serde(default, deserialize_with = "none_if_zero")]
    pub expires_in: Option<i64>,
}

/// Exchanges the code of a callback for a token. `redirect_uri` is the dialog's; `None` for a code that came through
/// the JavaScript SDK's popup. A refused code is never good a second time.
pub async fn exchange_code(
    graph: &Graph,
    app: &App,
    redirect_uri: Option<&str>,
    code: &SecretString,
) -> Result<TokenGrant, Error> {
    let request = token_request(app).param("code", code.expose_secret());
    let request = match redirect_uri {
        Some(uri) => request.param("redirect_uri", uri),
        None => request,
    };
    post_or_get(graph, request, None).await?.parse()
}

/// Exchanges a live user token for one of about 60 days. Meta may answer with the same token and date, so compare
/// [`TokenInfo::expires_at`] before and after. An expired token cannot be exchanged. It takes nothing from the old token,
/// so what fails in passing is repeated.
pub async fn exchange_long_lived(
    graph: &Graph,
    app: &App,
    token: &SecretString,
) -> Result<TokenGrant, Error> {
    let request = token_request(app)
        .param("grant_type", "fb_exchange_token")
        .param("fb_exchange_token", token.expose_secret());
    let mut attempt = 1;
    loop {
        match post_or_get(graph, request.clone(), None).await {
            Ok(answer) => return answer.parse(),
            Err(error) => graph.before_another(error, attempt, true).await?,
        }
        attempt += 1;
    }
}

/// An app token made by Meta. Proves that Client ID and Client Secret belong together.
pub async fn client_credentials(graph: &Graph, app: &App) -> Result<TokenGrant, Error> {
    post_or_get(graph, token_request(app).param("grant_type", "client_credentials"), None).await?.parse()
}

fn token_request(app: &App) -> Request {
    Request::post("/oauth/access_token")
        .param("client_id", app.id.as_str())
        .param("client_secret", app.secret.expose_secret())
}

/// Meta documents these calls as `GET`, which puts secrets into a URL. The form body works too, so the `GET` is sent
/// only when Meta says that it does not know the `POST`; the code or token has not been looked at then.
async fn post_or_get(graph: &Graph, post: Request, access: Option<&Access>) -> Result<Answer, Error> {
    let send = async |request: &Request| match access {
        Some(access) => graph.send(request, access).await,
        None => graph.send_open(request).await,
    };
    match send(&post).await {
        Err(Error::Refused(refusal)) if refusal.is_unsupported_method() => {
            send(&Request { method: crate::Method::Get, ..post }).await
        }
        outcome => outcome,
    }
}

/// What Meta knows of a token.
#[derive(Debug, Clone, Default, PartialEq, Deserialize, Serialize)]
#[serde(default)]
pub struct TokenInfo {
    pub is_valid: bool,
    /// The app the token was made for. Compare it: a token may come from another app.
    #[serde(deserialize_with = "id")]
    pub app_id: Option<String>,
    /// The app's name.
    pub application: Option<String>,
    /// `USER`, `PAGE`, `APP`, `SYSTEM_USER`
    #[serde(rename = "type")]
    pub kind: Option<String>,
    /// Unix seconds, UTC; `None` for never.
    #[serde(deserialize_with = "none_if_zero")]
    pub expires_at: Option<i64>,
    /// Unix seconds, UTC: the end of the 90 days; `None` for never.
    #[serde(deserialize_with = "none_if_zero")]
    pub data_access_expires_at: Option<i64>,
    /// Unix seconds, UTC; only long-lived tokens have it.
    #[serde(deserialize_with = "none_if_zero")]
    pub issued_at: Option<i64>,
    pub scopes: Vec<String>,
    pub granular_scopes: Vec<GranularScope>,
    /// App-scoped id of the person, or the id of the system user.
    #[serde(deserialize_with = "id")]
    pub user_id: Option<String>,
    /// The Page of a Page token.
    #[serde(deserialize_with = "id")]
    pub profile_id: Option<String>,
    /// Why it is not valid.
    pub error: Option<TokenError>,
    /// May hold `auth_type`, `auth_nonce`, `sso`.
    pub metadata: Option<Value>,
}

/// One permission with the assets it is limited to.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize, Serialize)]
pub struct GranularScope {
    pub scope: String,
    /// `None` means **all** assets, an empty list means none. Ad accounts come with or without `act_`.
    #[serde(default, deserialize_with = "ids")]
    pub target_ids: Option<Vec<String>>,
}

/// Why a token is dead, in the terms of Meta's errors.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize, Serialize)]
#[serde(default)]
pub struct TokenError {
    pub code: Option<i64>,
    pub subcode: Option<i64>,
    pub message: Option<String>,
}

#[derive(Deserialize)]
struct Data<T> {
    data: T,
}

/// Asks Meta about a token; `access` is the app's own. A dead token is an `Ok` with `is_valid` false.
///
/// Meta offers this as a `GET` only, so this is the one call with a token in its query.
pub async fn debug_token(graph: &Graph, access: &Access, token: &SecretString) -> Result<TokenInfo, Error> {
    let request = Request::get("/debug_token").param("input_token", token.expose_secret());
    let mut info = graph.send_with_retry(&request, access).await?.parse::<Data<TokenInfo>>()?.data;
    if let Some(message) = info.error.as_mut().and_then(|error| error.message.as_mut()) {
        crate::error::Secrets::of(&request, Some(access)).redact(message);
    }
    Ok(info)
}

/// Revokes one token (of a system user), leaving the person's or business's other tokens alive.
pub async fn revoke(graph: &Graph, app: &App, access: &Access, token: &SecretString) -> Result<(), Error> {
    let request = Request::post("/oauth/revoke")
        .param("client_id", app.id.as_str())
        .param("client_secret", app.secret.expose_secret())
        .param("revoke_token", token.expose_secret());
    post_or_get(graph, request, Some(access)).await.map(drop)
}

/// A permission and whether it is `granted`, `declined` or `expired`.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, Serialize)]
pub struct Permission {
    pub permission: String,
    pub status: String,
}

/// All permissions of a person (`me` or an app-scoped id).
pub async fn permissions(graph: &Graph, user: &str, access: &Access) -> Result<Vec<Permission>, Error> {
    graph.items(Request::get(format!("/{user}/permissions")), access.clone()).try_collect().await
}

/// Takes back one permission, or with `None` all of them. Holds for that **person everywhere**: without permissions
/// every user token of the app for that person is dead, in other accounts as well.
pub async fn delete_permissions(
    graph: &Graph,
    user: &str,
    permission: Option<&str>,
    access: &Access,
) -> Result<(), Error> {
    let path = match permission {
        Some(name) => format!("/{user}/permissions/{name}"),
        None => format!("/{user}/permissions"),
    };
    graph.send(&Request::delete(path), access).await.map(drop)
}

/// A Meta app as Meta names it.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, Serialize)]
pub struct AppIdentity {
    pub id: String,
    #[serde(default)]
    pub name: Option<String>,
}

/// Checks Client ID and Client Secret: the app token they make must be able to read the app.
pub async fn verify_app(graph: &Graph, app: &App) -> Result<AppIdentity, Error> {
    let request = Request::get(format!("/{}", app.id)).param("fields", "id,name");
    graph.send_as(&request, &app.access()).await
}

fn secret<'de, D: Deserializer<'de>>(deserializer: D) -> Result<SecretString, D::Error> {
    String::deserialize(deserializer).map(SecretString::from)
}

/// A number, also when written as text; 0 stands for "none" at Meta.
fn none_if_zero<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<i64>, D::Error> {
    let number = match Option::<Value>::deserialize(deserializer)? {
        Some(Value::Number(number)) => number.as_i64(),
        Some(Value::String(text)) => text.parse().ok(),
        _ => None,
    };
    Ok(number.filter(|number| *number != 0))
}

fn id<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<String>, D::Error> {
    Ok(Option::<Value>::deserialize(deserializer)?.and_then(as_id))
}

fn ids<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Vec<String>>, D::Error> {
    let found = Option::<Vec<Value>>::deserialize(deserializer)?;
    Ok(found.map(|ids| ids.into_iter().filter_map(as_id).collect()))
}

/// Ids are strings, yet some fields send them as numbers.
fn as_id(value: Value) -> Option<String> {
    match value {
        Value::String(id) => Some(id),
        Value::Number(id) => Some(id.to_string()),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::peer::{Peer, Reply};

    const SECRET: &str = "app-secret-0123";

    fn app() -> App {
        App::new("123456", SECRET)
    }

    fn dialog(ask: Ask) -> DialogRequest {
        DialogRequest {
            dialog_url: "https://www.facebook.com".parse().unwrap(),
            version: "v26.0".to_owned(),
            client_id: "123456".to_owned(),
            redirect_uri: "https://service.example/connector/callback".to_owned(),
            state: "st&te".to_owned(),
            ask,
            auth_type: Vec::new(),
            auth_nonce: None,
        }
    }

    #[test]
    fn the_dialog_asks_for_permissions_or_for_a_configuration() {
        let start = "https://www.facebook.com/v26.0/dialog/oauth?client_id=123456\
            &redirect_uri=https%3A%2F%2Fservice.example%2Fconnector%2Fcallback&state=st%26te&response_type=code";
        let plain = dialog(Ask::Permissions(vec!["ads_read".to_owned(), "pages_show_list".to_owned()]));
        assert_eq!(dialog_url(&plain).as_str(), format!("{start}&scope=ads_read%2Cpages_show_list"));
        let user = dialog(Ask::Configuration { config_id: "77".to_owned(), system_user: false });
        assert_eq!(dialog_url(&user).as_str(), format!("{start}&config_id=77"));
        let business = DialogRequest {
            auth_type: vec![AuthType::Rerequest, AuthType::Reauthorize],
            auth_nonce: Some("n0nce".to_owned()),
            ..dialog(Ask::Configuration { config_id: "77".to_owned(), system_user: true })
        };
        assert_eq!(
            dialog_url(&business).as_str(),
            format!(
                "{start}&config_id=77&override_default_response_type=true&auth_type=rerequest%2Creauthorize&auth_nonce=n0nce"
            )
        );
        assert!(!format!("{business:?}").contains("st&te"));
    }

    #[test]
    fn every_way_back_from_the_dialog_is_told_apart() {
        let good = Callback::read("code=AQBcode&state=s%26t&granted_scopes=ads_read");
        assert!(matches!(&good, Callback::Code { code, .. } if code.expose_secret() == "AQBcode"));
        assert_eq!(good.state(), Some("s&t"));
        assert!(!format!("{good:?}").contains("AQBcode"));
        for declined in [
            "error=access_denied&error_code=200&error_description=Permissions+error&error_reason=user_denied&state=s",
            "error=access_denied&error_reason=user_denied&state=s",
            "error_code=200&error_message=x&state=s",
        ] {
            let read = Callback::read(declined);
            assert!(matches!(read, Callback::Declined { .. }) && read.state() == Some("s"), "{declined}");
        }
        for (query, number) in [
            ("error_code=1349168&error_message=URL+blocked", Some(1_349_168)),
            ("error_code=1349126&error_message=x&state=s&code=AQB", Some(1_349_126)),
            ("error=server_error&state=s", None),
            ("error=access_denied&error_code=1349220", Some(1_349_220)),
            ("error_message=x", None),
        ] {
            assert!(
                matches!(Callback::read(query), Callback::Refused { code, .. } if code == number),
                "{query}"
            );
        }
        let failed = Callback::read("error=server_error&state=s");
        assert!(matches!(failed, Callback::Refused { error: Some(error), .. } if error == "server_error"));
        for query in ["", "state=s", "code=&state=s", "%ff=%ff&&=&error_code="] {
            assert!(matches!(Callback::read(query), Callback::Unknown { .. }), "{query}");
        }
    }

    #[tokio::test]
    async fn a_code_is_exchanged_in_a_form_without_pkce() {
        let grant = json!({"access_token": "EAABnew", "token_type": "bearer", "expires_in": 5_183_944});
        let peer = Peer::start([Reply::ok(&grant), Reply::ok(&json!({"access_token": "EAABforever"}))]).await;
        let graph = peer.graph();
        let code = SecretString::from("AQBcode");
        let uri = "https://service.example/connector/callback";
        let token = exchange_code(&graph, &app(), Some(uri), &code).await.unwrap();
        assert_eq!((token.access_token.expose_secret(), token.expires_in), ("EAABnew", Some(5_183_944)));
        assert!(!format!("{token:?}").contains("EAABnew"));
        let token = exchange_code(&graph, &app(), None, &code).await.unwrap();
        assert_eq!(token.expires_in, None);

        let seen = peer.seen();
        assert_eq!(
            (seen[0].method.as_str(), seen[0].path.as_str(), seen[0].query.as_str()),
            ("POST", "/v26.0/oauth/access_token", "")
        );
        let field = |name| seen[0].in_form(name).unwrap();
        assert_eq!(
            [field("client_id"), field("client_secret"), field("code"), field("redirect_uri")],
            ["123456", SECRET, "AQBcode", uri]
        );
        assert_eq!(seen[0].bearer(), None);
        assert_eq!(seen[1].in_form("redirect_uri"), None);
        assert!(
            seen.iter()
                .all(|seen| !seen.body.contains("code_verifier") && !seen.body.contains("code_challenge"))
        );
    }

    #[tokio::test]
    async fn get_follows_only_when_post_is_unsupported() {
        let unsupported = "Unsupported post request. Object with ID 'oauth' does not exist";
        let used =
            json!({"message": "This authorization code has been used.", "code": 100, "error_subcode": 36009});
        let peer = Peer::start([
            Reply::json(400, &json!({"error": {"message": unsupported, "type": "GraphMethodException", "code": 100, "error_subcode": 33}})),
            Reply::ok(&json!({"access_token": "EAABnew", "expires_in": 0})),
            Reply::json(400, &json!({"error": used})),
        ])
        .await;
        let graph = peer.graph();
        let code = SecretString::from("AQBcode");
        let token = exchange_code(&graph, &app(), None, &code).await.unwrap();
        assert_eq!(token.expires_in, None);
        let error = exchange_code(&graph, &app(), None, &code).await.unwrap_err();
        assert_eq!(error.refusal().unwrap().subcode, Some(36009));
        let methods: Vec<_> = peer.seen().iter().map(|seen| seen.method.clone()).collect();
        assert_eq!(methods, ["POST", "GET", "POST"]);
        assert_eq!(peer.seen()[1].in_query("code").unwrap(), "AQBcode");
    }

    #[tokio::test]
    async fn tokens_are_renewed_made_and_revoked_in_forms() {
        let grant = || Reply::ok(&json!({"access_token": "EAABnew", "token_type": "bearer"}));
        let peer = Peer::start([grant(), grant(), Reply::ok(&json!({"success": true}))]).await;
        let graph = peer.graph();
        let old = SecretString::from("EAABold");
        exchange_long_lived(&graph, &app(), &old).await.unwrap();
        client_credentials(&graph, &app()).await.unwrap();
        revoke(&graph, &app(), &Access::signed("EAABother", SECRET), &old).await.unwrap();
        let seen = peer.seen();
        assert!(seen.iter().all(|seen| seen.method == "POST" && seen.query.is_empty()));
        assert_eq!(seen[0].in_form("grant_type").unwrap(), "fb_exchange_token");
        assert_eq!(seen[0].in_form("fb_exchange_token").unwrap(), "EAABold");
        assert_eq!(seen[1].in_form("grant_type").unwrap(), "client_credentials");
        assert_eq!((seen[2].path.as_str(), seen[2].bearer()), ("/v26.0/oauth/revoke", Some("EAABother")));
        assert_eq!(seen[2].in_form("revoke_token").unwrap(), "EAABold");
        assert!(seen[2].in_form("appsecret_proof").is_some());
    }

    #[tokio::test]
    async fn a_fault_of_metas_that_passes_leaves_nobody_with_a_token_of_hours() {
        let busy = || Reply::text(503, "<html>");
        let grant = Reply::ok(&json!({"access_token": "EAABlong", "expires_in": 5_184_000}));
        let info = Reply::ok(&json!({"data": {"is_valid": true}}));
        let peer = Peer::start([busy(), busy(), grant, busy(), info, busy(), busy(), busy()]).await;
        let (graph, short) = (peer.graph(), SecretString::from("EAABshort"));
        let grant = exchange_long_lived(&graph, &app(), &short).await.unwrap();
        assert_eq!(grant.access_token.expose_secret(), "EAABlong");
        assert!(debug_token(&graph, &app().access(), &grant.access_token).await.unwrap().is_valid);
        assert!(exchange_long_lived(&graph, &app(), &short).await.unwrap_err().is_passing());
        assert_eq!(peer.seen().len(), 8);
    }

    #[tokio::test]
    async fn a_token_is_described_with_its_limits() {
        let data = json!({
            "app_id": 123_456, "type": "USER", "application": "Partner", "is_valid": true, "expires_at": 0,
            "data_access_expires_at": 1_800_000_000, "issued_at": 1_795_000_000, "scopes": ["ads_read", "leads_retrieval"],
            "granular_scopes": [{"scope": "ads_read"}, {"scope": "leads_retrieval", "target_ids": ["1", 2]}, {"scope": "x", "target_ids": []}],
            "user_id": "218471", "metadata": {"auth_nonce": "n"}, "new_field": 1
        });
        let dead = json!({"is_valid": false, "scopes": [], "error": {"code": 190, "subcode": 458, "message": "not EAABinput"}});
        let peer = Peer::start([Reply::ok(&json!({"data": data})), Reply::ok(&json!({"data": dead}))]).await;
        let graph = peer.graph();
        let token = SecretString::from("EAABinput");
        let info = debug_token(&graph, &app().access(), &token).await.unwrap();
        assert_eq!(
            (info.is_valid, info.app_id.as_deref(), info.kind.as_deref()),
            (true, Some("123456"), Some("USER"))
        );
        assert_eq!((info.expires_at, info.data_access_expires_at), (None, Some(1_800_000_000)));
        let targets: Vec<_> = info.granular_scopes.iter().map(|it| it.target_ids.clone()).collect();
        assert_eq!(targets, [None, Some(vec!["1".to_owned(), "2".to_owned()]), Some(vec![])]);
        assert_eq!(info.metadata.unwrap()["auth_nonce"], "n");
        let info = debug_token(&graph, &app().access(), &token).await.unwrap();
        let error = info.error.unwrap();
        assert_eq!(
            (info.is_valid, error.subcode, error.message.as_deref()),
            (false, Some(458), Some("not [redacted]"))
        );

        let seen = &peer.seen()[0];
        assert_eq!((seen.method.as_str(), seen.path.as_str()), ("GET", "/v26.0/debug_token"));
        assert_eq!(seen.bearer().unwrap(), format!("123456|{SECRET}"));
        assert_eq!(seen.in_query("input_token").unwrap(), "EAABinput");
    }

    #[tokio::test]
    async fn permissions_are_listed_over_all_pages_and_taken_back() {
        let row = |name: &str| json!({"permission": name, "status": "granted"});
        let first = json!({"data": [row("ads_read")], "paging": {"cursors": {"after": "c"}, "next": "https://x/?after=c"}});
        let peer = Peer::start([
            Reply::ok(&first),
            Reply::ok(&json!({"data": [row("email")]})),
            Reply::ok(&json!({"success": true})),
            Reply::ok(&json!({"success": true})),
        ])
        .await;
        let (graph, access) = (peer.graph(), Access::signed("EAABtoken", SECRET));
        let names: Vec<_> =
            permissions(&graph, "me", &access).await.unwrap().into_iter().map(|it| it.permission).collect();
        assert_eq!(names, ["ads_read", "email"]);
        delete_permissions(&graph, "218471", Some("email"), &access).await.unwrap();
        delete_permissions(&graph, "218471", None, &access).await.unwrap();
        let seen = peer.seen();
        assert_eq!(
            (seen[2].method.as_str(), seen[2].path.as_str()),
            ("DELETE", "/v26.0/218471/permissions/email")
        );
        assert_eq!(seen[3].path, "/v26.0/218471/permissions");
    }

    #[tokio::test]
    async fn an_app_is_verified_by_reading_itself() {
        let refused = json!({"error": {"message": "Invalid OAuth access token signature.", "type": "OAuthException", "code": 190}});
        let peer =
            Peer::start([Reply::ok(&json!({"id": "123456", "name": "Partner"})), Reply::json(400, &refused)])
                .await;
        let graph = peer.graph();
        let identity = verify_app(&graph, &app()).await.unwrap();
        assert_eq!((identity.id.as_str(), identity.name.as_deref()), ("123456", Some("Partner")));
        assert_eq!(verify_app(&graph, &app()).await.unwrap_err().refusal().unwrap().code, Some(190));
        let seen = &peer.seen()[0];
        assert_eq!(
            (seen.path.as_str(), seen.in_query("fields").as_deref()),
            ("/v26.0/123456", Some("id,name"))
        );
        assert!(!format!("{:?}", app()).contains(SECRET));
    }
}

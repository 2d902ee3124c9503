use aide::transform::TransformOperation;
use axum::{Json, extract::State};
use schemars::JsonSchema;
use secrecy::SecretString;
use serde::{Deserialize, Deserializer};

use crate::{
    service::{
        App,
        setup::{self, Login, NewSetup, Setup},
    },
    web::api::{Result, caller::Partner, describe as docs, input::Body},
};

/// The Meta app to connect accounts with.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SetupInput {
    /// The Client ID: App settings > Basic > App ID.
    client_id: String,
    /// The Client Secret: App settings > Basic > App Secret. Left out, the one that is stored stays.
    #[serde(default, deserialize_with = "secret")]
    #[schemars(with = "Option<String>", extend("writeOnly" = true))]
    client_secret: Option<SecretString>,
    #[serde(default = "facebook_login")]
    login: Login,
    /// Ids of the use cases whose permissions consent asks for: `reporting`, `ads`, `leads`.
    use_cases: Vec<String>,
    /// Permissions to ask for beyond those of the use cases.
    #[serde(default)]
    extra_permissions: Vec<String>,
    /// Such as `v26.0`. Left out, the newest version that is live.
    graph_version: Option<String>,
    /// Send consents over the redirect URI that ends in the partner key. Left out, it stays as it is.
    keyed_redirect_uri: Option<bool>,
}

fn facebook_login() -> Login {
    Login::Facebook
}

fn secret<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<SecretString>, D::Error> {
    Ok(Option::<String>::deserialize(deserializer)?.map(SecretString::from))
}

pub async fn handle(
    caller: Partner,
    State(app): State<App>,
    Body(body): Body<SetupInput>,
) -> Result<Json<Setup>> {
    let new = NewSetup {
        client_id: body.client_id,
        client_secret: body.client_secret,
        login: body.login,
        use_cases: body.use_cases,
        extra_permissions: body.extra_permissions,
        graph_version: body.graph_version,
        keyed_redirect_uri: body.keyed_redirect_uri,
    };
    Ok(Json(setup::save(&app, &caller.actor, new).await?))
}

pub fn describe(operation: TransformOperation<'_>) -> TransformOperation<'_> {
    let operation = docs::operation(
        operation,
        "setup.save",
        "Set the connector up",
        "Checks Client ID and Client Secret against Meta, and stores them only when Meta accepts them. With another \
         Client ID than before, the connections made with the old app end.",
    );
    docs::problems(
        operation,
        &[(502, "Meta refused the Client ID or Client Secret"), (503, "Meta cannot be reached")],
    )
}

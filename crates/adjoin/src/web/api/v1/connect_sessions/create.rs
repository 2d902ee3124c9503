use aide::transform::TransformOperation;
use axum::extract::State;
use schemars::JsonSchema;
use secrecy::ExposeSecret;
use serde::Deserialize;

use super::FreshConnectSession;
use crate::{
    service::{
        App, Error, Fault,
        connect_sessions::{self, Kind, NewConnectSession},
        settings,
    },
    web::api::{Result, answer::Created, caller::InAccount, describe as docs, input::Body},
};

/// How the session is opened and confirmed, and what is asked for.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ConnectSessionInput {
    #[schemars(required)]
    kind: Option<KindName>,
    /// For `embedded`, where it is needed: where the browser goes back to; one of the settings' return URLs, exactly.
    return_url: Option<String>,
    /// For `embedded`: the origin that frames or opens the page; one of the settings' embed origins.
    origin: Option<String>,
    /// For `embedded`: your own id of the person who is signed in; `connect_sessions.complete` must name the same.
    end_user: Option<String>,
    /// Use cases to ask for; left out, all of the setup.
    #[serde(default)]
    use_cases: Vec<String>,
    /// A Login for Business configuration of the setup, by id. Left out, one that covers the use cases.
    configuration: Option<String>,
    /// Have Facebook ask people who agreed before, so that they can pick other assets. What this connection knows to be
    /// declined, or granted for nothing, is asked for again in any case. Has no effect with Login for Business.
    #[serde(default)]
    rerequest: bool,
}

/// How a session is opened and confirmed.
#[derive(Debug, Clone, Copy, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum KindName {
    /// A link that is sent to somebody.
    Link,
    /// Opened from your product; your backend completes it.
    Embedded,
}

impl ConnectSessionInput {
    fn kind(&self) -> std::result::Result<Kind, Error> {
        match self.kind {
            None => Err(Error::invalid("kind", "it is missing", "link or embedded")),
            Some(KindName::Link) => {
                let given = [
                    ("return_url", self.return_url.is_some()),
                    ("origin", self.origin.is_some()),
                    ("end_user", self.end_user.is_some()),
                ];
                let faults: Vec<Fault> = given
                    .into_iter()
                    .filter(|(_, given)| *given)
                    .map(|(field, _)| {
                        let fix = "leave it out, or make the session embedded";
                        Fault::new(field, "there is no such field for a link", fix)
                    })
                    .collect();
                if faults.is_empty() { Ok(Kind::Link) } else { Err(Error::Invalid(faults)) }
            }
            Some(KindName::Embedded) => Ok(Kind::Embedded {
                return_url: self.return_url.clone().ok_or_else(|| {
                    let fix = "one of the return URLs at Settings > General";
                    Error::invalid("return_url", "it is missing, and an embedded session needs it", fix)
                })?,
                origin: self.origin.clone(),
                end_user: self.end_user.clone(),
            }),
        }
    }
}

pub async fn handle(
    account: InAccount,
    State(app): State<App>,
    Body(body): Body<ConnectSessionInput>,
) -> Result<Created<FreshConnectSession>> {
    make(&app, account, body).await.map(Created)
}

/// Makes the session, and its address.
pub async fn make(app: &App, account: InAccount, body: ConnectSessionInput) -> Result<FreshConnectSession> {
    let new = NewConnectSession {
        account_id: account.id,
        kind: body.kind()?,
        use_cases: body.use_cases,
        configuration: body.configuration,
        rerequest: body.rerequest,
    };
    let (session, token) = connect_sessions::create(app, &account.actor, new).await?;
    let origin = settings::origin(app, &settings::get(app).await?)?;
    Ok(FreshConnectSession { session, url: origin.join(&format!("/connect/{}", token.expose_secret())) })
}

pub fn describe(operation: TransformOperation<'_>) -> TransformOperation<'_> {
    let operation = docs::operation(
        operation,
        "connect_sessions.create",
        "Make a connect session",
        "Makes the short-lived right to connect this account, and the address to open. `link`: for somebody you send \
         it to; the person confirms on a page that names you and the account. `embedded`: opened from your product; \
         the browser comes back to `return_url` with a completion code, and your backend confirms it with \
         `connect_sessions.complete`. Only then is the consent redeemed.",
    );
    docs::problems(
        operation,
        &[
            (404, "There is no such account"),
            (409, "The connector is not set up, or the Service Domain is not set"),
        ],
    )
}

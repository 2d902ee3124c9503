use secrecy::{ExposeSecret as _, SecretString};
use serde_json::json;

use super::{ConnectSession, Kind, LINK_SECONDS, NOT_FOUND, NewConnectSession, Stage, table};
use crate::{
    audit::Actor,
    id::{AccountId, ConnectSessionId},
    random,
    service::{App, Error, Fault, Result, connections, settings, settings::Settings, setup},
    store::{Json, audit},
};

const END_USER_MAX: usize = 200;

/// Makes a session, installing the connector in the account if need be. Answers the secret of its URL
/// (`/connect/{secret}`) this once.
pub async fn create(
    app: &App,
    actor: &Actor,
    new: NewConnectSession,
) -> Result<(ConnectSession, SecretString)> {
    let settings = settings::get(app).await?;
    settings::origin(app, &settings)?;
    let setup = setup::required(app).await?;
    check_kind(&settings, &new.kind)?;
    let plan = setup.plan(&new.use_cases, new.configuration.as_deref())?;
    let connection = connections::install(app, actor, &new.account_id).await?;

    let now = app.clock.now();
    let secret = random::token("cnt_");
    let row = table::Stored {
        id: ConnectSessionId::new(),
        account_id: new.account_id,
        connection_id: connection.id,
        kind: Json(new.kind),
        use_cases: Json(plan.use_cases),
        configuration: plan.configuration.map(|it| it.id),
        rerequest: new.rerequest,
        stage: Json(Stage::Created),
        cookie_hash: None,
        state_used: false,
        dialog: Json(None),
        dialog_expires_at: None,
        completion_hash: None,
        held_sealed: None,
        held_expires_at: None,
        created_at: now,
        expires_at: now.plus_seconds(LINK_SECONDS),
    };
    let mut tx = app.db.begin().await?;
    table::insert(&mut tx, &row, &random::hash(secret.expose_secret())).await?;
    let detail =
        json!({ "account": row.account_id, "connection": row.connection_id, "kind": row.kind.0.name() });
    audit::insert(&mut tx, actor, "connect_session.created", row.id.as_str(), detail, now).await?;
    tx.commit().await?;
    Ok((ConnectSession::at(row, now), secret))
}

fn check_kind(settings: &Settings, kind: &Kind) -> Result<()> {
    let (return_url, origin, end_user) = match kind {
        Kind::Link if settings.links_allowed => return Ok(()),
        Kind::Link => {
            return Err(Error::Forbidden {
                message: "connect links, which no backend confirms, are switched off".to_owned(),
                next_step: "make an embedded session with a return URL, or allow connect links at Settings > General \
                            (over the API: `links_allowed`)"
                    .to_owned(),
            });
        }
        Kind::Embedded { return_url, origin, end_user } => (return_url, origin, end_user),
    };
    let mut faults = Vec::new();
    if !settings.return_urls.0.contains(return_url) {
        faults.push(Fault::new(
            "return_url",
            "it is not on the list of return URLs",
            "one of the return URLs at Settings > General, character by character",
        ));
    }
    if origin.as_ref().is_some_and(|origin| !settings.embed_origins.0.contains(origin)) {
        faults.push(Fault::new(
            "origin",
            "it is not on the list of embed origins",
            "one of the embed origins at Settings > General",
        ));
    }
    if end_user.as_ref().is_some_and(|id| id.is_empty() || id.chars().count() > END_USER_MAX) {
        let fix = format!("your own id of the signed-in person, 1 to {END_USER_MAX} characters");
        faults.push(Fault::new("end_user", "it is empty or too long", fix));
    }
    if faults.is_empty() { Ok(()) } else { Err(Error::Invalid(faults)) }
}

/// A session of this account.
pub async fn get(app: &App, account: &AccountId, id: &ConnectSessionId) -> Result<ConnectSession> {
    let row = table::by_id(&app.db, id).await?.filter(|row| row.account_id == *account).ok_or(NOT_FOUND)?;
    Ok(ConnectSession::at(row, app.clock.now()))
}

/// Ends a session that has not completed; what it held is dropped.
pub async fn cancel(
    app: &App,
    actor: &Actor,
    account: &AccountId,
    id: &ConnectSessionId,
) -> Result<ConnectSession> {
    let row = table::by_id(&app.db, id).await?.filter(|row| row.account_id == *account).ok_or(NOT_FOUND)?;
    let now = app.clock.now();
    if !matches!(row.stage.0, Stage::Completed { .. } | Stage::Cancelled) {
        let mut tx = app.db.begin().await?;
        if !table::advance(&mut tx, id, &row.stage.0, &Stage::Cancelled).await? {
            return Err(moved_on());
        }
        audit::insert(&mut tx, actor, "connect_session.cancelled", id.as_str(), json!({}), now).await?;
        tx.commit().await?;
    }
    get(app, account, id).await
}

/// Somebody else was faster.
pub(super) fn moved_on() -> Error {
    Error::Conflict {
        message: "the connect session has moved on meanwhile".to_owned(),
        next_step: "read it again and see how it stands".to_owned(),
    }
}

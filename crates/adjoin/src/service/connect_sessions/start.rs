use adjoin_graph::oauth::{self, Ask, AuthType, DialogRequest};
use secrecy::{ExposeSecret as _, SecretString};
use serde_json::json;

use super::{
    DIALOG_SECONDS, Dialog, LINK_SECONDS, LONGEST_SECONDS, Stage, Waiting,
    again::{again, wants_rerequest},
    stage, table,
};
use crate::{
    audit::Actor,
    id::ConnectSessionId,
    random,
    service::{
        App, Error, Result, connections,
        settings::{self, ServiceOrigin, Settings},
        setup::{self, Login, Plan, Setup},
    },
    store::audit,
};

/// Where the browser goes, and what it must keep to be known again.
#[derive(Debug)]
pub struct Started {
    pub session_id: ConnectSessionId,
    /// With the state in it.
    pub dialog_url: SecretString,
    pub cookie: SecretString,
}

/// Who presses the button.
#[derive(Debug, Clone, Copy)]
pub enum Browser<'a> {
    /// The first to come with the link takes the session.
    WithLink { token: &'a str },
    /// The browser that took it.
    WithCookie { id: &'a ConnectSessionId, cookie: &'a str },
}

/// Sends the browser to Facebook: a fresh state, bound to this session and, by a fresh cookie, to this browser.
/// `None` when the link or cookie is of no use, without telling why.
pub async fn start(app: &App, browser: Browser<'_>) -> Result<Option<Started>> {
    let row = match browser {
        Browser::WithLink { token } => table::by_token(&app.db, &random::hash(token)).await?,
        Browser::WithCookie { id, cookie } => {
            table::by_id(&app.db, id).await?.filter(|row| is_taken_by(row, cookie))
        }
    };
    let now = app.clock.now();
    let settings = settings::get(app).await?;
    let Some(row) = row.filter(|row| may_start(row, browser, now)) else { return Ok(None) };
    if !super::is_allowed(&settings, &row.kind.0) {
        return Ok(None);
    }
    let setup = setup::required(app).await?;
    let plan = setup.plan(&row.use_cases.0, row.configuration.as_deref())?;
    let connection = connections::get(app, &row.account_id, &row.connection_id).await?;
    let once_more = match row.stage.0 {
        Stage::Completed { asked_again } => {
            Some(again(&setup.login, &plan.wanted, &connection, asked_again)).filter(|it| !it.is_empty())
        }
        _ => None,
    };
    if matches!(row.stage.0, Stage::Completed { .. }) && once_more.is_none() {
        return Ok(None);
    }
    // A login configuration is granted whole or not at all: there is nothing to ask for again.
    let rerequest = setup.login == Login::Facebook
        && (row.rerequest
            || once_more.is_some()
            || plan.wanted.iter().any(|name| wants_rerequest(name, &connection)));
    let origin = settings::origin(app, &settings)?;
    let dialog = dialog(
        &setup,
        &settings,
        &origin,
        &plan,
        once_more.unwrap_or_else(|| plan.wanted.clone()),
        rerequest,
    );

    let state = random::token("");
    let cookie = random::token("");
    let (cookie_hash, state_hash) =
        (random::hash(cookie.expose_secret()), random::hash(state.expose_secret()));
    let until = now.plus_seconds(DIALOG_SECONDS);
    let opening = table::Opening {
        cookie_hash: &cookie_hash,
        state_hash: &state_hash,
        dialog: dialog.clone(),
        dialog_expires_at: until,
        expires_at: now.plus_seconds(LINK_SECONDS).max(row.expires_at),
    };
    let mut tx = app.db.begin().await?;
    let taken_by = row.cookie_hash.as_deref();
    if !table::open_dialog(&mut tx, &row.id, &row.stage.0, &Stage::AtFacebook { until }, taken_by, opening)
        .await?
    {
        // Another browser took the link between our read and this write.
        return Ok(None);
    }
    let detail = json!({ "connection": row.connection_id, "rerequest": rerequest, "asked": dialog.asked });
    audit::insert(&mut tx, &Actor::Visitor, "connect_session.sent_to_facebook", row.id.as_str(), detail, now)
        .await?;
    tx.commit().await?;

    let dialog_url = String::from(oauth::dialog_url(&request(app, dialog, state.expose_secret()))).into();
    Ok(Some(Started { session_id: row.id, dialog_url, cookie }))
}

fn dialog(
    setup: &Setup,
    settings: &Settings,
    origin: &ServiceOrigin,
    plan: &Plan,
    asked: Vec<String>,
    rerequest: bool,
) -> Dialog {
    // Alphanumeric, as Meta wants it.
    let nonce = adjoin_graph::hex(&random::bytes::<16>());
    Dialog {
        client_id: setup.client_id.clone(),
        graph_version: setup.graph_version.clone(),
        redirect_uri: origin.used_redirect_uri(settings, Some(setup)),
        wanted: plan.wanted.clone(),
        asked,
        config_id: plan.configuration.as_ref().map(|it| it.id.clone()),
        system_user: plan.is_system_user(),
        rerequest,
        nonce,
    }
}

fn request(app: &App, dialog: Dialog, state: &str) -> DialogRequest {
    DialogRequest {
        dialog_url: app.config.dialog_url.clone(),
        version: dialog.graph_version,
        client_id: dialog.client_id,
        redirect_uri: dialog.redirect_uri,
        state: state.to_owned(),
        ask: match dialog.config_id {
            Some(config_id) => Ask::Configuration { config_id, system_user: dialog.system_user },
            None => Ask::Permissions(dialog.asked),
        },
        auth_type: if dialog.rerequest { vec![AuthType::Rerequest] } else { Vec::new() },
        auth_nonce: Some(dialog.nonce),
    }
}

pub(super) fn is_taken_by(row: &table::Stored, cookie: &str) -> bool {
    row.cookie_hash.as_ref().is_some_and(|hash| random::same(hash, &random::hash(cookie)))
}

/// Whether the dialog may be opened now, for the first time or once more.
pub(super) fn may_start(row: &table::Stored, browser: Browser<'_>, now: crate::time::Timestamp) -> bool {
    let in_time = now < row.expires_at && now < row.created_at.plus_seconds(LONGEST_SECONDS);
    in_time
        && match (browser, stage::seen_at(row, now)) {
            (Browser::WithLink { .. }, Stage::Created | Stage::Opened) => row.cookie_hash.is_none(),
            (Browser::WithLink { .. }, _) => false,
            (Browser::WithCookie { .. }, stage) => match stage {
                Stage::Created | Stage::Opened | Stage::Finishing { .. } | Stage::Cancelled => false,
                Stage::Expired { waiting_for } => waiting_for != Waiting::Start,
                // Whether there is anything left to ask for, `again` knows.
                Stage::Completed { .. }
                | Stage::AtFacebook { .. }
                | Stage::CodeHeld { .. }
                | Stage::OtherIdentity { .. }
                | Stage::Declined
                | Stage::Refused { .. } => true,
            },
        }
}

/// The error of a press that came too late.
pub(super) fn too_late() -> Error {
    Error::NotReady {
        message: "the confirmation came too late, or twice".to_owned(),
        who: crate::service::Who::Account,
        next_step: "start again from the connect link".to_owned(),
    }
}

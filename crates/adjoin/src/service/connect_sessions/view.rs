//! What the connect page shows.

use adjoin_marketing::permissions;
use secrecy::ExposeSecret as _;

use super::{
    Browser, ConnectSession, Kind, Stage,
    again::again,
    stage,
    start::{is_taken_by, may_start},
    table,
};
use crate::{
    id::{ConnectSessionId, ConnectionId},
    random,
    service::{
        App, Result, accounts,
        connections::{self, Connection},
        settings, setup,
    },
};

/// The page behind a link that nobody has taken yet.
#[derive(Debug)]
pub struct Invitation {
    pub session: ConnectSession,
    pub parties: Parties,
    /// What will be asked for, and why.
    pub asks: Vec<Asked>,
    /// Declined before; Facebook will ask again.
    pub declined: Vec<Asked>,
    /// Who is connected now, when somebody is.
    pub connected_as: Option<String>,
    /// The login is for business portfolios; it does not work on phones.
    pub system_user: bool,
    /// Who may frame the page.
    pub frame_origin: Option<String>,
}

/// Between whom the connection is.
#[derive(Debug, Clone)]
pub struct Parties {
    pub partner: String,
    pub account: String,
    /// The Meta app, under whose name Facebook asks.
    pub app: String,
}

/// A permission in words for the account's user.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Asked {
    pub permission: String,
    pub why: String,
}

impl Asked {
    pub fn of(name: &str) -> Self {
        let why = permissions::permission(name).map_or_else(String::new, |it| it.why.clone());
        Self { permission: name.to_owned(), why }
    }
}

/// How a session stands, for the browser that took it.
#[derive(Debug)]
pub struct Progress {
    pub session: ConnectSession,
    pub parties: Parties,
    pub connection: Connection,
    pub granted: Vec<Asked>,
    pub missing: Vec<Asked>,
    /// One more dialog may ask for what is missing: permissions, or something to use them on.
    pub may_ask_again: bool,
    /// The dialog may be opened once more.
    pub may_restart: bool,
    pub return_url: Option<String>,
    /// The redirect URI that Facebook was told, when the browser has been sent there.
    pub redirect_uri: Option<String>,
}

/// What a link leads to.
#[derive(Debug)]
pub enum Opened {
    Invitation(Box<Invitation>),
    /// This browser took it already.
    Taken(ConnectSessionId),
}

/// Opens a link. `None` for one that is unknown, expired, used or no longer allowed: they are not told apart.
pub async fn open(app: &App, token: &str, cookies: &super::Cookies) -> Result<Option<Opened>> {
    let Some(row) = table::by_token(&app.db, &random::hash(token)).await? else { return Ok(None) };
    let is_ours =
        cookies.iter().any(|(id, cookie)| *id == row.id && is_taken_by(&row, cookie.expose_secret()));
    if is_ours {
        return Ok(Some(Opened::Taken(row.id)));
    }
    let now = app.clock.now();
    let settings = settings::get(app).await?;
    if !may_start(&row, Browser::WithLink { token }, now) || !super::is_allowed(&settings, &row.kind.0) {
        return Ok(None);
    }
    if row.stage.0 == Stage::Created {
        let mut tx = app.db.begin().await?;
        table::advance(&mut tx, &row.id, &Stage::Created, &Stage::Opened).await?;
        tx.commit().await?;
    }
    let setup = setup::required(app).await?;
    let plan = setup.plan(&row.use_cases.0, row.configuration.as_deref())?;
    let connection = connections::get(app, &row.account_id, &row.connection_id).await?;
    let account = accounts::get(app, &row.account_id).await?;
    let frame_origin = match &row.kind.0 {
        Kind::Embedded { origin: Some(origin), .. } if settings.embed_origins.0.contains(origin) => {
            Some(origin.clone())
        }
        _ => None,
    };
    let declined = plan.wanted.iter().filter(|name| connection.declined.contains(name));
    Ok(Some(Opened::Invitation(Box::new(Invitation {
        parties: Parties {
            partner: settings.partner_name,
            account: account.name,
            app: setup.app_name.clone().unwrap_or_else(|| setup.client_id.clone()),
        },
        asks: plan.wanted.iter().map(|name| Asked::of(name)).collect(),
        declined: declined.map(|name| Asked::of(name)).collect(),
        connected_as: connection.subject.filter(|_| connection.state.is_usable()).and_then(|it| it.name),
        system_user: plan.is_system_user(),
        frame_origin,
        session: ConnectSession::at(row, now),
    }))))
}

/// How a session stands, for the browser with its cookie; `None` for every other.
pub async fn progress(app: &App, id: &ConnectSessionId, cookie: &str) -> Result<Option<Progress>> {
    let Some(row) = table::by_id(&app.db, id).await?.filter(|row| is_taken_by(row, cookie)) else {
        return Ok(None);
    };
    let now = app.clock.now();
    let settings = settings::get(app).await?;
    let setup = setup::get(app).await?;
    let connection = connections::get(app, &row.account_id, &row.connection_id).await?;
    let account = accounts::get(app, &row.account_id).await?;
    let may_restart = may_start(&row, Browser::WithCookie { id, cookie }, now);
    let wanted = row.dialog.0.as_ref().map_or(&connection.wanted, |dialog| &dialog.wanted);
    let (granted, missing): (Vec<_>, Vec<_>) =
        wanted.iter().map(|name| Asked::of(name)).partition(|it| connection.granted.contains(&it.permission));
    let completed = matches!(row.stage.0, Stage::Completed { .. });
    let may_ask_again = match (&row.stage.0, &setup) {
        (Stage::Completed { asked_again }, Some(setup)) => {
            may_restart && !again(&setup.login, wanted, &connection, *asked_again).is_empty()
        }
        _ => false,
    };
    Ok(Some(Progress {
        parties: Parties {
            partner: settings.partner_name,
            account: account.name,
            app: setup.map_or_else(|| "the app".to_owned(), |it| it.app_name.unwrap_or(it.client_id)),
        },
        may_ask_again,
        may_restart: may_restart && !completed,
        return_url: match &row.kind.0 {
            Kind::Embedded { return_url, .. } if settings.return_urls.0.contains(return_url) => {
                Some(return_url.clone())
            }
            _ => None,
        },
        redirect_uri: row.dialog.0.as_ref().map(|dialog| dialog.redirect_uri.clone()),
        granted,
        missing,
        connection,
        session: ConnectSession::at(row, now),
    }))
}

/// What the page that opened the session may know: which connection, and how far it has come.
#[derive(Debug, serde::Serialize)]
pub struct Status {
    pub connection_id: ConnectionId,
    pub status: &'static str,
}

/// For the holder of the link's secret; `None` when there is no such session.
pub async fn status(app: &App, token: &str) -> Result<Option<Status>> {
    let row = table::by_token(&app.db, &random::hash(token)).await?;
    let now = app.clock.now();
    Ok(row.map(|row| Status { status: stage::seen_at(&row, now).name(), connection_id: row.connection_id }))
}

//! One account.

use askama::Template;
use axum::{
    extract::{Path, State},
    response::{IntoResponse, Redirect, Response},
};
use serde::Deserialize;

use super::account_id;
use crate::{
    service::{
        App,
        accounts::{self, Account},
        connections::{self, Connection},
        history::{self, Line},
        leads,
    },
    web::console::{
        Frame, Page, Result,
        connections::words,
        done::Done,
        input::Form,
        parts::{Copy, Field, Refusal},
    },
};

/// Newest lines of the history shown.
const LINES: i64 = 10;

#[derive(Debug, Template)]
#[template(path = "console/accounts/page.html")]
pub struct AccountPage {
    frame: Frame,
    account: Account,
    /// The installed connector, when it is.
    connection: Option<Connection>,
    /// Leads that are not read from Meta yet.
    waiting: i64,
    history: Vec<Line>,
    name: String,
    refusal: Refusal,
}

#[derive(Debug, Deserialize)]
pub struct Rename {
    name: String,
}

pub async fn show(State(app): State<App>, frame: Frame, Path(id): Path<String>) -> Result<Page<AccountPage>> {
    let account = accounts::get(&app, &account_id(&id)?).await?;
    let name = account.name.clone();
    Ok(Page::new(page(&app, frame, account, name, Refusal::default()).await?))
}

pub async fn rename(
    State(app): State<App>,
    frame: Frame,
    Path(id): Path<String>,
    Form(given): Form<Rename>,
) -> Result<Response> {
    let id = account_id(&id)?;
    match accounts::rename(&app, &frame.actor(), &id, &given.name).await {
        Ok(_) => Ok(Done::AccountRenamed.at(&format!("/accounts/{id}")).into_response()),
        Err(error) => {
            let refusal = Refusal::from_error(error)?;
            let account = accounts::get(&app, &id).await?;
            Ok(Page::refused(page(&app, frame, account, given.name, refusal).await?).into_response())
        }
    }
}

/// Installs the connector and leads to its page.
pub async fn install(State(app): State<App>, frame: Frame, Path(id): Path<String>) -> Result<Redirect> {
    let connection = connections::install(&app, &frame.actor(), &account_id(&id)?).await?;
    let target = format!("/accounts/{}/connections/{}", connection.account_id, connection.id);
    Ok(Done::Installed.at(&target))
}

async fn page(
    app: &App,
    frame: Frame,
    account: Account,
    name: String,
    refusal: Refusal,
) -> Result<AccountPage> {
    let connection = connections::list(app, &account.id).await?.into_iter().next();
    let waiting = leads::waiting(app, Some(&account.id)).await?;
    let waiting = waiting.iter().filter(|it| it.cause != "gone").map(|it| it.leads).sum();
    let history = history::about(app, account.id.as_str(), LINES).await?;
    Ok(AccountPage { frame, account, connection, waiting, history, name, refusal })
}

//! One account.

use askama::Template;
use axum::{
    Form,
    extract::{Path, State},
    response::{IntoResponse, Response},
};
use serde::Deserialize;

use super::account_id;
use crate::{
    service::{
        App,
        accounts::{self, Account},
    },
    web::console::{
        Frame, Page, Result,
        done::Done,
        parts::{Copy, Field, Refusal},
    },
};

#[derive(Debug, Template)]
#[template(path = "console/accounts/page.html")]
pub struct AccountPage {
    frame: Frame,
    account: Account,
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
    Ok(Page::new(AccountPage { frame, account, name, refusal: Refusal::default() }))
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
            Ok(Page::refused(AccountPage { frame, account, name: given.name, refusal }).into_response())
        }
    }
}

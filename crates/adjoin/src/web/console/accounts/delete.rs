//! Deleting an account, which asks for its name first.

use askama::Template;
use axum::{
    extract::{Path, State},
    response::{IntoResponse, Response},
};
use serde::Deserialize;

use super::account_id;
use crate::{
    service::{
        App, Fault,
        accounts::{self, Account},
    },
    web::console::{
        Frame, Page, Result,
        done::Done,
        input::Form,
        parts::{Field, Refusal},
    },
};

#[derive(Debug, Template)]
#[template(path = "console/accounts/delete.html")]
pub struct Delete {
    frame: Frame,
    account: Account,
    refusal: Refusal,
}

#[derive(Debug, Deserialize)]
pub struct Given {
    name: String,
}

pub async fn confirm(State(app): State<App>, frame: Frame, Path(id): Path<String>) -> Result<Page<Delete>> {
    let account = accounts::get(&app, &account_id(&id)?).await?;
    Ok(Page::new(Delete { frame, account, refusal: Refusal::default() }))
}

pub async fn submit(
    State(app): State<App>,
    frame: Frame,
    Path(id): Path<String>,
    Form(given): Form<Given>,
) -> Result<Response> {
    let account = accounts::get(&app, &account_id(&id)?).await?;
    if given.name.trim() != account.name {
        let fault = Fault::new("name", "this is not the account's name", account.name.clone());
        let refusal = Refusal { faults: vec![fault], problem: None };
        return Ok(Page::refused(Delete { frame, account, refusal }).into_response());
    }
    accounts::delete(&app, &frame.actor(), &account.id).await?;
    Ok(Done::AccountDeleted.at("/accounts").into_response())
}

//! A new account.

use askama::Template;
use axum::{
    extract::State,
    response::{IntoResponse, Response},
};
use serde::Deserialize;

use crate::{
    service::{
        App,
        accounts::{self, NewAccount},
    },
    web::console::{
        Frame, Page, Result,
        done::Done,
        input::Form,
        parts::{Field, Refusal},
    },
};

#[derive(Debug, Template)]
#[template(path = "console/accounts/create.html")]
pub struct Create {
    frame: Frame,
    form: Given,
    refusal: Refusal,
}

#[derive(Debug, Default, Deserialize)]
pub struct Given {
    name: String,
    #[serde(default)]
    external_id: String,
}

pub async fn show(frame: Frame) -> Page<Create> {
    Page::new(Create { frame, form: Given::default(), refusal: Refusal::default() })
}

pub async fn submit(State(app): State<App>, frame: Frame, Form(form): Form<Given>) -> Result<Response> {
    let new = NewAccount { name: form.name.clone(), external_id: Some(form.external_id.clone()) };
    match accounts::create(&app, &frame.actor(), new).await {
        Ok(account) => Ok(Done::AccountCreated.at(&format!("/accounts/{}", account.id)).into_response()),
        Err(error) => {
            let refusal = Refusal::from_error(error)?;
            Ok(Page::refused(Create { frame, form, refusal }).into_response())
        }
    }
}

//! First start: whoever holds the one-time code that the service printed creates the operator.

use askama::Template;
use axum::{
    extract::State,
    http::header,
    response::{IntoResponse, Response},
};
use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;

use super::{
    Page, Result,
    done::Done,
    input::Form,
    parts::{Field, Refusal},
    session,
};
use crate::service::{
    App,
    operators::{self, NewOperator},
};

#[derive(Debug, Template)]
#[template(path = "console/welcome.html")]
pub struct Welcome {
    code: String,
    name: String,
    email: String,
    refusal: Refusal,
}

#[derive(Debug, Deserialize)]
pub struct Given {
    code: SecretString,
    name: String,
    email: String,
    password: SecretString,
}

/// The code stands after the `#` of the link, so it reaches neither us nor a log before the form is sent. A script
/// fills it in; without one it is pasted.
pub async fn show() -> Page<Welcome> {
    Page::new(Welcome {
        code: String::new(),
        name: String::new(),
        email: String::new(),
        refusal: Refusal::default(),
    })
}

pub async fn submit(State(app): State<App>, Form(given): Form<Given>) -> Result<Response> {
    // People paste the whole link as well.
    let code = given.code.expose_secret().trim();
    let code = code.rsplit('#').next().unwrap_or(code);
    let new = NewOperator {
        name: given.name.clone(),
        email: given.email.clone(),
        password: given.password.clone(),
    };
    match operators::accept_invite(&app, code, new).await {
        Ok(_) => {
            let secret = operators::sign_in(&app, &given.email, &given.password).await?;
            let cookie = secret.as_ref().map(session::cookie).map(|cookie| [(header::SET_COOKIE, cookie)]);
            Ok((cookie, Done::Welcome.at("/")).into_response())
        }
        Err(error) => Ok(Page::refused(Welcome {
            code: code.to_owned(),
            name: given.name,
            email: given.email,
            refusal: Refusal::from_error(error)?,
        })
        .into_response()),
    }
}

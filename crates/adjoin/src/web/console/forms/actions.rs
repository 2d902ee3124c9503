//! What the buttons of the forms' page do.

use axum::{
    extract::{Path, State},
    response::Redirect,
};

use crate::{
    service::{App, forms, subscriptions},
    web::console::{Frame, Result, accounts::account_id, done::Done},
};

pub async fn sweep(State(app): State<App>, frame: Frame, Path(id): Path<String>) -> Result<Redirect> {
    let account = account_id(&id)?;
    forms::sweep_all(&app, &frame.actor(), &account).await?;
    Ok(Done::SweepAsked.at(&format!("/accounts/{account}/forms")))
}

pub async fn check(State(app): State<App>, frame: Frame, Path(id): Path<String>) -> Result<Redirect> {
    let account = account_id(&id)?;
    subscriptions::check_all(&app, &frame.actor(), &account).await?;
    Ok(Done::CheckAsked.at(&format!("/accounts/{account}/forms")))
}

/// Somebody came back to the address of a button.
pub async fn back(_frame: Frame, Path(id): Path<String>) -> Result<Redirect> {
    Ok(Redirect::to(&format!("/accounts/{}/forms", account_id(&id)?)))
}

//! The list of accounts, and finding one in it.

use askama::Template;
use axum::extract::State;
use serde::Deserialize;

use crate::{
    service::{
        App,
        accounts::{self, Listed},
    },
    store,
    web::console::{Frame, Page, Result, connections::words, input::Query},
};

const PER_PAGE: usize = 25;

#[derive(Debug, Template)]
#[template(path = "console/accounts/list.html")]
pub struct List {
    frame: Frame,
    accounts: store::Page<Listed>,
    find: String,
    /// The name of a connection's state, or empty.
    state: String,
    /// The address of the page after this one.
    more: Option<String>,
    later_page: bool,
}

#[derive(Debug, Deserialize)]
pub struct Asked {
    #[serde(default)]
    find: String,
    #[serde(default)]
    state: String,
    after: Option<String>,
}

pub async fn show(State(app): State<App>, frame: Frame, Query(asked): Query<Asked>) -> Result<Page<List>> {
    let state = words::STATES.iter().find(|state| **state == asked.state).copied().unwrap_or_default();
    let accounts = accounts::find_listed(&app, &asked.find, state, asked.after.as_deref(), PER_PAGE).await?;
    let more = accounts.next.as_ref().map(|next| {
        let mut query = url::form_urlencoded::Serializer::new(String::new());
        query.append_pair("find", &asked.find).append_pair("state", state).append_pair("after", next);
        format!("/accounts?{}", query.finish())
    });
    let later_page = asked.after.is_some();
    Ok(Page::new(List { frame, accounts, more, later_page, find: asked.find, state: state.to_owned() }))
}

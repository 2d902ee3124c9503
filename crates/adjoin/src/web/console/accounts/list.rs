//! The list of accounts, and finding one in it.

use askama::Template;
use axum::extract::{Query, State};
use serde::Deserialize;

use crate::{
    service::{
        App,
        accounts::{self, Account},
    },
    store,
    web::console::{Frame, Page, Result},
};

const PER_PAGE: usize = 25;

#[derive(Debug, Template)]
#[template(path = "console/accounts/list.html")]
pub struct List {
    frame: Frame,
    accounts: store::Page<Account>,
    find: String,
    /// The address of the page after this one.
    more: Option<String>,
    later_page: bool,
}

#[derive(Debug, Deserialize)]
pub struct Asked {
    #[serde(default)]
    find: String,
    after: Option<String>,
}

pub async fn show(State(app): State<App>, frame: Frame, Query(asked): Query<Asked>) -> Result<Page<List>> {
    let accounts = accounts::find(&app, &asked.find, asked.after.as_deref(), PER_PAGE).await?;
    let more = accounts.next.as_ref().map(|next| {
        let mut query = url::form_urlencoded::Serializer::new(String::new());
        query.append_pair("find", &asked.find).append_pair("after", next);
        format!("/accounts?{}", query.finish())
    });
    Ok(Page::new(List { frame, accounts, more, later_page: asked.after.is_some(), find: asked.find }))
}

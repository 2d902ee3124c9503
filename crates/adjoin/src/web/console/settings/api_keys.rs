//! Settings > API keys.

use askama::Template;
use axum::{
    extract::{Path, State},
    response::{IntoResponse, Redirect, Response},
};
use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;

use crate::{
    id::{AccountId, ApiKeyId},
    service::{
        self, App, Error, Fault, accounts,
        api_keys::{self, ApiKey},
    },
    web::console::{
        Failure, Frame, Page, Result,
        done::Done,
        input::Form,
        parts::{Choice, Copy, Field, Mark, Refusal, Tone},
    },
};

/// A key with the account it is bound to.
#[derive(Debug)]
struct Entry {
    key: ApiKey,
    account: Option<String>,
}

#[derive(Debug, Template)]
#[template(path = "console/settings/api_keys.html")]
pub struct ApiKeys {
    frame: Frame,
    keys: Vec<Entry>,
    /// Accounts to pick from, the newest.
    accounts: Vec<Choice>,
    form: Given,
    refusal: Refusal,
    /// The secret of the key just made: it is on this page and nowhere else.
    fresh: Option<Fresh>,
}

#[derive(Debug)]
struct Fresh {
    name: String,
    secret: SecretString,
}

#[derive(Debug, Template)]
#[template(path = "console/settings/revoke.html")]
pub struct Revoke {
    frame: Frame,
    key: ApiKey,
}

#[derive(Debug, Default, Deserialize)]
pub struct Given {
    name: String,
    #[serde(default)]
    account: String,
}

pub async fn show(State(app): State<App>, frame: Frame) -> Result<Page<ApiKeys>> {
    Ok(Page::new(page(&app, frame, Given::default(), Refusal::default(), None).await?))
}

/// Answers with the page itself, not a redirect: the secret must not stand in an address or wait anywhere.
pub async fn create(State(app): State<App>, frame: Frame, Form(form): Form<Given>) -> Result<Response> {
    let made = match account(&form.account) {
        Ok(account) => api_keys::create(&app, &frame.actor(), &form.name, account).await,
        Err(error) => Err(error),
    };
    Ok(match made {
        Ok((key, secret)) => {
            let fresh = Fresh { name: key.name, secret };
            Page::new(page(&app, frame, Given::default(), Refusal::default(), Some(fresh)).await?)
        }
        Err(Error::NotFound { .. }) => {
            let fault = Fault::new("account", "no account has this id", "an id such as acc_…, from Accounts");
            let refusal = Refusal { faults: vec![fault], problem: None };
            Page::refused(page(&app, frame, form, refusal, None).await?)
        }
        Err(error) => {
            let refusal = Refusal::from_error(error)?;
            Page::refused(page(&app, frame, form, refusal, None).await?)
        }
    }
    .into_response())
}

pub async fn confirm(State(app): State<App>, frame: Frame, Path(id): Path<String>) -> Result<Page<Revoke>> {
    let key = api_keys::list(&app).await?.into_iter().find(|key| key.id.as_str() == id);
    Ok(Page::new(Revoke { frame, key: key.ok_or_else(Failure::no_page)? }))
}

pub async fn revoke(State(app): State<App>, frame: Frame, Path(id): Path<String>) -> Result<Redirect> {
    let id: ApiKeyId = id.parse().map_err(|_| Failure::no_page())?;
    api_keys::revoke(&app, &frame.actor(), &id).await?;
    Ok(Done::KeyRevoked.at("/settings/api-keys"))
}

fn account(text: &str) -> service::Result<Option<AccountId>> {
    let text = text.trim();
    if text.is_empty() {
        return Ok(None);
    }
    text.parse().map(Some).map_err(|_| Error::NotFound { what: "the account" })
}

async fn page(
    app: &App,
    frame: Frame,
    form: Given,
    refusal: Refusal,
    fresh: Option<Fresh>,
) -> Result<ApiKeys> {
    let mut keys = Vec::new();
    for key in api_keys::list(app).await? {
        let account = match &key.account_id {
            Some(id) => Some(accounts::get(app, id).await?.name),
            None => None,
        };
        keys.push(Entry { key, account });
    }
    let accounts = accounts::find(app, "", None, accounts::PAGE_MAX).await?.items;
    let accounts = accounts.into_iter().map(|it| Choice::new(it.id.as_str(), it.name)).collect();
    Ok(ApiKeys { frame, keys, accounts, form, refusal, fresh })
}

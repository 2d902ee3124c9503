//! Keys for the JSON API: partner-wide, or bound to one account.

use secrecy::{ExposeSecret, SecretString};
use serde_json::json;

use super::{App, Error, Fault, Result, accounts};
use crate::{
    audit::Actor,
    id::{AccountId, ApiKeyId},
    random,
    store::{self, api_keys, audit},
    time::Timestamp,
};

pub use store::api_keys::ApiKey;

/// How stale `last_used_at` may be, so that a busy key does not write at every call.
const TOUCH_SECONDS: i64 = 60;
const NAME_MAX: usize = 100;

/// What an authenticated API caller may reach.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Reach {
    AllAccounts,
    One(AccountId),
}

impl Reach {
    /// The account that is asked about, narrowed to what is reached. None: all accounts.
    pub fn narrow(&self, account: Option<AccountId>) -> Result<Option<AccountId>> {
        match (self, account) {
            (Self::AllAccounts, account) => Ok(account),
            (Self::One(own), None) => Ok(Some(own.clone())),
            (Self::One(own), Some(account)) if *own == account => Ok(Some(account)),
            (Self::One(_), Some(_)) => Err(Error::NotFound { what: "the account" }),
        }
    }

    /// Whether it has what belongs to this account; to none: to the partner.
    pub fn has(&self, owner: Option<&AccountId>) -> bool {
        match self {
            Self::AllAccounts => true,
            Self::One(own) => owner == Some(own),
        }
    }
}

/// Makes a key. Its secret is answered this once and kept only as a hash.
pub async fn create(
    app: &App,
    actor: &Actor,
    name: &str,
    account_id: Option<AccountId>,
) -> Result<(ApiKey, SecretString)> {
    let name = name.trim();
    if name.is_empty() {
        let fix = format!("1 to {NAME_MAX} characters that say what uses it");
        return Err(Error::invalid("name", "a key needs a name", fix));
    }
    if let Some(fault) = Fault::if_too_long("name", name, NAME_MAX) {
        return Err(Error::Invalid(vec![fault]));
    }
    if let Some(id) = &account_id {
        accounts::get(app, id).await?;
    }
    let secret = random::token("adj_");
    let text = secret.expose_secret();
    let key = ApiKey {
        id: ApiKeyId::new(),
        account_id,
        name: name.to_owned(),
        hint: text[text.len() - 4..].to_owned(),
        created_at: app.clock.now(),
        last_used_at: None,
    };
    let mut tx = app.db.begin().await?;
    api_keys::insert(&mut tx, &key, &random::hash(text)).await?;
    audit::insert(
        &mut tx,
        actor,
        "api_key.created",
        key.id.as_str(),
        json!({ "name": key.name }),
        key.created_at,
    )
    .await?;
    tx.commit().await?;
    Ok((key, secret))
}

pub async fn list(app: &App) -> Result<Vec<ApiKey>> {
    Ok(api_keys::list(&app.db).await?)
}

pub async fn revoke(app: &App, actor: &Actor, id: &ApiKeyId) -> Result<()> {
    let now = app.clock.now();
    let mut tx = app.db.begin().await?;
    if !api_keys::revoke(&mut tx, id, now).await? {
        return Err(Error::NotFound { what: "the API key" });
    }
    audit::insert(&mut tx, actor, "api_key.revoked", id.as_str(), json!({}), now).await?;
    tx.commit().await?;
    Ok(())
}

/// The key behind a bearer secret and what it may reach, or `None`. That it was revoked counts at once in this process,
/// and within a second in another.
pub async fn authenticate(app: &App, secret: &str) -> Result<Option<(ApiKeyId, Reach)>> {
    let now = app.clock.now();
    let read = async |hash: &Vec<u8>| api_keys::live_by_hash(&app.db, hash).await;
    let Some(key) = app.recent.api_keys.get(&app.db, random::hash(secret), now, read).await? else {
        return Ok(None);
    };
    let since = now.plus_seconds(-TOUCH_SECONDS);
    if key.last_used_at.is_none_or(|at| at <= since) {
        // Behind the request, which need not wait for it; of several at once only the first changes anything.
        let (app, id) = (app.clone(), key.id.clone());
        tokio::spawn(async move {
            if let Err(error) = touch(&app, &id, now, since).await {
                tracing::warn!(%error, "the use of an API key was not noted");
            }
        });
    }
    let reach = key.account_id.clone().map_or(Reach::AllAccounts, Reach::One);
    Ok(Some((key.id.clone(), reach)))
}

async fn touch(app: &App, id: &ApiKeyId, now: Timestamp, since: Timestamp) -> store::Result<()> {
    let mut tx = app.db.begin().await?;
    api_keys::touch(&mut tx, id, now, since).await?;
    tx.commit().await
}

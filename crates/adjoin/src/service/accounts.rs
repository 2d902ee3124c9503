//! Accounts: the partner's customers.

use serde_json::json;

use super::{App, Error, Fault, Result, connections, subscriptions};
use crate::{
    audit::Actor,
    id::AccountId,
    store::{self, Page, accounts, audit},
    vault::Scope,
};

pub use store::accounts::{Account, Listed};

const NAME_MAX: usize = 200;
const EXTERNAL_ID_MAX: usize = 200;
/// Most accounts one page holds.
pub const PAGE_MAX: usize = 100;

/// What an account is made from.
#[derive(Debug, Clone)]
pub struct NewAccount {
    pub name: String,
    /// The partner's own id for it; unique.
    pub external_id: Option<String>,
}

pub async fn create(app: &App, actor: &Actor, new: NewAccount) -> Result<Account> {
    let external_id = new.external_id.map(|id| id.trim().to_owned()).filter(|id| !id.is_empty());
    let too_long = external_id.as_ref().and_then(|id| Fault::if_too_long("external_id", id, EXTERNAL_ID_MAX));
    let name = match (checked_name(&new.name), too_long) {
        (Ok(name), None) => name,
        (name, too_long) => return Err(Error::Invalid(name.err().into_iter().chain(too_long).collect())),
    };
    let account = Account {
        id: AccountId::new(),
        external_id,
        name,
        lead_retention_days: None,
        created_at: app.clock.now(),
    };
    let mut tx = app.db.begin().await?;
    accounts::insert(&mut tx, &account).await.map_err(|error| {
        if error.is_unique_violation() {
            Error::Conflict {
                message: "another account has this external_id".to_owned(),
                next_step: "find that account with ?find=, or choose another external_id".to_owned(),
            }
        } else {
            error.into()
        }
    })?;
    audit::insert(
        &mut tx,
        actor,
        "account.created",
        account.id.as_str(),
        json!({ "name": account.name }),
        account.created_at,
    )
    .await?;
    tx.commit().await?;
    Ok(account)
}

pub async fn get(app: &App, id: &AccountId) -> Result<Account> {
    accounts::by_id(&app.db, id).await?.ok_or(Error::NotFound { what: "the account" })
}

/// The account with this id of the partner's own.
pub async fn by_external_id(app: &App, external_id: &str) -> Result<Option<Account>> {
    Ok(accounts::by_external_id(&app.db, external_id.trim()).await?)
}

/// Accounts whose name or ids match the text, newest first; an empty text finds all.
pub async fn find(app: &App, text: &str, after: Option<&str>, limit: usize) -> Result<Page<Account>> {
    Ok(accounts::find(&app.db, text.trim(), after, limit.clamp(1, PAGE_MAX)).await?)
}

/// The same, each with the state of its connection; a state's name picks the accounts whose connection is in it.
pub async fn find_listed(
    app: &App,
    text: &str,
    state: &str,
    after: Option<&str>,
    limit: usize,
) -> Result<Page<Listed>> {
    Ok(accounts::find_listed(&app.db, text.trim(), state, after, limit.clamp(1, PAGE_MAX)).await?)
}

pub async fn rename(app: &App, actor: &Actor, id: &AccountId, name: &str) -> Result<Account> {
    let name = checked_name(name).map_err(|fault| Error::Invalid(vec![fault]))?;
    let mut tx = app.db.begin().await?;
    if !accounts::rename(&mut tx, id, &name).await? {
        return Err(Error::NotFound { what: "the account" });
    }
    audit::insert(&mut tx, actor, "account.renamed", id.as_str(), json!({ "name": name }), app.clock.now())
        .await?;
    tx.commit().await?;
    get(app, id).await
}

/// How long an account's leads may be kept at most, in days.
const RETENTION_MAX: i64 = 3650;

/// Sets how many days an account's leads are kept after they were read from Meta; `None`: until they are erased.
pub async fn keep_leads(app: &App, actor: &Actor, id: &AccountId, days: Option<i64>) -> Result<Account> {
    if days.is_some_and(|days| !(1..=RETENTION_MAX).contains(&days)) {
        return Err(Error::invalid(
            "lead_retention_days",
            "leads are kept for a day at least, or until they are erased",
            format!("1 to {RETENTION_MAX}, or null"),
        ));
    }
    let mut tx = app.db.begin().await?;
    if !accounts::keep_leads(&mut tx, id, days).await? {
        return Err(Error::NotFound { what: "the account" });
    }
    let detail = json!({ "lead_retention_days": days });
    audit::insert(&mut tx, actor, "account.retention_changed", id.as_str(), detail, app.clock.now()).await?;
    tx.commit().await?;
    get(app, id).await
}

/// Erases an account with all that hangs on it; its data keys go too, so no copy of its secrets can be opened. Before,
/// our webhook subscriptions are taken back at Meta, as far as that works within a few seconds.
pub async fn delete(app: &App, actor: &Actor, id: &AccountId) -> Result<()> {
    for connection in connections::list(app, id).await? {
        subscriptions::before_erasure(app, id, &connection.id).await;
    }
    let mut tx = app.db.begin().await?;
    if !accounts::delete(&mut tx, id).await? {
        return Err(Error::NotFound { what: "the account" });
    }
    let keys = app.vault.drop_scope(&mut tx, &Scope::Account(id.clone())).await?;
    audit::insert(&mut tx, actor, "account.deleted", id.as_str(), json!({}), app.clock.now()).await?;
    tx.commit().await?;
    app.vault.forget(&keys);
    Ok(())
}

/// The name as it is kept, or what is wrong with it.
fn checked_name(name: &str) -> std::result::Result<String, Fault> {
    let name = name.trim();
    if name.is_empty() {
        return Err(Fault::new("name", "an account needs a name", format!("1 to {NAME_MAX} characters")));
    }
    Fault::if_too_long("name", name, NAME_MAX).map_or_else(|| Ok(name.to_owned()), Err)
}

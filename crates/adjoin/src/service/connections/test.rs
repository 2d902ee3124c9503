use adjoin_graph::oauth;
use adjoin_marketing::errors::{self, Class};
use schemars::JsonSchema;
use serde::Serialize;
use serde_json::json;

use super::{
    Connection, GapKind, NOT_FOUND, RECONNECT, State, TokenKind, Trouble, get, refusal::trouble,
    replace::wake, told,
};
use crate::{
    audit::Actor,
    id::{AccountId, ConnectionId},
    service::{
        App, MetaError, Result, Who,
        connect_sessions::Refusal,
        consent::{self, Failed, Findings, Wanted},
        leads, setup, subscriptions,
    },
    store::{Json, audit, connections as table},
    time::Timestamp,
    vault::Scope,
};

/// A token that ends sooner than this is worth a word.
const SOON_SECONDS: i64 = 14 * 24 * 60 * 60;

/// What a test of a connection found.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct TestReport {
    /// Whether no check failed.
    pub ok: bool,
    pub checks: Vec<Check>,
    /// As it stands after the test.
    pub connection: Connection,
}

/// One thing a test looked at.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Check {
    /// `meta_app`, `token`, `permissions`, `expiry`, `ad_accounts` or `pages`.
    pub name: &'static str,
    /// In words for people.
    pub title: &'static str,
    pub outcome: CheckOutcome,
    pub message: String,
    pub who: Option<Who>,
    pub next_step: Option<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum CheckOutcome {
    Passed,
    /// It works, and something should be looked after.
    Warned,
    Failed,
    /// An earlier failure made it pointless.
    Skipped,
}

/// The checks in their order, by name and title.
mod named {
    pub const META_APP: (&str, &str) = ("meta_app", "Meta accepts the app's ID and secret");
    pub const TOKEN: (&str, &str) = ("token", "The token is alive and made for this app");
    pub const PERMISSIONS: (&str, &str) = ("permissions", "Every permission that was asked for is granted");
    pub const EXPIRY: (&str, &str) = ("expiry", "The token has time left");
    pub const AD_ACCOUNTS: (&str, &str) = ("ad_accounts", "Ad accounts can be read");
    pub const PAGES: (&str, &str) = ("pages", "Pages can be read");
}

impl Check {
    fn passed(name: (&'static str, &'static str), message: impl Into<String>) -> Self {
        let outcome = CheckOutcome::Passed;
        Self { name: name.0, title: name.1, outcome, message: message.into(), who: None, next_step: None }
    }

    fn not_good(
        outcome: CheckOutcome,
        name: (&'static str, &'static str),
        message: impl Into<String>,
        who: Who,
        next_step: impl Into<String>,
    ) -> Self {
        Self {
            name: name.0,
            title: name.1,
            outcome,
            message: message.into(),
            who: Some(who),
            next_step: Some(next_step.into()),
        }
    }

    fn failed(
        name: (&'static str, &'static str),
        message: impl Into<String>,
        who: Who,
        next_step: impl Into<String>,
    ) -> Self {
        Self::not_good(CheckOutcome::Failed, name, message, who, next_step)
    }
}

/// What asking Meta led to.
enum Asked {
    Alive(Box<Findings>),
    Dead(Box<State>),
    /// Nothing is known about the token.
    NoAnswer(Box<MetaError>),
}

/// Asks Meta about the token and makes a cheap read for each kind of asset. The connection's state, permissions and
/// assets are brought up to date by what is found; when Meta cannot be reached nothing changes.
pub async fn test(app: &App, actor: &Actor, account: &AccountId, id: &ConnectionId) -> Result<TestReport> {
    let row = table::by_id(&app.db, account, id).await?.ok_or(NOT_FOUND)?;
    let Some(sealed) = table::token(&app.db, id).await? else {
        let check = match row.state.0.trouble() {
            Some(it) => Check::failed(named::TOKEN, it.message.clone(), it.who, it.next_step.clone()),
            None => Check::failed(
                named::TOKEN,
                "There is no token: nobody has connected.",
                Who::Account,
                RECONNECT,
            ),
        };
        return Ok(TestReport { ok: false, checks: vec![check], connection: row.into() });
    };
    let now = app.clock.now();
    let asked = ask(app, &row, &sealed, now).await?;

    let mut tx = app.db.begin().await?;
    let current = table::by_id_for_update(&mut tx, account, id).await?.ok_or(NOT_FOUND)?;
    // Somebody connected anew while we asked: what we learned is about a token that is gone.
    if current.connected_at == row.connected_at && !matches!(asked, Asked::NoAnswer(_)) {
        let mut row = current;
        let before = row.state.0.clone();
        apply(&mut row, &asked, now);
        table::put(&mut tx, &row).await?;
        let is_alive = matches!(asked, Asked::Alive(_));
        let works_again = is_alive && !before.is_usable();
        if works_again {
            subscriptions::renew(app, &mut tx, &row, now).await?;
        } else if is_alive {
            subscriptions::adopt(app, &mut tx, &row, now).await?;
        }
        told::tell(&mut tx, &before, &row, now).await?;
        let detail = json!({ "state": row.state.0.name() });
        audit::insert(&mut tx, actor, "connection.tested", id.as_str(), detail, now).await?;
        tx.commit().await?;
        wake(app);
        if works_again {
            leads::drain(app, account, None).await;
        }
    }
    let connection = get(app, account, id).await?;
    let checks = checks(&asked, &connection, now);
    let ok = checks.iter().all(|check| check.outcome != CheckOutcome::Failed);
    Ok(TestReport { ok, checks, connection })
}

async fn ask(app: &App, row: &table::Stored, sealed: &[u8], now: Timestamp) -> Result<Asked> {
    let scope = Scope::Account(row.account_id.clone());
    let token = app.vault.open(&table::token_place(&scope, row.id.as_str()), sealed).await?;
    let credentials = setup::credentials(app).await?;
    let graph = app.graphs.get(&credentials.graph_version)?;
    let info = match oauth::debug_token(&graph, &credentials.app.access(), &token).await {
        Ok(info) => info,
        // It is the app that was refused here, not the token.
        Err(error) => return Ok(Asked::NoAnswer(Box::new(MetaError::explain(&error)))),
    };
    let (is_valid, subcode) = (info.is_valid, info.error.as_ref().and_then(|error| error.subcode));
    let wanted =
        Wanted { permissions: &row.wanted.0, system_user: row.token_kind == Some(TokenKind::SystemUser) };
    Ok(match consent::verify(&graph, &credentials.app, &token, info, &wanted, now).await {
        Ok(findings) => Asked::Alive(Box::new(findings)),
        Err(Failed::Unreachable { error, .. }) => Asked::NoAnswer(error),
        Err(Failed::Refused(refusal)) => refused(refusal, is_valid, subcode, now),
    })
}

/// Only a token that Meta calls dead, or that is not ours, ends a connection; any other refusal is of this one call.
fn refused(refusal: Refusal, is_valid: bool, subcode: Option<i64>, now: Timestamp) -> Asked {
    let known = refusal.code.map(|code| errors::explain(code, subcode, ""));
    let ends_it = |class: &Class| !is_valid || matches!(class, Class::Reconnect | Class::ActionOnFacebook);
    if let Some(class) = known.map(|known| known.class).filter(|class| !ends_it(class)) {
        return Asked::NoAnswer(Box::new(MetaError {
            class,
            message: format!("{}. {}", refusal.title, refusal.message),
            who: refusal.who,
            next_step: refusal.next_step,
            retry: false,
            retry_after: None,
            outcome_unknown: false,
            faults: Vec::new(),
            meta: serde_json::Value::Null,
        }));
    }
    let trouble = match known {
        Some(known) => trouble(known, refusal.code, subcode, now),
        None => Trouble {
            title: refusal.title,
            message: refusal.message,
            who: refusal.who,
            next_step: refusal.next_step,
            code: None,
            subcode: None,
            since: now,
        },
    };
    Asked::Dead(Box::new(match known.map(|known| known.class) {
        Some(Class::ActionOnFacebook) => State::ActionNeeded { trouble },
        _ => State::Broken { trouble },
    }))
}

fn apply(row: &mut table::Stored, asked: &Asked, now: Timestamp) {
    match asked {
        Asked::NoAnswer(_) => return,
        Asked::Dead(state) => row.state = Json(state.as_ref().clone()),
        Asked::Alive(findings) => {
            row.state = Json(State::of(findings.gaps.clone(), &findings.assets));
            row.subject = Json(Some(findings.subject.clone()));
            row.token_kind = Some(findings.kind);
            row.token_expires_at = findings.expires_at;
            row.data_access_expires_at = findings.data_access_expires_at;
            row.granted = Json(findings.granted.clone());
            row.declined = Json(findings.declined.clone());
            row.assets = Json(findings.assets.clone());
        }
    }
    row.checked_at = Some(now);
    row.updated_at = now;
}

fn checks(asked: &Asked, connection: &Connection, now: Timestamp) -> Vec<Check> {
    let findings = match asked {
        Asked::NoAnswer(error) => {
            let failed =
                Check::failed(named::META_APP, error.message.clone(), error.who, error.next_step.clone());
            return followed_by_skipped(vec![failed], &[named::TOKEN]);
        }
        Asked::Dead(state) => {
            let failed = state
                .trouble()
                .map(|it| Check::failed(named::TOKEN, it.message.clone(), it.who, it.next_step.clone()));
            let made = std::iter::once(Check::passed(named::META_APP, "Meta answered.")).chain(failed);
            return followed_by_skipped(made.collect(), &[]);
        }
        Asked::Alive(findings) => findings,
    };
    let whose = findings.subject.name.as_deref().unwrap_or(&findings.subject.id);
    vec![
        Check::passed(named::META_APP, "Meta answered."),
        Check::passed(named::TOKEN, format!("It stands for {whose}.")),
        permissions(findings, connection),
        expiry(findings, now),
        assets(
            named::AD_ACCOUNTS,
            findings,
            findings.assets.ad_accounts.len(),
            &GapKind::NoAdAccounts,
            "ad account",
        ),
        assets(named::PAGES, findings, findings.assets.pages.len(), &GapKind::NoPages, "Page"),
    ]
}

/// The checks that were made, and those that had no sense after them.
fn followed_by_skipped(made: Vec<Check>, also: &[(&'static str, &'static str)]) -> Vec<Check> {
    let rest = [named::PERMISSIONS, named::EXPIRY, named::AD_ACCOUNTS, named::PAGES];
    let skipped = also.iter().chain(&rest).map(|&(name, title)| Check {
        outcome: CheckOutcome::Skipped,
        ..Check::passed((name, title), "Not looked at.")
    });
    made.into_iter().chain(skipped.collect::<Vec<_>>()).collect()
}

fn permissions(findings: &Findings, connection: &Connection) -> Check {
    let missing: Vec<&str> = connection
        .wanted
        .iter()
        .filter(|name| !findings.granted.contains(name))
        .map(String::as_str)
        .collect();
    if missing.is_empty() {
        return Check::passed(named::PERMISSIONS, format!("All {} are.", connection.wanted.len()));
    }
    let gap = findings.gaps.first();
    Check::failed(
        named::PERMISSIONS,
        format!("Missing: {}.", missing.join(", ")),
        gap.map_or(Who::Account, |gap| gap.who),
        gap.map_or_else(|| RECONNECT.to_owned(), |gap| gap.next_step.clone()),
    )
}

fn expiry(findings: &Findings, now: Timestamp) -> Check {
    match findings.expires_at {
        None => Check::passed(named::EXPIRY, "It does not expire."),
        Some(at) if at > now.plus_seconds(SOON_SECONDS) => {
            Check::passed(named::EXPIRY, format!("Until {}.", at.for_people()))
        }
        Some(at) => Check::not_good(
            CheckOutcome::Warned,
            named::EXPIRY,
            format!("It ends on {}.", at.for_people()),
            Who::Account,
            RECONNECT,
        ),
    }
}

fn assets(
    name: (&'static str, &'static str),
    findings: &Findings,
    count: usize,
    none_shared: &GapKind,
    what: &str,
) -> Check {
    let gap = findings.gaps.iter().find(|gap| {
        gap.kind == *none_shared
            || gap.kind == GapKind::TechProvider
            || (count == 0 && gap.kind == GapKind::AssetsUnread)
    });
    match gap {
        Some(gap) => Check::failed(name, gap.message.clone(), gap.who, gap.next_step.clone()),
        None if count == 0 => Check::passed(name, format!("No {what} was asked for.")),
        None => Check::passed(name, format!("{count} {what}{}.", if count == 1 { "" } else { "s" })),
    }
}

use adjoin_graph::oauth::Callback;
use adjoin_marketing::dialog::{self as facts, Outcome};
use secrecy::{ExposeSecret as _, SecretString};
use serde_json::json;
use url::Url;

use super::{HOLD_SECONDS, Kind, Refusal, Stage, stage, start::is_taken_by, table};
use crate::{
    audit::Actor,
    id::ConnectSessionId,
    random,
    service::{App, Result, settings},
    store::{Tx, audit},
    time::Timestamp,
    vault::Scope,
};

/// A code longer than this is none of Meta's.
const CODE_MAX: usize = 4096;

/// The browser's secrets, by session.
pub type Cookies = Vec<(ConnectSessionId, SecretString)>;

/// Where the browser goes after Facebook. Never anywhere with Meta's code or our state in its address.
#[derive(Debug)]
pub enum Next {
    /// The session's own page.
    Session(ConnectSessionId),
    /// The partner's return URL, with the code with which its backend confirms.
    Partner(Url),
    /// A page that explains, for want of a session that could be trusted.
    Problem(Problem),
}

/// Why an answer of Facebook's cannot be tied to a session.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Problem {
    /// The path names another partner.
    OtherPartner,
    /// None of Facebook's parameters.
    NothingThere,
    StateMissing,
    StateUnknown,
    StateUsed,
    StateLate,
    /// The browser is not the one that began, or has lost its cookie.
    OtherBrowser,
    /// The session was ended meanwhile.
    SessionEnded,
    /// Facebook said no, and did not say to whom. `error` is OAuth's, where it is that which the table of refusals knows.
    Refused {
        code: Option<i64>,
        error: Option<&'static str>,
    },
    Declined,
}

/// Takes Facebook's answer in. `partner_key` is the path's, when it has one.
///
/// The state is used up first, whatever comes of it; the code is sealed and held, not exchanged.
pub async fn callback(app: &App, query: &str, partner_key: Option<&str>, cookies: &Cookies) -> Result<Next> {
    let settings = settings::get(app).await?;
    if partner_key.is_some_and(|key| key != settings.partner_key) {
        return Ok(Next::Problem(Problem::OtherPartner));
    }
    let answer = Callback::read(query);
    let Some(state) = answer.state() else { return without_state(app, &answer, cookies).await };
    let state_hash = random::hash(state);
    let Some(row) = table::by_state(&app.db, &state_hash).await? else {
        return Ok(Next::Problem(Problem::StateUnknown));
    };
    let now = app.clock.now();
    let cookie = cookies.iter().find(|(id, _)| *id == row.id);
    let Some(_) = cookie.filter(|(_, cookie)| is_taken_by(&row, cookie.expose_secret())) else {
        // Whoever has the state has no business here; it is burnt, so that nobody else can use it either.
        let mut tx = app.db.begin().await?;
        if table::consume_state(&mut tx, &state_hash, now).await? {
            let detail = json!({ "reason": "other browser" });
            audit::insert(&mut tx, &Actor::Visitor, "callback.refused", row.id.as_str(), detail, now).await?;
            tx.commit().await?;
        }
        return Ok(Next::Problem(Problem::OtherBrowser));
    };
    // From here on it is the browser that began.
    let used_uri = match partner_key {
        Some(_) => settings::origin(app, &settings)?.keyed_redirect_uri(&settings),
        None => settings::origin(app, &settings)?.redirect_uri(),
    };
    if row.dialog.0.as_ref().is_none_or(|dialog| dialog.redirect_uri != used_uri) {
        return Ok(Next::Problem(Problem::OtherPartner));
    }
    let mut tx = app.db.begin().await?;
    if !table::consume_state(&mut tx, &state_hash, now).await? {
        let problem = if row.state_used { Problem::StateUsed } else { late_or_used(&row, now) };
        return Ok(Next::Problem(problem));
    }
    let next = take(app, &mut tx, &row, answer, now, &settings).await?;
    tx.commit().await?;
    Ok(next)
}

fn late_or_used(row: &table::Stored, now: Timestamp) -> Problem {
    if row.dialog_expires_at.is_some_and(|at| at <= now) { Problem::StateLate } else { Problem::StateUsed }
}

/// Records the answer in its session.
async fn take(
    app: &App,
    tx: &mut Tx,
    row: &table::Stored,
    answer: Callback,
    now: Timestamp,
    settings: &settings::Settings,
) -> Result<Next> {
    if !matches!(row.stage.0, Stage::AtFacebook { .. } | Stage::Refused { .. } | Stage::Declined) {
        return Ok(Next::Problem(Problem::SessionEnded));
    }
    let code = match answer {
        Callback::Code { code, .. } if code.expose_secret().len() <= CODE_MAX => code,
        Callback::Code { .. } | Callback::Unknown { .. } => {
            refuse(tx, row, Stage::Refused { refusal: nothing_there() }, now).await?;
            return Ok(Next::Session(row.id.clone()));
        }
        Callback::Declined { .. } => {
            refuse(tx, row, Stage::Declined, now).await?;
            return Ok(Next::Session(row.id.clone()));
        }
        Callback::Refused { error, code, .. } => {
            refuse(tx, row, refused(row, error.as_deref(), code), now).await?;
            return Ok(Next::Session(row.id.clone()));
        }
    };
    let until = now.plus_seconds(HOLD_SECONDS);
    let scope = Scope::Account(row.account_id.clone());
    let sealed = app.vault.seal(tx, &table::held_place(&scope, row.id.as_str()), &code, now).await?;
    let completion = match &row.kind.0 {
        Kind::Embedded { return_url, .. } if settings.return_urls.0.contains(return_url) => {
            Url::parse(return_url).ok().map(|url| (url, random::token("cmp_")))
        }
        _ => None,
    };
    let held = table::Held {
        sealed,
        until,
        completion_hash: completion.as_ref().map(|(_, code)| random::hash(code.expose_secret())),
    };
    if !table::hold(tx, &row.id, &row.stage.0, &Stage::CodeHeld { until }, held).await? {
        return Ok(Next::Problem(Problem::SessionEnded));
    }
    audit::insert(tx, &Actor::Visitor, "connect_session.consented", row.id.as_str(), json!({}), now).await?;
    Ok(match completion {
        Some((mut url, code)) => {
            url.query_pairs_mut()
                .append_pair("connect_session", row.id.as_str())
                .append_pair("completion_code", code.expose_secret());
            Next::Partner(url)
        }
        None => Next::Session(row.id.clone()),
    })
}

/// Some refusals of Meta's come without a state. The browser's cookie then tells which session it is, so that the
/// partner sees the reason; the session can still go on.
async fn without_state(app: &App, answer: &Callback, cookies: &Cookies) -> Result<Next> {
    let problem = match answer {
        Callback::Code { .. } => return Ok(Next::Problem(Problem::StateMissing)),
        Callback::Unknown { .. } => return Ok(Next::Problem(Problem::NothingThere)),
        Callback::Declined { .. } => Problem::Declined,
        Callback::Refused { error, code, .. } => {
            let known = facts::explain(error.as_deref(), *code);
            Problem::Refused {
                code: *code,
                error: known.error.as_deref().filter(|_| known.error_code.is_none()),
            }
        }
    };
    let now = app.clock.now();
    let mut at_facebook = Vec::new();
    for (id, cookie) in cookies {
        let row = table::by_id(&app.db, id).await?;
        at_facebook.extend(
            row.filter(|row| is_taken_by(row, cookie.expose_secret()))
                .filter(|row| matches!(stage::seen_at(row, now), Stage::AtFacebook { .. })),
        );
    }
    let [row] = at_facebook.as_slice() else { return Ok(Next::Problem(problem)) };
    let to = match answer {
        Callback::Refused { error, code, .. } => refused(row, error.as_deref(), *code),
        _ => Stage::Declined,
    };
    let mut tx = app.db.begin().await?;
    refuse(&mut tx, row, to, now).await?;
    tx.commit().await?;
    Ok(Next::Session(row.id.clone()))
}

async fn refuse(tx: &mut Tx, row: &table::Stored, to: Stage, now: Timestamp) -> Result<()> {
    if table::advance(tx, &row.id, &row.stage.0, &to).await? {
        let code = match &to {
            Stage::Refused { refusal } => refusal.code,
            _ => None,
        };
        let detail = json!({ "stage": to.name(), "error_code": code });
        audit::insert(tx, &Actor::Visitor, "connect_session.refused", row.id.as_str(), detail, now).await?;
    }
    Ok(())
}

/// The stage for a refusal of Meta's.
fn refused(row: &table::Stored, error: Option<&str>, code: Option<i64>) -> Stage {
    let known = facts::explain(error, code);
    if known.outcome == Outcome::Declined {
        return Stage::Declined;
    }
    let redirect_uri = row.dialog.0.as_ref().map(|dialog| dialog.redirect_uri.as_str());
    Stage::Refused { refusal: Refusal::of(known, code, redirect_uri) }
}

fn nothing_there() -> Refusal {
    Refusal {
        code: None,
        title: "Facebook sent no answer that can be read".to_owned(),
        message: "The way back from Facebook had neither a code nor a reason.".to_owned(),
        who: crate::service::Who::Account,
        next_step: "Start again from the connect link.".to_owned(),
    }
}

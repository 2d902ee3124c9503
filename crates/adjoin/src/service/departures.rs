//! People who remove the app at Facebook. Meta tells it to two URLs with a `signed_request`: that the person is gone,
//! and, when the person asks for it, that their data is to be deleted.

use std::collections::BTreeSet;

use adjoin_graph::signed_request::{self, SignedRequestError};
use aws_lc_rs::hmac;
use secrecy::{ExposeSecret as _, SecretString};
use serde_json::json;

use super::{App, Error, Result, connect_sessions, connections, settings, setup, webhooks};
use crate::{
    audit::Actor,
    random,
    store::{audit, departures as table},
    time::Timestamp,
};

pub use table::Departure;

/// A request older than this is taken for a replay. Meta sends it at once.
const OLDEST_SECONDS: i64 = 24 * 60 * 60;
/// How far Meta's clock and ours may be apart.
const CLOCKS_APART_SECONDS: i64 = 5 * 60;

/// Somebody at Facebook, as one app knows them.
#[derive(Debug)]
pub struct Person {
    pub app_id: String,
    /// The app-scoped id.
    pub id: String,
}

/// What Meta asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Wish {
    /// The person removed the app: their tokens are to be erased.
    Deauthorize,
    /// Everything of the person's is to be erased.
    DeleteData,
}

/// A request that Meta did sign, for this app, a short while ago.
#[derive(Debug)]
pub struct Request {
    wish: Wish,
    person: Person,
    issued_at: Timestamp,
    /// Stands for wish, person and moment. Under the app's secret, so that nobody can try ids out on it.
    hash: Vec<u8>,
}

/// Why a request is not believed. For the log: whoever sent it learns nothing.
#[derive(Debug, thiserror::Error)]
enum NotBelieved {
    #[error("no Meta app is set up")]
    NotSetUp,
    #[error(transparent)]
    Unsigned(#[from] SignedRequestError),
    #[error("the signed_request names no person or no moment")]
    Incomplete,
    #[error("the signed_request was issued {0} seconds ago")]
    Untimely(i64),
}

/// Reads what was sent as the form field `signed_request`. `None`: it is not to be believed.
pub async fn read(app: &App, wish: Wish, signed_request: &str) -> Result<Option<Request>> {
    let credentials = match setup::credentials(app).await {
        Ok(credentials) => Ok(credentials.app),
        Err(Error::NotReady { .. }) => Err(NotBelieved::NotSetUp),
        Err(error) => return Err(error),
    };
    let now = app.clock.now();
    let secrets = webhooks::secrets(app).await?.unwrap_or_default();
    match credentials.and_then(|credentials| believed(&credentials, &secrets, wish, signed_request, now)) {
        Ok(request) => Ok(Some(request)),
        Err(reason) => {
            tracing::info!(%reason, ?wish, "a request was not believed to be Meta's");
            Ok(None)
        }
    }
}

/// `secrets`: the app's, and the one before while Meta may still sign with it.
fn believed(
    app: &adjoin_graph::oauth::App,
    secrets: &[SecretString],
    wish: Wish,
    signed_request: &str,
    now: Timestamp,
) -> std::result::Result<Request, NotBelieved> {
    let signed_with =
        |secret| signed_request::verify(signed_request, [secret]).map(|signed| (signed, secret));
    let others = secrets.iter().find_map(|secret| signed_with(secret).ok());
    let (signed, secret) = others.map_or_else(|| signed_with(&app.secret), Ok)?;
    let (Some(id), Some(issued_at)) = (signed.user_id, signed.issued_at) else {
        return Err(NotBelieved::Incomplete);
    };
    let age = now.unix().saturating_sub(issued_at);
    if !(-CLOCKS_APART_SECONDS..=OLDEST_SECONDS).contains(&age) {
        return Err(NotBelieved::Untimely(age));
    }
    let word = match wish {
        Wish::Deauthorize => "deauthorize",
        Wish::DeleteData => "delete_data",
    };
    let key = hmac::Key::new(hmac::HMAC_SHA256, secret.expose_secret().as_bytes());
    let hash = hmac::sign(&key, json!([word, app.id, id, issued_at]).to_string().as_bytes());
    Ok(Request {
        wish,
        person: Person { app_id: app.id.clone(), id },
        issued_at: Timestamp::from_unix(issued_at),
        hash: hash.as_ref().to_vec(),
    })
}

/// Does what Meta asks for, once. The same request again changes nothing and has the same answer.
pub async fn carry_out(app: &App, request: &Request) -> Result<Departure> {
    let now = app.clock.now();
    let mut tx = app.db.begin().await?;
    let code = match request.wish {
        Wish::Deauthorize => None,
        Wish::DeleteData => Some(format!("{:032x}", u128::from_be_bytes(random::bytes()))),
    };
    let mut departure = Departure { code, connections: 0, at: now };
    if !table::insert_if_absent(&mut tx, &request.hash, &departure).await? {
        return Ok(table::by_request(&mut tx, &request.hash).await?.unwrap_or(departure));
    }
    let until = request.issued_at.plus_seconds(CLOCKS_APART_SECONDS);
    let ended = match request.wish {
        Wish::Deauthorize => connections::forget_person(&mut tx, &request.person, until, now).await?,
        Wish::DeleteData => connections::erase_person(&mut tx, &request.person, until, now).await?,
    };
    let waiting = connect_sessions::refuse_of_person(&mut tx, &request.person, now).await?;
    let concerned: BTreeSet<_> = ended.into_iter().chain(waiting).collect();
    departure.connections = i64::try_from(concerned.len()).unwrap_or(i64::MAX);
    table::count(&mut tx, &request.hash, departure.connections).await?;
    // What cannot be replayed any more need not be remembered; a deletion's page stays.
    table::prune(&mut tx, now.plus_seconds(-OLDEST_SECONDS - CLOCKS_APART_SECONDS)).await?;
    if let Some(code) = &departure.code {
        let detail = json!({ "connections": departure.connections });
        audit::insert(&mut tx, &Actor::Meta, "data_deletion.done", code, detail, now).await?;
    }
    tx.commit().await?;
    app.page_tokens.forget_all(&concerned);
    app.wakes.deliver.notify_one();
    Ok(departure)
}

/// The data deletion with this confirmation code.
pub async fn deletion(app: &App, code: &str) -> Result<Option<Departure>> {
    Ok(table::by_code(&app.db, code).await?)
}

/// Where a person reads what became of their request.
pub async fn status_url(app: &App, code: &str) -> Result<String> {
    let settings = settings::get(app).await?;
    Ok(settings::origin(app, &settings)?.join(&format!("/connector/data-deletion/status/{code}")))
}

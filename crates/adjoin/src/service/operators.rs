//! Operators: who signs in to the console, and their sessions.

use argon2::{
    Algorithm, Argon2, Params, PasswordHasher, PasswordVerifier, Version, password_hash::phc::PasswordHash,
};
use secrecy::{ExposeSecret, SecretString};
use serde_json::json;

use super::{App, Error, Fault, Result};
use crate::{
    audit::Actor,
    id::OperatorId,
    random,
    store::{self, audit, operators, sessions},
};

pub use store::{operators::Operator, sessions::Session};

const INVITE_SECONDS: i64 = 24 * 60 * 60;
pub const SESSION_SECONDS: i64 = 12 * 60 * 60;
const PASSWORD_MIN: usize = 12;
const PASSWORD_MAX: usize = 1024;

/// What an operator is made from.
#[derive(Debug)]
pub struct NewOperator {
    pub name: String,
    pub email: String,
    pub password: SecretString,
}

/// At the first start (no operator yet): a fresh one-time secret that lets somebody create the operator. It
/// replaces any earlier one. `None` once an operator exists.
pub async fn first_start_invite(app: &App) -> Result<Option<SecretString>> {
    if operators::any(&app.db).await? {
        return Ok(None);
    }
    let secret = random::token("inv_");
    let now = app.clock.now();
    let mut tx = app.db.begin().await?;
    operators::delete_invites(&mut tx).await?;
    operators::insert_invite(
        &mut tx,
        &random::hash(secret.expose_secret()),
        now,
        now.plus_seconds(INVITE_SECONDS),
    )
    .await?;
    tx.commit().await?;
    Ok(Some(secret))
}

/// Whether anybody can sign in at all.
pub async fn exists(app: &App) -> Result<bool> {
    Ok(operators::any(&app.db).await?)
}

/// Creates an operator with an invite, which is used up by it.
pub async fn accept_invite(app: &App, invite: &str, new: NewOperator) -> Result<Operator> {
    let operator = checked(new).await?;
    let now = app.clock.now();
    let mut tx = app.db.begin().await?;
    if !operators::consume_invite(&mut tx, &random::hash(invite), now).await? {
        return Err(Error::NotReady {
            message: "this link was used already or is too old".to_owned(),
            who: super::Who::Partner,
            next_step: "sign in, or restart the service to get a new link if no operator exists yet"
                .to_owned(),
        });
    }
    operators::insert(&mut tx, &operator, now).await.map_err(|error| {
        if error.is_unique_violation() {
            Error::Conflict {
                message: "an operator has this e-mail address already".to_owned(),
                next_step: "sign in with it".to_owned(),
            }
        } else {
            error.into()
        }
    })?;
    audit::insert(
        &mut tx,
        &Actor::Operator(operator.id.clone()),
        "operator.created",
        operator.id.as_str(),
        json!({ "email": operator.email }),
        now,
    )
    .await?;
    tx.commit().await?;
    Ok(operator)
}

/// Checks e-mail and password and opens a session; answers its secret for the cookie. `None` when they do not
/// match, in the same time whether the address is known or not.
pub async fn sign_in(app: &App, email: &str, password: &SecretString) -> Result<Option<SecretString>> {
    if password.expose_secret().len() > PASSWORD_MAX {
        return Ok(None);
    }
    let operator = operators::by_email(&app.db, &email.trim().to_lowercase()).await?;
    let hash = operator.as_ref().map_or_else(unknown_operator_hash, |o| o.password_hash.clone());
    let matches = verify(hash, password.clone()).await;
    let Some(operator) = operator.filter(|_| matches) else { return Ok(None) };
    let secret = random::token("");
    let now = app.clock.now();
    let mut tx = app.db.begin().await?;
    sessions::insert(
        &mut tx,
        &random::hash(secret.expose_secret()),
        &operator.id,
        now,
        now.plus_seconds(SESSION_SECONDS),
    )
    .await?;
    tx.commit().await?;
    Ok(Some(secret))
}

/// The live session behind a cookie's secret.
pub async fn session(app: &App, secret: &str) -> Result<Option<Session>> {
    Ok(sessions::live(&app.db, &random::hash(secret), app.clock.now()).await?)
}

pub async fn sign_out(app: &App, secret: &str) -> Result<()> {
    let mut tx = app.db.begin().await?;
    sessions::delete(&mut tx, &random::hash(secret)).await?;
    tx.commit().await?;
    Ok(())
}

async fn checked(new: NewOperator) -> Result<Operator> {
    let mut faults = Vec::new();
    let name = new.name.trim().to_owned();
    let email = new.email.trim().to_lowercase();
    if name.is_empty() || name.len() > 200 {
        faults.push(Fault::new("name", "a name is needed", "1 to 200 characters"));
    }
    if !email.contains('@') || email.len() > 254 {
        faults.push(Fault::new("email", "this is not an e-mail address", "name@example.com"));
    }
    let length = new.password.expose_secret().chars().count();
    if !(PASSWORD_MIN..=PASSWORD_MAX).contains(&length) {
        faults.push(Fault::new(
            "password",
            "the password is too short or too long",
            format!("at least {PASSWORD_MIN} characters; a sentence is fine"),
        ));
    }
    if !faults.is_empty() {
        return Err(Error::Invalid(faults));
    }
    let password_hash = hash(new.password).await;
    Ok(Operator { id: OperatorId::new(), email, name, password_hash })
}

/// Argon2id with 19 MiB and two passes.
fn argon2() -> Argon2<'static> {
    let params = Params::new(19 * 1024, 2, 1, None).expect("fixed parameters are within bounds");
    Argon2::new(Algorithm::Argon2id, Version::V0x13, params)
}

async fn hash(password: SecretString) -> String {
    tokio::task::spawn_blocking(move || {
        argon2()
            .hash_password_with_salt(password.expose_secret().as_bytes(), &random::bytes::<16>())
            .expect("a bounded password hashes")
            .to_string()
    })
    .await
    .expect("hashing does not panic")
}

async fn verify(hash: String, password: SecretString) -> bool {
    tokio::task::spawn_blocking(move || {
        PasswordHash::new(&hash)
            .is_ok_and(|hash| argon2().verify_password(password.expose_secret().as_bytes(), &hash).is_ok())
    })
    .await
    .unwrap_or(false)
}

/// A hash that no password matches, so that an unknown address costs the same time.
fn unknown_operator_hash() -> String {
    "$argon2id$v=19$m=19456,t=2,p=1$AAAAAAAAAAAAAAAAAAAAAA$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"
        .to_owned()
}

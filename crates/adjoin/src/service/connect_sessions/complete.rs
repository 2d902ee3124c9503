use secrecy::{ExposeSecret as _, SecretString};
use serde_json::json;

use super::{
    ACCEPT_SECONDS, Dialog, FINISH_SECONDS, Kind, NOT_FOUND, Refusal, Stage,
    create::moved_on,
    stage,
    start::{is_taken_by, too_late},
    table,
};
use crate::{
    audit::Actor,
    id::{AccountId, ConnectSessionId},
    random,
    service::{
        App, Error, Result, Who,
        connections::{self, Connection, Subject, Verified},
        consent::{self, Failed, Findings, Wanted},
        setup, work,
    },
    store::audit,
    vault::Scope,
};

/// What a confirmation led to.
#[derive(Debug)]
pub enum Finished {
    Connected(Box<Connection>),
    /// The token works, and belongs to another person or business than before.
    OtherIdentity {
        before: Subject,
        now: Subject,
    },
}

/// The partner's backend confirms an embedded session: it knows who is signed in. Only now is Meta's code exchanged.
///
/// `end_user` must be the one the session was made for, if it was made for one; another ends the session. When
/// another person or business than before has consented, the answer is a conflict, and [`accept_identity`] decides.
pub async fn complete(
    app: &App,
    actor: &Actor,
    account: &AccountId,
    id: &ConnectSessionId,
    completion_code: &SecretString,
    end_user: Option<&str>,
) -> Result<Connection> {
    let row = table::by_id(&app.db, id).await?.filter(|row| row.account_id == *account).ok_or(NOT_FOUND)?;
    let Kind::Embedded { end_user: made_for, .. } = &row.kind.0 else {
        return Err(Error::Conflict {
            message: "this session is a link; the person confirms it in the browser".to_owned(),
            next_step: "make an embedded session to confirm it from your backend".to_owned(),
        });
    };
    // A backend that did not get our first answer asks again.
    if matches!(row.stage.0, Stage::Completed { .. }) {
        return connections::get(app, account, &row.connection_id).await;
    }
    if !matches!(stage::seen_at(&row, app.clock.now()), Stage::CodeHeld { .. }) {
        return Err(too_late());
    }
    let fits = row
        .completion_hash
        .as_ref()
        .is_some_and(|hash| random::same(hash, &random::hash(completion_code.expose_secret())));
    if !fits {
        return Err(Error::Forbidden {
            message: "the completion code is not the one of this session".to_owned(),
            next_step: "send completion_code as it stands in the address of the return URL".to_owned(),
        });
    }
    if made_for.as_deref().is_some_and(|made_for| end_user != Some(made_for)) {
        refuse(app, actor, &row, another_end_user()).await?;
        return Err(Error::Forbidden {
            message:
                "another person is signed in than the one the session was made for; the consent was dropped"
                    .to_owned(),
            next_step: "make a session for the person who is signed in now".to_owned(),
        });
    }
    match work::to_its_end(finish(app.clone(), actor.clone(), row)).await? {
        Finished::Connected(connection) => Ok(*connection),
        Finished::OtherIdentity { before, now } => Err(other_identity(&before, &now)),
    }
}

/// The press on the page that names partner and account, in the browser that began.
pub async fn confirm(app: &App, id: &ConnectSessionId, cookie: &str) -> Result<Finished> {
    let row = table::by_id(&app.db, id).await?.filter(|row| is_taken_by(row, cookie)).ok_or(NOT_FOUND)?;
    // An embedded session is confirmed by who knows the person, never by the browser alone.
    if row.kind.0 != Kind::Link {
        return Err(NOT_FOUND);
    }
    work::to_its_end(finish(app.clone(), Actor::Visitor, row)).await
}

/// The partner's backend accepts that another person or business than before now stands behind the connection.
pub async fn accept_identity(
    app: &App,
    actor: &Actor,
    account: &AccountId,
    id: &ConnectSessionId,
) -> Result<Connection> {
    let row = table::by_id(&app.db, id).await?.filter(|row| row.account_id == *account).ok_or(NOT_FOUND)?;
    work::to_its_end(accept(app.clone(), actor.clone(), row)).await
}

/// The same, pressed in the browser that began. Only for a link: an embedded session is the backend's to decide.
pub async fn accept_by_browser(app: &App, id: &ConnectSessionId, cookie: &str) -> Result<Connection> {
    let row = table::by_id(&app.db, id)
        .await?
        .filter(|row| is_taken_by(row, cookie) && row.kind.0 == Kind::Link)
        .ok_or(NOT_FOUND)?;
    work::to_its_end(accept(app.clone(), Actor::Visitor, row)).await
}

/// Exchanges the code that was held, verifies the token and stores it. One caller only gets past the first step.
async fn finish(app: App, actor: Actor, row: table::Stored) -> Result<Finished> {
    let (app, actor) = (&app, &actor);
    let now = app.clock.now();
    let (Stage::CodeHeld { until: held_until }, Some(sealed), Some(dialog)) =
        (stage::seen_at(&row, now), row.held_sealed.clone(), row.dialog.0.clone())
    else {
        return Err(too_late());
    };
    let finishing = Stage::Finishing { until: now.plus_seconds(FINISH_SECONDS) };
    let mut tx = app.db.begin().await?;
    if !table::advance(&mut tx, &row.id, &row.stage.0, &finishing).await? {
        return Err(moved_on());
    }
    tx.commit().await?;

    let outcome = redeem(app, &row, &dialog, &sealed).await;
    let (token, findings) = match outcome? {
        Ok(found) => found,
        Err(Failed::Refused(refusal)) => {
            refuse(
                app,
                actor,
                &table::Stored { stage: crate::store::Json(finishing), ..row },
                refusal.clone(),
            )
            .await?;
            return Err(Error::NotReady {
                message: format!("{}. {}", refusal.title, refusal.message),
                who: refusal.who,
                next_step: refusal.next_step,
            });
        }
        Err(Failed::Unreachable { error, unspent }) => {
            let mut tx = app.db.begin().await?;
            if unspent {
                // The code never left: it waits on, for as long as it would have.
                let held = table::Held { sealed, until: held_until, completion_hash: row.completion_hash };
                table::hold(&mut tx, &row.id, &finishing, &row.stage.0, held).await?;
            } else {
                let to = Stage::Refused { refusal: Refusal::unreachable(&error) };
                table::advance(&mut tx, &row.id, &finishing, &to).await?;
            }
            tx.commit().await?;
            return Err(Error::Meta(error));
        }
    };
    let verified = Verified { token, findings, wanted: dialog.wanted.clone() };
    store(app, actor, row, &finishing, verified, dialog.rerequest).await
}

async fn redeem(
    app: &App,
    row: &table::Stored,
    dialog: &Dialog,
    sealed: &[u8],
) -> Result<std::result::Result<(SecretString, Findings), Failed>> {
    let scope = Scope::Account(row.account_id.clone());
    let code = app.vault.open(&table::held_place(&scope, row.id.as_str()), sealed).await?;
    let credentials = setup::credentials(app).await?;
    if credentials.app.id != dialog.client_id {
        return Ok(Err(Failed::Refused(setup_changed())));
    }
    let graph = app.graphs.get(&dialog.graph_version)?;
    Ok(consent::redeem(&graph, &credentials.app, dialog, &code, app.clock.now()).await)
}

/// Puts the verified token in place of the old one, unless it belongs to somebody else than before: then it waits,
/// and the old one stays.
async fn store(
    app: &App,
    actor: &Actor,
    row: table::Stored,
    from: &Stage,
    verified: Verified,
    asked_again: bool,
) -> Result<Finished> {
    let now = app.clock.now();
    let mut tx = app.db.begin().await?;
    let before = connections::subject_for_update(&mut tx, &row.account_id, &row.connection_id).await?;
    if let Some(before) = before.filter(|before| !before.is_same(&verified.findings.subject)) {
        let subject = verified.findings.subject;
        let until = now.plus_seconds(ACCEPT_SECONDS);
        let scope = Scope::Account(row.account_id.clone());
        let place = table::held_place(&scope, row.id.as_str());
        let sealed = app.vault.seal(&mut tx, &place, &verified.token, now).await?;
        let to = Stage::OtherIdentity { before: before.clone(), now: subject.clone(), until };
        let held = table::Held { sealed, until, completion_hash: None };
        if !table::hold(&mut tx, &row.id, from, &to, held).await? {
            return Err(moved_on());
        }
        let detail = json!({ "connection": row.connection_id });
        audit::insert(&mut tx, actor, "connect_session.other_identity", row.id.as_str(), detail, now).await?;
        tx.commit().await?;
        return Ok(Finished::OtherIdentity { before, now: subject });
    }
    let replaced =
        connections::replace(app, &mut tx, actor, &row.account_id, &row.connection_id, verified).await?;
    if !table::advance(&mut tx, &row.id, from, &Stage::Completed { asked_again }).await? {
        return Err(moved_on());
    }
    tx.commit().await?;
    Ok(Finished::Connected(Box::new(connections::settle(app, replaced).await)))
}

/// Verifies the token that waits once more, and stores it whoever it belongs to.
async fn accept(app: App, actor: Actor, row: table::Stored) -> Result<Connection> {
    let (app, actor) = (&app, &actor);
    let now = app.clock.now();
    let (Stage::OtherIdentity { now: subject, .. }, Some(sealed), Some(dialog)) =
        (stage::seen_at(&row, now), row.held_sealed.clone(), row.dialog.0.clone())
    else {
        return Err(too_late());
    };
    let scope = Scope::Account(row.account_id.clone());
    let token = app.vault.open(&table::held_place(&scope, row.id.as_str()), &sealed).await?;
    let credentials = setup::credentials(app).await?;
    let graph = app.graphs.get(&credentials.graph_version)?;
    let wanted = Wanted { permissions: &dialog.wanted, system_user: dialog.system_user };
    let checked = async {
        let info = adjoin_graph::oauth::debug_token(&graph, &credentials.app.access(), &token).await?;
        consent::verify(&graph, &credentials.app, &token, info, &wanted, now).await
    };
    let findings = match checked.await {
        Ok(findings) if findings.subject.is_same(&subject) => findings,
        Ok(_) => return Err(too_late()),
        Err(Failed::Refused(refusal)) => {
            refuse(app, actor, &row, refusal.clone()).await?;
            return Err(Error::NotReady {
                message: refusal.message,
                who: refusal.who,
                next_step: refusal.next_step,
            });
        }
        // The token waits on; the press can be repeated.
        Err(Failed::Unreachable { error, .. }) => return Err(Error::Meta(error)),
    };
    let mut tx = app.db.begin().await?;
    let to = Stage::Completed { asked_again: dialog.rerequest };
    if !table::advance(&mut tx, &row.id, &row.stage.0, &to).await? {
        return Err(moved_on());
    }
    let verified = Verified { token, findings, wanted: dialog.wanted };
    let replaced =
        connections::replace(app, &mut tx, actor, &row.account_id, &row.connection_id, verified).await?;
    tx.commit().await?;
    Ok(connections::settle(app, replaced).await)
}

async fn refuse(app: &App, actor: &Actor, row: &table::Stored, refusal: Refusal) -> Result<()> {
    let now = app.clock.now();
    let detail = json!({ "title": refusal.title, "error_code": refusal.code });
    let mut tx = app.db.begin().await?;
    if table::advance(&mut tx, &row.id, &row.stage.0, &Stage::Refused { refusal }).await? {
        audit::insert(&mut tx, actor, "connect_session.refused", row.id.as_str(), detail, now).await?;
        tx.commit().await?;
    }
    Ok(())
}

fn another_end_user() -> Refusal {
    Refusal {
        code: None,
        title: "Another person is signed in".to_owned(),
        message: "The session was made for another person than the one who came back. The consent was dropped before \
                  Facebook's code was used."
            .to_owned(),
        who: Who::Account,
        next_step: "Start again from where you are signed in.".to_owned(),
    }
}

fn setup_changed() -> Refusal {
    Refusal {
        code: None,
        title: "The setup has changed".to_owned(),
        message: "The connector was set up with another Meta app while you were at Facebook.".to_owned(),
        who: Who::Account,
        next_step: "Start again from the connect link.".to_owned(),
    }
}

fn other_identity(before: &Subject, now: &Subject) -> Error {
    let name = |subject: &Subject| subject.name.clone().unwrap_or_else(|| subject.id.clone());
    Error::Conflict {
        message: format!(
            "{} consented, but the connection belongs to {}; nothing was changed",
            name(now),
            name(before)
        ),
        next_step:
            "ask your user, then accept the new identity of this connect session, or let the right person \
                    connect"
                .to_owned(),
    }
}

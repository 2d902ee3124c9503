use adjoin_marketing::errors;
use serde_json::json;

use super::{Assets, State, refusal::trouble, told};
use crate::{
    audit::Actor,
    id::ConnectionId,
    service::{Result, departures::Person},
    store::{Json, Tx, audit, connections as table, subscriptions as subscribed},
    time::Timestamp,
};

/// The code and subcode that calls with the token of somebody who removed the app are answered with.
const REMOVED: (i64, i64) = (190, 458);

/// Breaks every connection that lives by a consent the person gave up to `until`, and erases its token. Who it was stays
/// known, so that another person who connects is noticed. Answers which connections these were.
pub async fn forget_person(
    tx: &mut Tx,
    person: &Person,
    until: Timestamp,
    now: Timestamp,
) -> Result<Vec<ConnectionId>> {
    let mut ended = Vec::new();
    for mut row in consented(tx, person, until).await? {
        // Without a token it was ended before.
        if row.token_kind.is_none() {
            continue;
        }
        end(tx, &mut row, now).await?;
        table::put(tx, &row).await?;
        told::tell_revoked(tx, &row, now).await?;
        let detail = json!({ "account": row.account_id, "state": row.state.0.name() });
        audit::insert(tx, &Actor::Meta, "connection.deauthorized", row.id.as_str(), detail, now).await?;
        ended.push(row.id);
    }
    Ok(ended)
}

/// The same, and nothing of the person stays: neither id and name nor what their token had opened.
pub async fn erase_person(
    tx: &mut Tx,
    person: &Person,
    until: Timestamp,
    now: Timestamp,
) -> Result<Vec<ConnectionId>> {
    let mut erased = Vec::new();
    for mut row in consented(tx, person, until).await? {
        let had_token = row.token_kind.is_some();
        if had_token {
            end(tx, &mut row, now).await?;
        }
        row.app_id = None;
        row.subject = Json(None);
        row.granted = Json(Vec::new());
        row.declined = Json(Vec::new());
        row.assets = Json(Assets::default());
        row.updated_at = now;
        table::put(tx, &row).await?;
        // There is no token left to take them back with; what still comes is put aside.
        subscribed::remove_of_connection(tx, &row.id).await?;
        if had_token {
            told::tell_revoked(tx, &row, now).await?;
        }
        let detail = json!({ "account": row.account_id, "state": row.state.0.name() });
        audit::insert(tx, &Actor::Meta, "connection.person_erased", row.id.as_str(), detail, now).await?;
        erased.push(row.id);
    }
    Ok(erased)
}

/// The person's connections, but for those whose consent is younger than the request: that one was given anew.
async fn consented(tx: &mut Tx, person: &Person, until: Timestamp) -> Result<Vec<table::Stored>> {
    let mut rows = table::of_person(tx, &person.app_id, &person.id).await?;
    rows.retain(|row| row.connected_at.is_none_or(|at| at <= until));
    Ok(rows)
}

/// Erases the token, with everything that is known of it.
async fn end(tx: &mut Tx, row: &mut table::Stored, now: Timestamp) -> Result<()> {
    let (code, subcode) = REMOVED;
    let known = errors::explain(code, Some(subcode), "");
    row.state = Json(State::Broken { trouble: trouble(known, Some(code), Some(subcode), now) });
    row.token_kind = None;
    row.token_expires_at = None;
    row.data_access_expires_at = None;
    // A test or a call that is under way is about a token that is gone.
    row.connected_at = None;
    row.updated_at = now;
    table::put_token(tx, &row.id, None).await?;
    Ok(())
}

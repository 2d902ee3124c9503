use std::collections::HashSet;

use super::{Object, State};
use crate::{
    service::{App, Result, connections::GapKind, forms, webhooks},
    store::{
        Json, Tx,
        connections::{self, Stored as Connection},
        subscriptions as table,
    },
    time::Timestamp,
};

/// Connections that one transaction takes over at the start.
const AT_ONCE: i64 = 20;

/// Takes over what a connection reaches: its Pages (when leads were asked for) and its ad accounts (when they may be
/// managed) become rows that are due at once. Rows of what it no longer reaches leave.
/// What Meta announced of them before is sorted again. Wake `watch` and `sort` after the commit.
pub async fn adopt(app: &App, tx: &mut Tx, row: &Connection, now: Timestamp) -> Result<()> {
    let mut reached = HashSet::new();
    for (object, object_id, name) in assets(row) {
        let new = table::Stored {
            account_id: row.account_id.clone(),
            object,
            object_id: object_id.to_owned(),
            connection_id: row.id.clone(),
            name: name.to_owned(),
            state: Json(State::Pending),
            checked_at: None,
            check_at: now,
            list_forms_at: (object == Object::Page).then_some(now),
            created_at: now,
        };
        table::adopt(tx, &new).await?;
        webhooks::release(app, tx, object.as_str(), object_id).await?;
        reached.insert((object, object_id.to_owned()));
    }
    // A list that was not read whole says nothing about what is missing in it.
    let whole = !row.assets.0.truncated
        && !row
            .state
            .0
            .gaps()
            .iter()
            .any(|gap| matches!(gap.kind, GapKind::AssetsUnread | GapKind::TechProvider));
    if whole {
        for mut gone in table::of_connection(tx, &row.id).await? {
            if reached.contains(&(gone.object, gone.object_id.clone())) || gone.state.0 == State::Leaving {
                continue;
            }
            gone.state = Json(State::Leaving);
            // As if the lease were the time it was due: it is due now.
            let due = gone.check_at;
            table::settle_check(tx, &gone, due, now).await?;
        }
    }
    connections::put_adopted(tx, &row.id, now).await?;
    Ok(())
}

/// The same when a token took the place of another, or works again: forms are swept at once. After the commit drain the
/// account's leads, and wake `watch` and `sweep`.
pub async fn renew(app: &App, tx: &mut Tx, row: &Connection, now: Timestamp) -> Result<()> {
    adopt(app, tx, row, now).await?;
    forms::resume(tx, &row.id, now).await?;
    Ok(())
}

/// What a connection reaches that webhooks are wanted of: the object, its id without `act_`, and its name.
fn assets(row: &Connection) -> impl Iterator<Item = (Object, &str, &str)> {
    let has = |names: &[String], name: &str| names.iter().any(|known| known == name);
    let leads = has(&row.wanted.0, "leads_retrieval") || has(&row.granted.0, "leads_retrieval");
    let ads = has(&row.granted.0, "ads_management");
    let assets = &row.assets.0;
    let pages = assets.pages.iter().filter(move |_| leads);
    let ad_accounts = assets.ad_accounts.iter().filter(move |_| ads);
    pages.map(|it| (Object::Page, it.id.as_str(), it.name.as_deref().unwrap_or(&it.id))).chain(
        ad_accounts.map(|it| {
            let id = it.id.strip_prefix("act_").unwrap_or(&it.id);
            (Object::AdAccount, id, it.name.as_deref().unwrap_or(&it.id))
        }),
    )
}

/// Takes over the connections that were made before there were subscriptions. True when there may be more.
pub(super) async fn adopt_older(app: &App) -> Result<bool> {
    if !connections::any_unadopted(&app.db).await? {
        return Ok(false);
    }
    let now = app.clock.now();
    let mut tx = app.db.begin().await?;
    let rows = connections::unadopted(&mut tx, AT_ONCE).await?;
    for row in &rows {
        adopt(app, &mut tx, row, now).await?;
    }
    tx.commit().await?;
    Ok(!rows.is_empty())
}

//! Turns stored bodies into leads, events and, when nobody can use them, rows of the quarantine.

use aws_lc_rs::digest::{SHA256, digest};
use serde_json::json;

use super::{
    payload::{self, Change, id},
    quarantine::{self, Reason},
};
use crate::{
    id::AccountId,
    service::{
        App, Error, Result,
        events::{self, Kind, NewEvent},
        leads::{self, Sighting, Source},
    },
    store::{
        Tx, app_subscriptions, leads as leads_table,
        webhooks::{self as table, Stored},
    },
    time::Timestamp,
};

/// Most bodies in one transaction. A body may hold a thousand changes.
const BODIES: i64 = 20;
/// Most bytes of them, as far as one body alone does not have more: read, they take several times as much memory.
const BODIES_BYTES: i64 = 8 * 1024 * 1024;

/// Sorts the oldest bodies. True when there may be more.
pub async fn step(app: &App) -> Result<bool> {
    let mut tx = app.db.begin().await?;
    let limit = table::fitting(&mut tx, BODIES, BODIES_BYTES).await?;
    let bodies = table::take_oldest(&mut tx, limit).await?;
    if bodies.is_empty() {
        return Ok(false);
    }
    match sort_all(app, &mut tx, &bodies).await {
        Ok(()) => tx.commit().await?,
        Err(error) => {
            drop(tx);
            tracing::warn!(error = &error as &dyn std::error::Error, "webhooks are sorted one by one");
            one_by_one(app, bodies.len()).await?;
        }
    }
    app.wakes.hydrate.notify_one();
    app.wakes.deliver.notify_one();
    app.wakes.watch.notify_one();
    Ok(i64::try_from(bodies.len()) == Ok(limit))
}

/// A body that cannot be sorted must not keep back the others: it goes to the quarantine.
async fn one_by_one(app: &App, bodies: usize) -> Result<()> {
    for _ in 0..bodies {
        let mut tx = app.db.begin().await?;
        let Some(body) = table::take_oldest(&mut tx, 1).await?.pop() else { return Ok(()) };
        match sort_all(app, &mut tx, std::slice::from_ref(&body)).await {
            Ok(()) => {}
            // Nothing is wrong with a body that a database could not sort at the moment.
            Err(error) if !is_about_data(&error) => return Err(error),
            Err(error) => {
                drop(tx);
                tracing::error!(error = &error as &dyn std::error::Error, "a webhook could not be sorted");
                tx = app.db.begin().await?;
                unreadable(app, &mut tx, &body).await?;
                table::delete(&mut tx, &body.id).await?;
            }
        }
        tx.commit().await?;
    }
    Ok(())
}

/// Whether the database refused what was to be stored.
fn is_about_data(error: &Error) -> bool {
    matches!(error, Error::Store(error) if error.is_about_data())
}

/// What becomes of a change.
enum Use {
    /// Somebody sent a form, or Meta changed what it says of one.
    Lead {
        account_id: AccountId,
        lead: Named,
        source: Source,
        received_at: Timestamp,
    },
    /// Something happened that the partner is told.
    Event {
        event: NewEvent,
        /// Meta's id of the lead that it is of.
        lead: Option<String>,
    },
    None {
        reason: Reason,
        change: Change,
        received_at: Timestamp,
    },
}

/// A lead as a webhook names it.
#[derive(Clone)]
struct Named {
    meta_lead_id: String,
    page_id: String,
    form_id: String,
    ad_id: Option<String>,
    submitted_at: Option<Timestamp>,
}

async fn sort_all(app: &App, tx: &mut Tx, bodies: &[Stored]) -> Result<()> {
    let mut uses = Vec::new();
    for body in bodies {
        match payload::read(&body.body) {
            Some(changes) => {
                for change in changes {
                    route(tx, change, body.received_at, &mut uses).await?;
                }
            }
            None => unreadable(app, tx, body).await?,
        }
        table::delete(tx, &body.id).await?;
    }
    // Leads first and in one order, then whatever takes a number of the events: everybody who holds both takes them in
    // this order, so that nobody waits for somebody who waits for them.
    uses.sort_by(|a, b| order(a).cmp(&order(b)));
    for it in uses {
        carry_out(app, tx, it).await?;
    }
    Ok(())
}

fn order(it: &Use) -> (u8, &str, &str) {
    match it {
        Use::Lead { account_id, lead, .. } => (0, account_id.as_str(), &lead.meta_lead_id),
        Use::None { .. } => (1, "", ""),
        Use::Event { .. } => (2, "", ""),
    }
}

async fn route(tx: &mut Tx, change: Change, received_at: Timestamp, uses: &mut Vec<Use>) -> Result<()> {
    let none = |reason, change| Use::None { reason, change, received_at };
    if payload::is_dashboard_test(&change) {
        uses.push(none(Reason::DashboardTest, change));
        return Ok(());
    }
    if change.without_values {
        uses.push(none(Reason::WithoutValues, change));
        return Ok(());
    }
    match (change.object.as_str(), change.field.as_str()) {
        ("page", "leadgen" | "leadgen_update") => {
            let Some(lead) = named(&change) else {
                uses.push(none(Reason::Unreadable, change));
                return Ok(());
            };
            let accounts = table::recipients(tx, "page", &lead.page_id).await?;
            if accounts.is_empty() {
                // It waits for the Page that the lead names.
                uses.push(none(Reason::UnknownObject, Change { object_id: lead.page_id, ..change }));
                return Ok(());
            }
            for account_id in accounts {
                let mut source = Source::Webhook;
                if change.field == "leadgen_update" {
                    uses.push(updated(account_id.clone(), &lead, &change));
                    source = Source::Update;
                }
                // Whoever is told of an update knows the lead by our id, before it is read as after.
                uses.push(Use::Lead { account_id, lead: lead.clone(), source, received_at });
            }
        }
        ("ad_account", field) => {
            let Some(kind) = ad_kind(field) else {
                uses.push(none(Reason::UnknownField, change));
                return Ok(());
            };
            let accounts = table::recipients(tx, "ad_account", &change.object_id).await?;
            if accounts.is_empty() {
                uses.push(none(Reason::UnknownObject, change));
            } else {
                uses.extend(accounts.into_iter().map(|account_id| of_ads(account_id, kind, &change)));
            }
        }
        _ => uses.push(none(Reason::UnknownField, change)),
    }
    Ok(())
}

/// The lead a change names; `None` when it names none.
fn named(change: &Change) -> Option<Named> {
    let value = |name: &str| change.value.get(name).and_then(id);
    let some = |id: &String| id != "0";
    let page_id = value("page_id").filter(some).unwrap_or_else(|| change.object_id.clone());
    Some(Named {
        meta_lead_id: value("leadgen_id").filter(some)?,
        page_id: Some(page_id).filter(|id| !id.is_empty())?,
        // A sighting without a form is a lead all the same; reading it tells.
        form_id: value("form_id").unwrap_or_default(),
        ad_id: value("ad_id").filter(some),
        submitted_at: leads::time(change.value.get("created_time")),
    })
}

/// By what the event of a change is known when Meta sends the change again: it does so for 36 hours when it did not see our
/// 200, and without this a receiver that dedupes by the event's id would have it twice.
///
/// The entry's time is part of it, since two real changes may look the same. Whether Meta keeps that time when it sends a
/// change again is not known: if it does not, the change is told twice, rather than one too few. For the same reason a
/// change without a time is never taken for another.
fn change_hash(account: &AccountId, change: &Change) -> Option<Vec<u8>> {
    let sent_at = change.sent_at?;
    let mut parts =
        json!([account, change.object, change.object_id, change.field, sent_at.millis(), change.value]);
    parts.sort_all_objects();
    Some(digest(&SHA256, parts.to_string().as_bytes()).as_ref().to_vec())
}

/// `leadgen_update`: something about a lead, which may not be known yet. What it says is passed on.
fn updated(account_id: AccountId, lead: &Named, change: &Change) -> Use {
    let value = &change.value;
    let data = json!({
        "lead_id": null, "meta_lead_id": lead.meta_lead_id, "page_id": lead.page_id, "form_id": lead.form_id,
        "is_test": null, "area": value.get("area"), "event": value.get("event"),
        "updated_fields": value.get("updated_fields"), "updated_at": leads::time(value.get("updated_time")),
        "value": payload::with_ids_as_text(value),
    });
    let change_hash = change_hash(&account_id, change);
    let event = NewEvent::new(Some(account_id), Kind::LeadUpdated, lead.meta_lead_id.as_str(), data);
    Use::Event { event: NewEvent { change_hash, ..event }, lead: Some(lead.meta_lead_id.clone()) }
}

/// Source: ads-webhooks. A new status arrives as `field_changed`.
fn ad_kind(field: &str) -> Option<Kind> {
    Some(match field {
        "with_issues_ad_objects" => Kind::AdIssue,
        "in_process_ad_objects" => Kind::AdProcessed,
        "ad_recommendations" => Kind::AdRecommendation,
        "creative_fatigue" => Kind::AdCreativeFatigue,
        "field_changed" | "effective_status" => Kind::AdStatusChanged,
        "subscriptions" => Kind::AdAlert,
        _ => return None,
    })
}

fn of_ads(account_id: AccountId, kind: Kind, change: &Change) -> Use {
    let value = |name: &str| change.value.get(name).and_then(id);
    // What it is about goes by a different name in each field; an ad is an `adgroup` in older ones.
    let one_of_many = || match change.value.get("ad_object_ids")?.as_array()?.as_slice() {
        [only] => id(only),
        _ => None,
    };
    let named = ["object_id", "id", "ad_id", "adgroup_id"].into_iter().find_map(value);
    let object_id = named.or_else(one_of_many);
    let subject = object_id.clone().unwrap_or_else(|| change.object_id.clone());
    let data = json!({
        "ad_account_id": format!("act_{}", change.object_id), "object_id": object_id, "field": change.field,
        "sent_at": change.sent_at, "value": payload::with_ids_as_text(&change.value),
    });
    let change_hash = change_hash(&account_id, change);
    let event = NewEvent::new(Some(account_id), kind, subject, data);
    Use::Event { event: NewEvent { change_hash, ..event }, lead: None }
}

async fn carry_out(app: &App, tx: &mut Tx, it: Use) -> Result<()> {
    match it {
        Use::Lead { account_id, lead, source, received_at } => {
            let sighting = Sighting {
                account_id,
                meta_lead_id: lead.meta_lead_id,
                page_id: lead.page_id,
                form_id: lead.form_id,
                ad_id: lead.ad_id,
                submitted_at: lead.submitted_at,
                source,
                at: received_at,
                detail: None,
            };
            leads::sight(app, tx, sighting).await?;
        }
        Use::Event { mut event, lead } => {
            if let (Some(meta_lead_id), Some(account)) = (lead, &event.account_id)
                && let Some(lead) = leads_table::known(tx, account, &meta_lead_id).await?
            {
                if lead.state.0.is_forgotten() {
                    // Nothing of it is told any more.
                    return Ok(());
                }
                event.subject = lead.id.to_string();
                event.data["lead_id"] = json!(lead.id);
                // Before it is read nobody knows whether it is a test, and it counts as none.
                event.data["is_test"] = json!(lead.hydrated_at.map(|_| lead.is_test));
                event.is_test = lead.is_test;
            }
            events::record(tx, event, app.clock.now()).await?;
        }
        Use::None { reason, change, received_at } => {
            if reason == Reason::WithoutValues {
                // Somebody has switched the values off at Meta: the check switches them on.
                app_subscriptions::check_soon(tx, app.clock.now()).await?;
            }
            let new = quarantine::New {
                reason,
                object: &change.object,
                object_id: &change.object_id,
                field: &change.field,
                change: change.whole.to_string(),
                received_at,
            };
            quarantine::put(app, tx, new).await?;
        }
    }
    Ok(())
}

async fn unreadable(app: &App, tx: &mut Tx, body: &Stored) -> std::result::Result<(), Error> {
    let new = quarantine::New {
        reason: Reason::Unreadable,
        object: "",
        object_id: "",
        field: "",
        change: String::from_utf8_lossy(&body.body).into_owned(),
        received_at: body.received_at,
    };
    quarantine::put(app, tx, new).await
}

use serde_json::{Value, json};

use super::{State, detail};
use crate::{
    id::{AccountId, LeadId},
    service::{
        App, Result,
        events::{self, Kind, NewEvent},
    },
    store::{Json, Tx, forms, lead_sightings, leads as table},
    time::Timestamp,
    vault::Scope,
};

/// Who named a lead.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Source {
    /// Meta announced it.
    Webhook,
    /// Meta told of a change of it: no announcement, which may have been lost.
    Update,
    Sweep,
    Backfill,
}

impl Source {
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Webhook => "webhook",
            Self::Update => "update",
            Self::Sweep => "sweep",
            Self::Backfill => "backfill",
        }
    }
}

/// A lead that Meta named.
#[derive(Debug, Clone)]
pub struct Sighting {
    pub account_id: AccountId,
    pub meta_lead_id: String,
    pub page_id: String,
    pub form_id: String,
    pub ad_id: Option<String>,
    /// When the person sent it.
    pub submitted_at: Option<Timestamp>,
    pub source: Source,
    pub at: Timestamp,
    /// Meta's answer for it, whole, when it is at hand.
    pub detail: Option<Value>,
}

/// What a sighting did.
#[derive(Debug, Clone)]
pub struct Sighted {
    pub lead_id: LeadId,
    /// Nobody had named it before.
    pub is_new: bool,
    /// It has just become whole; its event is written.
    pub hydrated_now: bool,
}

/// A lead of which nothing is known but that it is there.
fn new(
    account_id: AccountId,
    meta_lead_id: String,
    page_id: String,
    form_id: String,
    at: Timestamp,
) -> table::Stored {
    table::Stored {
        id: LeadId::new(),
        account_id,
        meta_lead_id,
        page_id,
        form_id,
        ad_id: None,
        ad_set_id: None,
        campaign_id: None,
        is_organic: None,
        is_test: false,
        platform: None,
        state: Json(State::Seen),
        form_version_id: None,
        submitted_at: None,
        seen_at: at,
        hydrated_at: None,
        delivered_at: None,
        attempts: 0,
        due_at: Some(at),
        leased_until: None,
    }
}

/// Keeps a canary out that was deleted at Meta before anybody named it: a webhook that comes late finds it erased.
pub async fn keep_out(tx: &mut Tx, form: &forms::Stored, meta_lead_id: &str, at: Timestamp) -> Result<()> {
    let (account, page_id) = (form.account_id.clone(), form.page_id.clone());
    let erased = table::Stored {
        is_test: true,
        state: Json(State::Erased { at }),
        due_at: None,
        ..new(account, meta_lead_id.to_owned(), page_id, form.form_id.clone(), at)
    };
    table::insert_if_absent(tx, &erased).await?;
    Ok(())
}

/// Takes note of a lead. Its identity is Meta's id: whoever names it, and however often, it is one lead and one
/// `lead.created`. What was erased stays erased.
///
/// After the commit wake `app.wakes.hydrate`, and `app.wakes.deliver` when something was hydrated.
pub async fn sight(app: &App, tx: &mut Tx, sighting: Sighting) -> Result<Sighted> {
    let Sighting { account_id, meta_lead_id, page_id, form_id, ad_id, submitted_at, source, at, detail } =
        sighting;
    let new = table::Stored { ad_id, submitted_at, ..new(account_id, meta_lead_id, page_id, form_id, at) };
    let is_new = table::insert_if_absent(tx, &new).await?;
    let mut lead = if is_new {
        new
    } else {
        let known = table::by_meta_id_for_update(tx, &new.account_id, &new.meta_lead_id).await?;
        known.expect("a row that kept ours out is there while we hold the transaction")
    };
    lead_sightings::count(tx, &lead.id, source.as_str(), at).await?;
    let hydrated_now = match detail {
        Some(detail) if lead.state.0.is_waiting() => {
            complete(app, tx, &mut lead, &detail, false, at).await?;
            true
        }
        _ => false,
    };
    Ok(Sighted { lead_id: lead.id, is_new, hydrated_now })
}

/// Puts Meta's answer into a lead that was sighted and waits for it. False when it does not wait. For who sights many at
/// once: all are sighted first, in the order of their ids, and then filled, since an event's number is held to the end.
/// `is_test`: Meta lists it among the form's test leads.
///
/// After the commit wake `app.wakes.deliver`.
pub async fn fill(
    app: &App,
    tx: &mut Tx,
    account: &AccountId,
    meta_lead_id: &str,
    answer: &Value,
    is_test: bool,
    now: Timestamp,
) -> Result<bool> {
    let known = table::by_meta_id_for_update(tx, account, meta_lead_id).await?;
    let Some(mut lead) = known.filter(|lead| lead.state.0.is_waiting()) else { return Ok(false) };
    complete(app, tx, &mut lead, answer, is_test, now).await?;
    Ok(true)
}

/// Puts Meta's answer into a lead that waits for it, and writes its event.
pub(super) async fn complete(
    app: &App,
    tx: &mut Tx,
    lead: &mut table::Stored,
    answer: &Value,
    is_test: bool,
    now: Timestamp,
) -> Result<()> {
    lead.ad_id = detail::id(answer.get("ad_id")).or(lead.ad_id.take());
    // A webhook may have named no form.
    if lead.form_id.is_empty() {
        lead.form_id = detail::id(answer.get("form_id")).unwrap_or_default();
    }
    lead.ad_set_id = detail::id(answer.get("adset_id"));
    lead.campaign_id = detail::id(answer.get("campaign_id"));
    lead.is_organic = detail::truth(&answer["is_organic"]);
    // A canary was known as one before.
    lead.is_test |= is_test || detail::is_test(answer);
    lead.platform = detail::text(answer, "platform");
    lead.submitted_at = detail::time(answer.get("created_time")).or(lead.submitted_at);
    lead.form_version_id = table::newest_version(tx, &lead.account_id, &lead.form_id).await?;
    lead.state = Json(State::Hydrated);
    lead.hydrated_at = Some(now);
    lead.due_at = None;
    lead.leased_until = None;
    let scope = Scope::Account(lead.account_id.clone());
    let place = table::detail_place(&scope, lead.id.as_str());
    let sealed = app.vault.seal(tx, &place, &answer.to_string().into(), now).await?;
    table::put_detail(tx, &lead.id, Some(sealed)).await?;
    table::put(tx, lead).await?;
    let (account, data) = (lead.account_id.clone(), json!({ "lead_id": lead.id }));
    let event = NewEvent {
        is_test: lead.is_test,
        ..NewEvent::new(Some(account), Kind::LeadCreated, lead.id.as_str(), data)
    };
    events::record(tx, event, now).await?;
    Ok(())
}

/// Most leads that are made due in one transaction: a million would hold SQLite's writer for six seconds, and webhooks wait
/// for it.
const DUE_AT_ONCE: i64 = 2000;

/// Makes the leads of an account due that wait for a token or for access, since that may have ended. `page_id`: only
/// those of one Page. Call it after the commit of what ended it: step by step, in transactions of its own. What keeps it
/// from coming to its end is logged, since every lead that waits is tried by its clock too.
pub async fn drain(app: &App, account: &AccountId, page_id: Option<&str>) {
    if let Err(error) = make_due(app, account, page_id, true).await {
        let error = &error as &dyn std::error::Error;
        tracing::warn!(%account, error, "leads that waited are not read at once");
    }
}

/// Makes leads of an account due that wait. Answers how many.
pub(super) async fn make_due(
    app: &App,
    account: &AccountId,
    page_id: Option<&str>,
    refused_only: bool,
) -> Result<u64> {
    let waiting = table::Waiting { account_id: account, page_id: page_id.unwrap_or_default(), refused_only };
    let (mut after, now, mut count) = (table::After::default(), app.clock.now(), 0);
    loop {
        let mut tx = app.db.begin_apart().await?;
        let (leads, last) = table::make_due(&mut tx, &waiting, &after, DUE_AT_ONCE, now).await?;
        tx.commit().await?;
        count += leads;
        app.wakes.hydrate.notify_one();
        match last {
            Some(last) => after = last,
            None => return Ok(count),
        }
    }
}

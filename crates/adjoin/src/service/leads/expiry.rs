//! Leads that Meta is about to forget while they cannot be read: the partner is told in time.

use serde_json::json;

use super::State;
use crate::{
    service::{
        App, Result,
        events::{self, Kind, NewEvent},
        forms::KEPT_DAYS,
    },
    store::{lead_expiry as table, leads::Stored},
    time::Timestamp,
};

const DAY_SECONDS: i64 = 24 * 60 * 60;
/// So long before its end a lead is told of: people have to come back from a weekend, and to consent again.
const TOLD_BEFORE_DAYS: i64 = 7;
/// Most that are told of in one transaction.
const TOLD_AT_ONCE: i64 = 200;

/// When Meta stops keeping a lead.
pub(super) fn of_lead(lead: &Stored) -> Timestamp {
    lost_at(lead.submitted_at.unwrap_or(lead.seen_at))
}

/// When Meta stops keeping a lead that was sent at this moment.
pub(super) fn lost_at(submitted_at: Timestamp) -> Timestamp {
    submitted_at.plus_seconds(KEPT_DAYS * DAY_SECONDS)
}

/// Writes `lead.expiring` for leads that wait and have a week left, once each. True when there are more.
pub async fn tell(app: &App) -> Result<bool> {
    let now = app.clock.now();
    let submitted_until = now.plus_seconds((TOLD_BEFORE_DAYS - KEPT_DAYS) * DAY_SECONDS);
    let mut tx = app.db.begin_apart().await?;
    let leads = table::take_expiring(&mut tx, submitted_until, now, TOLD_AT_ONCE).await?;
    for lead in &leads {
        let lost_at = of_lead(lead);
        let mut data = json!({
            "lead_id": lead.id, "meta_lead_id": lead.meta_lead_id, "page_id": lead.page_id, "form_id": lead.form_id,
            "submitted_at": lead.submitted_at, "lost_at": lost_at,
            "hours_left": (lost_at.unix() - now.unix()).max(0) / 3600,
            "cause": null, "message": "it is about to be read", "who": null, "next_step": null,
        });
        if let State::Parked { cause, message, who, next_step, .. } = &lead.state.0 {
            data["cause"] = json!(cause);
            data["message"] = json!(message);
            data["who"] = json!(who);
            data["next_step"] = json!(next_step);
        }
        let account = Some(lead.account_id.clone());
        let event = NewEvent {
            is_test: lead.is_test,
            ..NewEvent::new(account, Kind::LeadExpiring, lead.id.as_str(), data)
        };
        events::record(&mut tx, event, now).await?;
    }
    tx.commit().await?;
    if !leads.is_empty() {
        app.wakes.deliver.notify_one();
    }
    Ok(i64::try_from(leads.len()) == Ok(TOLD_AT_ONCE))
}

//! A Page: its subscribed fields, and whether the leads behind them can be read.

use adjoin_graph::{Error, GraphRefusal, Request};
use serde::Deserialize;

use super::{Object, SubscriptionFault, at_meta::AtMeta, check::Found, faults};
use crate::service::{
    connections::Access,
    meta::{Line, is_bad_parameter},
};

/// What the Page says about itself. Fields that Meta did not tell are `None`.
#[derive(Debug, Default, Deserialize)]
struct Told {
    #[serde(default)]
    tasks: Option<Vec<String>>,
    #[serde(default)]
    leadgen_tos_accepted: Option<bool>,
    #[serde(default)]
    has_lead_access: Option<LeadAccess>,
}

/// `has_lead_access`: in Meta's SDK, not in its prose, so nothing of it is taken for granted.
#[derive(Debug, Default, Deserialize)]
struct LeadAccess {
    #[serde(default)]
    can_access_lead: Option<bool>,
    #[serde(default)]
    app_has_leads_permission: Option<bool>,
    #[serde(default)]
    user_has_leads_permission: Option<bool>,
    #[serde(default)]
    failure_reason: Option<String>,
    #[serde(default)]
    failure_resolution: Option<String>,
}

/// Each may be unknown to a version of Meta's.
const FIELDS: [&str; 3] = ["tasks", "leadgen_tos_accepted", "has_lead_access"];

/// Reads, subscribes what is missing, reads again, and says what stands in the way.
pub(super) async fn look(meta: &AtMeta<'_>, access: &Access) -> Result<Found, Error> {
    let told = told(&meta.line, meta.object_id).await?;
    let granted = |name: &str| access.granted().iter().any(|known| known == name);
    let obstacle = obstacle(&told, meta.object_id, granted("leads_retrieval"));
    let before = meta.fields().await?;
    let wanted = Object::Page.fields();
    let missing = missing(before.as_deref().unwrap_or_default(), wanted);
    if missing.is_empty() {
        let fields = before.unwrap_or_default();
        return Ok(obstacle.map_or_else(
            || Found::Subscribed { fields: fields.clone(), arrivals: None },
            |fault| Found::Faulty { fault: Box::new(fault), subscribed: true },
        ));
    }
    let mut fields = before.unwrap_or_default();
    fields.extend(missing);
    let (mut subscribed, mut wanted) = (meta.subscribe(&fields).await, wanted);
    if subscribed.as_ref().is_err_and(is_bad_parameter) {
        // A field that this version does not know must not keep the others away.
        wanted = Object::Page.core_fields();
        fields.retain(|field| {
            !Object::Page.fields().contains(&field.as_str()) || wanted.contains(&field.as_str())
        });
        subscribed = meta.subscribe(&fields).await;
    }
    if let Err(error) = subscribed {
        let fault = match error.refusal() {
            Some(refusal) if is_forbidden(refusal) => {
                forbidden(&told, refusal, granted("pages_manage_metadata"), obstacle)
            }
            _ => return Err(error),
        };
        return Ok(Found::Faulty { fault: Box::new(fault), subscribed: false });
    }
    let shown = meta.fields().await?.unwrap_or_default();
    let lost = self::missing(&shown, wanted);
    Ok(match (lost.is_empty(), obstacle) {
        (false, _) => Found::Faulty { fault: Box::new(faults::not_kept(&lost)), subscribed: false },
        (true, Some(fault)) => Found::Faulty { fault: Box::new(fault), subscribed: true },
        (true, None) => Found::Subscribed { fields: shown, arrivals: None },
    })
}

fn missing(there: &[String], wanted: &[&str]) -> Vec<String> {
    let absent = wanted.iter().filter(|field| !there.iter().any(|known| known == *field));
    absent.map(|&field| field.to_owned()).collect()
}

/// Asks the Page for all fields at once; when Meta does not know one of them, for each alone.
async fn told(line: &Line<'_>, page_id: &str) -> Result<Told, Error> {
    let ask = async |fields: &str| -> Result<Told, Error> {
        let request = Request::get(format!("/{page_id}")).param("fields", format!("id,{fields}"));
        line.send(&request).await?.parse()
    };
    match ask(&FIELDS.join(",")).await {
        Err(error) if is_bad_parameter(&error) || matches!(error, Error::Unreadable { status: 200, .. }) => {}
        outcome => return outcome,
    }
    let mut all = Told::default();
    for field in FIELDS {
        match ask(field).await {
            Ok(one) => {
                all.tasks = all.tasks.or(one.tasks);
                all.leadgen_tos_accepted = all.leadgen_tos_accepted.or(one.leadgen_tos_accepted);
                all.has_lead_access = all.has_lead_access.or(one.has_lead_access);
            }
            Err(error)
                if is_bad_parameter(&error) || matches!(error, Error::Unreadable { status: 200, .. }) =>
            {
                tracing::debug!(field, %error, "Meta does not tell this field of a Page");
            }
            Err(error) => return Err(error),
        }
    }
    Ok(all)
}

/// What keeps leads from being read, though webhooks may come. The most precise cause first.
fn obstacle(told: &Told, page_id: &str, may_read_leads: bool) -> Option<SubscriptionFault> {
    if !may_read_leads {
        return Some(faults::permission_missing("leads_retrieval"));
    }
    if told.leadgen_tos_accepted == Some(false) {
        return Some(faults::terms_not_accepted(page_id));
    }
    let refused = told.has_lead_access.as_ref().filter(|access| access.can_access_lead == Some(false));
    let no_task =
        told.tasks.as_ref().is_some_and(|tasks| !tasks.iter().any(|task| task == faults::LEADS_TASK));
    match (refused, no_task) {
        // Where Meta says that leads can be read, a task that is not listed is none of our business.
        (None, true) if told.has_lead_access.is_none() => {
            Some(faults::page_task_missing(&[faults::LEADS_TASK]))
        }
        (Some(_), true) => Some(faults::page_task_missing(&[faults::LEADS_TASK])),
        // The app's own trouble (review, development mode) is told in Meta's words; the person's is a permission.
        (Some(refused), false)
            if refused.user_has_leads_permission == Some(false)
                && refused.app_has_leads_permission != Some(false) =>
        {
            Some(faults::permission_missing("leads_retrieval"))
        }
        (Some(refused), false) => Some(faults::lead_access_refused(
            refused.failure_reason.as_deref(),
            refused.failure_resolution.as_deref(),
        )),
        (None, _) => None,
    }
}

/// Why Meta let the Page not be subscribed.
fn forbidden(
    told: &Told,
    refusal: &GraphRefusal,
    may_manage: bool,
    obstacle: Option<SubscriptionFault>,
) -> SubscriptionFault {
    if !may_manage {
        return faults::permission_missing("pages_manage_metadata");
    }
    let has_task =
        |tasks: &Vec<String>| tasks.iter().any(|task| faults::SUBSCRIBING_TASKS.contains(&task.as_str()));
    if told.tasks.as_ref().is_some_and(|tasks| !has_task(tasks)) {
        return faults::page_task_missing(&faults::SUBSCRIBING_TASKS);
    }
    // Who may not read leads is not told of them either.
    obstacle.unwrap_or_else(|| faults::refused(refusal))
}

fn is_forbidden(refusal: &GraphRefusal) -> bool {
    matches!(refusal.code, Some(3 | 10 | 200..=299))
}

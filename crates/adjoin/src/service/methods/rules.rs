//! The rules stand before `campaign.create`, `ad_set.create`, `ad_set.update`, `form.create` and `ad_alert.create`: what
//! they reject is not sent. Before `test_lead.delete` Meta is asked what it is about to delete.

use std::collections::BTreeSet;

use adjoin_graph::Request;
use adjoin_marketing::{
    ad_alert,
    ad_set::{self, Finding, Report, Verdict},
    catalogue::{self, Method},
    lead_form,
};
use serde_json::{Map, Value, json};

use super::{Call, Trail, Way, answer, explained};
use crate::service::{Error, Result};

/// What a read campaign tells beyond its usual fields.
const CAMPAIGN_FIELDS: [&str; 2] = ["special_ad_category_country", "promoted_object"];
/// What a read ad set tells beyond its usual fields.
const AD_SET_FIELDS: [&str; 2] = ["dsa_beneficiary", "dsa_payor"];
const AD_ACCOUNT_FIELDS: [&str; 4] =
    ["currency", "min_daily_budget", "default_dsa_beneficiary", "default_dsa_payor"];
/// The arguments that the rules judge by the ad account.
const JUDGED_BY_AD_ACCOUNT: [&str; 3] = ["daily_budget", "lifetime_budget", "targeting"];

/// What the rules find. What they reject is an error. Boxed is what most methods have no use for: every call's future
/// would be as large as the largest step.
pub async fn check(way: &Way<'_>, method: &Method, call: &Call, trail: &mut Trail) -> Result<Vec<Finding>> {
    let existing = match method.id.as_str() {
        "campaign.create" => return campaign_alone(way, method, call),
        "form.create" => return judged(lead_form::check(&call.arguments)),
        "ad_alert.create" => return judged(ad_alert::check(&call.arguments)),
        "test_lead.delete" => {
            return Box::pin(is_the_test_lead(way, &call.arguments, trail)).await.map(|()| Vec::new());
        }
        "ad_set.create" => None,
        // Without knowing how it stands, a change cannot be told from a creation.
        "ad_set.update" if call.look_up => Some(Box::pin(ad_set_as_it_stands(way, call, trail)).await?),
        _ => return Ok(Vec::new()),
    };
    let campaign_id = call.arguments.get("campaign_id").or_else(|| existing.as_ref()?.get("campaign_id"));
    let campaign = match campaign_id.and_then(id_text) {
        Some(id) if call.look_up => Box::pin(campaign(way, &id, trail)).await?,
        _ => None,
    };
    let asks_account = JUDGED_BY_AD_ACCOUNT.iter().any(|name| call.arguments.contains_key(*name));
    let account_id = call.arguments.get("ad_account_id").or_else(|| existing.as_ref()?.get("account_id"));
    let account = match account_id.and_then(id_text) {
        Some(id) if call.look_up && asks_account => Box::pin(ad_account(way, &id)).await,
        _ => None,
    };
    let mut document = Map::new();
    document.insert("ad_set".to_owned(), Value::Object(without_path(method, &call.arguments)));
    document.extend(account.map(|facts| ("ad_account".to_owned(), facts)));
    document.extend(campaign.map(|facts| ("campaign".to_owned(), facts)));
    document.extend(existing.map(|facts| ("existing".to_owned(), facts)));
    document.insert("api_version".to_owned(), Value::from(way.access.graph_version()));
    let text = serde_json::to_vec(&document).expect("JSON is JSON");
    let report = ad_set::check(&text, way.app.clock.now().0)
        .map_err(|error| Error::invalid(error.path, error.problem, "an ad set as Meta takes it"))?;
    judged(report)
}

/// `DELETE /{lead}` deletes whatever lead it is given, so that a mistaken id would cost a real one. Only the test lead
/// that Meta names for the form may go.
async fn is_the_test_lead(way: &Way<'_>, arguments: &Map<String, Value>, trail: &mut Trail) -> Result<()> {
    let argument = |name: &str| arguments.get(name).and_then(id_text).unwrap_or_default();
    let (form, lead) = (argument("form_id"), argument("lead_id"));
    if test_leads(way, &form, trail).await?.contains(&lead) {
        return Ok(());
    }
    Err(Error::Conflict {
        message: format!("{lead} is not a test lead of the form {form}, so it was not deleted"),
        next_step: "look with test_lead.list which test lead the form has".to_owned(),
    })
}

/// The test leads of a form: one at most. The way must have the token of the form's Page.
pub async fn test_leads(way: &Way<'_>, form_id: &str, trail: &mut Trail) -> Result<BTreeSet<String>> {
    let read = catalogue::method("test_lead.list").expect("it is in the table");
    let request = Request::get(format!("/{form_id}/test_leads")).param("fields", "id");
    let listed = way.send(&request, trail).await.map_err(|error| explained(&error, read))?;
    Ok(answer::rows(&listed)?.ids())
}

/// A new campaign. Everything the rules need is in the call.
fn campaign_alone(way: &Way<'_>, method: &Method, call: &Call) -> Result<Vec<Finding>> {
    let document = json!({
        "campaign": without_path(method, &call.arguments),
        "api_version": way.access.graph_version(),
    });
    let report = ad_set::check_campaign_value(&document, way.app.clock.now().0)
        .map_err(|error| Error::invalid(error.path, error.problem, "a campaign as Meta takes it"))?;
    judged(report)
}

fn judged(report: Report) -> Result<Vec<Finding>> {
    match report.verdict {
        Verdict::Reject => Err(Error::Rejected(Box::new(report))),
        Verdict::Accept | Verdict::Warn => Ok(report.findings),
    }
}

/// What is made or changed: the arguments without those that only say where it goes, with the defaults of the method.
fn without_path(method: &Method, arguments: &Map<String, Value>) -> Map<String, Value> {
    let body = method.parameters.iter().filter(|parameter| parameter.r#in == catalogue::Place::Body);
    body.filter_map(|parameter| {
        let value = arguments.get(&parameter.name).or(parameter.default.as_ref())?;
        Some((parameter.name.clone(), value.clone()))
    })
    .collect()
}

/// The campaign's facts; `None` if Meta does not tell for now. What Meta refuses outright would refuse the ad set too.
async fn campaign(way: &Way<'_>, id: &str, trail: &mut Trail) -> Result<Option<Value>> {
    let (connection, now) = (&way.access.connection_id, way.app.clock.now());
    if let Some(known) = way.app.facts.get(connection, id, now) {
        return Ok(Some(known));
    }
    let read = catalogue::method("campaign.get").expect("it is in the table");
    let fields: Vec<&str> = read.default_fields.iter().map(String::as_str).chain(CAMPAIGN_FIELDS).collect();
    let request = Request::get(format!("/{id}")).param("fields", fields.join(","));
    match way.send(&request, trail).await {
        Ok(answer) => {
            let facts = with_unset(answer.json()?, &fields);
            way.app.facts.put(connection, id, facts.clone(), now);
            Ok(Some(facts))
        }
        Err(error) if error.is_passing() => Ok(None),
        Err(error) => Err(explained(&error, read)),
    }
}

async fn ad_set_as_it_stands(way: &Way<'_>, call: &Call, trail: &mut Trail) -> Result<Value> {
    let read = catalogue::method("ad_set.get").expect("it is in the table");
    let id = call.arguments.get("ad_set_id").and_then(id_text).unwrap_or_default();
    let fields: Vec<&str> = read.default_fields.iter().map(String::as_str).chain(AD_SET_FIELDS).collect();
    let request = Request::get(format!("/{id}")).param("fields", fields.join(","));
    match way.send(&request, trail).await {
        Ok(answer) => Ok(with_unset(answer.json()?, &fields)),
        Err(error) => Err(explained(&error, read)),
    }
}

/// The ad account's facts; `None` if Meta does not tell them. Without them the rules are only less certain, and what
/// keeps them from being read is told by the call itself.
pub async fn ad_account(way: &Way<'_>, id: &str) -> Option<Value> {
    let id = format!("act_{}", id.trim_start_matches("act_"));
    let (connection, now) = (&way.access.connection_id, way.app.clock.now());
    if let Some(known) = way.app.facts.get(connection, &id, now) {
        return Some(known);
    }
    let request = Request::get(format!("/{id}")).param("fields", AD_ACCOUNT_FIELDS.join(","));
    // What the log is to tell is the call's own answer.
    let answer = way.send(&request, &mut Trail::default()).await.ok()?;
    let facts = with_unset(answer.json().ok()?, &AD_ACCOUNT_FIELDS);
    way.app.facts.put(connection, &id, facts.clone(), now);
    Some(facts)
}

/// Meta leaves out of an answer what is not set. To the rules, a field that is not there was not read; one that is
/// `null` was, and is empty.
fn with_unset(mut answer: Value, asked_for: &[&str]) -> Value {
    if let Some(fields) = answer.as_object_mut() {
        for name in asked_for {
            fields.entry(*name).or_insert(Value::Null);
        }
    }
    answer
}

/// An id as text, whether it came as text or as a number.
pub fn id_text(id: &Value) -> Option<String> {
    match id {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        _ => None,
    }
}

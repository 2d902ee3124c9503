use std::collections::HashMap;

use schemars::JsonSchema;
use secrecy::ExposeSecret as _;
use serde::Serialize;
use serde_json::Value;

use super::detail;
use crate::{
    id::{AccountId, FormVersionId, LeadId},
    service::{App, Result},
    store::{lead_sightings, leads as table},
    time::Timestamp,
    vault::Scope,
};

/// A lead with what the person sent, as an event and the API show it. Ids are text, also where Meta writes numbers.
#[derive(Debug, Clone, Serialize, JsonSchema)]
#[schemars(rename = "LeadContent")]
pub struct Content {
    pub lead_id: LeadId,
    pub meta_lead_id: String,
    pub submitted_at: Option<Timestamp>,
    /// Who named it first: `webhook`, `update`, `sweep` or `backfill`. One that a backfill brings may be 90 days old, and who
    /// sent it may have been answered long ago.
    pub first_source: Option<String>,
    pub page_id: String,
    pub form_id: String,
    pub form_name: Option<String>,
    /// The form as it stood when the lead was read.
    pub form_version_id: Option<FormVersionId>,
    pub campaign_id: Option<String>,
    pub campaign_name: Option<String>,
    pub ad_set_id: Option<String>,
    pub ad_set_name: Option<String>,
    pub ad_id: Option<String>,
    pub ad_name: Option<String>,
    /// Not through an ad.
    pub is_organic: Option<bool>,
    /// `fb` or `ig`, and whatever else Meta writes.
    pub platform: Option<String>,
    pub is_test: bool,
    pub answers: Vec<Answer>,
    pub consents: Vec<Consent>,
    /// Meta's answer, untouched.
    pub raw: Value,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
#[schemars(rename = "LeadAnswer")]
pub struct Answer {
    /// The question's key.
    pub name: String,
    /// What the form asked, when its version is known.
    pub label: Option<String>,
    /// All of them; none where the person left it open.
    pub values: Vec<String>,
}

/// A box of the form's own disclaimer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
#[schemars(rename = "LeadConsent")]
pub struct Consent {
    pub checkbox_key: String,
    pub is_checked: bool,
}

/// A lead with what the person sent. `None` when there is nothing to show: it is not read yet, or erased.
pub async fn render(app: &App, account: &AccountId, id: &LeadId) -> Result<Option<Content>> {
    let Some(lead) = table::by_id(&app.db, account, id).await? else { return Ok(None) };
    let Some(sealed) = table::detail(&app.db, account, id).await? else { return Ok(None) };
    let scope = Scope::Account(account.clone());
    let opened = app.vault.open(&table::detail_place(&scope, id.as_str()), &sealed).await?;
    let raw: Value = serde_json::from_str(opened.expose_secret()).unwrap_or_default();
    let form_name = table::form_name(&app.db, account, &lead.form_id).await?;
    let labels = match &lead.form_version_id {
        Some(version) => labels(table::version_content(&app.db, account, version).await?.as_deref()),
        None => HashMap::new(),
    };
    let first_source = lead_sightings::first(&app.db, id).await?;
    Ok(Some(Content { first_source, ..content(lead, raw, form_name, &labels) }))
}

fn content(
    lead: table::Stored,
    raw: Value,
    form_name: Option<String>,
    labels: &HashMap<String, String>,
) -> Content {
    let text = |name: &str| detail::text(&raw, name);
    let rows = |name: &str| raw[name].as_array().cloned().unwrap_or_default();
    let answers = rows("field_data").iter().map(|row| answer(row, labels)).collect();
    let consents = rows("custom_disclaimer_responses").iter().filter_map(consent).collect();
    Content {
        lead_id: lead.id,
        meta_lead_id: lead.meta_lead_id,
        submitted_at: lead.submitted_at,
        first_source: None,
        page_id: lead.page_id,
        form_id: lead.form_id,
        form_name,
        form_version_id: lead.form_version_id,
        campaign_id: lead.campaign_id,
        campaign_name: text("campaign_name"),
        ad_set_id: lead.ad_set_id,
        ad_set_name: text("adset_name"),
        ad_id: lead.ad_id,
        ad_name: text("ad_name"),
        is_organic: lead.is_organic,
        platform: lead.platform,
        is_test: lead.is_test,
        answers,
        consents,
        raw,
    }
}

fn answer(row: &Value, labels: &HashMap<String, String>) -> Answer {
    let name = row["name"].as_str().unwrap_or_default().to_owned();
    let values = row["values"].as_array().into_iter().flatten();
    Answer {
        label: labels.get(&name).cloned(),
        values: values.map(|it| it.as_str().map_or_else(|| it.to_string(), str::to_owned)).collect(),
        name,
    }
}

fn consent(row: &Value) -> Option<Consent> {
    Some(Consent {
        checkbox_key: row["checkbox_key"].as_str()?.to_owned(),
        is_checked: detail::truth(&row["is_checked"])?,
    })
}

/// What a form's questions ask, by their keys.
fn labels(content: Option<&str>) -> HashMap<String, String> {
    let form: Value = content.and_then(|text| serde_json::from_str(text).ok()).unwrap_or_default();
    let questions = form["questions"].as_array().into_iter().flatten();
    questions
        .filter_map(|question| {
            Some((question["key"].as_str()?.to_owned(), question["label"].as_str()?.to_owned()))
        })
        .collect()
}

//! Leads. Sources: lead-ads/retrieving, lead-ads/testing-troubleshooting.

use serde_json::{Map, Value, json};

use super::{Cell, Kind, List, Node, Request, Route, Scope, create, delete, edge, node, resolve, write};
use crate::{
    login,
    protocol::{GraphError, Params},
    world::{
        Submission, World,
        leads::{Answer, Consent, Lead, Of, Platform, Query, sample},
    },
};

pub const ROUTES: &[Route] = &[
    node(Kind::Lead),
    delete(Kind::Lead, None, |world, _, node| {
        world.leads.delete(node.number());
        Ok(json!({ "success": true }))
    }),
    edge(Kind::LeadForm, "leads", |scope, node, params| {
        login::require_leads(scope.world, scope.caller, page_of(scope.world, node), &node.id)?;
        leads(scope, Of::Form(node.id.clone()), params)
    }),
    edge(Kind::Ad, "leads", ad_leads),
    edge(Kind::LeadForm, "test_leads", |scope, node, _| {
        login::require_leads(scope.world, scope.caller, page_of(scope.world, node), &node.id)?;
        let lead = scope.world.leads.test_lead(&node.id);
        Ok(List::nodes(lead.map(|lead| Node::new(Kind::Lead, lead.id().to_string())).into_iter().collect()))
    }),
    create(Kind::LeadForm, "test_leads", create_test_lead),
];

/// The Page of a form.
pub fn page_of<'w>(world: &'w World, form: &Node) -> &'w str {
    world.leads.form(&form.id).map_or("", |form| &form.page_id)
}

/// A lead that this world still shows: not too old, and not gone by a scenario.
pub fn shown(world: &World, id: u64) -> Option<Lead<'_>> {
    world
        .leads
        .get(id)
        .filter(|lead| !lead.has_expired(world.clock.unix()) && !world.scenarios.lead_is_gone(id))
}

fn leads<'a>(scope: Scope<'a>, of: Of, params: &Params) -> Result<List<'a>, GraphError> {
    let now = scope.world.clock.unix();
    let oldest = now - crate::world::leads::KEPT_SECONDS + 1;
    let (from, until) = time_created(params)?;
    Ok(List::leads(Query { of, from: from.max(oldest), until }))
}

/// The leads of an ad that the caller may read; those of a form whose Page it cannot reach are not among them.
fn ad_leads<'a>(scope: Scope<'a>, node: &Node, params: &Params) -> Result<List<'a>, GraphError> {
    let query = Query { of: Of::Ad(node.number()), from: 0, until: i64::MAX };
    let first = scope.world.leads.page(&query, |_| true, crate::world::leads::From::Start, 1);
    let form = first.ids.first().and_then(|id| scope.world.leads.get(*id)?.form());
    if let Some(form) = form {
        login::require_leads(scope.world, scope.caller, &form.page_id, &node.id)?;
    } else if !scope.caller.has("leads_retrieval") || scope.world.scenarios.leads_permission_missing() {
        return Err(GraphError::unsupported_get(&node.id));
    }
    leads(scope, Of::Ad(node.number()), params)
}

/// The span that `filtering` on `time_created` asks for, both ends included. Only the documented operators work.
fn time_created(params: &Params) -> Result<(i64, i64), GraphError> {
    let (mut from, mut until) = (i64::MIN, i64::MAX);
    let conditions = match params.json("filtering") {
        None => return Ok((from, until)),
        Some(Value::Array(conditions)) => conditions,
        Some(_) => return Err(GraphError::new(100, "(#100) param filtering must be an array.")),
    };
    for condition in &conditions {
        let text = |name: &str| condition.get(name).and_then(Value::as_str).unwrap_or_default();
        let (field, operator) = (text("field"), text("operator"));
        let value = condition.get("value").and_then(|value| match value {
            Value::Number(number) => number.as_i64(),
            Value::String(text) => write::unix_time(text),
            _ => None,
        });
        match (field, operator, value) {
            ("time_created", "GREATER_THAN", Some(value)) => from = from.max(value.saturating_add(1)),
            ("time_created", "GREATER_THAN_OR_EQUAL", Some(value)) => from = from.max(value),
            ("time_created", "LESS_THAN", Some(value)) => until = until.min(value.saturating_sub(1)),
            ("time_created", "GREATER_THAN" | "GREATER_THAN_OR_EQUAL" | "LESS_THAN", None) => {
                return Err(GraphError::new(
                    100,
                    "(#100) The value of a filter on time_created must be Unix seconds",
                ));
            }
            _ => {
                return Err(GraphError::new(
                    100,
                    format!(
                        "(#100) Filtering field '{field}' with operation '{}' is not supported",
                        operator.to_lowercase()
                    ),
                ));
            }
        }
    }
    Ok((from, until))
}

fn create_test_lead(world: &mut World, request: &Request<'_>, node: &Node) -> Result<Value, GraphError> {
    let page = page_of(world, node).to_owned();
    if !request.caller.is_page(&page) {
        return Err(GraphError::page_token_needed());
    }
    if !login::has_task(world, &page, request.caller.kind.subject(), &["ADVERTISE", "MANAGE"]) {
        return Err(GraphError::new(
            200,
            "(#200) You need the ADVERTISE task on the Page to create a test lead.",
        )
        .status(http::StatusCode::FORBIDDEN));
    }
    if world.leads.test_lead(&node.id).is_some() {
        return Err(GraphError::new(100, "Invalid parameter").user(
            "Test lead already exists",
            "This form has a test lead already. Delete it before you create another.",
        ));
    }
    let Some(form) = world.leads.form(&node.id) else { return Err(GraphError::unsupported_get(&node.id)) };
    let number = form.created.unsigned_abs();
    let answers = given(request.params(), "field_data", |row| {
        let values = row.get("values")?.as_array()?.iter();
        Some(Answer {
            name: row.get("name")?.as_str()?.to_owned(),
            values: values.map(|v| v.as_str().map_or_else(|| v.to_string(), str::to_owned)).collect(),
        })
    })?
    .unwrap_or_else(|| sample_answers(form));
    let consents = given(request.params(), "custom_disclaimer_responses", |row| {
        Some(Consent {
            key: row.get("checkbox_key")?.as_str()?.to_owned(),
            checked: matches!(row.get("is_checked")?, Value::Bool(true))
                || row.get("is_checked").and_then(Value::as_str) == Some("1"),
        })
    })?
    .unwrap_or_else(|| sample::consents(form, number));
    let id = world.submit(Submission {
        form: node.id.clone(),
        answers,
        consents,
        ad: None,
        platform: Platform::Facebook,
        created: None,
        test: true,
        silent: false,
    });
    Ok(json!({ "id": id.to_string() }))
}

/// What Meta's testing tool fills in: `<test lead: dummy data for full_name>`.
fn sample_answers(form: &crate::world::leads::Form) -> Vec<Answer> {
    form.questions()
        .map(|question| {
            let value = match question.kind {
                "EMAIL" => "test@meta.com".to_owned(),
                _ => format!("<test lead: dummy data for {}>", question.key),
            };
            Answer { name: question.key.to_owned(), values: vec![value] }
        })
        .collect()
}

/// A list of objects; `None` when it was not given.
fn given<T>(
    params: &Params,
    name: &str,
    read: impl Fn(&Map<String, Value>) -> Option<T>,
) -> Result<Option<Vec<T>>, GraphError> {
    let malformed = || GraphError::new(100, format!("(#100) Param {name} must be an array.")).blame(&[name]);
    match params.json(name) {
        None => Ok(None),
        Some(Value::Array(rows)) => rows
            .iter()
            .map(|row| row.as_object().and_then(&read).ok_or_else(malformed))
            .collect::<Result<Vec<_>, _>>()
            .map(Some),
        Some(_) => Err(malformed()),
    }
}

pub fn field(scope: Scope<'_>, node: &Node, name: &str) -> Option<Cell> {
    let lead = shown(scope.world, node.number())?;
    Some(match name {
        "created_time" => super::time(lead.created()).into(),
        "field_data" => lead
            .answers()
            .into_iter()
            .map(|answer| json!({ "name": answer.name, "values": answer.values }))
            .collect::<Value>()
            .into(),
        "custom_disclaimer_responses" => lead
            .consents()
            .into_iter()
            .map(|consent| {
                json!({ "checkbox_key": consent.key, "is_checked": if consent.checked { "1" } else { "" } })
            })
            .collect::<Value>()
            .into(),
        "form_id" => lead.form()?.id.as_str().into(),
        "is_organic" => lead.ad().is_none().into(),
        "platform" => lead.platform().name().into(),
        "post_submission_check_result" => {
            json!({ "api_call_result": "NOT_CONFIGURED", "shown_thank_you_page": "DEFAULT" }).into()
        }
        "ad_id" | "ad_name" | "adset_id" | "adset_name" | "campaign_id" | "campaign_name" => {
            advertised(scope, lead.ad()?, name)?.into()
        }
        _ => return None,
    })
}

/// What only somebody who advertises on the ad account is told.
fn advertised(scope: Scope<'_>, ad: u64, name: &str) -> Option<String> {
    let node = Node::new(Kind::Ad, ad.to_string());
    resolve::may_read(scope.world, scope.caller, &node).ok()?;
    let objects = &scope.world.objects;
    let ad = objects.get(ad)?;
    let of = match name {
        "ad_id" | "ad_name" => ad,
        "adset_id" | "adset_name" => objects.get(ad.parent)?,
        _ => objects.campaign_of(ad)?,
    };
    Some(if name.ends_with("_id") { of.id.to_string() } else { of.name.clone() })
}

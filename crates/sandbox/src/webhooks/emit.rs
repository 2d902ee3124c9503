//! `POST /_sandbox/webhooks`: makes happen what the sandbox does not do by itself.
//!
//! Sources: ads-webhooks (one page a field), webhooks-for-leadgen. The value of `leadgen_update` is that of the
//! dashboard's sample.

use axum::{Json, body::Bytes, extract::State};
use http::{HeaderMap, StatusCode};
use serde_json::{Map, Value, json};

use crate::{
    protocol::Params,
    scenarios::{Admin, Input, Refused},
    world::{
        World,
        objects::{Object, ObjectKind},
        webhooks::{Event, level},
    },
};

/// What can be made to happen, in the order in which it is told.
const KINDS: &str =
    "issue, in_process, fatigue, recommendation, effective_status, alert, lead_update, test or raw";

pub async fn emit(
    State(admin): State<Admin>,
    headers: HeaderMap,
    body: Bytes,
) -> Result<Json<Value>, Refused> {
    let input = Input::read(&headers, &body)?;
    let mut world = admin.write();
    let before = world.webhooks.queue.counts();
    happen(&mut world, &input.params)?;
    let after = world.webhooks.queue.counts();
    Ok(Json(json!({ "success": true, "raised": after.raised - before.raised })))
}

fn bad(why: impl Into<String>) -> Refused {
    Refused(StatusCode::BAD_REQUEST, why.into())
}

fn happen(world: &mut World, params: &Params) -> Result<(), Refused> {
    let kind = params.text("kind").unwrap_or_default();
    match kind.as_str() {
        "issue" => {
            let (account, id, level) = ad_object(world, params)?;
            let issue = json!({
                "level": level,
                "error_code": 1_815_869,
                "error_summary": "Ad disapproved",
                "error_message": "The ad does not comply with the advertising policies.",
            });
            let issue = with_own(issue, params);
            if let Some(object) = world.objects.get_mut(id) {
                object.fields_mut().insert("issues_info".into(), json!([issue]));
            }
            tell(world, account, "with_issues_ad_objects", id, issue);
        }
        "in_process" => {
            let (account, id, level) = ad_object(world, params)?;
            let value = with_own(json!({ "level": level, "status_name": "ACTIVE" }), params);
            tell(world, account, "in_process_ad_objects", id, value);
        }
        "fatigue" => {
            let (account, id, _) = ad_object(world, params)?;
            let ad = world.id_value(id);
            let value = json!({
                "adgroup_id": ad,
                "creative_fatigue_level": "HIGH",
                "creative_fatigue_message": "People have seen this creative too often.",
            });
            world.raise(&Event::of_account(account, "creative_fatigue", with_own(value, params)));
        }
        "recommendation" => {
            let (account, id, _) = ad_object(world, params)?;
            let object = world.id_value(id);
            let value = json!({
                "ad_object_ids": [object],
                "recommendation_type": "CREATIVE_FATIGUE",
                "recommendation_signature": "c2FuZGJveA",
                "recommendation_message": "Refresh the creative to lower the cost per result.",
                "recommendation_stage": "mid_flight_recommendation",
                "recommendation_hash": id.to_string(),
            });
            world.raise(&Event::of_account(account, "ad_recommendations", with_own(value, params)));
        }
        "effective_status" => {
            let (account, id, _) = ad_object(world, params)?;
            let kind = world.objects.get(id).and_then(|object| level(object.kind)).unwrap_or("ad");
            let object = world.id_value(id);
            let value =
                json!({ "object_id": object, "object_type": kind, "changed_fields": ["effective_status"] });
            world.raise(&Event::of_account(account, "effective_status", with_own(value, params)));
        }
        "alert" => alert(world, params)?,
        "lead_update" => lead_update(world, params)?,
        "test" => test(world, params)?,
        "raw" => {
            let payload = params
                .json("payload")
                .filter(|payload| payload["object"].is_string())
                .ok_or_else(|| bad("payload is an object that names its object"))?;
            let object = payload["object"].as_str().unwrap_or_default().to_owned();
            send_whole(world, params, &object, &payload)?;
        }
        other => return Err(bad(format!("kind is {KINDS}, not {other:?}"))),
    }
    Ok(())
}

/// The campaign, ad set or ad that `object_id` names: its account, its id and its level.
fn ad_object(world: &World, params: &Params) -> Result<(u64, u64, &'static str), Refused> {
    let object: &Object = params
        .text("object_id")
        .and_then(|id| world.objects.get(id.parse().ok()?))
        .ok_or_else(|| bad("object_id is the id of a campaign, ad set, ad or creative of this sandbox"))?;
    let level = match object.kind {
        ObjectKind::Campaign => "CAMPAIGN",
        ObjectKind::AdSet => "AD_SET",
        ObjectKind::Ad => "AD",
        ObjectKind::AdCreative | ObjectKind::AdVideo => "CREATIVE",
    };
    Ok((object.account, object.id, level))
}

/// The usual value with what the caller wants otherwise.
fn with_own(mut value: Value, params: &Params) -> Value {
    if let Some(Value::Object(own)) = params.json("value")
        && let Some(map) = value.as_object_mut()
    {
        map.extend(own);
    }
    value
}

/// A change whose value begins with the object's id.
fn tell(world: &mut World, account: u64, field: &'static str, id: u64, rest: Value) {
    let mut value = Map::new();
    value.insert("id".into(), world.id_value(id));
    if let Value::Object(rest) = rest {
        value.extend(rest);
    }
    world.raise(&Event::of_account(account, field, Value::Object(value)));
}

/// An alert comes true.
fn alert(world: &mut World, params: &Params) -> Result<(), Refused> {
    let alert = params
        .text("subscription_id")
        .and_then(|id| world.webhooks.alerts.get(&id.parse().ok()?))
        .cloned()
        .ok_or_else(|| bad("subscription_id is the id of an alert of this sandbox"))?;
    if !alert.enabled {
        return Err(Refused(StatusCode::CONFLICT, "the alert is switched off".to_owned()));
    }
    let (_, id, _) = ad_object(world, params)?;
    let kind = world.objects.get(id).and_then(|object| level(object.kind)).unwrap_or("ad");
    let current = params.text("current_value").or_else(|| alert.value.clone());
    world.raise_alert(&alert, id, kind, current);
    Ok(())
}

/// Somebody, or Meta's agent, did something to a lead.
fn lead_update(world: &mut World, params: &Params) -> Result<(), Refused> {
    let found = params.text("lead_id").and_then(|id| {
        let lead = world.leads.get(id.parse().ok()?)?;
        let form = lead.form()?;
        Some((lead.id(), lead.ad().unwrap_or(0), form.id.clone(), form.page_id.clone()))
    });
    let (lead, ad, form, page) = found.ok_or_else(|| bad("lead_id is the id of a lead of this sandbox"))?;
    let number = |text: &str| text.parse::<u64>().unwrap_or_default();
    let value = json!({
        "adgroup_id": ad,
        "ad_id": ad,
        "leadgen_id": lead,
        "page_id": number(&page),
        "form_id": number(&form),
        "updated_time": world.clock.unix().to_string(),
        "area": "ai_agent_updates",
        "event": "qualification_status_change",
        "updated_fields": ["qualification_details", "qualification_status"],
    });
    world.raise(&Event::of_page(&page, "leadgen_update", with_own(value, params)));
    Ok(())
}

/// The dashboard's "Test" button: an entry of id 0, and ids that nothing has.
fn test(world: &mut World, params: &Params) -> Result<(), Refused> {
    let object = params.text("object").unwrap_or_else(|| "page".to_owned());
    let field = params.text("field").unwrap_or_else(|| "leadgen".to_owned());
    let value = match field.as_str() {
        "leadgen" => json!({
            "ad_id": "444444444",
            "form_id": "444444444444",
            "leadgen_id": "444444444444",
            "created_time": world.clock.unix(),
            "page_id": "444444444444",
            "adgroup_id": "44444444444",
        }),
        "leadgen_update" => json!({
            "adgroup_id": 44_444_444_444_u64,
            "ad_id": 444_444_444,
            "leadgen_id": 444_444_444_444_u64,
            "page_id": 444_444_444_444_u64,
            "form_id": 444_444_444_444_u64,
            "updated_time": world.clock.unix().to_string(),
            "area": "ai_agent_updates",
            "event": "qualification_status_change",
            "updated_fields": ["qualification_details", "qualification_status"],
        }),
        "with_issues_ad_objects" => json!({
            "id": "111111111111",
            "level": "AD",
            "error_code": 0,
            "error_summary": "",
            "error_message": "",
        }),
        _ => json!({ "id": "111111111111" }),
    };
    let payload = json!({
        "entry": [{
            "id": "0",
            "time": world.clock.unix(),
            "changes": [{ "field": field, "value": with_own(value, params) }],
        }],
        "object": object,
    });
    send_whole(world, params, &object, &payload)
}

fn send_whole(world: &mut World, params: &Params, object: &str, payload: &Value) -> Result<(), Refused> {
    let app =
        params.text("app_id").or_else(|| world.identity.apps.keys().next().cloned()).unwrap_or_default();
    if world.raise_whole(&app, object, payload) {
        Ok(())
    } else {
        Err(Refused(
            StatusCode::CONFLICT,
            format!("app {app} has no callback for {object}: it is not subscribed"),
        ))
    }
}

//! Stages of leads, told back through the Conversions API.

use reqwest::Method;
use serde_json::{Value, json};

use crate::server::Server;

fn stage(lead: &str, time: i64) -> Value {
    json!({
        "event_name": "Qualified",
        "event_time": time,
        "action_source": "system_generated",
        "custom_data": { "event_source": "crm", "lead_event_source": "Adjoin" },
        "user_data": { "lead_id": lead.parse::<u64>().unwrap() },
    })
}

#[tokio::test]
async fn a_stage_of_a_lead_arrives() {
    let server = Server::start().await;
    let lead = server.submit(json!({})).await.remove(0);
    let now = server.world.read().unwrap().clock.unix();
    let path = format!("{}/events", server.facts.pixel_id);
    // As the SDKs send it: each event as text.
    let data = json!([stage(&lead, now).to_string(), stage(&lead, now - 60)]);
    let answer = server.post(&path, json!({ "data": data, "test_event_code": "TEST1" })).await.good();
    assert_eq!((&answer["events_received"], &answer["messages"]), (&json!(2), &json!([])));
    let seen = server.admin(Method::GET, "/events", None).await.good();
    assert_eq!(seen["count"], 2);
    assert_eq!(seen["data"][0]["event"]["event_name"], "Qualified");
    assert_eq!(
        (&seen["data"][0]["lead_id"], &seen["data"][0]["dataset"]),
        (&json!(lead), &json!(server.facts.pixel_id))
    );
    assert_eq!(
        (&seen["data"][0]["before_its_lead"], &seen["data"][1]["before_its_lead"]),
        (&json!(true), &json!(false))
    );
    assert_eq!(seen["data"][0]["test_event_code"], "TEST1");
    let dataset =
        server.get(&server.facts.pixel_id, json!({ "fields": "is_consolidated_container" })).await.good();
    assert_eq!(dataset["is_consolidated_container"], true);
}

#[tokio::test]
async fn one_bad_event_spoils_them_all() {
    let server = Server::start().await;
    let lead = server.submit(json!({})).await.remove(0);
    let test = server.as_page(Method::POST, &server.form("test_leads"), json!({})).await.good();
    let now = server.world.read().unwrap().clock.unix();
    let path = format!("{}/events", server.facts.pixel_id);
    let with = |name: &str, value: Value| {
        let mut event = stage(&lead, now);
        event[name] = value;
        event
    };
    for (bad, subcode) in [
        (with("event_time", json!(now - 8 * 86_400)), Some(2_804_003)),
        (with("event_time", json!("soon")), None),
        (with("event_name", json!("")), None),
        (with("action_source", json!("pigeon")), None),
        (with("action_source", json!("website")), None),
        (with("user_data", json!({ "fn": "a", "ge": "f" })), Some(2_804_050)),
        (with("user_data", json!({})), Some(2_804_050)),
        (with("user_data", json!({ "lead_id": "12345" })), None),
        (with("user_data", json!({ "lead_id": 123_456_789_012_345_u64 })), None),
        (with("user_data", json!({ "lead_id": test["id"] })), None),
    ] {
        let refused = server.post(&path, json!({ "data": [stage(&lead, now), bad] })).await;
        assert_eq!(refused.code(), (100, subcode), "{bad}");
    }
    let many = vec![stage(&lead, now); 1_001];
    let url = server.url(&format!("v26.0/{path}"));
    let body = json!({ "access_token": server.facts.access_token, "data": many });
    let refused = server.client.post(url).json(&body).send().await.unwrap();
    assert_eq!(refused.status(), 400);
    assert_eq!(server.admin(Method::GET, "/events", None).await.good()["count"], 0);
    let in_a_shop = json!({ "event_name": "Purchase", "event_time": now - 30 * 86_400, "action_source": "physical_store", "user_data": { "em": "x" } });
    server.post(&path, json!({ "data": [in_a_shop] })).await.good();
}

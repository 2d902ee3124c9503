//! Alerts of an ad account: `/act_1/subscriptions`.

use reqwest::Method;
use serde_json::{Value, json};

use super::receiver::Receiver;
use crate::server::Server;

fn rule(event_type: &str, field: &str, value: &str, operator: &str) -> Value {
    json!({
        "event_type": event_type,
        "field": field,
        "value": value,
        "operator": operator,
        "filters": [{ "field": "entity_type", "value": "AD", "operator": "EQUAL" }],
    })
}

#[tokio::test]
async fn an_alert_is_made_read_switched_told_and_deleted() {
    let server = Server::start().await;
    let path = server.account("subscriptions");
    let cpc = || rule("INSIGHTS_UPDATED", "cpc", "200", "GREATER_THAN");
    assert_eq!(server.post(&path, cpc()).await.code().0, 100, "the app is not subscribed");
    let mut receiver = Receiver::start().await;
    receiver.subscribe(&server, "ad_account", &["subscriptions"]).await;
    server.post(&server.account("subscribed_apps"), json!({})).await.good();

    let made = server.post(&path, cpc()).await.good();
    let id = made["subscription_id"].as_str().unwrap().to_owned();
    let own = format!("{path}/{id}");
    let mut expected = cpc();
    expected["subscription_id"] = json!(id);
    expected["status"] = json!("ENABLED");
    assert_eq!(server.get(&own, json!({})).await.good(), expected);
    assert_eq!(server.get(&path, json!({})).await.good()["data"], json!([expected]));

    let campaign = server.campaign("Costly").await;
    let come_true =
        json!({ "kind": "alert", "subscription_id": id, "object_id": campaign, "current_value": "250" });
    server.admin(Method::POST, "/webhooks", Some(come_true.clone())).await.good();
    let change = receiver.next().await.changes().remove(0).1;
    assert_eq!(change["field"], "subscriptions");
    assert_eq!(
        (&change["value"]["field"], &change["value"]["current_value"]),
        (&json!("cpc"), &json!("250"))
    );
    assert_eq!(change["value"]["object_type"], "campaign");

    assert_eq!(server.patch(&own, json!({ "status": "DISABLED" })).await.good(), json!({ "success": true }));
    assert_eq!(server.get(&own, json!({})).await.good()["status"], "DISABLED");
    assert_eq!(server.admin(Method::POST, "/webhooks", Some(come_true)).await.status, 409);
    server.post(&own, json!({ "status": "ENABLED" })).await.good();
    assert_eq!(server.get(&own, json!({})).await.good()["status"], "ENABLED");
    assert_eq!(server.patch(&own, json!({ "status": "PAUSED" })).await.code().0, 100);
    assert_eq!(
        server.patch(&campaign, json!({ "name": "N" })).await.status,
        501,
        "PATCH is for alerts alone"
    );
    server.delete(&own).await.good();
    assert_eq!(server.get(&own, json!({})).await.code(), (100, Some(33)));
}

#[tokio::test]
async fn alerts_about_objects_come_true_by_themselves() {
    let server = Server::start().await;
    let mut receiver = Receiver::start().await;
    receiver.subscribe(&server, "ad_account", &["subscriptions"]).await;
    server.post(&server.account("subscribed_apps"), json!({})).await.good();
    let path = server.account("subscriptions");
    let of = |level: &str| json!({ "field": "entity_type", "value": level, "operator": "EQUAL" });
    let traffic = json!({ "field": "objective", "value": "OUTCOME_TRAFFIC", "operator": "EQUAL" });
    let created = json!({ "event_type": "OBJECT_CREATED", "filters": [of("CAMPAIGN"), traffic] });
    server.post(&path, created).await.good();
    let mut raised = rule("OBJECT_UPDATED", "daily_budget", "3000", "GREATER_THAN");
    raised["filters"] = json!([of("ADSET")]);
    server.post(&path, raised).await.good();
    let renamed = json!({ "event_type": "OBJECT_UPDATED", "field": "name", "filters": [of("ADSET")] });
    server.post(&path, renamed).await.good();

    let campaign = server.campaign("New").await;
    let change = receiver.next().await.changes().remove(0).1;
    assert_eq!(
        (change["value"]["object_type"].clone(), change["value"].get("field")),
        (json!("campaign"), None)
    );
    let set = server.ad_set(&campaign).await;
    server.post(&set, json!({ "daily_budget": 2500 })).await.good();
    server.post(&set, json!({ "daily_budget": 3500 })).await.good();
    let change = receiver.next().await.changes().remove(0).1;
    assert_eq!(
        (&change["value"]["field"], &change["value"]["current_value"]),
        (&json!("daily_budget"), &json!("3500"))
    );
    server.post(&set, json!({ "name": "Other", "daily_budget": 3500 })).await.good();
    let change = receiver.next().await.changes().remove(0).1;
    assert_eq!(change["value"]["current_value"], "Other");
    assert!(receiver.has_none());
}

#[tokio::test]
async fn wrong_alerts_are_refused() {
    let server = Server::start().await;
    Receiver::start().await.subscribe(&server, "ad_account", &["subscriptions"]).await;
    let path = server.account("subscriptions");
    let refused = async |wish: Value| server.post(&path, wish).await.code().0;
    for wrong in [
        rule("OBJECT_DELETED", "name", "a", "EQUAL"),
        rule("OBJECT_CREATED", "name", "a", "EQUAL"),
        rule("OBJECT_UPDATED", "name", "a", "GREATER_THAN"),
        rule("OBJECT_UPDATED", "cpc", "1", "GREATER_THAN"),
        rule("INSIGHTS_UPDATED", "dreams", "1", "GREATER_THAN"),
        rule("INSIGHTS_UPDATED", "cpc", "1", "EQUAL"),
        rule("INSIGHTS_MILESTONE_REACHED", "spent", "999", "EQUAL"),
        rule("INSIGHTS_MILESTONE_REACHED", "spent", "1000", "GREATER_THAN"),
    ] {
        assert_eq!(refused(wrong.clone()).await, 100, "{wrong}");
    }
    let mut many = rule("INSIGHTS_UPDATED", "cpc", "1", "LESS_THAN");
    many["filters"] = vec![many["filters"][0].clone(); 21].into();
    assert_eq!(refused(many).await, 100);
    let good = json!({ "event_type": "OBJECT_UPDATED", "field": "name", "filters": [{ "field": "entity_type", "value": "ADSET", "operator": "EQUAL" }] });
    server.post(&path, good).await.good();
    server.post(&path, rule("INSIGHTS_UPDATED", "cost_per_lead_fb", "900", "GREATER_THAN")).await.good();
}

//! Webhooks of ad accounts.

use reqwest::Method;
use serde_json::{Value, json};

use super::receiver::Receiver;
use crate::server::Server;

const FIELDS: [&str; 6] = [
    "with_issues_ad_objects",
    "in_process_ad_objects",
    "ad_recommendations",
    "creative_fatigue",
    "effective_status",
    "subscriptions",
];

async fn watching(server: &Server) -> Receiver {
    let receiver = Receiver::start().await;
    receiver.subscribe(server, "ad_account", &FIELDS).await;
    server.post(&server.account("subscribed_apps"), json!({})).await.good();
    receiver
}

fn text(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

#[tokio::test]
async fn an_ad_account_has_apps() {
    let server = Server::start().await;
    let path = server.account("subscribed_apps");
    assert_eq!(
        server.as_page(Method::POST, &path, json!({})).await.code().0,
        200,
        "a Page is nobody's admin"
    );
    assert_eq!(server.post(&path, json!({ "app_id": "1" })).await.code().0, 100);
    server.post(&path, json!({ "app_id": server.facts.app_id })).await.good();
    let listed = server.get(&path, json!({})).await.good();
    assert_eq!(listed["data"][0]["app_id"], server.facts.app_id);
    server.delete(&path).await.good();
    assert_eq!(server.get(&path, json!({})).await.good()["data"], json!([]));
}

#[tokio::test]
async fn a_status_tells_of_all_that_it_changes() {
    let server = Server::start().await;
    let campaign = server.campaign("Parent").await;
    let set = server.ad_set(&campaign).await;
    let ad = server.ad(&set, &server.creative().await).await;
    server.post(&set, json!({ "status": "ACTIVE" })).await.good();
    server.post(&ad, json!({ "status": "ACTIVE" })).await.good();
    let mut receiver = watching(&server).await;
    server.post(&campaign, json!({ "status": "ACTIVE" })).await.good();
    let post = receiver.next().await;
    let body = post.json();
    assert_eq!(
        (&body["object"], &body["entry"][0]["id"]),
        (&json!("ad_account"), &json!(server.facts.ad_account_id[4..]))
    );
    let told: Vec<(String, String)> = post
        .changes()
        .iter()
        .map(|(_, change)| {
            assert_eq!(change["field"], "field_changed");
            assert_eq!(change["value"]["changed_fields"], json!(["effective_status"]));
            (text(&change["value"]["object_id"]), text(&change["value"]["object_type"]))
        })
        .collect();
    assert_eq!(
        told,
        [(campaign.clone(), "campaign".into()), (set, "adset".into()), (ad.clone(), "ad".into())]
    );

    server.post(&ad, json!({ "name": "Other" })).await.good();
    server.delete(&ad).await.good();
    let changes = receiver.next().await.changes();
    assert_eq!((changes.len(), text(&changes[0].1["value"]["object_id"])), (1, ad), "a name is no status");
}

#[tokio::test]
async fn issues_and_the_like_happen_on_request() {
    let server = Server::start().await;
    let campaign = server.campaign("Trouble").await;
    let mut receiver = watching(&server).await;
    for (kind, field, key) in [
        ("issue", "with_issues_ad_objects", "error_code"),
        ("in_process", "in_process_ad_objects", "status_name"),
        ("fatigue", "creative_fatigue", "creative_fatigue_level"),
        ("recommendation", "ad_recommendations", "recommendation_type"),
        ("effective_status", "field_changed", "changed_fields"),
    ] {
        let wish = json!({ "kind": kind, "object_id": campaign, "value": { key: "mine" } });
        let answer = server.admin(Method::POST, "/webhooks", Some(wish)).await.good();
        assert_eq!(answer["raised"], 1, "{kind}");
        let change = receiver.next().await.changes().remove(0).1;
        assert_eq!((&change["field"], &change["value"][key]), (&json!(field), &json!("mine")));
    }
    let read = server.get(&campaign, json!({ "fields": "issues_info" })).await.good();
    assert_eq!(read["issues_info"][0]["level"], "CAMPAIGN");
    let wrong = json!({ "kind": "issue", "object_id": "1" });
    assert_eq!(server.admin(Method::POST, "/webhooks", Some(wrong)).await.status, 400);
    assert_eq!(server.admin(Method::POST, "/webhooks", Some(json!({ "kind": "party" }))).await.status, 400);
}

#[tokio::test]
async fn updates_tests_and_anything_else_are_sent_on_request() {
    let server = Server::start().await;
    let test = json!({ "kind": "test" });
    assert_eq!(
        server.admin(Method::POST, "/webhooks", Some(test.clone())).await.status,
        409,
        "no callback yet"
    );
    let mut receiver = Receiver::of_leads(&server).await;
    let lead = server.submit(json!({ "silent": true })).await.remove(0);
    let update = json!({ "kind": "lead_update", "lead_id": lead });
    server.admin(Method::POST, "/webhooks", Some(update)).await.good();
    let change = receiver.next().await.changes().remove(0).1;
    assert_eq!(
        (&change["field"], &change["value"]["area"]),
        (&json!("leadgen_update"), &json!("ai_agent_updates"))
    );
    assert!(change["value"]["leadgen_id"].is_u64() && change["value"]["updated_time"].is_string());

    server.admin(Method::POST, "/webhooks", Some(test)).await.good();
    let post = receiver.next().await;
    assert_eq!(post.changes()[0].0, "0");
    let id = post.changes()[0].1["value"]["leadgen_id"].as_str().unwrap().to_owned();
    assert_eq!(server.page_gets(&id, json!({})).await.code(), (100, Some(33)));

    let payload = json!({ "object": "page", "entry": [{ "id": "7", "time": 1, "changes": [{ "field": "dreams", "value": "Zoë" }] }] });
    server.admin(Method::POST, "/webhooks", Some(json!({ "kind": "raw", "payload": payload }))).await.good();
    let post = receiver.next().await;
    assert_eq!(post.json(), payload);
    assert!(post.body.is_ascii() && String::from_utf8_lossy(&post.body).contains("Zo\\u00eb"));
}

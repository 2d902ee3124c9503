//! Both levels of webhook subscriptions.

use reqwest::Method;
use serde_json::{Value, json};

use super::receiver::{Receiver, VERIFY_TOKEN};
use crate::server::Server;

#[tokio::test]
async fn a_callback_proves_itself_before_it_counts() {
    let server = Server::start().await;
    let mut receiver = Receiver::start().await;
    let path = format!("{}/subscriptions", server.facts.app_id);
    let app = json!({ "access_token": server.app_token() });
    let wish = |token: &str, url: &str| {
        json!({
            "access_token": server.app_token(),
            "object": "page",
            "callback_url": url,
            "fields": ["leadgen"],
            "include_values": "true",
            "verify_token": token,
        })
    };
    assert_eq!(server.post(&path, json!({ "object": "page" })).await.code().0, 15);
    let message = async |params: Value| {
        let answer = server.post(&path, params).await;
        assert_eq!((answer.status, answer.code().0), (400, 2200));
        answer.body["error"]["message"].as_str().unwrap().to_owned()
    };
    assert!(message(wish("wrong", &receiver.url)).await.contains("HTTP Status Code = 403"));
    assert!(message(wish("echo something else", &receiver.url)).await.contains("does not match challenge"));
    assert!(message(wish(VERIFY_TOKEN, "http://127.0.0.1:1/hooks")).await.contains("couldn't connect"));
    assert!(message(wish(VERIFY_TOKEN, "https://example.com/hooks")).await.contains("this machine only"));
    assert_eq!(server.get(&path, app.clone()).await.good()["data"], json!([]));

    while receiver.challenges.try_recv().is_ok() {}
    assert_eq!(
        server.post(&path, wish(VERIFY_TOKEN, &receiver.url)).await.good(),
        json!({ "success": true })
    );
    let asked = receiver.challenges.recv().await.unwrap();
    assert!(asked.contains(&("hub.mode".into(), "subscribe".into())));
    let read = server.get(&path, app.clone()).await.good();
    assert_eq!((&read["data"][0]["object"], &read["data"][0]["active"]), (&json!("page"), &json!(true)));
    assert_eq!(read["data"][0]["callback_url"], receiver.url);
    assert_eq!(read["data"][0]["fields"], json!([{ "name": "leadgen", "version": "v26.0" }]));

    let mut unknown = wish(VERIFY_TOKEN, &receiver.url);
    unknown["fields"] = json!("leadgen,dreams");
    assert_eq!(server.post(&path, unknown).await.code().0, 100);
    let mut gone = app.clone();
    gone["object"] = json!("page");
    server.call(Method::DELETE, &path, &gone).await.good();
    assert_eq!(server.get(&path, app).await.good()["data"], json!([]));
}

#[tokio::test]
async fn a_page_has_apps_with_fields() {
    let server = Server::start().await;
    let path = format!("{}/subscribed_apps", server.facts.page_id);
    let subscribe = async |fields: &str| {
        server.as_page(Method::POST, &path, json!({ "subscribed_fields": fields })).await
    };
    let fields =
        async || server.page_gets(&path, json!({})).await.good()["data"][0]["subscribed_fields"].clone();
    assert_eq!(server.post(&path, json!({ "subscribed_fields": "leadgen" })).await.code().0, 210);
    assert_eq!(server.page_gets(&path, json!({})).await.good()["data"], json!([]));
    assert_eq!(server.as_page(Method::POST, &path, json!({})).await.code().0, 100);
    assert_eq!(subscribe("dreams").await.code().0, 100);
    subscribe("messages").await.good();
    subscribe("leadgen,feed").await.good();
    assert_eq!(fields().await, json!(["leadgen", "feed"]), "replaced");
    server.scenario("subscribed_apps_merge");
    subscribe("messages").await.good();
    assert_eq!(fields().await, json!(["leadgen", "feed", "messages"]));
    let page = server
        .page_gets(&server.facts.page_id, json!({ "fields": "is_webhooks_subscribed,tasks" }))
        .await
        .good();
    assert_eq!(page["is_webhooks_subscribed"], true);

    server.scenario("leads_permission_missing");
    let refused = subscribe("leadgen").await;
    assert_eq!(refused.status, 403);
    assert_eq!(
        refused.body["error"]["message"],
        "(#200) To subscribe to the leadgen field, one of these permissions is needed: leads_retrieval"
    );
    server.scenario("task_missing=MANAGE,MODERATE,CREATE_CONTENT");
    assert_eq!(subscribe("feed").await.code().0, 200);
    let page = server.page_gets(&server.facts.page_id, json!({ "fields": "tasks" })).await.good();
    assert_eq!(page["tasks"], json!(["ADVERTISE", "ANALYZE", "MESSAGING"]));
    server.no_scenarios();
    server.as_page(Method::DELETE, &path, json!({})).await.good();
    assert_eq!(server.page_gets(&path, json!({})).await.good()["data"], json!([]));
}

//! Batches.

use serde_json::{Value, json};

use crate::server::{Answer, Server};

async fn batch(server: &Server, path: &str, items: Value, more: &[(&str, &str)]) -> Answer {
    let text = items.to_string();
    let mut form = vec![("access_token", server.facts.access_token.as_str()), ("batch", text.as_str())];
    form.extend(more);
    Answer::of(server.client.post(server.url(path)).form(&form).send().await.unwrap()).await
}

fn body(item: &Value) -> Value {
    serde_json::from_str(item["body"].as_str().unwrap()).unwrap()
}

#[tokio::test]
async fn items_answer_in_order_wherever_the_batch_is_sent() {
    let server = Server::start().await;
    for path in ["", "v26.0", "v26.0/"] {
        let items = json!([
            { "method": "GET", "relative_url": "v26.0/me?fields=id%2Cname" },
            { "method": "GET", "relative_url": "/v25.0/5/" },
            { "relative_url": "me" },
        ]);
        let answers = batch(&server, path, items, &[]).await.good();
        assert_eq!(answers.as_array().unwrap().len(), 3);
        assert_eq!((&answers[0]["code"], &answers[1]["code"]), (&json!(200), &json!(400)));
        assert_eq!(body(&answers[0])["name"], "Mara Lindqvist");
        assert_eq!(body(&answers[1])["error"]["error_subcode"], 33);
        let headers = answers[0]["headers"].as_array().unwrap();
        assert!(headers.iter().any(|h| h["name"] == "facebook-api-version" && h["value"] == "v26.0"));
        let bare = batch(&server, path, json!([{ "relative_url": "me" }]), &[("include_headers", "false")])
            .await
            .good();
        assert!(bare[0].get("headers").is_none());
    }
}

#[tokio::test]
async fn items_refer_to_each_other() {
    let server = Server::start().await;
    let account = &server.facts.ad_account_id;
    let campaign = "name=Made&objective=OUTCOME_TRAFFIC&status=PAUSED&special_ad_categories=%5B%5D&is_adset_budget_sharing_enabled=false";
    let set = "name=Set&campaign_id={result=made:$.id}&status=PAUSED&daily_budget=2000&billing_event=IMPRESSIONS&optimization_goal=LINK_CLICKS&bid_strategy=LOWEST_COST_WITHOUT_CAP&targeting=%7B%22geo_locations%22%3A%7B%22countries%22%3A%5B%22US%22%5D%7D%2C%22targeting_automation%22%3A%7B%22advantage_audience%22%3A1%7D%7D";
    let items = json!([
        // Out of order on purpose: what is needed runs first.
        { "method": "GET", "relative_url": "{result=made:$.id}?fields=name,adsets{name}", "depends_on": "set" },
        { "method": "POST", "relative_url": format!("{account}/campaigns"), "name": "made", "body": campaign },
        { "method": "POST", "relative_url": format!("{account}/adsets"), "name": "set", "body": set, "omit_response_on_success": false },
        { "method": "GET", "relative_url": "?ids=x" },
        { "method": "GET", "relative_url": format!("{account}/campaigns?fields=id"), "name": "all" },
        { "method": "GET", "relative_url": format!("{account}/campaigns?filtering=[{{\"field\":\"id\",\"operator\":\"IN\",\"value\":[\"{{result=all:$.data.*.id}}\"]}}]&fields=name") },
    ]);
    let answers = batch(&server, "v26.0", items, &[]).await.good();
    let read = body(&answers[0]);
    assert_eq!(read["name"], "Made");
    assert_eq!(read["adsets"]["data"][0]["name"], "Set");
    assert_eq!(answers[1], Value::Null, "what others refer to is left out on success");
    assert!(body(&answers[2])["id"].is_string(), "unless that is switched off");
    assert_eq!(answers[3]["code"], 400);
    assert_eq!(answers[4], Value::Null);
    assert_eq!(body(&answers[5])["data"][0]["name"], "Made");
}

#[tokio::test]
async fn a_batch_makes_one_ad_set_under_a_campaign() {
    let server = Server::start().await;
    let (one, other) = (server.campaign("One").await, server.campaign("Other").await);
    let make = |campaign: &str| {
        let relative_url = format!("{}/adsets", server.facts.ad_account_id);
        json!({ "method": "POST", "relative_url": relative_url, "body": crate::server::ad_set(campaign) })
    };
    let answers = batch(&server, "v26.0", json!([make(&one), make(&one), make(&other)]), &[]).await.good();
    let codes: Vec<_> = answers.as_array().unwrap().iter().map(|item| item["code"].as_i64()).collect();
    assert_eq!(codes, [Some(200), Some(400), Some(200)]);
    assert_eq!(body(&answers[1])["error"]["type"], "GraphBatchException");
}

#[tokio::test]
async fn a_failed_parent_fails_its_dependants() {
    let server = Server::start().await;
    let items = json!([
        { "method": "GET", "relative_url": "5", "name": "lost" },
        { "method": "GET", "relative_url": "{result=lost:$.id}" },
        { "method": "GET", "relative_url": "me", "depends_on": "lost" },
        { "method": "GET", "relative_url": "{result=round:$.id}", "name": "circle" },
        { "method": "GET", "relative_url": "{result=circle:$.id}", "name": "round" },
        { "method": "GET", "relative_url": "{result=nobody:$.id}" },
    ]);
    let answers = batch(&server, "v26.0", items, &[]).await.good();
    let codes: Vec<_> =
        answers.as_array().unwrap().iter().map(|item| item["code"].as_i64().unwrap()).collect();
    assert_eq!(codes, [400; 6]);
    assert_eq!(body(&answers[1])["error"]["type"], "GraphBatchException");
}

#[tokio::test]
async fn a_batch_has_fifty_items_at_most_and_a_token() {
    let server = Server::start().await;
    let items: Vec<Value> = (0..51).map(|_| json!({ "relative_url": "me" })).collect();
    let refused = batch(&server, "v26.0", json!(items), &[]).await;
    assert_eq!(refused.status, 400);
    assert_eq!(
        refused.body["error"]["message"],
        "Too many requests in batch message. Maximum batch size is 50"
    );
    let fifty = batch(&server, "v26.0", json!(items[..50]), &[]).await.good();
    assert_eq!(fifty.as_array().unwrap().len(), 50);
    let url = server.url("v26.0");
    let json_body = json!({ "batch": [{ "relative_url": "me" }] });
    let without = server.client.post(&url).json(&json_body).send().await.unwrap();
    assert_eq!(without.status(), 400);
    let with =
        server.client.post(&url).query(&[("access_token", &server.facts.access_token)]).json(&json_body);
    assert_eq!(Answer::of(with.send().await.unwrap()).await.good()[0]["code"], 200);
    let nested = json!([{ "method": "POST", "relative_url": "/", "body": "batch=[]" }]);
    assert_eq!(batch(&server, "", nested, &[]).await.good()[0]["code"], 400);
    let own = json!([{ "relative_url": "me", "access_token": "EAABnonsensenonsense" }]);
    assert_eq!(body(&batch(&server, "", own, &[]).await.good()[0])["error"]["code"], 190);
}

//! Many ways to write the same call, and what comes back around the body.

use reqwest::Method;
use serde_json::{Value, json};

use crate::server::{Answer, Server, campaign};

#[tokio::test]
async fn tokens_are_taken_from_anywhere() {
    let server = Server::start().await;
    let token = &server.facts.access_token;
    let url = server.url("v26.0/me/");
    let requests = [
        server.client.get(&url).query(&[("access_token", token)]),
        server.client.get(&url).bearer_auth(token),
        server.client.get(&url).header("Authorization", format!("OAuth {token}")),
        server.client.get(&url).json(&json!({ "access_token": token })),
        server.client.post(&url).form(&[("access_token", token.as_str()), ("method", "get")]),
    ];
    for request in requests {
        let me = Answer::of(request.send().await.unwrap()).await.good();
        assert_eq!(me["id"], server.facts.user_id);
    }
    let none = Answer::of(server.client.get(&url).send().await.unwrap()).await;
    assert_eq!(none.status, 400);
}

#[tokio::test]
async fn bodies_come_in_every_encoding() {
    let server = Server::start().await;
    let url = server.url(&format!("v26.0/{}", server.account("campaigns")));
    let token = &server.facts.access_token;
    let json_body = campaign("Json");
    let form: Vec<(String, String)> = campaign("Form")
        .as_object()
        .unwrap()
        .iter()
        .map(|(k, v)| (k.clone(), v.as_str().map_or_else(|| v.to_string(), str::to_owned)))
        .collect();
    let boundary = "edge";
    let multipart: String = form
        .iter()
        .map(|(k, v)| format!("--{boundary}\r\nContent-Disposition: form-data; name=\"{k}\"\r\n\r\n{v}\r\n"))
        .chain([format!("--{boundary}--\r\n")])
        .collect();
    let requests = [
        server.client.post(&url).json(&json_body),
        server.client.post(&url).form(&form),
        server.client.post(&url).query(&form),
        server.client.put(&url).form(&form),
        server
            .client
            .post(&url)
            .header("Content-Type", format!("multipart/form-data; boundary={boundary}"))
            .body(multipart),
    ];
    for request in requests {
        let made = Answer::of(request.query(&[("access_token", token)]).send().await.unwrap()).await.good();
        assert!(made["id"].is_string());
    }
    // The Node SDK sends an empty object with every read and delete.
    let list =
        server.client.get(&url).query(&[("access_token", token)]).json(&json!({})).send().await.unwrap();
    let list = Answer::of(list).await.good();
    assert_eq!(list["data"].as_array().unwrap().len(), 5);
    let id = list["data"][0]["id"].as_str().unwrap();
    let by_method = json!({ "method": "delete" });
    assert_eq!(server.call(Method::POST, id, &by_method).await.good(), json!({ "success": true }));
}

#[tokio::test]
async fn headers_and_envelope_of_answers() {
    let server = Server::start().await;
    let good = server.get(&server.account("campaigns"), json!({})).await;
    assert_eq!(good.header("facebook-api-version"), "v26.0");
    assert_eq!(good.header("cache-control"), "private, no-cache, no-store, must-revalidate");
    assert_eq!(good.header("access-control-allow-origin"), "*");
    for name in ["x-fb-request-id", "x-fb-trace-id", "x-fb-rev", "x-fb-debug", "pragma", "expires", "vary"] {
        assert!(!good.header(name).is_empty(), "{name}");
    }
    let usage: Value = serde_json::from_str(good.header("x-business-use-case-usage")).unwrap();
    let account = server.facts.ad_account_id.trim_start_matches("act_");
    assert_eq!(usage[account][0]["type"], "ads_management");
    assert!(good.header("x-ad-account-usage").contains("acc_id_util_pct"));
    assert!(good.header("x-app-usage").contains("call_count"));

    let bad = server.get(&server.account("campaigns"), json!({ "fields": "x" })).await;
    assert_eq!(bad.body["error"]["fbtrace_id"], bad.header("x-fb-request-id"));
    assert_eq!(bad.header("cache-control"), "no-store");
    assert!(
        bad.header("www-authenticate")
            .starts_with("OAuth \"Facebook Platform\" \"invalid_request\" \"(#100)")
    );
    assert!(bad.header("x-ad-account-usage").contains("acc_id_util_pct"), "errors carry usage too");
    assert_ne!(good.header("x-fb-request-id"), bad.header("x-fb-request-id"));
}

#[tokio::test]
async fn jsonp_and_methods_nobody_uses() {
    let server = Server::start().await;
    let answer = server.get("me", json!({ "callback": "take" })).await.good();
    assert!(answer.as_str().unwrap().starts_with("/**/ take({"), "{answer}");
    let options = server.client.request(Method::OPTIONS, server.url("v26.0/me")).send().await.unwrap();
    assert_eq!(options.status(), 405);
}

#[tokio::test]
async fn bodies_have_limits() {
    let server = Server::start().await;
    let url = server.url(&format!("v26.0/{}", server.account("campaigns")));
    let big = "x".repeat(1024 * 1024 + 1);
    let answer = server.client.post(&url).body(big).send().await.unwrap();
    assert_eq!(answer.status(), 413);
    let broken =
        server.client.post(&url).header("Content-Type", "application/json").body("{").send().await.unwrap();
    assert_eq!(broken.status(), 400);
}

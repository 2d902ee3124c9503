use reqwest::Method;
use serde_json::{Value, json};

use super::sandbox;
use crate::server::Answer;

#[tokio::test]
async fn scenarios_are_switched_while_running() {
    let server = sandbox(&["tier=limited"]).await;
    let token = server.facts.access_token.clone();
    let on = server.admin(Method::PUT, "/scenarios/dead_tokens", Some(json!({ "value": 460 }))).await.good();
    assert_eq!((&on["on"], &on["value"]), (&json!(true), &json!("460")));
    assert_eq!(server.me(&token).await.code(), (190, Some(460)));
    let list = server.admin(Method::GET, "/scenarios", None).await.good();
    let on: Vec<&Value> = list["data"].as_array().unwrap().iter().filter(|row| row["on"] == true).collect();
    assert_eq!(on.len(), 2);
    server.admin(Method::DELETE, "/scenarios/dead_tokens", None).await.good();
    server.me(&token).await.good();

    let wrong = server.admin(Method::PUT, "/scenarios/dead_tokens", Some(json!({ "value": "999" }))).await;
    assert_eq!(wrong.status, 400);
    assert!(wrong.body["error"]["message"].as_str().unwrap().contains("subcode"));
    assert_eq!(server.admin(Method::GET, "/scenarios/nonsense", None).await.status, 404);
    server.admin(Method::DELETE, "/scenarios", None).await.good();
    let list = server.admin(Method::GET, "/scenarios", None).await.good();
    assert!(list["data"].as_array().unwrap().iter().all(|row| row["on"] == false));
}

#[tokio::test]
async fn faults_strike_so_many_calls() {
    let server = sandbox(&[]).await;
    server.scenario("unavailable=2");
    for _ in 0..2 {
        let answer = server.get("me", json!({})).await;
        assert_eq!((answer.status, answer.code()), (503, (2, None)));
        assert_eq!(answer.body["error"]["is_transient"], true);
    }
    server.get("me", json!({})).await.good();
    server.scenario("unknown_error");
    for _ in 0..3 {
        let answer = server.get("me", json!({})).await;
        assert_eq!((answer.status, answer.code()), (500, (1, None)));
    }
}

#[tokio::test]
async fn limits_have_their_own_refusals() {
    let server = sandbox(&[]).await;
    let account = server.facts.ad_account_id.clone();
    for (limit, path, expected) in [
        ("score", account.as_str(), (17, Some(2_446_079))),
        ("buc", account.as_str(), (80_004, Some(2_446_079))),
        ("app", "me", (4, None)),
    ] {
        server.scenario(&format!("rate_limit={limit}"));
        let answer = server.get(path, json!({})).await;
        assert_eq!((answer.status, answer.code()), (400, expected));
    }
    server.scenario("rate_limit=buc");
    let insights = server.get(&format!("{account}/insights"), json!({})).await;
    assert_eq!(insights.code(), (80_000, Some(2_446_079)));
    let usage = |answer: &crate::server::Answer| -> Value {
        serde_json::from_str(answer.header("x-business-use-case-usage")).unwrap()
    };
    let number = account.strip_prefix("act_").unwrap();
    let of_insights = &usage(&insights)[number][0];
    assert_eq!((&of_insights["type"], &of_insights["call_count"]), (&json!("ads_insights"), &json!(100)));
    server.get("me", json!({})).await.good();
    for (path, id, code, kind) in [
        (server.facts.page_id.clone(), &server.facts.page_id, 80_001, "pages"),
        (format!("{}/leadgen_forms", server.facts.page_id), &server.facts.page_id, 80_005, "leadgen"),
        (server.facts.catalog_id.clone(), &server.facts.catalog_id, 80_009, "catalog_management"),
    ] {
        let answer = server.get(&path, json!({})).await;
        assert_eq!(answer.code(), (code, None), "{path}");
        assert_eq!(usage(&answer)[id][0]["type"], kind);
    }
    server.scenario("rate_limit=score");
    server.get(&server.facts.page_id, json!({})).await.good();
    server.scenario("rate_limit=app");
    let insights = server.get(&format!("{account}/insights"), json!({})).await;
    assert_eq!(insights.code(), (4, Some(1_504_022)));
}

#[tokio::test]
async fn slow_answers_are_slow() {
    let server = sandbox(&["slow=150"]).await;
    let began = std::time::Instant::now();
    server.get("me", json!({})).await.good();
    assert!(began.elapsed() >= std::time::Duration::from_millis(150));
}

#[tokio::test]
async fn the_clock_is_moved_frozen_and_set() {
    let server = sandbox(&[]).await;
    let before = server.admin(Method::GET, "/clock", None).await.good()["unix"].as_i64().unwrap();
    let moved =
        server.admin(Method::POST, "/clock", Some(json!({ "advance_seconds": 5_270_400 }))).await.good();
    assert!(moved["unix"].as_i64().unwrap() >= before + 5_270_400);
    assert_eq!(server.me(&server.facts.access_token).await.code(), (190, Some(463)));
    let set = json!({ "now": "2026-11-24T08:00:00Z", "freeze": true });
    let frozen = server.admin(Method::POST, "/clock", Some(set)).await.good();
    assert_eq!((&frozen["now"], &frozen["frozen"]), (&json!("2026-11-24T08:00:00Z"), &json!(true)));
    let still = server.admin(Method::POST, "/clock", Some(json!({ "advance_seconds": 60 }))).await.good();
    assert_eq!(still["now"], "2026-11-24T08:01:00Z");
    for wrong in [
        json!({}),
        json!({ "advance_seconds": "soon" }),
        json!({ "advance_seconds": i64::MAX }),
        json!({ "now": "tomorrow" }),
        json!({ "freeze": "maybe" }),
        json!([]),
    ] {
        assert_eq!(server.admin(Method::POST, "/clock", Some(wrong.clone())).await.status, 400, "{wrong}");
    }
    let run = server.admin(Method::POST, "/clock", Some(json!({ "freeze": false }))).await.good();
    assert_eq!(run["frozen"], false);
}

#[tokio::test]
async fn reset_brings_the_beginning_back() {
    let server = sandbox(&["tier=limited"]).await;
    let campaign = server.campaign("Gone with the reset").await;
    server.scenario("act_prefix");
    server.advance(61 * 86_400);
    server.admin(Method::POST, "/reset", None).await.good();
    server.me(&server.facts.access_token).await.good();
    assert_eq!(server.get(&campaign, json!({})).await.code(), (100, Some(33)));
    let list = server.admin(Method::GET, "/scenarios", None).await.good();
    let on: Vec<&Value> = list["data"].as_array().unwrap().iter().filter(|row| row["on"] == true).collect();
    assert_eq!(on.len(), 1, "what was on at start is on again");
    // Ids and tokens are what was printed at start.
    let facts = server.admin(Method::GET, "/facts", None).await.good();
    assert_eq!(facts["access_token"], json!(server.facts.access_token));
}

#[tokio::test]
async fn redirect_uris_are_registered() {
    let server = sandbox(&[]).await;
    let path = format!("/apps/{}/redirect_uris", server.facts.app_id);
    let uri = "https://other.test/callback";
    assert_eq!(server.dialog(&[("redirect_uri", uri)]).await.status, 400);
    server.admin(Method::POST, &path, Some(json!({ "redirect_uri": uri }))).await.good();
    assert_eq!(server.dialog(&[("redirect_uri", uri)]).await.status, 200);
    for wrong in ["callback", "https://x.test/#f", ""] {
        let answer = server.admin(Method::POST, &path, Some(json!({ "redirect_uri": wrong }))).await;
        assert_eq!(answer.status, 400);
    }
    let nobody =
        server.admin(Method::POST, "/apps/1/redirect_uris", Some(json!({ "redirect_uri": uri }))).await;
    assert_eq!(nobody.status, 404);
}

#[tokio::test]
async fn a_person_and_a_business_remove_the_app() {
    let server = sandbox(&[]).await;
    let jonas = server.id_of("Jonas");
    let token = server.token(&[("scope", "ads_read")]).await;
    let app = format!("/apps/{}", server.facts.app_id);
    let rows = server.admin(Method::GET, &format!("{app}/grants"), None).await.good();
    let row = rows["data"].as_array().unwrap().iter().find(|row| row["user_id"] == json!(jonas)).unwrap();
    assert_eq!(
        (&row["name"], &row["granted"]),
        (&json!("Jonas Okafor"), &json!(["ads_read", "public_profile"]))
    );

    let remove = json!({ "user_id": jonas });
    let gone = server.admin(Method::POST, &format!("{app}/remove"), Some(remove.clone())).await.good();
    assert!(gone["signed_request"].as_str().unwrap().contains('.'));
    assert_eq!(server.me(&token).await.code(), (190, Some(458)));
    assert_eq!(server.admin(Method::POST, &format!("{app}/remove"), Some(remove)).await.status, 404);

    let business = super::tokens::system_user(&server).await;
    let user = server.debug(&business).await["user_id"].clone();
    server.admin(Method::POST, &format!("{app}/remove"), Some(json!({ "user_id": user }))).await.good();
    assert_eq!(server.me(&business).await.code(), (190, Some(458)));
}

#[tokio::test]
async fn json_that_calls_itself_a_form_is_read() {
    let server = sandbox(&[]).await;
    let url = format!("{}/scenarios/dead_tokens", server.facts.admin_url);
    let request = server.client.put(url).header("content-type", "application/x-www-form-urlencoded");
    let answer = Answer::of(request.body(r#"{"value": "467"}"#).send().await.unwrap()).await.good();
    assert_eq!(answer["value"], "467");
}

#[tokio::test]
async fn the_page_lists_and_switches() {
    let server = sandbox(&[]).await;
    let client = reqwest::Client::new();
    let html = async || client.get(&server.facts.admin_url).send().await.unwrap().text().await.unwrap();
    let page = html().await;
    for row in adjoin_sandbox::scenarios::CATALOGUE {
        assert!(page.contains(&format!("action=\"/_sandbox/scenarios/{}\"", row.name)), "{}", row.name);
    }
    assert!(page.contains(&server.facts.access_token));
    let form = |path: &str, fields: &[(&str, &str)]| {
        client.post(format!("{}{path}", server.facts.admin_url)).form(fields).send()
    };
    let after = form("/scenarios/dead_tokens", &[("action", "on"), ("value", "459")]).await.unwrap();
    assert_eq!(after.url().path(), "/_sandbox", "it leads back to the page");
    assert!(after.text().await.unwrap().contains("on: 459"));
    assert_eq!(server.me(&server.facts.access_token).await.code(), (190, Some(459)));
    let wrong = form("/scenarios/dead_tokens", &[("action", "on"), ("value", "<b>")]).await.unwrap();
    assert_eq!(wrong.status(), 400);
    let wrong = wrong.text().await.unwrap();
    assert!(wrong.contains("role=\"alert\"") && !wrong.contains("<b>"));
    form("/scenarios/dead_tokens", &[("action", "off"), ("value", "459")]).await.unwrap();
    server.me(&server.facts.access_token).await.good();
    let page = html().await;
    assert!(page.contains("GET /v26.0/me"));
}

#[tokio::test]
async fn other_sites_cannot_reach_the_admin_path() {
    let server = sandbox(&[]).await;
    let url = format!("{}/scenarios/unavailable", server.facts.admin_url);
    for (name, value) in [
        ("origin", "https://evil.example"),
        ("origin", "null"),
        ("sec-fetch-site", "cross-site"),
        ("sec-fetch-site", "same-site"),
        ("host", "sandbox.evil.example"),
    ] {
        let put = server.client.put(&url).header(name, value).json(&json!({})).send().await.unwrap();
        assert_eq!(put.status(), 403, "{name}: {value}");
        let post =
            server.client.post(&url).header(name, value).form(&[("action", "on")]).send().await.unwrap();
        assert_eq!(post.status(), 403, "{name}: {value}");
    }
    let read =
        server.client.get(&url).header("sec-fetch-site", "cross-site").header("sec-fetch-mode", "no-cors");
    assert_eq!(read.send().await.unwrap().status(), 403);
    let answer = server.client.get(&url).send().await.unwrap();
    assert!(answer.headers().get("access-control-allow-origin").is_none());
    server.me(&server.facts.access_token).await.good();
}

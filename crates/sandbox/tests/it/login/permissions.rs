use reqwest::Method;
use serde_json::{Value, json};

use super::{SCOPE, sandbox, strings, text};

fn status<'v>(rows: &'v Value, name: &str) -> Option<&'v str> {
    rows["data"].as_array()?.iter().find(|row| row["permission"] == name)?["status"].as_str()
}

#[tokio::test]
async fn permissions_are_listed_and_dropped_one_by_one() {
    let server = sandbox(&[]).await;
    let token = server.token(&[("scope", SCOPE)]).await;
    let as_me = json!({ "access_token": token });
    let rows = server.as_token(Method::GET, "me/permissions", &as_me).await.good();
    assert_eq!(status(&rows, "ads_read"), Some("granted"));

    let gone = server.as_token(Method::DELETE, "me/permissions/ads_read", &as_me).await.good();
    assert_eq!(gone, json!({ "success": true }));
    let path = format!("{}/permissions", server.id_of("Jonas"));
    let rows = server.as_token(Method::GET, &path, &as_me).await.good();
    assert_eq!(status(&rows, "ads_read"), Some("declined"));
    assert!(!strings(&server.debug(&token).await["scopes"]).contains(&"ads_read"));
    server.me(&token).await.good();

    let unknown = server.as_token(Method::DELETE, "me/permissions/pages_messaging", &as_me).await;
    assert_eq!(unknown.code(), (100, None));
}

#[tokio::test]
async fn dropping_all_kills_every_token_of_the_person() {
    let server = sandbox(&[]).await;
    let token = server.token(&[("scope", SCOPE)]).await;
    let other = server.token(&[("scope", "ads_read")]).await;
    server.me(&other).await.good();
    server.as_token(Method::DELETE, "me/permissions", &json!({ "access_token": token })).await.good();
    for dead in [&token, &other] {
        let answer = server.me(dead).await;
        assert_eq!(answer.code(), (190, Some(458)));
        let message = answer.body["error"]["message"].as_str().unwrap();
        assert!(message.ends_with(&format!("has not authorized application {}.", server.facts.app_id)));
    }
    // A new consent does not bring them back.
    let fresh = server.token(&[("scope", SCOPE)]).await;
    server.me(&fresh).await.good();
    server.me(&server.facts.access_token).await.good();
    assert_eq!(server.me(&token).await.code(), (190, Some(458)));
}

#[tokio::test]
async fn an_app_token_may_name_the_person() {
    let server = sandbox(&[]).await;
    let app = json!({ "access_token": format!("{}|{}", server.facts.app_id, server.facts.app_secret) });
    let path = format!("{}/permissions", server.facts.user_id);
    server.as_token(Method::GET, &path, &app).await.good();
    assert_eq!(server.as_token(Method::GET, "me/permissions", &app).await.code(), (2500, None));
    server.as_token(Method::DELETE, &path, &app).await.good();
    assert_eq!(server.me(&server.facts.access_token).await.code(), (190, Some(458)));
    let stranger = json!({ "access_token": server.facts.access_token });
    assert!(server.as_token(Method::GET, "42/permissions", &stranger).await.status >= 400);
}

#[tokio::test]
async fn revoking_ends_one_token() {
    let server = sandbox(&[]).await;
    let token = server.token(&[("scope", SCOPE)]).await;
    let mut params = json!({
        "client_id": server.facts.app_id, "client_secret": "wrong",
        "revoke_token": token, "access_token": server.facts.access_token,
    });
    assert_eq!(server.as_token(Method::GET, "oauth/revoke", &params).await.code(), (1, None));
    params["client_secret"] = json!(server.facts.app_secret);
    server.as_token(Method::GET, "oauth/revoke", &params).await.good();
    assert_eq!(server.me(&token).await.code(), (190, Some(466)));
    server.me(&server.facts.access_token).await.good();
}

#[tokio::test]
async fn leads_go_after_ninety_days_and_ads_stay() {
    let server = sandbox(&[]).await;
    let bake = server.dialog(&[("scope", "ads_read,leads_retrieval")]).await;
    let code = bake.press("continue").await.back()["code"].clone();
    let short = text(&server.exchange(&[("code", &code)]).await.good(), "access_token");
    let long = |token: String| {
        let server = &server;
        async move {
            let exchange = [("grant_type", "fb_exchange_token"), ("fb_exchange_token", token.as_str())];
            text(&server.exchange(&exchange).await.good(), "access_token")
        }
    };
    let first = long(short).await;
    server.advance(59 * 86_400);
    let second = long(first).await;
    server.advance(32 * 86_400);
    let debug = server.debug(&second).await;
    assert_eq!(debug["is_valid"], true);
    assert!(debug["data_access_expires_at"].as_i64().unwrap() > 0);
    let scopes = strings(&debug["scopes"]);
    assert!(scopes.contains(&"ads_read") && !scopes.contains(&"leads_retrieval"));

    server.dialog(&[("scope", "leads_retrieval")]).await.press("continue").await.back();
    assert!(!strings(&server.debug(&second).await["scopes"]).contains(&"leads_retrieval"));
    let renew = [("scope", "leads_retrieval"), ("auth_type", "reauthorize")];
    server.dialog(&renew).await.press("continue").await.back();
    assert!(strings(&server.debug(&second).await["scopes"]).contains(&"leads_retrieval"));
}

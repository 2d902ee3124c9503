use adjoin_sandbox::world::identity::TokenDeath;
use reqwest::Method;
use serde_json::json;

use super::{sandbox, strings, targets, text};
use crate::server::Server;

#[tokio::test]
async fn every_way_to_die() {
    let server = sandbox(&[]).await;
    let token = server.facts.access_token.clone();
    for death in TokenDeath::ALL {
        server.scenario(&format!("dead_tokens={death}"));
        let answer = server.me(&token).await;
        let (code, subcode) = answer.code();
        assert_eq!((answer.status, subcode), (400, death.subcode()));
        let debug = server.debug(&token).await;
        assert_eq!((&debug["is_valid"], &debug["error"]["code"]), (&json!(false), &json!(code)));
        assert_eq!(debug["error"]["subcode"].as_i64(), subcode);
        assert_eq!(debug["app_id"], server.facts.app_id);
        let challenge = answer.header("www-authenticate").to_owned();
        assert!(challenge.contains("invalid_token"), "{challenge}");
    }
    server.world.write().unwrap().scenarios.clear("dead_tokens");
    server.me(&token).await.good();
}

#[tokio::test]
async fn unreadable_tokens() {
    let server = sandbox(&[]).await;
    let app_id = &server.facts.app_id;
    for (token, message) in [
        ("EAAnonsense".to_owned(), "Cannot parse access token"),
        (format!("{app_id}|wrong"), "Invalid OAuth access token signature."),
        ("1|x".to_owned(), "Cannot get application info"),
    ] {
        let answer = server.me(&token).await;
        assert_eq!(answer.code(), (190, None));
        assert!(answer.body["error"]["message"].as_str().unwrap().contains(message));
        let debug = server.debug(&token).await;
        assert_eq!((&debug["is_valid"], &debug["scopes"]), (&json!(false), &json!([])));
    }
    assert_eq!(server.as_token(Method::GET, "me", &json!({})).await.code(), (2500, None));
    assert_eq!(server.as_token(Method::GET, &server.facts.page_id, &json!({})).await.code(), (104, None));
}

#[tokio::test]
async fn only_the_app_and_its_developers_may_look_at_a_token() {
    let server = sandbox(&[]).await;
    let yuki = server.id_of("Yuki");
    let page = server.dialog(&[("scope", "ads_read")]).await.set("person", &yuki);
    let code = page.press("continue").await.back()["code"].clone();
    let token = text(&server.exchange(&[("code", &code)]).await.good(), "access_token");
    let look = |by: &str, at: &str| json!({ "access_token": by, "input_token": at });
    let own = &server.facts.access_token;
    server.as_token(Method::GET, "debug_token", &look(own, &token)).await.good();
    assert_eq!(server.as_token(Method::GET, "debug_token", &look(&token, own)).await.code(), (100, None));

    let other = adjoin_sandbox::world::identity::App::new("77", "other secret", "Another app");
    server.world.write().unwrap().identity.apps.insert("77".into(), other);
    let seen = server.as_token(Method::GET, "debug_token", &look("77|other secret", &token)).await.good();
    assert_eq!(seen["data"]["is_valid"], false);
    assert!(seen["data"].get("user_id").is_none(), "nothing of another app's token is told");
}

#[tokio::test]
async fn a_page_token_outlives_its_user_token_but_not_the_role() {
    let server = sandbox(&[]).await;
    let page_id = server.facts.page_id.clone();
    let fields = json!({ "access_token": server.facts.access_token, "fields": "access_token" });
    let token = text(&server.as_token(Method::GET, &page_id, &fields).await.good(), "access_token");
    let debug = server.debug(&token).await;
    assert_eq!((&debug["type"], &debug["profile_id"]), (&json!("PAGE"), &json!(page_id)));
    assert_eq!(debug["expires_at"], 0);
    server.advance(61 * 86_400);
    assert_eq!(server.me(&server.facts.access_token).await.code(), (190, Some(463)));
    server.me(&token).await.good();
    let user = server.facts.user_id.clone();
    server.world.write().unwrap().assets.pages.get_mut(&page_id).unwrap().users.remove(&user);
    assert_eq!(server.me(&token).await.code(), (190, Some(492)));
}

#[tokio::test]
async fn without_access_verification_a_stranger_sees_nothing() {
    let server = sandbox(&["tech_provider_missing"]).await;
    let page = server.dialog(&[("scope", "ads_read")]).await;
    let account = format!("act_{}", page.values("ad_account")[0]);
    let code = page.press("continue").await.back()["code"].clone();
    let token = text(&server.exchange(&[("code", &code)]).await.good(), "access_token");
    assert!(strings(&server.debug(&token).await["scopes"]).contains(&"ads_read"));
    let answer = server.as_token(Method::GET, &account, &json!({ "access_token": token })).await;
    assert_eq!(answer.code(), (100, Some(33)));
    // Who has a role on the app reads on.
    server.get(&server.facts.ad_account_id, json!({})).await.good();
}

/// A system-user token of the first business, everything picked.
pub async fn system_user(server: &Server) -> String {
    let params = [("config_id", server.facts.config_id.as_str()), ("override_default_response_type", "true")];
    let page = server.dialog(&params).await;
    let page = page.follow(&format!("{}?business={}", page.action, server.facts.business_id)).await;
    let code = page.press("continue").await.back()["code"].clone();
    text(&server.exchange(&[("code", &code)]).await.good(), "access_token")
}

#[tokio::test]
async fn system_user_tokens_are_read_minted_and_renewed() {
    let server = sandbox(&[]).await;
    let token = system_user(&server).await;
    let proof = adjoin_sandbox::login::appsecret_proof(&server.facts.app_secret, &token, None);
    let path = format!("{}/system_user_access_tokens", server.facts.business_id);
    let unsigned = json!({ "access_token": token, "fetch_only": true });
    assert_eq!(server.as_token(Method::POST, &path, &unsigned).await.code(), (100, None));
    let signed = |extra: serde_json::Value| {
        let mut params = json!({ "access_token": token, "appsecret_proof": proof });
        params.as_object_mut().unwrap().extend(extra.as_object().unwrap().clone());
        params
    };
    let fetched = server.as_token(Method::POST, &path, &signed(json!({ "fetch_only": true }))).await.good();
    assert_eq!(fetched["access_token"], json!(token));

    let account = server.facts.ad_account_id.clone();
    let bare = account.trim_start_matches("act_");
    let granular = signed(json!({ "asset": [account], "scope": ["ads_read"] }));
    let narrow = text(&server.as_token(Method::POST, &path, &granular).await.good(), "access_token");
    let debug = server.debug(&narrow).await;
    assert_eq!(debug["scopes"], json!(["ads_read"]));
    assert_eq!(targets(&debug, "ads_read"), Some(&json!([bare])));
    let campaign = json!({ "access_token": narrow, "name": "x", "objective": "OUTCOME_TRAFFIC", "special_ad_categories": "[]" });
    assert!(server.as_token(Method::POST, &server.account("campaigns"), &campaign).await.status >= 400);
    for wrong in
        [json!({ "scope": ["pages_messaging"] }), json!({ "asset": ["1"] }), json!({ "system_user_id": "1" })]
    {
        assert_eq!(server.as_token(Method::POST, &path, &signed(wrong)).await.code(), (100, None));
    }

    let sixty = signed(json!({ "set_token_expires_in_60_days": true }));
    let expiring = text(&server.as_token(Method::POST, &path, &sixty).await.good(), "access_token");
    let before = server.debug(&expiring).await["expires_at"].as_i64().unwrap();
    assert!(before > 0);
    server.advance(86_400);
    let renew = [("grant_type", "fb_exchange_token"), ("fb_exchange_token", expiring.as_str())];
    assert_eq!(server.exchange(&renew).await.code(), (100, None));
    let renew = [renew[0], renew[1], ("set_token_expires_in_60_days", "true")];
    let renewed = text(&server.exchange(&renew).await.good(), "access_token");
    assert_eq!(server.debug(&renewed).await["expires_at"].as_i64().unwrap(), before + 86_400);
    server.me(&expiring).await.good();
}

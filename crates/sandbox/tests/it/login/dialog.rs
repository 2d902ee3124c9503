use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

use super::{CALLBACK, SCOPE, sandbox, strings, targets, text};
use crate::server::Answer;

#[tokio::test]
async fn everything_granted_gives_a_code_and_a_token() {
    let server = sandbox(&[]).await;
    let page = server.dialog(&[("scope", SCOPE)]).await;
    assert_eq!(page.status, StatusCode::OK);
    let done = page.press("continue").await;
    assert_eq!(done.status, StatusCode::SEE_OTHER);
    assert_eq!(done.location.as_ref().unwrap().fragment(), Some("_=_"));
    let back = done.back();
    assert_eq!(back["state"], "st/ate+1");
    assert!(!back.contains_key("granted_scopes"));
    let answer = server.exchange(&[("code", &back["code"])]).await.good();
    assert_eq!(answer["token_type"], "bearer");
    assert!(answer["expires_in"].as_i64().unwrap() < 7_201);
    let token = text(&answer, "access_token");
    assert!(token.starts_with("EAA") && token.len() > 100);

    let debug = server.debug(&token).await;
    assert_eq!(debug["app_id"], server.facts.app_id);
    assert_eq!(debug["type"], "USER");
    assert_eq!(debug["is_valid"], true);
    assert_eq!(debug["user_id"], server.id_of("Jonas"));
    for name in SCOPE.split(',').chain(["public_profile"]) {
        assert!(strings(&debug["scopes"]).contains(&name), "{name} in {debug}");
    }
    assert_eq!(server.me(&token).await.good()["name"], "Jonas Okafor");
}

#[tokio::test]
async fn granted_scopes_come_when_asked_for() {
    let server = sandbox(&[]).await;
    let page = server
        .dialog(&[("scope", "ads_read,leads_retrieval"), ("response_type", "code,granted_scopes")])
        .await
        .untick("permission", "leads_retrieval");
    let back = page.press("continue").await.back();
    assert_eq!(back["granted_scopes"], "ads_read,public_profile");
    assert_eq!(back["denied_scopes"], "leads_retrieval");
}

#[tokio::test]
async fn a_declined_permission_is_asked_again_only_on_rerequest() {
    let server = sandbox(&[]).await;
    let yuki = server.id_of("Yuki");
    let first = server.dialog_as(&yuki, &[("scope", SCOPE)]).await;
    let code = first.untick("permission", "pages_manage_ads").press("continue").await.back()["code"].clone();
    let token = text(&server.exchange(&[("code", &code)]).await.good(), "access_token");
    let granted = server.debug(&token).await;
    assert!(!strings(&granted["scopes"]).contains(&"pages_manage_ads"));
    assert!(strings(&granted["scopes"]).contains(&"ads_management"));

    // The sandbox remembers who is signed in: the next dialog opens for the same person.
    let plain = server.dialog(&[("scope", SCOPE)]).await;
    assert_eq!(plain.values("person"), [yuki.as_str()]);
    assert!(plain.values("permission").is_empty(), "the rest was granted, this one is not asked");
    assert!(plain.html.contains("declined before, not asked"));
    plain.set("permission", "pages_manage_ads").press("continue").await.back();
    assert!(!strings(&server.debug(&token).await["scopes"]).contains(&"pages_manage_ads"));

    let again = server.dialog(&[("scope", SCOPE), ("auth_type", "rerequest")]).await;
    assert_eq!(again.values("permission"), ["pages_manage_ads"]);
    again.press("continue").await.back();
    // A consent changes the grant, so the older token has the permission too.
    assert!(strings(&server.debug(&token).await["scopes"]).contains(&"pages_manage_ads"));
}

#[tokio::test]
async fn picked_assets_are_the_target_ids() {
    let server = sandbox(&[]).await;
    let page = server.dialog(&[("scope", "ads_read,ads_management,pages_show_list,pages_manage_ads")]).await;
    assert_eq!(page.values("person"), [server.id_of("Jonas").as_str()]);
    let accounts: Vec<String> = page.values("ad_account").iter().map(|&id| id.to_owned()).collect();
    assert!(accounts.len() > 1);
    let page = page.untick("ad_account", &accounts[0]).set("page_reach", "all");
    let code = page.press("continue").await.back()["code"].clone();
    let token = text(&server.exchange(&[("code", &code)]).await.good(), "access_token");
    let debug = server.debug(&token).await;
    assert_eq!(targets(&debug, "ads_management"), Some(&json!(accounts[1..])));
    assert_eq!(targets(&debug, "pages_manage_ads"), None, "all, now and later: no target_ids");

    let as_jonas = json!({ "access_token": token });
    let left_out = server.as_token(Method::GET, &format!("act_{}", accounts[0]), &as_jonas).await;
    assert_eq!(left_out.code(), (100, Some(33)));
    server.as_token(Method::GET, &format!("act_{}", accounts[1]), &as_jonas).await.good();

    server.scenario("act_prefix");
    let debug = server.debug(&token).await;
    assert_eq!(targets(&debug, "ads_read").unwrap()[0], format!("act_{}", accounts[1]));
}

#[tokio::test]
async fn somebody_elses_assets_cannot_be_granted() {
    let server = sandbox(&[]).await;
    let yuki = server.id_of("Yuki");
    let mine = server.facts.ad_account_id.trim_start_matches("act_").to_owned();
    let page = server.dialog(&[("scope", "ads_read")]).await;
    assert!(page.values("ad_account").contains(&mine.as_str()));
    let code =
        page.set("person", &yuki).set("ad_account", &mine).press("continue").await.back()["code"].clone();
    let token = text(&server.exchange(&[("code", &code)]).await.good(), "access_token");
    assert_eq!(targets(&server.debug(&token).await, "ads_read"), Some(&json!([])));
}

#[tokio::test]
async fn cancel_is_the_one_answer_with_error() {
    let server = sandbox(&[]).await;
    let back = server.dialog(&[("scope", SCOPE)]).await.press("cancel").await;
    let location = back.location.as_ref().unwrap().as_str();
    assert!(location.contains("error_description=Permissions+error"), "{location}");
    let back = back.back();
    assert_eq!(back["error"], "access_denied");
    assert_eq!(back["error_reason"], "user_denied");
    assert_eq!(back["error_code"], "200");
    assert_eq!(back["state"], "st/ate+1");
    assert!(!back.contains_key("code"));
}

#[tokio::test]
async fn a_page_is_good_once() {
    let server = sandbox(&[]).await;
    let page = server.dialog(&[("scope", SCOPE)]).await;
    page.press("continue").await.back();
    assert_eq!(page.press("continue").await.status, StatusCode::GONE);
    let late = server.dialog(&[("scope", SCOPE)]).await;
    server.advance(3601);
    assert_eq!(late.press("continue").await.status, StatusCode::GONE);
}

#[tokio::test]
async fn another_site_cannot_post_the_form() {
    let server = sandbox(&[]).await;
    let page = server.dialog(&[("scope", SCOPE)]).await;
    let url = page.url.join(&page.action).unwrap();
    for (name, value) in [("sec-fetch-site", "cross-site"), ("origin", "https://evil.example")] {
        let request = server.client.post(url.clone()).header(name, value).form(&[("action", "continue")]);
        assert_eq!(Answer::of(request.send().await.unwrap()).await.status, 403);
    }
    page.press("continue").await.back();
}

#[tokio::test]
async fn an_unregistered_address_gets_no_redirect() {
    let server = sandbox(&[]).await;
    for uri in [
        &format!("{CALLBACK}/"),
        &format!("{CALLBACK}?x=1"),
        "http://service.test/connector/callback",
        "https://evil.example/",
    ] {
        let page = server.dialog(&[("scope", SCOPE), ("redirect_uri", uri)]).await;
        assert_eq!((page.status, &page.location), (StatusCode::BAD_REQUEST, &None), "{uri}");
        assert!(page.html.contains("URL blocked") && page.html.contains(CALLBACK));
    }
}

#[tokio::test]
async fn what_a_developer_got_wrong_is_told_on_facebooks_own_page() {
    let server = sandbox(&[]).await;
    let bisu = server.facts.config_id.as_str();
    for (params, expected) in [
        (vec![("client_id", "1")], "Invalid App ID"),
        (vec![("client_id", "")], "client_id is required"),
        (vec![("redirect_uri", "")], "redirect_uri is required"),
        (vec![("scope", "ads_raed")], "Invalid Scopes"),
        (vec![("response_type", "id_token")], "Wrong response type"),
        (vec![("config_id", "1")], "Invalid configuration"),
        (vec![("config_id", bisu)], "override_default_response_type"),
        (
            vec![("config_id", bisu), ("response_type", "token"), ("override_default_response_type", "true")],
            "Wrong response type",
        ),
    ] {
        let page = server.dialog(&params).await;
        assert_eq!((page.status, &page.location), (StatusCode::BAD_REQUEST, &None), "{params:?}");
        assert!(page.html.contains(expected), "{params:?}: {}", page.html);
    }
}

#[tokio::test]
async fn refusals_have_a_code_and_no_error() {
    let server = sandbox(&[]).await;
    let app_id = server.facts.app_id.clone();
    let yuki = server.id_of("Yuki");
    let code_of = |page: super::walk::Page| {
        let back = page.back();
        assert!(!back.contains_key("error") && !back.contains_key("code"), "{back:?}");
        assert!(!back["error_message"].is_empty());
        assert_eq!(back["state"], "st/ate+1");
        back["error_code"].clone()
    };
    // In development only people with a role get through; an invitation alone is not one.
    server.scenario("app_in_development");
    let as_yuki = server.dialog(&[("scope", SCOPE)]).await.set("person", &yuki);
    assert_eq!(code_of(as_yuki.press("continue").await), "1349126");
    let as_developer = server.dialog_as(&server.facts.user_id, &[("scope", SCOPE)]).await;
    assert!(as_developer.press("continue").await.back().contains_key("code"));
    server.world.write().unwrap().identity.apps.get_mut(&app_id).unwrap().invited_testers.push(yuki.clone());
    let as_yuki = server.dialog(&[("scope", SCOPE)]).await.set("person", &yuki);
    assert_eq!(code_of(as_yuki.press("continue").await), "1349245");
    server.world.write().unwrap().scenarios.clear("app_in_development");

    server.world.write().unwrap().identity.apps.get_mut(&app_id).unwrap().permissions.remove("ads_read");
    assert_eq!(code_of(server.dialog(&[("scope", SCOPE)]).await), "1349186");

    for code in ["1349048", "1349168", "191", "1349126", "1349186", "1349220", "1349245"] {
        server.scenario(&format!("dialog_refusal={code}"));
        assert_eq!(code_of(server.dialog(&[("scope", SCOPE)]).await), code);
    }
    server.scenario("stateless_refusals");
    assert!(!server.dialog(&[("scope", SCOPE)]).await.back().contains_key("state"));
}

#[tokio::test]
async fn a_configuration_is_all_or_nothing() {
    let server = sandbox(&["declined=pages_manage_ads"]).await;
    let yuki = server.id_of("Yuki");
    let page = server.dialog(&[("config_id", &server.facts.user_config_id), ("scope", "email")]).await;
    assert!(page.values("permission").is_empty(), "there is nothing to untick");
    let code = page.set("person", &yuki).press("continue").await.back()["code"].clone();
    let token = text(&server.exchange(&[("code", &code)]).await.good(), "access_token");
    let debug = server.debug(&token).await;
    let scopes = strings(&debug["scopes"]);
    for name in ["ads_read", "ads_management", "leads_retrieval", "pages_manage_ads", "public_profile"] {
        assert!(scopes.contains(&name), "{name} in {debug}");
    }
    assert!(!scopes.contains(&"email"), "config_id replaces scope");
}

#[tokio::test]
async fn a_system_user_token_belongs_to_the_portfolio() {
    let server = sandbox(&[]).await;
    let params = [("config_id", server.facts.config_id.as_str()), ("override_default_response_type", "true")];
    let page = server.dialog(&params).await;
    let harbour = server.id_of("Harbour");
    let page =
        page.follow(&format!("{}?person={}&business={harbour}", page.action, server.facts.user_id)).await;
    assert_eq!(page.values("business"), [harbour.as_str()]);
    let account = page.values("ad_account")[0].to_owned();
    let mut page = page;
    page.fields.retain(|(name, value)| name != "ad_account" || *value == account);
    let code = page.press("continue").await.back()["code"].clone();
    let answer = server.exchange(&[("code", &code)]).await.good();
    assert_eq!(answer.get("expires_in"), None, "it never expires");
    let token = text(&answer, "access_token");

    let debug = server.debug(&token).await;
    assert_eq!((&debug["type"], &debug["expires_at"]), (&json!("SYSTEM_USER"), &json!(0)));
    assert!(!strings(&debug["scopes"]).contains(&"public_profile"));
    assert_eq!(targets(&debug, "ads_management"), Some(&json!([account])));
    assert_eq!(targets(&debug, "business_management"), Some(&json!([harbour])));
    let fields = json!({ "access_token": token, "fields": "id,client_business_id" });
    let me = server.as_token(Method::GET, "me", &fields).await.good();
    assert_eq!(me["client_business_id"], Value::String(harbour.clone()));
    assert_eq!(me["id"], debug["user_id"]);
    let read = json!({ "access_token": token, "fields": "name" });
    server.as_token(Method::GET, &format!("act_{account}"), &read).await.good();

    // A second consent of the same portfolio replaces the first.
    let page = server.dialog(&params).await;
    let mut page = page.follow(&format!("{}?business={harbour}", page.action)).await;
    page.fields.retain(|(name, _)| name != "ad_account");
    page.press("continue").await.back();
    assert_eq!(targets(&server.debug(&token).await, "ads_management"), Some(&json!([])));
    assert_eq!(server.as_token(Method::GET, &format!("act_{account}"), &read).await.code(), (100, Some(33)));
}

#[tokio::test]
async fn who_controls_no_portfolio_cannot_grant_for_one() {
    let server = sandbox(&[]).await;
    let params = [("config_id", server.facts.config_id.as_str()), ("override_default_response_type", "true")];
    let page = server.dialog(&params).await.set("person", &server.id_of("Yuki"));
    let again = page.press("continue").await;
    assert_eq!(again.status, StatusCode::BAD_REQUEST);
    assert!(again.html.contains("full control"));
    // The page is still good.
    again.press("cancel").await.back();
}

#[tokio::test]
async fn gates_take_permissions_away_in_silence() {
    let server = sandbox(&["standard_access"]).await;
    let yuki = server.id_of("Yuki");
    let code =
        server.dialog(&[("scope", SCOPE)]).await.set("person", &yuki).press("continue").await.back()["code"]
            .clone();
    let token = text(&server.exchange(&[("code", &code)]).await.good(), "access_token");
    let debug = server.debug(&token).await;
    assert_eq!((strings(&debug["scopes"]), &debug["is_valid"]), (vec!["public_profile"], &json!(true)));

    let params = [
        ("config_id", server.facts.config_id.as_str()),
        ("override_default_response_type", "true"),
        ("auth_nonce", "abc123"),
    ];
    let page = server.dialog(&params).await.set("person", &server.facts.user_id);
    let page = page.set("business", &server.facts.business_id);
    let code = page.press("continue").await.back()["code"].clone();
    let token = text(&server.exchange(&[("code", &code)]).await.good(), "access_token");
    let debug = server.debug(&token).await;
    assert_eq!(debug["scopes"], json!([]), "a system user has no role on the app");
    assert_eq!(debug["metadata"]["auth_nonce"], "abc123");
}

#[tokio::test]
async fn declined_and_nothing_picked_as_scenarios() {
    let server = sandbox(&["declined=ads_management,pages_manage_ads", "nothing_picked"]).await;
    let jonas = server.id_of("Jonas");
    let page = server.dialog(&[("scope", SCOPE)]).await.set("person", &jonas);
    let code = page
        .set("permission", "ads_management")
        .set("ad_account_reach", "all")
        .press("continue")
        .await
        .back()["code"]
        .clone();
    let token = text(&server.exchange(&[("code", &code)]).await.good(), "access_token");
    let rows = server.as_token(Method::GET, "me/permissions", &json!({ "access_token": token })).await.good();
    let declined = rows["data"].as_array().unwrap().iter().filter(|r| r["status"] == "declined").count();
    assert_eq!(declined, 5 - strings(&server.debug(&token).await["scopes"]).len() + 1);
    assert!(!strings(&server.debug(&token).await["scopes"]).contains(&"ads_management"));
}

#[tokio::test]
async fn a_token_comes_in_the_fragment() {
    let server = sandbox(&[]).await;
    let done =
        server.dialog(&[("scope", "ads_read"), ("response_type", "token")]).await.press("continue").await;
    let location = done.location.as_ref().unwrap();
    assert_eq!(location.query(), None);
    let fragment: std::collections::BTreeMap<String, String> =
        url::form_urlencoded::parse(location.fragment().unwrap().as_bytes()).into_owned().collect();
    assert_eq!(fragment["state"], "st/ate+1");
    assert_eq!(server.debug(&fragment["access_token"]).await["is_valid"], true);
}

//! Versions, and the protocol of before 27 October 2026.

use adjoin_sandbox::Options;
use serde_json::json;

use crate::server::{Answer, Server, ad_set};

async fn get(server: &Server, path: &str, query: &[(&str, &str)]) -> Answer {
    let request = server.client.get(server.url(path)).query(query).bearer_auth(&server.facts.access_token);
    Answer::of(request.send().await.unwrap()).await
}

#[tokio::test]
async fn ended_versions_are_upgraded_or_refused() {
    let server = Server::start().await;
    let campaigns = server.account("campaigns");
    let upgraded = get(&server, &format!("v23.0/{campaigns}"), &[]).await;
    assert_eq!(upgraded.header("facebook-api-version"), "v25.0");
    assert_eq!(
        upgraded.header("x-ad-api-version-warning"),
        "The call has been auto-upgraded to v25.0 as v23.0 has been deprecated"
    );
    assert_eq!(upgraded.good(), json!({ "data": [] }));
    let live = get(&server, &format!("v25.0/{campaigns}"), &[]).await;
    assert_eq!((live.header("facebook-api-version"), live.header("x-ad-api-version-warning")), ("v25.0", ""));
    assert_eq!(get(&server, &campaigns, &[]).await.code().0, 2635, "Marketing calls need a version");
    assert_eq!(get(&server, "me", &[]).await.status, 200, "other Graph calls do not");
    assert_eq!(get(&server, &format!("v99.0/{campaigns}"), &[]).await.code().0, 2500);

    let strict = Server::with(Options { strict_versions: true, ..Options::default() }).await;
    assert_eq!(get(&strict, &format!("v24.0/{campaigns}"), &[]).await.code().0, 2635);
    assert_eq!(get(&strict, &format!("v25.0/{campaigns}"), &[]).await.status, 200);
}

#[tokio::test]
async fn the_removals_of_october_2026() {
    let server = Server::start().await;
    let id = server.campaign("C").await;
    let plain = get(&server, &format!("v25.0/{id}"), &[("pretty", "1"), ("debug", "all")]).await;
    assert_eq!(plain.header("etag"), "");
    assert_eq!(plain.good(), json!({ "id": id }));
    assert_eq!(get(&server, &format!("v25.0/{id}"), &[("date_format", "U")]).await.code().0, 100);
    assert_eq!(get(&server, "v25.0/", &[("ids", &id)]).await.status, 400);
}

#[tokio::test]
async fn the_messenger_placement_story_is_stripped_without_a_word() {
    let targeting = |messenger: &[&str]| {
        let mut set = ad_set("");
        set["targeting"]["publisher_platforms"] = json!(["facebook", "messenger"]);
        set["targeting"]["messenger_positions"] = json!(messenger);
        set["targeting"].clone()
    };
    for (legacy_protocol, version, kept) in [
        (false, "v26.0", json!(["sponsored_messages"])),
        (false, "v25.0", json!(["sponsored_messages"])),
        (true, "v26.0", json!(["sponsored_messages"])),
        (true, "v25.0", json!(["story", "sponsored_messages"])),
    ] {
        let server = Server::with(Options { legacy_protocol, ..Options::default() }).await;
        let campaign = server.campaign("C").await;
        let mut set = ad_set(&campaign);
        set["targeting"] = targeting(&["story", "sponsored_messages"]);
        let post = async |path: &str, params: &serde_json::Value| {
            let request = server.client.post(server.url(&format!("{version}/{path}"))).json(params);
            Answer::of(request.bearer_auth(&server.facts.access_token).send().await.unwrap()).await.good()
        };
        let id = post(&server.account("adsets"), &set).await["id"].as_str().unwrap().to_owned();
        let positions = async || {
            let read = get(&server, &format!("{version}/{id}"), &[("fields", "targeting")]).await.good();
            read["targeting"]["messenger_positions"].clone()
        };
        assert_eq!(positions().await, kept, "{version} {legacy_protocol}");
        post(&id, &json!({ "targeting": targeting(&["story", "sponsored_messages"]) })).await;
        assert_eq!(positions().await, kept, "changed, {version} {legacy_protocol}");
        if kept == json!(["sponsored_messages"]) {
            post(&id, &json!({ "targeting": targeting(&["story"]) })).await;
            assert!(positions().await.is_null(), "nothing is left of it");
        }
    }
}

#[tokio::test]
async fn the_switch_brings_the_older_protocol_back() {
    let server = Server::with(Options { legacy_protocol: true, ..Options::default() }).await;
    let id = server.campaign("C").await;
    let path = format!("v25.0/{id}");
    let dated = get(&server, &path, &[("date_format", "U"), ("fields", "created_time")]).await.good();
    assert!(dated["created_time"].is_i64(), "{dated}");
    let debugged = get(&server, &path, &[("debug", "all")]).await.good();
    assert!(debugged["__debug__"].is_object());
    let many = get(&server, "v25.0/", &[("ids", &format!("{id},{}", server.facts.page_id))]).await.good();
    assert_eq!(many[&id]["id"], id);
    let pretty = server
        .client
        .get(server.url(&path))
        .query(&[("pretty", "1")])
        .bearer_auth(&server.facts.access_token);
    assert!(pretty.send().await.unwrap().text().await.unwrap().contains("\n  \"id\""));

    let first = get(&server, &path, &[]).await;
    let tag = first.header("etag").to_owned();
    assert!(!tag.is_empty());
    let again = server
        .client
        .get(server.url(&path))
        .bearer_auth(&server.facts.access_token)
        .header("If-None-Match", tag);
    assert_eq!(again.send().await.unwrap().status(), 304);
    let newest = get(&server, &format!("v26.0/{id}"), &[("date_format", "U")]).await;
    assert_eq!(newest.status, 400, "v26.0 never had them");
}

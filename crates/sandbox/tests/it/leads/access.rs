//! Every cause for which leads cannot be read.

use serde_json::{Value, json};

use crate::server::Server;

async fn has_access(server: &Server) -> Value {
    let fields = json!({ "fields": "has_lead_access{can_access_lead,app_has_leads_permission,user_has_leads_permission,enabled_lead_access_manager,is_page_admin,failure_reason,failure_resolution,user_id}" });
    server.page_gets(&server.facts.page_id, fields).await.good()["has_lead_access"].clone()
}

#[tokio::test]
async fn without_access_leads_do_not_exist_and_the_page_says_why() {
    let server = Server::start().await;
    let id = server.submit(json!({})).await.remove(0);
    let good = has_access(&server).await;
    assert_eq!((&good["can_access_lead"], &good["is_page_admin"]), (&json!(true), &json!(true)));
    assert_eq!(good["user_id"], server.facts.user_id);
    assert!(good.get("failure_reason").is_none());
    let other_page = "leads_access_manager=1".to_owned();
    let this_page = format!("leads_access_manager={}", server.facts.page_id);
    for (scenario, cause) in [
        ("leads_permission_missing", "user_has_leads_permission"),
        (this_page.as_str(), "enabled_lead_access_manager"),
        ("leads_access_manager", "enabled_lead_access_manager"),
        ("app_in_development", "app_has_leads_permission"),
        ("task_missing=ADVERTISE", "is_page_admin"),
    ] {
        server.scenario(scenario);
        let lead = server.page_gets(&id, json!({})).await;
        assert_eq!(lead.code(), (100, Some(33)), "{scenario}");
        let message = lead.body["error"]["message"].as_str().unwrap();
        assert!(
            message.starts_with(&format!("Unsupported get request. Object with ID '{id}' does not exist")),
            "{message}"
        );
        let leads = server.page_gets(&server.form("leads"), json!({})).await;
        assert_eq!(leads.code(), (100, Some(33)), "{scenario}");
        let access = has_access(&server).await;
        assert_eq!(access["can_access_lead"], false, "{scenario}");
        assert!(access["failure_resolution"].as_str().unwrap().len() > 10);
        assert_eq!(access[cause], json!(cause == "enabled_lead_access_manager" || cause == "is_page_admin"));
        server.no_scenarios();
        server.page_gets(&id, json!({})).await.good();
    }
    server.scenario(&other_page);
    server.page_gets(&id, json!({})).await.good();
}

#[tokio::test]
async fn page_tokens_die_alone() {
    let server = Server::start().await;
    let token = server.page_token().await;
    server.scenario("dead_page_tokens=460");
    let read = server.get(&server.form("leads"), json!({ "access_token": token })).await;
    assert_eq!(read.code(), (190, Some(460)));
    server.get("me", json!({})).await.good();
}

#[tokio::test]
async fn some_leads_are_gone_and_stay_gone() {
    let server = Server::start().await;
    let ids = server.submit(json!({ "count": 200 })).await;
    server.scenario("leads_gone=20");
    let gone = async || {
        let page =
            server.page_gets(&server.form("leads"), json!({ "limit": 1000, "fields": "id" })).await.good();
        let left = super::ids(&page).into_iter().map(str::to_owned).collect::<Vec<_>>();
        ids.iter().filter(|id| !left.contains(id)).cloned().collect::<Vec<_>>()
    };
    let first = gone().await;
    assert!((10..=80).contains(&first.len()), "{}", first.len());
    assert_eq!(gone().await, first);
    assert_eq!(server.page_gets(&first[0], json!({})).await.code(), (100, Some(33)));
    assert_eq!(has_access(&server).await["can_access_lead"], true);
}

#[tokio::test]
async fn leads_have_a_throttle_of_their_own() {
    let server = Server::start().await;
    let token = server.page_token().await;
    let page = server.facts.page_id.clone();
    let read = async || server.get(&server.form("leads"), json!({ "access_token": token })).await;
    let usage: Value = serde_json::from_str(read().await.header("x-business-use-case-usage")).unwrap();
    assert_eq!((&usage[&page][0]["type"], &usage[&page][0]["call_count"]), (&json!("leadgen"), &json!(0)));
    server.scenario("leads_throttled");
    let refused = read().await;
    assert_eq!((refused.status, refused.code()), (400, (80_005, None)));
    let usage: Value = serde_json::from_str(refused.header("x-business-use-case-usage")).unwrap();
    assert_eq!(usage[&page][0]["type"], "leadgen");
    assert_eq!(usage[&page][0]["call_count"], 100);
    assert!(usage[&page][0]["estimated_time_to_regain_access"].as_i64().unwrap() > 0);
    server.get(&server.account("campaigns"), json!({})).await.good();

    server.scenario("leads_throttled=50");
    let mut refused = 0;
    for _ in 0..40 {
        refused += u32::from(read().await.status == 400);
    }
    assert!((5..=35).contains(&refused), "{refused}");
}

#[tokio::test]
async fn some_calls_fail() {
    let server = Server::start().await;
    server.scenario("failing=50");
    let mut seen = std::collections::BTreeMap::<u16, u32>::new();
    for _ in 0..60 {
        *seen.entry(server.get("me", json!({})).await.status).or_default() += 1;
    }
    assert!([200, 500, 503].iter().all(|status| seen.contains_key(status)), "{seen:?}");
}

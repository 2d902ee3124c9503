//! Rate limits over HTTP.

use adjoin_sandbox::Options;
use serde_json::{Value, json};

use crate::server::Server;

#[tokio::test]
async fn the_limited_tier_throttles_with_400_and_tells_its_usage() {
    let server = Server::with(Options { scenarios: vec!["tier=limited".into()], ..Options::default() }).await;
    let mut throttled = None;
    for _ in 0..100 {
        let answer = server.get(&server.account("campaigns"), json!({})).await;
        if answer.status != 200 {
            throttled = Some(answer);
            break;
        }
    }
    let throttled = throttled.expect("sixty points are soon used up");
    assert_eq!((throttled.status, throttled.code()), (400, (17, Some(2_446_079))));
    let usage: Value = serde_json::from_str(throttled.header("x-ad-account-usage")).unwrap();
    assert_eq!(usage["ads_api_access_tier"], "development_access");
    assert!(usage["acc_id_util_pct"].as_f64().unwrap() > 99.0, "{usage}");
    assert_eq!(server.get("me", json!({})).await.status, 200, "other calls have other meters");
    server.world.write().unwrap().clock.advance(jiff::SignedDuration::from_secs(301));
    assert_eq!(server.get(&server.account("campaigns"), json!({})).await.status, 200);
}

#[tokio::test]
async fn every_batch_item_counts() {
    let server = Server::with(Options { scenarios: vec!["tier=limited".into()], ..Options::default() }).await;
    let item = json!({ "relative_url": server.account("campaigns") });
    let batch = json!({ "batch": vec![item; 50] });
    let first = server.post("", batch.clone()).await.good();
    assert!(first.as_array().unwrap().iter().all(|item| item["code"] == 200));
    let second = server.post("", batch).await.good();
    let refused = second.as_array().unwrap().iter().filter(|item| item["code"] == 400).count();
    assert!(refused >= 39, "{refused}");
}

#[tokio::test]
async fn an_ad_sets_budget_changes_four_times_an_hour() {
    let server = Server::start().await;
    let campaign = server.campaign("C").await;
    let set = server.ad_set(&campaign).await;
    for budget in 0..4 {
        server.post(&set, json!({ "daily_budget": 3000 + budget })).await.good();
    }
    let refused = server.post(&set, json!({ "daily_budget": 4000 })).await;
    assert_eq!(refused.code(), (613, Some(1_487_632)));
    server.post(&set, json!({ "name": "Still allowed" })).await.good();
    server.world.write().unwrap().clock.advance(jiff::SignedDuration::from_hours(1));
    server.post(&set, json!({ "daily_budget": 4000 })).await.good();
}

#[tokio::test]
async fn only_a_budget_that_changes_counts() {
    let server = Server::start().await;
    let campaign = server.campaign("C").await;
    let set = server.ad_set(&campaign).await;
    for _ in 0..6 {
        let only_asked = json!({ "daily_budget": 3000, "execution_options": ["validate_only"] });
        server.post(&set, only_asked).await.good();
        server.post(&set, json!({ "daily_budget": 2000 })).await.good();
        assert_eq!(server.post(&set, json!({ "daily_budget": "much" })).await.code().0, 100);
        assert_eq!(server.post(&set, json!({ "daily_budget": 1 })).await.code(), (100, Some(1_885_272)));
    }
    for budget in 0..4 {
        server.post(&set, json!({ "daily_budget": 3000 + budget })).await.good();
    }
    assert_eq!(server.post(&set, json!({ "daily_budget": 4000 })).await.code(), (613, Some(1_487_632)));
    server.delete(&set).await.good();
    assert_eq!(server.post(&set, json!({ "daily_budget": 4000 })).await.code(), (100, Some(1_487_056)));
}

#[tokio::test]
async fn a_spend_cap_changes_ten_times_a_day() {
    let server = Server::start().await;
    for cap in 0..10 {
        server.post(&server.facts.ad_account_id, json!({ "spend_cap": 500 + cap })).await.good();
    }
    let refused = server.post(&server.facts.ad_account_id, json!({ "spend_cap": 900 })).await;
    assert_eq!(refused.code(), (17, Some(1_885_172)));
    let read = server.get(&server.facts.ad_account_id, json!({ "fields": "spend_cap" })).await.good();
    assert_eq!(read["spend_cap"], "50900", "written in dollars, read in cents");
}

#[tokio::test]
async fn faults_strike_and_pass() {
    let server =
        Server::with(Options { scenarios: vec!["unavailable=1".into()], ..Options::default() }).await;
    let down = server.get("me", json!({})).await;
    assert_eq!((down.status, down.code().0), (503, 2));
    assert_eq!(down.body["error"]["is_transient"], true);
    assert_eq!(server.get("me", json!({})).await.status, 200);
}

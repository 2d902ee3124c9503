//! A filled account.

use adjoin_sandbox::{Fill, Options};
use serde_json::json;

use crate::server::Server;

#[tokio::test]
async fn the_same_numbers_fill_the_same_world() {
    let options = || Options { fill: Fill { campaigns: 3, ad_sets: 9, ads: 90 }, ..Options::default() };
    let (one, two) = (Server::with(options()).await, Server::with(options()).await);
    assert_eq!(one.facts.access_token, two.facts.access_token);
    let params = json!({ "fields": "name,effective_status,adset{name,campaign{name}}", "limit": 100, "summary": true });
    let first = one.get(&one.account("ads"), params.clone()).await.good();
    let second = two.get(&two.account("ads"), params).await.good();
    assert_eq!(first["data"], second["data"]);
    assert_eq!(first["summary"]["total_count"], 90);
    let other = Server::with(Options { seed: Some(7), ..Options::default() }).await;
    assert_ne!(one.facts.app_secret, other.facts.app_secret);
    // Filled objects share their fields until one is changed.
    let ads = first["data"].as_array().unwrap();
    let set = |i: usize| ads[i]["adset"]["id"].as_str().unwrap();
    one.post(set(0), json!({ "daily_budget": 777 })).await.good();
    let others = one.get(set(1), json!({ "fields": "daily_budget" })).await.good();
    assert_eq!(others["daily_budget"], "2000");
}

#[tokio::test]
async fn ads_bring_their_parents() {
    let server =
        Server::with(Options { fill: Fill { ads: 2, ..Fill::default() }, ..Options::default() }).await;
    for (edge, count) in [("campaigns", 1), ("adsets", 1), ("ads", 2)] {
        let list = server.get(&server.account(edge), json!({})).await.good();
        assert_eq!(list["data"].as_array().unwrap().len(), count, "{edge}");
    }
}

#[tokio::test]
async fn too_much_at_once_is_refused() {
    let fill = Fill { campaigns: 1, ad_sets: 10, ads: 30_000 };
    let server = Server::with(Options { fill, ..Options::default() }).await;
    let fields = json!({ "fields": "adsets.limit(1000){ads.limit(1000){adset{campaign{name}}}}" });
    let campaigns = server.get(&server.account("campaigns"), fields).await;
    assert_eq!((campaigns.status, campaigns.code().0), (500, 1));
    assert!(
        campaigns.body["error"]["message"].as_str().unwrap().starts_with("Please reduce the amount of data")
    );
}

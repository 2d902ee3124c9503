//! Cursors and self-contained links.

use serde_json::{Value, json};

use crate::server::{Answer, Server};

async fn follow(server: &Server, page: &Value, direction: &str) -> Value {
    let url = page["paging"][direction].as_str().unwrap_or_else(|| panic!("{direction} in {page}"));
    // Followed as it stands: nothing is added.
    Answer::of(server.client.get(url).send().await.unwrap()).await.good()
}

fn names(page: &Value) -> Vec<&str> {
    page["data"].as_array().unwrap().iter().map(|row| row["name"].as_str().unwrap()).collect()
}

#[tokio::test]
async fn forth_and_back_through_objects() {
    let server = Server::start().await;
    for i in 0..7 {
        server.campaign(&format!("C{i}")).await;
    }
    let params = json!({ "fields": "name", "limit": 3, "summary": "total_count" });
    let first = server.get(&server.account("campaigns"), params).await.good();
    assert_eq!(names(&first), ["C6", "C5", "C4"]);
    assert_eq!(first["summary"]["total_count"], 7);
    assert!(first["paging"].get("previous").is_none());
    let second = follow(&server, &first, "next").await;
    assert_eq!(names(&second), ["C3", "C2", "C1"]);
    let third = follow(&server, &second, "next").await;
    assert_eq!(names(&third), ["C0"]);
    assert!(third["paging"].get("next").is_none());
    assert!(third["paging"]["cursors"]["after"].is_string(), "the last page has cursors too");
    let back = follow(&server, &third, "previous").await;
    assert_eq!(names(&back), ["C3", "C2", "C1"]);
    let back = follow(&server, &back, "previous").await;
    assert_eq!(names(&back), ["C6", "C5", "C4"]);
    assert!(back["paging"].get("previous").is_none());

    let broken = server.get(&server.account("campaigns"), json!({ "after": "nonsense" })).await;
    assert_eq!(broken.code().0, 100);
}

#[tokio::test]
async fn a_page_has_25_rows_unless_asked_otherwise() {
    let server = Server::start().await;
    for i in 0..26 {
        server.campaign(&format!("C{i}")).await;
    }
    let page = server.get(&server.account("campaigns"), json!({})).await.good();
    assert_eq!(page["data"].as_array().unwrap().len(), 25);
    let page = server.get(&server.account("campaigns"), json!({ "limit": 100_000 })).await.good();
    assert_eq!(page["data"].as_array().unwrap().len(), 26);
    let account = json!({ "fields": "campaigns.limit(2){name}" });
    let nested = server.get(&server.facts.ad_account_id, account).await.good();
    let next = follow(&server, &nested["campaigns"], "next").await;
    assert_eq!(names(&next), ["C23", "C22"]);
}

#[tokio::test]
async fn rows_that_are_not_objects_page_too() {
    let server = Server::start().await;
    let first = server.get("me/adaccounts", json!({ "fields": "name", "limit": 2 })).await.good();
    let second = follow(&server, &first, "next").await;
    assert_eq!(names(&second), ["Mara's own"]);
    let back = follow(&server, &second, "previous").await;
    assert_eq!(names(&back), names(&first));
}

#[tokio::test]
async fn insights_cursors_are_row_indices() {
    let fill = adjoin_sandbox::Fill { campaigns: 4, ad_sets: 8, ads: 16 };
    let server = Server::with(adjoin_sandbox::Options { fill, ..Default::default() }).await;
    let params =
        json!({ "level": "ad", "fields": "ad_id,impressions,spend", "limit": 2, "date_preset": "last_7d" });
    let page = server.get(&server.account("insights"), params).await.good();
    assert_eq!(page["paging"]["cursors"], json!({ "before": "MAZDZD", "after": "MQZDZD" }));
    let next = follow(&server, &page, "next").await;
    assert_eq!(next["paging"]["cursors"]["before"], "MgZDZD");

    let sum = async |level: &str| {
        let params =
            json!({ "level": level, "fields": "impressions", "limit": 500, "date_preset": "last_7d" });
        let page = server.get(&server.account("insights"), params).await.good();
        let rows = page["data"].as_array().unwrap().iter();
        rows.map(|row| row["impressions"].as_str().unwrap().parse::<u64>().unwrap()).sum::<u64>()
    };
    let total = sum("account").await;
    assert!(total > 0);
    assert_eq!((sum("campaign").await, sum("adset").await, sum("ad").await), (total, total, total));
    let old = json!({ "time_range": { "since": "2020-01-01", "until": "2020-01-02" } });
    assert_eq!(server.get(&server.account("insights"), old).await.code().0, 3018);
}

#[tokio::test]
async fn reports_run_in_their_own_time() {
    let fill = adjoin_sandbox::Fill { campaigns: 2, ad_sets: 4, ads: 8 };
    let server = Server::with(adjoin_sandbox::Options { fill, ..Default::default() }).await;
    let params = json!({ "level": "ad", "fields": ["ad_id", "spend"], "date_preset": "last_7d" });
    let run = server.post(&server.account("insights"), params.clone()).await.good();
    let id = run["report_run_id"].as_str().unwrap();
    let status = async || {
        let run = server.get(id, json!({ "fields": "async_status,async_percent_completion" })).await.good();
        (run["async_status"].as_str().unwrap().to_owned(), run["async_percent_completion"].as_i64().unwrap())
    };
    assert!(status().await.1 < 100);
    assert_eq!(server.get(&format!("{id}/insights"), json!({})).await.status, 400);
    server.world.write().unwrap().clock.advance(jiff::SignedDuration::from_secs(4));
    assert_eq!(status().await, ("Job Completed".to_owned(), 100));
    let rows = server.get(&format!("{id}/insights"), json!({ "limit": 2 })).await.good();
    let direct = server.get(&server.account("insights"), params).await.good();
    assert_eq!(rows["data"].as_array().unwrap()[..], direct["data"].as_array().unwrap()[..2]);
    let next = follow(&server, &rows, "next").await;
    assert_eq!(next["data"][0], direct["data"][2]);
    server.world.write().unwrap().scenarios.set("report_failure".parse().unwrap());
    let failed = server.get(id, json!({})).await.good();
    assert_eq!(
        (&failed["async_status"], &failed["error_subcode"]),
        (&json!("Job Failed"), &json!(1_504_038))
    );
    assert_eq!(server.get(&format!("{id}/insights"), json!({})).await.status, 400);
    server.world.write().unwrap().scenarios.clear("report_failure");
    server.world.write().unwrap().clock.advance(jiff::SignedDuration::from_hours(31 * 24));
    assert_eq!(server.get(&format!("{id}/insights"), json!({})).await.code(), (100, Some(33)));
}

//! Insights: parts, order, filters and columns.

use serde_json::{Value, json};

use crate::server::Server;

async fn filled() -> Server {
    let fill = adjoin_sandbox::Fill { campaigns: 4, ad_sets: 8, ads: 16 };
    Server::with(adjoin_sandbox::Options { fill, ..Default::default() }).await
}

async fn rows(server: &Server, more: Value) -> Vec<Value> {
    let mut params = json!({ "date_preset": "last_7d", "limit": 500 });
    for (name, value) in more.as_object().unwrap() {
        params[name] = value.clone();
    }
    let answer = server.get(&server.account("insights"), params).await.good();
    answer["data"].as_array().unwrap().clone()
}

fn sum(rows: &[Value], column: &str) -> f64 {
    rows.iter().map(|row| row[column].as_str().unwrap().parse::<f64>().unwrap()).sum()
}

#[tokio::test]
async fn parts_add_up_and_differ() {
    let server = filled().await;
    let fields = "impressions,clicks,inline_link_clicks,spend";
    let whole = rows(&server, json!({ "fields": fields })).await;
    for (breakdowns, level, least) in [
        (json!(["age"]), "account", 6),
        (json!(["gender"]), "campaign", 3),
        (json!(["age", "gender"]), "adset", 18),
        (json!(["country"]), "account", 1),
        (json!("publisher_platform"), "ad", 2),
        (json!(["publisher_platform", "platform_position"]), "account", 4),
    ] {
        let parts =
            rows(&server, json!({ "fields": fields, "level": level, "breakdowns": breakdowns })).await;
        assert!(parts.len() >= least, "{breakdowns}: {parts:#?}");
        for column in ["impressions", "clicks", "inline_link_clicks"] {
            assert!((sum(&parts, column) - sum(&whole, column)).abs() < 0.5, "{breakdowns} {column}");
        }
        assert!((sum(&parts, "spend") - sum(&whole, "spend")).abs() < 0.01 * 500.0);
        let names = if let Some(one) = breakdowns.as_str() {
            vec![one.to_owned()]
        } else {
            breakdowns.as_array().unwrap().iter().map(|name| name.as_str().unwrap().to_owned()).collect()
        };
        assert!(parts.iter().all(|row| names.iter().all(|name| row[name].is_string())), "{parts:#?}");
    }
    let ages = rows(&server, json!({ "fields": fields, "breakdowns": "age" })).await;
    assert_ne!(ages[0]["impressions"], ages[1]["impressions"]);
    let again = rows(&server, json!({ "fields": fields, "breakdowns": "age" })).await;
    assert_eq!(ages, again);
}

#[tokio::test]
async fn what_meta_answers_with_nothing_or_refuses() {
    let server = filled().await;
    assert_eq!(rows(&server, json!({ "breakdowns": "impression_device" })).await, [] as [Value; 0]);
    let ask = async |params: Value| server.get(&server.account("insights"), params).await;
    assert_eq!(ask(json!({ "breakdowns": ["age", "country"] })).await.code().0, 100);
    assert_eq!(ask(json!({ "breakdowns": ["platform_position"] })).await.code().0, 100);
    assert_eq!(ask(json!({ "breakdowns": "dma" })).await.code().0, 100);
    for unknown in [
        json!({ "breakdowns": "product_id" }),
        json!({ "action_breakdowns": "action_device" }),
        json!({ "action_attribution_windows": "skan_view" }),
        json!({ "fields": "canvas_avg_view_time" }),
    ] {
        assert_eq!(ask(unknown.clone()).await.status, 501, "{unknown}");
    }
}

#[tokio::test]
async fn rows_are_sorted_and_filtered() {
    let server = filled().await;
    let all = rows(&server, json!({ "level": "ad", "fields": "ad_id,adset_id,campaign_id,spend" })).await;
    let sorted =
        rows(&server, json!({ "level": "ad", "fields": "ad_id", "sort": ["spend_descending"] })).await;
    let mut expected: Vec<(f64, &str)> = all
        .iter()
        .map(|row| (row["spend"].as_str().unwrap().parse().unwrap(), row["ad_id"].as_str().unwrap()))
        .collect();
    expected.sort_by(|one, other| other.0.total_cmp(&one.0));
    let ids = |rows: &[Value]| rows.iter().map(|row| row["ad_id"].clone()).collect::<Vec<_>>();
    assert_eq!(ids(&sorted)[0], expected[0].1);
    assert!(sorted[0].get("spend").is_none(), "only what was asked for");

    let median = expected[expected.len() / 2].0;
    let above = json!([{ "field": "spend", "operator": "GREATER_THAN", "value": median }]);
    let dear = rows(&server, json!({ "level": "ad", "fields": "ad_id,spend", "filtering": above })).await;
    assert_eq!(dear.len(), expected.iter().filter(|(spend, _)| *spend > median).count());

    let campaign = &all[0]["campaign_id"];
    let of_campaign = json!([{ "field": "campaign.id", "operator": "IN", "value": [campaign] }]);
    let some =
        rows(&server, json!({ "level": "ad", "fields": "campaign_id", "filtering": of_campaign })).await;
    assert!(!some.is_empty() && some.len() < all.len());
    assert!(some.iter().all(|row| row["campaign_id"] == *campaign));
    let wrong = json!({ "filtering": [{ "field": "spend", "operator": "LIKE", "value": 1 }] });
    assert_eq!(server.get(&server.account("insights"), wrong).await.code().0, 100);
    assert_eq!(server.get(&server.account("insights"), json!({ "sort": "spend" })).await.code().0, 100);
}

#[tokio::test]
async fn several_ranges_are_several_rows() {
    let server = filled().await;
    let today = jiff::tz::TimeZone::UTC.to_datetime(server.world.read().unwrap().clock.now()).date();
    let day = |ago: i64| today.saturating_sub(jiff::Span::new().days(ago)).to_string();
    let ranges = json!([
        { "since": day(8), "until": day(5) }, { "since": day(4), "until": day(2) },
    ]);
    let both = rows(&server, json!({ "fields": "impressions", "time_ranges": ranges })).await;
    assert_eq!((both.len(), &both[1]["date_start"]), (2, &json!(day(4))));
    let bad = json!({ "time_ranges": [{ "since": "soon" }] });
    assert_eq!(server.get(&server.account("insights"), bad).await.code().0, 100);
}

/// What `get_insights` of published MCP servers asks for when it is told nothing else.
#[tokio::test]
async fn the_usual_columns_are_answered() {
    let server = filled().await;
    let usual = "account_id,account_name,campaign_id,campaign_name,adset_id,adset_name,ad_id,ad_name,impressions,\
                 clicks,spend,cpc,cpm,ctr,reach,frequency,actions,action_values,conversions,conversion_values,\
                 unique_clicks,cost_per_action_type,cost_per_conversion,purchase_roas,outbound_clicks,\
                 quality_ranking,video_p25_watched_actions";
    let asked = json!({
        "level": "ad", "fields": usual, "action_attribution_windows": ["1d_view", "7d_click"],
        "action_breakdowns": ["action_type"],
    });
    let rows = rows(&server, asked).await;
    for row in &rows {
        for column in ["unique_clicks", "cost_per_action_type", "outbound_clicks", "quality_ranking"] {
            assert!(!row[column].is_null(), "{column} {row}");
        }
        let clicks = &row["actions"][0];
        let number = |key: &str| clicks[key].as_str().unwrap().parse::<u64>().unwrap();
        assert_eq!(clicks["action_type"], "link_click");
        assert!(number("7d_click") <= number("value") && number("1d_view") <= number("value"));
    }
}

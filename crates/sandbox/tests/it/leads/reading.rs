//! Leads: what is told, what is found, how long.

use reqwest::Method;
use serde_json::{Value, json};

use super::ids;
use crate::server::{Answer, Server};

const ALL: &str = "created_time,ad_id,ad_name,adset_id,adset_name,campaign_id,campaign_name,form_id,field_data,custom_disclaimer_responses,is_organic,platform,post_submission_check_result";

#[tokio::test]
async fn a_lead_tells_little_by_default_and_all_by_name() {
    let server = Server::start().await;
    let answers = json!({ "full_name": "Zoë Müller", "email": "zoe@example.com", "monthly_volume": ["up_to_10_kg", "over_50_kg"], "phone_number": [] });
    let consents = json!({ "terms": true, "newsletter": false });
    let id =
        server.submit(json!({ "answers": answers, "consents": consents, "platform": "ig" })).await.remove(0);
    assert!((15..=17).contains(&id.len()), "{id}");

    let lead = server.page_gets(&id, json!({})).await.good();
    let mut names: Vec<&String> = lead.as_object().unwrap().keys().collect();
    names.sort_unstable();
    assert_eq!(names, ["created_time", "field_data", "id"]);
    assert_eq!(lead["field_data"][0], json!({ "name": "full_name", "values": ["Zoë Müller"] }));
    assert_eq!(lead["field_data"][2]["values"], json!(["up_to_10_kg", "over_50_kg"]));
    assert_eq!(lead["field_data"][3]["values"], json!([]));

    let lead = server.page_gets(&id, json!({ "fields": ALL })).await.good();
    assert_eq!(
        lead["custom_disclaimer_responses"],
        json!([{ "checkbox_key": "terms", "is_checked": "1" }, { "checkbox_key": "newsletter", "is_checked": "" }])
    );
    assert_eq!((&lead["is_organic"], &lead["platform"]), (&json!(true), &json!("ig")));
    assert_eq!(lead["form_id"], server.facts.form_id);
    assert!(lead.get("ad_id").is_none(), "organic: {lead}");
    assert_eq!(server.page_gets(&id, json!({ "fields": "nonsense" })).await.code().0, 100);

    assert_eq!(server.as_page(Method::DELETE, &id, json!({})).await.good(), json!({ "success": true }));
    assert_eq!(server.page_gets(&id, json!({})).await.code(), (100, Some(33)));
}

#[tokio::test]
async fn a_lead_of_an_ad_names_it_to_those_who_advertise() {
    let server = Server::start().await;
    let ad = server.lead_ad().await;
    let id = server.submit(json!({ "is_organic": false })).await.remove(0);
    let lead = server.page_gets(&id, json!({ "fields": ALL })).await.good();
    assert_eq!((&lead["ad_id"], &lead["ad_name"]), (&json!(ad), &json!("Ad")));
    assert_eq!((&lead["adset_name"], &lead["campaign_name"]), (&json!("Lead set"), &json!("Leads")));
    assert_eq!(lead["is_organic"], false);
    server.submit(json!({})).await;
    let of_ad = server.page_gets(&format!("{ad}/leads"), json!({})).await.good();
    assert_eq!(ids(&of_ad), [&id]);

    // Somebody who may read leads and does not advertise on the account.
    let facts = &server.facts;
    server
        .world
        .write()
        .unwrap()
        .assets
        .ad_accounts
        .get_mut(&facts.ad_account_id[4..])
        .unwrap()
        .users
        .clear();
    let lead = server.page_gets(&id, json!({ "fields": ALL })).await.good();
    assert!(lead.get("ad_id").is_none() && lead.get("campaign_name").is_none(), "{lead}");
    assert_eq!(lead["is_organic"], false);
}

#[tokio::test]
async fn time_created_filters_with_three_operators_and_pages_stay_in_order() {
    let server = Server::start().await;
    let now = server.world.read().unwrap().clock.unix();
    for age in [50, 40, 30, 20, 10] {
        server
            .submit(json!({ "created_time": now - age, "answers": { "full_name": age.to_string() } }))
            .await;
    }
    // One that is told of late.
    server.submit(json!({ "created_time": now - 25, "answers": { "full_name": "25" } })).await;
    let age = |row: &Value| row["field_data"][0]["values"][0].as_str().unwrap().parse::<i64>().unwrap();
    let find = async |operator: &str, at: i64| {
        let filtering = json!([{ "field": "time_created", "operator": operator, "value": now - at }]);
        let found = server.page_gets(&server.form("leads"), json!({ "filtering": filtering })).await.good();
        found["data"].as_array().unwrap().iter().map(age).collect::<Vec<_>>()
    };
    assert_eq!(find("GREATER_THAN", 25).await, [10, 20]);
    assert_eq!(find("GREATER_THAN_OR_EQUAL", 25).await, [10, 20, 25]);
    assert_eq!(find("LESS_THAN", 30).await, [40, 50]);
    let wrong = json!([{ "field": "time_created", "operator": "EQUAL", "value": now }]);
    assert_eq!(server.page_gets(&server.form("leads"), json!({ "filtering": wrong })).await.code().0, 100);
    let wrong = json!([{ "field": "platform", "operator": "GREATER_THAN", "value": now }]);
    assert_eq!(server.page_gets(&server.form("leads"), json!({ "filtering": wrong })).await.code().0, 100);

    let mut page =
        server.page_gets(&server.form("leads"), json!({ "limit": 2, "summary": true })).await.good();
    assert_eq!(page["summary"]["total_count"], 6);
    let mut ages = Vec::new();
    loop {
        ages.extend(page["data"].as_array().unwrap().iter().map(age));
        let Some(next) = page["paging"]["next"].as_str() else { break };
        page = Answer::of(server.client.get(next).send().await.unwrap()).await.good();
    }
    assert_eq!(ages, [10, 20, 25, 30, 40, 50]);
    let previous = page["paging"]["previous"].as_str().unwrap();
    let back = Answer::of(server.client.get(previous).send().await.unwrap()).await.good();
    assert_eq!(back["data"].as_array().unwrap().iter().map(age).collect::<Vec<_>>(), [25, 30]);
}

#[tokio::test]
async fn leads_are_gone_after_ninety_days() {
    let server = Server::start().await;
    let now = server.world.read().unwrap().clock.unix();
    let old = server.submit(json!({ "created_time": now - 89 * 86_400 })).await.remove(0);
    let young = server.submit(json!({})).await.remove(0);
    let leads = async || server.page_gets(&server.form("leads"), json!({ "fields": "id" })).await.good();
    assert_eq!(ids(&leads().await), [&young, &old]);
    server.advance(86_400);
    assert_eq!(ids(&leads().await), [&young]);
    assert_eq!(server.page_gets(&old, json!({})).await.code(), (100, Some(33)));
    let counts = "leads_count,organic_leads_count,expired_leads_count";
    let form = server.page_gets(&server.facts.form_id, json!({ "fields": counts })).await.good();
    assert_eq!((&form["leads_count"], &form["organic_leads_count"]), (&json!(1), &json!(1)));
    assert_eq!(form["expired_leads_count"], 1);
    server.scenario("expired_leads_counted");
    let form = server.page_gets(&server.facts.form_id, json!({ "fields": "leads_count" })).await.good();
    assert_eq!(form["leads_count"], 2);
}

#[tokio::test]
async fn a_form_has_one_test_lead() {
    let server = Server::start().await;
    let path = server.form("test_leads");
    assert_eq!(server.post(&path, json!({})).await.code().0, 190, "a Page token is needed");
    let given = json!({
        "field_data": [{ "name": "email", "values": ["t@example.com"] }],
        "custom_disclaimer_responses": [{ "checkbox_key": "terms", "is_checked": true }],
    });
    let made = server.as_page(Method::POST, &path, given).await.good();
    let id = made["id"].as_str().unwrap();
    assert_eq!(server.as_page(Method::POST, &path, json!({})).await.code().0, 100);
    let listed = server
        .page_gets(&path, json!({ "fields": "is_organic,field_data,custom_disclaimer_responses" }))
        .await
        .good();
    assert_eq!(ids(&listed), [id]);
    assert_eq!(listed["data"][0]["is_organic"], true);
    assert_eq!(listed["data"][0]["field_data"], json!([{ "name": "email", "values": ["t@example.com"] }]));
    assert_eq!(server.page_gets(&server.form("leads"), json!({})).await.good()["data"], json!([]));
    server.as_page(Method::DELETE, id, json!({})).await.good();
    assert_eq!(server.page_gets(&path, json!({})).await.good()["data"], json!([]));
    server.as_page(Method::POST, &path, json!({})).await.good();
}

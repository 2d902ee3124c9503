//! A form with very many leads, and very many forms.

use adjoin_sandbox::{FillLeads, Options};
use serde_json::{Value, json};

use super::ids;
use crate::server::{Answer, Server};

async fn filled(fill_leads: FillLeads) -> Server {
    Server::with(Options { fill_leads, ..Options::default() }).await
}

#[tokio::test]
async fn a_million_leads_are_there_and_page_like_few() {
    let server = filled(FillLeads { leads: 1_000_000, ..FillLeads::default() }).await;
    let fields = "id,created_time,field_data,ad_name,is_organic,custom_disclaimer_responses";
    let page =
        server.page_gets(&server.form("leads"), json!({ "limit": 500, "fields": fields })).await.good();
    let rows = page["data"].as_array().unwrap();
    assert_eq!(rows.len(), 500);
    assert!(rows.iter().any(|row| row["is_organic"] == true && row.get("ad_name").is_none()));
    assert!(rows.iter().any(|row| row["ad_name"] == "Lead ad 2"));
    assert_eq!(rows[0]["field_data"].as_array().unwrap().len(), 4);
    let next = Answer::of(server.client.get(page["paging"]["next"].as_str().unwrap()).send().await.unwrap());
    let next = next.await.good();
    assert!(ids(&next).iter().all(|id| !ids(&page).contains(id)));
    let one = server.page_gets(ids(&next)[7], json!({ "fields": fields })).await.good();
    assert_eq!(one, next["data"][7]);
    let counts = "leads_count,organic_leads_count,expired_leads_count";
    let form = server.page_gets(&server.facts.form_id, json!({ "fields": counts })).await.good();
    assert_eq!(form["leads_count"], 1_000_000);
    assert_eq!(form["organic_leads_count"], 200_000);
    let again = filled(FillLeads { leads: 1_000_000, ..FillLeads::default() }).await;
    let same = again.page_gets(ids(&next)[7], json!({ "fields": "field_data" })).await.good();
    assert_eq!(same["field_data"], one["field_data"]);
}

#[tokio::test]
async fn filled_leads_expire_and_counts_add_up() {
    let server = filled(FillLeads { leads: 1_000, ..FillLeads::default() }).await;
    server.advance(30 * 86_400);
    let counts = "leads_count,organic_leads_count,expired_leads_count";
    let form = server.page_gets(&server.facts.form_id, json!({ "fields": counts })).await.good();
    let [live, organic, expired] = ["leads_count", "organic_leads_count", "expired_leads_count"]
        .map(|name| form[name].as_u64().unwrap());
    assert_eq!(live + expired, 1_000);
    assert!((200..300).contains(&expired), "{form}");
    let params = json!({ "limit": 1000, "fields": "is_organic" });
    let page = server.page_gets(&server.form("leads"), params).await.good();
    let rows = page["data"].as_array().unwrap();
    assert_eq!(rows.len() as u64, live);
    assert_eq!(rows.iter().filter(|row| row["is_organic"] == true).count() as u64, organic);
    let ad = server.get(&server.account("ads"), json!({ "limit": 1 })).await.good()["data"][0]["id"].clone();
    let path = format!("{}/leads", ad.as_str().unwrap());
    let of_ad = server.page_gets(&path, json!({ "limit": 1000, "fields": "ad_id" })).await.good();
    assert!(of_ad["data"].as_array().unwrap().iter().all(|row| row["ad_id"] == ad), "{of_ad}");
    assert!(of_ad["data"].as_array().unwrap().len() > 100);
}

#[tokio::test]
async fn pages_and_forms_come_by_number() {
    let server = filled(FillLeads { pages: 40, forms: 5, ..FillLeads::default() }).await;
    let params = json!({ "limit": 100, "fields": "name,access_token" });
    let pages = server.get("me/accounts", params).await.good();
    let pages = pages["data"].as_array().unwrap();
    assert_eq!(pages.len(), 42);
    let page = pages.iter().find(|page| page["name"] == "Page 17").unwrap();
    let path = format!("{}/leadgen_forms", page["id"].as_str().unwrap());
    let forms =
        server.get(&path, json!({ "access_token": page["access_token"], "fields": "name" })).await.good();
    let names: Vec<&Value> = forms["data"].as_array().unwrap().iter().map(|form| &form["name"]).collect();
    assert_eq!(names, ["Form 17.1", "Form 17.2", "Form 17.3", "Form 17.4", "Form 17.5"]);
}

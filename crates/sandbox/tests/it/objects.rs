//! Campaigns, ad sets, ads and creatives through their lives.

use reqwest::Method;
use serde_json::{Value, json};

use crate::server::{Server, ad_set, campaign};

#[tokio::test]
async fn a_campaign_is_made_read_changed_and_deleted() {
    let server = Server::start().await;
    let mut params = campaign("First");
    params["daily_budget"] = json!(5000);
    params["is_adset_budget_sharing_enabled"] = Value::Null;
    params["fields"] = json!("name,daily_budget,created_time,special_ad_categories,bid_strategy");
    let made = server.post(&server.account("campaigns"), params).await.good();
    assert_eq!(made["daily_budget"], "5000");
    assert_eq!(made["special_ad_categories"], json!([]));
    assert_eq!(made["bid_strategy"], "LOWEST_COST_WITHOUT_CAP");
    assert!(made["created_time"].as_str().unwrap().ends_with("+0000"));
    let id = made["id"].as_str().unwrap();
    assert!(id.len() == 18 && id.bytes().all(|b| b.is_ascii_digit()), "{id}");

    assert_eq!(server.get(id, json!({})).await.good(), json!({ "id": id }));
    let updated = server.post(id, json!({ "status": "ACTIVE", "id": "act_1", "unheard_of": 1 })).await.good();
    assert_eq!(updated, json!({ "success": true }));
    let fields = json!({ "fields": ["effective_status", "account_id", "budget_remaining"] });
    let read = server.get(id, fields).await.good();
    assert_eq!(read["effective_status"], "ACTIVE");
    assert_eq!(format!("act_{}", read["account_id"].as_str().unwrap()), server.facts.ad_account_id);
    assert_eq!(read["budget_remaining"], "5000");

    assert_eq!(server.delete(id).await.good(), json!({ "success": true }));
    let read = server.get(id, json!({ "fields": "status" })).await.good();
    assert_eq!(read["status"], "DELETED");
    assert_eq!(server.get(&server.account("campaigns"), json!({})).await.good(), json!({ "data": [] }));
    let refused = server.post(id, json!({ "daily_budget": 6000 })).await;
    assert_eq!(refused.code(), (100, Some(1_487_566)));
    server.post(id, json!({ "name": "Late" })).await.good();
    assert_eq!(server.get(id, json!({ "fields": "name" })).await.good()["name"], "Late");
}

#[tokio::test]
async fn validate_only_changes_nothing() {
    let server = Server::start().await;
    let mut params = campaign("Checked");
    params["execution_options"] = json!(["validate_only"]);
    assert_eq!(server.post(&server.account("campaigns"), params).await.good(), json!({ "success": true }));
    assert_eq!(server.get(&server.account("campaigns"), json!({})).await.good(), json!({ "data": [] }));
    let mut params = campaign("Alone");
    params["execution_options"] = json!(["include_recommendations"]);
    assert_eq!(server.post(&server.account("campaigns"), params).await.code().0, 100);
}

#[tokio::test]
async fn wrong_parameters_are_named() {
    let server = Server::start().await;
    let refuse = async |name: &str, value: Value| {
        let mut params = campaign("Wrong");
        params[name] = value;
        server.post(&server.account("campaigns"), params).await
    };
    let status = refuse("status", json!("RUNNING")).await;
    assert_eq!(
        status.body["error"]["message"],
        "(#100) Param status must be one of {ACTIVE, PAUSED} - got \"RUNNING\"."
    );
    assert_eq!(status.body["error"]["error_data"]["blame_field_specs"], json!([["status"]]));
    let objective = refuse("objective", json!("OUTCOME_FAME")).await;
    let message = objective.body["error"]["message"].as_str().unwrap();
    assert!(message.starts_with("(#100) Param objective must be one of {"), "{message}");
    assert!(message.ends_with("- got \"OUTCOME_FAME\"."), "{message}");
    assert_eq!(refuse("daily_budget", json!("a lot")).await.code().0, 100);
    assert_eq!(refuse("promoted_object", json!("{broken")).await.code().0, 100);
    let missing =
        server.post(&server.account("campaigns"), json!({ "name": "N", "objective": "OUTCOME_SALES" })).await;
    assert_eq!(missing.body["error"]["message"], "(#100) The parameter special_ad_categories is required.");
}

#[tokio::test]
async fn status_comes_down_from_the_parents() {
    let server = Server::start().await;
    let campaign = server.campaign("Parent").await;
    let set = server.ad_set(&campaign).await;
    let creative = server.creative().await;
    let ad = server.ad(&set, &creative).await;
    let effective = async |id: &str| {
        server.get(id, json!({ "fields": "effective_status" })).await.good()["effective_status"].clone()
    };
    for id in [&set, &ad] {
        assert_eq!(effective(id).await, "PAUSED");
        server.post(id, json!({ "status": "ACTIVE" })).await.good();
        assert_eq!(effective(id).await, "CAMPAIGN_PAUSED");
    }
    server.post(&campaign, json!({ "status": "ACTIVE" })).await.good();
    assert_eq!((effective(&set).await, effective(&ad).await), (json!("ACTIVE"), json!("ACTIVE")));
    server.post(&set, json!({ "status": "PAUSED" })).await.good();
    assert_eq!(effective(&ad).await, "ADSET_PAUSED");
    server.post(&campaign, json!({ "status": "ARCHIVED" })).await.good();
    assert_eq!((effective(&set).await, effective(&ad).await), (json!("ARCHIVED"), json!("ARCHIVED")));
    let none = server.get(&format!("{campaign}/ads"), json!({ "summary": true })).await.good();
    assert_eq!(none, json!({ "data": [], "summary": { "total_count": 0 } }));
    let refused = server.post(&set, json!({ "status": "ACTIVE" })).await;
    assert_eq!(refused.code(), (100, Some(1_487_566)));
    server.post(&set, json!({ "status": "DELETED" })).await.good();
    let refused = server.post(&set, json!({ "daily_budget": 3000 })).await;
    assert_eq!(refused.code(), (100, Some(1_487_056)));
    let refused = server.post(&server.account("adsets"), ad_set(&campaign)).await;
    assert_eq!(refused.code(), (100, Some(1_487_566)), "nothing new under what is archived");
}

#[tokio::test]
async fn fields_nest_and_unknown_ones_are_refused() {
    let server = Server::start().await;
    let campaign = server.campaign("Root").await;
    let set = server.ad_set(&campaign).await;
    let creative = server.creative().await;
    let ad = server.ad(&set, &creative).await;
    let fields =
        "name,adsets.limit(5).as(sets){targeting{geo_locations},ads{creative{name},adset{campaign{name}}}}";
    let read = server.get(&campaign, json!({ "fields": fields })).await.good();
    let set_read = &read["sets"]["data"][0];
    assert_eq!(set_read["targeting"], json!({ "geo_locations": { "countries": ["US"] } }));
    let ad_read = &set_read["ads"]["data"][0];
    assert_eq!(ad_read["id"], ad);
    assert_eq!(ad_read["creative"]["name"], "Creative");
    assert_eq!(ad_read["adset"]["campaign"]["name"], "Root");

    let refused = server.get(&campaign, json!({ "fields": "name,adsets{nonsense}" })).await;
    assert_eq!(
        refused.body["error"]["message"],
        "(#100) Tried accessing nonexisting field (nonsense) on node type (AdSet)"
    );
    let refused = server.get(&campaign, json!({ "fields": "name{" })).await;
    assert_eq!(refused.code().0, 2500);
    let metadata = server.get(&campaign, json!({ "metadata": 1 })).await.good();
    assert_eq!(metadata["metadata"]["type"], "campaign");
    assert!(metadata["metadata"]["connections"]["adsets"].as_str().unwrap().contains("/adsets"));
}

#[tokio::test]
async fn ads_need_what_they_stand_on() {
    let server = Server::start().await;
    let campaign = server.campaign("C").await;
    let set = server.ad_set(&campaign).await;
    let creative = server.creative().await;
    let with =
        |adset: &str, creative: Value| json!({ "name": "Ad", "adset_id": adset, "creative": creative });
    let refused = server.post(&server.account("ads"), with("1", json!({ "creative_id": creative }))).await;
    assert_eq!(refused.body["error"]["error_data"]["blame_field_specs"], json!([["adset_id"]]));
    let refused = server.post(&server.account("ads"), with(&set, json!({ "creative_id": "1" }))).await;
    assert_eq!(refused.body["error"]["error_data"]["blame_field_specs"], json!([["creative"]]));
    let inline = crate::server::creative(&server.facts.page_id);
    let made = server.post(&server.account("ads"), with(&set, inline)).await.good();
    let read =
        server.get(made["id"].as_str().unwrap(), json!({ "fields": "creative{object_type}" })).await.good();
    assert_eq!(read["creative"]["object_type"], "SHARE");
    // A creative in use stays, a free one goes.
    let used = read["creative"]["id"].as_str().unwrap();
    assert_eq!(server.delete(used).await.code().0, 100);
    server.delete(&creative).await.good();
}

#[tokio::test]
async fn an_ad_set_holds_fifty_ads() {
    let server = Server::start().await;
    let campaign = server.campaign("C").await;
    let set = server.ad_set(&campaign).await;
    let creative = server.creative().await;
    let mut last = String::new();
    for _ in 0..50 {
        last = server.ad(&set, &creative).await;
    }
    let params = json!({ "name": "Ad", "adset_id": set, "creative": { "creative_id": creative } });
    assert_eq!(server.post(&server.account("ads"), params.clone()).await.code().0, 100);
    server.post(&last, json!({ "status": "ARCHIVED" })).await.good();
    server.post(&server.account("ads"), params).await.good();
}

#[tokio::test]
async fn copies_go_deep() {
    let server = Server::start().await;
    let campaign = server.campaign("Original").await;
    let set = server.ad_set(&campaign).await;
    let creative = server.creative().await;
    server.ad(&set, &creative).await;
    let copied = server.post(&format!("{campaign}/copies"), json!({ "deep_copy": true })).await.good();
    assert_eq!(copied["ad_object_ids"].as_array().unwrap().len(), 3);
    let id = copied["copied_campaign_id"].as_str().unwrap();
    let read =
        server.get(id, json!({ "fields": "name,source_campaign_id,ads{status,adset_id}" })).await.good();
    assert_eq!(read["name"], "Original - Copy");
    assert_eq!(read["source_campaign_id"], campaign);
    assert_eq!(read["ads"]["data"][0]["status"], "PAUSED");
    assert_ne!(read["ads"]["data"][0]["adset_id"], set);
}

#[tokio::test]
async fn lists_are_filtered() {
    let server = Server::start().await;
    for name in ["Alpha", "Beta", "Alphabet"] {
        server.campaign(name).await;
    }
    let names = async |filtering: Value| {
        let list = server
            .get(&server.account("campaigns"), json!({ "fields": "name", "filtering": filtering }))
            .await
            .good();
        let names =
            list["data"].as_array().unwrap().iter().map(|row| row["name"].as_str().unwrap().to_owned());
        names.collect::<Vec<_>>()
    };
    let by = |field: &str, operator: &str, value: Value| json!([{ "field": field, "operator": operator, "value": value }]);
    assert_eq!(names(by("name", "CONTAIN", json!("alpha"))).await, ["Alphabet", "Alpha"]);
    assert_eq!(names(by("campaign.name", "EQUAL", json!("Beta"))).await, ["Beta"]);
    assert_eq!(names(by("name", "NOT_IN", json!(["Beta", "Alpha"]))).await, ["Alphabet"]);
    assert_eq!(names(by("effective_status", "IN", json!(["ACTIVE"]))).await, [""; 0]);
    assert_eq!(names(by("created_time", "AFTER", json!("2001-01-01"))).await.len(), 3);
    let bad = server
        .get(&server.account("campaigns"), json!({ "filtering": by("nonsense", "EQUAL", json!(1)) }))
        .await;
    assert!(bad.body["error"]["message"].as_str().unwrap().contains("Filtering field 'nonsense'"));
    let since = json!({ "updated_since": "4102444800" });
    assert_eq!(server.get(&server.account("campaigns"), since).await.good(), json!({ "data": [] }));
}

#[tokio::test]
async fn what_is_not_there_and_what_is_not_built_differ() {
    let server = Server::start().await;
    let gone = server.get("123", json!({})).await;
    assert_eq!((gone.status, gone.code()), (400, (100, Some(33))));
    assert_eq!(gone.body["error"]["type"], "GraphMethodException");
    let post = server.call(Method::POST, "123", &json!({ "name": "x" })).await;
    assert!(post.body["error"]["message"].as_str().unwrap().starts_with("Unsupported post request."));
    let word = server.get("nobody", json!({})).await;
    assert_eq!(word.code().0, 803);
    let missing = server.get(&server.account("adrules_library"), json!({})).await;
    assert_eq!(missing.status, 501);
    let message = missing.body["error"]["message"].as_str().unwrap();
    assert!(message.starts_with("adjoin sandbox: not implemented: GET /act_"), "{message}");
    let coverage = server.client.get(server.url("_sandbox/coverage")).send().await.unwrap();
    assert_eq!(coverage.status(), 200);
}

#[tokio::test]
async fn a_spec_brings_what_is_above_along() {
    let server = Server::start().await;
    let specified = |campaign: Value| {
        let mut set = crate::server::ad_set("0");
        set.as_object_mut().unwrap().remove("campaign_id");
        set["campaign_spec"] = campaign;
        set
    };
    let set = server.post(&server.account("adsets"), specified(crate::server::campaign("New"))).await.good();
    let set = set["id"].as_str().unwrap();
    let read = server.get(set, json!({ "fields": "campaign{name,objective}" })).await.good();
    assert_eq!(read["campaign"]["name"], "New");

    let count = async || {
        let params = json!({ "summary": "total_count", "limit": 1 });
        server.get(&server.account("campaigns"), params).await.good()["summary"]["total_count"].clone()
    };
    let before = count().await;
    let mut old = crate::server::campaign("Old");
    old["objective"] = "CONVERSIONS".into();
    assert_eq!(server.post(&server.account("adsets"), specified(old)).await.status, 400);
    let mut wrong = specified(crate::server::campaign("Fine"));
    wrong["daily_budget"] = 1.into();
    assert_eq!(server.post(&server.account("adsets"), wrong).await.code(), (100, Some(1_885_272)));
    assert_eq!(count().await, before, "all are made, or none");

    let creative = server.creative().await;
    let ad = json!({
        "name": "Ad", "status": "PAUSED", "creative": { "creative_id": creative },
        "adset_spec": specified(crate::server::campaign("Whole")),
    });
    let ad = server.post(&server.account("ads"), ad).await.good();
    let ad = ad["id"].as_str().unwrap();
    let read = server.get(ad, json!({ "fields": "adset{id,name},campaign{name}" })).await.good();
    assert_eq!((&read["adset"]["name"], &read["campaign"]["name"]), (&json!("Set"), &json!("Whole")));
    let of_set = format!("{}/adcreatives", read["adset"]["id"].as_str().unwrap());
    assert_eq!(server.get(&of_set, json!({})).await.good()["data"][0]["id"], creative);
}

#[tokio::test]
async fn redownload_answers_with_the_whole_object() {
    let server = Server::start().await;
    let mut params = crate::server::campaign("Whole");
    params["redownload"] = 1.into();
    let made = server.post(&server.account("campaigns"), params).await.good();
    assert_eq!((&made["name"], &made["objective"]), (&json!("Whole"), &json!("OUTCOME_TRAFFIC")));
    assert!(made["id"].is_string());
    let changed =
        server.post(made["id"].as_str().unwrap(), json!({ "name": "New", "redownload": true })).await;
    let changed = changed.good();
    assert_eq!((&changed["name"], &changed["objective"]), (&json!("New"), &json!("OUTCOME_TRAFFIC")));
    assert_eq!(changed["id"], made["id"]);
}

#[tokio::test]
async fn a_name_cannot_be_emptied() {
    let server = Server::start().await;
    let campaign = server.campaign("C").await;
    let set = server.ad_set(&campaign).await;
    let ad = server.ad(&set, &server.creative().await).await;
    for id in [&campaign, &set, &ad] {
        for name in ["", "  "] {
            let refused = server.post(id, json!({ "name": name })).await;
            assert_eq!((refused.status, refused.code().0), (400, 100), "{id}");
            assert_eq!(refused.body["error"]["error_data"]["blame_field_specs"], json!([["name"]]));
        }
    }
    let unnamed = server.post(&server.account("campaigns"), crate::server::campaign("")).await;
    assert_eq!(unnamed.code().0, 100);
}

#[tokio::test]
async fn a_pixel_is_made_and_promoted() {
    let server = Server::start().await;
    let edge = server.account("adspixels");
    assert_eq!(server.post(&edge, json!({})).await.code().0, 100);
    let made = server.post(&edge, json!({ "name": "Shop" })).await.good();
    let id = made["id"].as_str().unwrap();
    let listed = server.get(&edge, json!({ "fields": "name" })).await.good();
    assert!(listed["data"].as_array().unwrap().iter().any(|pixel| pixel["name"] == "Shop"), "{listed}");
    let mut sales = campaign("Sales");
    sales["objective"] = "OUTCOME_SALES".into();
    let sales = server.post(&server.account("campaigns"), sales).await.good();
    let mut set = ad_set(sales["id"].as_str().unwrap());
    set["optimization_goal"] = "OFFSITE_CONVERSIONS".into();
    set["promoted_object"] = json!({ "pixel_id": id, "custom_event_type": "PURCHASE" });
    server.post(&server.account("adsets"), set).await.good();
}

#[tokio::test]
async fn a_creatives_images_can_be_viewed() {
    let server = Server::start().await;
    let mut creative = crate::server::creative(&server.facts.page_id);
    creative["object_story_spec"]["link_data"]["picture"] = "https://example.com/a.png".into();
    let made = server.post(&server.account("adcreatives"), creative).await.good();
    let read = server.get(made["id"].as_str().unwrap(), json!({ "fields": "image_urls_for_viewing" })).await;
    assert_eq!(read.good()["image_urls_for_viewing"], json!(["https://example.com/a.png"]));
}

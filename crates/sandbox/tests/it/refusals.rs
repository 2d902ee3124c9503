//! Wrong objects are refused with Meta's own numbers, and the fields to blame.

use serde_json::{Value, json};

use crate::server::{Answer, Server, ad_set, campaign};

/// An ad set with some fields replaced; `null` takes one away.
fn with(mut base: Value, changes: Value) -> Value {
    let Value::Object(changes) = changes else { panic!("an object") };
    for (name, value) in changes {
        if value.is_null() {
            base.as_object_mut().unwrap().remove(&name);
        } else {
            base[&name] = value;
        }
    }
    base
}

async fn campaign_of(server: &Server, objective: &str, more: Value) -> String {
    let params = with(with(campaign(objective), json!({ "objective": objective })), more);
    server.post(&server.account("campaigns"), params).await.good()["id"].as_str().unwrap().to_owned()
}

/// Code, subcode and the one blamed path; user title and text must be there.
#[track_caller]
fn refusal(answer: &Answer) -> (i64, Option<i64>, Value) {
    let (code, subcode) = answer.code();
    let error = &answer.body["error"];
    assert!(error["error_user_title"].is_string() && error["error_user_msg"].is_string(), "{error}");
    (code, subcode, error["error_data"]["blame_field_specs"][0].clone())
}

#[tokio::test]
async fn ad_sets_that_do_not_fit() {
    let server = Server::start().await;
    let traffic = campaign_of(&server, "OUTCOME_TRAFFIC", json!({})).await;
    let sales = campaign_of(&server, "OUTCOME_SALES", json!({})).await;
    let leads = campaign_of(&server, "OUTCOME_LEADS", json!({})).await;
    let own_budget = campaign_of(
        &server,
        "OUTCOME_TRAFFIC",
        json!({ "daily_budget": 5000, "is_adset_budget_sharing_enabled": null, "bid_strategy": "LOWEST_COST_WITHOUT_CAP" }),
    )
    .await;
    let facts = &server.facts;
    let px = |event: &str| json!({ "pixel_id": facts.pixel_id, "custom_event_type": event });
    let conversions =
        |promoted: Value| json!({ "optimization_goal": "OFFSITE_CONVERSIONS", "promoted_object": promoted });
    let targeting = |targeting: Value| json!({ "targeting": targeting });

    let cases: Vec<(&str, &String, Value, i64, Value)> = vec![
        (
            "a goal of another objective",
            &traffic,
            json!({ "optimization_goal": "LEAD_GENERATION", "destination_type": null }),
            2_490_408,
            json!(["optimization_goal"]),
        ),
        (
            "a destination of another objective",
            &traffic,
            json!({ "destination_type": "ON_AD" }),
            1_815_715,
            json!(["destination_type"]),
        ),
        (
            "no promoted object",
            &sales,
            json!({ "optimization_goal": "OFFSITE_CONVERSIONS" }),
            1_815_430,
            json!(["promoted_object"]),
        ),
        (
            "no promoted Page",
            &leads,
            json!({ "optimization_goal": "LEAD_GENERATION", "destination_type": "ON_AD" }),
            1_815_430,
            json!(["promoted_object"]),
        ),
        ("both budgets", &own_budget, json!({}), 1_885_621, Value::Null),
        ("no budget", &traffic, json!({ "daily_budget": null }), 1_487_061, Value::Null),
        (
            "a lifetime without an end",
            &traffic,
            json!({ "daily_budget": null, "lifetime_budget": 90_000 }),
            1_487_094,
            Value::Null,
        ),
        (
            "an end in the past",
            &traffic,
            json!({ "end_time": "2020-01-01T00:00:00+0000" }),
            1_487_033,
            json!(["end_time"]),
        ),
        (
            "a cap without an amount",
            &traffic,
            json!({ "bid_strategy": "LOWEST_COST_WITH_BID_CAP" }),
            1_815_857,
            json!(["bid_amount"]),
        ),
        (
            "an attribution window of no list",
            &traffic,
            json!({ "attribution_spec": [{ "event_type": "CLICK_THROUGH", "window_days": "28" }] }),
            1_885_501,
            Value::Null,
        ),
        (
            "no place",
            &traffic,
            targeting(json!({ "targeting_automation": { "advantage_audience": 1 } })),
            1_885_364,
            Value::Null,
        ),
        (
            "the EU without payor",
            &traffic,
            json!({
                "targeting": { "geo_locations": { "countries": ["DE"] }, "targeting_automation": { "advantage_audience": 1 } },
                "dsa_beneficiary": "Northlight",
            }),
            3_858_079,
            json!(["dsa_payor"]),
        ),
        (
            "an age floor the automation does not take",
            &traffic,
            targeting(
                json!({ "geo_locations": { "countries": ["US"] }, "age_min": 40, "targeting_automation": { "advantage_audience": 1 } }),
            ),
            1_870_188,
            json!(["targeting", "age_min"]),
        ),
        (
            "an age without a word on the automation",
            &traffic,
            targeting(json!({ "geo_locations": { "countries": ["US"] }, "age_min": 30 })),
            1_870_227,
            json!(["targeting", "targeting_automation", "advantage_audience"]),
        ),
        (
            "a budget below the minimum",
            &traffic,
            json!({ "daily_budget": 1 }),
            1_885_272,
            json!(["daily_budget"]),
        ),
        (
            "a product set nobody has",
            &sales,
            conversions(json!({ "product_set_id": "1" })),
            1_487_831,
            json!(["promoted_object", "product_set_id"]),
        ),
        (
            "somebody else's Page",
            &leads,
            json!({ "optimization_goal": "LEAD_GENERATION", "destination_type": "ON_AD", "promoted_object": { "page_id": "1" } }),
            1_487_202,
            json!(["promoted_object", "page_id"]),
        ),
    ];
    for (what, parent, changes, subcode, path) in cases {
        let answer = server.post(&server.account("adsets"), with(ad_set(parent), changes)).await;
        let (code, found, blamed) = refusal(&answer);
        assert_eq!((code, found), (100, Some(subcode)), "{what}: {}", answer.body);
        if !path.is_null() {
            assert_eq!(blamed, path, "{what}");
        }
    }
    let pixel = server
        .post(
            &server.account("adsets"),
            with(ad_set(&sales), conversions(json!({ "pixel_id": "1", "custom_event_type": "PURCHASE" }))),
        )
        .await;
    assert_eq!(refusal(&pixel).2, json!(["promoted_object", "pixel_id"]));
    let right =
        server.post(&server.account("adsets"), with(ad_set(&sales), conversions(px("PURCHASE")))).await;
    right.good();
}

#[tokio::test]
async fn campaigns_that_do_not_fit() {
    let server = Server::start().await;
    let refuse = async |changes: Value| {
        server.post(&server.account("campaigns"), with(campaign("Wrong"), changes)).await
    };
    let old = refuse(json!({ "objective": "CONVERSIONS" })).await;
    assert_eq!(refusal(&old), (100, None, json!(["objective"])));
    let said = old.body["error"]["error_user_msg"].as_str().unwrap();
    assert_eq!(said, "The parameter objective is missing or its value cannot be used here.");
    let unstated = refuse(json!({ "is_adset_budget_sharing_enabled": null })).await;
    assert_eq!(unstated.code(), (100, Some(4_834_011)));
    let shared = refuse(json!({ "is_adset_budget_sharing_enabled": true, "daily_budget": 5000 })).await;
    assert_eq!(shared.code(), (100, Some(4_834_002)));
    let id = server.campaign("Right").await;
    server.ad_set(&id).await;
    let both = server.post(&id, json!({ "daily_budget": 5000 })).await;
    assert_eq!(refusal(&both), (100, Some(1_885_621), json!(["daily_budget"])));
}

#[tokio::test]
async fn a_published_ad_set_keeps_what_it_promotes() {
    let server = Server::start().await;
    let sales = campaign_of(&server, "OUTCOME_SALES", json!({})).await;
    let promoted = |event: &str| json!({ "pixel_id": server.facts.pixel_id, "custom_event_type": event });
    let params =
        json!({ "optimization_goal": "OFFSITE_CONVERSIONS", "promoted_object": promoted("PURCHASE") });
    let set = server.post(&server.account("adsets"), with(ad_set(&sales), params)).await.good();
    let id = set["id"].as_str().unwrap();
    server.post(id, json!({ "promoted_object": promoted("INITIATED_CHECKOUT") })).await.good();
    server.post(&sales, json!({ "status": "ACTIVE" })).await.good();
    server.post(id, json!({ "status": "ACTIVE" })).await.good();
    let refused = server.post(id, json!({ "promoted_object": promoted("ADD_TO_CART") })).await;
    assert_eq!(refused.code(), (100, Some(3_260_011)), "{}", refused.body);
    let refused = server.post(id, json!({ "optimization_goal": "LINK_CLICKS" })).await;
    assert_eq!(refused.code(), (100, Some(3_260_011)), "{}", refused.body);
    server.post(id, json!({ "name": "Renamed" })).await.good();
}

#[tokio::test]
async fn ads_that_do_not_go_with_their_ad_set() {
    let server = Server::start().await;
    let leads = campaign_of(&server, "OUTCOME_LEADS", json!({})).await;
    let params = json!({
        "optimization_goal": "LEAD_GENERATION",
        "destination_type": "ON_AD",
        "promoted_object": { "page_id": server.facts.page_id },
    });
    let set = server.post(&server.account("adsets"), with(ad_set(&leads), params)).await.good();
    let creative = |page: &str, form: Option<&str>| {
        let mut creative = crate::server::creative(page);
        if let Some(form) = form {
            creative["object_story_spec"]["link_data"]["call_to_action"] =
                json!({ "type": "SIGN_UP", "value": { "lead_gen_form_id": form } });
        }
        creative
    };
    let ad = async |creative: Value| {
        let params = json!({ "name": "Ad", "adset_id": set["id"], "creative": creative, "status": "PAUSED" });
        server.post(&server.account("ads"), params).await
    };
    let page = &server.facts.page_id;
    assert_eq!(ad(creative(page, None)).await.code(), (100, Some(3_390_001)));
    assert_eq!(ad(creative(page, Some("1"))).await.code(), (100, Some(3_390_001)));
    let other = {
        let world = server.world.read().unwrap();
        world.assets.pages.values().find(|page| page.name == "Mara Bakes").unwrap().id.clone()
    };
    assert_eq!(ad(creative(&other, None)).await.code(), (100, Some(1_885_029)));
    ad(creative(page, Some(&server.facts.form_id))).await.good();

    // The Page that engagement needs is only missed when the ad comes.
    let engagement = campaign_of(&server, "OUTCOME_ENGAGEMENT", json!({})).await;
    let params = json!({ "optimization_goal": "POST_ENGAGEMENT", "destination_type": "ON_POST" });
    let set = server.post(&server.account("adsets"), with(ad_set(&engagement), params)).await.good();
    let params =
        json!({ "name": "Ad", "adset_id": set["id"], "creative": creative(page, None), "status": "PAUSED" });
    let refused = server.post(&server.account("ads"), params).await;
    assert_eq!(refused.code(), (100, Some(1_885_154)), "{}", refused.body);
}

#[tokio::test]
async fn two_promoted_objects_and_low_amounts() {
    let server = Server::start().await;
    let sales = campaign_of(&server, "OUTCOME_SALES", json!({})).await;
    let both = json!({
        "pixel_id": server.facts.pixel_id, "custom_event_type": "PURCHASE",
        "application_id": server.facts.application_id, "object_store_url": server.facts.object_store_url,
    });
    let params =
        with(ad_set(&sales), json!({ "optimization_goal": "OFFSITE_CONVERSIONS", "promoted_object": both }));
    let answer = server.post(&server.account("adsets"), params).await;
    assert_eq!(refusal(&answer), (100, Some(1_487_929), json!(["promoted_object"])));

    let refuse = async |changes: Value| {
        server.post(&server.account("campaigns"), with(campaign("Low"), changes)).await
    };
    let cap = refuse(json!({ "spend_cap": 100 })).await;
    assert_eq!(refusal(&cap), (100, Some(2_446_307), json!(["spend_cap"])));
    let budget = refuse(json!({ "daily_budget": 1, "is_adset_budget_sharing_enabled": null })).await;
    assert_eq!(refusal(&budget), (100, Some(1_885_272), json!(["daily_budget"])));

    let engagement = campaign_of(&server, "OUTCOME_ENGAGEMENT", json!({})).await;
    let purchase = with(
        ad_set(&engagement),
        json!({
            "optimization_goal": "CONVERSATIONS", "destination_type": "MESSENGER",
            "promoted_object": { "page_id": server.facts.page_id, "custom_event_type": "PURCHASE" },
        }),
    );
    let answer = server.post(&server.account("adsets"), purchase).await;
    assert_eq!(refusal(&answer), (100, Some(2_446_814), json!(["promoted_object", "custom_event_type"])));
}

#[tokio::test]
async fn a_changed_campaign_is_refused_like_a_new_one() {
    let server = Server::start().await;
    let id = server.campaign("Right").await;
    let cases = [
        (json!({ "objective": "CONVERSIONS" }), None, "objective"),
        (json!({ "spend_cap": 100 }), Some(2_446_307), "spend_cap"),
        (json!({ "bid_strategy": "COST_CAP" }), Some(1_885_737), "bid_strategy"),
        (json!({ "is_adset_budget_sharing_enabled": true }), Some(4_834_005), "bid_strategy"),
        (json!({ "daily_budget": 1 }), Some(1_885_272), "daily_budget"),
    ];
    for (changes, subcode, field) in cases {
        let answer = server.post(&id, changes.clone()).await;
        assert_eq!(refusal(&answer), (100, subcode, json!([field])), "{changes}");
    }
    server.post(&id, json!({ "spend_cap": 20_000, "name": "Better" })).await.good();
    server.post(&id, json!({ "daily_budget": 5000, "bid_strategy": "LOWEST_COST_WITHOUT_CAP" })).await.good();
}

#[tokio::test]
async fn what_is_fixed_says_so_or_is_ignored() {
    let server = Server::start().await;
    let campaign = server.campaign("C").await;
    let set = server.ad_set(&campaign).await;
    let absent = server.post(&set, json!({ "promoted_object": { "page_id": server.facts.page_id } })).await;
    let said = absent.body["error"]["error_user_msg"].as_str().unwrap();
    assert_eq!(said, "The parameter promoted_object cannot be changed after creation.");
    server.post(&set, json!({ "is_dynamic_creative": true })).await.good();
    let read = server.get(&set, json!({ "fields": "is_dynamic_creative" })).await.good();
    assert_eq!(read["is_dynamic_creative"], false);

    server.post(&set, json!({ "status": "ARCHIVED" })).await.good();
    let archived = server.post(&set, json!({ "daily_budget": 5000 })).await;
    let creative = server.creative().await;
    let ad = json!({ "name": "Ad", "adset_id": set, "creative": { "creative_id": creative } });
    let under = server.post(&server.account("ads"), ad.clone()).await;
    assert_eq!((archived.code(), under.code()), ((100, Some(1_487_566)), (100, Some(1_487_566))));
    server.delete(&set).await.good();
    assert_eq!(server.post(&server.account("ads"), ad).await.code(), (100, Some(1_487_056)));

    // A story has one content, but where an asset feed has it.
    let creatives = server.account("adcreatives");
    let story = |more: Value| {
        let mut story = more;
        story["page_id"] = server.facts.page_id.clone().into();
        json!({ "name": "Story", "object_story_spec": story })
    };
    let link = json!({ "link": "https://example.com/" });
    for wrong in [json!({}), json!({ "link_data": link, "text_data": { "message": "Hello" } })] {
        let refused = server.post(&creatives, story(wrong)).await;
        assert_eq!(refusal(&refused), (100, None, json!(["object_story_spec"])));
    }
    server.post(&creatives, story(json!({ "text_data": { "message": "Hello" } }))).await.good();
    let mut feed = story(json!({}));
    feed["asset_feed_spec"] = json!({ "bodies": [{ "text": "Hello" }] });
    server.post(&creatives, feed).await.good();

    let mut old = crate::server::creative(&server.facts.page_id);
    old["object_story_spec"]["instagram_actor_id"] = "1".into();
    let old = server.post(&server.account("adcreatives"), old).await;
    assert_eq!(refusal(&old), (100, None, json!(["object_story_spec", "instagram_actor_id"])));
}

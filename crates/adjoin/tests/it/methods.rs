//! Methods called over the JSON API against the sandbox.

use adjoin::{
    id::{AccountId, CallId, ConnectionId},
    service::{
        calls,
        connections::{self, State},
        setup::{Login, LoginConfiguration, LoginToken},
    },
};
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

use crate::{
    api::{Backend, account, read},
    support::{Connected, on_each_connected, on_each_connected_by},
};

/// Calls methods of one connection.
pub struct Caller {
    pub backend: Backend,
    pub methods: String,
}

impl Caller {
    pub async fn new(it: &Connected) -> Self {
        let backend = Backend::new(&it.test, Some(it.account.clone())).await;
        let methods = format!("/v1/accounts/{}/connections/{}/methods", it.account, it.connection);
        Self { backend, methods }
    }

    pub async fn call(&self, method: &str, arguments: &Value) -> (StatusCode, Value) {
        self.backend.send(Method::POST, &format!("{}/{method}", self.methods), arguments).await
    }

    /// A call that has to succeed.
    pub async fn data(&self, method: &str, arguments: &Value) -> Value {
        let (status, answer) = self.call(method, arguments).await;
        assert_eq!(status, StatusCode::OK, "{method}: {answer}");
        answer["data"].clone()
    }

    pub async fn with_key(&self, method: &str, arguments: &Value, key: &str) -> (StatusCode, Value, bool) {
        let request = self.backend.request(Method::POST, &format!("{}/{method}", self.methods));
        let response = request.json(arguments).header("idempotency-key", key).send().await.unwrap();
        let (status, replayed) = (response.status(), response.headers().contains_key("idempotent-replayed"));
        (status, response.json().await.unwrap(), replayed)
    }

    async fn campaign(&self, it: &Connected) -> String {
        let made = self.data("campaign.create", &campaign(it)).await;
        made["id"].as_str().unwrap().to_owned()
    }
}

pub fn campaign(it: &Connected) -> Value {
    json!({ "ad_account_id": it.facts.ad_account_id, "name": "Spring", "objective": "OUTCOME_LEADS",
            "special_ad_categories": [], "is_adset_budget_sharing_enabled": false })
}

pub fn ad_set(it: &Connected, campaign: &str) -> Value {
    json!({ "ad_account_id": it.facts.ad_account_id, "campaign_id": campaign, "name": "Berlin",
            "optimization_goal": "LEAD_GENERATION", "destination_type": "ON_AD", "billing_event": "IMPRESSIONS",
            "bid_strategy": "LOWEST_COST_WITHOUT_CAP", "daily_budget": 2000,
            "promoted_object": { "page_id": it.facts.page_id },
            "targeting": { "geo_locations": { "countries": ["US"] },
                           "targeting_automation": { "advantage_audience": 1 } } })
}

#[test]
fn every_method_does_what_it_says() {
    on_each_connected(&[], async |it| {
        let caller = Caller::new(it).await;
        let accounts = caller.data("ad_account.list", &json!({})).await;
        assert!(accounts.as_array().unwrap().iter().any(|row| row["id"] == it.facts.ad_account_id));
        let pages = caller.data("page.list", &json!({})).await;
        assert!(pages.as_array().unwrap().iter().any(|row| row["id"] == it.facts.page_id));
        let in_account = json!({ "ad_account_id": it.facts.ad_account_id });
        let pixels = caller.data("pixel.list", &in_account).await;
        assert!(pixels.as_array().unwrap().iter().any(|row| row["id"] == it.facts.pixel_id));

        let campaign = caller.campaign(it).await;
        let id = json!({ "campaign_id": campaign });
        assert_eq!(caller.data("campaign.get", &id).await["status"], "PAUSED");
        caller.data("campaign.update", &json!({ "campaign_id": campaign, "name": "Summer" })).await;
        assert_eq!(caller.data("campaign.get", &id).await["name"], "Summer");

        let ad_set = caller.data("ad_set.create", &ad_set(it, &campaign)).await["id"].clone();
        let read_back = caller.data("ad_set.get", &json!({ "ad_set_id": ad_set })).await;
        assert_eq!((&read_back["status"], &read_back["daily_budget"]), (&json!("PAUSED"), &json!("2000")));
        assert_eq!(read_back["promoted_object"]["page_id"], it.facts.page_id);
        caller.data("ad_set.update", &json!({ "ad_set_id": ad_set, "daily_budget": 3000 })).await;
        assert_eq!(caller.data("ad_set.list", &in_account).await[0]["daily_budget"], "3000");

        let story = json!({ "page_id": it.facts.page_id,
                            "link_data": { "link": "https://fb.me/", "message": "Hello", "call_to_action": {
                                "type": "SIGN_UP", "value": { "lead_gen_form_id": it.facts.form_id } } } });
        let new = json!({ "ad_account_id": it.facts.ad_account_id, "name": "C", "object_story_spec": story });
        let creative = caller.data("creative.create", &new).await["id"].clone();
        assert_eq!(caller.data("creative.get", &json!({ "creative_id": creative })).await["name"], "C");
        caller.data("creative.update", &json!({ "creative_id": creative, "name": "C2" })).await;
        let creatives = caller.data("creative.list", &in_account).await;
        assert!(creatives.as_array().unwrap().iter().any(|row| row["name"] == "C2"), "{creatives}");

        let new = json!({ "ad_account_id": it.facts.ad_account_id, "name": "A", "adset_id": ad_set,
                          "creative": { "creative_id": creative } });
        let ad = caller.data("ad.create", &new).await["id"].clone();
        assert_eq!(caller.data("ad.get", &json!({ "ad_id": ad })).await["status"], "PAUSED");
        caller.data("ad.update", &json!({ "ad_id": ad, "name": "A2" })).await;
        assert_eq!(caller.data("ad.list", &in_account).await[0]["name"], "A2");

        // One that no ad uses: only such a creative can be deleted.
        let new =
            json!({ "ad_account_id": it.facts.ad_account_id, "name": "C3", "object_story_spec": story });
        let creative = caller.data("creative.create", &new).await["id"].clone();
        for (method, argument, id) in [
            ("ad", "ad_id", &ad),
            ("creative", "creative_id", &creative),
            ("ad_set", "ad_set_id", &ad_set),
            ("campaign", "campaign_id", &json!(campaign)),
        ] {
            caller.data(&format!("{method}.archive"), &json!({ argument: id })).await;
        }
        assert_eq!(caller.data("campaign.get", &id).await["status"], "ARCHIVED");
        assert_eq!(caller.data("campaign.list", &in_account).await.as_array().unwrap().len(), 0);
        let verdict = caller.data("ad_set.validate", &json!({ "ad_set": {} })).await["verdict"].clone();
        assert_eq!(verdict, "reject");
    });
}

#[test]
fn an_account_with_one_connection_needs_not_name_it() {
    on_each_connected(&[], async |it| {
        let backend = Backend::new(&it.test, Some(it.account.clone())).await;
        let path = format!("/v1/accounts/{}/methods/page.list", it.account);
        let (status, answer) = read(backend.request(Method::POST, &path)).await;
        assert_eq!(status, StatusCode::OK, "{answer}");
        let empty = account(&it.test, "empty").await;
        let partner = Backend::new(&it.test, None).await;
        let path = format!("/v1/accounts/{empty}/methods/page.list");
        assert_eq!(read(partner.request(Method::POST, &path)).await.0, StatusCode::CONFLICT);
    });
}

#[test]
fn lists_go_on_by_cursor_and_hold_no_token() {
    on_each_connected(&[], async |it| {
        let caller = Caller::new(it).await;
        for _ in 0..3 {
            caller.campaign(it).await;
        }
        let mut arguments = json!({ "ad_account_id": it.facts.ad_account_id, "limit": 2, "fields": "id,adsets.limit(1){id}" });
        let (_, first) = caller.call("campaign.list", &arguments).await;
        assert_eq!(first["data"].as_array().unwrap().len(), 2);
        arguments["after"] = first["next"].clone();
        let (_, last) = caller.call("campaign.list", &arguments).await;
        assert_eq!((last["data"].as_array().unwrap().len(), &last["next"]), (1, &Value::Null), "{last}");
        assert_ne!(first["data"][0]["id"], last["data"][0]["id"]);
        assert!(!first.to_string().contains("access_token"), "{first}");
        let (status, problem) = caller.call("page.list", &json!({ "fields": ["id", "access_token"] })).await;
        assert_eq!(
            (status, &problem["faults"][0]["field"]),
            (StatusCode::UNPROCESSABLE_ENTITY, &json!("fields"))
        );
    });
}

#[test]
fn what_the_rules_reject_never_reaches_meta() {
    on_each_connected(&[], async |it| {
        let caller = Caller::new(it).await;
        let campaign = caller.campaign(it).await;
        let mut wrong = ad_set(it, &campaign);
        wrong["promoted_object"] = json!({ "pixel_id": it.facts.pixel_id, "custom_event_type": "PURCHASE" });
        wrong["destination_type"] = json!("WEBSITE");
        wrong["optimization_goal"] = json!("OFFSITE_CONVERSIONS");
        let (status, problem) = caller.call("ad_set.create", &wrong).await;
        assert_eq!(
            (status, &problem["type"]),
            (StatusCode::UNPROCESSABLE_ENTITY, &json!("/problems/rules-reject"))
        );
        assert!(
            problem["findings"]
                .as_array()
                .unwrap()
                .iter()
                .any(|it| it["severity"] == "reject" && it["fix"] != "")
        );
        let in_account = json!({ "ad_account_id": it.facts.ad_account_id });
        assert_eq!(caller.data("ad_set.list", &in_account).await, json!([]));

        let made = caller.data("ad_set.create", &ad_set(it, &campaign)).await;
        let change = json!({ "ad_set_id": made["id"], "lifetime_budget": -1 });
        let (status, problem) = caller.call("ad_set.update", &change).await;
        assert_eq!(
            (status, &problem["type"]),
            (StatusCode::UNPROCESSABLE_ENTITY, &json!("/problems/rules-reject"))
        );
    });
}

#[test]
fn the_rules_know_what_the_ad_account_takes() {
    on_each_connected(&[], async |it| {
        let caller = Caller::new(it).await;
        let campaign = caller.campaign(it).await;
        let refused = async |method: &str, arguments: &Value| {
            let (status, problem) = caller.call(method, arguments).await;
            assert_eq!(status, StatusCode::UNPROCESSABLE_ENTITY, "{problem}");
            assert_eq!(problem["type"], "/problems/rules-reject");
            let grave =
                problem["findings"].as_array().unwrap().iter().filter(|it| it["severity"] == "reject");
            grave.map(|it| it["rule"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
        };
        let mut small = ad_set(it, &campaign);
        small["daily_budget"] = json!(1);
        assert_eq!(refused("ad_set.create", &small).await, ["budget-below-minimum"]);
        let mut german = ad_set(it, &campaign);
        german["targeting"]["geo_locations"]["countries"] = json!(["DE"]);
        assert_eq!(refused("ad_set.create", &german).await, ["dsa-beneficiary-missing", "dsa-payor-missing"]);
        let in_account = json!({ "ad_account_id": it.facts.ad_account_id });
        assert_eq!(caller.data("ad_set.list", &in_account).await, json!([]));

        let american = caller.data("ad_set.create", &ad_set(it, &campaign)).await["id"].clone();
        let change = json!({ "ad_set_id": american, "daily_budget": 1 });
        assert_eq!(refused("ad_set.update", &change).await, ["budget-below-minimum"]);
        let change = json!({ "ad_set_id": american, "targeting": german["targeting"] });
        assert_eq!(refused("ad_set.update", &change).await, ["dsa-beneficiary-missing", "dsa-payor-missing"]);

        let defaults = json!({ "default_dsa_beneficiary": "Northlight", "default_dsa_payor": "Northlight" });
        let url = format!("{}/v26.0/{}", it.facts.graph_url, it.facts.ad_account_id);
        let set = reqwest::Client::new().post(url).bearer_auth(&it.facts.access_token).json(&defaults);
        assert_eq!(set.send().await.unwrap().status(), StatusCode::OK);
        it.advance(61);
        caller.data("ad_set.create", &german).await;
    });
}

#[test]
fn arguments_are_checked_all_at_once() {
    on_each_connected(&[], async |it| {
        let caller = Caller::new(it).await;
        let (status, problem) =
            caller.call("ad_set.create", &json!({ "nam": "x", "campaign_id": "12a" })).await;
        assert_eq!(status, StatusCode::UNPROCESSABLE_ENTITY);
        insta::assert_json_snapshot!("arguments", problem);
        assert_eq!(caller.call("ad_set.destroy", &json!({})).await.0, StatusCode::NOT_FOUND);
        assert_eq!(caller.call("page.list", &json!([])).await.0, StatusCode::UNPROCESSABLE_ENTITY);
        let deep = format!("{{\"fields\":{}", "[".repeat(10_000));
        let request = caller.backend.request(Method::POST, &format!("{}/page.list", caller.methods));
        let (status, _) = read(request.header("content-type", "application/json").body(deep)).await;
        assert_eq!(status, StatusCode::BAD_REQUEST);
        let path = format!("{}/page.list?preview=true", caller.methods);
        let (status, _) = caller.backend.send(Method::POST, &path, &json!({})).await;
        assert_eq!(status, StatusCode::UNPROCESSABLE_ENTITY);
    });
}

#[test]
fn a_preview_changes_nothing() {
    on_each_connected(&[], async |it| {
        let caller = Caller::new(it).await;
        let path = format!("{}/campaign.create?preview=true", caller.methods);
        let (status, answer) = caller.backend.send(Method::POST, &path, &campaign(it)).await;
        assert_eq!((status, &answer["validated_by_meta"]), (StatusCode::OK, &json!(true)), "{answer}");
        assert_eq!(answer["data"]["body"]["status"], "PAUSED");
        let in_account = json!({ "ad_account_id": it.facts.ad_account_id });
        assert_eq!(caller.data("campaign.list", &in_account).await, json!([]));
        let path = format!("{}/campaign.archive?preview=true", caller.methods);
        let (status, answer) = caller.backend.send(Method::POST, &path, &json!({ "campaign_id": "1" })).await;
        assert_eq!((status, &answer["validated_by_meta"]), (StatusCode::OK, &json!(false)));
    });
}

#[test]
fn a_write_with_a_key_is_made_once() {
    on_each_connected(&[], async |it| {
        let caller = Caller::new(it).await;
        let new = campaign(it);
        let (first, second) = tokio::join!(
            caller.with_key("campaign.create", &new, "key-1"),
            caller.with_key("campaign.create", &new, "key-1"),
        );
        // Whoever comes second finds it under way, or done.
        let winner = if first.0 == StatusCode::OK { &first } else { &second };
        assert_eq!(winner.0, StatusCode::OK, "{first:?} {second:?}");
        let again = caller.with_key("campaign.create", &campaign(it), "key-1").await;
        assert_eq!((again.0, &again.1, again.2), (StatusCode::OK, &winner.1, true));
        let mut other = campaign(it);
        other["name"] = json!("Other");
        assert_eq!(caller.with_key("campaign.create", &other, "key-1").await.0, StatusCode::CONFLICT);
        let in_account = json!({ "ad_account_id": it.facts.ad_account_id });
        assert_eq!(caller.data("campaign.list", &in_account).await.as_array().unwrap().len(), 1);
        assert_eq!(
            caller.with_key("campaign.create", &campaign(it), "key 2").await.0,
            StatusCode::UNPROCESSABLE_ENTITY
        );
    });
}

#[test]
fn a_write_whose_end_is_not_known_is_not_repeated_under_its_key() {
    on_each_connected(&[], async |it| {
        let caller = Caller::new(it).await;
        it.switch_on("unavailable=1");
        let (status, problem, _) = caller.with_key("campaign.create", &campaign(it), "key-1").await;
        assert_eq!(status, StatusCode::BAD_GATEWAY, "{problem}");
        assert!(problem["detail"].as_str().unwrap().contains("not known"), "{problem}");
        let (status, again, _) = caller.with_key("campaign.create", &campaign(it), "key-1").await;
        assert_eq!((status, again), (StatusCode::BAD_GATEWAY, problem));
        let in_account = json!({ "ad_account_id": it.facts.ad_account_id });
        assert_eq!(caller.data("campaign.list", &in_account).await, json!([]));
        it.test.app.calls.flush().await;
        let path = format!("/v1/accounts/{}/connections/{}/calls", it.account, it.connection);
        let (_, log) = caller.backend.get(&path).await;
        assert_eq!(
            (&log["data"][2]["outcome"], &log["data"][2]["method"]),
            (&json!("unknown"), &json!("campaign.create"))
        );
    });
}

#[test]
fn a_read_outlives_a_fault_of_a_moment() {
    on_each_connected(&[], async |it| {
        let caller = Caller::new(it).await;
        let in_account = json!({ "ad_account_id": it.facts.ad_account_id });
        it.switch_on("unavailable=2");
        assert_eq!(caller.data("campaign.list", &in_account).await, json!([]));
    });
}

fn ids(rows: &Value) -> Vec<String> {
    rows.as_array().unwrap().iter().map(|row| row["id"].as_str().unwrap().to_owned()).collect()
}

/// Without `business_management` Meta leaves Pages of a portfolio out of the person's list.
#[test]
fn a_list_of_assets_holds_all_that_was_shared() {
    on_each_connected_by(
        &["ads"],
        |_| Login::Facebook,
        &[],
        async |it| {
            let caller = Caller::new(it).await;
            let shared = connections::get(&it.test.app, &it.account, &it.connection).await.unwrap();
            assert!(!shared.granted.contains(&"business_management".to_owned()));
            let mut pages: Vec<String> = shared.assets.pages.iter().map(|page| page.id.clone()).collect();
            assert!(pages.len() >= 2 && pages.contains(&it.facts.page_id), "{pages:?}");
            let (_, whole) = caller.call("page.list", &json!({})).await;
            let mut listed = ids(&whole["data"]);
            listed.sort_unstable();
            pages.sort_unstable();
            assert_eq!((&listed, &whole["next"]), (&pages, &Value::Null));
            assert!(
                whole["data"].as_array().unwrap().iter().all(|row| row["category"].is_string()),
                "{whole}"
            );

            let (mut one_by_one, mut after) = (Vec::new(), Value::Null);
            for _ in 0..=pages.len() {
                let (_, page) =
                    caller.call("page.list", &json!({ "limit": 1, "after": after, "fields": "name" })).await;
                assert!(page["data"].as_array().unwrap().len() <= 1, "{page}");
                one_by_one.extend(ids(&page["data"]));
                after = page["next"].clone();
                if after.is_null() {
                    break;
                }
            }
            one_by_one.sort_unstable();
            assert_eq!(one_by_one, pages);
            let (status, problem) = caller.call("page.list", &json!({ "after": "held.7" })).await;
            assert_eq!(
                (status, &problem["faults"][0]["field"]),
                (StatusCode::UNPROCESSABLE_ENTITY, &json!("after"))
            );

            let (_, accounts) = caller.call("ad_account.list", &json!({ "fields": "name" })).await;
            let shared: Vec<String> = shared.assets.ad_accounts.iter().map(|it| it.id.clone()).collect();
            assert_eq!(ids(&accounts["data"]).len(), shared.len(), "{accounts}");
        },
    );
}

#[test]
fn a_business_has_its_lists_too() {
    let login = |facts: &adjoin_sandbox::Facts| Login::Business {
        configurations: vec![LoginConfiguration {
            id: facts.config_id.clone(),
            use_cases: vec!["ads".to_owned()],
            token: LoginToken::SystemUser,
        }],
    };
    on_each_connected_by(&["ads"], login, &[], async |it| {
        let caller = Caller::new(it).await;
        let shared = connections::get(&it.test.app, &it.account, &it.connection).await.unwrap().assets;
        assert!(!shared.ad_accounts.is_empty() && !shared.pages.is_empty(), "{shared:?}");
        let accounts = ids(&caller.data("ad_account.list", &json!({})).await);
        assert!(shared.ad_accounts.iter().all(|it| accounts.contains(&it.id)), "{accounts:?}");
        let pages = ids(&caller.data("page.list", &json!({})).await);
        assert!(shared.pages.iter().all(|it| pages.contains(&it.id)), "{pages:?}");
    });
}

#[test]
fn a_campaign_is_checked_as_well() {
    on_each_connected(&[], async |it| {
        let caller = Caller::new(it).await;
        let mut wrong = campaign(it);
        wrong["objective"] = json!("CONVERSIONS");
        let (status, problem) = caller.call("campaign.create", &wrong).await;
        assert_eq!(
            (status, &problem["type"]),
            (StatusCode::UNPROCESSABLE_ENTITY, &json!("/problems/rules-reject")),
            "{problem}"
        );
        assert_eq!(problem["findings"][0]["severity"], "reject");
        let in_account = json!({ "ad_account_id": it.facts.ad_account_id });
        assert_eq!(caller.data("campaign.list", &in_account).await, json!([]));
    });
}

#[test]
fn a_call_that_meta_would_throttle_waits_here() {
    on_each_connected(&[], async |it| {
        let caller = Caller::new(it).await;
        let in_account = json!({ "ad_account_id": it.facts.ad_account_id });
        it.switch_on("rate_limit=buc");
        let (status, refused) = caller.call("campaign.list", &in_account).await;
        assert_eq!(
            (status, &refused["meta"]["error"]["code"]),
            (StatusCode::TOO_MANY_REQUESTS, &json!(80004)),
            "{refused}"
        );
        let wait = refused["retry_after"].as_u64().unwrap();
        let path = format!("{}/campaign.list", caller.methods);
        let response = caller.backend.request(Method::POST, &path).json(&in_account).send().await.unwrap();
        assert!(response.headers().contains_key("retry-after"));
        let (status, parked) = (response.status(), response.json::<Value>().await.unwrap());
        for same in ["type", "title", "who", "next_step", "retry_after"] {
            assert_eq!(refused[same], parked[same], "{same}");
        }
        assert_eq!(parked["who"], "meta");
        assert_eq!(
            (status, parked.get("meta")),
            (StatusCode::TOO_MANY_REQUESTS, None),
            "it was sent: {parked}"
        );
        assert!(wait > 0);
        assert_eq!(caller.call("page.list", &json!({})).await.0, StatusCode::OK);
        it.world.write().unwrap().scenarios = adjoin_sandbox::scenarios::Scenarios::default();
        it.test.clock.advance_seconds(24 * 3600);
        assert_eq!(caller.call("campaign.list", &in_account).await.0, StatusCode::OK);
    });
}

#[test]
fn a_dead_token_breaks_the_connection_and_a_fault_at_meta_does_not() {
    on_each_connected(&[], async |it| {
        let caller = Caller::new(it).await;
        it.switch_on("unavailable=3");
        assert_eq!(caller.call("page.list", &json!({})).await.0, StatusCode::SERVICE_UNAVAILABLE);
        assert_eq!(caller.call("page.list", &json!({})).await.0, StatusCode::OK);
        it.switch_on("dead_tokens=463");
        let (status, problem) = caller.call("page.list", &json!({})).await;
        assert_eq!(
            (status, &problem["type"]),
            (StatusCode::CONFLICT, &json!("/problems/connection-broken")),
            "{problem}"
        );
        insta::assert_json_snapshot!("dead_token", problem, {
            ".meta.error.fbtrace_id" => "[trace]", ".meta.error.message" => "[message]", ".detail" => "[detail]"
        });
        let connection = connections::get(&it.test.app, &it.account, &it.connection).await.unwrap();
        assert!(matches!(connection.state, State::Broken { .. }), "{:?}", connection.state);
        // Who calls later learns the same, but for what Meta said.
        let (status, later) = caller.call("page.list", &json!({})).await;
        assert_eq!(status, StatusCode::CONFLICT);
        for same in ["type", "title", "status", "who", "next_step"] {
            assert_eq!(later[same], problem[same], "{same}");
        }
        assert_eq!(later.get("meta"), None);
    });
}

#[test]
fn a_permission_that_was_declined_is_named_before_meta_is_asked() {
    on_each_connected(&["declined=ads_management"], async |it| {
        let caller = Caller::new(it).await;
        let (status, problem) = caller.call("campaign.create", &campaign(it)).await;
        assert_eq!(status, StatusCode::FORBIDDEN);
        insta::assert_json_snapshot!("permission", problem);
    });
}

#[test]
fn a_permission_that_nobody_asked_for_is_the_partners_to_set_up() {
    on_each_connected_by(
        &["ads"],
        |_| Login::Facebook,
        &[],
        async |it| {
            let caller = Caller::new(it).await;
            let arguments = json!({ "page_id": it.facts.page_id, "form_id": it.facts.form_id });
            let (status, problem) = caller.call("lead.list", &arguments).await;
            assert_eq!(
                (status, &problem["type"]),
                (StatusCode::FORBIDDEN, &json!("/problems/permission-missing"))
            );
            assert_eq!(problem["who"], "partner");
            let next_step = problem["next_step"].as_str().unwrap();
            assert!(next_step.contains("the use case “Leads” is ticked"), "{next_step}");
        },
    );
}

#[test]
fn when_meta_is_down_nothing_breaks() {
    on_each_connected(&[], async |it| {
        let caller = Caller::new(it).await;
        it.stop_sandbox().await;
        let (status, problem) = caller.call("page.list", &json!({})).await;
        assert_eq!((status, &problem["who"]), (StatusCode::SERVICE_UNAVAILABLE, &json!("meta")), "{problem}");
        let (status, problem, _) = caller.with_key("campaign.create", &campaign(it), "key-1").await;
        assert!(status == StatusCode::SERVICE_UNAVAILABLE || status == StatusCode::BAD_GATEWAY, "{problem}");
        let connection = connections::get(&it.test.app, &it.account, &it.connection).await.unwrap();
        assert!(connection.state.is_usable());
    });
}

#[test]
fn a_connection_of_another_account_is_not_found() {
    on_each_connected(&[], async |it| {
        let other = account(&it.test, "other").await;
        let foreign = Backend::new(&it.test, Some(other.clone())).await;
        let at = |account: &AccountId, connection: &ConnectionId, rest: &str| {
            format!("/v1/accounts/{account}/connections/{connection}{rest}")
        };
        for rest in ["", "/calls"] {
            assert_eq!(
                foreign.get(&at(&other, &it.connection, rest)).await.0,
                StatusCode::NOT_FOUND,
                "{rest}"
            );
            assert_eq!(
                foreign.get(&at(&it.account, &it.connection, rest)).await.0,
                StatusCode::NOT_FOUND,
                "{rest}"
            );
        }
        for rest in ["/test", "/disconnect", "/methods/page.list"] {
            for account in [&other, &it.account] {
                let path = at(account, &it.connection, rest);
                assert_eq!(
                    read(foreign.request(Method::POST, &path)).await.0,
                    StatusCode::NOT_FOUND,
                    "{path}"
                );
            }
        }
        let body = json!({ "kind": "link" });
        let path = at(&other, &it.connection, "/reconnect");
        assert_eq!(foreign.send(Method::POST, &path, &body).await.0, StatusCode::NOT_FOUND);
    });
}

#[test]
fn calls_are_logged_without_arguments_and_answers() {
    on_each_connected(&[], async |it| {
        let caller = Caller::new(it).await;
        caller.data("page.list", &json!({})).await;
        caller.call("campaign.get", &json!({ "campaign_id": "999" })).await;
        caller.call("campaign.get", &json!({})).await;
        it.test.app.calls.flush().await;
        let path = format!("/v1/accounts/{}/connections/{}/calls", it.account, it.connection);
        let (status, log) = caller.backend.get(&path).await;
        assert_eq!(status, StatusCode::OK);
        let rows = log["data"].as_array().unwrap();
        let outcomes: Vec<_> = rows.iter().map(|row| row["outcome"].as_str().unwrap()).collect();
        assert_eq!(outcomes, ["invalid", "refused", "ok"], "{log}");
        assert_eq!((&rows[1]["code"], &rows[1]["subcode"]), (&json!(100), &json!(33)));
        assert!(rows[1]["trace_id"].is_string());
        let (_, first) = caller.backend.get(&format!("{path}?limit=2")).await;
        let (_, rest) =
            caller.backend.get(&format!("{path}?after={}", first["next"].as_str().unwrap())).await;
        assert_eq!(rest["data"][0]["method"], "page.list");
    });
}

#[test]
fn a_burst_of_calls_is_logged_but_for_those_of_connections_that_are_gone() {
    on_each_connected(&[], async |it| {
        let app = &it.test.app;
        let call = |connection: &ConnectionId| calls::Call {
            id: CallId::new(),
            account_id: it.account.clone(),
            connection_id: connection.clone(),
            method: "page.list".to_owned(),
            outcome: "ok".to_owned(),
            code: None,
            subcode: Some(33),
            message: None,
            trace_id: Some("T1".to_owned()),
            duration_us: 250,
            at: it.test.clock.now(),
        };
        for nth in 0..63 {
            let gone = ConnectionId::new();
            app.calls.add(call(if nth % 9 == 0 { &gone } else { &it.connection }));
        }
        app.calls.flush().await;
        let logged = calls::list(app, &it.account, &it.connection, None, calls::PAGE_MAX).await.unwrap();
        assert_eq!(logged.items.len(), 56);
        let kept = &logged.items[55];
        assert_eq!((kept.code, kept.subcode, kept.duration_us), (None, Some(33), 250));
        assert_eq!((kept.message.as_deref(), kept.trace_id.as_deref()), (None, Some("T1")));
    });
}

#[test]
fn metrics_count_calls_and_name_nobody() {
    on_each_connected(&[], async |it| {
        let caller = Caller::new(it).await;
        caller.data("page.list", &json!({})).await;
        let text = reqwest::get(it.test.url("/metrics")).await.unwrap().text().await.unwrap();
        assert!(text.contains(r#"adjoin_method_calls_total{method="page.list",outcome="ok"} 1"#), "{text}");
        assert!(text.contains("adjoin_meta_error_share"), "{text}");
        for id in [it.account.as_str(), it.connection.as_str(), &it.facts.ad_account_id] {
            assert!(!text.contains(id), "{text}");
        }
    });
}

#[test]
fn a_connection_is_tested_listed_and_disconnected() {
    on_each_connected(&[], async |it| {
        let partner = Backend::new(&it.test, None).await;
        let (_, all) = partner.get("/v1/connections?state=connected").await;
        assert_eq!(all["data"][0]["id"], it.connection.as_str(), "{all}");
        assert_eq!(partner.get("/v1/connections?state=broken").await.1["data"], json!([]));
        let path = format!("/v1/accounts/{}/connections/{}", it.account, it.connection);
        let (_, report) = read(partner.request(Method::POST, &format!("{path}/test"))).await;
        assert_eq!(report["ok"], true, "{report}");
        let (status, session) = partner
            .send(Method::POST, &format!("{path}/reconnect"), &json!({ "kind": "link", "rerequest": true }))
            .await;
        assert_eq!(status, StatusCode::CREATED, "{session}");
        let sessions =
            format!("/v1/accounts/{}/connect-sessions/{}", it.account, session["id"].as_str().unwrap());
        assert_eq!(partner.get(&sessions).await.1["status"], "created");
        let wrong = json!({ "completion_code": "x" });
        let (status, _) = partner.send(Method::POST, &format!("{sessions}/complete"), &wrong).await;
        assert!(status.is_client_error());
        let (_, cancelled) = read(partner.request(Method::POST, &format!("{sessions}/cancel"))).await;
        assert_eq!(cancelled["status"], "cancelled");
        let (status, gone) = read(partner.request(Method::POST, &format!("{path}/disconnect"))).await;
        assert_eq!(
            (status, &gone["connection"]["state"]),
            (StatusCode::OK, &json!("disconnected")),
            "{gone}"
        );
        for answer in [&all, &report, &gone] {
            assert!(!answer.to_string().contains("EAA"), "a token is in {answer}");
        }
    });
}

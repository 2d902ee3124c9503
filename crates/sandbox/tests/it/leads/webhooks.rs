//! Webhooks as they arrive.

use adjoin_sandbox::{FillLeads, Options, webhooks::signature};
use reqwest::Method;
use serde_json::{Value, json};

use super::receiver::Receiver;
use crate::server::Server;

/// An id, whether it came as a number or as a string.
fn id(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

#[tokio::test]
async fn a_lead_is_told_of_signed() {
    let server = Server::start().await;
    let mut receiver = Receiver::of_leads(&server).await;
    let lead = server.submit(json!({})).await.remove(0);
    let post = receiver.next().await;
    assert_eq!(post.header("x-hub-signature-256"), signature(&server.facts.app_secret, &post.body));
    assert!(post.header("x-hub-signature").starts_with("sha1="));
    assert_eq!(post.header("content-type"), "application/json");
    let body = post.json();
    assert_eq!((&body["object"], &body["entry"][0]["id"]), (&json!("page"), &json!(server.facts.page_id)));
    assert!(body["entry"][0]["time"].is_i64());
    let change = &body["entry"][0]["changes"][0];
    assert_eq!(change["field"], "leadgen");
    assert_eq!(id(&change["value"]["leadgen_id"]), lead);
    assert_eq!(id(&change["value"]["form_id"]), server.facts.form_id);
    assert!(change["value"]["created_time"].is_i64());
    assert!(receiver.has_none());
}

#[tokio::test]
async fn leads_that_come_together_share_a_post() {
    let server = Server::start().await;
    let mut receiver = Receiver::of_leads(&server).await;
    let leads = server.submit(json!({ "count": 30 })).await;
    let post = receiver.next().await;
    let changes = post.changes();
    assert_eq!(post.json()["entry"].as_array().unwrap().len(), 1);
    let told: Vec<String> = changes.iter().map(|(_, change)| id(&change["value"]["leadgen_id"])).collect();
    assert_eq!(told, leads);
    let kinds: Vec<bool> =
        changes.iter().map(|(_, change)| change["value"]["leadgen_id"].is_string()).collect();
    assert!(kinds.contains(&true) && kinds.contains(&false), "ids as strings and as numbers");
    server.submit(json!({ "silent": true })).await;
    server.as_page(Method::POST, &server.form("test_leads"), json!({})).await.good();
    assert_eq!(receiver.next().await.changes().len(), 1, "a test lead is told of, a silent one is not");
}

#[tokio::test]
async fn leads_of_several_pages_share_a_post_with_an_entry_each() {
    let fill_leads = FillLeads { pages: 2, forms: 1, ..FillLeads::default() };
    let server = Server::with(Options { fill_leads, ..Options::default() }).await;
    let mut receiver = Receiver::of_leads(&server).await;
    let pages = server.get("me/accounts", json!({ "fields": "name,access_token" })).await.good();
    let pages = pages["data"].as_array().unwrap();
    let page = pages.iter().find(|page| page["name"] == "Page 2").unwrap();
    let (id, token) = (page["id"].as_str().unwrap(), &page["access_token"]);
    let fields = json!({ "access_token": token, "subscribed_fields": "leadgen" });
    server.post(&format!("{id}/subscribed_apps"), fields).await.good();
    let forms = server.get(&format!("{id}/leadgen_forms"), json!({ "access_token": token })).await.good();
    let form = forms["data"][0]["id"].as_str().unwrap();

    // The first waits for more, and three are enough.
    server.scenario("webhook_batch=3,60000");
    server.submit(json!({})).await;
    let path = format!("/forms/{form}/leads");
    server.admin(Method::POST, &path, Some(json!({ "count": 2 }))).await.good();
    let post = receiver.next().await;
    let entries = post.json()["entry"].clone();
    assert_eq!(entries.as_array().unwrap().len(), 2);
    assert_eq!((&entries[0]["id"], &entries[1]["id"]), (&json!(server.facts.page_id), &json!(id)));
    assert_eq!(entries[1]["changes"].as_array().unwrap().len(), 2);
}

#[tokio::test]
async fn without_values_only_fields_are_named() {
    let server = Server::start().await;
    let mut receiver = Receiver::of_leads(&server).await;
    let params = json!({
        "access_token": server.app_token(),
        "object": "page",
        "callback_url": receiver.url,
        "fields": "leadgen",
        "verify_token": super::receiver::VERIFY_TOKEN,
    });
    server.post(&format!("{}/subscriptions", server.facts.app_id), params).await.good();
    server.submit(json!({})).await;
    let body = receiver.next().await.json();
    assert_eq!(body["entry"][0]["changed_fields"], json!(["leadgen"]));
    assert!(body["entry"][0].get("changes").is_none());
}

#[tokio::test]
async fn a_world_that_begins_anew_still_sends() {
    let server = Server::start().await;
    let mut before = Receiver::of_leads(&server).await;
    server.submit(json!({})).await;
    before.next().await;
    server.admin(Method::POST, "/reset", None).await.good();
    server.submit(json!({})).await;
    let mut receiver = Receiver::of_leads(&server).await;
    server.submit(json!({})).await;
    assert_eq!(receiver.next().await.changes().len(), 1);
    assert!(before.has_none(), "subscriptions do not outlive their world");
}

#[tokio::test]
async fn nothing_is_told_unless_both_levels_are_subscribed() {
    let server = Server::start().await;
    let mut receiver = Receiver::of_leads(&server).await;
    let counts = async || server.admin(Method::GET, "/webhooks", None).await.good()["counts"].clone();
    let path = format!("{}/subscribed_apps", server.facts.page_id);
    server.as_page(Method::DELETE, &path, json!({})).await.good();
    server.submit(json!({})).await;
    assert_eq!((&counts().await["unsubscribed"], &counts().await["raised"]), (&json!(1), &json!(0)));
    server.as_page(Method::POST, &path, json!({ "subscribed_fields": "leadgen" })).await.good();
    for scenario in ["page_disabled_app_platform", "app_in_development"] {
        server.scenario(scenario);
        server.submit(json!({})).await;
        server.no_scenarios();
    }
    assert_eq!(counts().await["unsubscribed"], 3);
    server.submit(json!({})).await;
    assert_eq!(receiver.next().await.changes().len(), 1);
    assert!(receiver.has_none());
}

#[tokio::test]
async fn what_is_not_taken_is_sent_again_for_thirty_six_hours() {
    let server = Server::start().await;
    let mut receiver = Receiver::of_leads(&server).await;
    server.world.write().unwrap().clock = adjoin_sandbox::clock::Clock::Frozen { at: jiff::Timestamp::now() };
    receiver.answer_with(500);
    server.submit(json!({})).await;
    let first = receiver.next().await;
    let again = receiver.next().await;
    assert_eq!(first.body, again.body, "at once");
    // After one, five and thirty minutes.
    server.advance(1_800);
    for _ in 0..3 {
        assert_eq!(receiver.next().await.body, first.body);
    }
    receiver.answer_with(200);
    server.advance(2 * 3_600);
    receiver.next().await;
    let counts = settled(&server).await;
    assert_eq!((&counts["sent"], &counts["pending"]), (&json!(1), &json!(0)));

    receiver.answer_with(404);
    server.submit(json!({})).await;
    loop {
        let counts = server.admin(Method::GET, "/webhooks", None).await.good()["counts"].clone();
        if counts["dropped"] == 1 {
            assert_eq!(counts["pending"], 0);
            break;
        }
        server.advance(6 * 3_600);
    }
    let log = server.admin(Method::GET, "/webhooks", None).await.good()["last"].clone();
    assert_eq!((&log[0]["what"], &log[0]["status"]), (&json!("dropped"), &json!(404)));
}

/// The counts once the last POST is noted.
async fn settled(server: &Server) -> Value {
    loop {
        let busy = { server.world.read().unwrap().webhooks.queue.in_flight() > 0 };
        if !busy {
            return server.admin(Method::GET, "/webhooks", None).await.good()["counts"].clone();
        }
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn scenarios_lose_double_and_forge() {
    let server = Server::start().await;
    let mut receiver = Receiver::of_leads(&server).await;
    server.scenario("webhook_loss=30");
    let all = server.submit(json!({ "count": 300 })).await.len();
    let told = receiver.next().await.changes().len();
    assert!((150..270).contains(&told), "{told}");
    let counts = settled(&server).await;
    assert_eq!(counts["lost"].as_u64().unwrap(), (all - told) as u64);
    server.no_scenarios();

    server.scenario("webhook_duplicates=50");
    server.submit(json!({ "count": 100 })).await;
    let told = receiver.next().await.changes().len();
    assert!((120..180).contains(&told), "{told}");
    server.no_scenarios();

    server.scenario("webhook_batch=7,0");
    server.submit(json!({ "count": 20 })).await;
    let mut sizes = Vec::new();
    for _ in 0..3 {
        sizes.push(receiver.next().await.changes().len());
    }
    sizes.sort_unstable();
    assert_eq!(sizes, [6, 7, 7]);
    server.no_scenarios();

    server.scenario("webhook_reorder=40");
    let leads = server.submit(json!({ "count": 40 })).await;
    let mut told = Vec::new();
    while told.len() < leads.len() {
        told.extend(
            receiver.next().await.changes().iter().map(|(_, change)| id(&change["value"]["leadgen_id"])),
        );
    }
    assert_ne!(told, leads);
    server.no_scenarios();

    server.scenario("bad_signature");
    server.submit(json!({})).await;
    let post = receiver.next().await;
    assert_ne!(post.header("x-hub-signature-256"), signature(&server.facts.app_secret, &post.body));
    server.no_scenarios();

    server.scenario("webhooks_off");
    server.submit(json!({})).await;
    server.no_scenarios();
    server.submit(json!({})).await;
    assert_eq!(receiver.next().await.changes().len(), 1, "what was raised then is not sent later");
}

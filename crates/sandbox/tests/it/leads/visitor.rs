//! The pages on which a person fills a form in.

use reqwest::redirect::Policy;
use serde_json::json;

use super::receiver::Receiver;
use crate::server::Server;

async fn page(server: &Server, path: &str) -> (u16, String) {
    let response = server.client.get(server.url(path)).send().await.unwrap();
    (response.status().as_u16(), response.text().await.unwrap())
}

#[tokio::test]
async fn a_person_fills_a_form_in() {
    let server = Server::start().await;
    let mut receiver = Receiver::of_leads(&server).await;
    let ad = server.lead_ad().await;
    let (_, list) = page(&server, "_sandbox/forms").await;
    assert!(list.contains("Wholesale enquiry") && list.contains("Northlight Coffee"));
    let path = format!("_sandbox/forms/{}", server.facts.form_id);
    let (status, form) = page(&server, &path).await;
    assert_eq!(status, 200);
    for piece in
        ["How much coffee do you need a month?", "type=\"email\"", "name=\"c1\"", "(optional)", ad.as_str()]
    {
        assert!(form.contains(piece), "{piece}");
    }
    assert!(!form.contains("<script"));

    let browser = reqwest::Client::builder().redirect(Policy::none()).build().unwrap();
    let send =
        async |fields: &[(&str, &str)]| browser.post(server.url(&path)).form(fields).send().await.unwrap();
    let refused = send(&[("q0", "Zoë <b>"), ("q1", "no address"), ("q3", "a_ton"), ("c1", "1")]).await;
    assert_eq!(refused.status(), 422);
    let text = refused.text().await.unwrap();
    assert!(text.contains("4 answers are missing or wrong"), "{text}");
    assert!(text.contains("This is not an email address.") && text.contains("This has to be ticked."));
    assert!(text.contains("value=\"Zoë &#60;b&#62;\""), "kept, and escaped: {text}");
    assert!(receiver.has_none());

    let good = [
        ("q0", "Zoë Müller"),
        ("q1", "zoe@example.com"),
        ("q2", "+15550100"),
        ("q3", "10_to_50_kg"),
        ("c0", "1"),
        ("from", ad.as_str()),
        ("platform", "ig"),
    ];
    let answer = send(&good).await;
    assert_eq!(answer.status(), 303);
    let location = answer.headers()["location"].to_str().unwrap().to_owned();
    let (_, thanks) = page(&server, &location[1..]).await;
    assert!(
        thanks.contains("Thanks, you&#39;re all set.") && thanks.contains("told whoever is subscribed"),
        "{thanks}"
    );

    assert_eq!(receiver.next().await.changes().len(), 1);
    let fields = "field_data,custom_disclaimer_responses,ad_id,platform,is_organic";
    let leads = server.page_gets(&server.form("leads"), json!({ "fields": fields })).await.good();
    let lead = &leads["data"][0];
    assert_eq!(lead["field_data"][3], json!({ "name": "monthly_volume", "values": ["10_to_50_kg"] }));
    assert_eq!(
        lead["custom_disclaimer_responses"][1],
        json!({ "checkbox_key": "newsletter", "is_checked": "" })
    );
    assert_eq!((&lead["ad_id"], &lead["platform"]), (&json!(ad), &json!("ig")));
}

#[tokio::test]
async fn what_is_not_there_says_so() {
    let server = Server::start().await;
    assert_eq!(page(&server, "_sandbox/forms/1").await.0, 404);
    let path = format!("_sandbox/forms/{}", server.facts.form_id);
    assert_eq!(page(&server, &format!("{path}/thanks?lead=1")).await.0, 404);
    server
        .as_page(reqwest::Method::POST, &server.facts.form_id.clone(), json!({ "status": "ARCHIVED" }))
        .await
        .good();
    assert_eq!(page(&server, &path).await.0, 410);
    assert!(page(&server, "_sandbox/forms").await.1.contains("archived"));
    let foreign =
        server.client.post(server.url(&path)).header("origin", "https://evil.example").send().await.unwrap();
    assert_eq!(foreign.status(), 403);
}

//! Lead forms, as a Page's token sees and makes them.

use reqwest::Method;
use serde_json::{Value, json};

use super::ids;
use crate::server::Server;

#[tokio::test]
async fn a_page_lists_its_forms_and_a_person_does_not() {
    let server = Server::start().await;
    let path = format!("{}/leadgen_forms", server.facts.page_id);
    let refused = server.get(&path, json!({})).await;
    assert_eq!(
        refused.body["error"]["message"],
        "(#190) This method must be called with a Page Access Token"
    );
    assert_eq!(refused.code(), (190, None));

    let forms = server.page_gets(&path, json!({})).await.good();
    assert_eq!(ids(&forms)[0], server.facts.form_id);
    assert_eq!(forms["data"][0]["name"], "Wholesale enquiry");
    let fields = "questions,legal_content,leads_count,organic_leads_count,expired_leads_count,created_time,page_id,thank_you_page,privacy_policy_url";
    let form = server.page_gets(&server.facts.form_id, json!({ "fields": fields })).await.good();
    let keys: Vec<&Value> = form["questions"].as_array().unwrap().iter().map(|q| &q["key"]).collect();
    assert_eq!(keys, ["full_name", "email", "phone_number", "monthly_volume"]);
    assert_eq!(form["questions"][3]["options"][0]["key"], "up_to_10_kg");
    let checkboxes = &form["legal_content"]["custom_disclaimer"]["checkboxes"];
    assert_eq!((&checkboxes[0]["is_required"], &checkboxes[1]["is_required"]), (&json!(true), &json!(false)));
    assert_eq!((&form["leads_count"], &form["page_id"]), (&json!(0), &json!(server.facts.page_id)));
}

#[tokio::test]
async fn a_form_is_made_archived_and_never_deleted() {
    let server = Server::start().await;
    let path = format!("{}/leadgen_forms", server.facts.page_id);
    let wish = || {
        json!({
            "name": "Tasting",
            "locale": "DE_DE",
            "questions": [{ "type": "EMAIL" }, { "type": "CUSTOM", "label": "Wie viele?", "options": [{ "value": "Zwei" }] }],
            "privacy_policy": { "url": "https://example.com/privacy", "link_text": "Datenschutz" },
            "tracking_parameters": { "utm": "spring" },
            "block_display_for_non_targeted_viewer": true,
        })
    };
    let made = server.as_page(Method::POST, &path, wish()).await.good();
    let id = made["id"].as_str().unwrap().to_owned();
    let read = server
        .page_gets(&id, json!({ "fields": "locale,questions,tracking_parameters,allow_organic_lead,status" }))
        .await
        .good();
    assert_eq!((&read["locale"], &read["status"]), (&json!("de_DE"), &json!("ACTIVE")));
    assert_eq!(read["questions"][1]["options"][0], json!({ "key": "zwei", "value": "Zwei" }));
    assert_eq!(read["tracking_parameters"], json!([{ "key": "utm", "value": "spring" }]));
    assert_eq!(read["allow_organic_lead"], false);

    let refuse = async |name: &str, value: Value| {
        let mut params = wish();
        params["name"] = json!("Other");
        params[name] = value;
        server.as_page(Method::POST, &path, params).await.code()
    };
    assert_eq!(refuse("name", json!("Tasting")).await.0, 100);
    assert_eq!(refuse("questions", json!([])).await.0, 100);
    assert_eq!(refuse("questions", json!([{ "type": "ID_CPF" }, { "type": "ID_AR_DNI" }])).await.0, 100);
    assert_eq!(refuse("locale", json!("de_DE")).await.0, 100);
    assert_eq!(
        refuse("privacy_policy", json!({ "url": "https://e.com", "link_text": "x".repeat(71) })).await.0,
        1
    );
    assert_eq!(server.post(&path, wish()).await.code().0, 190);

    server.as_page(Method::POST, &id, json!({ "status": "ARCHIVED" })).await.good();
    let listed = async || server.page_gets(&path, json!({ "fields": "status" })).await.good();
    assert!(listed().await["data"].as_array().unwrap().iter().any(|row| row["status"] == "ARCHIVED"));
    server.scenario("archived_forms_hidden");
    assert!(!ids(&listed().await).contains(&id.as_str()));
    server.as_page(Method::POST, &id, json!({ "status": "ACTIVE" })).await.good();
    assert!(ids(&listed().await).contains(&id.as_str()));
    assert_eq!(server.as_page(Method::POST, &id, json!({ "status": "DELETED" })).await.code().0, 100);
    assert_eq!(server.as_page(Method::DELETE, &id, json!({})).await.status, 501);

    server.scenario("lead_terms_not_accepted");
    let mut another = wish();
    another["name"] = json!("Another");
    assert_eq!(server.as_page(Method::POST, &path, another).await.code().0, 100);
    let page = server.get(&server.facts.page_id, json!({ "fields": "leadgen_tos_accepted" })).await.good();
    assert_eq!(page["leadgen_tos_accepted"], false);
}

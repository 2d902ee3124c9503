//! Lead forms, leads, test leads and alerts, called over the JSON API against the sandbox.

use adjoin::{
    service::{
        connections::{self, State},
        forms,
    },
    store::{FromRow, Row, sql},
};
use adjoin_sandbox::world::{
    Submission,
    leads::{Answer, Platform},
    webhooks::AppSubscription,
};
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

use crate::{
    methods::Caller,
    support::{Connected, on_each_connected, on_each_connected_by},
};

fn form(it: &Connected) -> Value {
    json!({
        "page_id": it.facts.page_id, "name": "Trial lesson", "locale": "DE_DE",
        "questions": [
            { "type": "FULL_NAME", "key": "name" }, { "type": "EMAIL", "key": "mail" },
            { "type": "CUSTOM", "key": "day", "label": "Which day?",
              "options": [{ "key": "sat", "value": "Saturday" }, { "key": "sun", "value": "Sunday" }] },
        ],
        "privacy_policy": { "url": "https://example.com/privacy", "link_text": "Privacy" },
        "custom_disclaimer": { "title": "Terms", "body": { "text": "We may call you." },
            "checkboxes": [{ "key": "call", "text": "Call me", "is_required": true }] },
        "tracking_parameters": { "source": "spring" },
        "is_optimized_for_quality": true,
        "block_display_for_non_targeted_viewer": false,
        "follow_up_action_url": "https://example.com/thanks",
    })
}

/// Somebody fills the form in; nobody is told of it.
pub fn submit(it: &Connected, form: &str, answers: &[(&str, &str)]) -> String {
    let answer =
        |&(name, value): &(&str, &str)| Answer { name: name.to_owned(), values: vec![value.to_owned()] };
    let submission = Submission {
        form: form.to_owned(),
        answers: answers.iter().map(answer).collect(),
        consents: Vec::new(),
        ad: None,
        platform: Platform::Facebook,
        // Meta's clock runs on, and the service's stands: a lead is not from its future.
        created: Some(it.test.clock.now().unix()),
        test: false,
        silent: true,
    };
    it.world.write().unwrap().submit(submission).to_string()
}

fn ids(rows: &Value) -> Vec<&str> {
    rows.as_array().unwrap().iter().map(|row| row["id"].as_str().unwrap()).collect()
}

#[test]
fn a_form_is_made_read_listed_archived_and_made_active_again() {
    on_each_connected(&[], async |it| {
        let caller = Caller::new(it).await;
        crate::forms::sweep(&it.test.app).await;
        let id = caller.data("form.create", &form(it)).await["id"].clone();
        // It is known here at once, not with the next listing of the hour.
        crate::forms::sweep(&it.test.app).await;
        forms::get(&it.test.app, &it.account, id.as_str().unwrap()).await.unwrap();
        let of_page = json!({ "page_id": it.facts.page_id });
        let this = json!({ "page_id": it.facts.page_id, "form_id": id });
        let read = caller.data("form.get", &this).await;
        assert_eq!((&read["name"], &read["status"]), (&json!("Trial lesson"), &json!("ACTIVE")), "{read}");
        assert_eq!(read["questions"].as_array().unwrap().len(), 3);
        assert_eq!(read["leads_count"], 0);
        let listed = caller.data("form.list", &of_page).await;
        assert!(
            ids(&listed).contains(&id.as_str().unwrap()) && ids(&listed).contains(&it.facts.form_id.as_str())
        );
        caller.data("form.archive", &this).await;
        assert_eq!(caller.data("form.get", &this).await["status"], "ARCHIVED");
        let mut active = this.clone();
        active["status"] = json!("ACTIVE");
        caller.data("form.update", &active).await;
        assert_eq!(caller.data("form.get", &this).await["status"], "ACTIVE");
    });
}

#[test]
fn a_form_that_meta_would_refuse_without_a_reason_is_not_sent() {
    on_each_connected(&[], async |it| {
        let caller = Caller::new(it).await;
        let mut wrong = form(it);
        wrong["privacy_policy"] = json!({ "url": "example.com", "link_text": "x".repeat(71) });
        wrong["locale"] = json!("de_DE");
        let (status, problem) = caller.call("form.create", &wrong).await;
        assert_eq!(
            (status, &problem["type"]),
            (StatusCode::UNPROCESSABLE_ENTITY, &json!("/problems/rules-reject")),
            "{problem}"
        );
        let rules: Vec<&str> =
            problem["findings"].as_array().unwrap().iter().map(|it| it["rule"].as_str().unwrap()).collect();
        assert_eq!(rules, ["form-privacy-policy", "form-link-text", "form-locale"]);
        // What is only doubtful goes through, and is told.
        let mut odd = form(it);
        odd["questions"] = json!([{ "type": "FAVOURITE_CAT", "key": "cat" }]);
        let (status, answer) = caller.call("form.create", &odd).await;
        assert_eq!(
            (status, &answer["findings"][0]["severity"]),
            (StatusCode::OK, &json!("note")),
            "{answer}"
        );
        // A preview needs no form to be made.
        let path = format!("{}/form.create?preview=true", caller.methods);
        let (status, answer) = caller.backend.send(Method::POST, &path, &form(it)).await;
        assert_eq!((status, &answer["validated_by_meta"]), (StatusCode::OK, &json!(false)), "{answer}");
        assert_eq!(answer["data"]["path"], format!("/{}/leadgen_forms", it.facts.page_id));
    });
}

#[test]
fn leads_are_read_whole_and_are_kept_nowhere() {
    on_each_connected(&[], async |it| {
        let caller = Caller::new(it).await;
        let form_id = it.facts.form_id.clone();
        let lead = submit(it, &form_id, &[("email", "greta.thorn@example.com")]);
        submit(it, &form_id, &[("email", "other@example.com")]);
        let of_form = json!({ "page_id": it.facts.page_id, "form_id": form_id, "limit": 1 });
        let (_, first) = caller.call("lead.list", &of_form).await;
        let mut next = of_form.clone();
        next["after"] = first["next"].clone();
        let (_, second) = caller.call("lead.list", &next).await;
        let (first, second) = (first["data"].clone(), second["data"].clone());
        assert!(
            ids(&first).contains(&lead.as_str()) || ids(&second).contains(&lead.as_str()),
            "{first} {second}"
        );
        let this = json!({ "page_id": it.facts.page_id, "lead_id": lead });
        let (status, read, _) = caller.with_key("lead.get", &this, "read-1").await;
        assert_eq!(status, StatusCode::OK, "{read}");
        let read = &read["data"];
        assert_eq!(
            read["field_data"][0],
            json!({ "name": "email", "values": ["greta.thorn@example.com"] }),
            "{read}"
        );
        assert_eq!((&read["is_organic"], &read["form_id"]), (&json!(true), &json!(form_id)));
        let neither = json!({ "page_id": it.facts.page_id });
        let (status, problem) = caller.call("lead.list", &neither).await;
        assert_eq!(
            (status, &problem["faults"][0]["field"]),
            (StatusCode::UNPROCESSABLE_ENTITY, &json!("form_id"))
        );

        // A test lead's answers are in the arguments; the answer that is kept for the key has its id only.
        let new = json!({ "page_id": it.facts.page_id, "form_id": form_id,
            "field_data": [{ "name": "email", "values": ["greta.thorn@example.com"] }] });
        let (status, made, _) = caller.with_key("test_lead.create", &new, "test-1").await;
        assert_eq!(status, StatusCode::OK, "{made}");
        it.test.app.calls.flush().await;
        let kept = kept(it).await;
        assert!(kept.iter().any(|text| text.contains("test_lead.create")), "{kept:?}");
        assert!(kept.iter().any(|text| text.contains(made["data"]["id"].as_str().unwrap())), "{kept:?}");
        for text in kept {
            assert!(!text.contains("greta") && !text.contains("Greta"), "{text}");
        }
    });
}

/// What is written down of calls: the log, and the answers kept for keys.
async fn kept(it: &Connected) -> Vec<String> {
    struct Text(String);
    impl FromRow for Text {
        fn from_row(row: &Row) -> adjoin::store::Result<Self> {
            row.get("text").map(Self)
        }
    }
    let db = &it.test.app.db;
    let calls: Vec<Text> =
        sql("SELECT method || ' ' || outcome || ' ' || COALESCE(message, '') AS text FROM calls")
            .all(db)
            .await
            .unwrap();
    let answers: Vec<Text> =
        sql("SELECT idempotency_key || COALESCE(answer, '') AS text FROM idempotency_keys")
            .all(db)
            .await
            .unwrap();
    calls.into_iter().chain(answers).map(|text| text.0).collect()
}

#[test]
fn a_form_has_one_test_lead_and_nothing_else_is_deleted() {
    on_each_connected(&[], async |it| {
        let caller = Caller::new(it).await;
        let of_form = json!({ "page_id": it.facts.page_id, "form_id": it.facts.form_id });
        let made = caller.data("test_lead.create", &of_form).await["id"].clone();
        let (status, problem) = caller.call("test_lead.create", &of_form).await;
        assert_eq!(status, StatusCode::UNPROCESSABLE_ENTITY, "{problem}");
        assert!(problem["next_step"].as_str().unwrap().contains("test_lead.delete"), "{problem}");
        assert_eq!(ids(&caller.data("test_lead.list", &of_form).await), [made.as_str().unwrap()]);

        let real = submit(it, &it.facts.form_id, &[("email", "a@example.com")]);
        let mut delete = of_form.clone();
        delete["lead_id"] = json!(real);
        let (status, problem) = caller.call("test_lead.delete", &delete).await;
        assert_eq!(status, StatusCode::CONFLICT, "{problem}");
        let this = json!({ "page_id": it.facts.page_id, "lead_id": real });
        assert_eq!(caller.data("lead.get", &this).await["id"], real);
        delete["lead_id"] = made;
        let (status, deleted, replayed) = caller.with_key("test_lead.delete", &delete, "delete-1").await;
        assert_eq!((status, replayed), (StatusCode::OK, false), "{deleted}");
        assert_eq!(caller.data("test_lead.list", &of_form).await, json!([]));
        // Sent again, the rules would find that there is no such test lead any more.
        let again = caller.with_key("test_lead.delete", &delete, "delete-1").await;
        assert_eq!(again, (StatusCode::OK, deleted, true));
        let (status, problem, _) = caller.with_key("test_lead.delete", &delete, "delete-2").await;
        assert_eq!(status, StatusCode::CONFLICT, "{problem}");
        delete["lead_id"] = json!(real);
        let (status, problem, _) = caller.with_key("test_lead.delete", &delete, "delete-1").await;
        assert_eq!(status, StatusCode::CONFLICT);
        assert!(problem["detail"].as_str().unwrap().contains("another call"), "{problem}");
    });
}

#[test]
fn alerts_are_made_listed_switched_off_and_deleted() {
    on_each_connected(&[], async |it| {
        // Meta wants the app's own subscription first.
        it.world.write().unwrap().webhooks.subscribe_app(
            &it.facts.app_id,
            "ad_account",
            AppSubscription {
                callback_url: it.test.url("/webhooks/facebook"),
                fields: vec!["subscriptions".to_owned()],
                include_values: true,
                version: "v26.0".to_owned(),
            },
        );
        let caller = Caller::new(it).await;
        let new = json!({ "ad_account_id": it.facts.ad_account_id, "event_type": "INSIGHTS_UPDATED", "field": "cpc",
            "operator": "GREATER_THAN", "value": "200",
            "filters": [{ "field": "entity_type", "value": "AD", "operator": "EQUAL" }] });
        let id = caller.data("ad_alert.create", &new).await["subscription_id"].clone();
        let in_account = json!({ "ad_account_id": it.facts.ad_account_id });
        let this = json!({ "ad_account_id": it.facts.ad_account_id, "subscription_id": id });
        let listed = caller.data("ad_alert.list", &in_account).await;
        assert_eq!((listed.as_array().unwrap().len(), &listed[0]["field"]), (1, &json!("cpc")), "{listed}");
        let mut off = this.clone();
        off["status"] = json!("DISABLED");
        caller.data("ad_alert.update", &off).await;
        assert_eq!(caller.data("ad_alert.get", &this).await["status"], "DISABLED");
        caller.data("ad_alert.delete", &this).await;
        assert_eq!(caller.data("ad_alert.list", &in_account).await, json!([]));

        let mut wrong = new;
        wrong["field"] = json!("spent");
        wrong["event_type"] = json!("INSIGHTS_MILESTONE_REACHED");
        let (status, problem) = caller.call("ad_alert.create", &wrong).await;
        assert_eq!(status, StatusCode::UNPROCESSABLE_ENTITY);
        let paths: Vec<_> =
            problem["findings"].as_array().unwrap().iter().map(|it| it["path"].clone()).collect();
        assert_eq!(paths, [json!(["alert", "operator"]), json!(["alert", "value"])], "{problem}");
    });
}

#[test]
fn a_dead_page_token_is_replaced_and_breaks_nothing() {
    on_each_connected(&[], async |it| {
        let caller = Caller::new(it).await;
        let of_page = json!({ "page_id": it.facts.page_id });
        caller.data("form.list", &of_page).await;
        it.switch_on("dead_page_tokens=460");
        let (status, problem) = caller.call("form.list", &of_page).await;
        assert_ne!(status, StatusCode::OK, "{problem}");
        let connection = connections::get(&it.test.app, &it.account, &it.connection).await.unwrap();
        assert!(connection.state.is_usable(), "{:?}", connection.state);
        it.world.write().unwrap().scenarios.clear("dead_page_tokens");
        caller.data("form.list", &of_page).await;

        // Now the consent itself is dead: asking for the Page's token shows it.
        it.switch_on("dead_tokens=460");
        caller.call("form.list", &of_page).await;
        let connection = connections::get(&it.test.app, &it.account, &it.connection).await.unwrap();
        assert!(matches!(connection.state, State::Broken { .. }), "{:?}", connection.state);
    });
}

#[test]
fn a_page_nobody_shared_has_no_token() {
    on_each_connected(&[], async |it| {
        let caller = Caller::new(it).await;
        let (status, problem) = caller.call("form.list", &json!({ "page_id": "999999999999999" })).await;
        assert!(status.is_client_error(), "{status} {problem}");
        let connection = connections::get(&it.test.app, &it.account, &it.connection).await.unwrap();
        assert!(connection.state.is_usable());
    });
}

#[test]
fn without_the_permissions_for_leads_nothing_is_sent() {
    on_each_connected_by(
        &["ads"],
        |_| adjoin::service::setup::Login::Facebook,
        &[],
        async |it| {
            let caller = Caller::new(it).await;
            let of_form = json!({ "page_id": it.facts.page_id, "form_id": it.facts.form_id });
            let (status, problem) = caller.call("lead.list", &of_form).await;
            assert_eq!(status, StatusCode::FORBIDDEN, "{problem}");
            assert!(
                problem["detail"].as_str().unwrap().contains("leads_retrieval and pages_manage_ads"),
                "{problem}"
            );
        },
    );
}

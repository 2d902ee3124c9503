//! Stages of leads, told to Meta once, against the sandbox's dataset.

use adjoin::{
    id::LeadId,
    service::leads::{self, Sighting, Source, StageState, stages},
    store::{FromRow, Row, sql},
};
use aws_lc_rs::digest::{SHA256, digest};
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

use crate::{
    api::account,
    lead_methods::submit,
    methods::Caller,
    support::{Connected, on_each_connected},
};

const MAIL: &str = "Greta.Thorn@Example.com ";

/// A lead that Adjoin holds, as a sweep would have brought it.
async fn hold(it: &Connected, meta_lead_id: &str, detail: Option<Value>) -> LeadId {
    let app = &it.test.app;
    let mut tx = app.db.begin().await.unwrap();
    let sighting = Sighting {
        account_id: it.account.clone(),
        meta_lead_id: meta_lead_id.to_owned(),
        page_id: it.facts.page_id.clone(),
        form_id: it.facts.form_id.clone(),
        ad_id: None,
        submitted_at: None,
        source: Source::Sweep,
        at: app.clock.now(),
        detail,
    };
    let sighted = leads::sight(app, &mut tx, sighting).await.unwrap();
    tx.commit().await.unwrap();
    sighted.lead_id
}

/// Somebody filled the form in, and Adjoin holds it.
async fn lead(it: &Connected, caller: &Caller) -> (LeadId, String) {
    let id = submit(it, &it.facts.form_id, &[("email", MAIL), ("phone_number", "+1 (650) 555-1212")]);
    let this = json!({ "page_id": it.facts.page_id, "lead_id": id });
    let detail = caller.data("lead.get", &this).await;
    (hold(it, &id, Some(detail)).await, id)
}

fn report(it: &Connected, lead: &LeadId, stage: &str) -> Value {
    json!({ "dataset_id": it.facts.pixel_id, "lead_id": lead, "stage": stage, "crm": "Acme CRM" })
}

/// Time passes here and at Meta.
fn advance(it: &Connected, seconds: i64) {
    it.test.clock.advance_seconds(seconds);
    it.world.write().unwrap().clock.advance(jiff::SignedDuration::from_secs(seconds));
}

/// What the dataset has taken, the oldest first.
fn events(it: &Connected) -> Vec<Value> {
    let world = it.world.read().unwrap();
    let mut events: Vec<Value> = world.events.iter().map(|received| received.event.clone()).collect();
    events.reverse();
    events
}

fn sha256(text: &str) -> String {
    let hash = digest(&SHA256, text.as_bytes());
    hash.as_ref().iter().fold(String::new(), |text, byte| format!("{text}{byte:02x}"))
}

#[test]
fn a_stage_is_told_once_and_as_meta_wants_it() {
    on_each_connected(&[], async |it| {
        let caller = Caller::new(it).await;
        let (lead, meta_id) = lead(it, &caller).await;
        advance(it, 60);
        let told = caller.data("lead.report_stage", &report(it, &lead, "Qualified")).await;
        assert_eq!(
            (&told["already_sent"], &told["stage"]["status"]),
            (&json!(false), &json!("sent")),
            "{told}"
        );
        let event = events(it).remove(0);
        assert_eq!(event["event_name"], "Qualified");
        assert_eq!(event["action_source"], "system_generated");
        assert_eq!(event["custom_data"], json!({ "event_source": "crm", "lead_event_source": "Acme CRM" }));
        assert_eq!(event["event_time"], it.test.clock.now().unix());
        assert_eq!(event["user_data"]["lead_id"], meta_id.parse::<u64>().unwrap());
        assert_eq!(event["user_data"]["em"], json!([sha256("greta.thorn@example.com")]));
        assert_eq!(event["user_data"]["ph"], json!([sha256("16505551212")]));

        // Later, by the other id, and with the moment it is known to have happened at: the same stage.
        advance(it, 3600);
        let again = caller.data("lead.report_stage", &report(it, &lead, "Qualified")).await;
        assert_eq!((&again["already_sent"], &again["stage"]["id"]), (&json!(true), &told["stage"]["id"]));
        let mut by_meta = report(it, &lead, "Qualified");
        by_meta["lead_id"] = Value::Null;
        by_meta["meta_lead_id"] = json!(meta_id);
        by_meta["staged_at"] = told["stage"]["staged_at"].clone();
        assert_eq!(caller.data("lead.report_stage", &by_meta).await["already_sent"], true);
        assert_eq!(events(it).len(), 1);

        // Another stage, another dataset's worth of events.
        caller.data("lead.report_stage", &report(it, &lead, "Won")).await;
        let events = events(it);
        assert_eq!(events.len(), 2);
        assert_ne!(events[0]["event_id"], events[1]["event_id"]);
        let kept = stages::of_lead(&it.test.app, &lead).await.unwrap();
        let names: Vec<_> = kept.iter().map(|it| (it.stage.as_str(), it.state.name())).collect();
        assert_eq!(names, [("Qualified", "sent"), ("Won", "sent")]);
        nothing_personal_is_kept(it).await;
    });
}

/// The ledger and the log name neither mail nor number, nor their hashes.
async fn nothing_personal_is_kept(it: &Connected) {
    struct Text(String);
    impl FromRow for Text {
        fn from_row(row: &Row) -> adjoin::store::Result<Self> {
            row.get("text").map(Self)
        }
    }
    it.test.app.calls.flush().await;
    let db = &it.test.app.db;
    let rows: Vec<Text> = sql("SELECT stage || ' ' || state AS text FROM lead_stages
         UNION ALL SELECT method || ' ' || COALESCE(message, '') AS text FROM calls
         UNION ALL SELECT COALESCE(answer, '') AS text FROM idempotency_keys")
    .all(db)
    .await
    .unwrap();
    assert!(rows.len() > 2);
    for Text(text) in rows {
        let lower = text.to_lowercase();
        assert!(!lower.contains("greta") && !lower.contains(&sha256("greta.thorn@example.com")), "{text}");
    }
}

#[test]
fn of_two_reports_at_once_one_is_sent() {
    on_each_connected(&[], async |it| {
        let caller = Caller::new(it).await;
        let (lead, _) = lead(it, &caller).await;
        let mut this = report(it, &lead, "Won");
        this["staged_at"] = json!(it.test.clock.now().unix());
        let (first, second) =
            tokio::join!(caller.call("lead.report_stage", &this), caller.call("lead.report_stage", &this));
        assert!(first.0 == StatusCode::OK || second.0 == StatusCode::OK, "{first:?} {second:?}");
        assert_eq!(events(it).len(), 1);
        // The first stage may carry the lead's own second; Meta wants it later.
        let now = it.test.clock.now().unix();
        assert_eq!(events(it)[0]["event_time"], now + 1);
        // With a key the same answer, without asking anybody.
        let keyed = caller.with_key("lead.report_stage", &this, "stage-1").await;
        assert_eq!((keyed.0, &keyed.1["data"]["already_sent"]), (StatusCode::OK, &json!(true)));
        assert!(caller.with_key("lead.report_stage", &this, "stage-1").await.2);
    });
}

#[test]
fn what_meta_must_not_hear_of_is_not_sent() {
    on_each_connected(&[], async |it| {
        let caller = Caller::new(it).await;
        let (lead, meta_id) = lead(it, &caller).await;
        let refused = async |arguments: Value, status: StatusCode, word: &str| {
            let (got, problem) = caller.call("lead.report_stage", &arguments).await;
            assert_eq!(got, status, "{arguments} {problem}");
            assert!(problem.to_string().contains(word), "{word}: {problem}");
        };
        let with = |name: &str, value: Value| {
            let mut arguments = report(it, &lead, "Won");
            arguments[name] = value;
            arguments
        };
        let by_meta = |id: &str| {
            let mut arguments = report(it, &lead, "Won");
            arguments["lead_id"] = Value::Null;
            arguments["meta_lead_id"] = json!(id);
            arguments
        };
        let (unprocessable, conflict) = (StatusCode::UNPROCESSABLE_ENTITY, StatusCode::CONFLICT);
        let now = it.test.clock.now().unix();
        refused(with("staged_at", json!(now + 1)), unprocessable, "future").await;
        refused(with("staged_at", json!(now - 7 * 86_400 - 1)), unprocessable, "seven days").await;
        refused(with("staged_at", json!(now - 60)), unprocessable, "before that").await;
        refused(with("stage", json!("  ")), unprocessable, "stage").await;
        refused(with("stage", json!("x".repeat(101))), unprocessable, "100").await;
        refused(with("meta_lead_id", json!(meta_id)), unprocessable, "exactly one").await;
        refused(with("lead_id", json!("lead_1")), unprocessable, "lead_id").await;
        // A sample of Meta's dashboard.
        refused(by_meta("444444444444"), unprocessable, "15 to 17 digits").await;
        refused(by_meta("123456789012345"), StatusCode::NOT_FOUND, "lead").await;
        refused(with("lead_id", json!(LeadId::new())), StatusCode::NOT_FOUND, "lead").await;
        // Of an id with the wrong length that is held all the same.
        let sample = hold(it, "55", Some(json!({ "id": "55", "ad_id": "1" }))).await;
        refused(with("lead_id", json!(sample)), conflict, "sample").await;
        let unread = hold(it, "123456789012399", None).await;
        let (status, problem) = caller.call("lead.report_stage", &report(it, &unread, "Won")).await;
        assert!(
            status.is_client_error() && problem["detail"].as_str().unwrap().contains("not been read"),
            "{problem}"
        );

        // A test lead, with Meta's own answers and with somebody's own.
        let of_form = json!({ "page_id": it.facts.page_id, "form_id": it.facts.form_id });
        for answers in [Value::Null, json!([{ "name": "email", "values": ["a@example.com"] }])] {
            let mut new = of_form.clone();
            new["field_data"] = answers;
            let id = caller.data("test_lead.create", &new).await["id"].as_str().unwrap().to_owned();
            let this = json!({ "page_id": it.facts.page_id, "lead_id": id });
            let mut detail = caller.data("lead.get", &this).await;
            detail["created_time"] = json!(now);
            let test = hold(it, &id, Some(detail)).await;
            refused(with("lead_id", json!(test)), conflict, "test lead").await;
            let mut delete = of_form.clone();
            delete["lead_id"] = json!(id);
            caller.data("test_lead.delete", &delete).await;
        }
        assert_eq!(events(it), Vec::<Value>::new());

        // Nobody reports stages of another account's leads.
        let other = account(&it.test, "other").await;
        let arguments = report(it, &lead, "Won");
        let prepared = stages::prepare(&it.test.app, &other, arguments.as_object().unwrap()).await;
        assert!(matches!(prepared, Err(adjoin::service::Error::NotFound { .. })));

        // A preview shows the event, and sends and keeps nothing.
        let path = format!("{}/lead.report_stage?preview=true", caller.methods);
        let (status, answer) = caller.backend.send(Method::POST, &path, &arguments).await;
        assert_eq!(
            (status, &answer["data"]["body"]["data"][0]["event_name"]),
            (StatusCode::OK, &json!("Won"))
        );
        assert!(stages::of_lead(&it.test.app, &lead).await.unwrap().is_empty());
    });
}

/// A lead that came through an ad, so that nothing else is asked on the way. Meta need not know it.
async fn of_an_ad(it: &Connected, meta_lead_id: &str) -> LeadId {
    let detail = json!({ "id": meta_lead_id, "ad_id": "120", "created_time": it.test.clock.now().unix(),
        "field_data": [{ "name": "email", "values": [] }] });
    hold(it, meta_lead_id, Some(detail)).await
}

#[test]
fn whether_meta_has_it_may_not_be_known_and_then_it_is_not_sent_again() {
    on_each_connected(&[], async |it| {
        let caller = Caller::new(it).await;
        let lead = of_an_ad(it, "123456789012345").await;
        it.switch_on("unavailable=1");
        let (status, problem) = caller.call("lead.report_stage", &report(it, &lead, "Won")).await;
        assert_eq!(status, StatusCode::BAD_GATEWAY, "{problem}");
        assert!(problem["detail"].as_str().unwrap().contains("not known"), "{problem}");
        assert!(problem["next_step"].as_str().unwrap().contains("not sent again"), "{problem}");
        let kept = stages::of_lead(&it.test.app, &lead).await.unwrap();
        assert!(matches!(kept[0].state, StageState::Unknown { .. }), "{kept:?}");
        let (status, problem) = caller.call("lead.report_stage", &report(it, &lead, "Won")).await;
        assert_eq!(status, StatusCode::CONFLICT, "{problem}");
        assert_eq!(events(it), Vec::<Value>::new());
    });
}

#[test]
fn what_meta_refused_is_sent_when_it_is_reported_again() {
    on_each_connected(&[], async |it| {
        let caller = Caller::new(it).await;
        // Meta does not know this lead.
        let unknown = of_an_ad(it, "123456789012345").await;
        for _ in 0..2 {
            let (status, problem) = caller.call("lead.report_stage", &report(it, &unknown, "Won")).await;
            assert_eq!(status, StatusCode::UNPROCESSABLE_ENTITY, "{problem}");
            let kept = stages::of_lead(&it.test.app, &unknown).await.unwrap();
            assert!(
                matches!(&kept[..], [stages::Stage { state: StageState::Refused { .. }, .. }]),
                "{kept:?}"
            );
        }
        // And now it does.
        let meta_id = submit(it, &it.facts.form_id, &[("email", MAIL)]);
        let known = of_an_ad(it, &meta_id).await;
        it.switch_on("rate_limit=app");
        let (status, _) = caller.call("lead.report_stage", &report(it, &known, "Won")).await;
        assert!(status.is_client_error() || status.is_server_error());
        it.world.write().unwrap().scenarios.clear("rate_limit");
        advance(it, 3600);
        let told = caller.data("lead.report_stage", &report(it, &known, "Won")).await;
        assert_eq!(told["stage"]["status"], "sent");
        assert_eq!(events(it).len(), 1);
    });
}

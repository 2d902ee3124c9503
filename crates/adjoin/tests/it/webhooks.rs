//! Webhooks: what is answered, what is stored, and what it is sorted into.

use adjoin::{
    audit::Actor,
    service::{
        leads::{self, Sighting, Source},
        webhooks::{self, Reason},
    },
    store::{Json, sql},
};
use aws_lc_rs::hmac;
use futures_util::future::join_all;
use http::StatusCode;
use serde_json::{Value, json};

use crate::support::{Connected, on_each_app, on_each_connected};

pub fn signature(secret: &str, body: &str) -> String {
    let key = hmac::Key::new(hmac::HMAC_SHA256, secret.as_bytes());
    format!("sha256={}", adjoin_graph::hex(hmac::sign(&key, body.as_bytes()).as_ref()))
}

pub async fn post(world: &Connected, body: &str) -> StatusCode {
    let signed = signature(&world.facts.app_secret, body);
    send(&world.test.url("/webhooks/facebook"), &signed, body).await
}

pub async fn send(url: &str, signature: &str, body: &str) -> StatusCode {
    let request =
        reqwest::Client::new().post(url).header("x-hub-signature-256", signature).body(body.to_owned());
    request.send().await.unwrap().status()
}

pub fn leadgen(page: &str, leads: &[Value]) -> String {
    let changes: Vec<Value> = leads
        .iter()
        .map(|id| {
            json!({ "field": "leadgen", "value": { "leadgen_id": id, "page_id": page, "form_id": "12",
                    "created_time": 1_795_514_000, "ad_id": 0 } })
        })
        .collect();
    json!({ "object": "page", "entry": [{ "id": page, "time": 1_795_514_400, "changes": changes }] })
        .to_string()
}

struct Count(i64);

impl adjoin::store::FromRow for Count {
    fn from_row(row: &adjoin::store::Row) -> adjoin::store::Result<Self> {
        Ok(Self(row.get("count")?))
    }
}

/// All rows of a table, or all events of a type.
async fn count(world: &Connected, table: &'static str) -> i64 {
    let text = match table {
        "leads" => "SELECT COUNT(*) AS count FROM leads",
        "webhooks" => "SELECT COUNT(*) AS count FROM webhooks",
        "events" => "SELECT COUNT(*) AS count FROM events",
        "ad.issue" => "SELECT COUNT(*) AS count FROM events WHERE type = 'ad.issue'",
        "quarantine" => "SELECT COUNT(*) AS count FROM quarantine",
        "lead.updated" => "SELECT COUNT(*) AS count FROM events WHERE type = 'lead.updated'",
        "lead.updated of a test" => {
            "SELECT COUNT(*) AS count FROM events WHERE type = 'lead.updated' AND is_test"
        }
        "last number" => "SELECT last AS count FROM event_numbers",
        _ => unreachable!("{table}"),
    };
    let row: Option<Count> = adjoin::store::sql(text).optional(&world.test.app.db).await.unwrap();
    row.unwrap().0
}

#[test]
fn the_challenge_is_echoed_only_to_who_knows_the_token() {
    on_each_connected(&[], async |world| {
        let token = webhooks::verify_token(&world.test.app).await.unwrap();
        let ask = async |token: &str| {
            let query =
                [("hub.mode", "subscribe"), ("hub.challenge", "1158201444"), ("hub.verify_token", token)];
            let url = world.test.url("/webhooks/facebook");
            let answer = reqwest::Client::new().get(url).query(&query).send().await.unwrap();
            (answer.status(), answer.text().await.unwrap())
        };
        assert_eq!(ask(&token).await, (StatusCode::OK, "1158201444".to_owned()));
        assert_eq!(ask("guessed").await, (StatusCode::FORBIDDEN, String::new()));
    });
}

#[test]
fn only_what_meta_signed_is_stored() {
    on_each_connected(&[], async |world| {
        let body = leadgen(&world.facts.page_id, &[json!(123_456_789_012_345_i64)]);
        let url = world.test.url("/webhooks/facebook");
        assert_eq!(send(&url, &signature("another secret", &body), &body).await, StatusCode::FORBIDDEN);
        assert_eq!(send(&url, "sha256=00", &body).await, StatusCode::FORBIDDEN);
        let unsigned = reqwest::Client::new().post(&url).body(body.clone()).send().await.unwrap().status();
        assert_eq!(unsigned, StatusCode::FORBIDDEN);
        assert_eq!(count(world, "webhooks").await, 0);
        assert_eq!(post(world, &body).await, StatusCode::OK);
        assert_eq!(count(world, "webhooks").await, 1);
    });
}

/// What Meta signed is kept as the bytes it is, whatever a database thinks of them as text.
#[test]
fn a_body_with_a_nul_is_stored_and_sorted_all_the_same() {
    on_each_connected(&[], async |world| {
        let page = &world.facts.page_id;
        for body in [leadgen(page, &[json!("7\0")]), leadgen("1\0", &[json!(7)]), "no\0 JSON".to_owned()] {
            assert_eq!(post(world, &body).await, StatusCode::OK);
        }
        assert_eq!(count(world, "webhooks").await, 3);
        webhooks::step(&world.test.app).await.unwrap();
        assert_eq!((count(world, "webhooks").await, count(world, "leads").await), (0, 0));
    });
}

#[test]
fn before_the_setup_meta_is_asked_to_come_again() {
    on_each_app(async |test| {
        let url = test.url("/webhooks/facebook");
        assert_eq!(send(&url, &signature("secret", "{}"), "{}").await, StatusCode::SERVICE_UNAVAILABLE);
    });
}

#[test]
fn a_body_that_says_it_is_too_large_is_refused_unread() {
    use std::io::{Read as _, Write as _};

    on_each_connected(&[], async |world| {
        let address = world.test.origin.strip_prefix("http://").unwrap().to_owned();
        let answer = tokio::task::spawn_blocking(move || {
            let mut stream = std::net::TcpStream::connect(&address).unwrap();
            // Not a byte of the body is ever sent.
            write!(
                stream,
                "POST /webhooks/facebook HTTP/1.1\r\nHost: {address}\r\nContent-Length: 8388609\r\n\
                 X-Hub-Signature-256: sha256=00\r\nConnection: close\r\n\r\n"
            )
            .unwrap();
            let mut answer = String::new();
            stream.read_to_string(&mut answer).unwrap();
            answer
        });
        let answer = answer.await.unwrap();
        assert!(answer.starts_with("HTTP/1.1 413"), "{answer}");
    });
}

/// A number at `/metrics`; 0 where it is not there yet.
fn metric(world: &Connected, name: &str) -> u64 {
    let text = world.test.app.metrics.render(0.0);
    let value = text.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(' '));
    value.map_or(0, |value| value.parse().unwrap())
}

#[test]
fn webhooks_that_come_at_once_share_a_commit() {
    on_each_connected(&[], async |world| {
        let world = &*world;
        let db = &world.test.app.db;
        let commits = metric(world, "adjoin_webhook_commits_total");
        // On SQLite this holds the only writer.
        let mut busy = db.begin_apart().await.unwrap();
        if db.engine() == "PostgreSQL" {
            sql("LOCK TABLE webhooks IN EXCLUSIVE MODE").execute(&mut busy).await.unwrap();
        }
        let ids = (0..32).map(|nth| (100_000_000_000_000_i64 + nth).to_string());
        let posts =
            join_all(ids.map(async |id| post(world, &leadgen(&world.facts.page_id, &[json!(id)])).await));
        let let_go = async {
            while metric(world, "adjoin_webhooks_waiting") < 32 {
                tokio::task::yield_now().await;
            }
            assert_eq!(metric(world, "adjoin_webhook_commits_total"), commits);
            busy.commit().await.unwrap();
        };
        let (answers, ()) = tokio::join!(posts, let_go);
        assert_eq!(answers, [StatusCode::OK; 32]);
        // Those that came first, for which the database was not free, and all others.
        let commits = metric(world, "adjoin_webhook_commits_total") - commits;
        assert!((1..=2).contains(&commits), "{commits} commits");
        assert_eq!(metric(world, "adjoin_webhooks_waiting"), 0);
        assert_eq!(count(world, "webhooks").await, 32);
        while webhooks::step(&world.test.app).await.unwrap() {}
        assert_eq!((count(world, "webhooks").await, count(world, "leads").await), (0, 32));
    });
}

/// As many changes as Meta puts into one body, each as long as an issue of an ad gets.
#[test]
fn a_thousand_long_changes_are_taken_in_one_body() {
    on_each_connected(&[], async |world| {
        subscribe(world, "ad_account", "42").await;
        let changes: Vec<Value> = (0..1000)
            .map(|nth| {
                json!({ "field": "with_issues_ad_objects", "value": { "id": (23_843_000_000_000_000_i64 + nth).to_string(),
                        "level": "AD", "error_code": 1_815_869, "error_message": "x".repeat(2000) } })
            })
            .collect();
        let body = json!({ "object": "ad_account",
                           "entry": [{ "id": "42", "time": 1_795_514_400, "changes": changes }] });
        let body = body.to_string();
        assert!(body.len() > 2 * 1024 * 1024);
        assert_eq!(post(world, &body).await, StatusCode::OK);
        webhooks::step(&world.test.app).await.unwrap();
        assert_eq!((count(world, "webhooks").await, count(world, "ad.issue").await), (0, 1000));
    });
}

#[test]
fn of_large_bodies_few_are_sorted_at_once() {
    on_each_connected(&[], async |world| {
        let body = "x".repeat(5 * 1024 * 1024);
        for _ in 0..2 {
            assert_eq!(post(world, &body).await, StatusCode::OK);
        }
        for left in [1, 0] {
            webhooks::step(&world.test.app).await.unwrap();
            assert_eq!(count(world, "webhooks").await, left);
        }
    });
}

#[test]
fn a_change_that_meta_sends_again_is_told_once() {
    on_each_connected(&[], async |world| {
        subscribe(world, "ad_account", "42").await;
        subscribe(world, "page", "216089425403129").await;
        let body = |object: &str, id: &str, time: i64, field: &str, value: &str| {
            format!(
                r#"{{"object":"{object}","entry":[{{"id":"{id}","time":{time},"changes":[{{"field":"{field}","value":{value}}}]}}]}}"#
            )
        };
        let issue = |time: i64, value: &str| body("ad_account", "42", time, "with_issues_ad_objects", value);
        let first = issue(1_795_514_400, r#"{"id":"111111111111","level":"AD","error_code":1815869}"#);
        let update =
            r#"{"leadgen_id":55459717045641545,"page_id":216089425403129,"form_id":123,"event":"stage"}"#;
        let update = body("page", "216089425403129", 1_795_514_400, "leadgen_update", update);
        // Within one go, and in another.
        for bodies in [&[&first, &update, &first][..], &[&update, &first]] {
            for body in bodies {
                assert_eq!(post(world, body).await, StatusCode::OK);
            }
            webhooks::step(&world.test.app).await.unwrap();
            assert_eq!((count(world, "ad.issue").await, count(world, "lead.updated").await), (1, 1));
        }
        for (told, other) in [
            (1, issue(1_795_514_400, r#"{"error_code":1815869,"level":"AD","id":"111111111111"}"#)),
            (2, issue(1_795_514_401, r#"{"id":"111111111111","level":"AD","error_code":1815869}"#)),
            (3, issue(1_795_514_400, r#"{"id":"111111111112","level":"AD","error_code":1815869}"#)),
        ] {
            assert_eq!(post(world, &other).await, StatusCode::OK);
            webhooks::step(&world.test.app).await.unwrap();
            assert_eq!(count(world, "ad.issue").await, told, "{other}");
        }
        assert_eq!(count(world, "events").await, count(world, "last number").await, "numbers have a gap");
    });
}

#[test]
fn an_update_of_a_test_lead_is_marked_once_that_is_known() {
    on_each_connected(&[], async |world| {
        let app = &world.test.app;
        subscribe(world, "page", "216089425403129").await;
        let sighting = |detail: Option<Value>| Sighting {
            account_id: world.account.clone(),
            meta_lead_id: "700".to_owned(),
            page_id: "216089425403129".to_owned(),
            form_id: "12".to_owned(),
            ad_id: None,
            submitted_at: None,
            source: Source::Sweep,
            at: world.test.clock.now(),
            detail,
        };
        let dummy =
            json!({ "field_data": [{ "name": "email", "values": ["<test lead: dummy data for email>"] }] });
        for (time, detail, marked) in [(1, None, 0), (2, Some(dummy), 1)] {
            let mut tx = app.db.begin().await.unwrap();
            leads::sight(app, &mut tx, sighting(detail)).await.unwrap();
            tx.commit().await.unwrap();
            let body = json!({ "object": "page", "entry": [{ "id": "216089425403129", "time": time, "changes": [
                { "field": "leadgen_update", "value": { "leadgen_id": "700", "event": "stage" } }] }] });
            assert_eq!(post(world, &body.to_string()).await, StatusCode::OK);
            webhooks::step(app).await.unwrap();
            assert_eq!(count(world, "lead.updated of a test").await, marked);
        }
        let told: Vec<Event> = adjoin::store::sql(
            "SELECT type, subject, data FROM events WHERE type = 'lead.updated' ORDER BY seq",
        )
        .all(&app.db)
        .await
        .unwrap();
        let marks: Vec<&Value> = told.iter().map(|it| &it.data["is_test"]).collect();
        assert_eq!(marks, [&json!(null), &json!(true)]);
    });
}

#[test]
fn of_a_lead_that_was_erased_nothing_is_told() {
    on_each_connected(&[], async |world| {
        let app = &world.test.app;
        subscribe(world, "page", "216089425403129").await;
        let update = |time: i64| {
            json!({ "object": "page", "entry": [{ "id": "216089425403129", "time": time, "changes": [
                { "field": "leadgen_update", "value": { "leadgen_id": "700", "qualification": "bad" } }] }] })
            .to_string()
        };
        assert_eq!(post(world, &update(1)).await, StatusCode::OK);
        webhooks::step(app).await.unwrap();
        let mut tx = app.db.begin().await.unwrap();
        let lead = adjoin::store::leads::by_meta_id_for_update(&mut tx, &world.account, "700").await.unwrap();
        tx.commit().await.unwrap();
        leads::erase(app, &Actor::System, &world.account, &lead.unwrap().id).await.unwrap();
        assert_eq!(post(world, &update(2)).await, StatusCode::OK);
        webhooks::step(app).await.unwrap();
        assert_eq!((count(world, "lead.updated").await, count(world, "quarantine").await), (1, 0));
    });
}

#[test]
fn a_change_without_its_value_has_the_apps_subscription_checked() {
    on_each_connected(&[], async |world| {
        let app = &world.test.app;
        crate::subscriptions::watch(app).await;
        world.advance(60);
        let body = json!({ "object": "page", "entry": [{ "id": world.facts.page_id, "time": 1, "changed_fields": ["leadgen"] }] });
        assert_eq!(post(world, &body.to_string()).await, StatusCode::OK);
        webhooks::step(app).await.unwrap();
        let kept = webhooks::list(app, Some(Reason::WithoutValues), None, 10).await.unwrap().items;
        assert_eq!((kept.len(), kept[0].field.as_str()), (1, "leadgen"));
        let due = adjoin::store::app_subscriptions::all(&app.db).await.unwrap();
        assert!(due.iter().all(|it| it.check_at == world.test.clock.now()), "{due:?}");
    });
}

#[test]
fn every_change_becomes_one_lead_however_often_and_in_whatever_form_it_comes() {
    on_each_connected(&[], async |world| {
        let page = world.facts.page_id.clone();
        subscribe(world, "page", &page).await;
        let many: Vec<Value> = (0..40).map(|nth| json!(100_000_000_000_000_i64 + nth)).collect();
        assert_eq!(post(world, &leadgen(&page, &many)).await, StatusCode::OK);
        // The same again as text, in another order, with one beyond 2^53.
        let mut again: Vec<Value> = many.iter().rev().map(|id| json!(id.to_string())).collect();
        again.push(json!(55_459_717_045_641_545_i64));
        assert_eq!(post(world, &leadgen(&page, &again)).await, StatusCode::OK);
        webhooks::step(&world.test.app).await.unwrap();
        assert_eq!(count(world, "webhooks").await, 0);
        assert_eq!(count(world, "leads").await, 41);
        let mut tx = world.test.app.db.begin().await.unwrap();
        let known = adjoin::store::leads::by_meta_id_for_update(&mut tx, &world.account, "55459717045641545");
        let lead = known.await.unwrap().unwrap();
        assert_eq!(lead.state, Json(leads::State::Seen));
        assert_eq!((lead.ad_id, lead.due_at.is_some()), (None, true));
    });
}

#[test]
fn what_nobody_can_use_is_kept_and_comes_out_when_its_page_is_known() {
    on_each_connected(&[], async |world| {
        let app = &world.test.app;
        let stranger = leadgen("700000000000001", &[json!("800000000000001")]);
        let other_field = json!({ "object": "page", "entry": [{ "id": world.facts.page_id, "time": 1,
            "changes": [{ "field": "feed", "value": { "message": "private \u{0}" } }] }] });
        let test = json!({ "object": "page", "entry": [{ "id": "0", "time": 1, "changes": [{ "field": "leadgen",
            "value": { "leadgen_id": "444444444444", "page_id": "444444444444", "form_id": "444444444444" } }] }] });
        for body in [stranger, other_field.to_string(), test.to_string(), "not JSON".to_owned()] {
            assert_eq!(post(world, &body).await, StatusCode::OK);
        }
        webhooks::step(app).await.unwrap();
        let reasons = async || {
            let counted = webhooks::counts(app).await.unwrap();
            counted.into_iter().map(|it| (it.reason, it.count)).collect::<Vec<_>>()
        };
        let expected = ["dashboard_test", "unknown_field", "unknown_object", "unreadable"];
        assert_eq!(reasons().await, expected.map(|reason| (reason.to_owned(), 1)));
        let kept = webhooks::list(app, Some(Reason::UnknownField), None, 10).await.unwrap();
        assert_eq!(kept.items[0].change["entry"][0]["changes"][0]["value"]["message"], "private \u{0}");

        subscribe(world, "page", "700000000000001").await;
        let mut tx = app.db.begin().await.unwrap();
        assert_eq!(webhooks::release(app, &mut tx, "page", "700000000000001").await.unwrap(), 1);
        tx.commit().await.unwrap();
        webhooks::step(app).await.unwrap();
        assert_eq!(count(world, "leads").await, 1);
        assert_eq!(reasons().await.len(), 3);
    });
}

#[test]
fn much_that_waits_for_a_page_comes_out_step_by_step_and_so_does_what_came_meanwhile() {
    on_each_connected(&[], async |world| {
        let (app, page) = (&world.test.app, "700000000000001");
        let ids: Vec<Value> = (0..230).map(|nth: u64| json!(800_000_000_000_001_u64 + nth)).collect();
        assert_eq!(post(world, &leadgen(page, &ids)).await, StatusCode::OK);
        while webhooks::step(app).await.unwrap() {}
        assert!(!webhooks::release_known(app).await.unwrap(), "nobody has the Page");

        subscribe(world, "page", page).await;
        let mut steps = 0;
        while webhooks::release_known(app).await.unwrap() {
            steps += 1;
            assert!(count(world, "webhooks").await <= 100, "a step is bounded");
            while webhooks::step(app).await.unwrap() {}
        }
        assert_eq!((steps, count(world, "leads").await, count(world, "quarantine").await), (3, 230, 0));
    });
}

#[test]
fn what_happens_to_ads_and_leads_becomes_events_of_every_account_that_is_concerned() {
    // As Meta's pages on ads webhooks and its dashboard's sample of `leadgen_update` have them.
    const ISSUE: &str = r#"{"id":"111111111111","level":"AD","error_code":1815869,"error_summary":"Ad post is not available",
        "error_message":"The Facebook post associated with your ad is not available."}"#;
    const STATUS: &str =
        r#"{"object_id":"23843000000000001","object_type":"adset","changed_fields":["effective_status"]}"#;
    const ALERT: &str = r#"{"subscription_id":"9001","account_id":"42","object_id":"23843000000000002","object_type":"CAMPAIGN",
        "field":"spent","current_value":"150000"}"#;
    const FATIGUE: &str = r#"{"adgroup_id":120230000000000004,"fatigue_level":"HIGH"}"#;
    const ADVICE: &str = r#"{"ad_object_ids":[120230000000000005],"type":"FRAGMENTATION"}"#;
    const UPDATE: &str = r#"{"adgroup_id":444444444,"ad_id":444444444,"leadgen_id":55459717045641545,"page_id":216089425403129,
        "form_id":123,"updated_time":"1704067200","area":"ai_agent_updates","event":"qualification_status_change",
        "updated_fields":["qualification_details","qualification_status"]}"#;

    on_each_connected(&[], async |world| {
        let app = &world.test.app;
        subscribe(world, "ad_account", "42").await;
        subscribe(world, "page", "216089425403129").await;
        let body = |object: &str, id: &str, field: &str, value: &str| {
            let value: Value = serde_json::from_str(value).unwrap();
            json!({ "object": object, "entry": [{ "id": id, "time": 1_795_514_400,
                    "changes": [{ "field": field, "value": value }] }] })
            .to_string()
        };
        for (object, id, field, value) in [
            ("ad_account", "42", "with_issues_ad_objects", ISSUE),
            ("ad_account", "act_42", "field_changed", STATUS),
            ("ad_account", "42", "subscriptions", ALERT),
            ("ad_account", "42", "creative_fatigue", FATIGUE),
            ("ad_account", "42", "ad_recommendations", ADVICE),
            ("page", "216089425403129", "leadgen_update", UPDATE),
        ] {
            assert_eq!(post(world, &body(object, id, field, value)).await, StatusCode::OK);
        }
        webhooks::step(app).await.unwrap();
        let mut tx = app.db.begin().await.unwrap();
        let lead = adjoin::store::leads::by_meta_id_for_update(&mut tx, &world.account, "55459717045641545");
        let lead = lead.await.unwrap().expect("a lead that an update names is known from then on");
        tx.commit().await.unwrap();
        let rows: Vec<Event> = adjoin::store::sql(
            "SELECT type, subject, data FROM events WHERE type LIKE 'ad.%' OR type LIKE 'lead.%' ORDER BY type",
        )
        .all(&app.db)
        .await
        .unwrap();
        let told: Vec<_> = rows.iter().map(|it| (it.kind.as_str(), it.subject.as_str())).collect();
        assert_eq!(
            told,
            [
                ("ad.alert", "23843000000000002"),
                ("ad.creative_fatigue", "120230000000000004"),
                ("ad.issue", "111111111111"),
                ("ad.recommendation", "120230000000000005"),
                ("ad.status_changed", "23843000000000001"),
                ("lead.updated", lead.id.as_str()),
            ]
        );
        assert_eq!(rows[2].data["value"]["error_code"], 1_815_869);
        assert_eq!(rows[2].data["ad_account_id"], "act_42");
        assert_eq!(rows[3].data["value"]["ad_object_ids"], json!(["120230000000000005"]));
        let update = &rows[5].data;
        assert_eq!(update["event"], "qualification_status_change");
        assert_eq!(update["lead_id"], lead.id.as_str());
        assert_eq!(update["value"]["ad_id"], "444444444");
        assert_eq!(update["updated_at"], "2024-01-01T00:00:00Z");
    });
}

#[derive(Debug)]
struct Event {
    kind: String,
    subject: String,
    data: Value,
}

impl adjoin::store::FromRow for Event {
    fn from_row(row: &adjoin::store::Row) -> adjoin::store::Result<Self> {
        let Json(data) = row.get("data")?;
        Ok(Self { kind: row.get("type")?, subject: row.get("subject")?, data })
    }
}

/// Puts a Page or an ad account among those whose webhooks go to the account.
async fn subscribe(world: &Connected, object: &str, object_id: &str) {
    let mut tx = world.test.app.db.begin().await.unwrap();
    adjoin::store::sql(
        "INSERT INTO subscriptions (account_id, object, object_id, connection_id, name, status, state, check_at, created_at)
         VALUES ($1, $2, $3, $4, '', 'pending', '{\"status\":\"pending\"}', 0, 0)
         ON CONFLICT (account_id, object, object_id) DO NOTHING",
    )
    .bind(&world.account)
    .bind(object)
    .bind(object_id)
    .bind(&world.connection)
    .execute(&mut tx)
    .await
    .unwrap();
    tx.commit().await.unwrap();
}

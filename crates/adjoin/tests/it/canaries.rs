//! Canaries: test leads that Adjoin sends through a form of the sandbox, and what becomes of them.

use adjoin::{
    audit::Actor,
    service::{App, accounts, canaries, connections, deliveries, webhooks},
    store::sql,
    time::Timestamp,
    vault::{KeyFile, Vault},
};
use adjoin_sandbox::world::{Submission, leads::Platform};
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

use crate::{
    api::Backend,
    deliveries::Receiver,
    forms::sweep,
    leads::hydrate,
    subscriptions::watch,
    support::{Connected, on_each_connected},
};

const MINUTE: i64 = 60;
const DAY: i64 = 24 * 60 * MINUTE;

struct Count(i64);

impl adjoin::store::FromRow for Count {
    fn from_row(row: &adjoin::store::Row) -> adjoin::store::Result<Self> {
        Ok(Self(row.get("count")?))
    }
}

/// The account's way to the first form's canary.
struct Form<'a> {
    it: &'a Connected,
    backend: Backend,
    path: String,
}

impl<'a> Form<'a> {
    async fn new(it: &'a Connected) -> Self {
        watch(&it.test.app).await;
        sweep(&it.test.app).await;
        let backend = Backend::new(&it.test, Some(it.account.clone())).await;
        let path = format!("/v1/accounts/{}/forms/{}", it.account, it.facts.form_id);
        Self { it, backend, path }
    }

    /// The form as the API shows it.
    async fn get(&self) -> Value {
        self.backend.get(&self.path).await.1
    }

    async fn run_now(&self) -> StatusCode {
        self.backend.send(Method::POST, &format!("{}/canary", self.path), &json!(null)).await.0
    }

    async fn daily(&self, daily: bool) -> Value {
        let path = format!("{}/canary", self.path);
        let (status, canary) = self.backend.send(Method::PUT, &path, &json!({ "daily": daily })).await;
        assert_eq!(status, StatusCode::OK, "{canary}");
        canary
    }

    /// The service's work, but for receiving.
    async fn work(&self) {
        let app = &self.it.test.app;
        while webhooks::step(app).await.unwrap() {}
        hydrate(app).await;
        deliveries::step(app).await.unwrap();
        step(app).await;
    }

    /// Sends what is due and waits until `webhooks` webhooks wait to be sorted.
    async fn send(&self, webhooks: i64) {
        step(&self.it.test.app).await;
        loop {
            let count: Option<Count> =
                sql("SELECT COUNT(*) AS count FROM webhooks").optional(&self.it.test.app.db).await.unwrap();
            if count.unwrap().0 >= webhooks {
                break;
            }
            tokio::task::yield_now().await;
        }
    }

    /// The test lead of the form at Meta.
    fn at_meta(&self) -> Option<String> {
        let world = self.it.world.read().unwrap();
        world.leads.test_lead(&self.it.facts.form_id).map(|lead| lead.id().to_string())
    }

    /// `canary.failed` and `canary.passed` so far: step and page.
    async fn told(&self) -> Vec<(String, Value)> {
        let events = self.it.events("canary.").await;
        let read = |(kind, data): (String, String)| {
            let data: Value = serde_json::from_str(&data).unwrap();
            assert_eq!(data["form_id"], self.it.facts.form_id.as_str());
            assert_eq!(data["page_id"], self.it.facts.page_id.as_str());
            (kind, data["step"].clone())
        };
        events.into_iter().map(read).collect()
    }

    /// Where the last one was lost.
    async fn lost_at(&self) -> Value {
        let canary = &self.get().await["canary"];
        assert_eq!(canary["under_way"], json!(null), "{canary}");
        canary["last"]["failure"]["step"].clone()
    }
}

async fn step(app: &App) {
    while canaries::step(app).await.unwrap() {}
}

/// Another process on the same database.
fn another(it: &Connected) -> App {
    let app = &it.test.app;
    let vault = Vault::new(app.db.clone(), KeyFile::read(&it.test.key_file()).unwrap());
    App::new(app.config.clone(), app.db.clone(), vault, it.test.clock.clone())
}

#[test]
fn a_canary_arrives_is_taken_away_and_counts_nowhere() {
    on_each_connected(&[], async |it| {
        let form = Form::new(it).await;
        let receiver = Receiver::start().await;
        let new = json!({ "url": receiver.url, "account_id": it.account, "test_leads": true });
        assert_eq!(form.backend.send(Method::POST, "/v1/endpoints", &new).await.0, StatusCode::CREATED);
        assert_eq!(form.get().await["canary"], json!(null));

        assert_eq!(form.run_now().await, StatusCode::ACCEPTED);
        assert_eq!(form.run_now().await, StatusCode::CONFLICT);
        form.send(1).await;
        assert!(form.at_meta().is_some());
        assert_eq!(form.get().await["canary"]["under_way"]["stage"], "waiting");
        assert_eq!(form.run_now().await, StatusCode::CONFLICT);
        it.advance(5);
        form.work().await;
        assert_eq!(form.at_meta(), None);
        let seen = form.get().await;
        let last = &seen["canary"]["last"];
        assert_eq!(
            (&last["result"], &seen["canary"]["under_way"]),
            (&json!("passed"), &json!(null)),
            "{seen}"
        );
        for step in ["sent_at", "announced_at", "read_at", "delivered_at", "removed_at"] {
            assert!(last["way"][step].is_string(), "{step}: {last}");
        }
        let got = receiver.got();
        assert_eq!(got.len(), 1);
        let got = got[0].json();
        assert_eq!((&got["type"], &got["data"]["is_test"]), (&json!("lead.created"), &json!(true)));
        let completeness = &seen["completeness"];
        assert_eq!((&completeness["held"], &completeness["gone"]), (&json!(0), &json!(0)));
        assert_eq!(form.told().await, []);

        // Every day from then on, until it is switched off.
        let canary = form.daily(true).await;
        assert_eq!(canary["next_at"], json!(it.test.clock.now().plus_seconds(DAY)));
        step(&it.test.app).await;
        assert_eq!(form.at_meta(), None);
        it.advance(DAY);
        form.send(1).await;
        assert!(form.at_meta().is_some());
        it.advance(5);
        form.work().await;
        assert_eq!((form.at_meta(), receiver.got().len()), (None, 2));
        assert_eq!(form.daily(false).await["next_at"], json!(null));
        it.advance(2 * DAY);
        step(&it.test.app).await;
        assert_eq!((form.at_meta(), form.get().await["canary"]["under_way"].clone()), (None, json!(null)));

        let unknown = format!("/v1/accounts/{}/forms/1/canary", it.account);
        for (verb, body) in [(Method::POST, json!(null)), (Method::PUT, json!({ "daily": true }))] {
            assert_eq!(form.backend.send(verb, &unknown, &body).await.0, StatusCode::NOT_FOUND);
        }
    });
}

#[test]
fn a_lost_webhook_is_told_once_and_that_they_come_again_as_well() {
    on_each_connected(&["webhook_loss=100"], async |it| {
        let form = Form::new(it).await;
        for _ in 0..2 {
            assert_eq!(form.run_now().await, StatusCode::ACCEPTED);
            form.send(0).await;
            assert!(form.at_meta().is_some());
            for _ in 0..3 {
                it.advance(4 * MINUTE);
                form.work().await;
            }
            assert_eq!(form.get().await["canary"]["under_way"]["stage"], "waiting");
            it.advance(3 * MINUTE);
            form.work().await;
            assert_eq!((form.lost_at().await, form.at_meta()), (json!("webhook"), None));
            assert_eq!(form.told().await, [("canary.failed".to_owned(), json!("webhook"))]);
        }
        it.switch_off("webhook_loss");
        form.run_now().await;
        form.send(1).await;
        it.advance(5);
        form.work().await;
        let last = form.get().await["canary"]["last"].clone();
        // Nobody wants test leads: it has arrived when it is read.
        assert_eq!(
            (&last["result"], &last["way"]["delivered_at"]),
            (&json!("passed"), &json!(null)),
            "{last}"
        );
        assert_eq!(form.told().await[1..], [("canary.passed".to_owned(), json!(null))]);
        let metrics = it.test.app.metrics.render(0.0);
        assert!(metrics.contains("adjoin_canaries_total{outcome=\"webhook\"} 2"), "{metrics}");
    });
}

#[test]
fn a_test_lead_of_somebody_else_a_closed_form_and_an_ended_connection_are_left_alone() {
    on_each_connected(&[], async |it| {
        let form = Form::new(it).await;
        it.world.write().unwrap().submit(Submission {
            form: it.facts.form_id.clone(),
            answers: Vec::new(),
            consents: Vec::new(),
            ad: None,
            platform: Platform::Facebook,
            created: None,
            test: true,
            silent: true,
        });
        let theirs = form.at_meta().unwrap();
        form.run_now().await;
        step(&it.test.app).await;
        assert_eq!((form.lost_at().await, form.at_meta()), (json!("send"), Some(theirs.clone())));
        let failure = form.get().await["canary"]["last"]["failure"].clone();
        assert!(failure["next_step"].as_str().unwrap().contains("test_lead.delete"), "{failure}");

        // Where it is another account's canary, that one's end is waited for.
        let mut tx = it.test.app.db.begin().await.unwrap();
        let put = sql("UPDATE canaries SET meta_lead_id = $1").bind(&theirs).execute(&mut tx).await;
        tx.commit().await.unwrap();
        assert_eq!(put.unwrap(), 1);
        form.run_now().await;
        step(&it.test.app).await;
        assert_eq!(form.get().await["canary"]["under_way"]["stage"], "sending");
        it.world.write().unwrap().leads.delete(theirs.parse().unwrap());
        it.advance(MINUTE);
        form.send(1).await;
        form.work().await;
        it.advance(MINUTE);
        form.work().await;
        assert_eq!((form.lost_at().await, form.at_meta()), (json!(null), None));

        it.world.write().unwrap().leads.form_mut(&it.facts.form_id).unwrap().archived = true;
        it.advance(60 * MINUTE);
        sweep(&it.test.app).await;
        form.run_now().await;
        step(&it.test.app).await;
        assert_eq!((form.lost_at().await, form.at_meta()), (json!("form"), None));
        it.world.write().unwrap().leads.form_mut(&it.facts.form_id).unwrap().archived = false;
        it.advance(60 * MINUTE);
        sweep(&it.test.app).await;

        // A daily one waits for the connection, whose own events tell; who asks for one is told.
        connections::disconnect(&it.test.app, &Actor::System, &it.account, &it.connection).await.unwrap();
        form.daily(true).await;
        it.advance(DAY);
        step(&it.test.app).await;
        assert_eq!(form.lost_at().await, "form", "no other outcome");
        form.run_now().await;
        step(&it.test.app).await;
        assert_eq!(form.lost_at().await, "connection");
        let steps: Vec<Value> = form.told().await.into_iter().map(|(_, step)| step).collect();
        assert_eq!(steps, [json!("send"), json!(null), json!("form"), json!("connection")]);
    });
}

#[test]
fn what_a_killed_process_had_sent_is_taken_away() {
    on_each_connected(&[], async |it| {
        let form = Form::new(it).await;
        // After Meta's answer was written down.
        form.run_now().await;
        form.send(1).await;
        it.advance(5);
        form.work().await;
        assert_eq!(form.at_meta(), None);
        form.run_now().await;
        form.send(1).await;
        // Nobody could have taken the webhook meanwhile: it is waited for as long again.
        let other = another(it);
        for _ in 0..2 {
            it.advance(15 * MINUTE);
            step(&other).await;
            assert_eq!(form.get().await["canary"]["under_way"]["stage"], "waiting");
        }
        for _ in 0..4 {
            it.advance(4 * MINUTE);
            step(&other).await;
        }
        assert_eq!((form.lost_at().await, form.at_meta()), (json!("webhook"), None));

        // Before it came.
        form.run_now().await;
        form.send(2).await;
        let unanswered = form.at_meta().unwrap();
        let now: Timestamp = it.test.clock.now();
        let state = json!({
            "run": { "at_step": "asked", "at": now, "by": "by_hand" },
            "ours": { "since": now, "meta_lead_id": null },
            "last": null,
        });
        let mut tx = it.test.app.db.begin().await.unwrap();
        sql("UPDATE canaries SET state = $1").bind(state.to_string()).execute(&mut tx).await.unwrap();
        tx.commit().await.unwrap();
        it.advance(5);
        step(&another(it)).await;
        assert!(form.at_meta().is_some_and(|lead| lead != unanswered));
        form.send(3).await;
        it.advance(5);
        // The webhooks of the two before come late: nothing of them comes in.
        form.work().await;
        assert_eq!((form.lost_at().await, form.at_meta()), (json!(null), None));
        let completeness = form.get().await["completeness"].clone();
        assert_eq!((&completeness["waiting"], &completeness["gone"]), (&json!(0), &json!(0)));
    });
}

#[test]
fn a_test_lead_that_cannot_be_taken_away_is_told_and_goes_before_the_next() {
    on_each_connected(&[], async |it| {
        let form = Form::new(it).await;
        form.run_now().await;
        form.send(1).await;
        let left = form.at_meta().unwrap();
        let app = &it.test.app;
        while webhooks::step(app).await.unwrap() {}
        hydrate(app).await;
        it.switch_on("unavailable");
        for wait in [5, 60, 120, 240, 480, 960] {
            assert_eq!(form.get().await["canary"]["last"], json!(null));
            it.advance(wait);
            step(app).await;
        }
        it.switch_off("unavailable");
        assert_eq!((form.lost_at().await, form.at_meta()), (json!("remove"), Some(left.clone())));
        form.run_now().await;
        form.send(1).await;
        assert!(form.at_meta().is_some_and(|lead| lead != left));
        it.advance(5);
        form.work().await;
        assert_eq!((form.lost_at().await, form.at_meta()), (json!(null), None));

        // An ended connection ends the run; with the account the canary goes.
        form.run_now().await;
        form.send(1).await;
        while webhooks::step(app).await.unwrap() {}
        hydrate(app).await;
        connections::disconnect(app, &Actor::System, &it.account, &it.connection).await.unwrap();
        for wait in [5, 60, 120, 240, 480, 960] {
            it.advance(wait);
            step(app).await;
        }
        assert_eq!(form.lost_at().await, "remove");
        accounts::delete(app, &Actor::System, &it.account).await.unwrap();
        let left: Option<Count> =
            sql("SELECT COUNT(*) AS count FROM canaries").optional(&app.db).await.unwrap();
        assert_eq!(left.unwrap().0, 0);
    });
}

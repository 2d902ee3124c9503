//! Leads: from a webhook to what the person wrote, and everything that may stand in the way.

use adjoin::{
    id::LeadId,
    service::{
        App, forms,
        leads::{self, Cause, Sighting, Source, State},
        webhooks,
    },
    store::{self, leads as table, sql},
};
use adjoin_sandbox::world::{Submission, leads::Platform};
use aws_lc_rs::hmac;
use serde_json::{Value, json};

use crate::{
    subscriptions::watch,
    support::{Connected, Refusing, on_each_connected},
};

const HOUR: i64 = 60 * 60;

#[derive(Debug)]
struct Count {
    count: i64,
}

impl store::FromRow for Count {
    fn from_row(row: &store::Row) -> store::Result<Self> {
        Ok(Self { count: row.get("count")? })
    }
}

/// Reads all that is due.
pub async fn hydrate(app: &App) {
    while leads::step(app).await.unwrap() {}
}

impl Connected {
    /// Somebody fills in the first form; no webhook comes by itself.
    fn send_in(&self) -> String {
        self.world
            .write()
            .unwrap()
            .submit(Submission {
                form: self.facts.form_id.clone(),
                answers: Vec::new(),
                consents: Vec::new(),
                ad: None,
                platform: Platform::Facebook,
                created: None,
                test: false,
                silent: true,
            })
            .to_string()
    }

    /// The webhook of these leads, posted as Meta would and sorted.
    async fn announce(&self, ids: &[String]) {
        let changes: Vec<Value> = ids
            .iter()
            .map(|id| {
                json!({ "field": "leadgen", "value": { "leadgen_id": id, "page_id": self.facts.page_id,
                    "form_id": self.facts.form_id, "created_time": self.test.clock.now().unix() } })
            })
            .collect();
        let body = json!({ "object": "page", "entry": [{ "id": self.facts.page_id, "time": 1, "changes": changes }] })
            .to_string();
        let key = hmac::Key::new(hmac::HMAC_SHA256, self.facts.app_secret.as_bytes());
        let signature = format!("sha256={}", adjoin_graph::hex(hmac::sign(&key, body.as_bytes()).as_ref()));
        let post = reqwest::Client::new().post(self.test.url("/webhooks/facebook"));
        let answer = post.header("x-hub-signature-256", signature).body(body).send().await.unwrap();
        assert!(answer.status().is_success());
        while webhooks::step(&self.test.app).await.unwrap() {}
    }

    async fn announced(&self, how_many: usize) -> Vec<String> {
        let ids: Vec<String> = (0..how_many).map(|_| self.send_in()).collect();
        self.announce(&ids).await;
        ids
    }

    async fn lead(&self, meta_lead_id: &str) -> table::Stored {
        let mut tx = self.test.app.db.begin_apart().await.unwrap();
        let lead = table::by_meta_id_for_update(&mut tx, &self.account, meta_lead_id).await.unwrap().unwrap();
        // Dropped, it would hold the row a moment longer, and who claims passes over what is held.
        tx.commit().await.unwrap();
        lead
    }

    async fn cause(&self, meta_lead_id: &str) -> Option<Cause> {
        match self.lead(meta_lead_id).await.state.0 {
            State::Parked { cause, .. } => Some(cause),
            _ => None,
        }
    }

    async fn created(&self) -> i64 {
        let row: Option<Count> = sql("SELECT COUNT(*) AS count FROM events WHERE type = 'lead.created'")
            .optional(&self.test.app.db)
            .await
            .unwrap();
        row.unwrap().count
    }

    fn asked(&self) -> u64 {
        self.world.read().unwrap().calls
    }
}

#[test]
fn what_a_webhook_announces_is_read_whole_and_told_once() {
    on_each_connected(&[], async |it| {
        let ids = it.announced(120).await;
        let before = it.asked();
        hydrate(&it.test.app).await;
        // 120 leads in three batches, each of which may ask for the Page's token; Meta counts every item as a call.
        assert!(it.asked() - before <= 120 + 3 + 3, "{}", it.asked() - before);
        assert_eq!(it.created().await, 120);
        // Told again, in whatever order: the same leads.
        let again: Vec<String> = ids.iter().rev().cloned().collect();
        it.announce(&again).await;
        hydrate(&it.test.app).await;
        assert_eq!(it.created().await, 120);
        let lead = it.lead(&ids[0]).await;
        assert_eq!((lead.state.0.clone(), lead.due_at), (State::Hydrated, None));
        let content = leads::render(&it.test.app, &it.account, &lead.id).await.unwrap().unwrap();
        assert!(!content.answers.is_empty() && !content.consents.is_empty(), "{content:?}");
        assert!(content.answers.iter().all(|answer| !answer.values.is_empty()));
        assert_eq!((content.is_organic, content.platform.as_deref()), (Some(true), Some("fb")));
        assert_eq!(content.raw["id"], ids[0].as_str());
    });
}

#[test]
fn a_dead_token_parks_breaks_the_connection_and_a_new_consent_drains() {
    on_each_connected(&[], async |it| {
        let ids = it.announced(3).await;
        it.switch_on("dead_tokens=460");
        hydrate(&it.test.app).await;
        for id in &ids {
            assert_eq!(it.cause(id).await, Some(Cause::Token));
        }
        let connection =
            adjoin::service::connections::get(&it.test.app, &it.account, &it.connection).await.unwrap();
        assert_eq!(connection.state.name(), "broken");
        // While the token is dead, webhooks go on and nothing is asked.
        let more = it.announced(1).await;
        let before = it.asked();
        hydrate(&it.test.app).await;
        assert_eq!((it.cause(&more[0]).await, it.asked()), (Some(Cause::Token), before));
        it.switch_off("dead_tokens");
        it.connect_again().await;
        hydrate(&it.test.app).await;
        assert_eq!(it.created().await, 4);
    });
}

#[test]
fn a_dead_page_token_is_made_anew_and_is_not_the_end_of_the_connection() {
    on_each_connected(&[], async |it| {
        it.announced(2).await;
        hydrate(&it.test.app).await;
        it.switch_on("dead_page_tokens=460");
        let ids = it.announced(2).await;
        hydrate(&it.test.app).await;
        assert_eq!(it.cause(&ids[0]).await, Some(Cause::Token));
        let connection =
            adjoin::service::connections::get(&it.test.app, &it.account, &it.connection).await.unwrap();
        assert!(connection.state.is_usable(), "{connection:?}");
        it.switch_off("dead_page_tokens");
        // Nobody tells: by its clock.
        it.advance(HOUR);
        hydrate(&it.test.app).await;
        assert_eq!(it.created().await, 4);
    });
}

#[test]
fn refused_access_says_why_and_drains_when_the_page_is_found_mended() {
    on_each_connected(&[], async |it| {
        watch(&it.test.app).await;
        it.switch_on("leads_access_manager");
        let ids = it.announced(60).await;
        let before = it.asked();
        hydrate(&it.test.app).await;
        let State::Parked {
            cause: Cause::Access,
            message,
            next_step,
            code: Some(100),
            subcode: Some(33),
            ..
        } = it.lead(&ids[0]).await.state.0
        else {
            panic!("{:?}", it.lead(&ids[0]).await)
        };
        assert!(
            message.contains("Leads Access Manager") || next_step.contains("Lead"),
            "{message} {next_step}"
        );
        assert!(it.asked() - before < 60 + 12, "one question about the Page a batch at most");
        for id in &ids {
            assert_eq!(it.cause(id).await, Some(Cause::Access));
        }
        // The subscription's look finds the fault, and later that it is gone.
        watch(&it.test.app).await;
        it.switch_off("leads_access_manager");
        it.advance(20 * 60);
        watch(&it.test.app).await;
        hydrate(&it.test.app).await;
        assert_eq!(it.created().await, 60);
    });
}

#[test]
fn a_throttle_waits_for_metas_time_and_breaks_nothing() {
    on_each_connected(&[], async |it| {
        it.switch_on("leads_throttled");
        let ids = it.announced(5).await;
        hydrate(&it.test.app).await;
        let lead = it.lead(&ids[0]).await;
        assert_eq!(it.cause(&ids[0]).await, Some(Cause::Throttle));
        let wait = lead.due_at.unwrap().unix() - it.test.clock.now().unix();
        // While it waits nothing is sent, also not for new ones.
        it.announced(1).await;
        let before = it.asked();
        hydrate(&it.test.app).await;
        assert_eq!(it.asked(), before);
        it.switch_off("leads_throttled");
        it.advance(wait + 1);
        hydrate(&it.test.app).await;
        assert_eq!(it.created().await, 6);
        let connection =
            adjoin::service::connections::get(&it.test.app, &it.account, &it.connection).await.unwrap();
        assert!(connection.state.is_usable());
    });
}

#[test]
fn faults_of_metas_pass_and_a_lead_that_meta_lost_is_gone() {
    on_each_connected(&[], async |it| {
        // The Page's token is at hand.
        it.announced(1).await;
        hydrate(&it.test.app).await;
        it.switch_on("unavailable");
        let ids = it.announced(2).await;
        leads::step(&it.test.app).await.unwrap();
        assert_eq!(it.cause(&ids[0]).await, Some(Cause::Passing));
        it.switch_off("unavailable");
        it.advance(60);
        hydrate(&it.test.app).await;
        assert_eq!(it.created().await, 3);

        it.switch_on("leads_gone");
        let ids = it.announced(1).await;
        hydrate(&it.test.app).await;
        // It may only be late.
        assert_eq!(it.cause(&ids[0]).await, Some(Cause::Passing));
        it.advance(15 * 60);
        hydrate(&it.test.app).await;
        assert!(matches!(it.lead(&ids[0]).await.state.0, State::Gone { .. }));
        it.switch_off("leads_gone");
        it.advance(24 * HOUR);
        hydrate(&it.test.app).await;
        assert_eq!(it.created().await, 4);
    });
}

#[test]
fn without_rights_on_the_ad_account_the_rest_is_read() {
    on_each_connected(&[], async |it| {
        let refusing = Refusing::before(it).await;
        refusing.refuse("campaign_name", 200);
        it.announced(1).await;
        let two = it.announced(2).await;
        hydrate(&refusing.app).await;
        // A batch with such parameters is refused as a whole here, so they were read one by one, without them.
        assert_eq!(it.lead(&two[0]).await.state.0, State::Hydrated);
        assert_eq!(it.created().await, 3);
    });
}

#[test]
fn the_sweep_and_the_hydrator_meet_in_one_lead() {
    on_each_connected(&[], async |it| {
        it.announced(3).await;
        while forms::step(&it.test.app).await.unwrap() {}
        hydrate(&it.test.app).await;
        assert_eq!(it.created().await, 3);
    });
}

#[test]
fn a_clock_that_was_set_back_holds_nothing_up() {
    on_each_connected(&[], async |it| {
        let ids = it.announced(1).await;
        let mut tx = it.test.app.db.begin_apart().await.unwrap();
        let mut lead = table::by_meta_id_for_update(&mut tx, &it.account, &ids[0]).await.unwrap().unwrap();
        lead.due_at = Some(it.test.clock.now().plus_seconds(400 * 24 * HOUR));
        lead.leased_until = lead.due_at;
        table::put(&mut tx, &lead).await.unwrap();
        tx.commit().await.unwrap();
        hydrate(&it.test.app).await;
        assert_eq!(it.created().await, 1);
    });
}

/// A lead as a sweep brings it, whole.
pub async fn hold(it: &Connected, meta_lead_id: &str, detail: Value) -> LeadId {
    let app = &it.test.app;
    let mut tx = app.db.begin().await.unwrap();
    let sighting = Sighting {
        account_id: it.account.clone(),
        meta_lead_id: meta_lead_id.to_owned(),
        page_id: it.facts.page_id.clone(),
        form_id: it.facts.form_id.clone(),
        ad_id: None,
        submitted_at: Some(app.clock.now()),
        source: Source::Sweep,
        at: app.clock.now(),
        detail: Some(detail),
    };
    let sighted = leads::sight(app, &mut tx, sighting).await.unwrap();
    tx.commit().await.unwrap();
    sighted.lead_id
}

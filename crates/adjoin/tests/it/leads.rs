//! Leads: from a webhook to what the person wrote, and everything that may stand in the way.

use adjoin::{
    audit::Actor,
    id::LeadId,
    service::{
        App, forms,
        leads::{self, Cause, Sighting, Source, State},
        setup::{self, Login, NewSetup},
        subscriptions::Object,
        webhooks,
    },
    store::{self, leads as table, leases, sql, subscriptions},
    time::Timestamp,
    vault::{self, KeyFile, Vault},
};
use adjoin_sandbox::world::{
    Submission,
    leads::{Answer, Consent, Platform},
};
use aws_lc_rs::hmac;
use reqwest::{Method, StatusCode};
use secrecy::SecretString;
use serde_json::{Value, json};

use crate::{
    api::{Backend, account},
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
    pub fn send_in(&self) -> String {
        self.world
            .write()
            .unwrap()
            .submit(Submission {
                form: self.facts.form_id.clone(),
                answers: vec![Answer {
                    name: "email".to_owned(),
                    values: vec!["greta@example.com".to_owned(), "thorn@example.com".to_owned()],
                }],
                consents: vec![
                    Consent { key: "news".to_owned(), checked: true },
                    Consent { key: "partners".to_owned(), checked: false },
                ],
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
        let body = json!({ "object": "page", "entry": [{ "id": self.facts.page_id, "time": 1, "changes": changes }] });
        self.announce_raw(&body.to_string()).await;
    }

    pub async fn announce_raw(&self, body: &str) {
        let key = hmac::Key::new(hmac::HMAC_SHA256, self.facts.app_secret.as_bytes());
        let signature = format!("sha256={}", adjoin_graph::hex(hmac::sign(&key, body.as_bytes()).as_ref()));
        let post = reqwest::Client::new().post(self.test.url("/webhooks/facebook"));
        let answer =
            post.header("x-hub-signature-256", signature).body(body.to_owned()).send().await.unwrap();
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
fn what_a_killed_process_was_at_goes_on_at_once_unless_another_one_works() {
    on_each_connected(&[], async |world| {
        let (app, now) = (&world.test.app, world.test.clock.now());
        // Taken, and then the process is killed.
        let taken = async || {
            let lead = world.announced(1).await.remove(0);
            let mut tx = app.db.begin_apart().await.unwrap();
            let due = (Timestamp::from_unix(0), now);
            let taken = table::claim(&mut tx, due, now, now.plus_seconds(600), 10).await.unwrap();
            tx.commit().await.unwrap();
            assert_eq!(taken.len(), 1);
            lead
        };
        let lead = taken().await;
        hydrate(app).await;
        assert_eq!(world.lead(&lead).await.state.0, State::Seen, "until the lease ends");
        let first = leases::begin_work(&app.db, now).await.unwrap();
        hydrate(app).await;
        assert_eq!(world.lead(&lead).await.state.0, State::Hydrated);

        let lead = taken().await;
        let second = leases::begin_work(&app.db, now).await.unwrap();
        hydrate(app).await;
        // A file has one process.
        let kept = if app.db.engine() == "SQLite" { State::Hydrated } else { State::Seen };
        assert_eq!(world.lead(&lead).await.state.0, kept, "it may be what the first is at");
        for at_work in [first, second].into_iter().flatten() {
            at_work.end().await;
        }
        leases::begin_work(&app.db, now).await.unwrap();
        hydrate(app).await;
        assert_eq!(world.lead(&lead).await.state.0, State::Hydrated);
    });
}

#[test]
fn what_a_webhook_announces_is_read_whole_and_told_once() {
    on_each_connected(&[], async |it| {
        let ids = it.announced(120).await;
        let before = it.asked();
        hydrate(&it.test.app).await;
        // 120 leads in three batches, each of which may ask for the Page's token and for the form, which nobody has listed yet,
        // and asks for the form's test leads, since these came through no ad; Meta counts every item as a call.
        assert!(it.asked() - before <= 120 + 3 + 3 + 3 + 3, "{}", it.asked() - before);
        assert_eq!(it.created().await, 120);
        // Told again, in whatever order: the same leads.
        let again: Vec<String> = ids.iter().rev().cloned().collect();
        it.announce(&again).await;
        hydrate(&it.test.app).await;
        assert_eq!(it.created().await, 120);
        let lead = it.lead(&ids[0]).await;
        assert_eq!((lead.state.0.clone(), lead.due_at), (State::Hydrated, None));
        let content = leads::render(&it.test.app, &it.account, &lead.id).await.unwrap().unwrap();
        assert_eq!(content.answers[0].values, ["greta@example.com", "thorn@example.com"]);
        let consents: Vec<_> =
            content.consents.iter().map(|it| (it.checkbox_key.as_str(), it.is_checked)).collect();
        assert_eq!(consents, [("news", true), ("partners", false)]);
        assert_eq!((content.is_organic, content.platform.as_deref()), (Some(true), Some("fb")));
        assert_eq!(content.raw["id"], ids[0].as_str());
        assert!(
            content.form_name.is_some()
                && content.form_version_id.is_some()
                && content.answers[0].label.is_some()
        );
        assert_eq!(content.first_source.as_deref(), Some("webhook"));
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
        let parked = it.lead(&ids[0]).await.state.0;
        let State::Parked { cause: Cause::Token, code: Some(190), subcode: Some(460), .. } = parked else {
            panic!("{parked:?}")
        };
        // The Page's subscription is looked at now, not in its own time.
        let page = subscriptions::staying(&it.test.app.db, &it.account, Object::Page, &it.facts.page_id)
            .await
            .unwrap();
        assert_eq!(page.unwrap().check_at, it.test.clock.now());
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
fn why_a_lead_is_parked_is_told_as_it_is_now() {
    on_each_connected(&[], async |it| {
        let told = async |id: &String| match it.lead(id).await.state.0 {
            State::Parked { message, next_step, since, .. } => (format!("{message}; {next_step}"), since),
            other => panic!("{other:?}"),
        };
        it.switch_on("leads_permission_missing");
        watch(&it.test.app).await;
        let ids = it.announced(2).await;
        hydrate(&it.test.app).await;
        let (first, since) = told(&ids[0]).await;
        it.advance(2 * HOUR);
        hydrate(&it.test.app).await;
        assert_eq!(told(&ids[0]).await, (first.clone(), since), "the same reason, since it began");

        it.switch_off("leads_permission_missing");
        it.switch_on("leads_access_manager");
        it.advance(2 * HOUR);
        watch(&it.test.app).await;
        hydrate(&it.test.app).await;
        for id in &ids {
            let (second, from) = told(id).await;
            assert!(second.contains("Lead") && second != first && from > since, "{first} / {second}");
        }

        // Once they are read, their way tells what they waited for.
        it.switch_off("leads_access_manager");
        it.advance(2 * HOUR);
        watch(&it.test.app).await;
        hydrate(&it.test.app).await;
        for id in &ids {
            let lead = it.lead(id).await;
            assert_eq!(lead.state.0, State::Hydrated);
            let way = leads::timeline(&it.test.app, &it.account, &lead.id).await.unwrap();
            let [State::Parked { since: one, .. }, State::Parked { since: two, message, .. }] =
                &way.parks[..]
            else {
                panic!("{way:?}")
            };
            assert!(*one == since && two > one && !first.starts_with(message.as_str()), "{way:?}");
        }
    });
}

#[test]
fn a_lead_that_meta_is_about_to_forget_is_told_of_once() {
    on_each_connected(&[], async |it| {
        let app = &it.test.app;
        let read = it.announced(1).await.remove(0);
        hydrate(app).await;
        it.switch_on("dead_tokens=460");
        let parked = it.announced(1).await.remove(0);
        hydrate(app).await;
        it.advance(82 * 24 * HOUR);
        leads::tell_expiring(app).await.unwrap();
        assert_eq!(it.events("lead.expiring").await, []);
        it.advance(30 * HOUR);
        leads::tell_expiring(app).await.unwrap();
        leads::tell_expiring(app).await.unwrap();
        let told = it.events("lead.expiring").await;
        let [(kind, data)] = &told[..] else { panic!("{told:?}") };
        assert_eq!(kind, "lead.expiring");
        let data: Value = serde_json::from_str(data).unwrap();
        let id = it.lead(&parked).await.id;
        assert_eq!((&data["lead_id"], &data["meta_lead_id"]), (&json!(id), &json!(parked)));
        assert_eq!(
            (&data["cause"], &data["who"], &data["hours_left"]),
            (&json!("token"), &json!("account"), &json!(162))
        );
        assert_ne!(it.lead(&read).await.id, id);
    });
}

#[test]
fn an_announced_lead_that_is_not_there_hides_none_that_is_missing() {
    on_each_connected(&[], async |it| {
        let app = &it.test.app;
        it.announced(1).await;
        crate::forms::sweep(app).await;
        hydrate(app).await;
        let made_up = "123456789012345".to_owned();
        it.announce(std::slice::from_ref(&made_up)).await;
        hydrate(app).await;
        it.advance(15 * 60);
        hydrate(app).await;
        assert!(matches!(it.lead(&made_up).await.state.0, State::Gone { .. }));

        let mut tx = app.db.begin().await.unwrap();
        sql("UPDATE forms SET counts = $1, counted_at = $2 WHERE form_id = $3")
            .bind(r#"{"leads":2}"#)
            .bind(it.test.clock.now())
            .bind(&it.facts.form_id)
            .execute(&mut tx)
            .await
            .unwrap();
        tx.commit().await.unwrap();
        let form = adjoin::service::forms::get(app, &it.account, &it.facts.form_id).await.unwrap().form;
        let counted = form.completeness;
        assert_eq!((counted.held, counted.waiting, counted.gone, counted.missing), (1, 0, 1, Some(1)));
        let totals = adjoin::service::forms::list(app, &it.account, None, None, 1).await.unwrap().totals;
        assert_eq!((totals.held, totals.waiting, totals.gone, totals.missing), (1, 0, 1, 1));
        assert_eq!(adjoin::service::overview::lead_counts(app).await.unwrap().missing, 1);
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
fn a_field_that_meta_took_away_keeps_no_lead_from_being_read() {
    on_each_connected(&[], async |it| {
        let refusing = Refusing::before(it).await;
        refusing.refuse("home_listing", 100);
        let ids = it.announced(3).await;
        hydrate(&refusing.app).await;
        let lead = it.lead(&ids[0]).await;
        let content = leads::render(&it.test.app, &it.account, &lead.id).await.unwrap().unwrap();
        assert_eq!((content.answers.len(), content.consents.len(), it.created().await), (1, 2, 3));
    });
}

#[test]
fn a_test_lead_with_a_persons_own_answers_is_marked_and_asked_for_once() {
    on_each_connected(&[], async |it| {
        let ours = |test| Submission {
            form: it.facts.form_id.clone(),
            answers: vec![Answer { name: "email".to_owned(), values: vec!["me@example.com".to_owned()] }],
            consents: Vec::new(),
            ad: None,
            platform: Platform::Facebook,
            created: None,
            test,
            silent: true,
        };
        let (test, real) = {
            let mut world = it.world.write().unwrap();
            (world.submit(ours(true)).to_string(), world.submit(ours(false)).to_string())
        };
        // The Page's token is there already, so that what is counted are leads.
        it.announced(1).await;
        hydrate(&it.test.app).await;
        let before = it.asked();
        it.announce(&[test.clone(), real.clone()]).await;
        hydrate(&it.test.app).await;
        // A batch and its two leads, and the list of the form.
        assert_eq!(it.asked() - before, 4);
        let (test, real) = (it.lead(&test).await, it.lead(&real).await);
        assert_eq!((test.is_test, real.is_test), (true, false));
        let content = leads::render(&it.test.app, &it.account, &test.id).await.unwrap().unwrap();
        assert!(content.is_test);
    });
}

#[test]
fn leads_do_not_wait_for_the_list_of_test_leads() {
    on_each_connected(&[], async |it| {
        let refusing = Refusing::before(it).await;
        refusing.refuse_times("/test_leads", 200, 2);
        let ids = it.announced(3).await;
        hydrate(&refusing.app).await;
        // Swept again, the list is asked for once, however many leads there are.
        it.advance(HOUR);
        let swept = it.send_in();
        forms::step(&refusing.app).await.unwrap();
        for id in ids.iter().chain([&swept]) {
            let lead = it.lead(id).await;
            assert_eq!((lead.state.0, lead.is_test), (State::Hydrated, false));
        }
        assert_eq!((refusing.left(), it.created().await), (0, 4));
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
fn waiting_leads_are_made_due_step_by_step() {
    on_each_connected(&[], async |it| {
        let ids = it.announced(5).await;
        it.advance(HOUR);
        let now = it.test.clock.now();
        let mut waiting = table::Waiting { account_id: &it.account, page_id: "1", refused_only: false };
        let steps = async |waiting: &table::Waiting<'_>| {
            let (mut after, mut steps) = (table::After::default(), Vec::new());
            loop {
                let mut tx = it.test.app.db.begin_apart().await.unwrap();
                let (leads, last) = table::make_due(&mut tx, waiting, &after, 2, now).await.unwrap();
                tx.commit().await.unwrap();
                steps.push(leads);
                let Some(last) = last else { return steps };
                after = last;
            }
        };
        // Of another Page, or parked for a token: none.
        assert_eq!(steps(&waiting).await, [0]);
        waiting = table::Waiting { page_id: &it.facts.page_id, refused_only: true, ..waiting };
        assert_eq!(steps(&waiting).await, [0, 0, 0]);
        waiting.refused_only = false;
        assert_eq!(steps(&waiting).await, [2, 2, 1]);
        for id in &ids {
            assert_eq!(it.lead(id).await.due_at, Some(now));
        }
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

#[test]
fn any_order_and_repetition_of_the_same_changes_ends_in_the_same_leads() {
    on_each_connected(&[], async |it| {
        let mut seed = 7_u64;
        for round in 0..4 {
            let mut changes = Vec::new();
            for _ in 0..6 {
                let id = it.send_in();
                let number: u64 = id.parse().unwrap();
                let value = |id: Value| json!({ "leadgen_id": id, "page_id": it.facts.page_id, "form_id": it.facts.form_id });
                let mut update = value(json!(number));
                update["event"] = json!("qualification_status_change");
                changes.push(json!({ "field": "leadgen", "value": value(json!(id)) }));
                changes.push(json!({ "field": "leadgen", "value": value(json!(number)) }));
                changes.push(json!({ "field": "leadgen_update", "value": update }));
            }
            for at in (1..changes.len()).rev() {
                seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
                changes.swap(at, usize::try_from(seed >> 33).unwrap() % (at + 1));
            }
            for changes in changes.chunks(1 + round) {
                let entry = json!({ "id": it.facts.page_id, "time": 1, "changes": changes });
                it.announce_raw(&json!({ "object": "page", "entry": [entry] }).to_string()).await;
            }
            hydrate(&it.test.app).await;
        }
        assert_eq!(it.created().await, 24);
        for (text, expected) in [
            ("SELECT COUNT(*) AS count FROM leads WHERE status = 'hydrated'", 24),
            ("SELECT COUNT(*) AS count FROM lead_sightings WHERE source = 'webhook' AND times = 2", 24),
            ("SELECT COUNT(*) AS count FROM lead_sightings WHERE source = 'update' AND times = 1", 24),
            ("SELECT COUNT(*) AS count FROM events WHERE type = 'lead.updated'", 24),
            ("SELECT COUNT(*) AS count FROM quarantine", 0),
        ] {
            let row: Option<Count> = sql(text).optional(&it.test.app.db).await.unwrap();
            assert_eq!(row.unwrap().count, expected, "{text}");
        }
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

/// What somebody wrote, as Meta shows it.
fn written(id: &str, email: &str) -> Value {
    json!({ "id": id, "created_time": "2026-11-24T09:00:00+0000", "field_data": [
        { "name": "email", "values": [email] }, { "name": "phone_number", "values": ["+1 (650) 555-1212"] } ] })
}

#[test]
fn the_api_lists_shows_retries_and_erases_leads() {
    on_each_connected(&[], async |it| {
        let backend = Backend::new(&it.test, Some(it.account.clone())).await;
        let base = format!("/v1/accounts/{}/leads", it.account);
        let ids = it.announced(3).await;
        hydrate(&it.test.app).await;
        it.switch_on("dead_tokens=463");
        let parked = it.announced(1).await;
        it.advance(2 * HOUR);
        hydrate(&it.test.app).await;

        let (status, page) = backend.get(&format!("{base}?limit=2")).await;
        assert_eq!((status, page["data"].as_array().unwrap().len()), (StatusCode::OK, 2), "{page}");
        let next = page["next"].as_str().unwrap();
        let (_, rest) = backend.get(&format!("{base}?limit=2&after={next}")).await;
        assert_eq!((rest["data"].as_array().unwrap().len(), &rest["next"]), (2, &Value::Null));
        let (_, waiting) = backend.get(&format!("{base}?status=parked&cause=token")).await;
        let lead = &waiting["data"][0];
        assert_eq!(
            (waiting["data"].as_array().unwrap().len(), &lead["meta_lead_id"], &lead["who"]),
            (1, &json!(parked[0]), &json!("account")),
            "{waiting}"
        );
        assert!(lead["hours_left"].as_i64().is_some_and(|hours| (2150..2160).contains(&hours)), "{lead}");
        assert_eq!(
            (&waiting["waiting"][0]["cause"], &waiting["waiting"][0]["leads"]),
            (&json!("token"), &json!(1))
        );
        let none = format!("{base}?form_id=1&delivered=false&submitted_from=2026-11-24T00:00:00Z");
        assert_eq!(backend.get(&none).await.1["data"], json!([]));
        assert_eq!(backend.get(&format!("{base}?cause=hunger")).await.0, StatusCode::UNPROCESSABLE_ENTITY);

        // Retried, and told why it still waits; one that was read is not retried.
        let path = format!("{base}/{}", lead["id"].as_str().unwrap());
        let (status, _) = backend.send(Method::POST, &format!("{path}/retry"), &json!({})).await;
        assert_eq!(status, StatusCode::ACCEPTED);
        assert_eq!(it.lead(&parked[0]).await.due_at, Some(it.test.clock.now()));
        let read = it.lead(&ids[0]).await.id;
        let retry = format!("{base}/{read}/retry");
        assert_eq!(backend.send(Method::POST, &retry, &json!({})).await.0, StatusCode::CONFLICT);
        let (_, all) = backend.send(Method::POST, &format!("{base}/retry"), &json!({})).await;
        assert_eq!(all["leads"], 1);

        let (_, shown) = backend.get(&format!("{base}/{read}")).await;
        assert_eq!(shown["status"], "hydrated");
        assert!(!shown["content"]["answers"].as_array().unwrap().is_empty(), "{shown}");
        let timeline = &shown["timeline"];
        assert_eq!(
            (&timeline["sightings"][0]["source"], &timeline["events"][0]["type"]),
            (&json!("webhook"), &json!("lead.created"))
        );

        assert_eq!(
            read_of(&backend, Method::DELETE, &format!("{base}/{read}")).await,
            (StatusCode::NO_CONTENT, Value::Null)
        );
        let (_, shown) = backend.get(&format!("{base}/{read}")).await;
        assert_eq!((&shown["status"], &shown["content"]), (&json!("erased"), &Value::Null));
        // Neither webhook nor sweep brings it back.
        it.switch_off("dead_tokens");
        it.connect_again().await;
        it.announce(&ids[..1]).await;
        while forms::step(&it.test.app).await.unwrap() {}
        hydrate(&it.test.app).await;
        assert_eq!(it.lead(&ids[0]).await.state.0.name(), "erased");

        let other = Backend::new(&it.test, Some(account(&it.test, "Other").await)).await;
        assert_eq!(other.get(&base).await.0, StatusCode::NOT_FOUND);
        assert_eq!(backend.get("/v1/quarantine").await.0, StatusCode::FORBIDDEN);
        let partner = Backend::new(&it.test, None).await;
        assert_eq!(partner.get("/v1/quarantine?limit=1").await.0, StatusCode::OK);
    });
}

async fn read_of(backend: &Backend, method: Method, path: &str) -> (StatusCode, Value) {
    crate::api::read(backend.request(method, path)).await
}

#[test]
fn a_person_is_forgotten_and_nothing_of_them_is_written_down() {
    on_each_connected(&[], async |it| {
        let app = &it.test.app;
        for (id, email) in
            [("800000000000001", "Greta@Example.com"), ("800000000000002", "other@example.com")]
        {
            hold(it, id, written(id, email)).await;
        }
        it.announced(1).await;
        let backend = Backend::new(&it.test, None).await;
        let path = format!("/v1/accounts/{}/leads/erase", it.account);
        let (status, done) =
            backend.send(Method::POST, &path, &json!({ "email": " greta@example.com" })).await;
        let nothing =
            json!({ "erased": 1, "searched": 2, "unread": 1, "quarantined": 0, "quarantine_until": null });
        assert_eq!((status, done), (StatusCode::OK, nothing));
        assert_eq!(it.lead("800000000000001").await.state.0.name(), "erased");
        assert_eq!(it.lead("800000000000002").await.state.0, State::Hydrated);

        // What lies in the quarantine is told to the partner; an account learns nothing of others.
        let kept_from = |at: Timestamp| json!(at.plus_seconds(30 * 24 * HOUR));
        let came_at = it.test.clock.now();
        let change =
            json!({ "field": "leadgen", "value": { "leadgen_id": "800000000000003", "page_id": "1" } });
        let body = json!({ "object": "page", "entry": [{ "id": "1", "time": 1, "changes": [change] }] });
        it.announce_raw(&body.to_string()).await;
        it.test.clock.advance_seconds(HOUR);
        let nobody = json!({ "email": "nobody@example.com" });
        let (_, done) = backend.send(Method::POST, &path, &nobody).await;
        assert_eq!((&done["quarantined"], &done["quarantine_until"]), (&json!(1), &kept_from(came_at)));
        let own = Backend::new(&it.test, Some(it.account.clone())).await;
        let (_, done) = own.send(Method::POST, &path, &nobody).await;
        let now = kept_from(it.test.clock.now());
        assert_eq!((&done["quarantined"], &done["quarantine_until"]), (&Value::Null, &now));

        let (_, done) = backend.send(Method::POST, &path, &json!({ "phone": "001 650 555 1212" })).await;
        assert_eq!(done["erased"], 1);
        let wrong = backend.send(Method::POST, &path, &json!({ "email": "greta" })).await;
        assert_eq!(wrong.0, StatusCode::UNPROCESSABLE_ENTITY, "{}", wrong.1);
        let lines: Vec<Text> = sql("SELECT detail AS text FROM audit").all(&app.db).await.unwrap();
        assert!(
            !lines
                .iter()
                .any(|line| line.text.to_lowercase().contains("greta") || line.text.contains("555121"))
        );
        let left: Option<Count> = sql("SELECT COUNT(*) AS count FROM leads WHERE detail_sealed IS NOT NULL")
            .optional(&app.db)
            .await
            .unwrap();
        assert_eq!(left.unwrap().count, 0);
        // What is left of them goes when Meta could not bring them back any more.
        it.test.clock.advance_seconds(101 * 24 * HOUR);
        while leads::tidy(app).await.unwrap() {}
        let left: Option<Count> = sql("SELECT COUNT(*) AS count FROM leads").optional(&app.db).await.unwrap();
        assert_eq!(left.unwrap().count, 1, "the one that nobody erased");
        let (_, done) = backend.send(Method::POST, &path, &nobody).await;
        assert_eq!((&done["quarantined"], &done["quarantine_until"]), (&json!(0), &Value::Null));
    });
}

#[derive(Debug)]
struct Text {
    text: String,
}

impl store::FromRow for Text {
    fn from_row(row: &store::Row) -> store::Result<Self> {
        Ok(Self { text: row.get("text")? })
    }
}

#[test]
fn leads_are_kept_as_long_as_the_account_wants() {
    on_each_connected(&[], async |it| {
        let app = &it.test.app;
        let backend = Backend::new(&it.test, None).await;
        let path = format!("/v1/accounts/{}", it.account);
        let old = "800000000000001";
        hold(it, old, written(old, "a@example.com")).await;
        it.test.clock.advance_seconds(8 * 24 * HOUR);
        let young = "800000000000002";
        hold(it, young, written(young, "b@example.com")).await;
        leads::tidy(app).await.unwrap();
        assert_eq!(it.lead(old).await.state.0, State::Hydrated);
        for wrong in [json!(0), json!(4000)] {
            let change = json!({ "lead_retention_days": wrong });
            assert_eq!(backend.send(Method::PATCH, &path, &change).await.0, StatusCode::UNPROCESSABLE_ENTITY);
        }
        let (_, changed) = backend.send(Method::PATCH, &path, &json!({ "lead_retention_days": 7 })).await;
        assert_eq!(changed["lead_retention_days"], 7, "{changed}");
        let (_, changed) = backend.send(Method::PATCH, &path, &json!({ "name": "Acme 2" })).await;
        assert_eq!((&changed["lead_retention_days"], &changed["name"]), (&json!(7), &json!("Acme 2")));
        leads::tidy(app).await.unwrap();
        assert_eq!(it.lead(old).await.state.0.name(), "expired");
        assert_eq!(it.lead(young).await.state.0, State::Hydrated);
        let id = it.lead(old).await.id;
        assert!(leads::render(app, &it.account, &id).await.unwrap().is_none());
        let (_, changed) = backend.send(Method::PATCH, &path, &json!({ "lead_retention_days": null })).await;
        assert_eq!(changed["lead_retention_days"], Value::Null);
    });
}

#[test]
fn the_app_secret_of_before_counts_for_two_days() {
    on_each_connected(&[], async |it| {
        let body = json!({ "object": "page", "entry": [] }).to_string();
        let post = async |secret: &str| {
            let key = hmac::Key::new(hmac::HMAC_SHA256, secret.as_bytes());
            let signature =
                format!("sha256={}", adjoin_graph::hex(hmac::sign(&key, body.as_bytes()).as_ref()));
            let post = reqwest::Client::new().post(it.test.url("/webhooks/facebook"));
            post.header("x-hub-signature-256", signature).body(body.clone()).send().await.unwrap().status()
        };
        let before = it.facts.app_secret.clone();
        let after = "0123456789abcdef0123456789abcdef";
        let app_id = it.facts.app_id.clone();
        it.world.write().unwrap().identity.apps.get_mut(&app_id).unwrap().secret = after.to_owned();
        let save = async |secret: &str| {
            let new = NewSetup {
                client_id: app_id.clone(),
                client_secret: Some(SecretString::from(secret)),
                login: Login::Facebook,
                use_cases: vec!["ads".to_owned(), "leads".to_owned()],
                extra_permissions: Vec::new(),
                graph_version: None,
                keyed_redirect_uri: None,
            };
            setup::save(&it.test.app, &Actor::System, new).await.unwrap();
        };
        save(after).await;
        assert_eq!((post(after).await, post(&before).await), (StatusCode::OK, StatusCode::OK));
        // Saved again as it is: the one of before keeps its time.
        it.test.clock.advance_seconds(47 * HOUR);
        save(after).await;
        assert_eq!(post(&before).await, StatusCode::OK);
        // Rotation takes it along.
        let mut file = KeyFile::read(&it.test.key_file()).unwrap();
        file.add_key().unwrap();
        let rotating = Vault::new(it.test.app.db.clone(), file);
        let sealed = vault::rotate(&rotating, it.test.clock.now(), |_| {}).await.unwrap();
        assert_eq!(post(&before).await, StatusCode::OK, "{sealed:?}");
        it.test.clock.advance_seconds(HOUR);
        assert_eq!((post(after).await, post(&before).await), (StatusCode::OK, StatusCode::FORBIDDEN));
        leads::tidy(&it.test.app).await.unwrap();
        let kept: Option<Count> =
            sql("SELECT COUNT(*) AS count FROM connectors WHERE previous_secret_sealed IS NOT NULL")
                .optional(&it.test.app.db)
                .await
                .unwrap();
        assert_eq!(kept.unwrap().count, 0);
    });
}

#[test]
fn rotation_takes_leads_and_quarantine_along() {
    on_each_connected(&[], async |it| {
        let app = &it.test.app;
        let id = hold(it, "800000000000001", written("800000000000001", "a@example.com")).await;
        it.announce_raw("not JSON").await;
        let sealed: Option<Bytes> =
            sql("SELECT detail_sealed AS bytes FROM leads").optional(&app.db).await.unwrap();
        let mut file = KeyFile::read(&it.test.key_file()).unwrap();
        file.add_key().unwrap();
        let rotating = Vault::new(app.db.clone(), file);
        vault::rotate(&rotating, it.test.clock.now(), |_| {}).await.unwrap();
        let again: Option<Bytes> =
            sql("SELECT detail_sealed AS bytes FROM leads").optional(&app.db).await.unwrap();
        assert_ne!(sealed.unwrap().bytes, again.unwrap().bytes);
        assert!(leads::render(app, &it.account, &id).await.unwrap().is_some());
        assert_eq!(webhooks::list(app, None, None, 10).await.unwrap().items[0].change, json!("not JSON"));
    });
}

#[derive(Debug)]
struct Bytes {
    bytes: Vec<u8>,
}

impl store::FromRow for Bytes {
    fn from_row(row: &store::Row) -> store::Result<Self> {
        Ok(Self { bytes: row.get("bytes")? })
    }
}

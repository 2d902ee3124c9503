//! Lead forms: listed, swept and counted at the sandbox.

use adjoin::{
    audit::Actor,
    id::LeadId,
    service::{
        App, connections,
        events::{self, Kind, NewEvent},
        forms::{self, Form, PassKind, Totals},
        leads::{self, Sighting, Source},
    },
    store::{self, sql},
    time::Timestamp,
};
use adjoin_sandbox::world::{Submission, leads::Platform, seed};
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

use crate::{
    api::Backend,
    subscriptions::watch,
    support::{Connected, Refusing, on_each_connected, process},
};

/// Does all that is due.
pub async fn sweep(app: &App) {
    while forms::step(app).await.unwrap() {}
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

const DAY: i64 = 24 * 60 * 60;

impl Connected {
    /// Sends the first form in, `ago` seconds ago, without a webhook.
    fn submit(&self, ago: i64) -> String {
        self.submit_to(&self.facts.form_id, ago)
    }

    fn submit_to(&self, form: &str, ago: i64) -> String {
        let mut world = self.world.write().unwrap();
        let created = Some(world.clock.unix() - ago);
        let id = world.submit(Submission {
            form: form.to_owned(),
            answers: Vec::new(),
            consents: Vec::new(),
            ad: None,
            platform: Platform::Facebook,
            created,
            test: false,
            silent: true,
        });
        id.to_string()
    }

    async fn form(&self, form_id: &str) -> Form {
        forms::get(&self.test.app, &self.account, form_id).await.unwrap().form
    }

    async fn first(&self) -> Form {
        self.form(&self.facts.form_id).await
    }

    async fn totals(&self) -> Totals {
        forms::list(&self.test.app, &self.account, None, None, 1).await.unwrap().totals
    }

    /// Meta's ids of the leads that are held.
    async fn held(&self) -> Vec<String> {
        let rows: Vec<Text> =
            sql("SELECT meta_lead_id AS text FROM leads WHERE account_id = $1 ORDER BY meta_lead_id")
                .bind(&self.account)
                .all(&self.test.app.db)
                .await
                .unwrap();
        rows.into_iter().map(|row| row.text).collect()
    }

    /// As a webhook would announce a lead of the first form.
    async fn sight(&self, lead: &str) -> LeadId {
        let announced = Sighting {
            account_id: self.account.clone(),
            meta_lead_id: lead.to_owned(),
            page_id: self.facts.page_id.clone(),
            form_id: self.facts.form_id.clone(),
            ad_id: None,
            submitted_at: Some(self.now()),
            source: Source::Webhook,
            at: self.now(),
            detail: None,
        };
        let mut tx = self.test.app.db.begin().await.unwrap();
        let sighted = leads::sight(&self.test.app, &mut tx, announced).await.unwrap();
        tx.commit().await.unwrap();
        sighted.lead_id
    }

    /// By which ways a lead was seen.
    async fn sources(&self, lead: &str) -> Vec<String> {
        let rows: Vec<Text> =
            sql("SELECT s.source AS text FROM lead_sightings s JOIN leads l ON l.id = s.lead_id
             WHERE l.meta_lead_id = $1 ORDER BY s.source")
            .bind(lead)
            .all(&self.test.app.db)
            .await
            .unwrap();
        rows.into_iter().map(|row| row.text).collect()
    }

    fn now(&self) -> Timestamp {
        self.test.clock.now()
    }

    fn calls(&self) -> u64 {
        self.world.read().unwrap().calls
    }
}

#[test]
fn forms_beyond_the_first_page_and_archived_ones_are_found_and_counted() {
    on_each_connected(&[], async |it| {
        let before = it.world.read().unwrap().leads.forms_of(&it.facts.page_id).count();
        {
            let mut world = it.world.write().unwrap();
            for turn in 0..120 {
                let id = world.leads.make_id();
                let (page, created) = (it.facts.page_id.clone(), world.clock.unix());
                world.leads.add_form(seed::usual_form(id, &page, &format!("Form {turn}"), turn, created));
            }
            world.leads.form_mut(&it.facts.form_id).unwrap().archived = true;
        }
        for ago in [60, 100 * DAY] {
            it.submit(ago);
        }
        sweep(&it.test.app).await;
        let page = it.facts.page_id.as_str();
        let (mut found, mut after) = (Vec::new(), None);
        loop {
            let listed =
                forms::list(&it.test.app, &it.account, Some(page), after.as_deref(), 50).await.unwrap().page;
            found.extend(listed.items);
            after = listed.next;
            if after.is_none() {
                break;
            }
        }
        assert_eq!(found.len(), before + 120);
        let archived = it.first().await;
        assert_eq!(archived.status, "ARCHIVED");
        let counts = &archived.completeness;
        assert_eq!(
            (counts.at_meta, counts.expired, counts.held, counts.missing),
            (Some(1), Some(1), 1, Some(0))
        );

        // Left out by the list, it is read by its id.
        it.switch_on("archived_forms_hidden");
        it.submit(30);
        it.advance(3600);
        sweep(&it.test.app).await;
        let counts = it.first().await.completeness;
        assert_eq!((counts.at_meta, counts.held, counts.counted_at), (Some(2), 2, Some(it.now())));
    });
}

#[test]
fn a_form_that_only_leads_know_of_is_found_by_its_id() {
    on_each_connected(&["archived_forms_hidden"], async |it| {
        it.world.write().unwrap().leads.form_mut(&it.facts.form_id).unwrap().archived = true;
        let lead = it.submit(60);
        sweep(&it.test.app).await;
        assert!(forms::get(&it.test.app, &it.account, &it.facts.form_id).await.is_err());
        it.sight(&lead).await;
        it.advance(3600);
        sweep(&it.test.app).await;
        assert_eq!(it.first().await.status, "ARCHIVED");
    });
}

/// One that nobody read is not held, and one that was erased here is not missing.
#[test]
fn a_lead_that_was_erased_unread_is_told_apart_from_those_held() {
    on_each_connected(&[], async |it| {
        let app = &it.test.app;
        let erase = async |id: &LeadId| leads::erase(app, &Actor::System, &it.account, id).await.unwrap();
        let unread = it.sight(&it.submit(60)).await;
        erase(&unread).await;
        let read = it.submit(30);
        sweep(app).await;
        erase(&it.sight(&read).await).await;
        let all = it.totals().await;
        let of_all = (all.at_meta, all.held, all.waiting, all.erased_unread, all.missing);
        assert_eq!(of_all, (2, 1, 0, 1, 0));
        let one = it.first().await.completeness;
        let of_one = (one.at_meta, one.held, one.waiting, one.erased_unread, one.missing);
        assert_eq!(of_one, (Some(2), 1, 0, 1, Some(0)));
    });
}

#[test]
fn leads_that_expired_or_came_later_hide_none_that_is_missing() {
    on_each_connected(&[], async |it| {
        let app = &it.test.app;
        let missing = async || {
            let (one, all) = (it.first().await.completeness, it.totals().await);
            assert_eq!((one.missing, one.missing_at_most), (Some(all.missing), Some(all.missing_at_most)));
            (all.missing, all.missing_at_most)
        };
        it.submit(89 * DAY);
        it.submit(60);
        sweep(app).await;
        it.advance(3600);
        sweep(app).await;
        assert_eq!((it.totals().await.at_meta, missing().await), (2, (0, 0)));

        // The first expires, and another one is sent that Meta counts and does not show.
        it.advance(3 * DAY);
        it.switch_on("leads_gone");
        it.submit(30);
        sweep(app).await;
        assert_eq!((it.totals().await.at_meta, it.totals().await.expired, missing().await), (2, 1, (0, 1)));
        it.switch_on("expired_leads_counted");
        it.advance(3600);
        sweep(app).await;
        assert_eq!((it.totals().await.at_meta, missing().await), (3, (1, 2)));

        // One that comes by webhook after Meta counted says nothing of the one that is missing.
        it.advance(60);
        it.sight("900000000000001").await;
        assert_eq!((it.totals().await.waiting, missing().await), (1, (1, 2)));

        it.switch_off("leads_gone");
        it.switch_off("expired_leads_counted");
        it.advance(3600);
        sweep(app).await;
        it.advance(3600);
        sweep(app).await;
        assert_eq!(missing().await, (0, 0));
    });
}

#[test]
fn what_metas_count_holds_shows_when_a_whole_form_is_read() {
    on_each_connected(&[], async |it| {
        let app = &it.test.app;
        for turn in 0..12 {
            it.submit(89 * DAY + turn);
        }
        (0..3).for_each(|turn| drop(it.submit(turn)));
        sweep(app).await;
        it.advance(3 * DAY);
        sweep(app).await;
        for (scenario, at_meta) in [(None, 3), (Some("expired_leads_counted"), 15)] {
            if let Some(scenario) = scenario {
                it.switch_on(scenario);
            }
            forms::backfill(app, &Actor::System, &it.account, &it.facts.form_id, 90).await.unwrap();
            sweep(app).await;
            it.advance(3600);
            sweep(app).await;
            let told = it.first().await.completeness;
            assert_eq!((told.at_meta, told.expired, told.held), (Some(at_meta), Some(12), 15));
            assert_eq!((told.missing, told.missing_at_most), (Some(0), Some(0)));
        }
        // It stays known.
        it.advance(DAY);
        sweep(app).await;
        assert_eq!(it.first().await.completeness.missing_at_most, Some(0));
    });
}

#[test]
fn every_lead_is_found_to_the_last_page_and_counted() {
    on_each_connected(&[], async |it| {
        let mut sent: Vec<String> = (0..250).map(|index| it.submit(index * 60)).collect();
        sent.sort();
        sweep(&it.test.app).await;
        assert_eq!(it.held().await, sent);
        let form = it.first().await;
        assert_eq!(form.sweep.watermark, Some(it.now()));
        let last = form.sweep.last.clone().unwrap();
        assert_eq!((last.kind, last.read, last.new), (PassKind::Backfill, 250, 250));
        assert_eq!(it.sources(&sent[0]).await, ["backfill"]);
        let totals = it.totals().await;
        // The counts are of before the sweep: listed and swept at once.
        assert_eq!((totals.at_meta, totals.held, totals.missing, totals.uncounted), (250, 250, 0, 0));

        // While Meta's count is ahead, what is missing is told.
        let late = it.submit(0);
        assert_eq!(it.sources(&late).await, Vec::<String>::new());
        it.advance(3600);
        sweep(&it.test.app).await;
        assert_eq!(it.sources(&late).await, ["sweep"]);
        assert_eq!(it.totals().await.missing, 0);
    });
}

#[test]
fn a_lead_that_meta_shows_late_is_found_within_the_overlap_and_an_older_one_by_the_daily_pass() {
    on_each_connected(&[], async |it| {
        it.submit(0);
        sweep(&it.test.app).await;
        let mark = it.first().await.sweep.watermark.unwrap();
        it.advance(3600);
        let within = it.submit(3600 + 540);
        let beyond = it.submit(3600 + 3600);
        sweep(&it.test.app).await;
        let held = it.held().await;
        assert!(held.contains(&within) && !held.contains(&beyond));
        let form = it.first().await;
        assert_eq!(form.sweep.last.unwrap().kind, PassKind::Regular);
        assert_eq!(form.sweep.watermark, Some(mark));
        it.advance(DAY);
        sweep(&it.test.app).await;
        assert!(it.held().await.contains(&beyond));
        assert_eq!(it.first().await.sweep.last.unwrap().kind, PassKind::Daily);
    });
}

#[test]
fn a_pass_that_is_cut_off_by_throttles_goes_on_and_loses_nothing() {
    on_each_connected(&[], async |it| {
        sweep(&it.test.app).await;
        let mut sent: Vec<String> = (0..900).map(|index| it.submit(index)).collect();
        sent.sort();
        it.switch_on("leads_throttled=50");
        let mut turns = 0;
        while it.held().await.len() < sent.len() || it.first().await.sweep.watermark.is_none() {
            let form = it.first().await;
            if form.sweep.under_way.is_some() {
                // Nothing is above the watermark and unread: it has not moved.
                assert_eq!(form.sweep.watermark, None);
            }
            it.advance(3600);
            sweep(&it.test.app).await;
            turns += 1;
            assert!(turns < 200, "{form:?}");
        }
        assert_eq!(it.held().await, sent);
        assert!(turns > 1);
    });
}

#[test]
fn a_process_that_is_killed_between_two_pages_loses_nothing() {
    on_each_connected(&[], async |it| {
        sweep(&it.test.app).await;
        let mut sent: Vec<String> = (0..600).map(|index| it.submit(index)).collect();
        sent.sort();
        it.advance(3600);
        it.switch_on("slow=20");
        let app = it.test.app.clone();
        let killed = tokio::spawn(async move { sweep(&app).await });
        while it.held().await.is_empty() {
            tokio::task::yield_now().await;
        }
        killed.abort();
        assert!(killed.await.is_err());
        it.switch_off("slow");
        let held = it.held().await.len();
        assert!((1..600).contains(&held), "{held}");
        assert_eq!(it.first().await.sweep.watermark, None);
        // Its lease holds for a while, then another process takes the form over.
        sweep(&it.test.app).await;
        assert_eq!(it.held().await.len(), held);
        it.advance(301);
        sweep(&it.test.app).await;
        assert_eq!(it.held().await, sent);
        assert_eq!(it.first().await.sweep.watermark.map(Timestamp::unix), Some(it.now().unix() - 3901));
    });
}

#[test]
fn a_backfill_reads_its_window_and_no_more() {
    on_each_connected(&[], async |it| {
        let (recent, older) = (it.submit(3600), it.submit(3 * DAY));
        sweep(&it.test.app).await;
        let mark = it.first().await.sweep.watermark;
        let mut tx = it.test.app.db.begin().await.unwrap();
        sql("DELETE FROM leads").execute(&mut tx).await.unwrap();
        tx.commit().await.unwrap();
        let backend = Backend::new(&it.test, Some(it.account.clone())).await;
        let path = format!("/v1/accounts/{}/forms/{}/backfill", it.account, it.facts.form_id);
        for (body, expected) in [
            (json!({ "days": 0 }), StatusCode::UNPROCESSABLE_ENTITY),
            (json!({ "days": 91 }), StatusCode::UNPROCESSABLE_ENTITY),
            (json!({}), StatusCode::UNPROCESSABLE_ENTITY),
            (json!({ "days": 1 }), StatusCode::ACCEPTED),
        ] {
            let (status, answer) = backend.send(Method::POST, &path, &body).await;
            assert_eq!(status, expected, "{answer}");
        }
        sweep(&it.test.app).await;
        assert_eq!(it.held().await, std::slice::from_ref(&recent));
        assert_eq!(it.sources(&recent).await, ["backfill"]);
        assert_eq!(it.first().await.sweep.watermark, mark);
        backend.send(Method::POST, &path, &json!({ "days": 90 })).await;
        sweep(&it.test.app).await;
        assert!(it.held().await.contains(&older));
        let unknown = format!("/v1/accounts/{}/forms/1/backfill", it.account);
        let (status, _) = backend.send(Method::POST, &unknown, &json!({ "days": 1 })).await;
        assert_eq!(status, StatusCode::NOT_FOUND);
    });
}

#[test]
fn a_new_form_is_backfilled_and_a_changed_label_is_a_new_version() {
    on_each_connected(&[], async |it| {
        sweep(&it.test.app).await;
        let id = {
            let mut world = it.world.write().unwrap();
            let id = world.leads.make_id();
            let (page, created) = (it.facts.page_id.clone(), world.clock.unix() - 5 * DAY);
            world.leads.add_form(seed::usual_form(id.clone(), &page, "Newcomer", 0, created));
            id
        };
        let lead = it.submit_to(&id, 4 * DAY);
        it.advance(3600);
        sweep(&it.test.app).await;
        assert_eq!(it.sources(&lead).await, ["backfill"]);
        let before = forms::get(&it.test.app, &it.account, &id).await.unwrap();
        assert_eq!(before.versions.len(), 1);
        assert!(before.versions[0].content["questions"].is_array());
        {
            let mut world = it.world.write().unwrap();
            let form = world.leads.form_mut(&id).unwrap();
            let mut fields = (*form.fields).clone();
            fields["questions"][0]["label"] = json!("Who are you?");
            form.fields = fields.into();
        }
        it.advance(3600);
        sweep(&it.test.app).await;
        let after = forms::get(&it.test.app, &it.account, &id).await.unwrap();
        assert_eq!(after.versions.len(), 2);
        assert_eq!(after.form.version_id.as_ref(), Some(&after.versions[0].id));
        assert_eq!(after.versions[1], before.versions[0]);
        it.advance(3600);
        sweep(&it.test.app).await;
        assert_eq!(forms::get(&it.test.app, &it.account, &id).await.unwrap().versions.len(), 2);
    });
}

#[test]
fn sweeps_pause_while_the_connection_is_broken_and_resume_with_a_new_token() {
    on_each_connected(&[], async |it| {
        watch(&it.test.app).await;
        sweep(&it.test.app).await;
        it.switch_on("dead_tokens=460");
        it.advance(3600);
        sweep(&it.test.app).await;
        let broken = connections::get(&it.test.app, &it.account, &it.connection).await.unwrap();
        assert!(!broken.state.is_usable(), "{broken:?}");
        let lead = it.submit(0);
        let calls = it.calls();
        it.advance(DAY);
        sweep(&it.test.app).await;
        assert_eq!(it.calls(), calls);
        it.switch_off("dead_tokens");
        it.connect_again().await;
        sweep(&it.test.app).await;
        assert!(it.held().await.contains(&lead));
        assert_eq!(it.first().await.sweep.trouble, None);
    });
}

#[test]
fn what_meta_refuses_is_told_and_its_cause_is_looked_for() {
    on_each_connected(&[], async |it| {
        watch(&it.test.app).await;
        sweep(&it.test.app).await;
        it.switch_on("leads_access_manager");
        let lead = it.submit(0);
        it.advance(3600);
        sweep(&it.test.app).await;
        let trouble = it.first().await.sweep.trouble.unwrap();
        assert_eq!((trouble.failures, trouble.since), (1, it.now()));
        watch(&it.test.app).await;
        let found = adjoin::service::subscriptions::list(&it.test.app, &it.account, None, 100).await.unwrap();
        assert!(serde_json::to_string(&found.items).unwrap().contains("lead_access_refused"));
        let told = it.first().await.sweep.trouble.unwrap();
        assert!(told.message.contains("Lead Access Manager") && told.since == trouble.since, "{told:?}");
        it.switch_off("leads_access_manager");
        it.advance(3600);
        sweep(&it.test.app).await;
        assert!(it.held().await.contains(&lead));
    });
}

#[test]
fn the_interval_follows_the_leads() {
    on_each_connected(&[], async |it| {
        sweep(&it.test.app).await;
        let mut every = Vec::new();
        for busy in [true, true, true, false, false] {
            let next = it.first().await.sweep.next_at;
            it.advance((next.unix() - it.now().unix()).max(1));
            if busy {
                it.submit(0);
            }
            sweep(&it.test.app).await;
            every.push(it.first().await.sweep.every_seconds);
        }
        assert!(every[0] > every[1] && every[1] > every[2], "{every:?}");
        assert!(every[2] < every[3] && every[3] < every[4], "{every:?}");
    });
}

#[test]
fn forms_are_listed_for_the_partner_with_totals_and_swept_when_asked() {
    on_each_connected(&[], async |it| {
        sweep(&it.test.app).await;
        let lead = it.submit(0);
        let backend = Backend::new(&it.test, Some(it.account.clone())).await;
        let path = format!("/v1/accounts/{}/forms", it.account);
        let (status, asked) = backend.send(Method::POST, &format!("{path}/sweep"), &json!({})).await;
        assert_eq!(status, StatusCode::ACCEPTED);
        sweep(&it.test.app).await;
        assert!(it.held().await.contains(&lead));
        let (_, listed) = backend.send(Method::GET, &format!("{path}?limit=100"), &Value::Null).await;
        assert_eq!(asked["forms"], listed["totals"]["forms"]);
        assert_eq!(
            (&listed["totals"]["at_meta"], &listed["totals"]["missing"]),
            (&json!(1), &json!(0)),
            "{listed}"
        );
        let (_, one) = backend.send(Method::GET, &format!("{path}/{}", it.facts.form_id), &Value::Null).await;
        assert_eq!(
            (&one["completeness"]["at_meta"], &one["completeness"]["held"]),
            (&json!(1), &json!(1)),
            "{one}"
        );
        for wrong in [format!("{path}?page_id=x"), format!("{path}?after=x%20y")] {
            let (status, _) = backend.send(Method::GET, &wrong, &Value::Null).await;
            assert_eq!(status, StatusCode::UNPROCESSABLE_ENTITY, "{wrong}");
        }
        // Another account does not see them.
        let new = adjoin::service::accounts::NewAccount { name: "Other".to_owned(), external_id: None };
        let other = adjoin::service::accounts::create(&it.test.app, &Actor::System, new).await.unwrap().id;
        assert!(forms::get(&it.test.app, &other, &it.facts.form_id).await.is_err());
    });
}

#[test]
fn leads_are_swept_without_the_fields_about_ads_when_meta_refuses_them() {
    on_each_connected(&[], async |it| {
        let meta = Refusing::before(it).await;
        meta.refuse("adset_name", 200);
        let leads = [it.submit(0), it.submit(60)];
        sweep(&meta.app).await;
        let held = it.held().await;
        assert!(leads.iter().all(|lead| held.contains(lead)), "{held:?}");
        assert_eq!(it.first().await.sweep.trouble, None);
    });
}

#[test]
fn a_field_that_meta_took_away_keeps_no_form_from_being_swept() {
    on_each_connected(&[], async |it| {
        let meta = Refusing::before(it).await;
        meta.refuse("home_listing", 100);
        let lead = it.submit(0);
        sweep(&meta.app).await;
        assert!(it.held().await.contains(&lead));
        assert_eq!(it.first().await.sweep.trouble, None);
    });
}

#[test]
fn a_lead_that_was_read_before_its_form_gets_the_forms_version() {
    on_each_connected(&[], async |it| {
        let meta = Refusing::before(it).await;
        meta.refuse("questions", 100);
        let lead = it.sight(&it.submit(0)).await;
        crate::leads::hydrate(&meta.app).await;
        let content = async || leads::render(&meta.app, &it.account, &lead).await.unwrap().unwrap();
        let alone = content().await;
        assert!(alone.form_version_id.is_none() && alone.answers.iter().all(|it| it.label.is_none()));
        // Meta shows its questions later.
        let app = &it.test.app;
        sweep(app).await;
        let whole = content().await;
        assert!(
            whole.form_version_id.is_some() && whole.answers.iter().all(|it| it.label.is_some()),
            "{whole:?}"
        );
    });
}

#[test]
fn a_cursor_that_has_gone_stale_begins_the_pass_anew() {
    on_each_connected(&[], async |it| {
        sweep(&it.test.app).await;
        let sent: Vec<String> = (0..2150).map(|index| it.submit(index)).collect();
        it.advance(3600);
        // One turn is twenty pages.
        assert!(forms::step(&it.test.app).await.unwrap());
        assert_eq!(it.held().await.len(), 2000);
        assert_eq!(it.first().await.sweep.under_way, Some(PassKind::Regular));
        let meta = Refusing::before(it).await;
        meta.refuse_times("after=", 100, 1);
        sweep(&meta.app).await;
        assert_eq!((it.held().await.len(), meta.left()), (sent.len(), 0));
        assert_eq!(it.first().await.sweep.trouble, None);
    });
}

#[test]
fn a_throttle_is_waited_out_without_asking() {
    on_each_connected(&[], async |it| {
        sweep(&it.test.app).await;
        it.switch_on("leads_throttled");
        let lead = it.submit(0);
        it.advance(3600);
        sweep(&it.test.app).await;
        let form = it.first().await;
        let wait = form.sweep.next_at.unix() - it.now().unix();
        assert!(wait >= 60, "{form:?}");
        assert!(form.sweep.trouble.is_some());
        it.switch_off("leads_throttled");
        let calls = it.calls();
        it.advance(wait - 1);
        sweep(&it.test.app).await;
        assert_eq!((it.calls(), it.held().await.contains(&lead)), (calls, false));
        it.advance(1);
        sweep(&it.test.app).await;
        assert!(it.held().await.contains(&lead));
        let connection = connections::get(&it.test.app, &it.account, &it.connection).await.unwrap();
        assert!(connection.state.is_usable());
    });
}

#[test]
fn two_processes_share_the_forms_and_read_each_once() {
    on_each_connected(&[], async |it| {
        let connection = connections::get(&it.test.app, &it.account, &it.connection).await.unwrap();
        let forms: Vec<String> = {
            let world = it.world.read().unwrap();
            let pages = connection.assets.pages.iter();
            pages.flat_map(|page| world.leads.forms_of(&page.id)).map(|form| form.id.clone()).collect()
        };
        assert!(forms.len() > 1);
        let sent = forms.len() * 30;
        for form in &forms {
            for ago in 0..30 {
                it.submit_to(form, ago);
            }
        }
        let other = process(it, &it.facts.graph_url, None);
        tokio::join!(sweep(&it.test.app), sweep(&other));
        assert_eq!(it.held().await.len(), sent);
        let twice: Vec<Text> = sql("SELECT lead_id AS text FROM lead_sightings WHERE times > 1")
            .all(&it.test.app.db)
            .await
            .unwrap();
        assert!(twice.is_empty(), "{}", twice.len());
    });
}

#[test]
fn a_sweep_sorting_and_hydration_of_the_same_leads_do_not_block_each_other() {
    on_each_connected(&[], async |it| {
        sweep(&it.test.app).await;
        let (known, mut new): (Vec<String>, Vec<String>) =
            (0..300).map(|index| (it.submit(index), it.submit(index))).unzip();
        new.sort();
        let at = it.now();
        let sighting = |id: &String, detail: Option<Value>| Sighting {
            account_id: it.account.clone(),
            meta_lead_id: id.clone(),
            page_id: it.facts.page_id.clone(),
            form_id: it.facts.form_id.clone(),
            ad_id: None,
            submitted_at: Some(at),
            source: Source::Webhook,
            at,
            detail,
        };
        let app = &it.test.app;
        let sight = async |id: &String, detail: Option<Value>| {
            let mut tx = app.db.begin().await.unwrap();
            leads::sight(app, &mut tx, sighting(id, detail)).await.unwrap();
            tx.commit().await.unwrap();
        };
        for id in &known {
            sight(id, None).await;
        }
        it.advance(3600);
        let hydrate = async {
            for id in known.iter().rev() {
                sight(id, Some(json!({ "id": id, "field_data": [] }))).await;
            }
        };
        // A batch of webhooks: leads in one order, then what else happened.
        let sort = async {
            for ids in new.chunks(15) {
                let mut tx = app.db.begin().await.unwrap();
                for id in ids {
                    leads::sight(app, &mut tx, sighting(id, None)).await.unwrap();
                }
                let issue = NewEvent::new(Some(it.account.clone()), Kind::AdIssue, "1", json!({}));
                events::record(&mut tx, issue, at).await.unwrap();
                tx.commit().await.unwrap();
            }
        };
        tokio::join!(sweep(app), hydrate, sort);
        assert_eq!(it.held().await.len(), 600);
        assert_eq!(it.events("lead.created").await.len(), 600);
        assert_eq!(it.first().await.sweep.trouble, None);
    });
}

//! The console's pages of leads, forms, endpoints and deliveries over HTTP, as a browser without scripts sees them.

use adjoin::{
    id::LeadId,
    service::{
        Who, deliveries,
        leads::{self, Cause, Sighting, Source, State, charts},
    },
    store::{Json, leads as table, sql},
};
use adjoin_sandbox::world::{
    Submission,
    leads::{Answer, Platform},
};
use reqwest::StatusCode;

use crate::{
    console::{Browser, page, target},
    forms::sweep,
    subscriptions::watch,
    support::{Connected, on_each_app, on_each_connected},
};

/// A person sends the first form in, with these answers, and no webhook comes.
fn submit(it: &Connected, ago: i64, email: &str) -> String {
    let mut world = it.world.write().unwrap();
    let created = Some(world.clock.unix() - ago);
    let submission = Submission {
        form: it.facts.form_id.clone(),
        answers: vec![Answer { name: "email".to_owned(), values: vec![email.to_owned()] }],
        consents: Vec::new(),
        ad: None,
        platform: Platform::Facebook,
        created,
        test: false,
        silent: true,
    };
    world.submit(submission).to_string()
}

/// A lead that Meta named and that nobody has read.
async fn seen(it: &Connected, meta_lead_id: &str) -> LeadId {
    let sighting = Sighting {
        account_id: it.account.clone(),
        meta_lead_id: meta_lead_id.to_owned(),
        page_id: it.facts.page_id.clone(),
        form_id: it.facts.form_id.clone(),
        ad_id: None,
        submitted_at: Some(it.test.clock.now()),
        source: Source::Webhook,
        at: it.test.clock.now(),
        detail: None,
    };
    let mut tx = it.test.app.db.begin().await.unwrap();
    let sighted = leads::sight(&it.test.app, &mut tx, sighting).await.unwrap();
    tx.commit().await.unwrap();
    sighted.lead_id
}

async fn park(it: &Connected, id: &LeadId) {
    let mut tx = it.test.app.db.begin().await.unwrap();
    let mut lead = table::by_id(&mut tx, &it.account, id).await.unwrap().unwrap();
    lead.state = Json(State::Parked {
        cause: Cause::Access,
        message: "Meta does not let the app read it <b>".to_owned(),
        who: Who::Account,
        next_step: "let an admin assign the app as a CRM".to_owned(),
        code: Some(100),
        subcode: Some(33),
        since: it.test.clock.now(),
    });
    lead.due_at = Some(it.test.clock.now().plus_seconds(3600));
    table::put(&mut tx, &lead).await.unwrap();
    tx.commit().await.unwrap();
}

#[test]
fn a_lead_is_listed_without_the_person_opened_with_the_answers_and_erased() {
    on_each_connected(&[], async |it| {
        let mut browser = Browser::signed_in(&it.test).await;
        let at = format!("/accounts/{}", it.account);
        let meta_id = submit(it, 90, "jane@example.com");
        sweep(&it.test.app).await;

        for path in
            ["/leads".to_owned(), format!("{at}/leads"), format!("{at}/leads?form={}", it.facts.form_id)]
        {
            let html = page(browser.get(&path).await).await;
            assert!(html.contains(&meta_id) && html.contains("Backfill"), "{path}");
            assert!(!html.contains("jane@example.com"), "{path} shows the person");
        }
        let html = page(browser.get("/leads?state=delivered").await).await;
        assert!(html.contains("No lead matches"));

        let html = page(browser.get("/leads").await).await;
        let lead = html.split(&format!("href=\"{at}/leads/")).nth(1).unwrap().split('"').next().unwrap();
        let lead = format!("{at}/leads/{lead}");
        let html = page(browser.get(&lead).await).await;
        for words in ["jane@example.com", "A backfill found it", "It was read from Meta", "lead.created"] {
            assert!(html.contains(words), "{words}");
        }

        let (other, _) = it.connect_another("Other").await;
        let elsewhere = lead.replace(it.account.as_str(), other.as_str());
        for path in [elsewhere.clone(), format!("{elsewhere}/erase"), format!("{at}/leads/lead_nobody")] {
            assert_eq!(browser.get(&path).await.status(), StatusCode::NOT_FOUND, "{path}");
        }
        assert_eq!(browser.post(&format!("{elsewhere}/erase"), &[]).await.status(), StatusCode::NOT_FOUND);

        assert!(page(browser.get(&format!("{lead}/erase")).await).await.contains("Erase this lead?"));
        let answer = browser.post(&format!("{lead}/erase"), &[]).await;
        assert_eq!(target(&answer), format!("{lead}?done=lead-erased"));
        let html = page(browser.get(&lead).await).await;
        assert!(html.contains("was erased") && !html.contains("jane@example.com"));
    });
}

#[test]
fn a_parked_lead_says_why_and_is_tried_by_a_press() {
    on_each_connected(&[], async |it| {
        let mut browser = Browser::signed_in(&it.test).await;
        let at = format!("/accounts/{}/leads", it.account);
        let id = seen(it, "123456789012345").await;
        park(it, &id).await;
        for path in ["/leads", "/leads?state=parked", "/leads?state=parked_access", &at] {
            let html = page(browser.get(path).await).await;
            for words in ["Parked: no access to it", "let an admin assign the app as a CRM", "The account:"] {
                assert!(html.contains(words), "{path}: {words}");
            }
            assert!(!html.contains("<b>"), "{path} does not escape");
        }
        assert!(!page(browser.get("/leads?state=parked_token").await).await.contains("123456789012345"));
        let html = page(browser.get(&format!("/accounts/{}", it.account)).await).await;
        assert!(html.contains("1 lead is not read from Meta yet."));
        let html = page(browser.get(&format!("{at}/{id}")).await).await;
        assert!(html.contains("Try now") && html.contains("subcode 33"));

        for (path, done) in [
            (format!("{at}/{id}/retry"), format!("{at}/{id}?done=lead-retried")),
            (format!("{at}/retry"), format!("{at}?done=leads-retried")),
            ("/leads/retry".to_owned(), "/leads?done=leads-retried".to_owned()),
        ] {
            park(it, &id).await;
            assert_eq!(target(&browser.post(&path, &[]).await), done);
            let lead = leads::get(&it.test.app, &it.account, &id).await.unwrap();
            assert_eq!(lead.next_try_at, Some(it.test.clock.now()), "{path}");
            // Somebody reloads the address of a button.
            assert_eq!(browser.get(&path).await.status(), StatusCode::SEE_OTHER, "{path}");
        }
        assert!(page(browser.get("/").await).await.contains("Parked: they cannot be read from Meta"));
    });
}

#[test]
fn forms_tell_what_is_missing_and_are_swept_and_backfilled_by_a_press() {
    on_each_connected(&[], async |it| {
        let mut browser = Browser::signed_in(&it.test).await;
        let at = format!("/accounts/{}", it.account);
        submit(it, 90, "jane@example.com");
        let html = page(browser.get(&format!("{at}/forms")).await).await;
        assert!(html.contains("No form is known yet"));
        sweep(&it.test.app).await;
        watch(&it.test.app).await;
        let html = page(browser.get(&format!("{at}/forms")).await).await;
        assert!(html.contains("None missing") && html.contains("Webhooks come"), "{html}");

        let form = format!("{at}/forms/{}", it.facts.form_id);
        assert!(page(browser.get(&form).await).await.contains("Watermark"));
        for days in ["0", "91", "many"] {
            let answer = browser.post(&format!("{form}/backfill"), &[("days", days)]).await;
            assert_eq!(answer.status(), StatusCode::UNPROCESSABLE_ENTITY, "{days}");
            assert!(page(answer).await.contains(&format!("value=\"{days}\"")));
        }
        let answer = browser.post(&format!("{form}/backfill"), &[("days", "30")]).await;
        assert_eq!(target(&answer), format!("{form}?done=backfill-asked"));
        let answer = browser.post(&format!("{at}/forms/sweep"), &[]).await;
        assert_eq!(target(&answer), format!("{at}/forms?done=sweep-asked"));
        let answer = browser.post(&format!("{at}/subscriptions/check"), &[]).await;
        assert_eq!(target(&answer), format!("{at}/forms?done=check-asked"));
        assert_eq!(browser.get(&format!("{at}/forms/1")).await.status(), StatusCode::NOT_FOUND);

        let html = page(browser.get("/connectors/facebook-marketing/webhooks").await).await;
        assert!(html.contains("/webhooks/facebook") && html.contains("leadgen"), "{html}");
    });
}

#[test]
fn an_endpoint_is_made_tried_changed_and_deleted() {
    on_each_app(async |test| {
        let mut browser = Browser::signed_in(test).await;
        let refused = [
            [("url", "http://10.0.0.1/"), ("description", ""), ("account", "")],
            [("url", "https://crm.example/hook"), ("description", ""), ("account", "acc_nobody")],
        ];
        for form in refused {
            let answer = browser.post("/endpoints/new", &form).await;
            assert_eq!(answer.status(), StatusCode::UNPROCESSABLE_ENTITY, "{form:?}");
            assert!(page(answer).await.contains(form[0].1), "what was typed is lost");
        }
        let form = [("url", "https://crm.example/hook"), ("description", "CRM <b>"), ("types", "lead.*")];
        let html = page(browser.post("/endpoints/new", &form).await).await;
        let secret = html.split("whsec_").nth(1).unwrap().split('<').next().unwrap().to_owned();
        let id = html.split("action=\"/endpoints/").nth(1).unwrap().split('/').next().unwrap();
        let at = format!("/endpoints/{id}");
        let html = page(browser.get(&at).await).await;
        assert!(!html.contains(&secret) && !html.contains("<b>") && html.contains("lead.*"));
        assert!(page(browser.get("/endpoints").await).await.contains(&at));

        // Rotated, the new one is shown once, too.
        let html = page(browser.post(&format!("{at}/secret"), &[]).await).await;
        let rotated = html.split("whsec_").nth(1).unwrap().split('<').next().unwrap().to_owned();
        assert_ne!(rotated, secret);

        let answer = browser.post(&format!("{at}/test"), &[]).await;
        let delivery = target(&answer).split('?').next().unwrap().to_owned();
        assert!(delivery.starts_with("/deliveries/"));
        assert!(page(browser.get(&delivery).await).await.contains("endpoint.test"));
        assert_eq!(
            target(&browser.post(&format!("{delivery}/replay"), &[]).await),
            format!("{delivery}?done=replayed")
        );
        assert!(page(browser.get(&format!("{at}?status=pending")).await).await.contains(&delivery));
        // What is due anyway is not counted.
        assert!(
            page(browser.post(&format!("{at}/recover"), &[]).await)
                .await
                .contains("0 waiting deliveries are tried now")
        );

        let window = |from, until| [("from", from), ("until", until), ("only", "all")];
        let answer = browser.post(&format!("{at}/replay"), &window("yesterday", "2026-11-25T00:00")).await;
        assert_eq!(answer.status(), StatusCode::UNPROCESSABLE_ENTITY);
        let answer =
            browser.post(&format!("{at}/replay"), &window("2026-11-24T00:00", "2026-11-25T00:00")).await;
        assert!(
            page(answer).await.contains("0 deliveries are sent again"),
            "a test is not an event to replay"
        );

        browser.post(&format!("{at}/disable"), &[]).await;
        let answer = browser.post(&format!("{at}/test"), &[]).await;
        assert_eq!(
            answer.status(),
            StatusCode::UNPROCESSABLE_ENTITY,
            "nothing is sent to one that is disabled"
        );
        browser.post(&format!("{at}/enable"), &[]).await;
        let form = [("url", "https://crm.example/other"), ("description", "")];
        assert_eq!(
            target(&browser.post(&format!("{at}/edit"), &form).await),
            format!("{at}?done=endpoint-changed")
        );
        let id = id.parse().unwrap();
        let endpoint =
            deliveries::get(&test.app, &adjoin::service::api_keys::Reach::AllAccounts, &id).await.unwrap();
        assert_eq!((endpoint.url.as_str(), endpoint.types.len()), ("https://crm.example/other", 0));

        assert!(page(browser.get(&format!("{at}/delete")).await).await.contains("Delete this endpoint?"));
        assert_eq!(
            target(&browser.post(&format!("{at}/delete"), &[]).await),
            "/endpoints?done=endpoint-deleted"
        );
        for path in [&at, &delivery] {
            assert_eq!(browser.get(path).await.status(), StatusCode::NOT_FOUND, "{path}");
        }
    });
}

#[test]
fn charts_count_leads_by_day_and_measure_those_that_could_be_fast() {
    on_each_connected(&[], async |it| {
        const DAY: i64 = 24 * 60 * 60;
        for ago in [40 * DAY, 2 * DAY, 2 * DAY, 60] {
            submit(it, ago, "jane@example.com");
        }
        sweep(&it.test.app).await;
        it.advance(DAY);
        for ago in [60, 120, 180] {
            submit(it, ago, "jane@example.com");
        }
        it.advance(DAY);
        sweep(&it.test.app).await;
        let mut tx = it.test.app.db.begin().await.unwrap();
        sql("UPDATE leads SET delivered_at = submitted_at + 1540").execute(&mut tx).await.unwrap();
        tx.commit().await.unwrap();

        let days = charts::charts(&it.test.app, Some(&it.account)).await.unwrap();
        assert_eq!(days.len(), charts::DAYS);
        let counts: Vec<i64> = days[days.len() - 5..].iter().map(|day| day.leads).collect();
        assert_eq!(counts, [2, 0, 1, 3, 0]);
        assert_eq!(days.iter().map(|day| day.leads).sum::<i64>(), 6, "one was sent before the charts begin");
        let yesterday = days[days.len() - 2];
        assert_eq!((yesterday.measured, yesterday.p50, yesterday.p99), (3, Some(1500), Some(1500)));
        assert_eq!(days[days.len() - 5].measured, 0, "what was there before us could not be fast");
        let all = charts::charts(&it.test.app, None).await.unwrap();
        assert_eq!(all, days);

        let mut browser = Browser::signed_in(&it.test).await;
        for path in ["/", "/leads"] {
            let html = page(browser.get(path).await).await;
            assert!(html.contains("6 leads in 30 days"), "{path}");
            assert!(!html.contains(" style="), "{path}");
        }
    });
}

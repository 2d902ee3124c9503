//! Subscriptions to webhooks, made and mended at the sandbox.

use adjoin::{
    audit::Actor,
    service::{
        App, accounts, connections,
        subscriptions::{self, Subscription},
        webhooks,
    },
    store::sql,
};
use adjoin_sandbox::world::{
    Submission, identity::PermissionState, leads::Platform, webhooks::AppSubscription,
};
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

use crate::{
    api::Backend,
    support::{Connected, Refusing, on_each_connected, process},
};

/// Does all that is due.
pub async fn watch(app: &App) {
    while subscriptions::step(app).await.unwrap() {}
}

impl Connected {
    /// Somebody else's service takes the app's webhooks of Pages.
    fn subscribe_another_callback(&self) -> AppSubscription {
        let other = AppSubscription {
            callback_url: "https://crm.example.com/hooks".to_owned(),
            fields: vec!["feed".to_owned()],
            include_values: true,
            version: "v26.0".to_owned(),
        };
        self.world.write().unwrap().webhooks.subscribe_app(&self.facts.app_id, "page", other.clone());
        other
    }

    async fn subscriptions(&self) -> Vec<Value> {
        let page = subscriptions::list(&self.test.app, &self.account, None, 100).await.unwrap();
        page.items.iter().map(|it: &Subscription| serde_json::to_value(it).unwrap()).collect()
    }

    /// The first Page's, as the API shows it.
    async fn of_page(&self) -> Value {
        let all = self.subscriptions().await;
        all.into_iter().find(|it| it["object_id"] == self.facts.page_id.as_str()).unwrap()
    }

    /// The fields of our app on the first Page, at Meta.
    fn fields_at_meta(&self) -> Option<Vec<String>> {
        let world = self.world.read().unwrap();
        world.webhooks.page_fields(&self.facts.page_id, &self.facts.app_id).map(<[String]>::to_vec)
    }

    fn others_subscribe(&self, fields: &[&str]) {
        let fields = fields.iter().map(|&field| field.to_owned()).collect();
        let mut world = self.world.write().unwrap();
        world.webhooks.subscribe_page(&self.facts.page_id, &self.facts.app_id, fields);
    }

    fn ad_account_at_meta(&self) -> bool {
        let number = self.facts.ad_account_id.trim_start_matches("act_").parse().unwrap();
        self.world.read().unwrap().webhooks.account_is_watched(number)
    }

    /// Types and data of the events so far, in their order, of this type's family.
    pub async fn events(&self, family: &str) -> Vec<(String, String)> {
        let rows: Vec<EventRow> =
            sql("SELECT type AS kind, subject, data FROM events WHERE account_id = $1 ORDER BY seq")
                .bind(&self.account)
                .all(&self.test.app.db)
                .await
                .unwrap();
        rows.into_iter().filter(|row| row.kind.starts_with(family)).map(|row| (row.kind, row.data)).collect()
    }
}

#[derive(Debug)]
struct EventRow {
    kind: String,
    data: String,
}

impl adjoin::store::FromRow for EventRow {
    fn from_row(row: &adjoin::store::Row) -> adjoin::store::Result<Self> {
        Ok(Self { kind: row.get("kind")?, data: row.get("data")? })
    }
}

fn sorted(mut fields: Vec<String>) -> Vec<String> {
    fields.sort();
    fields
}

#[test]
fn pages_and_ad_accounts_are_subscribed_and_only_what_is_ours_is_taken_back() {
    on_each_connected(&[], async |it| {
        it.others_subscribe(&["messages", "feed"]);
        watch(&it.test.app).await;
        let fields = sorted(it.fields_at_meta().unwrap());
        assert_eq!(fields, ["feed", "leadgen", "leadgen_update", "messages"]);
        assert!(it.ad_account_at_meta());
        let all = it.subscriptions().await;
        assert!(all.len() >= 2 && all.iter().all(|it| it["state"] == "active"), "{all:?}");
        // Seen again: nothing changes.
        it.advance(3600);
        watch(&it.test.app).await;
        assert_eq!(it.subscriptions().await[0]["since"], all[0]["since"]);

        connections::disconnect(&it.test.app, &Actor::System, &it.account, &it.connection).await.unwrap();
        assert_eq!(it.fields_at_meta().unwrap(), ["messages", "feed"]);
        assert!(!it.ad_account_at_meta());
        assert_eq!(it.subscriptions().await, Vec::<Value>::new());
    });
}

#[test]
fn where_meta_merges_fields_those_of_others_are_kept_as_well() {
    on_each_connected(&["subscribed_apps_merge"], async |it| {
        it.others_subscribe(&["messages"]);
        watch(&it.test.app).await;
        assert_eq!(sorted(it.fields_at_meta().unwrap()), ["leadgen", "leadgen_update", "messages"]);
        connections::disconnect(&it.test.app, &Actor::System, &it.account, &it.connection).await.unwrap();
        assert!(it.fields_at_meta().unwrap().contains(&"messages".to_owned()));
    });
}

#[test]
fn a_page_of_two_accounts_stays_subscribed_until_the_last_one_leaves() {
    on_each_connected(&[], async |it| {
        let (other, other_connection) = it.connect_another("Bakery").await;
        watch(&it.test.app).await;
        connections::disconnect(&it.test.app, &Actor::System, &it.account, &it.connection).await.unwrap();
        assert!(it.fields_at_meta().is_some() && it.ad_account_at_meta());
        let left = subscriptions::list(&it.test.app, &other, None, 100).await.unwrap().items;
        assert!(!left.is_empty() && left.iter().all(|it| it.connection_id == other_connection));
        accounts::delete(&it.test.app, &Actor::System, &other).await.unwrap();
        assert!(it.fields_at_meta().is_none() && !it.ad_account_at_meta());
    });
}

#[test]
fn a_disconnect_does_not_wait_for_a_meta_that_is_away() {
    on_each_connected(&[], async |it| {
        watch(&it.test.app).await;
        it.stop_sandbox().await;
        let done = connections::disconnect(&it.test.app, &Actor::System, &it.account, &it.connection).await;
        assert!(matches!(done.unwrap().connection.state, connections::State::Disconnected));
        assert_eq!(it.subscriptions().await, Vec::<Value>::new());
    });
}

#[test]
fn every_obstacle_is_named_and_ends_when_it_is_mended() {
    on_each_connected(&[], async |it| {
        watch(&it.test.app).await;
        for (scenario, cause, who, word) in [
            ("leads_access_manager", "lead_access_refused", "account", "Lead Access Manager"),
            ("lead_terms_not_accepted", "terms_not_accepted", "account", "terms"),
            ("task_missing=ADVERTISE", "task_missing", "account", "ADVERTISE"),
            ("leads_permission_missing", "permission_missing", "account", "leads_retrieval"),
            ("app_in_development", "development_mode", "partner", "development mode"),
        ] {
            it.switch_on(scenario);
            it.advance(3600);
            watch(&it.test.app).await;
            let page = it.of_page().await;
            assert_eq!(
                (&page["state"], &page["fault"]["cause"]),
                (&json!("faulty"), &json!(cause)),
                "{page}"
            );
            assert_eq!(page["fault"]["who"], who, "{page}");
            assert!(page["fault"].to_string().contains(word), "{page}");
            assert!(page["fault"]["next_step"].as_str().unwrap().len() > 20, "{page}");
            // The same again is not told again.
            it.advance(900);
            watch(&it.test.app).await;
            it.switch_off(scenario.split('=').next().unwrap());
            it.advance(900);
            watch(&it.test.app).await;
            assert_eq!(it.of_page().await["state"], "active");
        }
        let events = it.events("subscription.").await;
        let of_page = events.iter().filter(|(_, data)| data.contains(&it.facts.page_id));
        let kinds: Vec<&str> = of_page.map(|(kind, _)| kind.as_str()).collect();
        assert_eq!(kinds, ["subscription.faulty", "subscription.restored"].repeat(5));
    });
}

#[test]
fn a_page_that_may_not_be_subscribed_says_which_task_is_missing() {
    on_each_connected(&["task_missing=MANAGE,MODERATE,CREATE_CONTENT"], async |it| {
        watch(&it.test.app).await;
        let page = it.of_page().await;
        assert_eq!(page["fault"]["cause"], "task_missing", "{page}");
        assert_eq!(page["fault"]["any_of"], json!(["CREATE_CONTENT", "MANAGE", "MODERATE"]));
        assert_eq!(it.fields_at_meta(), None);
        it.switch_off("task_missing");
        let backend = Backend::new(&it.test, Some(it.account.clone())).await;
        let path = format!("/v1/accounts/{}/subscriptions", it.account);
        let (status, asked) = backend.send(Method::POST, &format!("{path}/check"), &json!({})).await;
        assert_eq!(status, StatusCode::ACCEPTED, "{asked}");
        watch(&it.test.app).await;
        let (_, listed) = backend.send(Method::GET, &path, &json!(null)).await;
        assert_eq!(asked["subscriptions"], listed["data"].as_array().unwrap().len());
        assert!(listed["data"].as_array().unwrap().iter().all(|it| it["state"] == "active"), "{listed}");
        let (_, first) = backend.send(Method::GET, &format!("{path}?limit=1"), &json!(null)).await;
        let next = first["next"].as_str().unwrap();
        let (_, second) =
            backend.send(Method::GET, &format!("{path}?limit=1&after={next}"), &json!(null)).await;
        assert_eq!(second["data"][0], listed["data"][1]);
    });
}

#[test]
fn a_dead_token_is_told_by_the_connection_once_and_a_new_consent_restores_it() {
    on_each_connected(&[], async |it| {
        watch(&it.test.app).await;
        it.switch_on("dead_tokens=460");
        it.advance(3600);
        watch(&it.test.app).await;
        let page = it.of_page().await;
        assert_eq!(page["fault"]["cause"], "token_dead", "{page}");
        it.switch_off("dead_tokens");
        it.connect_again().await;
        watch(&it.test.app).await;
        assert_eq!(it.of_page().await["state"], "active");
        assert_eq!(it.events("subscription.").await, []);
        connections::disconnect(&it.test.app, &Actor::System, &it.account, &it.connection).await.unwrap();
        let told = it.events("connection.").await;
        let kinds: Vec<&str> = told.iter().map(|(kind, _)| kind.trim_start_matches("connection.")).collect();
        assert_eq!(kinds, ["connected", "broken", "connected", "revoked"]);
        assert!(told[1].1.contains("next_step"), "{told:?}");
    });
}

#[test]
fn connections_made_before_are_taken_over_at_the_start() {
    on_each_connected(&[], async |it| {
        let mut tx = it.test.app.db.begin().await.unwrap();
        sql("DELETE FROM subscriptions").execute(&mut tx).await.unwrap();
        sql("UPDATE connections SET adopted_at = NULL").execute(&mut tx).await.unwrap();
        tx.commit().await.unwrap();
        watch(&it.test.app).await;
        assert_eq!(it.of_page().await["state"], "active");
        assert!(it.fields_at_meta().is_some());
    });
}

#[test]
fn what_is_no_longer_shared_is_unsubscribed_and_forgotten() {
    on_each_connected(&[], async |it| {
        watch(&it.test.app).await;
        let before = it.subscriptions().await.len();
        let mut tx = it.test.app.db.begin().await.unwrap();
        let row = adjoin::store::connections::by_id_for_update(&mut tx, &it.account, &it.connection).await;
        let mut row = row.unwrap().unwrap();
        row.assets.0.pages.retain(|page| page.id != it.facts.page_id);
        // A list that was not read whole takes nothing away.
        row.assets.0.truncated = true;
        subscriptions::adopt(&it.test.app, &mut tx, &row, it.test.clock.now()).await.unwrap();
        tx.commit().await.unwrap();
        watch(&it.test.app).await;
        assert_eq!(it.subscriptions().await.len(), before);
        let mut tx = it.test.app.db.begin().await.unwrap();
        row.assets.0.truncated = false;
        subscriptions::adopt(&it.test.app, &mut tx, &row, it.test.clock.now()).await.unwrap();
        tx.commit().await.unwrap();
        watch(&it.test.app).await;
        assert_eq!((it.subscriptions().await.len(), it.fields_at_meta()), (before - 1, None));
    });
}

#[test]
fn another_callback_is_left_alone_until_it_is_taken_over() {
    on_each_connected(&[], async |it| {
        let other = it.subscribe_another_callback();
        watch(&it.test.app).await;
        let backend = Backend::new(&it.test, None).await;
        let get =
            async || backend.send(Method::GET, "/v1/app-subscriptions", &json!(null)).await.1["data"].clone();
        let listed = get().await;
        let page = listed.as_array().unwrap().iter().find(|it| it["object"] == "page").unwrap();
        assert_eq!(page["fault"]["cause"], "other_callback", "{page}");
        assert_eq!(page["fault"]["callback_url"], other.callback_url);
        let ad_account = listed.as_array().unwrap().iter().find(|it| it["object"] == "ad_account").unwrap();
        assert_eq!(ad_account["state"], "active", "{ad_account}");
        // Looked at again, it is the same trouble.
        it.advance(3600);
        watch(&it.test.app).await;

        let path = "/v1/app-subscriptions/page/take-over";
        let (status, taken) = backend.send(Method::POST, path, &json!({})).await;
        assert_eq!((status, &taken["state"]), (StatusCode::OK, &json!("active")), "{taken}");
        assert_eq!(taken["fields"], json!(["feed", "leadgen", "leadgen_update"]));
        let at_meta = {
            let world = it.world.read().unwrap();
            world.webhooks.app_subscription(&it.facts.app_id, "page").unwrap().clone()
        };
        assert_eq!(at_meta.callback_url, it.test.url("/webhooks/facebook"));
        assert!(at_meta.include_values);
        // The partner was told, and no account.
        let path = "/v1/events?types=subscription.*";
        let (_, read) = backend.send(Method::GET, path, &json!(null)).await;
        let told: Vec<&Value> =
            read["data"].as_array().unwrap().iter().filter(|it| it["account_id"].is_null()).collect();
        let types: Vec<&Value> = told.iter().map(|it| &it["type"]).collect();
        assert_eq!(types, ["subscription.faulty", "subscription.restored"]);
        assert_eq!(
            (&told[0]["data"]["object"], &told[0]["data"]["object_id"]),
            (&json!("page"), &json!(null))
        );
        assert_eq!(told[0]["data"]["fault"], page["fault"]);
        let of_account = Backend::new(&it.test, Some(it.account.clone())).await;
        let (_, read) = of_account.send(Method::GET, path, &json!(null)).await;
        assert!(read["data"].as_array().unwrap().iter().all(|it| !it["account_id"].is_null()), "{read}");
        let (status, _) =
            backend.send(Method::POST, "/v1/app-subscriptions/group/take-over", &json!({})).await;
        assert_eq!(status, StatusCode::NOT_FOUND);
    });
}

#[test]
fn what_was_seen_before_a_take_over_is_not_written_after_it() {
    on_each_connected(&[], async |it| {
        it.subscribe_another_callback();
        watch(&it.test.app).await;
        // The faulty one is due, and the other is not.
        it.advance(11 * 60);
        let refusing = Refusing::before(it).await;
        let hold = refusing.hold(&format!("/{}/subscriptions", it.facts.app_id));
        let backend = Backend::new(&it.test, None).await;
        let taken = async {
            hold.asked().await;
            let path = "/v1/app-subscriptions/page/take-over";
            let (status, taken) = backend.send(Method::POST, path, &json!({})).await;
            assert_eq!((status, &taken["state"]), (StatusCode::OK, &json!("active")), "{taken}");
            hold.let_go();
        };
        tokio::join!(watch(&refusing.app), taken);
        let (_, listed) = backend.get("/v1/app-subscriptions").await;
        for row in listed["data"].as_array().unwrap() {
            assert_eq!(row["state"], "active", "{row}");
        }
    });
}

#[test]
fn an_app_subscription_that_somebody_removed_is_made_again() {
    on_each_connected(&[], async |it| {
        watch(&it.test.app).await;
        it.world.write().unwrap().webhooks.unsubscribe_app(&it.facts.app_id, Some("page"), &[]);
        it.world.write().unwrap().webhooks.unsubscribe_page(&it.facts.page_id, &it.facts.app_id);
        it.advance(3600);
        watch(&it.test.app).await;
        assert!(it.world.read().unwrap().webhooks.app_subscription(&it.facts.app_id, "page").is_some());
        assert!(it.fields_at_meta().is_some());

        // Whoever asks for a check has all of it checked.
        it.world.write().unwrap().webhooks.unsubscribe_app(&it.facts.app_id, Some("page"), &[]);
        it.advance(60);
        subscriptions::check_all(&it.test.app, &Actor::System, &it.account).await.unwrap();
        watch(&it.test.app).await;
        assert!(it.world.read().unwrap().webhooks.app_subscription(&it.facts.app_id, "page").is_some());
    });
}

#[test]
fn a_permission_that_was_lost_is_told_by_the_connection_too() {
    on_each_connected(&[], async |it| {
        watch(&it.test.app).await;
        // The person took it back in another consent, of which nobody here knows.
        for grant in it.world.write().unwrap().identity.grants.values_mut() {
            grant.permissions.insert("leads_retrieval".to_owned(), PermissionState::Declined);
        }
        it.advance(3600);
        watch(&it.test.app).await;
        assert_eq!(it.of_page().await["fault"]["permission"], "leads_retrieval");
        let connection = connections::get(&it.test.app, &it.account, &it.connection).await.unwrap();
        assert_eq!(connection.state.name(), "connected_with_gaps");
        assert!(!connection.granted.iter().any(|name| name == "leads_retrieval"), "{connection:?}");
        assert_eq!(it.events("connection.degraded").await.len(), 1);
    });
}

#[test]
fn a_permission_that_only_a_page_lacks_does_not_have_the_connection_tested_without_end() {
    on_each_connected(&[], async |it| {
        watch(&it.test.app).await;
        it.switch_on("leads_permission_missing");
        it.advance(3600);
        // The first look has the connection tested, which makes all of its rows due again.
        watch(&it.test.app).await;
        watch(&it.test.app).await;
        assert_eq!(it.of_page().await["fault"]["cause"], "permission_missing");
        let page = adjoin::store::subscriptions::staying(
            &it.test.app.db,
            &it.account,
            subscriptions::Object::Page,
            &it.facts.page_id,
        );
        assert_eq!(page.await.unwrap().unwrap().check_at, it.test.clock.now().plus_seconds(15 * 60));
    });
}

#[test]
fn webhooks_that_meta_shows_and_does_not_send_are_noticed() {
    on_each_connected(&["webhooks_off"], async |it| {
        watch(&it.test.app).await;
        it.advance(3600);
        let mut changes = Vec::new();
        for _ in 0..4 {
            let lead = it.world.write().unwrap().submit(Submission {
                form: it.facts.form_id.clone(),
                answers: Vec::new(),
                consents: Vec::new(),
                ad: None,
                platform: Platform::Facebook,
                created: None,
                test: false,
                silent: true,
            });
            changes.push(json!({ "field": "leadgen_update", "value": {
                "leadgen_id": lead.to_string(), "page_id": it.facts.page_id, "form_id": it.facts.form_id } }));
        }
        crate::forms::sweep(&it.test.app).await;
        // That Meta tells of a change of a lead is no announcement of it.
        let body =
            json!({ "object": "page", "entry": [{ "id": it.facts.page_id, "time": 1, "changes": changes }] });
        it.announce_raw(&body.to_string()).await;
        assert_eq!(it.events("lead.").await.iter().filter(|(kind, _)| kind == "lead.updated").count(), 4);
        it.advance(3600);
        crate::forms::sweep(&it.test.app).await;
        watch(&it.test.app).await;
        let page = it.of_page().await;
        assert_eq!(page["fault"]["cause"], "webhooks_silent", "{page}");
        assert_eq!((&page["fault"]["leads"], &page["fault"]["unannounced"]), (&json!(4), &json!(4)));
        assert!(page["fault"]["next_step"].as_str().unwrap().contains("/webhooks/facebook"), "{page}");
        // A day later they are of the past, and others are announced.
        it.advance(26 * 3600);
        watch(&it.test.app).await;
        let page = it.of_page().await;
        assert_eq!((&page["state"], &page["arrivals"]["leads"]), (&json!("active"), &json!(0)), "{page}");
    });
}

#[test]
fn a_person_who_removes_the_app_at_facebook_revokes() {
    on_each_connected(&[], async |it| {
        watch(&it.test.app).await;
        let person = it.world.read().unwrap().identity.current_person().unwrap().id.clone();
        let http = reqwest::Client::new();
        let url = format!("{}/apps/{}/remove", it.facts.admin_url, it.facts.app_id);
        let removed = http.post(url).json(&json!({ "user_id": person })).send().await.unwrap();
        let removed: Value = removed.json().await.unwrap();
        let form = [("signed_request", removed["signed_request"].as_str().unwrap())];
        let told = http.post(it.test.url("/connector/deauthorize")).form(&form).send().await.unwrap();
        assert_eq!(told.status(), StatusCode::OK);
        let kinds: Vec<String> = it.events("connection.").await.into_iter().map(|(kind, _)| kind).collect();
        assert_eq!(kinds, ["connection.connected", "connection.revoked"]);
        it.advance(3600);
        watch(&it.test.app).await;
        assert_eq!(it.of_page().await["fault"]["cause"], "token_dead");
        it.connect_again().await;
        watch(&it.test.app).await;
        assert_eq!(it.of_page().await["state"], "active");
    });
}

#[test]
fn fields_of_a_page_that_meta_does_not_know_break_nothing() {
    on_each_connected(&[], async |it| {
        let meta = Refusing::before(it).await;
        meta.refuse("has_lead_access", 100);
        meta.refuse("tasks", 100);
        // Nor does a webhook field.
        meta.refuse("leadgen_update", 100);
        watch(&meta.app).await;
        let page = it.of_page().await;
        assert_eq!((&page["state"], &page["fields"]), (&json!("active"), &json!(["leadgen"])), "{page}");
        // What Meta does tell still counts.
        it.switch_on("lead_terms_not_accepted");
        it.advance(3600);
        watch(&meta.app).await;
        assert_eq!(it.of_page().await["fault"]["cause"], "terms_not_accepted");
    });
}

#[test]
fn a_permission_that_was_declined_is_named() {
    on_each_connected(&["declined=pages_manage_metadata"], async |it| {
        watch(&it.test.app).await;
        let page = it.of_page().await;
        assert_eq!(page["fault"]["permission"], "pages_manage_metadata", "{page}");
    });
    on_each_connected(&["declined=leads_retrieval"], async |it| {
        watch(&it.test.app).await;
        let page = it.of_page().await;
        assert_eq!(page["fault"]["permission"], "leads_retrieval", "{page}");
    });
}

#[test]
fn a_service_that_meta_cannot_reach_says_so() {
    on_each_connected(&[], async |it| {
        watch(&it.test.app).await;
        let fault = async |app: &App| {
            let mut tx = it.test.app.db.begin().await.unwrap();
            subscriptions::recheck_app(&mut tx, it.test.clock.now()).await.unwrap();
            tx.commit().await.unwrap();
            watch(app).await;
            serde_json::to_value(&subscriptions::of_app(app).await.unwrap()[1]).unwrap()["fault"].clone()
        };
        let homeless = process(it, &it.facts.graph_url, None);
        assert_eq!(fault(&homeless).await["cause"], "no_service_domain");
        // Nothing is asked of the real Meta: that it cannot reach this machine is known before.
        for host in ["localhost:8080", "10.0.0.7", "adjoin.internal", "printer"] {
            let hidden = process(it, "https://graph.facebook.com", Some(host.to_owned()));
            let fault = fault(&hidden).await;
            assert_eq!(fault["cause"], "host_not_public", "{host}");
            assert!(fault["callback_url"].as_str().unwrap().contains(host), "{fault}");
        }
        // A Meta on this machine that gets no answer says what it got.
        let deaf = process(it, &it.facts.graph_url, Some("127.0.0.1:9".to_owned()));
        it.world.write().unwrap().webhooks.unsubscribe_app(&it.facts.app_id, None, &[]);
        assert_eq!(fault(&deaf).await["cause"], "callback_refused");
    });
}

#[test]
fn a_dead_token_of_a_page_is_made_anew_and_breaks_no_connection() {
    on_each_connected(&[], async |it| {
        watch(&it.test.app).await;
        it.switch_on("dead_page_tokens=460");
        it.advance(3600);
        watch(&it.test.app).await;
        crate::forms::sweep(&it.test.app).await;
        let connection = connections::get(&it.test.app, &it.account, &it.connection).await.unwrap();
        assert!(connection.state.is_usable(), "{connection:?}");
        assert_eq!(it.of_page().await["state"], "active");
        it.switch_off("dead_page_tokens");
        it.advance(600);
        watch(&it.test.app).await;
        assert_eq!(it.of_page().await["state"], "active");
        assert_eq!(it.of_page().await["checked_at"], json!(it.test.clock.now()));
    });
}

#[test]
fn what_meta_announced_before_a_page_was_taken_over_is_sorted_then() {
    on_each_connected(&[], async |it| {
        watch(&it.test.app).await;
        let mut tx = it.test.app.db.begin().await.unwrap();
        sql("DELETE FROM subscriptions").execute(&mut tx).await.unwrap();
        sql("UPDATE connections SET adopted_at = NULL").execute(&mut tx).await.unwrap();
        tx.commit().await.unwrap();
        it.world.write().unwrap().submit(Submission {
            form: it.facts.form_id.clone(),
            answers: Vec::new(),
            consents: Vec::new(),
            ad: None,
            platform: Platform::Facebook,
            created: None,
            test: false,
            silent: false,
        });
        let app = &it.test.app;
        let count = async |table: &'static str| {
            let rows: Vec<CountRow> = sql(table).all(&app.db).await.unwrap();
            rows[0].0
        };
        while count("SELECT COUNT(*) AS count FROM webhooks").await == 0 {
            tokio::task::yield_now().await;
        }
        while webhooks::step(app).await.unwrap() {}
        assert_eq!(count("SELECT COUNT(*) AS count FROM quarantine").await, 1);
        assert_eq!(count("SELECT COUNT(*) AS count FROM leads").await, 0);
        watch(app).await;
        while webhooks::step(app).await.unwrap() {}
        assert_eq!(count("SELECT COUNT(*) AS count FROM quarantine").await, 0);
        assert_eq!(count("SELECT COUNT(*) AS count FROM leads").await, 1);
    });
}

#[derive(Debug)]
struct CountRow(i64);

impl adjoin::store::FromRow for CountRow {
    fn from_row(row: &adjoin::store::Row) -> adjoin::store::Result<Self> {
        Ok(Self(row.get("count")?))
    }
}

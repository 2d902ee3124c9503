//! What happens to webhooks when the database fails, or the clock. What was answered 200 is there afterwards, whatever
//! happened.

use std::collections::BTreeSet;

use adjoin::{
    service::{deliveries, webhooks},
    store::{Db, FromRow, Result, Row, sql},
};
use futures_util::future::join_all;
use http::StatusCode;
use reqwest::Method;
use serde_json::json;
use sqlx::{Connection as _, PgConnection};

use crate::{
    api::Backend,
    deliveries::{Answer, Receiver},
    leads::hydrate,
    outside::Outside,
    process::adjoin,
    support::{Connected, on_each_connected, on_each_database},
    webhooks::{leadgen, post, send, signature},
};

struct Id(String);

impl FromRow for Id {
    fn from_row(row: &Row) -> Result<Self> {
        Ok(Self(row.get("meta_lead_id")?))
    }
}

/// Meta's ids of all leads.
async fn leads(db: &Db) -> BTreeSet<String> {
    let rows: Vec<Id> = sql("SELECT meta_lead_id FROM leads").all(db).await.unwrap();
    rows.into_iter().map(|row| row.0).collect()
}

/// An id that nobody else has, of a lead of the sandbox's Page.
fn id(nth: usize) -> String {
    (100_000_000_000_000_usize + nth).to_string()
}

/// Sorts everything. A pass may meet a connection that is gone.
async fn sort(world: &Connected) {
    while webhooks::step(&world.test.app).await.map_or(true, |more| more) {}
}

/// Somebody sends the form in, and its webhook is taken.
async fn submit(world: &Connected) -> String {
    let lead = world.send_in();
    let body = leadgen(&world.facts.page_id, &[lead.as_str().into()]);
    assert_eq!(post(world, &body).await, StatusCode::OK);
    lead
}

/// Sorts, reads and delivers all that is due.
async fn work(world: &Connected) {
    sort(world).await;
    // What was put off by a clock that was ahead is read when nothing else is due.
    for _ in 0..2 {
        hydrate(&world.test.app).await;
    }
    deliveries::step(&world.test.app).await.unwrap();
}

/// Makes the database refuse every write, and allows it again.
async fn read_only(world: &Connected, url: &str, on: bool) {
    let db = &world.test.app.db;
    if db.engine() == "SQLite" {
        // A connection that may only read could not be told otherwise again.
        let text = if on {
            "CREATE TRIGGER read_only BEFORE INSERT ON webhooks
             BEGIN SELECT RAISE(ABORT, 'attempt to write a readonly database'); END"
        } else {
            "DROP TRIGGER read_only"
        };
        let mut tx = db.begin().await.unwrap();
        sql(text).execute(&mut tx).await.unwrap();
        tx.commit().await.unwrap();
    } else {
        let set = if on { "on" } else { "off" };
        at_server(url, &format!("ALTER DATABASE \"{{name}}\" SET default_transaction_read_only = {set}"))
            .await;
        end_connections(url).await;
    }
}

/// Runs a statement beside the database; `{name}` is the database's.
async fn at_server(url: &str, statement: &str) {
    let mut server: url::Url = url.parse().unwrap();
    let name = server.path().trim_start_matches('/').to_owned();
    server.set_path("postgres");
    let mut connection = PgConnection::connect(server.as_str()).await.unwrap();
    let statement = statement.replace("{name}", &name);
    sqlx::query(sqlx::AssertSqlSafe(statement)).execute(&mut connection).await.unwrap();
    connection.close().await.unwrap();
}

/// As a restart of the server does: it is away for a moment, and every connection ends in the midst of what it does.
async fn restart(url: &str) {
    at_server(url, "ALTER DATABASE \"{name}\" ALLOW_CONNECTIONS false").await;
    end_connections(url).await;
    at_server(url, "ALTER DATABASE \"{name}\" ALLOW_CONNECTIONS true").await;
}

/// Ends every connection.
async fn end_connections(url: &str) {
    at_server(url, "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{name}'").await;
}

#[test]
fn a_read_only_database_is_told_to_meta_and_what_it_sends_again_is_taken() {
    on_each_connected(&[], async |world| {
        let url = world.database_url.clone();
        let body = leadgen(&world.facts.page_id, &[id(1).into()]);
        read_only(world, &url, true).await;
        for _ in 0..3 {
            assert_eq!(post(world, &body).await, StatusCode::SERVICE_UNAVAILABLE);
        }
        read_only(world, &url, false).await;
        // As Meta does; a connection of the pool may still be the one that was ended.
        let mut sent = 1;
        while post(world, &body).await != StatusCode::OK {
            sent += 1;
            assert!(sent < 50, "it is never taken");
        }
        sort(world).await;
        assert!(leads(&world.test.app.db).await.contains(&id(1)));
    });
}

#[test]
fn a_restart_of_the_database_loses_nothing_that_was_answered_200() {
    on_each_connected(&[], async |world| {
        let world = &*world;
        let url = &world.database_url;
        let is_server = world.test.app.db.engine() == "PostgreSQL";
        let (mut taken, mut refused) = (BTreeSet::new(), Vec::new());
        for round in 0..5 {
            let sends = join_all((0..20).map(async |nth| {
                let id = id(round * 100 + nth);
                (post(world, &leadgen(&world.facts.page_id, &[id.clone().into()])).await, id)
            }));
            let restarted = async {
                if is_server {
                    restart(url).await;
                }
            };
            let (answers, ()) = tokio::join!(sends, restarted);
            for (status, id) in answers {
                if status == StatusCode::OK {
                    taken.insert(id);
                } else {
                    assert_eq!(status, StatusCode::SERVICE_UNAVAILABLE);
                    refused.push(id);
                }
            }
        }
        sort(world).await;
        let known = leads(&world.test.app.db).await;
        assert!(taken.is_subset(&known), "{} were refused", refused.len());
        assert!(!taken.is_empty());

        // Meta sends again what was refused.
        for id in refused {
            assert_eq!(post(world, &leadgen(&world.facts.page_id, &[id.into()])).await, StatusCode::OK);
        }
        sort(world).await;
        assert_eq!(leads(&world.test.app.db).await.len(), 100);
    });
}

#[test]
fn across_jumps_of_the_clock_each_webhook_is_one_lead_read_and_delivered_once() {
    const DAY: i64 = 24 * 60 * 60;
    on_each_connected(&[], async |world| {
        let receiver = Receiver::start().await;
        let backend = Backend::new(&world.test, None).await;
        let endpoint = json!({ "url": receiver.url, "types": ["lead.created"] });
        let (status, made) = backend.send(Method::POST, "/v1/endpoints", &endpoint).await;
        assert_eq!(status, StatusCode::CREATED, "{made}");
        let mut sent = BTreeSet::from([submit(world).await]);

        // A day ahead. Nothing comes through, and it is put off to a later hour of that day.
        world.test.clock.advance_seconds(DAY);
        sent.insert(submit(world).await);
        receiver.always(Some(Answer::Status(500)));
        work(world).await;
        let refused = receiver.got().len();
        assert_eq!(refused, 2);
        world.switch_on("leads_access_manager");
        sent.insert(submit(world).await);
        work(world).await;
        assert_eq!(receiver.got().len(), refused);
        sent.insert(submit(world).await);

        // A day behind, and all is well: nothing waits for that later hour.
        world.test.clock.advance_seconds(-2 * DAY);
        world.switch_off("leads_access_manager");
        receiver.always(None);
        sent.insert(submit(world).await);
        work(world).await;
        assert_eq!(receiver.got().len(), refused + sent.len());

        // Right again.
        sent.insert(submit(world).await);
        world.test.clock.advance_seconds(DAY);
        sent.insert(submit(world).await);
        work(world).await;
        world.test.clock.advance_seconds(2 * DAY);
        work(world).await;

        assert_eq!(leads(&world.test.app.db).await, sent);
        let got = receiver.got().split_off(refused);
        let events: BTreeSet<&str> = got.iter().map(|it| it.header("webhook-id")).collect();
        assert_eq!((got.len(), events.len()), (sent.len(), sent.len()));
        let delivered: BTreeSet<String> =
            got.iter().map(|it| it.json()["data"]["meta_lead_id"].as_str().unwrap().to_owned()).collect();
        assert_eq!(delivered, sent);
    });
}

#[test]
fn a_full_disk_is_told_to_meta_and_loses_nothing_that_was_answered_200() {
    on_each_database(async |database| {
        // The disk of a PostgreSQL server is not the service's.
        if !database.url().starts_with("sqlite:") {
            return;
        }
        let mut world = Outside::start(&database, &["webhooks_off"], 0, 0).await;
        world.set_up().await;
        let account = world.account("Acme").await;
        world.consent(&account, "Jonas").await;
        world.subscribed(&account).await;
        world.kill();
        // A limit on the size of every file, in KiB, that fails writes as a full disk does.
        let mut limited = std::process::Command::new("bash");
        let program = adjoin(&[]).get_program().to_owned();
        limited
            .args(["-c", "trap '' XFSZ; ulimit -f 2500; exec \"$@\"", "bash"])
            .arg(program)
            .args(&world.arguments);
        world.start_command(limited).await;

        let url = format!("{}/webhooks/facebook", world.origin);
        let mut taken = BTreeSet::new();
        let mut refused = None;
        for nth in 0..200 {
            let id = id(nth);
            // One lead, and much that nobody reads.
            let padding = format!("{{\"padding\":\"{}\",", "x".repeat(50_000));
            let body = leadgen(&world.facts.page_id, &[id.as_str().into()]).replacen('{', &padding, 1);
            match send(&url, &signature(&world.facts.app_secret, &body), &body).await {
                StatusCode::OK => {
                    taken.insert(id);
                }
                status => {
                    assert_eq!(status, StatusCode::SERVICE_UNAVAILABLE);
                    refused = Some(body);
                    break;
                }
            }
        }
        let refused = refused.expect("the disk fills up");
        world.kill();
        world.start_service().await;
        let status = send(&url, &signature(&world.facts.app_secret, &refused), &refused).await;
        assert_eq!(status, StatusCode::OK, "what was refused is taken once there is room");
        let db = Db::open(database.url()).await.unwrap();
        loop {
            let known = leads(&db).await;
            if taken.is_subset(&known) {
                break;
            }
            // The service sorts meanwhile.
            world.a_second().await;
        }
        db.close().await;
    });
}

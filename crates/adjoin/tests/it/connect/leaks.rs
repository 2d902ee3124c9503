//! Nothing secret stays in the database or in the logs in a form that can be read.

use std::{
    io::Write,
    sync::{Arc, Mutex},
};

use adjoin::{
    audit::Actor,
    service::{connect_sessions::Kind, connections},
};
use sqlx::{Connection as _, PgConnection, Row as _};
use tracing_subscriber::fmt::MakeWriter;

use super::{APP_SECRET, World, in_each_world, meta::Person};

#[derive(Debug, Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl Write for Log {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }
    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

impl<'a> MakeWriter<'a> for Log {
    type Writer = Self;
    fn make_writer(&'a self) -> Self {
        self.clone()
    }
}

#[test]
fn no_secret_is_found_in_a_dump_of_the_database_or_in_the_logs() {
    let log = Log::default();
    // Each test has a process of its own, so the whole process can listen.
    tracing_subscriber::fmt()
        .with_max_level(tracing::Level::DEBUG)
        .with_writer(log.clone())
        .with_ansi(false)
        .init();
    in_each_world(async |world| {
        let mut secrets = vec![APP_SECRET.to_owned()];
        let (session, link) = world.session(Kind::Link).await;
        secrets.push(link.trim_start_matches("/connect/").to_owned());
        let mut browser = world.browser();
        let at = world.to_facebook(&mut browser, &link).await;
        secrets.push(at.state().to_owned());
        secrets.extend(browser.cookies.values().cloned());
        world.come_back(&mut browser, &at, "Ann").await;
        secrets.push("code-of-Ann".to_owned());
        check(world, &log, &secrets).await;

        browser.post(&format!("/connect/s/{}/confirm", session.id)).await;
        let ann = Person::new("901", "Ann");
        secrets.extend([ann.short_token(), ann.long_token()]);
        check(world, &log, &secrets).await;

        let id = world.connection().await.id;
        connections::test(world.app(), &Actor::System, &world.account, &id).await.unwrap();
        world.meta.meet(Person { death: Some((190, 460)), ..ann });
        connections::test(world.app(), &Actor::System, &world.account, &id).await.unwrap();
        connections::disconnect(world.app(), &Actor::System, &world.account, &id).await.unwrap();
        // Meta refuses a code that is none.
        let (session, link) = world.session(Kind::Link).await;
        let at = world.to_facebook(&mut browser, &link).await;
        world.come_back(&mut browser, &at, "Nobody").await;
        secrets.extend([at.state().to_owned(), "code-of-Nobody".to_owned()]);
        browser.post(&format!("/connect/s/{}/confirm", session.id)).await;
        check(world, &log, &secrets).await;
    });
    assert!(!log.0.lock().unwrap().is_empty(), "nothing was listened to");
}

async fn check(world: &World, log: &Log, secrets: &[String]) {
    let dump = dump(world).await;
    let log = log.0.lock().unwrap().clone();
    for secret in secrets {
        let hex = secret.bytes().fold(String::new(), |text, byte| format!("{text}{byte:02x}"));
        for (name, place) in [("database", &dump), ("log", &log)] {
            for form in [secret.as_bytes(), hex.as_bytes()] {
                let found = place.windows(form.len()).position(|window| window == form);
                let shown = found.map(|at| {
                    String::from_utf8_lossy(&place[at.saturating_sub(200)..(at + 60).min(place.len())])
                        .into_owned()
                });
                assert!(shown.is_none(), "{secret} is in the {name}: {shown:?}");
            }
        }
    }
}

/// Everything in the database, as whoever steals it would see it.
pub async fn dump(world: &World) -> Vec<u8> {
    if let Some(path) = world.database.url().strip_prefix("sqlite://") {
        let journal = std::fs::read(format!("{path}-wal")).unwrap_or_default();
        return [std::fs::read(path).unwrap(), journal].concat();
    }
    let mut connection = PgConnection::connect(world.database.url()).await.unwrap();
    let tables = sqlx::query(
        "SELECT table_name::text AS name FROM information_schema.tables WHERE table_schema = 'public'",
    )
    .fetch_all(&mut connection)
    .await
    .unwrap();
    assert!(tables.len() > 10);
    let mut dump = Vec::new();
    for table in tables {
        let name: String = table.get("name");
        let rows = sqlx::query(sqlx::AssertSqlSafe(format!("SELECT t::text AS line FROM {name} t")))
            .fetch_all(&mut connection)
            .await
            .unwrap();
        for row in rows {
            dump.extend_from_slice(row.get::<String, _>("line").as_bytes());
        }
    }
    dump
}

//! The ground the other tests stand on holds on both engines.

use std::collections::BTreeSet;

use adjoin::{
    audit::Actor,
    service::accounts::{self, NewAccount},
    store::Db,
};

use sqlx::{Connection as _, PgConnection};

use crate::support::{on_each_app, on_each_database};

#[test]
fn the_schema_is_brought_up_to_date_once_and_opens_again() {
    on_each_database(async |database| {
        let again = Db::open(database.url()).await.unwrap();
        assert_eq!(again.engine(), database.db.engine());
        again.close().await;
    });
}

#[test]
fn postgres_sorts_as_a_language_does() {
    on_each_database(async |database| {
        if database.url().starts_with("postgres") {
            let mut connection = PgConnection::connect(database.url()).await.unwrap();
            let sorted: bool = sqlx::query_scalar("SELECT '~' < '0' AND 'a' < 'B'")
                .fetch_one(&mut connection)
                .await
                .unwrap();
            assert!(sorted, "by bytes");
            connection.close().await.unwrap();
        }
    });
}

#[test]
fn each_test_has_a_database_of_its_own() {
    let urls = std::sync::Mutex::new(BTreeSet::new());
    for _ in 0..2 {
        on_each_app(async |test| {
            let found = accounts::find(&test.app, "", None, 10).await.unwrap();
            assert!(found.items.is_empty(), "another test's accounts are here");
            let new = NewAccount { name: "Acme".to_owned(), external_id: None };
            accounts::create(&test.app, &Actor::System, new).await.unwrap();
            urls.lock().unwrap().insert(test.app.config.database_url.clone());
        });
    }
    assert_eq!(urls.lock().unwrap().len(), 4);
}

#[test]
fn the_service_answers_on_its_free_port() {
    on_each_app(async |test| {
        let answer = reqwest::get(test.url("/healthz")).await.unwrap();
        assert_eq!(answer.status(), 200);
        let before = test.clock.now();
        test.clock.advance_seconds(60);
        assert_eq!(test.app.clock.now(), before.plus_seconds(60));
    });
}

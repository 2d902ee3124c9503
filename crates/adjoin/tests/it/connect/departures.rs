//! People who remove the app at Facebook: what Meta posts then, and what is left of them.

use adjoin::{
    audit::Actor,
    id::{AccountId, ConnectionId},
    service::{
        Error,
        connect_sessions::Stage,
        connections::{self, Assets, Connection, State},
        history, settings,
    },
    store::{connections as table, sql},
};
use adjoin_sandbox::login::signed_request;
use aws_lc_rs::hmac;
use base64::{
    Engine as _,
    engine::general_purpose::{GeneralPurpose, URL_SAFE, URL_SAFE_NO_PAD},
};
use reqwest::{Client, StatusCode};
use serde_json::{Value, json};
use sqlx::{Connection as _, SqliteConnection};

use super::{
    APP_SECRET, World, in_each_world, leaks,
    meta::{Person, START},
};
use crate::support::{TestApp, on_each_app, on_each_connected};

const DEAUTHORIZE: &str = "/connector/deauthorize";
const DATA_DELETION: &str = "/connector/data-deletion";
/// Long enough not to be found by chance.
const ID: &str = "10224466880099117";
const NAME: &str = "Annabelle";

async fn post(test: &TestApp, path: &str, signed: &str) -> (StatusCode, String) {
    let form = [("signed_request", signed)];
    let answer = Client::new().post(test.url(path)).form(&form).send().await.unwrap();
    (answer.status(), answer.text().await.unwrap())
}

async fn deauthorize(world: &World, person: &str, issued_at: i64) {
    let signed = signed_request(APP_SECRET, person, issued_at);
    assert_eq!(post(&world.test, DEAUTHORIZE, &signed).await, (StatusCode::OK, String::new()));
}

/// The status page's address and the confirmation code.
async fn delete_data(world: &World, person: &str, issued_at: i64) -> (String, String) {
    let (status, body) =
        post(&world.test, DATA_DELETION, &signed_request(APP_SECRET, person, issued_at)).await;
    assert_eq!(status, StatusCode::OK, "{body}");
    let answer: Value = serde_json::from_str(&body).unwrap();
    assert_eq!(answer.as_object().unwrap().len(), 2, "{body}");
    let (url, code) = (answer["url"].as_str().unwrap(), answer["confirmation_code"].as_str().unwrap());
    assert!(code.len() == 32 && code.bytes().all(|byte| byte.is_ascii_alphanumeric()), "{code}");
    assert_eq!(url, world.test.url(&format!("{DATA_DELETION}/status/{code}")));
    (url.to_owned(), code.to_owned())
}

/// The person is behind the world's account and a second one; Bob is behind a third.
async fn two_of_one_and_one_of_another(world: &World) -> [AccountId; 3] {
    world.meta.meet(Person::new(ID, NAME));
    world.meta.meet(Person::new("902", "Bob"));
    let accounts = [
        world.account.clone(),
        super::account(world.app(), "Florist").await,
        super::account(world.app(), "Garage").await,
    ];
    for (account, name) in accounts.iter().zip([NAME, NAME, "Bob"]) {
        world.connect_as(account, name).await.2.shows("is connected");
    }
    accounts
}

async fn of(world: &World, account: &AccountId) -> Connection {
    connections::list(world.app(), account).await.unwrap().remove(0)
}

async fn has_token(world: &World, id: &ConnectionId) -> bool {
    table::token(&world.app().db, id).await.unwrap().is_some()
}

/// What the database holds now; nothing that was overwritten.
async fn rows(world: &World) -> Vec<u8> {
    let Some(path) = world.database.url().strip_prefix("sqlite://") else { return leaks::dump(world).await };
    let copy = world.database.folder().join(format!("{}.copy", uuid::Uuid::new_v4()));
    let mut connection = SqliteConnection::connect(&format!("sqlite://{path}")).await.unwrap();
    let statement = format!("VACUUM INTO '{}'", copy.display());
    sqlx::query(sqlx::AssertSqlSafe(statement)).execute(&mut connection).await.unwrap();
    std::fs::read(copy).unwrap()
}

fn holds(rows: &[u8], text: &str) -> bool {
    rows.windows(text.len()).any(|window| window == text.as_bytes())
}

#[test]
fn whoever_removes_the_app_is_gone_from_each_account_and_nobody_else_is() {
    in_each_world(async |world| {
        let [here, there, bobs] = two_of_one_and_one_of_another(world).await;
        world.clock().advance_seconds(60);
        deauthorize(world, ID, START + 60).await;
        for account in [&here, &there] {
            let connection = of(world, account).await;
            let State::Broken { trouble } = &connection.state else { panic!("{connection:?}") };
            assert_eq!((trouble.code, trouble.subcode), (Some(190), Some(458)));
            assert_eq!(trouble.title, "The person removed the app");
            assert!(connection.token.is_none() && connection.connected_at.is_none());
            assert!(!has_token(world, &connection.id).await);
            let refused = connections::access(world.app(), account, &connection.id).await;
            assert!(matches!(refused, Err(Error::Broken { .. })), "{refused:?}");
            let line = history::about(world.app(), connection.id.as_str(), 1).await.unwrap().remove(0);
            assert_eq!((line.who.as_str(), line.action.as_str()), ("Meta", "connection.deauthorized"));
            let report =
                connections::test(world.app(), &Actor::System, account, &connection.id).await.unwrap();
            assert_eq!((report.ok, &report.checks[0].message), (false, &trouble.message));
        }
        let bobs_connection = of(world, &bobs).await;
        assert_eq!(bobs_connection.state, State::Connected);
        connections::access(world.app(), &bobs, &bobs_connection.id).await.unwrap();

        // Another time the same, and a new one: nothing is left to do.
        let before = of(world, &here).await;
        world.clock().advance_seconds(60);
        deauthorize(world, ID, START + 60).await;
        deauthorize(world, ID, START + 61).await;
        assert_eq!(of(world, &here).await, before);
        let history = history::about(world.app(), before.id.as_str(), 20).await.unwrap();
        assert_eq!(history.iter().filter(|line| line.action.starts_with("connection.")).count(), 3);
    });
}

#[test]
fn a_deletion_leaves_neither_name_nor_id_and_says_so_on_its_page() {
    in_each_world(async |world| {
        let [here, there, bobs] = two_of_one_and_one_of_another(world).await;
        let before = rows(world).await;
        assert!(holds(&before, ID) && holds(&before, NAME));
        // Meta calls both, one after the other.
        deauthorize(world, ID, START).await;
        let (url, code) = delete_data(world, ID, START).await;
        for account in [&here, &there] {
            let connection = of(world, account).await;
            assert!(matches!(&connection.state, State::Broken { trouble } if trouble.subcode == Some(458)));
            assert!(connection.subject.is_none() && connection.granted.is_empty());
            assert_eq!(connection.assets, Assets::default());
            assert!(!has_token(world, &connection.id).await);
        }
        assert_eq!(of(world, &bobs).await.state, State::Connected);
        let after = rows(world).await;
        assert!(!holds(&after, ID) && !holds(&after, NAME));

        let page = world.browser().get(&url).await;
        assert_eq!(page.status, 200);
        page.shows("Your data was deleted")
            .shows(&code)
            .shows("In 2 connections")
            .shows("2026-11-24 10:00 UTC");
        page.hides(ID).hides(NAME);

        // The same request has the same code, later and at the same time too.
        world.clock().advance_seconds(3600);
        let (again, at_once) = tokio::join!(delete_data(world, ID, START), delete_data(world, ID, START));
        assert_eq!((again.1.as_str(), at_once.1.as_str()), (code.as_str(), code.as_str()));
        world.browser().get(&url).await.shows("2026-11-24 10:00 UTC");
        // Another request has another one, and found nothing.
        let (url, other) = delete_data(world, ID, START + 60).await;
        assert_ne!(other, code);
        world.browser().get(&url).await.shows("We hold nothing about you").shows("2026-11-24 11:00 UTC");

        // Whoever connects now is nobody else than before, for all that is known here.
        world.connect_as(&here, "Bob").await.2.shows("is connected");
    });
}

#[test]
fn a_deletion_without_word_of_the_removal_erases_the_tokens_too() {
    in_each_world(async |world| {
        let [here, ..] = two_of_one_and_one_of_another(world).await;
        let (first, second) = tokio::join!(delete_data(world, ID, START), delete_data(world, ID, START));
        assert_eq!(first, second);
        let connection = of(world, &here).await;
        assert!(matches!(connection.state, State::Broken { .. }) && connection.token.is_none());
        assert!(!has_token(world, &connection.id).await);
        world.browser().get(&first.0).await.shows("In 2 connections");
    });
}

#[test]
fn somebody_unknown_gets_a_code_for_nothing() {
    in_each_world(async |world| {
        deauthorize(world, "77", START).await;
        let (url, code) = delete_data(world, "77", START).await;
        world.browser().get(&url).await.shows("We hold nothing about you").shows(&code);
        let unknown = world.browser().get(&format!("{DATA_DELETION}/status/{}", "0".repeat(32))).await;
        assert_eq!(unknown.status, 404);
        unknown.shows("We do not know this code");
    });
}

fn sign(payload: &Value, secret: &str, engine: &GeneralPurpose) -> String {
    let encoded = engine.encode(payload.to_string());
    let signature = hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, secret.as_bytes()), encoded.as_bytes());
    format!("{}.{encoded}", engine.encode(signature))
}

fn payload(issued_at: i64) -> Value {
    json!({ "algorithm": "HMAC-SHA256", "issued_at": issued_at, "user_id": "901" })
}

#[test]
fn what_meta_did_not_sign_just_now_is_refused_without_a_word() {
    in_each_world(async |world| {
        world.connect_as(&world.account, "Ann").await;
        let good = sign(&payload(START), APP_SECRET, &URL_SAFE_NO_PAD);
        let (signature, encoded) = good.split_once('.').unwrap();
        let without = |field: &str| {
            let mut payload = payload(START);
            payload.as_object_mut().unwrap().remove(field);
            sign(&payload, APP_SECRET, &URL_SAFE_NO_PAD)
        };
        let mut other_algorithm = payload(START);
        other_algorithm["algorithm"] = json!("HMAC-SHA1");
        let day = 24 * 60 * 60;
        let at = |issued_at| sign(&payload(issued_at), APP_SECRET, &URL_SAFE_NO_PAD);
        let swapped = URL_SAFE_NO_PAD.encode(payload(START + 1).to_string());
        let bad = [
            String::new(),
            encoded.to_owned(),
            format!(".{encoded}"),
            format!("{signature}.{swapped}"),
            sign(&payload(START), "another-secret", &URL_SAFE_NO_PAD),
            sign(&other_algorithm, APP_SECRET, &URL_SAFE_NO_PAD),
            without("algorithm"),
            without("user_id"),
            without("issued_at"),
            at(START - day - 1),
            at(START + 5 * 60 + 1),
            at(i64::MIN),
            at(i64::MAX),
            format!("{good}{}", "A".repeat(100_000)),
        ];
        for signed in &bad {
            for path in [DEAUTHORIZE, DATA_DELETION] {
                let answer = post(&world.test, path, signed).await;
                assert_eq!(answer, (StatusCode::BAD_REQUEST, String::new()), "{path} {signed}");
            }
        }
        let http = Client::new();
        for path in [DEAUTHORIZE, DATA_DELETION] {
            let url = world.test.url(path);
            for request in [http.post(&url), http.post(&url).json(&json!({ "signed_request": good }))] {
                assert_eq!(request.send().await.unwrap().status(), StatusCode::BAD_REQUEST);
            }
            assert_eq!(http.get(&url).send().await.unwrap().status(), StatusCode::METHOD_NOT_ALLOWED);
            let elsewhere = post(&world.test, &format!("{path}/somebody-else"), &good).await;
            assert_eq!(elsewhere, (StatusCode::NOT_FOUND, String::new()));
        }
        assert_eq!(world.connection().await.state, State::Connected);

        // At the edges of the time, padded or not, with the partner's key or without.
        let key = settings::get(world.app()).await.unwrap().partner_key;
        let padded = sign(&payload(START), APP_SECRET, &URL_SAFE);
        assert!(padded.contains('='));
        for signed in [padded, good, at(START - day), at(START + 5 * 60)] {
            for path in [DEAUTHORIZE.to_owned(), format!("{DATA_DELETION}/{key}")] {
                assert_eq!(post(&world.test, &path, &signed).await.0, StatusCode::OK, "{path} {signed}");
            }
            assert_eq!(
                post(&world.test, &format!("{DEAUTHORIZE}/{key}"), &signed).await.0,
                StatusCode::OK,
                "{signed}"
            );
        }
        assert!(matches!(world.connection().await.state, State::Broken { .. }));
    });
}

#[test]
fn before_the_setup_there_is_no_secret_and_nothing_is_believed() {
    on_each_app(async |test| {
        for path in [DEAUTHORIZE, DATA_DELETION] {
            let answer = post(test, path, &signed_request("", "901", START)).await;
            assert_eq!(answer, (StatusCode::BAD_REQUEST, String::new()));
        }
    });
}

#[test]
fn a_replay_does_not_end_a_consent_that_was_given_anew() {
    in_each_world(async |world| {
        world.connect_as(&world.account, "Ann").await;
        deauthorize(world, "901", START).await;
        assert!(matches!(world.connection().await.state, State::Broken { .. }));
        world.clock().advance_seconds(60);
        world.connect_as(&world.account, "Ann").await.2.shows("is connected");
        deauthorize(world, "901", START).await;
        assert_eq!(world.connection().await.state, State::Connected);
        // One that comes for the first time, of before the consent.
        world.clock().advance_seconds(3600);
        world.connect_as(&world.account, "Ann").await;
        deauthorize(world, "901", START + 120).await;
        assert_eq!(world.connection().await.state, State::Connected);
        // And one that is new.
        deauthorize(world, "901", START + 3660).await;
        assert!(matches!(world.connection().await.state, State::Broken { .. }));
    });
}

#[test]
fn what_is_replayable_is_remembered_and_nothing_older() {
    in_each_world(async |world| {
        let count = async || {
            let held = rows_of_departures(world).await;
            held.iter().filter(|code| code.is_none()).count()
        };
        deauthorize(world, "77", START).await;
        world.clock().advance_seconds(24 * 60 * 60);
        deauthorize(world, "77", START + 1).await;
        assert_eq!(count().await, 2);
        let (url, _) = delete_data(world, "77", START + 1).await;
        world.clock().advance_seconds(25 * 60 * 60);
        deauthorize(world, "77", START + 49 * 60 * 60).await;
        assert_eq!(count().await, 1);
        assert_eq!(world.browser().get(&url).await.status, 200, "a deletion's page stays");
    });
}

/// The codes of all requests that are remembered.
async fn rows_of_departures(world: &World) -> Vec<Option<String>> {
    struct Code(Option<String>);
    impl adjoin::store::FromRow for Code {
        fn from_row(row: &adjoin::store::Row) -> adjoin::store::Result<Self> {
            row.get("code").map(Self)
        }
    }
    let codes: Vec<Code> = sql("SELECT code FROM departures").all(&world.app().db).await.unwrap();
    codes.into_iter().map(|code| code.0).collect()
}

#[test]
fn a_token_that_waits_to_be_accepted_goes_too() {
    in_each_world(async |world| {
        world.connect_as(&world.account, "Ann").await;
        world.meta.meet(Person::new(ID, NAME));
        let (session, _, page) = world.connect_as(&world.account, NAME).await;
        page.shows(NAME);
        assert!(matches!(world.stage(&session).await, Stage::OtherIdentity { .. }));
        let (url, _) = delete_data(world, ID, START).await;
        let stage = world.stage(&session).await;
        assert!(
            matches!(&stage, Stage::Refused { refusal } if refusal.title == "The person removed the app")
        );
        let rows = rows(world).await;
        assert!(!holds(&rows, ID) && !holds(&rows, NAME));
        let row =
            adjoin::store::connect_sessions::by_id(&world.app().db, &session.id).await.unwrap().unwrap();
        assert!(row.held_sealed.is_none());
        world.browser().get(&url).await.shows("In 1 connection between");
        // Ann is as she was.
        let connection = world.connection().await;
        assert_eq!(connection.state, State::Connected);
        assert_eq!(connection.subject.unwrap().name.as_deref(), Some("Ann"));
    });
}

#[test]
fn a_business_portfolio_is_nobody_to_forget() {
    in_each_world(async |world| {
        let portfolio = Person {
            kind: "SYSTEM_USER",
            business: Some("500"),
            expires_in: None,
            expires_at: (0, 0),
            ..Person::new("903", "Works")
        };
        world.meta.meet(portfolio);
        super::consent::business_login(world).await;
        world.connect_as(&world.account, "Works").await.2.shows("is connected");
        deauthorize(world, "903", START).await;
        let (url, _) = delete_data(world, "903", START).await;
        world.browser().get(&url).await.shows("We hold nothing about you");
        assert!(world.connection().await.state.is_usable());
    });
}

#[test]
fn the_sandbox_tells_of_a_removal_as_meta_does() {
    on_each_connected(&[], async |connected| {
        let connection = connections::get(&connected.test.app, &connected.account, &connected.connection);
        let person = connection.await.unwrap().subject.unwrap().id;
        let url = format!("{}/apps/{}/remove", connected.facts.admin_url, connected.facts.app_id);
        let answer = Client::new().post(url).json(&json!({ "user_id": person })).send().await.unwrap();
        let answer: Value = serde_json::from_str(&answer.text().await.unwrap()).unwrap();
        let signed = answer["signed_request"].as_str().unwrap();
        assert_eq!(post(&connected.test, DEAUTHORIZE, signed).await.0, StatusCode::OK);
        let (status, body) = post(&connected.test, DATA_DELETION, signed).await;
        assert_eq!(status, StatusCode::OK, "{body}");
        let connection = connections::get(&connected.test.app, &connected.account, &connected.connection);
        let connection = connection.await.unwrap();
        assert!(matches!(connection.state, State::Broken { .. }) && connection.subject.is_none());
    });
}

#[test]
fn while_the_secret_changes_both_are_believed_and_a_request_counts_once() {
    on_each_connected(&[], async |connected| {
        let test = &connected.test;
        let connection = connections::get(&test.app, &connected.account, &connected.connection);
        let person = connection.await.unwrap().subject.unwrap().id;
        let (before, after) = (connected.facts.app_secret.clone(), "0123456789abcdef0123456789abcdef");
        let old = signed_request(&before, &person, START);
        let (status, first) = post(test, DATA_DELETION, &old).await;
        assert_eq!(status, StatusCode::OK, "{first}");

        let app_id = connected.facts.app_id.clone();
        connected.world.write().unwrap().identity.apps.get_mut(&app_id).unwrap().secret = after.to_owned();
        let new = adjoin::service::setup::NewSetup {
            client_id: app_id,
            client_secret: Some(after.into()),
            ..super::facebook_login()
        };
        adjoin::service::setup::save(&test.app, &Actor::System, new).await.unwrap();
        // Meta asks again, as it did before the change: it has been done.
        assert_eq!(post(test, DATA_DELETION, &old).await, (StatusCode::OK, first));
        let day = 24 * 60 * 60;
        for (secret, at, status) in [
            (before.as_str(), START + day, StatusCode::OK),
            (after, START + day, StatusCode::OK),
            ("another-secret", START + day, StatusCode::BAD_REQUEST),
            (before.as_str(), START + 2 * day, StatusCode::BAD_REQUEST),
            (after, START + 2 * day, StatusCode::OK),
        ] {
            test.clock.advance_seconds(at - test.clock.now().unix());
            let signed = signed_request(secret, &person, at);
            assert_eq!(post(test, DEAUTHORIZE, &signed).await.0, status, "{secret} {at}");
        }
    });
}

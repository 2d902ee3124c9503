//! Secrets at rest: what is sealed opens only where it was sealed, and rotation loses nothing.

use adjoin::{
    audit::Actor,
    id::AccountId,
    service::accounts,
    store::connections,
    vault::{self, Error, KeyFile, Place, Scope, Vault},
};
use secrecy::{ExposeSecret, SecretString};

use crate::support::{Database, TestApp, on_each_app, on_each_database};

async fn seal(vault: &Vault, database: &Database, place: &Place<'_>, text: &str) -> Vec<u8> {
    let mut tx = database.db.begin().await.unwrap();
    let sealed = vault
        .seal(&mut tx, place, &SecretString::from(text), adjoin::time::Clock::System.now())
        .await
        .unwrap();
    tx.commit().await.unwrap();
    sealed
}

fn vault(database: &Database) -> Vault {
    Vault::new(database.db.clone(), KeyFile::generate(&database.folder().join("keys")).unwrap())
}

#[test]
fn a_sealed_value_opens_only_where_it_stands() {
    on_each_database(async |database| {
        let vault = vault(&database);
        let (here, other) = (Scope::Account(AccountId::new()), Scope::Account(AccountId::new()));
        let sealed = seal(&vault, &database, &connections::token_place(&here, "con_1"), "EAAB-secret").await;
        assert!(!sealed.windows(4).any(|w| w == b"EAAB"), "the text stands in the clear");

        let opened = vault.open(&connections::token_place(&here, "con_1"), &sealed).await.unwrap();
        assert_eq!(opened.expose_secret(), "EAAB-secret");

        let elsewhere = [
            connections::token_place(&other, "con_1"),
            connections::token_place(&here, "con_2"),
            Place { column: "code_sealed", ..connections::token_place(&here, "con_1") },
            Place { table: "connect_sessions", ..connections::token_place(&here, "con_1") },
        ];
        for place in elsewhere {
            assert!(matches!(vault.open(&place, &sealed).await, Err(Error::DoesNotOpen)), "{place:?}");
        }
        for at in [0, 20, 30, sealed.len() - 1] {
            let mut altered = sealed.clone();
            altered[at] ^= 1;
            let opened = vault.open(&connections::token_place(&here, "con_1"), &altered).await;
            assert!(opened.is_err(), "byte {at} was altered");
        }
        for length in 0..46 {
            assert!(vault.open(&connections::token_place(&here, "con_1"), &sealed[..length]).await.is_err());
        }
    });
}

#[test]
fn what_an_erased_account_sealed_does_not_open_any_more() {
    on_each_app(async |test| {
        let account = crate::api::account(test, "Acme").await;
        let scope = Scope::Account(account.clone());
        let place = connections::token_place(&scope, "con_1");
        let vault = &test.app.vault;
        let mut tx = test.app.db.begin().await.unwrap();
        let sealed = vault.seal(&mut tx, &place, &"EAAB".into(), test.clock.now()).await.unwrap();
        tx.commit().await.unwrap();
        assert!(vault.open(&place, &sealed).await.is_ok());
        accounts::delete(&test.app, &Actor::System, &account).await.unwrap();
        assert!(matches!(vault.open(&place, &sealed).await, Err(Error::DataKeyMissing { .. })));
    });
}

#[test]
fn another_master_key_opens_nothing() {
    on_each_database(async |database| {
        let scope = Scope::Partner;
        let place = connections::token_place(&scope, "con_1");
        let sealed = seal(&vault(&database), &database, &place, "secret").await;
        let stranger = KeyFile::generate(&database.folder().join("other")).unwrap();
        let stranger = Vault::new(database.db.clone(), stranger);
        assert!(matches!(stranger.open(&place, &sealed).await, Err(Error::MasterKeyMissing { .. })));
    });
}

#[test]
fn a_key_file_is_its_owners_alone_and_never_overwritten() {
    let folder = tempfile::TempDir::new().unwrap();
    let path = folder.path().join("keys");
    assert!(matches!(KeyFile::read(&path), Err(Error::ReadKeyFile { .. })), "no key, no start");
    KeyFile::generate(&path).unwrap();
    let before = std::fs::read(&path).unwrap();
    assert!(matches!(KeyFile::generate(&path), Err(Error::WriteKeyFile { .. })));
    assert_eq!(std::fs::read(&path).unwrap(), before);
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
    }
    for wrong in ["", "# nothing\n", "no-colon", "mk_1:not base64!", "mk_1:c2hvcnQ="] {
        std::fs::write(&path, wrong).unwrap();
        assert!(matches!(KeyFile::read(&path), Err(Error::KeyFile { .. })), "{wrong:?}");
    }
}

/// Puts sealed tokens into the database the way connecting does, by hand.
async fn connections_with_tokens(test: &TestApp, count: usize) -> Vec<(Scope, String, String)> {
    let mut made = Vec::new();
    for number in 0..count {
        let account = adjoin::service::accounts::create(
            &test.app,
            &adjoin::audit::Actor::System,
            adjoin::service::accounts::NewAccount { name: format!("Account {number}"), external_id: None },
        )
        .await
        .unwrap();
        let scope = Scope::Account(account.id.clone());
        let id = adjoin::id::ConnectionId::new().to_string();
        let token = format!("token-{number}");
        let mut tx = test.app.db.begin().await.unwrap();
        let place = connections::token_place(&scope, &id);
        let sealed = test
            .app
            .vault
            .seal(&mut tx, &place, &SecretString::from(token.as_str()), test.clock.now())
            .await
            .unwrap();
        adjoin::store::sql(
            "INSERT INTO connections (id, account_id, connector_id, status, state, token_sealed, subject, wanted, granted,
                                      declined, assets, created_at, updated_at)
             VALUES ($1, $2, 'facebook_marketing', 'connected', '{\"state\":\"connected\"}', $3, 'null', '[]', '[]', '[]', $4, 0, 0)",
        )
        .bind(&id)
        .bind(&account.id)
        .bind(sealed)
        .bind(adjoin::store::Json(adjoin::service::connections::Assets::default()))
        .execute(&mut tx)
        .await
        .unwrap();
        tx.commit().await.unwrap();
        made.push((scope, id, token));
    }
    made
}

async fn opened(test: &TestApp, scope: &Scope, id: &str) -> String {
    let mut tx = test.app.db.begin().await.unwrap();
    let rows = connections::sealed(&mut tx, "", 1000).await.unwrap();
    drop(tx);
    let row = rows.into_iter().find(|row| row.row == id).unwrap();
    let place = connections::token_place(scope, id);
    test.app.vault.open(&place, &row.sealed).await.unwrap().expose_secret().to_owned()
}

#[test]
fn rotation_seals_everything_anew_while_the_service_runs() {
    on_each_app(async |test| {
        let made = connections_with_tokens(test, 120).await;
        let path = test.key_file();
        let mut file = KeyFile::read(&path).unwrap();
        file.add_key().unwrap();
        let rotating = Vault::new(test.app.db.clone(), file);

        let done = vault::rotate(&rotating, test.clock.now(), |_| {}).await.unwrap();
        assert_eq!((done.data_keys_wrapped, done.data_keys_replaced, done.secrets_sealed), (120, 120, 120));
        // The service has not been restarted and reads the new keys by itself.
        for (scope, id, token) in &made {
            assert_eq!(&opened(test, scope, id).await, token);
        }
        let again = vault::rotate(&rotating, test.clock.now(), |_| {}).await.unwrap();
        assert_eq!((again.data_keys_wrapped, again.secrets_sealed, again.data_keys_deleted), (0, 0, 0));

        // The next rotation, a day later, deletes what the first retired.
        test.clock.advance_seconds(25 * 60 * 60);
        let mut file = KeyFile::read(&path).unwrap();
        file.add_key().unwrap();
        let rotating = Vault::new(test.app.db.clone(), file);
        let next = vault::rotate(&rotating, test.clock.now(), |_| {}).await.unwrap();
        assert_eq!((next.secrets_sealed, next.data_keys_deleted), (120, 120));
        for (scope, id, token) in &made {
            assert_eq!(&opened(test, scope, id).await, token);
        }
    });
}

#[test]
fn a_rotation_that_was_cut_off_is_finished_by_the_next() {
    on_each_app(async |test| {
        let made = connections_with_tokens(test, 3).await;
        let mut file = KeyFile::read(&test.key_file()).unwrap();
        file.add_key().unwrap();
        let rotating = Vault::new(test.app.db.clone(), file);
        // The cut: the first step says so, and the future is dropped there.
        let (cut, was_cut) = tokio::sync::oneshot::channel::<()>();
        let mut cut = Some(cut);
        let rotation = vault::rotate(&rotating, test.clock.now(), |_| drop(cut.take()));
        tokio::select! { biased; _ = was_cut => {}, _ = rotation => {} }
        for (scope, id, token) in &made {
            assert_eq!(&opened(test, scope, id).await, token);
        }
        vault::rotate(&rotating, test.clock.now(), |_| {}).await.unwrap();
        let settled = vault::rotate(&rotating, test.clock.now(), |_| {}).await.unwrap();
        assert_eq!((settled.data_keys_wrapped, settled.secrets_sealed), (0, 0));
        for (scope, id, token) in &made {
            assert_eq!(&opened(test, scope, id).await, token);
        }
    });
}

#[test]
fn an_erased_account_takes_its_keys_with_it() {
    on_each_app(async |test| {
        let made = connections_with_tokens(test, 1).await;
        let (scope, id, _) = &made[0];
        let Scope::Account(account) = scope else { unreachable!() };
        let mut tx = test.app.db.begin().await.unwrap();
        let backup = connections::sealed(&mut tx, "", 10).await.unwrap().remove(0).sealed;
        drop(tx);
        adjoin::service::accounts::delete(&test.app, &adjoin::audit::Actor::System, account).await.unwrap();
        let fresh = Vault::new(test.app.db.clone(), KeyFile::read(&test.key_file()).unwrap());
        let opened = fresh.open(&connections::token_place(scope, id), &backup).await;
        assert!(matches!(opened, Err(Error::DataKeyMissing { .. })));
    });
}

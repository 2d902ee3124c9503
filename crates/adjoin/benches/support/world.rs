//! A service with one connected account, beside a sandbox.

use std::path::Path;

use adjoin::{
    audit::Actor,
    cli::demo::browser::Browser,
    config::Options,
    id::{AccountId, ConnectionId},
    service::{
        App,
        accounts::{self, NewAccount},
        connect_sessions::{self, Kind, NewConnectSession},
        settings,
        setup::{self, Login, NewSetup},
    },
    store::Db,
    time::Clock,
    vault::{KeyFile, Vault},
    web,
};
use adjoin_sandbox::{Facts, Sandbox};
use secrecy::{ExposeSecret, SecretString};
use serde_json::json;
use tokio::net::TcpListener;

/// The sandbox, on a thread of its own.
pub fn sandbox(options: adjoin_sandbox::Options) -> Facts {
    let (tell, told) = std::sync::mpsc::channel();
    std::thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
        runtime.block_on(async move {
            let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
            let sandbox = Sandbox::new(options, listener).expect("a sandbox");
            tell.send(sandbox.facts().clone()).expect("the bench waits");
            sandbox.run(std::future::pending()).await.expect("it serves");
        });
    });
    told.recv().expect("the sandbox starts")
}

/// A service on this database that serves on a free port. Answers it and where it is.
pub async fn serve(facts: &Facts, database_url: &str, folder: &Path) -> (App, String) {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let address = listener.local_addr().expect("bound");
    let key_path = folder.join("master.key");
    let key_file = KeyFile::generate(&key_path).expect("a key file");
    let config = Options {
        database_url: Some(database_url.to_owned()),
        service_domain: Some(address.to_string()),
        master_key_file: Some(key_path),
        graph_url: Some(facts.graph_url.parse().expect("a URL")),
        dialog_url: Some(facts.dialog_url.parse().expect("a URL")),
        api_rate: std::num::NonZeroU32::new(1_000_000),
        delivery_allow: vec!["127.0.0.0/8".parse().expect("a network")],
        ..Options::default()
    }
    .resolve(None)
    .expect("a configuration");
    let db = Db::open(&config.database_url).await.expect("a database");
    let app = App::new(config, db.clone(), Vault::new(db, key_file), Clock::System);
    tokio::spawn(web::run(app.clone(), listener, std::future::pending()));
    (app, format!("http://{address}"))
}

/// Sets the connector up, and lets the user of a fresh account consent to everything.
pub async fn connect(app: &App, facts: &Facts, origin: &str) -> (AccountId, ConnectionId) {
    let register = format!("{}/apps/{}/redirect_uris", facts.admin_url, facts.app_id);
    let uri = json!({ "redirect_uri": format!("{origin}/connector/callback") });
    reqwest::Client::new().post(register).json(&uri).send().await.expect("the sandbox answers");
    let new = NewSetup {
        client_id: facts.app_id.clone(),
        client_secret: Some(SecretString::from(facts.app_secret.clone())),
        login: Login::Facebook,
        use_cases: vec!["ads".to_owned(), "leads".to_owned()],
        extra_permissions: Vec::new(),
        graph_version: None,
        keyed_redirect_uri: None,
    };
    setup::save(app, &Actor::System, new).await.expect("a setup");
    let change = settings::Change { links_allowed: Some(true), ..settings::Change::default() };
    settings::change(app, &Actor::System, change).await.expect("connect links are allowed");
    let new = NewAccount { name: "Bench".to_owned(), external_id: None };
    let account = accounts::create(app, &Actor::System, new).await.expect("an account").id;
    let new = NewConnectSession {
        account_id: account.clone(),
        kind: Kind::Link,
        use_cases: Vec::new(),
        configuration: None,
        rerequest: false,
    };
    let (session, link) = connect_sessions::create(app, &Actor::System, new).await.expect("a session");
    let mut browser = Browser::new().expect("a browser");
    let page = browser.get(&format!("{origin}/connect/{}", link.expose_secret())).await.expect("a page");
    let dialog =
        browser.submit(&page, &page.form("/connect/").expect("a form"), None).await.expect("a dialog");
    let form = dialog.form("/dialog").expect("a form");
    let confirm = browser.submit(&dialog, &form, Some("continue")).await.expect("a confirmation");
    browser.submit(&confirm, &confirm.form("/connect/").expect("a form"), None).await.expect("the end");
    (account, session.connection_id)
}

use adjoin::{
    audit::Actor,
    cli::demo::browser::Browser,
    id::{AccountId, ConnectionId},
    service::{
        accounts::{self, NewAccount},
        connect_sessions::{self, Kind, NewConnectSession},
        connections,
        setup::{self, Login, NewSetup},
    },
};
use adjoin_sandbox::{Facts, Options, Sandbox, SharedWorld, scenarios::Scenario};
use secrecy::{ExposeSecret, SecretString};
use tokio::{net::TcpListener, sync::oneshot, task::JoinHandle};

use super::{Database, TestApp, on_each_database};

/// A running service, its sandbox, and an account that is connected.
pub struct Connected {
    pub test: TestApp,
    pub facts: Facts,
    pub world: SharedWorld,
    /// For what is done beside the service.
    pub database_url: String,
    pub account: AccountId,
    pub connection: ConnectionId,
    stop_sandbox: Option<oneshot::Sender<()>>,
    sandbox: Option<JoinHandle<()>>,
}

/// Runs a test with a connected account, once on each engine. The scenarios are on from the start.
pub fn on_each_connected(scenarios: &[&str], test: impl AsyncFn(&mut Connected)) {
    on_each_connected_by(&["ads", "leads"], |_| Login::Facebook, scenarios, test);
}

/// The same, with a consent to these use cases alone, and by this login.
pub fn on_each_connected_by(
    use_cases: &[&str],
    login: impl Fn(&Facts) -> Login,
    scenarios: &[&str],
    test: impl AsyncFn(&mut Connected),
) {
    on_each_database(async move |database| {
        let mut connected = Connected::start(&database, use_cases, &login, scenarios).await;
        test(&mut connected).await;
        connected.stop_sandbox().await;
        connected.test.stop().await;
    });
}

impl Connected {
    async fn start(
        database: &Database,
        use_cases: &[&str],
        login: &impl Fn(&Facts) -> Login,
        scenarios: &[&str],
    ) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let options = Options {
            scenarios: scenarios.iter().map(|&name| name.to_owned()).collect(),
            // The service's clock stands here too.
            now: Some(jiff::Timestamp::from_second(1_795_514_400).unwrap()),
            ..Options::default()
        };
        let sandbox = Sandbox::new(options, listener).unwrap();
        let (facts, world) = (sandbox.facts().clone(), sandbox.world());
        let (stop_sandbox, stopped) = oneshot::channel::<()>();
        let running = tokio::spawn(async move {
            let end = async {
                let _ = stopped.await;
            };
            sandbox.run(end).await.unwrap();
        });
        let urls = (facts.graph_url.parse().unwrap(), facts.dialog_url.parse().unwrap());
        let test = TestApp::start_with_graph(database, urls.0, urls.1).await;
        test.allow_links().await;
        register(&facts, &test).await;
        let new = NewSetup {
            client_id: facts.app_id.clone(),
            client_secret: Some(SecretString::from(facts.app_secret.clone())),
            login: login(&facts),
            use_cases: use_cases.iter().map(|&it| it.to_owned()).collect(),
            extra_permissions: Vec::new(),
            graph_version: None,
            keyed_redirect_uri: None,
        };
        setup::save(&test.app, &Actor::System, new).await.unwrap();
        let new = NewAccount { name: "Acme".to_owned(), external_id: Some("crm-1".to_owned()) };
        let account = accounts::create(&test.app, &Actor::System, new).await.unwrap().id;
        let connection = consent(&test, &account).await;
        Self {
            test,
            facts,
            world,
            database_url: database.url().to_owned(),
            account,
            connection,
            stop_sandbox: Some(stop_sandbox),
            sandbox: Some(running),
        }
    }

    /// Another account whose user consents to the same.
    pub async fn connect_another(&self, name: &str) -> (AccountId, ConnectionId) {
        let new = NewAccount { name: name.to_owned(), external_id: None };
        let account = accounts::create(&self.test.app, &Actor::System, new).await.unwrap().id;
        let connection = consent(&self.test, &account).await;
        (account, connection)
    }

    /// The account's user consents again.
    pub async fn connect_again(&self) {
        assert_eq!(consent(&self.test, &self.account).await, self.connection);
    }

    /// Moves the clocks of the service and of the sandbox.
    pub fn advance(&self, seconds: i64) {
        self.test.clock.advance_seconds(seconds);
        self.world.write().unwrap().clock.advance(jiff::SignedDuration::from_secs(seconds));
    }

    pub fn switch_off(&self, scenario: &str) {
        assert!(self.world.write().unwrap().scenarios.clear(scenario), "{scenario} was not on");
    }

    /// Switches a scenario on: `name` or `name=value`.
    pub fn switch_on(&self, scenario: &str) {
        let scenario: Scenario = scenario.parse().unwrap();
        self.world.write().unwrap().scenarios.set(scenario);
    }

    pub async fn stop_sandbox(&mut self) {
        if let (Some(stop), Some(sandbox)) = (self.stop_sandbox.take(), self.sandbox.take()) {
            let _ = stop.send(());
            sandbox.await.unwrap();
        }
    }
}

async fn register(facts: &Facts, test: &TestApp) {
    let url = format!("{}/apps/{}/redirect_uris", facts.admin_url, facts.app_id);
    let body = serde_json::json!({ "redirect_uri": test.url("/connector/callback") });
    let answer = reqwest::Client::new().post(url).json(&body).send().await.unwrap();
    assert!(answer.status().is_success(), "{}", answer.text().await.unwrap());
}

/// The account's user consents to everything, as a browser would.
async fn consent(test: &TestApp, account: &AccountId) -> ConnectionId {
    let new = NewConnectSession {
        account_id: account.clone(),
        kind: Kind::Link,
        use_cases: Vec::new(),
        configuration: None,
        rerequest: false,
    };
    let (session, token) = connect_sessions::create(&test.app, &Actor::System, new).await.unwrap();
    let mut browser = Browser::new().unwrap();
    let page = browser.get(&test.url(&format!("/connect/{}", token.expose_secret()))).await.unwrap();
    let dialog = browser.submit(&page, &page.form("/connect/").unwrap(), None).await.unwrap();
    let confirm = browser.submit(&dialog, &dialog.form("/dialog").unwrap(), Some("continue")).await.unwrap();
    browser.submit(&confirm, &confirm.form("/connect/").unwrap(), None).await.unwrap();
    let connection = connections::get(&test.app, account, &session.connection_id).await.unwrap();
    assert!(connection.state.is_usable(), "{connection:?}");
    session.connection_id
}

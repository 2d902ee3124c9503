//! Connecting an account, as browsers, the partner's backend and Meta see it.

mod browser;
mod callback;
mod completion;
mod connection;
mod consent;
mod departures;
mod leaks;
mod meta;
mod page;
mod sandbox;
mod setup;

use std::{collections::BTreeMap, fmt, pin::pin, time::Duration};

use adjoin::{
    audit::Actor,
    id::AccountId,
    service::{
        App,
        accounts::{self, NewAccount},
        connect_sessions::{self, ConnectSession, Kind, NewConnectSession, Stage},
        connections::{self, Connection},
        settings,
        setup::{Login, NewSetup},
    },
    time::Clock,
};
use secrecy::{ExposeSecret as _, SecretString};
use url::Url;

use crate::support::{Database, Hold, TestApp, on_each_database};
use browser::{Answer, Browser};
use meta::{APP_ID, APP_SECRET, Meta, Person};

pub const RETURN_URL: &str = "https://app.example.com/done?tab=ads";
pub const EMBED_ORIGIN: &str = "https://app.example.com";

/// A service that is set up, an account, and a Meta that knows Ann.
#[derive(Debug)]
pub struct World {
    pub test: TestApp,
    pub meta: Meta,
    pub database: Database,
    pub account: AccountId,
}

/// Runs a test in a fresh world on each engine.
pub fn in_each_world(test: impl AsyncFn(&World)) {
    on_each_database(async move |database| {
        let meta = Meta::start().await;
        let app = TestApp::start_with_graph(&database, meta.url.clone(), meta.url.clone()).await;
        let world = World { account: account(&app.app, "Bakery").await, test: app, meta, database };
        world.meta.meet(Person::new("901", "Ann"));
        let change = settings::Change {
            partner_name: Some("Example Suite".to_owned()),
            return_urls: Some(vec![RETURN_URL.to_owned()]),
            embed_origins: Some(vec![EMBED_ORIGIN.to_owned()]),
            links_allowed: Some(true),
            ..settings::Change::default()
        };
        settings::change(world.app(), &Actor::System, change).await.unwrap();
        adjoin::service::setup::save(world.app(), &Actor::System, facebook_login()).await.unwrap();
        test(&world).await;
        world.test.stop().await;
    });
}

pub fn facebook_login() -> NewSetup {
    NewSetup {
        client_id: APP_ID.to_owned(),
        client_secret: Some(SecretString::from(APP_SECRET)),
        login: Login::Facebook,
        use_cases: vec!["ads".to_owned()],
        extra_permissions: Vec::new(),
        graph_version: Some("v26.0".to_owned()),
        keyed_redirect_uri: None,
    }
}

pub async fn account(app: &App, name: &str) -> AccountId {
    let new = NewAccount { name: name.to_owned(), external_id: None };
    accounts::create(app, &Actor::System, new).await.unwrap().id
}

/// Begins this, and gives it up once Meta has been asked, as a caller does that hangs up. Then Meta answers.
pub async fn given_up<T: fmt::Debug>(hold: &Hold, begun: impl Future<Output = T>) {
    {
        let mut begun = pin!(begun);
        tokio::select! {
            ended = &mut begun => panic!("it ended before Meta answered: {ended:?}"),
            () = hold.asked() => {}
        }
    }
    hold.let_go();
}

/// Waits until it is so.
pub async fn comes_true(what: impl AsyncFn() -> bool) {
    let looks = async {
        while !what().await {
            tokio::task::yield_now().await;
        }
    };
    assert!(tokio::time::timeout(Duration::from_secs(30), looks).await.is_ok(), "it never comes true");
}

/// A dialog that is open: what Facebook was told.
#[derive(Debug)]
pub struct AtFacebook {
    pub params: BTreeMap<String, String>,
    pub path: String,
}

impl AtFacebook {
    pub fn of(answer: &Answer) -> Self {
        let url = Url::parse(answer.location()).unwrap();
        Self { path: url.path().to_owned(), params: url.query_pairs().into_owned().collect() }
    }

    pub fn state(&self) -> &str {
        &self.params["state"]
    }
}

impl World {
    pub fn app(&self) -> &App {
        &self.test.app
    }

    pub fn clock(&self) -> &Clock {
        &self.test.clock
    }

    pub fn browser(&self) -> Browser {
        Browser::new(&self.test.origin)
    }

    pub async fn session(&self, kind: Kind) -> (ConnectSession, String) {
        self.session_for(&self.account, kind).await
    }

    pub async fn session_for(&self, account: &AccountId, kind: Kind) -> (ConnectSession, String) {
        let new = NewConnectSession {
            account_id: account.clone(),
            kind,
            use_cases: Vec::new(),
            configuration: None,
            rerequest: false,
        };
        let (session, token) = connect_sessions::create(self.app(), &Actor::System, new).await.unwrap();
        (session, format!("/connect/{}", token.expose_secret()))
    }

    /// Opens the link and presses the button.
    pub async fn to_facebook(&self, browser: &mut Browser, link: &str) -> AtFacebook {
        assert_eq!(browser.get(link).await.status, 200);
        AtFacebook::of(&browser.post(&format!("{link}/start")).await)
    }

    /// Facebook sends the browser back with a person's code.
    pub async fn come_back(&self, browser: &mut Browser, at: &AtFacebook, name: &str) -> Answer {
        browser.get(&format!("/connector/callback?code=code-of-{name}&state={}", at.state())).await
    }

    /// The whole way by a link; answers the page at its end.
    pub async fn connect_as(&self, account: &AccountId, name: &str) -> (ConnectSession, Browser, Answer) {
        let (session, link) = self.session_for(account, Kind::Link).await;
        let mut browser = self.browser();
        let at = self.to_facebook(&mut browser, &link).await;
        let back = self.come_back(&mut browser, &at, name).await;
        browser.follow(&back).await.shows("Yes, connect");
        let pressed = browser.post(&format!("/connect/s/{}/confirm", session.id)).await;
        let page = browser.follow(&pressed).await;
        (session, browser, page)
    }

    pub async fn stage(&self, session: &ConnectSession) -> Stage {
        connect_sessions::get(self.app(), &session.account_id, &session.id).await.unwrap().stage
    }

    pub async fn connection(&self) -> Connection {
        connections::list(self.app(), &self.account).await.unwrap().remove(0)
    }
}

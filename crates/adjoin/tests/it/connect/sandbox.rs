//! The same journeys against the sandbox, which holds to Meta's rules: its dialog is walked as a browser would.

use adjoin::{
    audit::Actor,
    id::AccountId,
    service::{
        App,
        connect_sessions::{self, Kind, NewConnectSession, Stage},
        connections::{self, Connection, GapKind, Revocation, State, TokenKind},
        setup::{self, Login, LoginConfiguration, LoginToken, NewSetup},
    },
};
use adjoin_sandbox::{Options, Sandbox, SharedWorld};
use reqwest::{Client, Url, redirect::Policy};
use secrecy::{ExposeSecret as _, SecretString};

use super::browser::{Answer, Browser};
use crate::support::{TestApp, on_each_database};

#[derive(Debug)]
struct Stand {
    test: TestApp,
    sandbox: SharedWorld,
    account: AccountId,
    config_id: String,
}

/// Runs a test with a service that is set up for the sandbox's app, both at the same frozen moment.
fn on_each_stand(test: impl AsyncFn(&Stand)) {
    on_each_database(async move |database| {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let sandbox = Sandbox::new(Options::default(), listener).unwrap();
        let facts = sandbox.facts().clone();
        let world = sandbox.world();
        let url: Url = facts.graph_url.parse().unwrap();
        let app = TestApp::start_with_graph(&database, url.clone(), url).await;
        app.allow_links().await;
        {
            let mut world = world.write().unwrap();
            world.clock = adjoin_sandbox::clock::Clock::Frozen { at: app.clock.now().0 };
            let at_meta = world.identity.apps.get_mut(&facts.app_id).unwrap();
            at_meta.redirect_uris.push(app.url("/connector/callback"));
        }
        tokio::spawn(sandbox.run(std::future::pending()));
        let new = NewSetup {
            client_id: facts.app_id.clone(),
            client_secret: Some(SecretString::from(facts.app_secret)),
            login: Login::Facebook,
            use_cases: vec!["ads".to_owned()],
            extra_permissions: vec!["business_management".to_owned()],
            graph_version: None,
            keyed_redirect_uri: None,
        };
        setup::save(&app.app, &Actor::System, new).await.unwrap();
        let account = super::account(&app.app, "Bakery").await;
        let stand = Stand { test: app, sandbox: world, account, config_id: facts.config_id };
        test(&stand).await;
        stand.test.stop().await;
    });
}

/// What a person does at Facebook.
#[derive(Debug, Clone, Copy)]
struct Visit<'a> {
    /// Boxes to untick, by field and value.
    untick: &'a [(&'a str, &'a str)],
    press: &'a str,
}

const AGREE: Visit<'static> = Visit { untick: &[], press: "continue" };

impl Stand {
    fn app(&self) -> &App {
        &self.test.app
    }

    fn scenario(&self, text: &str) {
        self.sandbox.write().unwrap().scenarios.set(text.parse().unwrap());
    }

    fn sign_in(&self, name: &str) {
        let mut world = self.sandbox.write().unwrap();
        let id = world.identity.people.values().find(|it| it.name.starts_with(name)).unwrap().id.clone();
        world.identity.signed_in = Some(id);
    }

    async fn business_login(&self) {
        let setup = setup::required(self.app()).await.unwrap();
        let new = NewSetup {
            client_id: setup.client_id,
            client_secret: None,
            login: Login::Business {
                configurations: vec![LoginConfiguration {
                    id: self.config_id.clone(),
                    use_cases: vec!["ads".to_owned()],
                    token: LoginToken::SystemUser,
                }],
            },
            use_cases: setup.use_cases,
            extra_permissions: setup.extra_permissions,
            graph_version: None,
            keyed_redirect_uri: None,
        };
        setup::save(self.app(), &Actor::System, new).await.unwrap();
    }

    /// The whole way; answers the page at its end.
    async fn connect(&self, account: &AccountId, visit: Visit<'_>) -> (Browser, Answer, Stage) {
        let new = NewConnectSession {
            account_id: account.clone(),
            kind: Kind::Link,
            use_cases: Vec::new(),
            configuration: None,
            rerequest: false,
        };
        let (session, token) = connect_sessions::create(self.app(), &Actor::System, new).await.unwrap();
        let mut browser = Browser::new(&self.test.origin);
        let started = browser.post(&format!("/connect/{}/start", token.expose_secret())).await;
        let page = self.go_on(&mut browser, &started, visit).await;
        let stage = connect_sessions::get(self.app(), account, &session.id).await.unwrap().stage;
        (browser, page, stage)
    }

    /// From the redirect to Facebook to the page after the confirmation, if it comes to one.
    async fn go_on(&self, browser: &mut Browser, started: &Answer, visit: Visit<'_>) -> Answer {
        let callback = facebook(started.location(), visit).await;
        let back = browser.get(&callback).await;
        let page = browser.follow(&back).await;
        if !page.body.contains("/confirm\"") {
            return page;
        }
        let pressed = browser.post(&form_action(&page.body)).await;
        browser.follow(&pressed).await
    }

    async fn connection(&self, account: &AccountId) -> Connection {
        connections::list(self.app(), account).await.unwrap().remove(0)
    }

    async fn gaps(&self) -> Vec<GapKind> {
        self.connection(&self.account).await.state.gaps().iter().map(|gap| gap.kind.clone()).collect()
    }
}

/// Facebook's dialog, as a browser without script goes through it; answers where it sends the browser.
async fn facebook(dialog: &str, visit: Visit<'_>) -> String {
    let client = Client::builder().redirect(Policy::none()).no_proxy().build().unwrap();
    let url: Url = dialog.parse().unwrap();
    let opened = client.get(url.clone()).send().await.unwrap();
    if let Some(location) = opened.headers().get("location") {
        return location.to_str().unwrap().to_owned();
    }
    let html = opened.text().await.unwrap();
    let mut fields: Vec<(String, String)> = html
        .split("<input ")
        .skip(1)
        .map(|rest| rest.split('>').next().unwrap())
        .filter(|tag| {
            let is_box = ["checkbox", "radio"].iter().any(|kind| tag.contains(&format!("type=\"{kind}\"")));
            !is_box || tag.split_whitespace().any(|word| word == "checked")
        })
        .filter_map(|tag| Some((attribute(tag, "name")?, attribute(tag, "value").unwrap_or_default())))
        .collect();
    for (name, value) in visit.untick {
        let before = fields.len();
        fields.retain(|(n, v)| (n.as_str(), v.as_str()) != (*name, *value));
        assert!(fields.len() < before, "{name}={value} is not ticked in {html}");
    }
    fields.push(("action".to_owned(), visit.press.to_owned()));
    let sent = client.post(url.join(&form_action(&html)).unwrap()).form(&fields).send().await.unwrap();
    let location = sent.headers().get("location").map(|value| value.to_str().unwrap().to_owned());
    match location {
        Some(location) => location,
        None => panic!("Facebook did not send the browser back: {}", sent.text().await.unwrap()),
    }
}

fn form_action(html: &str) -> String {
    let form = html.split("<form ").nth(1).unwrap();
    attribute(form.split('>').next().unwrap(), "action").unwrap_or_default()
}

fn attribute(tag: &str, name: &str) -> Option<String> {
    let (_, rest) = tag.split_once(&format!("{name}=\""))?;
    Some(rest.split('"').next()?.replace("&amp;", "&").replace("&#38;", "&"))
}

#[test]
fn a_person_consents_and_the_test_agrees() {
    on_each_stand(async |stand| {
        stand.sign_in("Jonas");
        stand.scenario("proof_required");
        let (_, page, stage) = stand.connect(&stand.account, AGREE).await;
        page.shows("Bakery is connected").hides("with gaps");
        assert_eq!(stage, Stage::Completed { asked_again: false });
        let connection = stand.connection(&stand.account).await;
        assert_eq!(connection.state, State::Connected);
        assert_eq!(connection.subject.as_ref().unwrap().name.as_deref(), Some("Jonas Okafor"));
        assert!(
            connection.assets.ad_accounts.iter().all(|it| it.id.starts_with("act_") && it.currency.is_some())
        );
        assert!(!connection.assets.pages.is_empty() && !connection.assets.businesses.is_empty());
        let days =
            (connection.token.unwrap().expires_at.unwrap().unix() - stand.test.clock.now().unix()) / 86_400;
        assert!((59..=60).contains(&days), "{days} days");
        let report =
            connections::test(stand.app(), &Actor::System, &stand.account, &connection.id).await.unwrap();
        assert!(report.ok, "{:?}", report.checks);
    });
}

#[test]
fn what_was_unticked_is_asked_again_and_then_there() {
    on_each_stand(async |stand| {
        stand.sign_in("Jonas");
        let visit = Visit { untick: &[("permission", "ads_management")], ..AGREE };
        let (mut browser, page, _) = stand.connect(&stand.account, visit).await;
        page.shows("with gaps").shows("ask again for just that");
        assert_eq!(
            stand.gaps().await,
            [GapKind::PermissionDeclined { permission: "ads_management".to_owned() }]
        );
        let started = browser.post(&form_action(&page.body)).await;
        assert!(started.location().contains("auth_type=rerequest"));
        stand.go_on(&mut browser, &started, AGREE).await.shows("Bakery is connected").hides("with gaps");
        assert_eq!(stand.connection(&stand.account).await.state, State::Connected);
    });
}

#[test]
fn a_cancel_and_a_refusal_come_back_as_facebook_sends_them() {
    on_each_stand(async |stand| {
        let cancel = Visit { press: "cancel", ..AGREE };
        let (_, page, stage) = stand.connect(&stand.account, cancel).await;
        page.shows("You did not agree at Facebook");
        assert_eq!(stage, Stage::Declined);

        stand.sign_in("Jonas");
        stand.scenario("app_in_development");
        for stateless in [false, true] {
            if stateless {
                stand.scenario("stateless_refusals");
            }
            let (_, page, stage) = stand.connect(&stand.account, AGREE).await;
            page.shows("The app is not open to this person yet");
            assert!(matches!(stage, Stage::Refused { refusal } if refusal.code == Some(1_349_126)));
        }
    });
}

#[test]
fn nothing_picked_is_not_connected() {
    on_each_stand(async |stand| {
        stand.sign_in("Jonas");
        stand.scenario("nothing_picked");
        let page = stand.connect(&stand.account, AGREE).await.1;
        page.shows("Bakery is not connected yet").shows("No ad account was shared").hides("is connected");
        assert_eq!(stand.connection(&stand.account).await.state.name(), "nothing_shared");
        let gaps = stand.gaps().await;
        assert!(gaps.contains(&GapKind::NoAdAccounts) && gaps.contains(&GapKind::NoPages), "{gaps:?}");
    });
}

#[test]
fn without_a_verified_tech_provider_what_was_shared_is_not_there() {
    on_each_stand(async |stand| {
        stand.sign_in("Jonas");
        stand.scenario("tech_provider_missing");
        stand.connect(&stand.account, AGREE).await.1.shows("Tech Provider");
        let gaps = stand.gaps().await;
        assert!(gaps.contains(&GapKind::TechProvider), "{gaps:?}");
    });
}

#[test]
fn a_portfolio_consents_and_its_token_is_revoked_singly() {
    on_each_stand(async |stand| {
        stand.business_login().await;
        stand.scenario("act_prefix");
        stand.connect(&stand.account, AGREE).await.1.shows("Bakery is connected").hides("with gaps");
        let connection = stand.connection(&stand.account).await;
        let token = connection.token.as_ref().unwrap();
        assert_eq!((token.kind, token.expires_at), (TokenKind::SystemUser, None));
        assert!(connection.subject.as_ref().unwrap().business_id.is_some());
        assert!(connection.assets.businesses[0].name.is_some());
        assert!(
            connections::test(stand.app(), &Actor::System, &stand.account, &connection.id).await.unwrap().ok
        );

        let access = connections::access(stand.app(), &stand.account, &connection.id).await.unwrap();
        let end = connections::disconnect(stand.app(), &Actor::System, &stand.account, &connection.id)
            .await
            .unwrap();
        assert_eq!(end.at_meta, Revocation::Revoked);
        let dead = access.graph.send(&adjoin_graph::Request::get("/me"), &access.token).await;
        assert_eq!(dead.unwrap_err().refusal().unwrap().code, Some(190));
    });
}

#[test]
fn a_portfolio_without_advanced_access_gets_a_token_without_the_permissions() {
    on_each_stand(async |stand| {
        stand.business_login().await;
        stand.scenario("standard_access");
        stand
            .connect(&stand.account, AGREE)
            .await
            .1
            .shows("Bakery is not connected yet")
            .shows("has to change something in its Meta app");
        let gaps = stand.gaps().await;
        let missing = GapKind::PermissionMissing { permission: "ads_management".to_owned() };
        assert!(gaps.contains(&missing), "{gaps:?}");
    });
}

#[test]
fn two_accounts_of_one_person_live_and_die_apart() {
    on_each_stand(async |stand| {
        let other = super::account(stand.app(), "Florist").await;
        stand.connect(&stand.account, AGREE).await;
        stand.connect(&other, AGREE).await;
        let (here, there) = (stand.connection(&stand.account).await.id, stand.connection(&other).await.id);
        let end = connections::disconnect(stand.app(), &Actor::System, &stand.account, &here).await.unwrap();
        assert_eq!(end.at_meta, Revocation::KeptForOthers { connections: 1 });
        assert!(connections::test(stand.app(), &Actor::System, &other, &there).await.unwrap().ok);
        let end = connections::disconnect(stand.app(), &Actor::System, &other, &there).await.unwrap();
        assert_eq!(end.at_meta, Revocation::Revoked);
        // At Meta the app is gone for this person; a fresh consent begins anew.
        stand.connect(&other, AGREE).await.1.shows("Florist is connected").hides("with gaps");
    });
}

#[test]
fn every_death_of_a_token_is_seen_by_the_test() {
    on_each_stand(async |stand| {
        stand.connect(&stand.account, AGREE).await;
        let id = stand.connection(&stand.account).await.id;
        for (subcode, action) in
            [("190", false), ("458", false), ("459", true), ("460", false), ("463", false), ("464", true)]
        {
            stand.scenario(&format!("dead_tokens={subcode}"));
            let report = connections::test(stand.app(), &Actor::System, &stand.account, &id).await.unwrap();
            assert!(!report.ok);
            let state = report.connection.state;
            assert_eq!(matches!(state, State::ActionNeeded { .. }), action, "{subcode}: {state:?}");
            assert_eq!(matches!(state, State::Broken { .. }), !action, "{subcode}: {state:?}");
        }
        stand.sandbox.write().unwrap().scenarios = adjoin_sandbox::scenarios::Scenarios::default();
        let report = connections::test(stand.app(), &Actor::System, &stand.account, &id).await.unwrap();
        assert_eq!(report.connection.state, State::Connected);
    });
}

#[test]
fn a_limit_that_is_used_up_breaks_nothing() {
    on_each_stand(async |stand| {
        stand.connect(&stand.account, AGREE).await;
        let connection = stand.connection(&stand.account).await;
        stand.scenario("rate_limit=app");
        let access = connections::access(stand.app(), &stand.account, &connection.id).await.unwrap();
        let refused = access.graph.send(&adjoin_graph::Request::get("/me/adaccounts"), &access.token).await;
        connections::report_refusal(stand.app(), &access, &refused.unwrap_err()).await.unwrap();
        connections::test(stand.app(), &Actor::System, &stand.account, &connection.id).await.unwrap();
        assert!(stand.connection(&stand.account).await.state.is_usable());
    });
}

//! Who lets Meta's code be used: the partner's backend, or the press in the browser that began.

use adjoin::{
    audit::Actor,
    service::{
        Error,
        connect_sessions::{self, ConnectSession, Kind, NewConnectSession, Stage, Waiting},
        connections::State,
        settings,
    },
    store::connect_sessions as table,
};
use secrecy::SecretString;
use url::Url;

use super::{EMBED_ORIGIN, RETURN_URL, World, comes_true, given_up, in_each_world, meta::Person};

fn embedded(end_user: Option<&str>) -> Kind {
    Kind::Embedded {
        return_url: RETURN_URL.to_owned(),
        origin: Some(EMBED_ORIGIN.to_owned()),
        end_user: end_user.map(str::to_owned),
    }
}

/// Goes to Facebook and back; answers the completion code in the partner's address.
async fn consent(world: &World, end_user: Option<&str>) -> (ConnectSession, SecretString) {
    let (session, link) = world.session(embedded(end_user)).await;
    let mut browser = world.browser();
    let at = world.to_facebook(&mut browser, &link).await;
    let back = world.come_back(&mut browser, &at, "Ann").await;
    let location = back.location();
    assert!(location.ends_with('#'), "{location}");
    let url = Url::parse(location).unwrap();
    let query: std::collections::BTreeMap<_, _> = url.query_pairs().into_owned().collect();
    assert_eq!(query["tab"], "ads", "the partner's own query stays");
    assert_eq!(query["connect_session"], session.id.as_str());
    assert!(!query.contains_key("code") && !query.contains_key("state"));
    // The browser alone cannot confirm what the backend has to.
    assert_eq!(browser.post(&format!("/connect/s/{}/confirm", session.id)).await.status, 404);
    browser.get(&format!("/connect/s/{}", session.id)).await.hides("Yes, connect").shows("Almost done");
    (session, SecretString::from(query["completion_code"].clone()))
}

async fn complete(
    world: &World,
    session: &ConnectSession,
    code: &SecretString,
    end_user: Option<&str>,
) -> Result<State, Error> {
    let account = &session.account_id;
    connect_sessions::complete(world.app(), &Actor::System, account, &session.id, code, end_user)
        .await
        .map(|connection| connection.state)
}

#[test]
fn only_the_partners_backend_completes_an_embedded_session() {
    in_each_world(async |world| {
        let (session, code) = consent(world, Some("user-7")).await;
        assert!(world.meta.exchanges().is_empty(), "Meta is not asked before the backend confirms");

        let wrong = SecretString::from("cmp_wrong");
        assert!(matches!(
            complete(world, &session, &wrong, Some("user-7")).await,
            Err(Error::Forbidden { .. })
        ));
        let other_account = super::account(world.app(), "Florist").await;
        let elsewhere =
            connect_sessions::complete(world.app(), &Actor::System, &other_account, &session.id, &code, None)
                .await;
        assert!(matches!(elsewhere, Err(Error::NotFound { .. })));
        assert!(world.meta.exchanges().is_empty());

        assert_eq!(complete(world, &session, &code, Some("user-7")).await.unwrap(), State::Connected);
        // A backend that lost our answer asks again.
        assert_eq!(complete(world, &session, &code, Some("user-7")).await.unwrap(), State::Connected);
        assert_eq!(world.meta.exchanges().len(), 1);
    });
}

#[test]
fn a_link_opened_by_another_signed_in_user_never_connects() {
    in_each_world(async |world| {
        // The attacker's session, walked to its end by the victim, who is signed in at the partner as somebody else.
        let (session, code) = consent(world, Some("attacker")).await;
        let refused = complete(world, &session, &code, Some("victim")).await;
        assert!(matches!(refused, Err(Error::Forbidden { .. })));
        // Nor does naming the right one afterwards help: the code is gone.
        assert!(complete(world, &session, &code, Some("attacker")).await.is_err());
        assert!(matches!(world.stage(&session).await, Stage::Refused { .. }));
        assert_eq!(world.connection().await.state, State::Installed);
        assert!(world.meta.exchanges().is_empty(), "Meta's code was never exchanged");
        assert!(table::by_id(&world.app().db, &session.id).await.unwrap().unwrap().held_sealed.is_none());
    });
}

#[test]
fn a_link_works_in_the_first_browser_only() {
    in_each_world(async |world| {
        let (session, link) = world.session(Kind::Link).await;
        let (mut first, mut second) = (world.browser(), world.browser());
        // Looking does not use it up: mail scanners look.
        assert_eq!(second.get(&link).await.status, 200);
        let at = world.to_facebook(&mut first, &link).await;
        for answer in [second.get(&link).await, second.post(&format!("{link}/start")).await] {
            assert_eq!(answer.status, 404);
            answer.shows("This link cannot be used");
        }
        assert_eq!(second.get(&format!("/connect/s/{}", session.id)).await.status, 404);
        // The first finds its way back by the link.
        assert_eq!(first.get(&link).await.location(), format!("/connect/s/{}#", session.id));

        let back = world.come_back(&mut first, &at, "Ann").await;
        first.follow(&back).await.shows("Yes, connect");
        for path in ["confirm", "accept", "start"] {
            let answer = second.post(&format!("/connect/s/{}/{path}", session.id)).await;
            assert_eq!(answer.status, 404, "{path}");
        }
        assert!(world.meta.exchanges().is_empty());
    });
}

#[test]
fn a_code_that_nobody_confirms_is_dropped() {
    in_each_world(async |world| {
        let (session, code) = consent(world, None).await;
        world.clock().advance_seconds(120);
        let late = complete(world, &session, &code, None).await;
        assert!(matches!(late, Err(Error::NotReady { .. })));
        assert_eq!(world.stage(&session).await, Stage::Expired { waiting_for: Waiting::Confirmation });
        let held = async || table::by_id(&world.app().db, &session.id).await.unwrap().unwrap().held_sealed;
        assert!(held().await.is_some());
        connect_sessions::sweep(world.app()).await.unwrap();
        assert!(held().await.is_none());
        assert!(complete(world, &session, &code, None).await.is_err());
        assert!(world.meta.exchanges().is_empty());
    });
}

#[test]
fn two_confirmations_at_once_use_the_code_once() {
    in_each_world(async |world| {
        let (session, code) = consent(world, None).await;
        let (one, two) =
            tokio::join!(complete(world, &session, &code, None), complete(world, &session, &code, None));
        assert!(one.is_ok() || two.is_ok());
        assert_eq!(world.meta.exchanges().len(), 1);
    });
}

#[test]
fn who_hangs_up_while_meta_is_asked_is_connected_all_the_same() {
    in_each_world(async |world| {
        let (session, code) = consent(world, None).await;
        given_up(&world.meta.hold(), complete(world, &session, &code, None)).await;
        comes_true(async || world.connection().await.state == State::Connected).await;
        comes_true(async || matches!(world.stage(&session).await, Stage::Completed { .. })).await;
        assert_eq!(complete(world, &session, &code, None).await.unwrap(), State::Connected);

        // And where somebody else than before is accepted.
        world.meta.meet(Person::new("902", "Bob"));
        let (session, link) = world.session(Kind::Link).await;
        let mut browser = world.browser();
        let at = world.to_facebook(&mut browser, &link).await;
        let back = world.come_back(&mut browser, &at, "Bob").await;
        browser.follow(&back).await.shows("Yes, connect");
        browser.post(&format!("/connect/s/{}/confirm", session.id)).await;
        assert!(matches!(world.stage(&session).await, Stage::OtherIdentity { .. }));
        let account = &world.account;
        let accepted = connect_sessions::accept_identity(world.app(), &Actor::System, account, &session.id);
        given_up(&world.meta.hold(), accepted).await;
        comes_true(async || matches!(world.stage(&session).await, Stage::Completed { .. })).await;
        assert_eq!(world.connection().await.subject.unwrap().id, "902");
    });
}

#[test]
fn meta_away_at_the_exchange_is_told_and_leaves_the_connection_alone() {
    in_each_world(async |world| {
        let (session, code) = consent(world, None).await;
        world.meta.world().down = true;
        let away = complete(world, &session, &code, None).await;
        assert!(matches!(&away, Err(Error::Meta(error)) if error.retry), "{away:?}");
        assert!(matches!(world.stage(&session).await, Stage::Refused { .. }));
        assert_eq!(world.connection().await.state, State::Installed);
    });
}

#[test]
fn a_session_is_refused_where_the_settings_do_not_allow_it() {
    in_each_world(async |world| {
        let make = async |kind: Kind| {
            let new = NewConnectSession {
                account_id: world.account.clone(),
                kind,
                use_cases: Vec::new(),
                configuration: None,
                rerequest: false,
            };
            connect_sessions::create(world.app(), &Actor::System, new).await.map(drop)
        };
        let Kind::Embedded { origin, end_user, .. } = embedded(None) else { unreachable!() };
        for near in [
            "https://app.example.com/done",
            "https://app.example.com/done?tab=ads&x=1",
            "https://evil.example/",
        ] {
            let kind = Kind::Embedded {
                return_url: near.to_owned(),
                origin: origin.clone(),
                end_user: end_user.clone(),
            };
            assert!(matches!(make(kind).await, Err(Error::Invalid(_))), "{near}");
        }
        let kind = Kind::Embedded {
            return_url: RETURN_URL.to_owned(),
            origin: Some("https://evil.example".to_owned()),
            end_user: None,
        };
        assert!(matches!(make(kind).await, Err(Error::Invalid(_))));

        let (_, link) = world.session(Kind::Link).await;
        let change = settings::Change { links_allowed: Some(false), ..settings::Change::default() };
        settings::change(world.app(), &Actor::System, change).await.unwrap();
        assert!(matches!(make(Kind::Link).await, Err(Error::Forbidden { .. })));
        // One that was mailed before does not work any more either.
        let mut browser = world.browser();
        assert_eq!(browser.get(&link).await.status, 404);
        assert_eq!(browser.post(&format!("{link}/start")).await.status, 404);
        assert!(make(embedded(None)).await.is_ok());
    });
}

#[test]
fn a_cancelled_session_ends_where_it_stands() {
    in_each_world(async |world| {
        let (session, link) = world.session(Kind::Link).await;
        let mut browser = world.browser();
        let at = world.to_facebook(&mut browser, &link).await;
        connect_sessions::cancel(world.app(), &Actor::System, &world.account, &session.id).await.unwrap();
        let back = world.come_back(&mut browser, &at, "Ann").await;
        assert_eq!(back.location(), "/connect/problem/session-ended#");
        assert_eq!(browser.post(&format!("/connect/s/{}/start", session.id)).await.status, 404);
        assert!(world.meta.exchanges().is_empty());
    });
}

//! What a consent led to: tokens, permissions, assets, and who it was.

use adjoin::{
    audit::Actor,
    service::{
        Error, Who,
        connect_sessions::{self, Kind, Stage},
        connections::{self, GapKind, State, TokenKind},
        setup::{self, Login, LoginConfiguration, LoginToken},
    },
};
use secrecy::ExposeSecret as _;
use serde_json::json;

use super::{
    AtFacebook, World, in_each_world,
    meta::{Person, START, TWO_HOURS, ad_account},
};

async fn gaps(world: &World) -> Vec<GapKind> {
    world.connection().await.state.gaps().iter().map(|gap| gap.kind.clone()).collect()
}

#[test]
fn a_token_without_an_end_never_expires() {
    in_each_world(async |world| {
        let person = Person { expires_in: None, expires_at: (0, 0), ..Person::new("901", "Ann") };
        world.meta.meet(person);
        world.connect_as(&world.account, "Ann").await.2.shows("Bakery is connected");
        let connection = world.connection().await;
        assert_eq!(connection.state, State::Connected);
        assert_eq!(connection.token.unwrap().expires_at, None);
        // What never expires is not lengthened.
        let exchanges = world.meta.requests("/oauth/access_token");
        assert!(!exchanges.iter().any(|seen| seen.params.contains_key("fb_exchange_token")));
        world.clock().advance_seconds(10 * 365 * 24 * 3600);
        let id = world.connection().await.id;
        connections::access(world.app(), &world.account, &id).await.unwrap();
    });
}

#[test]
fn a_long_token_with_the_same_date_does_not_count() {
    in_each_world(async |world| {
        world.meta.meet(Person { expires_at: (TWO_HOURS, TWO_HOURS), ..Person::new("901", "Ann") });
        world.connect_as(&world.account, "Ann").await.2.shows("connected, with gaps");
        let connection = world.connection().await;
        assert_eq!(connection.token.as_ref().unwrap().expires_at.unwrap().unix(), TWO_HOURS);
        assert!(matches!(gaps(world).await[..], [GapKind::ShortLived { .. }]));
        world.clock().advance_seconds(TWO_HOURS - START);
        assert!(connections::access(world.app(), &world.account, &connection.id).await.is_err());
    });
}

#[test]
fn a_declined_permission_is_asked_for_once_more_and_no_oftener() {
    in_each_world(async |world| {
        let person = Person {
            scopes: vec!["ads_read", "pages_read_engagement", "pages_show_list", "public_profile"],
            declined: vec!["ads_management"],
            ..Person::new("901", "Ann")
        };
        world.meta.meet(person.clone());
        let (session, mut browser, page) = world.connect_as(&world.account, "Ann").await;
        page.shows("connected, with gaps")
            .shows("You did not allow this")
            .hides("rerequest")
            .shows("Let Facebook ask again for just that");
        let connection = world.connection().await;
        assert_eq!(
            gaps(world).await,
            [GapKind::PermissionDeclined { permission: "ads_management".to_owned() }]
        );
        assert_eq!(connection.declined, ["ads_management"]);

        let again = browser.post(&format!("/connect/s/{}/start", session.id)).await;
        let at = AtFacebook::of(&again);
        assert_eq!(
            (at.params["auth_type"].as_str(), at.params["scope"].as_str()),
            ("rerequest", "ads_management")
        );
        let back = world.come_back(&mut browser, &at, "Ann").await;
        browser.follow(&back).await.shows("Yes, connect");
        let pressed = browser.post(&format!("/connect/s/{}/confirm", session.id)).await;
        // Declined once more: no third time in this session.
        let page = browser.follow(&pressed).await;
        page.shows("connected, with gaps").hides("ask again for just that");
        assert_eq!(browser.post(&format!("/connect/s/{}/start", session.id)).await.status, 404);

        // A later session explains it before Facebook asks, and asks with `rerequest`.
        let (_, link) = world.session(Kind::Link).await;
        let mut browser = world.browser();
        browser.get(&link).await.shows("You did not allow").shows("once more");
        let at = AtFacebook::of(&browser.post(&format!("{link}/start")).await);
        assert_eq!(at.params["auth_type"], "rerequest");
        assert!(at.params["scope"].contains("ads_read"));

        // Granted at last.
        world.meta.meet(Person::new("901", "Ann"));
        world.connect_as(&world.account, "Ann").await.2.hides("with gaps");
        assert_eq!(world.connection().await.state, State::Connected);
        let (_, link) = world.session(Kind::Link).await;
        let mut browser = world.browser();
        assert!(!world.to_facebook(&mut browser, &link).await.params.contains_key("auth_type"));
    });
}

#[test]
fn target_ids_absent_are_all_an_empty_list_is_none() {
    in_each_world(async |world| {
        let lists = vec![ad_account("act_11"), ad_account("act_12"), ad_account("act_13")];
        let ids = async || -> Vec<String> {
            let assets = world.connection().await.assets;
            assets.ad_accounts.into_iter().map(|account| account.id).collect()
        };
        let with = |granular| Person { ad_accounts: lists.clone(), granular, ..Person::new("901", "Ann") };

        world.meta.meet(with(json!([{ "scope": "ads_management" }, { "scope": "ads_read" }])));
        world.connect_as(&world.account, "Ann").await;
        assert_eq!(ids().await, ["act_11", "act_12", "act_13"]);

        for granular in [
            json!([{ "scope": "ads_management", "target_ids": ["12"] }, { "scope": "ads_read", "target_ids": ["12"] }]),
            json!([{ "scope": "ads_management", "target_ids": ["act_12"] }, { "scope": "ads_read", "target_ids": ["act_12"] }]),
        ] {
            world.meta.meet(with(granular));
            world.connect_as(&world.account, "Ann").await;
            assert_eq!(ids().await, ["act_12"]);
            assert_eq!(world.connection().await.state, State::Connected);
        }

        world.meta.meet(with(json!([
            { "scope": "ads_management", "target_ids": [] }, { "scope": "ads_read", "target_ids": [] }
        ])));
        world.connect_as(&world.account, "Ann").await.2.shows("No ad account was shared");
        assert!(ids().await.is_empty());
        assert!(gaps(world).await.contains(&GapKind::NoAdAccounts));
        assert_ne!(world.connection().await.state, State::Connected);
    });
}

#[test]
fn a_page_that_no_list_shows_is_read_singly() {
    in_each_world(async |world| {
        // The list of Pages leaves out those that a portfolio owns.
        let mut person = Person::new("901", "Ann");
        person.granular = json!([{ "scope": "pages_show_list", "target_ids": ["21", "22"] },
            { "scope": "pages_read_engagement", "target_ids": ["21", "22"] }]);
        world.meta.meet(person);
        world.connect_as(&world.account, "Ann").await;
        assert_eq!(world.meta.requests("/22").len(), 1);
        assert_eq!(world.connection().await.assets.pages.len(), 1, "22 does not answer");
    });
}

#[test]
fn nothing_shared_is_never_connected() {
    in_each_world(async |world| {
        world.meta.meet(Person { ad_accounts: Vec::new(), pages: Vec::new(), ..Person::new("901", "Ann") });
        let (session, _, page) = world.connect_as(&world.account, "Ann").await;
        page.shows("Bakery is not connected yet")
            .shows("neither an ad account nor a Page was picked")
            .shows("No Page was shared")
            .shows(&format!("/connect/s/{}/start", session.id))
            .hides("is connected");
        assert_eq!(gaps(world).await, [GapKind::NoAdAccounts, GapKind::NoPages]);
        let connection = world.connection().await;
        assert_eq!(connection.state.name(), "nothing_shared");
        let refused = connections::access(world.app(), &world.account, &connection.id).await;
        assert!(matches!(refused, Err(Error::NotReady { who: Who::Account, .. })), "{refused:?}");

        // The partner is told, in the events and in the console.
        let backend = crate::api::Backend::new(&world.test, None).await;
        let (_, events) = backend.get("/v1/events?after=0&types=connection.broken").await;
        assert_eq!(events["data"][0]["data"]["state"], "nothing_shared", "{events}");
        let (_, listed) = backend.get("/v1/connections?state=nothing_shared").await;
        assert_eq!(listed["data"][0]["id"], connection.id.as_str());
        let mut operator = crate::console::Browser::signed_in(&world.test).await;
        let here = format!("/accounts/{}/connections/{}", world.account, connection.id);
        let html = crate::console::page(operator.get(&here).await).await;
        assert!(html.contains("Nothing shared") && html.contains("No ad account was shared"), "{html}");

        // Somebody gives her access to an ad account: no new consent is needed.
        world.meta.meet(Person { pages: Vec::new(), ..Person::new("901", "Ann") });
        let report = connections::test(world.app(), &Actor::System, &world.account, &connection.id).await;
        assert_eq!(report.unwrap().connection.state.name(), "connected_with_gaps");
    });
}

#[test]
fn who_unticks_everything_is_told_that_nothing_is_connected_and_asked_once_more() {
    in_each_world(async |world| {
        let wanted = ["ads_management", "ads_read", "pages_read_engagement", "pages_show_list"];
        world.meta.meet(Person {
            scopes: vec!["public_profile"],
            declined: wanted.to_vec(),
            granular: json!([]),
            ..Person::new("901", "Ann")
        });
        let (session, mut browser, page) = world.connect_as(&world.account, "Ann").await;
        page.shows("Bakery is not connected yet")
            .shows("none of the permissions that Example Suite asked for was granted")
            .shows("Let Facebook ask again")
            .hides("is connected");
        assert_eq!(world.connection().await.state.name(), "nothing_shared");
        let start = format!("/connect/s/{}/start", session.id);
        let at = AtFacebook::of(&browser.post(&start).await);
        assert_eq!(
            (at.params["auth_type"].as_str(), at.params["scope"].as_str()),
            ("rerequest", wanted.join(",").as_str())
        );
        world.meta.meet(Person::new("901", "Ann"));
        let back = world.come_back(&mut browser, &at, "Ann").await;
        browser.follow(&back).await.shows("Yes, connect");
        let pressed = browser.post(&format!("/connect/s/{}/confirm", session.id)).await;
        browser.follow(&pressed).await.shows("Bakery is connected");
    });
}

#[test]
fn a_later_link_stops_at_facebook_for_who_picked_nothing() {
    in_each_world(async |world| {
        world.meta.meet(Person { ad_accounts: Vec::new(), pages: Vec::new(), ..Person::new("901", "Ann") });
        world.connect_as(&world.account, "Ann").await;
        let (_, link) = world.session(Kind::Link).await;
        let mut browser = world.browser();
        // Without it Facebook lets people pass who agreed to everything, and they could pick nothing again.
        assert_eq!(world.to_facebook(&mut browser, &link).await.params["auth_type"], "rerequest");
    });
}

#[test]
fn who_picked_nothing_gets_one_button_until_something_is_picked() {
    in_each_world(async |world| {
        let nothing = json!([{ "scope": "ads_management", "target_ids": [] }, { "scope": "ads_read", "target_ids": [] }]);
        world.meta.meet(Person { ad_accounts: Vec::new(), granular: nothing, ..Person::new("901", "Ann") });
        let (session, mut browser, page) = world.connect_as(&world.account, "Ann").await;
        let start = format!("/connect/s/{}/start", session.id);
        for last in [false, true] {
            assert_eq!(gaps(world).await, [GapKind::NoAdAccounts], "one cause is one gap");
            if !last {
                page.shows("No ad account was shared").shows("Press the button below").hides("`");
                assert_eq!(page.body.matches(&start).count(), 1);
            }
            let at = AtFacebook::of(&browser.post(&start).await);
            assert_eq!(at.params["scope"], "ads_management,ads_read", "only what was granted for nothing");
            if last {
                world.meta.meet(Person::new("901", "Ann"));
            }
            let back = world.come_back(&mut browser, &at, "Ann").await;
            browser.follow(&back).await.shows("Yes, connect");
            let pressed = browser.post(&format!("/connect/s/{}/confirm", session.id)).await;
            let page = browser.follow(&pressed).await;
            if last {
                page.shows("Bakery is connected").hides("with gaps").hides(&start);
            } else {
                page.shows(&start);
            }
        }
        assert_eq!(world.connection().await.state, State::Connected);
        assert_eq!(browser.post(&start).await.status, 404, "nothing is left to ask for");
    });
}

#[test]
fn shared_and_yet_not_there_means_the_tech_provider_is_not_verified() {
    in_each_world(async |world| {
        world.meta.meet(Person { hidden: true, ..Person::new("901", "Ann") });
        world.connect_as(&world.account, "Ann").await.2.shows("Tech Provider");
        assert_eq!(gaps(world).await, [GapKind::TechProvider]);
    });
}

#[test]
fn a_token_of_another_app_or_another_visit_is_not_kept() {
    in_each_world(async |world| {
        let other_app = Person { app_id: "999", ..Person::new("901", "Ann") };
        let other_visit = Person { nonce: Some("of-another-visit".to_owned()), ..Person::new("901", "Ann") };
        let dead = Person { death: Some((190, 460)), ..Person::new("901", "Ann") };
        for person in [other_app, other_visit, dead] {
            world.meta.meet(person);
            let (session, _, page) = world.connect_as(&world.account, "Ann").await;
            page.shows("Who can mend it");
            assert!(matches!(world.stage(&session).await, Stage::Refused { .. }));
            let connection = world.connection().await;
            assert_eq!((connection.state, connection.token), (State::Installed, None));
        }
    });
}

#[test]
fn another_person_is_asked_about_and_does_not_overwrite() {
    in_each_world(async |world| {
        world.connect_as(&world.account, "Ann").await;
        world.meta.meet(Person::new("902", "Bob"));
        let (session, mut browser, page) = world.connect_as(&world.account, "Bob").await;
        page.shows("This is somebody else than before").shows("Ann").shows("Connect as Bob from now on");
        assert!(matches!(world.stage(&session).await, Stage::OtherIdentity { .. }));
        let connection = world.connection().await;
        assert_eq!(connection.subject.as_ref().unwrap().name.as_deref(), Some("Ann"));
        let access = connections::access(world.app(), &world.account, &connection.id).await.unwrap();
        assert_eq!(access.token.token().expose_secret(), "EAAB-long-token-of-Ann");

        let accepted = browser.post(&format!("/connect/s/{}/accept", session.id)).await;
        browser.follow(&accepted).await.shows("Bakery is connected").shows("as Bob");
        let after = world.connection().await;
        assert_eq!(after.id, connection.id, "reconnected in place");
        assert_eq!(after.subject.unwrap().name.as_deref(), Some("Bob"));
        // Ann's consent is taken back: nothing else lives by it.
        let deletes: Vec<_> = world.meta.requests("/901/permissions");
        assert_eq!(deletes.iter().filter(|seen| seen.method == "DELETE").count(), 1);

        // The same person again: nothing is asked, nothing revoked.
        world.connect_as(&world.account, "Bob").await.2.shows("Bakery is connected");
        assert!(world.meta.requests("/902/permissions").iter().all(|seen| seen.method != "DELETE"));
    });
}

#[test]
fn the_operator_may_decide_about_another_person() {
    in_each_world(async |world| {
        world.connect_as(&world.account, "Ann").await;
        let mut operator = crate::console::Browser::signed_in(&world.test).await;
        let connection = world.connection().await;
        let here = format!("/accounts/{}/connections/{}", world.account, connection.id);
        assert!(!crate::console::page(operator.get(&here).await).await.contains("/accept"));
        world.meta.meet(Person::new("902", "Bob"));
        let (session, ..) = world.connect_as(&world.account, "Bob").await;
        let html = crate::console::page(operator.get(&here).await).await;
        assert!(html.contains("Connect as Bob from now on") && html.contains(session.id.as_str()));

        // A session of another connection is not decided here.
        let other = super::account(world.app(), "Florist").await;
        let (elsewhere, ..) = world.connect_as(&other, "Ann").await;
        let wrong = operator.post(&format!("{here}/accept"), &[("session", elsewhere.id.as_str())]).await;
        assert_eq!(wrong.status(), 404);

        let form = [("session", session.id.as_str())];
        let accepted = operator.post(&format!("{here}/accept"), &form).await;
        assert_eq!(crate::console::target(&accepted), format!("{here}?done=identity-accepted"));
        assert_eq!(world.connection().await.subject.unwrap().name.as_deref(), Some("Bob"));
        let again = operator.post(&format!("{here}/accept"), &form).await;
        assert_eq!(again.status(), 422, "it is decided once");
    });
}

#[test]
fn the_token_of_somebody_else_is_dropped_when_nobody_decides() {
    in_each_world(async |world| {
        world.connect_as(&world.account, "Ann").await;
        world.meta.meet(Person::new("902", "Bob"));
        let (session, mut browser, _) = world.connect_as(&world.account, "Bob").await;
        world.clock().advance_seconds(600);
        let accepted = browser.post(&format!("/connect/s/{}/accept", session.id)).await;
        browser.follow(&accepted).await.shows("The confirmation came too late");
        connect_sessions::sweep(world.app()).await.unwrap();
        assert_eq!(world.connection().await.subject.unwrap().name.as_deref(), Some("Ann"));
    });
}

pub async fn business_login(world: &World) {
    let mut new = super::facebook_login();
    new.login = Login::Business {
        configurations: vec![LoginConfiguration {
            id: "777".to_owned(),
            use_cases: vec!["ads".to_owned()],
            token: LoginToken::SystemUser,
        }],
    };
    setup::save(world.app(), &Actor::System, new).await.unwrap();
}

#[test]
fn a_business_consents_with_a_configuration_and_is_the_subject() {
    in_each_world(async |world| {
        business_login(world).await;
        let system_user = Person {
            kind: "SYSTEM_USER",
            business: Some("555"),
            expires_in: None,
            expires_at: (0, 0),
            granular: json!([{ "scope": "ads_read", "target_ids": ["11"] },
                { "scope": "ads_management", "target_ids": ["11"] }]),
            ..Person::new("6101", "Suite System User")
        };
        world.meta.meet(Person { name: "Sue", ..system_user.clone() });
        let (_, link) = world.session(Kind::Link).await;
        let mut browser = world.browser();
        browser.get(&link).await.shows("full control of the portfolio");
        let at = AtFacebook::of(&browser.post(&format!("{link}/start")).await);
        assert_eq!(at.params["config_id"], "777");
        assert_eq!(at.params["override_default_response_type"], "true");
        assert_eq!(at.params["response_type"], "code");
        assert!(!at.params.contains_key("scope"), "the configuration stands for its permissions");

        world.connect_as(&world.account, "Sue").await.2.shows("Bakery is connected");
        let connection = world.connection().await;
        assert_eq!(connection.token.unwrap().kind, TokenKind::SystemUser);
        assert_eq!(connection.subject.unwrap().business_id.as_deref(), Some("555"));
        assert_eq!(connection.assets.ad_accounts[0].id, "act_11");
        assert_eq!(connection.assets.businesses[0].name.as_deref(), Some("Portfolio"));
        assert!(world.meta.requests("/me/adaccounts").is_empty(), "which fails for system users");

        // The same portfolio by another system user is no other identity; its old token is revoked singly.
        world.meta.meet(Person { name: "Tom", id: "6102", ..system_user });
        world.connect_as(&world.account, "Tom").await.2.shows("Bakery is connected");
        let revoked = world.meta.requests("/oauth/revoke");
        assert_eq!(revoked.len(), 1);
        assert_eq!(revoked[0].params["revoke_token"], "EAAB-short-token-of-Sue");
    });
}

#[test]
fn a_system_user_without_the_permissions_points_at_advanced_access() {
    in_each_world(async |world| {
        business_login(world).await;
        world.meta.meet(Person {
            kind: "SYSTEM_USER",
            business: Some("555"),
            scopes: vec!["pages_show_list"],
            ..Person::new("6101", "Sue")
        });
        world
            .connect_as(&world.account, "Sue")
            .await
            .2
            .shows("has to change something in its Meta app")
            .hides("Advanced Access")
            .hides("ask again for just that");
        let missing = |name: &str| GapKind::PermissionMissing { permission: name.to_owned() };
        let gaps = gaps(world).await;
        assert!(gaps.contains(&missing("ads_read")) && gaps.contains(&missing("ads_management")), "{gaps:?}");
    });
}

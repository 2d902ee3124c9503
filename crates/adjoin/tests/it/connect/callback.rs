//! Everything Facebook, or somebody in its place, can send to the callback.

use adjoin::service::{
    connect_sessions::{Kind, Stage, Waiting},
    connections::State,
    settings,
};

use super::{in_each_world, meta::SIXTY_DAYS};

#[test]
fn a_consent_connects_after_the_press_and_not_before() {
    in_each_world(async |world| {
        let (session, link) = world.session(Kind::Link).await;
        let mut browser = world.browser();
        let at = world.to_facebook(&mut browser, &link).await;
        assert_eq!(at.path, "/v26.0/dialog/oauth");
        assert_eq!(at.params["redirect_uri"], world.test.url("/connector/callback"));
        assert_eq!(at.params["scope"], "ads_management,ads_read,pages_read_engagement,pages_show_list");
        assert!(!at.params.keys().any(|name| name.starts_with("code_challenge")), "{:?}", at.params);
        assert!(!at.params.contains_key("auth_type"));

        let back = world.come_back(&mut browser, &at, "Ann").await;
        assert_eq!(
            back.location(),
            format!("/connect/s/{}#", session.id),
            "no code, no state, a fragment of its own"
        );
        assert_eq!(back.header("referrer-policy"), "no-referrer");
        let page = browser.follow(&back).await;
        page.shows("Example Suite").shows("Bakery").shows("Yes, connect Bakery").hides("code-of-Ann");
        assert!(page.header("content-security-policy").contains("frame-ancestors 'none'"));
        assert!(matches!(world.stage(&session).await, Stage::CodeHeld { .. }));
        assert!(world.meta.exchanges().is_empty(), "the code is not used before the press");

        let pressed = browser.post(&format!("/connect/s/{}/confirm", session.id)).await;
        browser.follow(&pressed).await.shows("Bakery is connected").shows("act_11").shows("Page 21");
        let connection = world.connection().await;
        assert_eq!(connection.state, State::Connected);
        assert_eq!(connection.subject.unwrap().name.as_deref(), Some("Ann"));
        assert_eq!(connection.token.unwrap().expires_at.unwrap().unix(), SIXTY_DAYS);
        let exchanges = world.meta.exchanges();
        assert_eq!(exchanges.len(), 1);
        assert_eq!(exchanges[0].method, "POST", "the secret stays out of addresses");
        assert_eq!(exchanges[0].params["redirect_uri"], at.params["redirect_uri"]);
        assert!(!exchanges[0].params.contains_key("code_verifier"));

        // A second press, and the button of the browser's history, change nothing.
        let again = browser.post(&format!("/connect/s/{}/confirm", session.id)).await;
        browser.follow(&again).await.shows("Bakery is connected");
        assert_eq!(world.meta.exchanges().len(), 1);
    });
}

#[test]
fn a_cancel_leaves_everything_as_it_was() {
    in_each_world(async |world| {
        let (session, link) = world.session(Kind::Link).await;
        let mut browser = world.browser();
        let at = world.to_facebook(&mut browser, &link).await;
        let query = "error=access_denied&error_reason=user_denied&error_code=200&error_description=Permissions%20error";
        let back = browser.get(&format!("/connector/callback?{query}&state={}", at.state())).await;
        browser.follow(&back).await.shows("You did not agree at Facebook").shows("Try again at Facebook");
        assert_eq!(world.stage(&session).await, Stage::Declined);
        assert_eq!(world.connection().await.state, State::Installed);
        assert!(world.meta.exchanges().is_empty());

        // And once more, in the same browser.
        let again = browser.post(&format!("/connect/s/{}/start", session.id)).await;
        let at = super::AtFacebook::of(&again);
        let back = world.come_back(&mut browser, &at, "Ann").await;
        browser.follow(&back).await.shows("Yes, connect Bakery");
    });
}

#[test]
fn a_refusal_is_explained_by_its_number_with_and_without_a_state() {
    in_each_world(async |world| {
        for refusal in adjoin_marketing::dialog::refusals() {
            let Some(code) = refusal.error_code.filter(|code| *code != 200) else { continue };
            // All visitors share an address here, and its limit.
            world.test.clock.advance_seconds(60);
            for with_state in [true, false] {
                let (session, link) = world.session(Kind::Link).await;
                let mut browser = world.browser();
                let at = world.to_facebook(&mut browser, &link).await;
                let state = if with_state { format!("&state={}", at.state()) } else { String::new() };
                let query = format!("error_code={code}&error_message=Lokalisierter%20Text{state}");
                let back = browser.get(&format!("/connector/callback?{query}")).await;
                let page = browser.follow(&back).await;
                page.shows(&refusal.title).shows("Who can mend it").hides("Lokalisierter");
                if refusal.who == adjoin::service::Who::Partner {
                    let (person, service) = page
                        .body
                        .split_once("For the people who run this service")
                        .expect("a part of its own");
                    assert!(person.contains("Tell Example Suite") && !person.contains("App Dashboard"));
                    assert!(service.contains(&refusal.title.replace('\'', "&#39;")));
                }
                match world.stage(&session).await {
                    Stage::Refused { refusal } => assert_eq!(refusal.code, Some(code)),
                    other => panic!("{code}: {other:?}"),
                }
            }
            // To a stranger's browser it is explained as well, and no session is touched.
            let mut stranger = world.browser();
            let back = stranger.get(&format!("/connector/callback?error_code={code}&error_message=x")).await;
            assert_eq!(back.location(), format!("/connect/problem/refused-{code}#"));
            stranger.follow(&back).await.shows(&refusal.title);
        }
        assert!(world.meta.exchanges().is_empty());
    });
}

#[test]
fn who_has_to_register_the_redirect_uri_reads_it_character_by_character() {
    in_each_world(async |world| {
        let uri = world.test.url("/connector/callback");
        for code in [1_349_168, 191] {
            let (session, link) = world.session(Kind::Link).await;
            let mut browser = world.browser();
            let at = world.to_facebook(&mut browser, &link).await;
            let query = format!("error_code={code}&error_message=x&state={}", at.state());
            let back = browser.get(&format!("/connector/callback?{query}")).await;
            let page = browser.follow(&back).await;
            page.shows(&format!("add {uri} to Valid OAuth Redirect URIs"))
                .shows("Facebook Login for Business");
            page.shows(&format!("error_code is {code}"));
            let Stage::Refused { refusal } = world.stage(&session).await else { panic!("it was refused") };
            assert!(refusal.next_step.contains(&uri), "{refusal:?}");
            // Without a session the one that is set up is shown.
            let stranger = world.browser().get(&format!("/connect/problem/refused-{code}")).await;
            stranger.shows(&uri);
        }
    });
}

#[test]
fn what_facebook_failed_at_is_blamed_on_nobody_here() {
    in_each_world(async |world| {
        for error in ["server_error", "temporarily_unavailable"] {
            let (session, link) = world.session(Kind::Link).await;
            let mut browser = world.browser();
            let at = world.to_facebook(&mut browser, &link).await;
            let back = browser.get(&format!("/connector/callback?error={error}&state={}", at.state())).await;
            let page = browser.follow(&back).await;
            page.shows("all one can do is wait").shows("Try again at Facebook");
            page.hides("Tell Example Suite").hides("For the people who run this service");
            let Stage::Refused { refusal } = world.stage(&session).await else { panic!("it was refused") };
            assert_eq!(refusal.who, adjoin::service::Who::Meta);

            let mut stranger = world.browser();
            let back = stranger.get(&format!("/connector/callback?error={error}")).await;
            assert_eq!(back.location(), format!("/connect/problem/refused-{error}#"));
            stranger.follow(&back).await.shows("all one can do is wait");
        }
    });
}

#[test]
fn the_partner_sees_on_the_connections_page_why_a_consent_did_not_come_about() {
    in_each_world(async |world| {
        let mut operator = crate::console::Browser::signed_in(&world.test).await;
        let (session, link) = world.session(Kind::Link).await;
        let here = format!("/accounts/{}/connections/{}", world.account, session.connection_id);
        let mut page = async || crate::console::page(operator.get(&here).await).await;
        assert!(!page().await.contains("Consents that did not come about"));

        let mut browser = world.browser();
        let at = world.to_facebook(&mut browser, &link).await;
        assert!(page().await.contains("Somebody is at Facebook now"));
        let query = format!("error_code=1349126&error_message=x&state={}", at.state());
        browser.get(&format!("/connector/callback?{query}")).await;
        let html = page().await;
        for words in
            ["The app is not open to this person yet", "add the person as a tester", "error_code 1349126"]
        {
            assert!(html.contains(words), "{words}");
        }
        assert!(html.contains("saw the consent refused"), "the history tells it");
        let backend = crate::api::Backend::new(&world.test, None).await;
        let path = format!("/v1/accounts/{}/connect-sessions/{}", world.account, session.id);
        let (_, told) = backend.get(&path).await;
        assert_eq!(
            (told["status"].as_str(), told["refusal"]["who"].as_str()),
            (Some("refused"), Some("partner"))
        );
        assert!(told["started_at"].is_string());

        // Another one is left at Facebook, a third one cancelled.
        world.clock().advance_seconds(60);
        let (_, link) = world.session(Kind::Link).await;
        world.to_facebook(&mut world.browser(), &link).await;
        world.clock().advance_seconds(600);
        assert!(page().await.contains("Facebook did not send the person back"));
        let (_, link) = world.session(Kind::Link).await;
        let mut browser = world.browser();
        let at = world.to_facebook(&mut browser, &link).await;
        browser.get(&format!("/connector/callback?error=access_denied&state={}", at.state())).await;
        assert!(page().await.contains("The person did not agree"));

        // Once it is connected, nobody has to look after them.
        world.clock().advance_seconds(60);
        world.connect_as(&world.account, "Ann").await;
        assert!(!page().await.contains("Consents that did not come about"));
    });
}

#[test]
fn a_session_refused_without_a_state_can_still_go_on() {
    in_each_world(async |world| {
        let (session, link) = world.session(Kind::Link).await;
        let mut browser = world.browser();
        let at = world.to_facebook(&mut browser, &link).await;
        browser.get("/connector/callback?error_code=1349220&error_message=x").await;
        assert!(matches!(world.stage(&session).await, Stage::Refused { .. }));
        let back = world.come_back(&mut browser, &at, "Ann").await;
        browser.follow(&back).await.shows("Yes, connect Bakery");
    });
}

#[test]
fn an_answer_that_belongs_to_no_visit_is_refused() {
    in_each_world(async |world| {
        let (session, link) = world.session(Kind::Link).await;
        let mut browser = world.browser();
        let at = world.to_facebook(&mut browser, &link).await;
        let cases = [
            ("code=code-of-Ann", "state-missing"),
            ("code=code-of-Ann&state=", "state-missing"),
            ("code=code-of-Ann&state=AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA", "state-unknown"),
            ("", "nothing-there"),
            ("unrelated=1", "nothing-there"),
        ];
        for (query, slug) in cases {
            let back = browser.get(&format!("/connector/callback?{query}")).await;
            assert_eq!(back.location(), format!("/connect/problem/{slug}#"), "{query}");
            let page = browser.follow(&back).await;
            assert_eq!(page.status, 400);
            page.shows("What to do").shows("Who can mend it");
        }
        assert!(matches!(world.stage(&session).await, Stage::AtFacebook { .. }));

        // The right one still counts, once.
        let back = world.come_back(&mut browser, &at, "Ann").await;
        assert!(back.location().starts_with("/connect/s/"));
        let replay = world.come_back(&mut browser, &at, "Ann").await;
        assert_eq!(replay.location(), "/connect/problem/state-used#");
        browser.follow(&replay).await.shows("This answer was used already");
        assert!(world.meta.exchanges().is_empty());
    });
}

#[test]
fn an_answer_after_ten_minutes_is_late() {
    in_each_world(async |world| {
        let (session, link) = world.session(Kind::Link).await;
        let mut browser = world.browser();
        let at = world.to_facebook(&mut browser, &link).await;
        world.clock().advance_seconds(600);
        let stage = world.stage(&session).await;
        assert_eq!(stage, Stage::Expired { waiting_for: Waiting::Facebook });
        let waited = browser.get(&format!("/connect/s/{}", session.id)).await;
        for refusal in adjoin_marketing::dialog::to_look_at() {
            waited.shows(&refusal.title);
        }
        waited.shows(&world.test.url("/connector/callback"));
        browser
            .get(&format!("/connect/s/{}", session.id))
            .await
            .shows("We did not hear back from Facebook")
            .shows("redirect URI is not registered");
        let back = world.come_back(&mut browser, &at, "Ann").await;
        assert_eq!(back.location(), "/connect/problem/state-late#");
        browser.follow(&back).await.shows("The answer came too late");
        assert!(world.meta.exchanges().is_empty());
    });
}

#[test]
fn another_browser_gets_nothing_and_spoils_the_state() {
    in_each_world(async |world| {
        let (session, link) = world.session(Kind::Link).await;
        let mut browser = world.browser();
        let at = world.to_facebook(&mut browser, &link).await;

        let mut without_cookie = world.browser();
        let back = world.come_back(&mut without_cookie, &at, "Ann").await;
        assert_eq!(back.location(), "/connect/problem/other-browser#");
        without_cookie.follow(&back).await.shows("This is not the browser you began with");

        // The state is burnt: the right browser cannot use it either.
        let back = world.come_back(&mut browser, &at, "Ann").await;
        assert_eq!(back.location(), "/connect/problem/state-used#");

        let (_, other_link) = world.session(Kind::Link).await;
        let mut with_other_cookie = world.browser();
        world.to_facebook(&mut with_other_cookie, &other_link).await;
        let again = browser.post(&format!("/connect/s/{}/start", session.id)).await;
        let at = super::AtFacebook::of(&again);
        // Its own cookie's value, under the name of the other session.
        let value = with_other_cookie.cookies.values().next().unwrap().clone();
        let name = browser.cookies.keys().next().unwrap().clone();
        with_other_cookie.cookies.insert(name, value);
        let back = world.come_back(&mut with_other_cookie, &at, "Ann").await;
        assert_eq!(back.location(), "/connect/problem/other-browser#");
        assert!(world.meta.exchanges().is_empty());
    });
}

#[test]
fn the_address_must_be_the_one_that_was_sent() {
    in_each_world(async |world| {
        let key = settings::get(world.app()).await.unwrap().partner_key;
        let (session, link) = world.session(Kind::Link).await;
        let mut browser = world.browser();
        let at = world.to_facebook(&mut browser, &link).await;
        for path in ["/connector/callback/0000000000000000".to_owned(), format!("/connector/callback/{key}")]
        {
            let back = browser.get(&format!("{path}?code=code-of-Ann&state={}", at.state())).await;
            assert_eq!(back.location(), "/connect/problem/other-partner#", "{path}");
        }
        assert!(matches!(world.stage(&session).await, Stage::AtFacebook { .. }));

        let mut new = super::facebook_login();
        new.keyed_redirect_uri = Some(true);
        adjoin::service::setup::save(world.app(), &adjoin::audit::Actor::System, new).await.unwrap();
        let again = browser.post(&format!("/connect/s/{}/start", session.id)).await;
        let at = super::AtFacebook::of(&again);
        assert_eq!(at.params["redirect_uri"], world.test.url(&format!("/connector/callback/{key}")));
        let plain = world.come_back(&mut browser, &at, "Ann").await;
        assert_eq!(plain.location(), "/connect/problem/other-partner#");
        let query = format!("code=code-of-Ann&state={}", at.state());
        let back = browser.get(&format!("/connector/callback/{key}?{query}")).await;
        browser.follow(&back).await.shows("Yes, connect Bakery");
        let pressed = browser.post(&format!("/connect/s/{}/confirm", session.id)).await;
        browser.follow(&pressed).await.shows("Bakery is connected");
        assert_eq!(world.meta.exchanges()[0].params["redirect_uri"], at.params["redirect_uri"]);
    });
}

#[test]
fn two_partners_sessions_in_one_browser_do_not_disturb_each_other() {
    in_each_world(async |world| {
        let mut browser = world.browser();
        let ((first, first_link), (second, second_link)) =
            (world.session(Kind::Link).await, world.session(Kind::Link).await);
        let first_at = world.to_facebook(&mut browser, &first_link).await;
        let second_at = world.to_facebook(&mut browser, &second_link).await;
        let back = world.come_back(&mut browser, &first_at, "Ann").await;
        assert_eq!(back.location(), format!("/connect/s/{}#", first.id));
        let back = world.come_back(&mut browser, &second_at, "Ann").await;
        assert_eq!(back.location(), format!("/connect/s/{}#", second.id));
    });
}

//! The connect page: what it says, who may frame it, and what strangers learn.

use adjoin::{
    audit::Actor,
    service::{
        connect_sessions::Kind,
        setup::{self, Login, LoginConfiguration, LoginToken},
    },
};
use reqwest::Client;

use super::{EMBED_ORIGIN, RETURN_URL, in_each_world};

#[test]
fn it_names_both_parties_and_says_what_is_asked_and_why() {
    in_each_world(async |world| {
        let (_, link) = world.session(Kind::Link).await;
        let page = world.browser().get(&link).await;
        page.shows("Example Suite").shows("Bakery").shows("Example Ads").shows("Continue to Facebook");
        for permission in setup::wanted(&setup::get(world.app()).await.unwrap().unwrap(), &[]) {
            let why = &adjoin_marketing::permissions::permission(&permission).unwrap().why;
            page.shows(&permission).shows(why);
        }
        assert_eq!(page.header("referrer-policy"), "no-referrer");
        assert_eq!(page.header("cache-control"), "no-store");
        let policy = page.header("content-security-policy");
        assert!(policy.contains("frame-ancestors 'none'"), "{policy}");
        let dialog = world.meta.url.origin().ascii_serialization();
        assert!(
            policy.contains(&format!("form-action 'self' {dialog}")),
            "the press leads to the dialog: {policy}"
        );
    });
}

#[test]
fn only_the_sessions_origin_may_frame_the_first_page_and_nobody_any_other() {
    in_each_world(async |world| {
        let kind = Kind::Embedded {
            return_url: RETURN_URL.to_owned(),
            origin: Some(EMBED_ORIGIN.to_owned()),
            end_user: None,
        };
        let (session, link) = world.session(kind).await;
        let mut browser = world.browser();
        let page = browser.get(&link).await;
        assert!(page.header("content-security-policy").contains(&format!("frame-ancestors {EMBED_ORIGIN}")));
        page.hides("target=\"_blank\"");
        let framed = Client::new()
            .get(world.test.url(&link))
            .header("sec-fetch-dest", "iframe")
            .send()
            .await
            .unwrap()
            .text()
            .await
            .unwrap();
        assert!(framed.contains("target=\"_blank\""), "Facebook does not open in a frame");
        world.to_facebook(&mut browser, &link).await;
        let own = browser.get(&format!("/connect/s/{}", session.id)).await;
        assert!(own.header("content-security-policy").contains("frame-ancestors 'none'"));
        own.shows(RETURN_URL);
    });
}

#[test]
fn links_that_are_unknown_expired_or_used_look_the_same() {
    in_each_world(async |world| {
        let (_, used) = world.session(Kind::Link).await;
        world.to_facebook(&mut world.browser(), &used).await;
        let (_, expired) = world.session(Kind::Link).await;
        world.clock().advance_seconds(15 * 60);
        let mut pages = Vec::new();
        for link in [
            "/connect/cnt_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA",
            "/connect/x",
            &used,
            &expired,
            "/connect/s/ses_00000000000000000000000000000000",
            "/connect/s/x",
            "/connect/problem/unheard-of",
        ] {
            let page = world.browser().get(link).await;
            assert_eq!(page.status, 404, "{link}");
            pages.push(page.body);
        }
        assert!(pages.windows(2).all(|pair| pair[0] == pair[1]));
        assert_eq!(world.browser().post(&format!("{expired}/start")).await.status, 404);
    });
}

#[test]
fn the_opener_learns_the_connections_id_and_the_status_only() {
    in_each_world(async |world| {
        let (session, link) = world.session(Kind::Link).await;
        let mut browser = world.browser();
        let status = async || {
            let answer = world.browser().get(&format!("{link}/status")).await;
            assert_eq!(answer.status, 200);
            let value: serde_json::Value = serde_json::from_str(&answer.body).unwrap();
            assert_eq!(value.as_object().unwrap().len(), 2);
            assert_eq!(value["connection_id"], session.connection_id.as_str());
            value["status"].as_str().unwrap().to_owned()
        };
        assert_eq!(status().await, "created");
        let at = world.to_facebook(&mut browser, &link).await;
        assert_eq!(status().await, "at_facebook");
        world.come_back(&mut browser, &at, "Ann").await;
        assert_eq!(status().await, "code_held");
        browser.post(&format!("/connect/s/{}/confirm", session.id)).await;
        assert_eq!(status().await, "completed");
        let unknown = world.browser().get("/connect/cnt_unknown/status").await;
        assert_eq!(unknown.status, 404);
        assert_eq!(unknown.header("content-type"), "application/problem+json");
    });
}

#[test]
fn a_business_login_warns_on_phones() {
    in_each_world(async |world| {
        let mut new = super::facebook_login();
        new.login = Login::Business {
            configurations: vec![LoginConfiguration {
                id: "777".to_owned(),
                use_cases: vec!["ads".to_owned()],
                token: LoginToken::SystemUser,
            }],
        };
        setup::save(world.app(), &Actor::System, new).await.unwrap();
        let (_, link) = world.session(Kind::Link).await;
        let page = async |agent: &str| {
            let request = Client::new().get(world.test.url(&link)).header("user-agent", agent);
            request.send().await.unwrap().text().await.unwrap()
        };
        let phone = "Mozilla/5.0 (iPhone; CPU iPhone OS 19_0 like Mac OS X) Mobile/15E148";
        assert!(page(phone).await.contains("Open this on a computer"));
        assert!(!page("Mozilla/5.0 (X11; Linux x86_64)").await.contains("Open this on a computer"));
    });
}

#[test]
fn names_are_shown_as_text() {
    in_each_world(async |world| {
        let account = super::account(world.app(), "<script>alert(1)</script>").await;
        let (_, link) = world.session_for(&account, Kind::Link).await;
        world.browser().get(&link).await.hides("<script>alert").shows("&#60;script&#62;");
    });
}

#[test]
fn a_press_from_another_site_brings_no_cookie_and_does_nothing() {
    in_each_world(async |world| {
        let (session, link) = world.session(Kind::Link).await;
        let mut browser = world.browser();
        let at = world.to_facebook(&mut browser, &link).await;
        world.come_back(&mut browser, &at, "Ann").await;
        // `SameSite=Lax` keeps the cookie at home.
        let forged = world.browser().post(&format!("/connect/s/{}/confirm", session.id)).await;
        assert_eq!(forged.status, 404);
        assert!(world.meta.exchanges().is_empty());
    });
}

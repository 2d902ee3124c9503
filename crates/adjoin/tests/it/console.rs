//! The console over HTTP, as a browser without scripts sees it.

use adjoin::{
    audit::Actor,
    service::{
        accounts::{self, NewAccount},
        connections, operators,
    },
};
use reqwest::{Client, Response, StatusCode, redirect::Policy};
use secrecy::{ExposeSecret, SecretString};

use crate::{
    methods::Caller,
    support::{TestApp, on_each_app, on_each_connected},
};

const EMAIL: &str = "ada@example.com";
const PASSWORD: &str = "a sentence is a fine password";

/// A browser: it keeps the session's cookie, and follows no redirect by itself.
pub struct Browser<'t> {
    http: Client,
    test: &'t TestApp,
    cookie: Option<String>,
}

impl<'t> Browser<'t> {
    fn new(test: &'t TestApp) -> Self {
        let http = Client::builder().redirect(Policy::none()).build().unwrap();
        Self { http, test, cookie: None }
    }

    /// A browser whose operator exists and is signed in.
    pub async fn signed_in(test: &'t TestApp) -> Self {
        let invite = operators::first_start_invite(&test.app).await.unwrap().unwrap();
        let new = operators::NewOperator {
            name: "Ada".to_owned(),
            email: EMAIL.to_owned(),
            password: SecretString::from(PASSWORD),
        };
        operators::accept_invite(&test.app, invite.expose_secret(), new).await.unwrap();
        let mut browser = Self::new(test);
        let answer = browser.post("/sign-in", &[("email", EMAIL), ("password", PASSWORD)]).await;
        assert_eq!(answer.status(), StatusCode::SEE_OTHER);
        browser
    }

    pub async fn get(&mut self, path: &str) -> Response {
        self.send(self.http.get(self.test.url(path))).await
    }

    pub async fn post(&mut self, path: &str, form: &[(&str, &str)]) -> Response {
        let request = self.http.post(self.test.url(path)).header("sec-fetch-site", "same-origin").form(form);
        self.send(request).await
    }

    async fn send(&mut self, request: reqwest::RequestBuilder) -> Response {
        let request = match &self.cookie {
            Some(cookie) => request.header("cookie", format!("__Host-adjoin={cookie}")),
            None => request,
        };
        let answer = request.send().await.unwrap();
        for value in answer.headers().get_all("set-cookie") {
            let (name, rest) = value.to_str().unwrap().split_once('=').unwrap();
            assert_eq!(name, "__Host-adjoin");
            let (value, attributes) = rest.split_once(';').unwrap();
            for attribute in ["Path=/", "Secure", "HttpOnly", "SameSite=Lax"] {
                assert!(attributes.contains(attribute), "{attributes}");
            }
            self.cookie = (!value.is_empty()).then(|| value.to_owned());
        }
        answer
    }
}

pub fn target(answer: &Response) -> &str {
    answer.headers()["location"].to_str().unwrap()
}

pub async fn page(answer: Response) -> String {
    let kind = answer.headers()["content-type"].to_str().unwrap().to_owned();
    assert!(kind.starts_with("text/html"), "{kind}");
    answer.text().await.unwrap()
}

/// Every page and form behind sign-in, with an account that exists.
async fn places(test: &TestApp) -> (Vec<String>, Vec<String>) {
    let new = NewAccount { name: "Bright <b>Dental</b>".to_owned(), external_id: Some("cust-1".to_owned()) };
    let account = accounts::create(&test.app, &Actor::System, new).await.unwrap();
    let connection = connections::install(&test.app, &Actor::System, &account.id).await.unwrap();
    let at = format!("/accounts/{}", account.id);
    let there = format!("{at}/connections/{}", connection.id);
    let pages = [
        "/",
        "/settings",
        "/settings/api-keys",
        "/connectors",
        "/connectors/facebook-marketing/setup",
        "/rules",
        "/leads",
        "/leads?state=parked_token&form=1",
        "/quarantine",
        "/endpoints",
        "/endpoints/new",
        "/connectors/facebook-marketing/webhooks",
        &format!("{at}/leads"),
        &format!("{at}/forms"),
        "/accounts",
        "/accounts?find=dental&state=installed",
        "/accounts/new",
        &at,
        &format!("{at}/delete"),
        &there,
        &format!("{there}/disconnect"),
        &format!("{there}/ad-sets/new"),
    ];
    let forms = [
        "/leads/retry",
        &format!("{at}/leads/retry"),
        &format!("{at}/forms/sweep"),
        &format!("{at}/forms/1/backfill"),
        &format!("{at}/subscriptions/check"),
        "/endpoints/new",
        "/connectors/facebook-marketing/webhooks/page/take-over",
        "/settings",
        "/settings/api-keys",
        "/connectors/facebook-marketing/setup",
        "/accounts/new",
        &format!("{at}/rename"),
        &format!("{at}/delete"),
        &format!("{at}/install"),
        &format!("{there}/test"),
        &format!("{there}/link"),
        &format!("{there}/accept"),
        &format!("{there}/disconnect"),
        &format!("{there}/ad-sets/new"),
    ];
    (pages.map(str::to_owned).to_vec(), forms.map(str::to_owned).to_vec())
}

#[test]
fn nobody_gets_in_without_a_session() {
    on_each_app(async |test| {
        let (pages, forms) = places(test).await;
        let mut browser = Browser::new(test);
        for path in &pages {
            let answer = browser.get(path).await;
            assert_eq!(answer.status(), StatusCode::SEE_OTHER, "{path}");
            assert!(target(&answer).starts_with("/sign-in"), "{path}");
        }
        for path in &forms {
            let answer = browser.post(path, &[("name", "x")]).await;
            assert_eq!((answer.status(), target(&answer)), (StatusCode::SEE_OTHER, "/sign-in"), "{path}");
        }
    });
}

#[test]
fn every_page_opens_and_says_everything_escaped_under_a_strict_policy() {
    on_each_app(async |test| {
        let mut browser = Browser::signed_in(test).await;
        let (pages, _) = places(test).await;
        for path in &pages {
            let answer = browser.get(path).await;
            assert_eq!(answer.status(), StatusCode::OK, "{path}");
            let policy = answer.headers()["content-security-policy"].to_str().unwrap().to_owned();
            assert!(policy.starts_with("default-src 'none'; script-src 'self';"), "{policy}");
            assert!(policy.contains("frame-ancestors 'none'"), "{policy}");
            assert_eq!(answer.headers()["x-content-type-options"], "nosniff");
            assert_eq!(answer.headers()["cache-control"], "no-store");
            let html = page(answer).await;
            assert!(html.contains("<html lang=\"en\">") && html.contains("href=\"#content\""), "{path}");
            assert!(!html.contains("<b>Dental</b>"), "{path} does not escape");
            assert!(!html.contains(" style=") && !html.contains("<style"), "{path} has styles of its own");
        }
        let assets = page(browser.get("/").await).await;
        let sheet = assets.split("rel=\"stylesheet\" href=\"").nth(1).unwrap().split('"').next().unwrap();
        let answer = browser.get(sheet).await;
        assert_eq!(answer.status(), StatusCode::OK);
        assert_eq!(answer.headers()["cache-control"], "public, max-age=31536000, immutable");
    });
}

#[test]
fn forms_of_other_sites_are_refused() {
    on_each_app(async |test| {
        let mut browser = Browser::signed_in(test).await;
        let (_, forms) = places(test).await;
        for path in forms.iter().map(String::as_str).chain(["/sign-in", "/sign-out", "/welcome"]) {
            for (name, value) in [("sec-fetch-site", "cross-site"), ("origin", "https://evil.example")] {
                let request = browser.http.post(test.url(path)).header(name, value).form(&[("name", "x")]);
                let answer = browser.send(request).await;
                assert_eq!(answer.status(), StatusCode::FORBIDDEN, "{path} {name}");
            }
        }
        assert_eq!(browser.get("/").await.status(), StatusCode::OK, "still signed in");
    });
}

#[test]
fn the_first_start_makes_one_operator() {
    on_each_app(async |test| {
        let invite = operators::first_start_invite(&test.app).await.unwrap().unwrap();
        let mut browser = Browser::new(test);
        let refused = browser
            .post(
                "/welcome",
                &[("code", "inv_wrong"), ("name", "A"), ("email", EMAIL), ("password", PASSWORD)],
            )
            .await;
        assert_eq!(refused.status(), StatusCode::UNPROCESSABLE_ENTITY);

        // The whole link may be pasted.
        let link = format!("{}/welcome#{}", test.origin, invite.expose_secret());
        let form = [("code", link.as_str()), ("name", "Ada"), ("email", EMAIL), ("password", "short")];
        let answer = browser.post("/welcome", &form).await;
        assert_eq!(answer.status(), StatusCode::UNPROCESSABLE_ENTITY);
        let html = page(answer).await;
        assert!(html.contains("aria-invalid=\"true\"") && html.contains("id=\"password-remarks\""));
        assert!(!html.contains("value=\"short\""), "a password is never sent back");

        let form = [("code", link.as_str()), ("name", "Ada"), ("email", EMAIL), ("password", PASSWORD)];
        let answer = browser.post("/welcome", &form).await;
        assert_eq!((answer.status(), target(&answer)), (StatusCode::SEE_OTHER, "/?done=welcome"));
        assert!(page(browser.get("/?done=welcome").await).await.contains("Your operator account is ready."));

        let again = Browser::new(test).post("/welcome", &form).await;
        assert_eq!(again.status(), StatusCode::UNPROCESSABLE_ENTITY, "the code works once");
    });
}

#[test]
fn a_session_ends_by_the_clock_and_by_signing_out() {
    on_each_app(async |test| {
        let mut browser = Browser::signed_in(test).await;
        test.clock.advance_seconds(operators::SESSION_SECONDS - 1);
        assert_eq!(browser.get("/accounts?find=a").await.status(), StatusCode::OK);
        test.clock.advance_seconds(1);
        let answer = browser.get("/accounts?find=a").await;
        assert_eq!(target(&answer), "/sign-in?next=%2Faccounts%3Ffind%3Da&expired=1");
        let html = page(browser.get("/sign-in?next=%2Faccounts%3Ffind%3Da&expired=1").await).await;
        assert!(html.contains("Your session has ended") && html.contains("value=\"/accounts?find=a\""));

        let form = [("email", EMAIL), ("password", PASSWORD), ("next", "/accounts?find=a")];
        let answer = browser.post("/sign-in", &form).await;
        assert_eq!(target(&answer), "/accounts?find=a");
        let cookie = browser.cookie.clone();
        browser.post("/sign-out", &[]).await;
        assert_eq!(browser.cookie, None);
        browser.cookie = cookie;
        assert_eq!(browser.get("/").await.status(), StatusCode::SEE_OTHER, "the session itself is gone");
    });
}

#[test]
fn sign_in_leads_nowhere_else_and_tires() {
    on_each_app(async |test| {
        let mut browser = Browser::signed_in(test).await;
        let form = [("email", EMAIL), ("password", PASSWORD), ("next", "//evil.example")];
        assert_eq!(target(&browser.post("/sign-in", &form).await), "/");

        let mut other = Browser::new(test);
        let wrong = [("email", "bob@example.com"), ("password", "not the one")];
        let mut seen = Vec::new();
        for _ in 0..7 {
            seen.push(other.post("/sign-in", &wrong).await.status().as_u16());
        }
        assert_eq!(seen, [422, 422, 422, 422, 422, 422, 429]);
        let answer = other.post("/sign-in", &wrong).await;
        assert!(answer.headers().contains_key("retry-after"));
    });
}

#[test]
fn an_api_key_is_shown_once_and_revoked_after_a_question() {
    on_each_app(async |test| {
        let mut browser = Browser::signed_in(test).await;
        let html =
            page(browser.post("/settings/api-keys", &[("name", "backend"), ("account", "")]).await).await;
        let secret = html.split("adj_").nth(1).unwrap().split('<').next().unwrap().to_owned();
        assert_eq!(secret.len(), 43);
        let html = page(browser.get("/settings/api-keys").await).await;
        assert!(html.contains("backend") && !html.contains(&secret));
        let revoke = html.split("href=\"/settings/api-keys/").nth(1).unwrap().split('"').next().unwrap();
        let path = format!("/settings/api-keys/{revoke}");
        assert!(page(browser.get(&path).await).await.contains("Revoke “backend”?"));
        let answer = browser.post(&path, &[]).await;
        assert_eq!(target(&answer), "/settings/api-keys?done=key-revoked");

        let answer = browser.post("/settings/api-keys", &[("name", "x"), ("account", "acc_nobody")]).await;
        assert_eq!(answer.status(), StatusCode::UNPROCESSABLE_ENTITY);
    });
}

#[test]
fn an_account_is_found_renamed_and_deleted_by_its_name() {
    on_each_app(async |test| {
        let mut browser = Browser::signed_in(test).await;
        let answer = browser.post("/accounts/new", &[("name", "Willow 100%"), ("external_id", "w-1")]).await;
        let at = target(&answer).split('?').next().unwrap().to_owned();
        let answer = browser.post("/accounts/new", &[("name", "Other"), ("external_id", "w-1")]).await;
        assert_eq!(answer.status(), StatusCode::UNPROCESSABLE_ENTITY);

        assert!(page(browser.get("/accounts?find=100%25").await).await.contains(&at));
        assert!(!page(browser.get("/accounts?find=100_").await).await.contains(&at));
        assert!(!page(browser.get("/accounts?state=connected").await).await.contains(&at));

        let answer = browser.post(&format!("{at}/rename"), &[("name", " ")]).await;
        assert_eq!(answer.status(), StatusCode::UNPROCESSABLE_ENTITY);
        browser.post(&format!("{at}/rename"), &[("name", "Willow")]).await;
        let answer = browser.post(&format!("{at}/delete"), &[("name", "Willow 100%")]).await;
        assert_eq!(answer.status(), StatusCode::UNPROCESSABLE_ENTITY);
        let answer = browser.post(&format!("{at}/delete"), &[("name", "Willow")]).await;
        assert_eq!(target(&answer), "/accounts?done=account-deleted");
        assert_eq!(browser.get(&at).await.status(), StatusCode::NOT_FOUND);
    });
}

#[test]
fn what_is_not_there_is_a_page_of_its_own() {
    on_each_app(async |test| {
        let mut browser = Browser::signed_in(test).await;
        let (_, forms) = places(test).await;
        let there = forms.iter().find(|path| path.ends_with("/test")).unwrap().trim_end_matches("/test");
        let (_, connection) = there.rsplit_once('/').unwrap();
        let other = accounts::create(
            &test.app,
            &Actor::System,
            NewAccount { name: "Other".to_owned(), external_id: None },
        )
        .await
        .unwrap();
        for path in [
            "/nowhere".to_owned(),
            "/accounts/acc_nobody".to_owned(),
            format!("/accounts/{}/connections/con_nothing", other.id),
            // The connection exists, in another account.
            format!("/accounts/{}/connections/{connection}", other.id),
        ] {
            let answer = browser.get(&path).await;
            assert_eq!(answer.status(), StatusCode::NOT_FOUND, "{path}");
            assert!(page(answer).await.contains("Who can mend it"), "{path}");
        }
    });
}

#[test]
fn the_rules_speak_beside_the_fields_of_an_ad_set() {
    on_each_app(async |test| {
        let mut browser = Browser::signed_in(test).await;
        let (_, forms) = places(test).await;
        let path = forms.iter().find(|path| path.ends_with("/ad-sets/new")).unwrap();
        let form = [
            ("press", "check"),
            ("ad_account_id", "act_1"),
            ("ad_set.name", "Autumn"),
            ("ad_set.campaign_id", "12"),
            ("campaign.objective", "OUTCOME_LEADS"),
            ("ad_set.destination_type", "ON_AD"),
            ("ad_set.optimization_goal", "LEAD_GENERATION"),
            ("ad_set.billing_event", "IMPRESSIONS"),
        ];
        let html = page(browser.post(path, &form).await).await;
        assert!(html.contains("Meta would refuse it"));
        let group =
            html.split("<legend>Promoted object</legend>").nth(1).expect("the promoted object is asked for");
        let remarks = group.split("class=\"remarks\"").nth(1).expect("the group has a place for remarks");
        assert!(remarks.split("</div>").next().unwrap().contains("page_id"), "the fault stands beside it");
        assert!(
            !html.contains("name=\"ad_set.promoted_object.pixel_id\""),
            "no field the table does not ask for"
        );
        assert!(!html.contains("value=\"PAGE_LIKES\""), "no goal that does not go with the objective");

        let mut complete = form.to_vec();
        complete.extend([
            ("ad_set.promoted_object.page_id", "7"),
            ("ad_set.daily_budget", "2000"),
            ("ad_set.bid_strategy", "LOWEST_COST_WITHOUT_CAP"),
            ("ad_set.targeting.geo_locations.countries", "US"),
            ("ad_set.targeting.targeting_automation.advantage_audience", "0"),
        ]);
        let html = page(browser.post(path, &complete).await).await;
        assert!(html.contains("Meta may refuse it"), "the ad account is not known");
        // Where the DSA defaults were not read, they are not known to be missing.
        let of = |facts| [complete.as_slice(), &[("ad_account", facts)]].concat();
        let mut german = of(r#"{"currency": "USD", "min_daily_budget": 100}"#);
        german.push(("more", r#"{"targeting": {"geo_locations": {"countries": ["DE"]}}}"#));
        assert!(page(browser.post(path, &german).await).await.contains("Meta may refuse it"));
        complete = of(r#"{"currency": "USD", "min_daily_budget": 100}"#);
        let html = page(browser.post(path, &complete).await).await;
        assert!(html.contains("The rules accept it"), "{html}");

        complete.push(("more", "{"));
        let html = page(browser.post(path, &complete).await).await;
        assert!(html.contains("this is not a JSON object") || html.contains("This is not a JSON object"));
    });
}

#[test]
fn a_connection_that_does_not_work_is_said_instead_of_a_list() {
    on_each_app(async |test| {
        let mut browser = Browser::signed_in(test).await;
        let (pages, _) = places(test).await;
        let path = pages.iter().find(|path| path.ends_with("/ad-sets/new")).unwrap();
        let html = page(browser.get(path).await).await;
        assert!(html.contains("See the connection and what to do"));
        assert!(!html.contains("works all the same") && !html.contains("Or by its id"), "no id would help");
    });
}

#[test]
fn the_campaign_chooser_pages_and_searches() {
    on_each_connected(&[], async |it| {
        let caller = Caller::new(it).await;
        for number in 0..101 {
            let name = if number == 0 { "Zebra crossing".to_owned() } else { format!("Campaign {number}") };
            let new = serde_json::json!({ "ad_account_id": it.facts.ad_account_id, "name": name,
                "objective": "OUTCOME_LEADS", "special_ad_categories": [], "is_adset_budget_sharing_enabled": false });
            caller.data("campaign.create", &new).await;
        }
        let mut browser = Browser::signed_in(&it.test).await;
        let path = format!("/accounts/{}/connections/{}/ad-sets/new", it.account, it.connection);
        let here = format!("{path}?ad_account={}", it.facts.ad_account_id);
        let first = page(browser.get(&here).await).await;
        assert!(first.contains("Campaign 100") && !first.contains("Zebra"), "the newest come first");
        let next = first.split("href=\"").find(|it| it.contains("Next campaigns")).unwrap();
        let next = next.split('"').next().unwrap().replace("&#38;", "&").replace("&amp;", "&");
        let second = page(browser.get(&next).await).await;
        assert!(second.contains("Zebra crossing") && !second.contains("Next campaigns"));
        let found = page(browser.get(&format!("{here}&find=zebra")).await).await;
        assert!(found.contains("Zebra crossing") && !found.contains("Campaign 100"));
        let none = page(browser.get(&format!("{here}&find=%3Cb%3E")).await).await;
        assert!(none.contains("has “&#60;b&#62;” in its name"), "{none}");
    });
}

#[test]
fn without_connect_links_the_connections_page_says_how_accounts_connect() {
    on_each_app(async |test| {
        let new = NewAccount { name: "Bright Dental".to_owned(), external_id: None };
        let account = accounts::create(&test.app, &Actor::System, new).await.unwrap().id;
        let connection = connections::install(&test.app, &Actor::System, &account).await.unwrap().id;
        let here = format!("/accounts/{account}/connections/{connection}");
        let mut browser = Browser::signed_in(test).await;
        let html = page(browser.get(&here).await).await;
        assert!(html.contains("Connect links are switched off") && !html.contains("Create connect link<"));
        let refused = page(browser.post(&format!("{here}/link"), &[]).await).await;
        assert!(refused.contains("role=\"alert\""), "{refused}");
        test.allow_links().await;
        let html = page(browser.get(&here).await).await;
        assert!(!html.contains("Connect links are switched off") && html.contains("Create connect link<"));
    });
}

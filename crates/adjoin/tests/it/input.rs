//! What cannot be used: the same answer on both databases, in the form its reader reads, and nothing half-written.

use adjoin::{
    service::{
        accounts::{self, NewAccount},
        operators,
    },
    web::problem::Problem,
};
use reqwest::{Client, Method, StatusCode};
use secrecy::SecretString;
use serde_json::{Value, json};

use crate::{
    api::{self, Backend, read},
    console::{Browser, page},
    support::{TestApp, on_each_app},
};

/// What may not have changed.
async fn all_there_is(backend: &Backend) -> Vec<Value> {
    let mut all = Vec::new();
    for path in ["/v1/accounts", "/v1/settings", "/v1/api-keys", "/v1/endpoints", "/v1/connections"] {
        all.push(backend.get(path).await.1);
    }
    all
}

fn names_nul(text: &str) -> bool {
    text.contains("NUL (U+0000)")
}

#[test]
fn a_nul_in_json_is_a_fault_that_names_the_field() {
    on_each_app(async |test| {
        let id = api::account(test, "Acme").await;
        let backend = Backend::new(test, None).await;
        let before = all_there_is(&backend).await;
        let at = format!("/v1/accounts/{id}");
        for (method, path, body, field) in [
            (Method::POST, "/v1/accounts", json!({ "name": "A\0b" }), "name"),
            (Method::POST, "/v1/accounts", json!({ "name": "A", "external_id": "\0" }), "external_id"),
            (Method::PATCH, &at, json!({ "name": "\0" }), "name"),
            (Method::PATCH, "/v1/settings", json!({ "partner_name": "W\0" }), "partner_name"),
            (
                Method::PATCH,
                "/v1/settings",
                json!({ "return_urls": ["https://a.example/", "\0"] }),
                "return_urls[1]",
            ),
            (Method::PUT, "/v1/setup", json!({ "client_id": "1\0" }), "client_id"),
            (Method::POST, "/v1/api-keys", json!({ "name": "crm\0" }), "name"),
            (
                Method::POST,
                "/v1/endpoints",
                json!({ "url": "https://a.example", "description": "\0" }),
                "description",
            ),
            (
                Method::POST,
                &format!("{at}/connect-sessions"),
                json!({ "kind": "link", "end_user": "\0" }),
                "end_user",
            ),
            (Method::POST, &format!("{at}/leads/erase"), json!({ "email": "a\0@example.com" }), "email"),
            (
                Method::POST,
                &format!("{at}/methods/campaign.get"),
                json!({ "campaign_id": "\0" }),
                "campaign_id",
            ),
            (
                Method::POST,
                "/v1/methods/ad_set.validate",
                json!({ "ad_set": { "name": "\0" } }),
                "ad_set.name",
            ),
            (Method::POST, "/v1/accounts", json!({ "na\0me": "A" }), "na\u{2400}me"),
        ] {
            let (status, problem) = backend.send(method, path, &body).await;
            assert_eq!(status, StatusCode::UNPROCESSABLE_ENTITY, "{path} {body}: {problem}");
            assert_eq!(problem["faults"][0]["field"], field, "{path}: {problem}");
            assert!(names_nul(problem["faults"][0]["message"].as_str().unwrap()), "{problem}");
        }
        assert_eq!(all_there_is(&backend).await, before, "something was written");
    });
}

#[test]
fn a_nul_in_an_address_is_refused_wherever_it_stands() {
    on_each_app(async |test| {
        let id = api::account(test, "Acme").await;
        let backend = Backend::new(test, None).await;
        for (path, field) in [
            ("/v1/accounts?find=%00", "find"),
            ("/v1/accounts?external_id=a%00", "external_id"),
            ("/v1/accounts?after=%00", "after"),
            ("/v1/events?types=%00", "types"),
            (&format!("/v1/accounts/{id}/leads?form_id=%00"), "form_id"),
            ("/v1/quarantine?a%00b=1", "a\u{2400}b"),
            ("/v1/accounts/%00", "path"),
            (&format!("/v1/accounts/{id}/forms/1%00"), "path"),
            ("/v1/methods/%00", "path"),
            ("/webhooks/facebook?hub.mode=subscribe&hub.challenge=%00&hub.verify_token=x", "hub.challenge"),
        ] {
            let (status, problem) = backend.get(path).await;
            assert_eq!(status, StatusCode::UNPROCESSABLE_ENTITY, "{path}: {problem}");
            assert_eq!(problem["faults"][0]["field"], field, "{path}: {problem}");
            assert!(names_nul(problem["faults"][0]["message"].as_str().unwrap()), "{problem}");
        }
        let mut browser = Browser::signed_in(test).await;
        for path in [
            "/accounts?find=%00",
            "/leads?form=%00",
            "/quarantine?after=%00",
            "/endpoints/ep_%00",
            "/accounts/%00/rename",
            "/connect/cnt_%00",
            "/connector/callback?code=x&state=%00",
            "/connector/data-deletion/status/%00",
            "/%00",
        ] {
            let answer = browser.get(path).await;
            assert_eq!(answer.status(), StatusCode::UNPROCESSABLE_ENTITY, "{path}");
            let html = page(answer).await;
            assert!(names_nul(&html), "{path}: {html}");
        }
        // No text at all.
        assert_eq!(backend.get("/v1/accounts/%ff").await.0, StatusCode::UNPROCESSABLE_ENTITY);
        assert!(page(browser.get("/accounts/%ff").await).await.contains("not UTF-8"));
    });
}

#[test]
fn a_nul_in_a_form_is_a_page_that_names_the_field() {
    on_each_app(async |test| {
        let id = api::account(test, "Acme").await;
        let backend = Backend::new(test, None).await;
        let mut browser = Browser::signed_in(test).await;
        let before = all_there_is(&backend).await;
        for (path, form, field) in [
            ("/sign-in", vec![("email", "ada\0@example.com"), ("password", "x")], "email"),
            ("/sign-in", vec![("email", "ada@example.com"), ("password", "\0")], "password"),
            ("/welcome", vec![("code", "\0"), ("name", ""), ("email", ""), ("password", "")], "code"),
            ("/accounts/new", vec![("name", "A\0")], "name"),
            ("/accounts/new", vec![("name", "A"), ("external_id", "\0")], "external_id"),
            (&format!("/accounts/{id}/rename"), vec![("name", "\0")], "name"),
            (
                "/settings",
                vec![("partner_name", "\0"), ("return_urls", ""), ("embed_origins", "")],
                "partner_name",
            ),
            ("/settings/api-keys", vec![("name", "\0")], "name"),
            ("/endpoints/new", vec![("url", "https://a.example/"), ("description", "\0")], "description"),
            ("/connectors/facebook-marketing/setup", vec![("client_id", "\0")], "client_id"),
        ] {
            let answer = browser.post(path, &form).await;
            assert_eq!(answer.status(), StatusCode::UNPROCESSABLE_ENTITY, "{path}");
            let html = page(answer).await;
            assert!(names_nul(&html) && html.contains(&format!("<code>{field}</code>")), "{path}: {html}");
        }
        assert_eq!(all_there_is(&backend).await, before, "something was written");
    });
}

/// Below the skins, for whatever does not come through them.
#[test]
fn no_text_with_a_nul_is_stored_or_looked_for() {
    on_each_app(async |test| {
        let new = NewAccount { name: "A\0".to_owned(), external_id: None };
        let refused = accounts::create(&test.app, &adjoin::audit::Actor::System, new).await.unwrap_err();
        let problem = Problem::from(refused);
        assert!(problem.status == 422 && names_nul(&problem.faults[0].message), "{problem:?}");
        assert!(accounts::find(&test.app, "", None, 10).await.unwrap().items.is_empty());
        let looked_for = operators::sign_in(&test.app, "a\0", &SecretString::from("x")).await.unwrap_err();
        assert_eq!(Problem::from(looked_for).status, 422);
    });
}

/// Sends what no form of ours would, from the console itself.
async fn misfit(
    test: &TestApp,
    method: Method,
    path: &str,
    kind: &str,
    body: Vec<u8>,
) -> (StatusCode, String) {
    let request = Client::new().request(method, test.url(path)).header("sec-fetch-site", "same-origin");
    let answer = request.header("content-type", kind).body(body).send().await.unwrap();
    (answer.status(), page(answer).await)
}

#[test]
fn a_form_that_cannot_be_used_is_a_page_with_the_next_step() {
    on_each_app(async |test| {
        let form = "application/x-www-form-urlencoded";
        let large = [b"email=a&password=".to_vec(), vec![b'x'; 1 << 20]].concat();
        for (kind, body, status, says) in [
            (form, b"email=a".to_vec(), 422, "<code>password</code>: it is missing"),
            (form, b"email=a&email=b&password=x".to_vec(), 422, "<code>email</code>"),
            (form, b"".to_vec(), 422, "it is missing"),
            (form, large, 413, "larger than 1 MiB"),
            ("application/json", b"{}".to_vec(), 415, "is no form"),
            ("multipart/form-data; boundary=x", b"--x--".to_vec(), 415, "is no form"),
        ] {
            let (found, html) = misfit(test, Method::POST, "/sign-in", kind, body).await;
            assert_eq!(found.as_u16(), status, "{html}");
            assert!(html.contains(says) && html.contains("What to do"), "{says}: {html}");
        }
        let (status, html) = misfit(test, Method::GET, "/sign-in?next=/a&next=/b", form, Vec::new()).await;
        assert!(status == StatusCode::UNPROCESSABLE_ENTITY && html.contains("<code>next</code>"), "{html}");
    });
}

#[test]
fn an_address_or_a_verb_that_is_not_there_is_told_to_whoever_reads_it() {
    on_each_app(async |test| {
        for (method, path, status, says) in [
            (Method::DELETE, "/sign-in", 405, "does not take DELETE"),
            (Method::GET, "/sign-out", 405, "does not take GET"),
            (Method::GET, "/accounts/acc_1/rename", 405, "does not take GET"),
            (Method::PUT, "/connect/cnt_1", 405, "does not take PUT"),
            (Method::GET, "/connect/cnt_1/start", 405, "does not take GET"),
            (Method::POST, "/connector/callback", 405, "does not take POST"),
            (Method::GET, "/connector/deauthorize", 405, "does not take GET"),
            (Method::GET, "/nowhere", 404, "no page has this address"),
            (Method::GET, "/connect/a/b/c", 404, "This link cannot be used"),
            (Method::GET, "/connector/elsewhere", 404, "This link cannot be used"),
        ] {
            let (found, html) = misfit(test, method, path, "text/plain", Vec::new()).await;
            assert_eq!(found.as_u16(), status, "{path}");
            assert!(html.to_lowercase().contains(&says.to_lowercase()), "{path}: {html}");
            assert!(html.contains("What to do"), "{path}: {html}");
        }
        let http = Client::new();
        for (method, path, status) in [
            (Method::GET, "/v1/nothing", 404),
            (Method::PUT, "/v1/accounts", 405),
            (Method::PUT, "/webhooks/facebook", 405),
            (Method::POST, "/readyz", 405),
            (Method::POST, "/connect/cnt_1/status", 405),
            (Method::GET, "/connect/cnt_1/status", 404),
        ] {
            assert_eq!(read(http.request(method, test.url(path))).await.0.as_u16(), status, "{path}");
        }
        let answer = http.delete(test.url("/sign-in")).send().await.unwrap();
        assert_eq!(answer.headers()["allow"], "GET,HEAD,POST");
    });
}

#[test]
fn sign_in_counts_the_address_that_the_nearest_proxy_saw() {
    on_each_app(async |test| {
        let try_it = async |email: String, forwarded: &str| {
            let form = [("email", email.as_str()), ("password", "not the one")];
            let post = Client::new().post(test.url("/sign-in")).header("sec-fetch-site", "same-origin");
            post.header("x-forwarded-for", forwarded).form(&form).send().await.unwrap().status().as_u16()
        };
        // One e-mail's own limit makes most of them cheap.
        for _ in 0..60 {
            try_it("bob@example.com".to_owned(), "203.0.113.7").await;
        }
        assert_eq!(try_it("eve@example.com".to_owned(), "198.51.100.1, 203.0.113.7").await, 429);
        assert_eq!(try_it("eve@example.com".to_owned(), "203.0.113.8").await, 422);
        test.clock.advance_seconds(60);
        assert_eq!(try_it("eve@example.com".to_owned(), "203.0.113.7").await, 422);
    });
}

//! The JSON API over HTTP: what a partner's backend sees.

use adjoin::{
    audit::Actor,
    id::AccountId,
    service::{
        accounts::{self, NewAccount},
        api_keys,
    },
    store::connections,
    vault::{KeyFile, Scope},
};
use reqwest::{Method, StatusCode};
use secrecy::ExposeSecret;
use serde_json::{Value, json};

use crate::support::{TestApp, on_each_app};

/// A partner's backend with a key.
#[derive(Debug, Clone)]
pub struct Backend {
    http: reqwest::Client,
    origin: String,
    pub key: String,
}

impl Backend {
    /// With a key for all accounts, or for one.
    pub async fn new(test: &TestApp, account: Option<AccountId>) -> Self {
        let (_, secret) = api_keys::create(&test.app, &Actor::System, "test", account).await.unwrap();
        Self {
            http: reqwest::Client::new(),
            origin: test.origin.clone(),
            key: secret.expose_secret().to_owned(),
        }
    }

    pub fn request(&self, method: Method, path: &str) -> reqwest::RequestBuilder {
        self.http.request(method, format!("{}{path}", self.origin)).bearer_auth(&self.key)
    }

    pub async fn get(&self, path: &str) -> (StatusCode, Value) {
        read(self.request(Method::GET, path)).await
    }

    pub async fn send(&self, method: Method, path: &str, body: &Value) -> (StatusCode, Value) {
        read(self.request(method, path).json(body)).await
    }
}

/// Status and JSON; every answer that is not good must be a problem.
pub async fn read(request: reqwest::RequestBuilder) -> (StatusCode, Value) {
    let response = request.send().await.unwrap();
    let status = response.status();
    let kind = response.headers().get("content-type").map(|it| it.to_str().unwrap().to_owned());
    let text = response.text().await.unwrap();
    if status == StatusCode::NO_CONTENT {
        assert_eq!(text, "");
        return (status, Value::Null);
    }
    let body: Value = serde_json::from_str(&text).unwrap_or_else(|_| panic!("{status} is not JSON: {text}"));
    if status.is_success() {
        assert_eq!(kind.as_deref(), Some("application/json"));
    } else {
        assert_eq!(kind.as_deref(), Some("application/problem+json"), "{body}");
        assert_eq!(body["status"], status.as_u16());
        for field in ["type", "title", "detail", "who", "next_step"] {
            assert!(body[field].as_str().is_some_and(|text| !text.is_empty()), "{field} is missing: {body}");
        }
    }
    (status, body)
}

pub async fn account(test: &TestApp, name: &str) -> AccountId {
    let new = NewAccount { name: name.to_owned(), external_id: None };
    accounts::create(&test.app, &Actor::System, new).await.unwrap().id
}

#[test]
fn accounts_are_made_found_renamed_and_erased() {
    on_each_app(async |test| {
        let backend = Backend::new(test, None).await;
        let new = json!({"name": "Acme", "external_id": "crm-7"});
        let (status, made) = backend.send(Method::POST, "/v1/accounts", &new).await;
        assert_eq!((status, made["name"].as_str()), (StatusCode::CREATED, Some("Acme")));
        let path = format!("/v1/accounts/{}", made["id"].as_str().unwrap());
        assert_eq!(backend.get(&path).await, (StatusCode::OK, made.clone()));
        assert_eq!(backend.get("/v1/accounts?external_id=crm-7").await.1["data"], json!([made]));
        assert_eq!(backend.get("/v1/accounts?find=ACM").await.1["data"], json!([made]));
        assert_eq!(backend.get("/v1/accounts?find=other").await.1, json!({"data": [], "next": null}));
        let (status, _) = backend.send(Method::POST, "/v1/accounts", &new).await;
        assert_eq!(status, StatusCode::CONFLICT);
        let (_, renamed) = backend.send(Method::PATCH, &path, &json!({"name": "Acme 2"})).await;
        assert_eq!(renamed["name"], "Acme 2");
        let (status, _) = read(backend.request(Method::DELETE, &path)).await;
        assert_eq!(status, StatusCode::NO_CONTENT);
        assert_eq!(backend.get(&path).await.0, StatusCode::NOT_FOUND);
    });
}

#[test]
fn a_name_that_is_too_long_is_told_its_length_and_the_limit() {
    on_each_app(async |test| {
        let backend = Backend::new(test, None).await;
        let new = json!({"name": "ä".repeat(201), "external_id": "x".repeat(250)});
        let (status, problem) = backend.send(Method::POST, "/v1/accounts", &new).await;
        assert_eq!(status, StatusCode::UNPROCESSABLE_ENTITY);
        assert_eq!(
            problem["faults"],
            json!([
                {"field": "name", "message": "is 201 characters long", "fix": "at most 200 characters"},
                {"field": "external_id", "message": "is 250 characters long", "fix": "at most 200 characters"},
            ])
        );
        let new = json!({"name": "  "});
        let (_, problem) = backend.send(Method::POST, "/v1/accounts", &new).await;
        assert_eq!(problem["faults"][0]["message"], "an account needs a name");
        let new = json!({"name": "ä".repeat(200)});
        assert_eq!(backend.send(Method::POST, "/v1/accounts", &new).await.0, StatusCode::CREATED);
    });
}

#[test]
fn connect_links_are_off_until_they_are_allowed() {
    on_each_app(async |test| {
        let backend = Backend::new(test, None).await;
        assert_eq!(backend.get("/v1/settings").await.1["links_allowed"], false);
        let (_, settings) =
            backend.send(Method::PATCH, "/v1/settings", &json!({"partner_name": "Northwind"})).await;
        assert_eq!(settings["links_allowed"], false, "another change leaves them off");
        let (_, settings) =
            backend.send(Method::PATCH, "/v1/settings", &json!({"links_allowed": true})).await;
        assert_eq!(settings["links_allowed"], true);
    });
}

#[test]
fn lists_are_read_page_by_page() {
    on_each_app(async |test| {
        for name in ["a", "b", "c"] {
            account(test, name).await;
        }
        let backend = Backend::new(test, None).await;
        let (_, first) = backend.get("/v1/accounts?limit=2").await;
        let names = |page: &Value| {
            let rows = page["data"].as_array().unwrap().iter();
            rows.map(|row| row["name"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
        };
        assert_eq!(names(&first), ["c", "b"]);
        let (_, last) =
            backend.get(&format!("/v1/accounts?limit=2&after={}", first["next"].as_str().unwrap())).await;
        assert_eq!((names(&last), &last["next"]), (vec!["a".to_owned()], &Value::Null));
    });
}

#[test]
fn a_key_sees_its_account_and_no_other() {
    on_each_app(async |test| {
        let (own, other) = (account(test, "own").await, account(test, "other").await);
        let bound = Backend::new(test, Some(own.clone())).await;
        assert_eq!(bound.get(&format!("/v1/accounts/{own}")).await.0, StatusCode::OK);
        let (status, foreign) = bound.get(&format!("/v1/accounts/{other}")).await;
        let (_, absent) = bound.get(&format!("/v1/accounts/{}", AccountId::new())).await;
        assert_eq!(
            (status, &foreign),
            (StatusCode::NOT_FOUND, &absent),
            "another's account is told from none"
        );
        for path in ["/v1/settings", "/v1/setup", "/v1/api-keys", "/v1/accounts"] {
            assert_eq!(bound.get(path).await.0, StatusCode::FORBIDDEN, "{path}");
        }
        let own_path = format!("/v1/accounts/{own}");
        assert_eq!(read(bound.request(Method::DELETE, &own_path)).await.0, StatusCode::FORBIDDEN);
    });
}

#[test]
fn keys_are_made_listed_and_revoked() {
    on_each_app(async |test| {
        let partner = Backend::new(test, None).await;
        let id = account(test, "own").await;
        let (status, made) =
            partner.send(Method::POST, "/v1/api-keys", &json!({"name": "crm", "account_id": id})).await;
        assert_eq!(status, StatusCode::CREATED);
        let fresh = Backend { key: made["secret"].as_str().unwrap().to_owned(), ..partner.clone() };
        assert_eq!(fresh.get(&format!("/v1/accounts/{id}")).await.0, StatusCode::OK);
        let (_, listed) = partner.get("/v1/api-keys").await;
        assert_eq!(listed["data"][0]["id"], made["id"]);
        assert!(!listed.to_string().contains(made["secret"].as_str().unwrap()));
        let path = format!("/v1/api-keys/{}", made["id"].as_str().unwrap());
        assert_eq!(read(partner.request(Method::DELETE, &path)).await.0, StatusCode::NO_CONTENT);
        assert_eq!(fresh.get(&format!("/v1/accounts/{id}")).await.0, StatusCode::UNAUTHORIZED);
        assert_eq!(read(partner.request(Method::DELETE, &path)).await.0, StatusCode::NOT_FOUND);
    });
}

#[test]
fn settings_change_as_a_whole_or_not_at_all() {
    on_each_app(async |test| {
        let backend = Backend::new(test, None).await;
        let change = json!({"partner_name": "Widget", "return_urls": ["https://app.example.com/done"]});
        let (status, changed) = backend.send(Method::PATCH, "/v1/settings", &change).await;
        assert_eq!((status, changed["partner_name"].as_str()), (StatusCode::OK, Some("Widget")));
        assert_eq!(changed["redirect_uri"], format!("{}/connector/callback", test.origin));
        let wrong =
            json!({"partner_name": "", "return_urls": ["http://example.com/"], "embed_origins": ["x"]});
        let (status, problem) = backend.send(Method::PATCH, "/v1/settings", &wrong).await;
        assert_eq!(
            (status, problem["faults"].as_array().unwrap().len()),
            (StatusCode::UNPROCESSABLE_ENTITY, 3)
        );
        assert_eq!(backend.get("/v1/settings").await.1, changed);
    });
}

#[test]
fn what_cannot_be_used_is_a_problem_that_says_so() {
    on_each_app(async |test| {
        let backend = Backend::new(test, None).await;
        let post = |body: String, kind: &'static str| {
            read(backend.request(Method::POST, "/v1/accounts").header("content-type", kind).body(body))
        };
        let json = "application/json";
        let (status, problem) = post("{\n \"name\": }".to_owned(), json).await;
        assert_eq!(status, StatusCode::BAD_REQUEST);
        assert!(problem["detail"].as_str().unwrap().contains("line 2 column 10"), "{problem}");
        let (status, problem) = post(r#"{"nane":"x"}"#.to_owned(), json).await;
        assert_eq!(
            (status, problem["faults"][0]["fix"].as_str()),
            (StatusCode::UNPROCESSABLE_ENTITY, Some("did you mean name?"))
        );
        assert_eq!(post("name=x".to_owned(), "text/plain").await.0, StatusCode::UNSUPPORTED_MEDIA_TYPE);
        assert_eq!(post(format!("{:?}", "x".repeat(1 << 20)), json).await.0, StatusCode::PAYLOAD_TOO_LARGE);
        assert_eq!(backend.get("/v1/nothing/here").await.0, StatusCode::NOT_FOUND);
        assert_eq!(backend.get("/v1/accounts/acc_1").await.0, StatusCode::NOT_FOUND);
        let (status, problem) = backend.get("/v1/accounts?lmit=1").await;
        assert_eq!(
            (status, problem["faults"][0]["field"].as_str()),
            (StatusCode::UNPROCESSABLE_ENTITY, Some("lmit"))
        );
        assert_eq!(
            backend.send(Method::PUT, "/v1/accounts", &json!({})).await.0,
            StatusCode::METHOD_NOT_ALLOWED
        );
        let (_, all) = backend.get("/v1/accounts").await;
        assert_eq!(all["data"], json!([]), "something was made");
        for key in ["", "adj_wrong"] {
            let stranger = Backend { key: key.to_owned(), ..backend.clone() };
            assert_eq!(stranger.get("/v1/accounts").await.0, StatusCode::UNAUTHORIZED);
        }
    });
}

#[test]
fn a_page_that_cannot_be_is_a_fault() {
    on_each_app(async |test| {
        let backend = Backend::new(test, None).await;
        for list in ["/v1/accounts", "/v1/connections"] {
            for (query, field, fix) in [
                ("limit=0", "limit", "1 to 100"),
                ("limit=101", "limit", "1 to 100"),
                ("limit=abc", "limit", "1 to 100"),
                ("after=zzz", "after", "`next` of the page before"),
                ("after=key_00000000000000000000000000000000", "after", "`next` of the page before"),
            ] {
                let (status, problem) = backend.get(&format!("{list}?{query}")).await;
                let fault = &problem["faults"][0];
                assert_eq!(status, StatusCode::UNPROCESSABLE_ENTITY, "{list}?{query}");
                assert_eq!((&fault["field"], &fault["fix"]), (&json!(field), &json!(fix)), "{problem}");
            }
            assert_eq!(backend.get(&format!("{list}?limit=100")).await.0, StatusCode::OK);
        }
    });
}

#[test]
fn a_connect_session_says_which_kinds_there_are() {
    on_each_app(async |test| {
        let backend = Backend::new(test, None).await;
        let id = account(test, "Acme").await;
        let path = format!("/v1/accounts/{id}/connect-sessions");
        for (body, field, fix) in [
            (json!({}), "kind", "link or embedded"),
            (json!({"kind": "lnk"}), "kind", "did you mean link? It takes link, embedded"),
            (json!({"kind": "x"}), "kind", "one of link, embedded"),
            (
                json!({"kind": "link", "return_url": "https://a.example/"}),
                "return_url",
                "leave it out, or make the session embedded",
            ),
            (json!({"kind": "embedded"}), "return_url", "one of the return URLs at Settings > General"),
            (json!({"kind": "link", "use_case": []}), "use_case", "did you mean use_cases?"),
        ] {
            let (status, problem) = backend.send(Method::POST, &path, &body).await;
            let fault = &problem["faults"][0];
            assert_eq!(status, StatusCode::UNPROCESSABLE_ENTITY, "{body}: {problem}");
            assert_eq!((&fault["field"], &fault["fix"]), (&json!(field), &json!(fix)), "{problem}");
        }
    });
}

#[test]
fn connect_links_cannot_be_tried_one_after_another() {
    on_each_app(async |test| {
        let http = reqwest::Client::builder().redirect(reqwest::redirect::Policy::none()).build().unwrap();
        let get = |path: String| {
            let request = http.get(test.url(&path));
            async move { request.send().await.unwrap() }
        };
        for attempt in 0..120 {
            let path = if attempt % 2 == 0 {
                format!("/connect/cnt_{attempt}")
            } else {
                "/connector/callback".to_owned()
            };
            assert_ne!(get(path).await.status(), StatusCode::TOO_MANY_REQUESTS, "{attempt}");
        }
        let refused = get("/connect/cnt_120".to_owned()).await;
        assert_eq!(refused.status(), StatusCode::TOO_MANY_REQUESTS);
        // People are shown a page, on the way back from Facebook too, and its address goes nowhere.
        for path in ["/connect/cnt_120", "/connector/callback?code=c&state=s"] {
            let page = get(path.to_owned()).await;
            assert_eq!(page.status(), StatusCode::TOO_MANY_REQUESTS);
            assert!(page.headers().contains_key("retry-after"));
            assert!(page.headers()["content-type"].to_str().unwrap().starts_with("text/html"));
            assert_eq!(page.headers()["referrer-policy"], "no-referrer");
            let html = page.text().await.unwrap();
            assert!(html.contains("One moment, please") && html.contains("load this page again"), "{html}");
        }
        assert_eq!(get("/healthz".to_owned()).await.status(), StatusCode::OK);
        test.clock.advance_seconds(1);
        assert_ne!(get("/connect/cnt_121".to_owned()).await.status(), StatusCode::TOO_MANY_REQUESTS);
    });
}

#[test]
fn whatever_is_answered_on_the_way_to_facebook_is_for_one_pair_of_eyes() {
    on_each_app(async |test| {
        let http = reqwest::Client::builder().redirect(reqwest::redirect::Policy::none()).build().unwrap();
        for path in [
            "/connect/cnt_1",
            "/connect/cnt_1/status",
            "/connect/cnt_1/start",
            "/connect/no/such/page",
            "/connect/%00",
            "/connector/callback?code=c&state=s",
            "/connector/nothing",
        ] {
            let answer = http.get(test.url(path)).send().await.unwrap();
            let header = |name: &str| answer.headers()[name].to_str().unwrap();
            assert_eq!(header("referrer-policy"), "no-referrer", "{path}");
            assert_eq!(header("x-robots-tag"), "noindex, nofollow", "{path}");
            assert_eq!(header("cache-control"), "no-store", "{path}");
        }
        let answer = http.get(test.url("/healthz")).send().await.unwrap();
        assert_eq!(answer.headers()["referrer-policy"], "same-origin");
    });
}

#[test]
fn it_is_ready_while_its_database_and_key_file_are_there() {
    on_each_app(async |test| {
        assert_eq!(reqwest::get(test.url("/readyz")).await.unwrap().status(), StatusCode::OK);
        std::fs::remove_file(test.key_file()).unwrap();
        assert_eq!(
            read(reqwest::Client::new().get(test.url("/readyz"))).await.0,
            StatusCode::SERVICE_UNAVAILABLE
        );
        assert_eq!(reqwest::get(test.url("/healthz")).await.unwrap().status(), StatusCode::OK);
    });
}

#[test]
fn it_is_not_ready_with_the_key_file_of_another_database() {
    on_each_app(async |test| {
        let ready = async || reqwest::get(test.url("/readyz")).await.unwrap();
        let mut tx = test.app.db.begin().await.unwrap();
        let scope = Scope::Partner;
        let place = connections::token_place(&scope, "con_1");
        test.app.vault.seal(&mut tx, &place, &"secret".into(), test.app.clock.now()).await.unwrap();
        tx.commit().await.unwrap();
        assert_eq!(ready().await.status(), StatusCode::OK);
        let own = std::fs::read(test.key_file()).unwrap();
        let other = test.key_file().with_extension("other");
        KeyFile::generate(&other).unwrap();
        std::fs::copy(&other, test.key_file()).unwrap();
        let answer = ready().await;
        assert_eq!(answer.status(), StatusCode::SERVICE_UNAVAILABLE);
        assert!(answer.text().await.unwrap().contains("not that of this database"));
        // One that was added to it, as a rotation does, opens what the first sealed.
        std::fs::write(test.key_file(), [own, std::fs::read(&other).unwrap()].concat()).unwrap();
        assert_eq!(ready().await.status(), StatusCode::OK);
    });
}

#[test]
fn ad_sets_are_checked_without_a_connection() {
    on_each_app(async |test| {
        let backend = Backend::new(test, None).await;
        let (status, methods) = backend.get("/v1/methods").await;
        assert_eq!((status, methods["data"].as_array().unwrap().len()), (StatusCode::OK, 40));
        assert_eq!(backend.get("/v1/methods/ad_set.create").await.1["kind"], "write");
        assert_eq!(backend.get("/v1/methods/ad_set.creat").await.0, StatusCode::NOT_FOUND);
        let path = "/v1/methods/ad_set.validate";
        let (status, answer) = backend.send(Method::POST, path, &json!({"ad_set": {}})).await;
        assert_eq!((status, &answer["data"]["verdict"]), (StatusCode::OK, &json!("reject")));
        assert_eq!(backend.send(Method::POST, path, &json!({})).await.0, StatusCode::UNPROCESSABLE_ENTITY);
        let (status, _) = backend.send(Method::POST, "/v1/methods/page.list", &json!({})).await;
        assert_eq!(status, StatusCode::CONFLICT);
    });
}

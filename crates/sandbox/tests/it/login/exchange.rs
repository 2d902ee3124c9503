use reqwest::Method;
use serde_json::json;

use super::{CALLBACK, SCOPE, sandbox, strings, text};

#[tokio::test]
async fn a_code_works_once() {
    let server = sandbox(&[]).await;
    let code = server.code(&[("scope", SCOPE)]).await;
    server.exchange(&[("code", &code)]).await.good();
    assert_eq!(server.exchange(&[("code", &code)]).await.code(), (100, Some(36009)));
}

#[tokio::test]
async fn a_code_is_good_for_ten_minutes() {
    let server = sandbox(&[]).await;
    let code = server.code(&[("scope", SCOPE)]).await;
    server.advance(601);
    assert_eq!(server.exchange(&[("code", &code)]).await.code(), (100, Some(36007)));
    let code = server.code(&[("scope", SCOPE)]).await;
    server.advance(590);
    server.exchange(&[("code", &code)]).await.good();
}

#[tokio::test]
async fn what_an_exchange_is_refused_for_leaves_the_code_good() {
    let server = sandbox(&[]).await;
    let code = server.code(&[("scope", SCOPE)]).await;
    for (params, code_of, message) in [
        (vec![("client_id", "1")], (101, None), "Error validating application"),
        (vec![("client_secret", "wrong")], (1, None), "Error validating client secret."),
        (vec![("code", "AQnonsense")], (100, None), "Invalid verification code format."),
        (
            vec![("code_verifier", "v")],
            (100, None),
            "code_verifier param is provided without a code_challenge",
        ),
        (vec![("redirect_uri", "https://evil.example/")], (191, None), "not allowed"),
        (
            vec![("redirect_uri", "http://localhost:8080/connector/callback")],
            (100, Some(36008)),
            "redirect_uri is identical",
        ),
        (vec![("grant_type", "refresh_token")], (1, None), "grant_type"),
    ] {
        let mut params = params;
        if !params.iter().any(|(name, _)| *name == "code") {
            params.push(("code", &code));
        }
        let answer = server.exchange(&params).await;
        assert_eq!((answer.status, answer.code()), (400, code_of), "{params:?}");
        let said = answer.body["error"]["message"].as_str().unwrap();
        assert!(said.contains(message), "{said}");
    }
    server.exchange(&[("code", &code)]).await.good();
}

#[tokio::test]
async fn the_dialog_drops_a_challenge() {
    let server = sandbox(&[]).await;
    let params = [("scope", SCOPE), ("code_challenge", "abc"), ("code_challenge_method", "S256")];
    let code = server.code(&params).await;
    assert_eq!(server.exchange(&[("code", &code), ("code_verifier", "abc")]).await.code(), (100, None));
    server.exchange(&[("code", &code)]).await.good();
}

#[tokio::test]
async fn an_exchange_by_get_works_too() {
    let server = sandbox(&[]).await;
    let code = server.code(&[("scope", SCOPE)]).await;
    let params = json!({
        "client_id": server.facts.app_id, "client_secret": server.facts.app_secret,
        "redirect_uri": CALLBACK, "code": code,
    });
    server.as_token(Method::GET, "oauth/access_token", &params).await.good();
}

#[tokio::test]
async fn a_short_token_becomes_a_long_one() {
    let server = sandbox(&[]).await;
    let short = server.token(&[("scope", SCOPE)]).await;
    let exchange = [("grant_type", "fb_exchange_token"), ("fb_exchange_token", short.as_str())];
    let answer = server.exchange(&exchange).await.good();
    assert_eq!(answer["expires_in"], 5_183_944);
    let long = text(&answer, "access_token");
    assert_ne!(long, short);
    let debug = server.debug(&long).await;
    assert_eq!(debug["expires_at"].as_i64().unwrap() - debug["issued_at"].as_i64().unwrap(), 5_183_944);
    assert!(server.debug(&short).await.get("issued_at").is_none(), "only long-lived tokens tell it");

    // A live one is renewed, unless Meta gives the same token and date back.
    server.advance(86_400);
    let exchange = [("grant_type", "fb_exchange_token"), ("fb_exchange_token", long.as_str())];
    let renewed = text(&server.exchange(&exchange).await.good(), "access_token");
    assert!(server.debug(&renewed).await["expires_at"].as_i64() > debug["expires_at"].as_i64());
    server.scenario("renewal_ignored");
    let same = server.exchange(&exchange).await.good();
    assert_eq!(same["access_token"], json!(long));
    assert_eq!(server.debug(&long).await["expires_at"], debug["expires_at"]);

    // An expired one is not.
    server.advance(60 * 86_400);
    assert_eq!(server.exchange(&exchange).await.code(), (190, Some(463)));
    assert_eq!(server.me(&long).await.code(), (190, Some(463)));
}

#[tokio::test]
async fn client_credentials_give_an_app_token() {
    let server = sandbox(&[]).await;
    let token = text(&server.exchange(&[("grant_type", "client_credentials")]).await.good(), "access_token");
    assert!(
        token.starts_with(&format!("{}|", server.facts.app_id)) && !token.contains(&server.facts.app_secret)
    );
    let params = json!({ "access_token": token, "input_token": server.facts.access_token });
    let debug = server.as_token(Method::GET, "debug_token", &params).await.good();
    assert!(strings(&debug["data"]["scopes"]).contains(&"ads_read"));
    assert_eq!(server.debug(&token).await["type"], "APP");
}

#[tokio::test]
async fn a_client_code_gives_a_long_token_of_its_own() {
    let server = sandbox(&[]).await;
    let params = json!({
        "client_id": server.facts.app_id, "client_secret": server.facts.app_secret,
        "redirect_uri": CALLBACK, "access_token": server.facts.access_token,
    });
    let code = text(&server.as_token(Method::GET, "oauth/client_code", &params).await.good(), "code");
    let answer = server.exchange(&[("code", &code)]).await.good();
    assert_ne!(answer["access_token"], json!(server.facts.access_token));
    assert_eq!(answer["expires_in"], 5_183_944);
}

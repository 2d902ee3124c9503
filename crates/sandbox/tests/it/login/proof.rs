use std::fmt::Write as _;

use aws_lc_rs::hmac;
use reqwest::Method;
use serde_json::json;

use super::{SCOPE, sandbox};
use crate::server::Server;

/// The proof by the book, not by the sandbox's own code.
fn proof(secret: &str, message: &str) -> String {
    let key = hmac::Key::new(hmac::HMAC_SHA256, secret.as_bytes());
    hmac::sign(&key, message.as_bytes()).as_ref().iter().fold(String::new(), |mut hex, byte| {
        let _ = write!(hex, "{byte:02x}");
        hex
    })
}

/// Calls `/me` with a proof of the newer form, made so many seconds ago.
async fn timed(server: &Server, age: i64) -> crate::server::Answer {
    let token = &server.facts.access_token;
    let time = server.world.read().unwrap().clock.unix() - age;
    let proof = proof(&server.facts.app_secret, &format!("{token}|{time}"));
    let params = json!({ "access_token": token, "appsecret_proof": proof, "appsecret_time": time });
    server.as_token(Method::GET, "me", &params).await
}

#[tokio::test]
async fn both_forms_are_taken() {
    let server = sandbox(&["proof_required"]).await;
    let token = server.facts.access_token.clone();
    assert_eq!(server.me(&token).await.code(), (100, None));
    let older = json!({ "access_token": token, "appsecret_proof": proof(&server.facts.app_secret, &token) });
    server.as_token(Method::GET, "me", &older).await.good();
    timed(&server, 0).await.good();
    timed(&server, 290).await.good();
}

#[tokio::test]
async fn a_proof_of_six_minutes_ago_is_refused() {
    let server = sandbox(&[]).await;
    for age in [360, -360] {
        let answer = timed(&server, age).await;
        assert_eq!(answer.code(), (100, None));
        assert_eq!(answer.body["error"]["message"], "Invalid appsecret_proof provided in the API argument");
    }
    server.scenario("clock_skew=600");
    assert_eq!(timed(&server, 0).await.code(), (100, None));
    timed(&server, -600).await.good();
}

#[tokio::test]
async fn a_proof_is_of_its_token_and_secret() {
    let server = sandbox(&[]).await;
    let token = server.facts.access_token.clone();
    let other = server.token(&[("scope", SCOPE)]).await;
    for wrong in [
        proof("another secret", &token),
        proof(&server.facts.app_secret, &other),
        String::new(),
        "0".repeat(64),
    ] {
        let params = json!({ "access_token": token, "appsecret_proof": wrong });
        assert_eq!(server.as_token(Method::GET, "me", &params).await.code(), (100, None), "{wrong}");
    }
}

#[tokio::test]
async fn a_batch_is_signed_as_a_whole() {
    let server = sandbox(&["proof_required"]).await;
    let token = server.facts.access_token.clone();
    let batch = json!([{ "method": "GET", "relative_url": "me" }, { "method": "GET", "relative_url": "me?fields=name" }]);
    let unsigned = json!({ "access_token": token, "batch": batch });
    assert_eq!(server.as_token(Method::POST, "", &unsigned).await.code(), (100, None));
    let signed = json!({
        "access_token": token, "batch": batch, "appsecret_proof": proof(&server.facts.app_secret, &token),
    });
    let items = server.as_token(Method::POST, "", &signed).await.good();
    for item in items.as_array().unwrap() {
        assert_eq!(item["code"], 200, "{item}");
    }
}

#[tokio::test]
async fn a_page_token_has_a_proof_of_its_own() {
    let server = sandbox(&["proof_required"]).await;
    let user = server.facts.access_token.clone();
    let secret = server.facts.app_secret.clone();
    let params =
        json!({ "access_token": user, "appsecret_proof": proof(&secret, &user), "fields": "access_token" });
    let page = server.as_token(Method::GET, &server.facts.page_id, &params).await.good();
    let token = page["access_token"].as_str().unwrap();
    let wrong = json!({ "access_token": token, "appsecret_proof": proof(&secret, &user) });
    assert_eq!(server.as_token(Method::GET, "me", &wrong).await.code(), (100, None));
    let right = json!({ "access_token": token, "appsecret_proof": proof(&secret, token) });
    assert_eq!(server.as_token(Method::GET, "me", &right).await.good()["id"], server.facts.page_id);
}

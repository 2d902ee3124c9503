use reqwest::Client;

use crate::{protocol::GraphError, world::webhooks::Challenge};

/// What a callback may answer at most; a challenge is a few digits.
const ANSWER_LIMIT: usize = 1024;

/// Asks a callback to echo the challenge. The error is the answer to whoever wanted to subscribe.
pub async fn ask(client: &Client, challenge: &Challenge) -> Result<(), GraphError> {
    let question = client.get(&challenge.subscription.callback_url).query(&[
        ("hub.mode", "subscribe"),
        ("hub.challenge", &challenge.text),
        ("hub.verify_token", &challenge.verify_token),
    ]);
    let mut response =
        question.send().await.map_err(|error| refused(&format!("curl_error = {}", reason(&error))))?;
    let status = response.status();
    if status != reqwest::StatusCode::OK {
        let message = status.canonical_reason().unwrap_or_default();
        return Err(refused(&format!("HTTP Status Code = {}; HTTP Message = {message}", status.as_u16())));
    }
    let mut echo = Vec::new();
    while let Ok(Some(chunk)) = response.chunk().await {
        echo.extend_from_slice(&chunk);
        if echo.len() > ANSWER_LIMIT {
            break;
        }
    }
    if echo == challenge.text.as_bytes() {
        return Ok(());
    }
    let received: String = String::from_utf8_lossy(&echo).chars().take(60).collect();
    Err(refused(&format!(
        "Response does not match challenge, expected value = '{}', received = '{received}'",
        challenge.text
    )))
}

fn refused(why: &str) -> GraphError {
    GraphError::new(2200, format!("(#2200) Callback verification failed with the following errors: {why}"))
}

/// Without the URL, which holds the verify token.
pub(super) fn reason(error: &reqwest::Error) -> &'static str {
    if error.is_timeout() {
        "the connection timed out"
    } else if error.is_connect() {
        "couldn't connect to host"
    } else {
        "the answer could not be read"
    }
}

//! Where Meta posts that a person removed the app, and that their data is to be deleted; and the page that tells the
//! person what became of it. Each URL works with the partner's key behind it too.

use adjoin_graph::signed_request::MAX_LENGTH;
use askama::Template;
use axum::{
    Json, Router,
    body::Bytes,
    extract::{DefaultBodyLimit, Path, State, rejection::BytesRejection},
    http::StatusCode,
    response::{IntoResponse, Response},
    routing::{get, post},
};
use serde_json::{Value, json};

use crate::{
    service::{
        App, Error,
        departures::{self, Departure, Wish},
        settings,
    },
    web::{
        connect::pages::{Failure, Message, render},
        problem::Problem,
    },
};

/// Largest body, in bytes: the field with its name, and room for what Meta may add.
const BODY_MAX: usize = MAX_LENGTH + 4096;

pub fn router() -> Router<App> {
    Router::new()
        .route("/connector/deauthorize", post(deauthorize))
        .route("/connector/deauthorize/{partner_key}", post(deauthorize))
        .route("/connector/data-deletion", post(delete_data))
        .route("/connector/data-deletion/{partner_key}", post(delete_data))
        .route("/connector/data-deletion/status/{code}", get(status))
        .layer(DefaultBodyLimit::max(BODY_MAX))
}

type Key = Option<Path<String>>;
type Body = Result<Bytes, BytesRejection>;

/// Why nothing was done. Those who are not Meta get a bare status, and learn nothing from it.
enum NotDone {
    Refused(StatusCode),
    Failed(Error),
}

impl From<Error> for NotDone {
    fn from(error: Error) -> Self {
        Self::Failed(error)
    }
}

impl IntoResponse for NotDone {
    fn into_response(self) -> Response {
        match self {
            Self::Refused(status) => status.into_response(),
            Self::Failed(error) => Problem::from(error).into_response(),
        }
    }
}

async fn deauthorize(State(app): State<App>, key: Key, body: Body) -> Result<StatusCode, NotDone> {
    carry_out(&app, Wish::Deauthorize, key, body).await?;
    Ok(StatusCode::OK)
}

async fn delete_data(State(app): State<App>, key: Key, body: Body) -> Result<Json<Value>, NotDone> {
    let departure = carry_out(&app, Wish::DeleteData, key, body).await?;
    let code = departure.code.unwrap_or_default();
    let url = departures::status_url(&app, &code).await?;
    Ok(Json(json!({ "url": url, "confirmation_code": code })))
}

async fn carry_out(app: &App, wish: Wish, key: Key, body: Body) -> Result<Departure, NotDone> {
    let malformed = || NotDone::Refused(StatusCode::BAD_REQUEST);
    if let Some(Path(key)) = key
        && key != settings::get(app).await?.partner_key
    {
        return Err(NotDone::Refused(StatusCode::NOT_FOUND));
    }
    let body = body.map_err(|_| malformed())?;
    let mut fields = url::form_urlencoded::parse(&body);
    let (_, signed) = fields.find(|(name, _)| name == "signed_request").ok_or_else(malformed)?;
    let request = departures::read(app, wish, &signed).await?.ok_or_else(malformed)?;
    Ok(departures::carry_out(app, &request).await?)
}

/// What became of a data deletion.
#[derive(Debug, Template)]
#[template(path = "callbacks/deletion.html")]
struct Deletion<'a> {
    partner: &'a str,
    code: &'a str,
    departure: &'a Departure,
}

async fn status(State(app): State<App>, Path(code): Path<String>) -> Response {
    show(&app, &code).await.unwrap_or_else(|error| Failure::of(&app)(error).into_response())
}

async fn show(app: &App, code: &str) -> Result<Response, Error> {
    let settings = settings::get(app).await?;
    if let Some(departure) = departures::deletion(app, code).await? {
        let page = Deletion { partner: &settings.partner_name, code, departure: &departure };
        return Ok(render(app, StatusCode::OK, &page, None, None));
    }
    let page = Message {
        next_step: Some("Compare it with the code that Facebook shows you.".to_owned()),
        ..Message::new(
            "warn",
            "We do not know this code",
            "No request to delete data has this confirmation code.",
        )
    };
    Ok(render(app, StatusCode::NOT_FOUND, &page, None, None))
}

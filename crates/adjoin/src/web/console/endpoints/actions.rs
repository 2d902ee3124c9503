//! What the buttons of an endpoint's page do.

use axum::{
    extract::{Path, State},
    response::{IntoResponse, Redirect, Response},
};

use super::{
    endpoint_id,
    page::{Outcome, Window, page, with_window},
};
use crate::{
    id::EndpointId,
    service::{
        self, App, Error,
        api_keys::Reach,
        deliveries::{self, Change, Only, Replay},
    },
    time::Timestamp,
    web::console::{Frame, Page, Result, done::Done, input::Form, parts::Refusal},
};

const ALL: &Reach = &Reach::AllAccounts;

/// Leads to the delivery: there its attempt appears.
pub async fn test(State(app): State<App>, frame: Frame, Path(id): Path<String>) -> Result<Response> {
    let id = endpoint_id(&id)?;
    match deliveries::test(&app, &frame.actor(), ALL, &id).await {
        Ok(delivery) => Ok(Done::TestSent.at(&format!("/deliveries/{}", delivery.id)).into_response()),
        Err(error) => answer(&app, frame, &id, Err(error)).await,
    }
}

pub async fn rotate_secret(State(app): State<App>, frame: Frame, Path(id): Path<String>) -> Result<Response> {
    let id = endpoint_id(&id)?;
    let rotated = deliveries::rotate_secret(&app, &frame.actor(), ALL, &id).await;
    let outcome = rotated.map(|it| Outcome::Secret { secret: it.secret, previous_until: it.previous_until });
    answer(&app, frame, &id, outcome).await
}

pub async fn enable(State(app): State<App>, frame: Frame, Path(id): Path<String>) -> Result<Redirect> {
    switch(&app, &frame, &id, true, Done::EndpointEnabled).await
}

pub async fn disable(State(app): State<App>, frame: Frame, Path(id): Path<String>) -> Result<Redirect> {
    switch(&app, &frame, &id, false, Done::EndpointDisabled).await
}

async fn switch(app: &App, frame: &Frame, id: &str, enabled: bool, done: Done) -> Result<Redirect> {
    let id = endpoint_id(id)?;
    let change = Change { enabled: Some(enabled), ..Change::default() };
    deliveries::change(app, &frame.actor(), ALL, &id, change).await?;
    Ok(done.at(&format!("/endpoints/{id}")))
}

pub async fn recover(State(app): State<App>, frame: Frame, Path(id): Path<String>) -> Result<Response> {
    let id = endpoint_id(&id)?;
    let recovered = deliveries::recover(&app, &frame.actor(), ALL, &id).await;
    answer(&app, frame, &id, recovered.map(Outcome::Recovered)).await
}

/// Everything that was given up, whenever it was.
pub async fn replay_dead(State(app): State<App>, frame: Frame, Path(id): Path<String>) -> Result<Response> {
    let id = endpoint_id(&id)?;
    let window = Replay {
        from: Timestamp::from_unix(0),
        until: frame.now.plus_seconds(60),
        types: Vec::new(),
        only: Only::Dead,
    };
    let replayed = deliveries::replay(&app, &frame.actor(), ALL, &id, window).await;
    answer(&app, frame, &id, replayed.map(Outcome::Replayed)).await
}

pub async fn replay(
    State(app): State<App>,
    frame: Frame,
    Path(id): Path<String>,
    Form(given): Form<Window>,
) -> Result<Response> {
    let id = endpoint_id(&id)?;
    let replayed = async {
        let only = if given.only == "all" { Only::All } else { Only::Dead };
        let window = Replay {
            from: moment("from", &given.from)?,
            until: moment("until", &given.until)?,
            types: Vec::new(),
            only,
        };
        deliveries::replay(&app, &frame.actor(), ALL, &id, window).await
    };
    match replayed.await {
        Ok(count) => answer(&app, frame, &id, Ok(Outcome::Replayed(count))).await,
        Err(error) => {
            let refusal = Refusal::from_error(error)?;
            let endpoint = deliveries::get(&app, ALL, &id).await?;
            let page = page(&app, frame, endpoint, None, None, refusal, Outcome::Nothing).await?;
            Ok(Page::refused(with_window(page, given)).into_response())
        }
    }
}

/// What a browser sends for a moment: without seconds when they are zero, and without a zone; it is UTC.
fn moment(field: &str, text: &str) -> service::Result<Timestamp> {
    format!("{}Z", text.trim())
        .parse()
        .map(Timestamp)
        .map_err(|_| Error::invalid(field, "this is no date and time", "such as 2026-11-24T10:30, in UTC"))
}

async fn answer(
    app: &App,
    frame: Frame,
    id: &EndpointId,
    outcome: service::Result<Outcome>,
) -> Result<Response> {
    match outcome {
        Ok(outcome) => {
            let endpoint = deliveries::get(app, ALL, id).await?;
            Ok(Page::new(page(app, frame, endpoint, None, None, Refusal::default(), outcome).await?)
                .into_response())
        }
        Err(error) => {
            let refusal = Refusal::from_error(error)?;
            let endpoint = deliveries::get(app, ALL, id).await?;
            let page = page(app, frame, endpoint, None, None, refusal, Outcome::Nothing).await?;
            Ok(Page::refused(page).into_response())
        }
    }
}

/// Somebody came back to the address of a button.
pub async fn back(_frame: Frame, Path(id): Path<String>) -> Result<Redirect> {
    Ok(Redirect::to(&format!("/endpoints/{}", endpoint_id(&id)?)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_moment_of_a_browser_is_utc() {
        for text in ["2026-11-24T10:00", " 2026-11-24T10:00:00"] {
            assert_eq!(moment("from", text).unwrap(), Timestamp::from_unix(1_795_514_400), "{text}");
        }
        assert!(moment("from", "yesterday").is_err());
    }
}

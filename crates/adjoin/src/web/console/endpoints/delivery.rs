//! One delivery: its attempts, and sending it again.

use askama::Template;
use axum::{
    extract::{Path, State},
    response::{IntoResponse, Redirect, Response},
};

use super::words;
use crate::{
    id::DeliveryId,
    service::{
        App,
        api_keys::Reach,
        deliveries::{self, DeliveryDetail, Endpoint, Status},
    },
    web::console::{
        Failure, Frame, Page, Result,
        done::Done,
        parts::{Copy, Mark, Refusal, Tone},
        words::duration,
    },
};

#[derive(Debug, Template)]
#[template(path = "console/endpoints/delivery.html")]
pub struct DeliveryPage {
    frame: Frame,
    endpoint: Endpoint,
    detail: DeliveryDetail,
    refusal: Refusal,
}

impl DeliveryPage {
    fn endpoint_name(&self) -> &str {
        if self.endpoint.description.is_empty() { &self.endpoint.url } else { &self.endpoint.description }
    }

    /// The page of what it is about, when it has one.
    fn subject_page(&self) -> Option<String> {
        let delivery = &self.detail.delivery;
        let account = delivery.account_id.as_ref()?;
        let part = match delivery.subject.split_once('_')?.0 {
            "lead" => "leads",
            "con" => "connections",
            _ => return None,
        };
        Some(format!("/accounts/{account}/{part}/{}", delivery.subject))
    }
}

fn delivery_id(text: &str) -> Result<DeliveryId> {
    text.parse().map_err(|_| Failure::no_page())
}

pub async fn show(
    State(app): State<App>,
    frame: Frame,
    Path(id): Path<String>,
) -> Result<Page<DeliveryPage>> {
    Ok(Page::new(page(&app, frame, &delivery_id(&id)?, Refusal::default()).await?))
}

pub async fn replay(State(app): State<App>, frame: Frame, Path(id): Path<String>) -> Result<Response> {
    let id = delivery_id(&id)?;
    match deliveries::replay_one(&app, &frame.actor(), &Reach::AllAccounts, &id).await {
        Ok(()) => Ok(Done::Replayed.at(&format!("/deliveries/{id}")).into_response()),
        Err(error) => {
            let refusal = Refusal::from_error(error)?;
            Ok(Page::refused(page(&app, frame, &id, refusal).await?).into_response())
        }
    }
}

/// Somebody came back to the address of a button.
pub async fn back(_frame: Frame, Path(id): Path<String>) -> Result<Redirect> {
    Ok(Redirect::to(&format!("/deliveries/{}", delivery_id(&id)?)))
}

async fn page(app: &App, frame: Frame, id: &DeliveryId, refusal: Refusal) -> Result<DeliveryPage> {
    let detail = deliveries::delivery(app, &Reach::AllAccounts, id).await?;
    let endpoint = deliveries::get(app, &Reach::AllAccounts, &detail.delivery.endpoint_id).await?;
    Ok(DeliveryPage { frame, endpoint, detail, refusal })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        id::{AccountId, AttemptId},
        service::deliveries::{Attempt, State as EndpointState},
        time::Timestamp,
        web::console::endpoints::page::tests::{delivery, endpoint},
    };

    #[test]
    fn attempts_are_told_with_what_was_answered() {
        let now = Timestamp::from_unix(1_795_514_400);
        let attempt = |status, error: Option<&str>, response: Option<&str>| Attempt {
            id: AttemptId::new(),
            at: now,
            status,
            error: error.map(str::to_owned),
            response: response.map(str::to_owned),
            duration_us: 1_234_000,
        };
        let account = AccountId::new();
        let page = |status| DeliveryPage {
            frame: Frame::sample(now),
            endpoint: endpoint(EndpointState::Enabled),
            detail: DeliveryDetail {
                delivery: crate::service::deliveries::Delivery {
                    account_id: Some(account.clone()),
                    ..delivery(status)
                },
                attempt_log: vec![
                    attempt(Some(200), None, None),
                    attempt(Some(503), Some("it answered 503"), Some("<b>down</b>")),
                    attempt(None, Some("no answer in 15 seconds"), None),
                ],
            },
            refusal: Refusal::default(),
        };
        let html = page(Status::Dead).render().unwrap();
        assert!(!html.contains("<b>"));
        for words in
            ["Given up", "503", "No answer", "1.2 s", "&#60;b&#62;down", "Send again", "/leads/lead_1"]
        {
            assert!(html.contains(words), "{words}");
        }
        assert!(page(Status::Pending).render().unwrap().contains("Try now"));
    }
}

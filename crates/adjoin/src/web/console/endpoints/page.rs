//! One endpoint: how it stands, its deliveries, and what can be done with it.

use askama::Template;
use axum::extract::{Path, State};
use secrecy::{ExposeSecret as _, SecretString};
use serde::Deserialize;

use super::{account_name, endpoint_id, words};
use crate::{
    service::{
        App,
        api_keys::Reach,
        deliveries::{self, Delivery, Endpoint, Status},
        history::{self, Line},
    },
    store,
    time::Timestamp,
    web::console::{
        Frame, Page, Result,
        connections::words::action,
        input::Query,
        parts::{Choice, Copy, Field, Mark, Refusal, Tone},
        words::address,
    },
};

const PER_PAGE: usize = 25;
/// Newest lines of the history shown.
const LINES: i64 = 8;

#[derive(Debug, Template)]
#[template(path = "console/endpoints/page.html")]
pub struct EndpointPage {
    frame: Frame,
    endpoint: Endpoint,
    /// `None`: all accounts.
    account: Option<String>,
    counts: Vec<(Status, i64)>,
    deliveries: store::Page<Delivery>,
    status: Option<Status>,
    history: Vec<Line>,
    window: Window,
    refusal: Refusal,
    result: Outcome,
}

/// What a form on this page has brought up. It is on this page and nowhere else.
#[derive(Debug, Default)]
pub enum Outcome {
    #[default]
    Nothing,
    Secret {
        secret: SecretString,
        /// Until when the one before signs too.
        previous_until: Option<Timestamp>,
    },
    /// So many deliveries are sent again.
    Replayed(u64),
    /// So many waiting deliveries are tried now.
    Recovered(u64),
}

/// The window of a replay, as it was typed.
#[derive(Debug, Clone, Deserialize)]
pub struct Window {
    pub from: String,
    pub until: String,
    pub only: String,
}

impl Window {
    /// The last day.
    fn last_day(now: Timestamp) -> Self {
        let text = |at: Timestamp| at.0.strftime("%Y-%m-%dT%H:%M").to_string();
        Self {
            from: text(now.plus_seconds(-86_400)),
            until: text(now.plus_seconds(60)),
            only: "dead".to_owned(),
        }
    }
}

impl EndpointPage {
    fn count(&self, status: Status) -> i64 {
        self.counts.iter().filter(|it| it.0 == status).map(|it| it.1).sum()
    }

    fn all(&self) -> i64 {
        self.counts.iter().map(|it| it.1).sum()
    }

    fn here(&self) -> String {
        format!("/endpoints/{}", self.endpoint.id)
    }

    fn name(&self) -> &str {
        if self.endpoint.description.is_empty() { &self.endpoint.url } else { &self.endpoint.description }
    }

    fn more(&self) -> Option<String> {
        let next = self.deliveries.next.as_deref()?;
        let status = self.status.map_or("", Status::as_str);
        Some(address(&self.here(), &[("status", status), ("after", next)]))
    }

    #[expect(clippy::trivially_copy_pass_by_ref, reason = "templates hand over references")]
    fn is_shown(&self, status: &Status) -> bool {
        self.status == Some(*status)
    }

    fn is_paused(&self) -> bool {
        self.endpoint.paused_until.is_some_and(|until| until > self.frame.now)
    }

    fn onlys() -> Vec<Choice> {
        vec![
            Choice::new("dead", "Those given up"),
            Choice::new("all", "All, delivered or not, also from before the endpoint was made"),
        ]
    }
}

#[derive(Debug, Default, Deserialize)]
pub struct Asked {
    #[serde(default)]
    status: String,
    after: Option<String>,
}

pub async fn show(
    State(app): State<App>,
    frame: Frame,
    Path(id): Path<String>,
    Query(asked): Query<Asked>,
) -> Result<Page<EndpointPage>> {
    let endpoint = deliveries::get(&app, &Reach::AllAccounts, &endpoint_id(&id)?).await?;
    let status = asked.status.parse().ok();
    let page =
        page(&app, frame, endpoint, status, asked.after.as_deref(), Refusal::default(), Outcome::Nothing);
    Ok(Page::new(page.await?))
}

pub async fn page(
    app: &App,
    frame: Frame,
    endpoint: Endpoint,
    status: Option<Status>,
    after: Option<&str>,
    refusal: Refusal,
    result: Outcome,
) -> Result<EndpointPage> {
    let id = &endpoint.id;
    let deliveries =
        deliveries::list_deliveries(app, &Reach::AllAccounts, Some(id), status, after, PER_PAGE).await?;
    Ok(EndpointPage {
        account: account_name(app, endpoint.account_id.as_ref()).await?,
        counts: deliveries::counts_of(app, [id]).await?.remove(id).unwrap_or_default(),
        history: history::about(app, id.as_str(), LINES).await?,
        window: Window::last_day(frame.now),
        frame,
        endpoint,
        deliveries,
        status,
        refusal,
        result,
    })
}

/// The page again, with a window that was refused.
pub fn with_window(page: EndpointPage, window: Window) -> EndpointPage {
    EndpointPage { window, ..page }
}

#[cfg(test)]
pub mod tests {
    use super::*;
    use crate::{
        id::{DeliveryId, EndpointId, EventId},
        service::{deliveries::State as EndpointState, events::Kind},
    };

    const NOW: i64 = 1_795_514_400;

    pub fn endpoint(state: EndpointState) -> Endpoint {
        let now = Timestamp::from_unix(NOW);
        Endpoint {
            id: EndpointId::new(),
            account_id: None,
            url: "https://crm.example/<b>".to_owned(),
            description: "CRM <b>".to_owned(),
            types: vec!["lead.*".parse().unwrap()],
            test_leads: false,
            state,
            failing_since: Some(now.plus_seconds(-7200)),
            paused_until: None,
            created_at: now,
            updated_at: now,
        }
    }

    pub fn delivery(status: Status) -> Delivery {
        let now = Timestamp::from_unix(NOW);
        Delivery {
            id: DeliveryId::new(),
            endpoint_id: EndpointId::new(),
            event_id: EventId::new(),
            event_seq: 7,
            kind: Kind::LeadCreated,
            account_id: None,
            subject: "lead_1".to_owned(),
            status,
            attempts: 3,
            due_at: (status == Status::Pending).then_some(now.plus_seconds(300)),
            last_status: Some(503),
            last_error: Some("it answered 503 <b>".to_owned()),
            event_at: now,
            created_at: now,
            delivered_at: None,
        }
    }

    fn rendered(state: EndpointState, result: Outcome) -> String {
        let now = Timestamp::from_unix(NOW);
        let page = EndpointPage {
            frame: Frame::sample(now),
            endpoint: endpoint(state),
            account: None,
            counts: Status::ALL.map(|status| (status, 2)).to_vec(),
            deliveries: store::Page {
                items: Status::ALL.map(delivery).to_vec(),
                next: Some("dlv_1".to_owned()),
            },
            status: Some(Status::Dead),
            history: vec![Line { at: now, who: "Ada".to_owned(), action: "endpoint.created".to_owned() }],
            window: Window::last_day(now),
            refusal: Refusal::default(),
            result,
        };
        let html = page.render().unwrap();
        assert!(!html.contains("<b>"));
        html
    }

    #[test]
    fn state_deliveries_and_what_can_be_done_are_said() {
        let html = rendered(EndpointState::Enabled, Outcome::Nothing);
        for words in [
            "Failing",
            "since",
            "Given up",
            "Tried again",
            "Send a test event",
            "value=\"2026-11-23T10:00\"",
            "after=dlv_1",
        ] {
            assert!(html.contains(words), "{words}");
        }
        assert!(html.contains("/disable\"") && !html.contains("/enable\""));
        let at = Timestamp::from_unix(NOW);
        let html =
            rendered(EndpointState::Disabled { cause: deliveries::Cause::Failing, at }, Outcome::Nothing);
        assert!(html.contains("Nothing arrived there for five days") && html.contains("/enable\""));
        assert!(!html.contains("Send a test event"), "nothing is sent to one that is disabled");
    }

    #[test]
    fn a_secret_is_shown_with_what_happens_to_the_one_before() {
        let previous_until = Some(Timestamp::from_unix(NOW + 86_400));
        let html = rendered(
            EndpointState::Enabled,
            Outcome::Secret { secret: SecretString::from("whsec_abc"), previous_until },
        );
        assert!(html.contains("whsec_abc") && html.contains("in 1 day"));
        assert!(!rendered(EndpointState::Enabled, Outcome::Nothing).contains("whsec_"));
        assert!(rendered(EndpointState::Enabled, Outcome::Replayed(1)).contains("1 delivery is sent again"));
    }
}

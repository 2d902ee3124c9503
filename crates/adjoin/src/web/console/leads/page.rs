//! One lead: what the person sent, where it came from, and its way to the endpoints.

use std::collections::BTreeMap;

use askama::Template;
use axum::extract::{Path, State};

use super::{
    of_path,
    way::{self, Origin, Step, What},
    words,
};
use crate::{
    id::EndpointId,
    service::{
        App, accounts,
        api_keys::Reach,
        deliveries::{self, Status},
        leads::{self, Content, Lead, State as LeadState},
    },
    web::console::{
        Frame, Page, Result,
        connections::words::who,
        parts::{Copy, Mark, Refusal, Tone},
        words::{duration, sentence},
    },
};

#[derive(Debug, Template)]
#[template(path = "console/leads/page.html")]
pub struct LeadPage {
    frame: Frame,
    lead: Lead,
    account_name: String,
    /// What the person sent; `None` before it is read, and once it is erased.
    content: Option<Content>,
    /// From the campaign down to the ad.
    origin: Vec<Origin>,
    steps: Vec<Step>,
    /// What the endpoints of the steps are called.
    endpoints: BTreeMap<EndpointId, String>,
    refusal: Refusal,
}

impl LeadPage {
    fn here(&self) -> String {
        format!("/accounts/{}/leads/{}", self.lead.account_id, self.lead.id)
    }

    fn form_name(&self) -> &str {
        self.lead.form_name.as_deref().unwrap_or(&self.lead.form_id)
    }

    fn endpoint(&self, id: &EndpointId) -> &str {
        self.endpoints.get(id).map_or("an endpoint", String::as_str)
    }

    /// How long it took from the form to the first endpoint.
    fn age(&self) -> Option<String> {
        let (from, to) = (self.lead.submitted_at?, self.lead.delivered_at?);
        Some(duration(to.millis() - from.millis()))
    }

    /// How long after the step before this one happened; nothing where that is no time at all.
    #[expect(clippy::trivially_copy_pass_by_ref, reason = "templates hand over references")]
    fn later(&self, index: &usize) -> Option<String> {
        let before = self.steps.get(index.checked_sub(1)?)?;
        let millis = self.steps.get(*index)?.at.millis() - before.at.millis();
        (millis >= 1000).then(|| duration(millis))
    }

    fn can_erase(&self) -> bool {
        !matches!(self.lead.state, LeadState::Erased { .. } | LeadState::Expired { .. })
    }
}

pub async fn show(
    State(app): State<App>,
    frame: Frame,
    Path((account, lead)): Path<(String, String)>,
) -> Result<Page<LeadPage>> {
    let lead = of_path(&app, &account, &lead).await?;
    Ok(Page::new(page(&app, frame, lead, Refusal::default()).await?))
}

pub async fn page(app: &App, frame: Frame, lead: Lead, refusal: Refusal) -> Result<LeadPage> {
    let content = leads::render(app, &lead.account_id, &lead.id).await?;
    let origin = way::origin(&lead, content.as_ref());
    let steps = way::steps(&lead, &origin, leads::timeline(app, &lead.account_id, &lead.id).await?);
    let account_name = accounts::get(app, &lead.account_id).await?.name;
    let mut endpoints = BTreeMap::new();
    for step in &steps {
        let (What::Attempted { endpoint_id: id, .. } | What::Underway { endpoint_id: id, .. }) = &step.what
        else {
            continue;
        };
        if !endpoints.contains_key(id) {
            let endpoint = deliveries::get(app, &Reach::AllAccounts, id).await?;
            let name = if endpoint.description.is_empty() { endpoint.url } else { endpoint.description };
            endpoints.insert(id.clone(), name);
        }
    }
    Ok(LeadPage { frame, lead, account_name, content, origin, steps, endpoints, refusal })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::{
        id::{AttemptId, DeliveryId, LeadStageId},
        service::{
            deliveries::Attempt,
            leads::{Answer, Cause, Consent, Stage, StageState},
        },
        time::Timestamp,
        web::console::leads::list::tests::{lead, parked},
    };

    const NOW: i64 = 1_795_514_400;

    fn content(lead: &Lead) -> Content {
        let text = |text: &str| Some(text.to_owned());
        Content {
            lead_id: lead.id.clone(),
            meta_lead_id: lead.meta_lead_id.clone(),
            submitted_at: lead.submitted_at,
            first_source: text("webhook"),
            page_id: "42".to_owned(),
            form_id: "777".to_owned(),
            form_name: text("Test drive"),
            form_version_id: None,
            campaign_id: text("1"),
            campaign_name: text("Spring <b>"),
            ad_set_id: text("2"),
            ad_set_name: None,
            ad_id: text("3"),
            ad_name: text("Blue car"),
            is_organic: Some(false),
            platform: text("ig"),
            is_test: false,
            answers: vec![
                Answer {
                    name: "email".to_owned(),
                    label: text("E-mail <b>"),
                    values: vec!["jane@example.com".to_owned()],
                },
                Answer {
                    name: "cars".to_owned(),
                    label: None,
                    values: vec!["a<b>".to_owned(), "b".to_owned()],
                },
                Answer { name: "note".to_owned(), label: None, values: Vec::new() },
            ],
            consents: vec![Consent { checkbox_key: "news".to_owned(), is_checked: true }],
            raw: json!({}),
        }
    }

    fn rendered(lead: Lead, content: Option<Content>, steps: Vec<What>) -> String {
        let now = Timestamp::from_unix(NOW);
        let at = |(index, what): (i64, What)| Step { at: now.plus_seconds(index * 5), what };
        let page = LeadPage {
            frame: Frame::sample(now),
            account_name: "Acme <b>".to_owned(),
            origin: way::origin(&lead, content.as_ref()),
            lead,
            content,
            steps: (0..).zip(steps).map(at).collect(),
            endpoints: BTreeMap::new(),
            refusal: Refusal::default(),
        };
        let html = page.render().unwrap();
        assert!(!html.contains("<b>"));
        html
    }

    #[test]
    fn answers_origin_and_the_whole_way_are_shown() {
        let now = Timestamp::from_unix(NOW);
        let mut it = lead(LeadState::Hydrated);
        (it.campaign_id, it.ad_id) = (Some("1".to_owned()), Some("3".to_owned()));
        it.delivered_at = Some(now);
        let attempt = |status, error: Option<&str>| Attempt {
            id: AttemptId::new(),
            at: now,
            status,
            error: error.map(str::to_owned),
            response: None,
            duration_us: 20_000,
        };
        let (delivery, endpoint) = (DeliveryId::new(), EndpointId::new());
        let attempted = |attempt| What::Attempted {
            delivery_id: delivery.clone(),
            endpoint_id: endpoint.clone(),
            attempt,
        };
        let stage = Stage {
            id: LeadStageId::new(),
            lead_id: it.id.clone(),
            dataset_id: "9".to_owned(),
            stage: "Won <b>".to_owned(),
            staged_at: now,
            state: StageState::Sent { at: now, trace_id: None },
        };
        let origin = way::origin(&it, Some(&content(&it)));
        let steps = vec![
            What::Ad { origin },
            What::Submitted,
            What::Sighted { source: "webhook".to_owned(), times: 2, last_at: now },
            What::Read,
            What::Event { kind: "lead.created".to_owned() },
            attempted(attempt(Some(503), Some("it answered 503"))),
            attempted(attempt(Some(200), None)),
            What::Underway {
                delivery_id: delivery.clone(),
                endpoint_id: endpoint.clone(),
                status: Status::Pending,
            },
            What::Staged { stage },
        ];
        let content = content(&it);
        let html = rendered(it, Some(content), steps);
        for words in [
            "E-mail &#60;b&#62;",
            "jane@example.com",
            "left open",
            "news",
            "The person saw an ad",
            "Campaign “Spring &#60;b&#62;” › Ad “Blue car”",
            "Instagram",
            "1 min 30 s after it was sent",
            "named it by a webhook",
            "2 times",
            "5 s later",
            "503",
            "Won &#60;b&#62;",
            "Erase",
        ] {
            assert!(html.contains(words), "{words}");
        }
        assert!(!html.contains("Try now"), "what was read is not tried again");
    }

    #[test]
    fn one_that_waits_says_why_and_can_be_tried() {
        let it = lead(parked());
        let stuck = What::Parked { cause: Cause::Token, message: "a password was changed <b>".to_owned() };
        let html = rendered(it, None, vec![What::Submitted, stuck]);
        assert!(
            html.contains("Meta's code 190".replace('\'', "&#39;").as_str())
                || html.contains("Meta's code 190")
        );
        assert!(html.contains("A password was changed &#60;b&#62;."));
        assert!(html.contains("Try now") && html.contains("let somebody connect again"));
    }

    #[test]
    fn one_that_was_erased_shows_nothing_of_the_person() {
        let at = Timestamp::from_unix(NOW);
        let html = rendered(lead(LeadState::Erased { at }), None, vec![What::Submitted, What::Erased]);
        assert!(html.contains("was erased") && !html.contains("/erase\""));
    }
}

//! `lead.report_stage`: a stage of a lead that Adjoin holds, told to Meta once.

use adjoin_graph::Request;
use adjoin_marketing::catalogue::{Method, Plan};
use serde_json::{Map, Value, json};

use super::{Answer, Trail, Way, answer, explained, rules};
use crate::service::{
    Error, Result, connections,
    leads::stages::{self, Claim, Report},
};

pub const METHOD: &str = "lead.report_stage";

/// What a report would send.
pub async fn preview(way: &Way<'_>, mut plan: Plan, arguments: &Map<String, Value>) -> Result<Answer> {
    let report = stages::prepare(way.app, &way.access.account_id, arguments).await?;
    plan.body.insert("data".to_owned(), json!([report.event]));
    Ok(answer::preview(&plan, false, &[]))
}

/// Reports a stage. Beside the answer, what went wrong on the way to Meta.
pub async fn report(
    way: &Way<'_>,
    method: &Method,
    plan: &Plan,
    arguments: &Map<String, Value>,
    trail: &mut Trail,
) -> (Result<Answer>, Option<adjoin_graph::Error>) {
    let (report, claim) = match ready(way, arguments, trail).await {
        Ok(ready) => ready,
        Err(error) => return (Err(error), None),
    };
    let ours = match claim {
        Claim::Sent(stage) => {
            return (Ok(answer::of(&json!({ "stage": stage, "already_sent": true }))), None);
        }
        Claim::Ours(ours) => ours,
    };
    let request = Request::post(&plan.path).param("data", json!([report.event]));
    let sent = way.send(&request, trail).await;
    // Whatever becomes of writing it down: it is not sent again, since it stands there as being sent.
    let stage = match stages::settle(way.app, ours, &sent).await {
        Ok(stage) => stage,
        Err(error) => return (Err(error), sent.err()),
    };
    match sent {
        Ok(_) if matches!(stage.state, stages::StageState::Sent { .. }) => {
            (Ok(answer::of(&json!({ "stage": stage, "already_sent": false }))), None)
        }
        Ok(answer) => {
            let error = adjoin_graph::Error::Unreadable {
                status: answer.status,
                reason: "it does not say that Meta took the event".to_owned(),
                trace_id: answer.trace_id,
            };
            (Err(ended_unknown(explained(&error, method))), Some(error))
        }
        Err(error) => (Err(ended_unknown(explained(&error, method))), Some(error)),
    }
}

async fn ready(way: &Way<'_>, arguments: &Map<String, Value>, trail: &mut Trail) -> Result<(Report, Claim)> {
    let report = stages::prepare(way.app, &way.access.account_id, arguments).await?;
    if let Some((page_id, form_id)) = report.maybe_a_test() {
        let access = way.access;
        let access =
            connections::page_access(way.app, &access.account_id, &access.connection_id, page_id).await?;
        let of_page = Way { access: &access, ..*way };
        if rules::test_leads(&of_page, form_id, trail).await?.contains(report.meta_lead_id()) {
            return stages::test_lead();
        }
    }
    let claim = stages::claim(way.app, &report).await?;
    Ok((report, claim))
}

/// There is no way to ask Meta for an event, and Adjoin remembers what it sent.
fn ended_unknown(error: Error) -> Error {
    match error {
        Error::Meta(mut known) if known.outcome_unknown => {
            "it is not sent again, since Meta may have it: look for the event in Meta's Events Manager"
                .clone_into(&mut known.next_step);
            known.retry = false;
            Error::Meta(known)
        }
        other => other,
    }
}

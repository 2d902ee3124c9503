//! The way of a lead as one list, in the order in which things happened.

use crate::{
    id::{DeliveryId, EndpointId},
    service::{
        deliveries::{Attempt, Status},
        leads::{Cause, Content, Lead, Stage, State, Timeline},
    },
    time::Timestamp,
};

/// One thing that happened to a lead.
#[derive(Debug, Clone)]
pub struct Step {
    pub at: Timestamp,
    pub what: What,
}

#[derive(Debug, Clone)]
pub enum What {
    /// The person saw an ad: what is known of it, from the campaign down.
    Ad {
        origin: Vec<Origin>,
    },
    /// The person sent the form, by Meta's clock.
    Submitted,
    /// A webhook, an update, the sweep or a backfill named it, so many times, last then.
    Sighted {
        source: String,
        times: i64,
        last_at: Timestamp,
    },
    /// It was read from Meta, with everything the person sent.
    Read,
    /// It could not be read, and waited.
    Parked {
        cause: Cause,
        message: String,
    },
    /// Meta does not have it any more.
    Gone,
    /// An event for the partner was written.
    Event {
        kind: String,
    },
    /// An endpoint was sent the event.
    Attempted {
        delivery_id: DeliveryId,
        endpoint_id: EndpointId,
        attempt: Attempt,
    },
    /// The event has not arrived at an endpoint; while it is pending, it is tried then.
    Underway {
        delivery_id: DeliveryId,
        endpoint_id: EndpointId,
        status: Status,
    },
    /// A stage of the partner's CRM was told to Meta.
    Staged {
        stage: Stage,
    },
    Erased,
    Expired,
}

/// Where a lead came from: a campaign, an ad set or an ad.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Origin {
    pub what: &'static str,
    /// Known once it is read, and where Meta tells.
    pub name: Option<String>,
    pub id: String,
}

/// From the campaign down to the ad; empty for a lead that came through no ad.
pub fn origin(lead: &Lead, content: Option<&Content>) -> Vec<Origin> {
    let named = |name: fn(&Content) -> &Option<String>| content.and_then(|it| name(it).clone());
    let rows = [
        ("Campaign", named(|it| &it.campaign_name), &lead.campaign_id),
        ("Ad set", named(|it| &it.ad_set_name), &lead.ad_set_id),
        ("Ad", named(|it| &it.ad_name), &lead.ad_id),
    ];
    let known = rows.into_iter().filter_map(|(what, name, id)| Some(Origin { what, name, id: id.clone()? }));
    known.collect()
}

pub fn steps(lead: &Lead, origin: &[Origin], timeline: Timeline) -> Vec<Step> {
    let mut steps = Vec::new();
    let mut add = |at: Timestamp, what: What| steps.push(Step { at, what });
    if !origin.is_empty() {
        // When the person saw it nobody tells; it was before.
        add(lead.submitted_at.unwrap_or(lead.seen_at), What::Ad { origin: origin.to_vec() });
    }
    if let Some(at) = lead.submitted_at {
        add(at, What::Submitted);
    }
    for it in timeline.sightings {
        add(it.first_at, What::Sighted { source: it.source, times: it.times, last_at: it.last_at });
    }
    for state in timeline.parks {
        match state {
            State::Parked { cause, message, since, .. } => add(since, What::Parked { cause, message }),
            State::Gone { since } => add(since, What::Gone),
            State::Seen | State::Hydrated | State::Erased { .. } | State::Expired { .. } => {}
        }
    }
    if let Some(at) = lead.hydrated_at {
        add(at, What::Read);
    }
    match &lead.state {
        State::Erased { at } => add(*at, What::Erased),
        State::Expired { at } => add(*at, What::Expired),
        State::Seen | State::Hydrated | State::Parked { .. } | State::Gone { .. } => {}
    }
    for it in timeline.events {
        add(it.at, What::Event { kind: it.kind });
    }
    for it in timeline.deliveries {
        let delivery = it.delivery;
        for attempt in it.attempt_log {
            let (delivery_id, endpoint_id) = (delivery.id.clone(), delivery.endpoint_id.clone());
            add(attempt.at, What::Attempted { delivery_id, endpoint_id, attempt });
        }
        if delivery.status != Status::Delivered {
            let at = delivery.due_at.unwrap_or(delivery.created_at);
            let status = delivery.status;
            add(at, What::Underway { delivery_id: delivery.id, endpoint_id: delivery.endpoint_id, status });
        }
    }
    for stage in timeline.stages {
        add(stage.staged_at, What::Staged { stage });
    }
    // What was added first stands first among what happened at the same moment.
    steps.sort_by_key(|step| step.at);
    steps
}

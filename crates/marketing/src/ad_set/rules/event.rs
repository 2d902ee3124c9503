//! Which conversion event an objective takes.

use super::super::events::{self, Standing};
use super::super::findings::{Findings, Rule, at};
use super::super::promoted_object::PromotedObject;
use super::case::{Case, either};
use crate::vocabulary::{Kind, vocabulary};

pub(super) fn check(case: &Case<'_>, out: &mut Findings) {
    let Some(object) = &case.ad_set.promoted_object else { return };
    let Some(objective) = case.objective else { return };
    let Some(objective_at) = objective.at else { return };
    omnichannel(objective_at, objective.text, object, out);
    let Some(event) = object.text("custom_event_type") else { return };
    let Some(at) = vocabulary(Kind::CustomEventType).position(event) else { return };
    let path = || at!["ad_set", "promoted_object", "custom_event_type"];
    let row = location(case, object).and_then(|location| events::of_objective(objective_at, location));
    let objective = objective.text;
    let Some(row) = row else {
        // No list for the place; but some events were seen to be refused.
        if let Some(refusal) = events::refused(objective, case.goal.map(|goal| goal.text), event) {
            let goals = match &refusal.goals[..] {
                [] => String::new(),
                goals => format!(" and goal {}", either(goals)),
            };
            out.add(
                Rule::EventRefused,
                path(),
                format!("The event {event} was seen to be refused with {objective}{goals}."),
                elsewhere_or_none(event),
            )
            .with_row(refusal.mark, &refusal.source);
        }
        return;
    };
    match row.standing(at) {
        Standing::Documented => {}
        Standing::Measured => {
            out.add(
                Rule::EventMeasured,
                path(),
                format!("{event} is not among the documented events of {objective}, though it was seen to be taken."),
                format!("Documented are {}.", either(&row.events)),
            );
        }
        Standing::Refused => {
            let fix = format!(
                "With {objective} choose {}{}",
                either(&row.events),
                elsewhere(event, row.locations.first())
            );
            let message = format!("The event {event} cannot be used with {objective}.");
            out.add(Rule::EventNotForObjective, path(), message, fix);
        }
    }
}

/// Where the conversion happens, as far as the ad set says.
fn location<'c>(case: &Case<'c>, object: &PromotedObject<'_>) -> Option<&'c str> {
    match case.destination.map(|destination| destination.text) {
        _ if object.has("omnichannel_object") => Some("WEBSITE_AND_APP"),
        None | Some("WEBSITE") if object.has("application_id") && !object.has("pixel_id") => Some("APP"),
        None | Some("WEBSITE" | "SHOP_AUTOMATIC") => Some("WEBSITE"),
        Some(place @ ("APP" | "MESSENGER" | "WHATSAPP")) => Some(place),
        Some(_) => None,
    }
}

/// What can be done about an event that fits nowhere near.
fn elsewhere_or_none(event: &str) -> String {
    let mut takers: Vec<&str> = events::rows()
        .iter()
        .filter(|row| row.events.iter().any(|word| word == event))
        .map(|row| row.objective.as_str())
        .collect();
    takers.dedup();
    if takers.is_empty() {
        "Leave custom_event_type out.".to_owned()
    } else {
        format!("Leave custom_event_type out, or use {}, which takes {event}.", either(&takers))
    }
}

/// The events of website and app together stand in the items of the object.
fn omnichannel(objective_at: usize, objective: &str, object: &PromotedObject<'_>, out: &mut Findings) {
    let Some(both) = &object.omnichannel else { return };
    let Some(row) = events::of_objective(objective_at, "WEBSITE_AND_APP") else { return };
    for (place, index, item) in both.items() {
        let Some(event) = item.custom_event_type.as_deref() else { continue };
        let Some(at) = vocabulary(Kind::CustomEventType).position(event) else { continue };
        if row.standing(at) == Standing::Refused {
            let path =
                at!["ad_set", "promoted_object", "omnichannel_object", place, index, "custom_event_type"];
            let message = format!("The event {event} cannot be used with {objective}.");
            let fix = format!(
                "With {objective} choose {}{}",
                either(&row.events),
                elsewhere(event, row.locations.first())
            );
            out.add(Rule::EventNotForObjective, path, message, fix);
        }
    }
}

/// Which other objective takes the event, at the same location.
fn elsewhere(event: &str, location: Option<&String>) -> String {
    let others: Vec<&str> = events::rows()
        .iter()
        .filter(|row| location.is_some_and(|location| row.locations.contains(location)))
        .filter(|row| row.events.iter().any(|word| word == event))
        .map(|row| row.objective.as_str())
        .collect();
    if others.is_empty() { ".".to_owned() } else { format!("; {event} goes with {}.", either(&others)) }
}

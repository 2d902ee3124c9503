//! Which conversion event an objective takes.

use super::super::events::{self, Standing};
use super::super::findings::{Findings, Rule, at};
use super::super::promoted_object::PromotedObject;
use super::case::{Case, either};
use crate::vocabulary::{Kind, vocabulary};

pub(super) fn check(case: &Case<'_>, out: &mut Findings) {
    let Some(object) = &case.ad_set.promoted_object else { return };
    let (Some(event), Some(objective)) = (object.text("custom_event_type"), case.objective) else { return };
    let Some(at) = vocabulary(Kind::CustomEventType).position(event) else { return };
    let Some(objective_at) = objective.at else { return };
    let Some(row) = location(case, object).and_then(|location| events::of_objective(objective_at, location))
    else {
        return;
    };
    let path = || at!["ad_set", "promoted_object", "custom_event_type"];
    let objective = objective.text;
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

//! Endpoints and deliveries, in words.

use crate::{
    service::deliveries::{Attempt, Cause, Delivery, Endpoint, State, Status},
    web::console::parts::{Badge, Tone},
};

pub fn endpoint(it: &Endpoint) -> Badge {
    match it.state {
        State::Disabled { cause: Cause::Asked, .. } => Badge::new(Tone::Off, "Disabled"),
        State::Disabled { cause: Cause::Gone, .. } => Badge::new(Tone::Bad, "Disabled: it is gone"),
        State::Disabled { cause: Cause::Failing, .. } => Badge::new(Tone::Bad, "Disabled: it kept failing"),
        State::Enabled if it.failing_since.is_some() => Badge::new(Tone::Warn, "Failing"),
        State::Enabled => Badge::new(Tone::Ok, "Enabled"),
    }
}

/// Why nothing is sent, and what to do; `None` when things are sent.
pub fn disabled(state: &State) -> Option<&'static str> {
    match state {
        State::Enabled => None,
        State::Disabled { cause: Cause::Asked, .. } => {
            Some("Somebody disabled it. What is for it is held, and goes on its way when it is enabled.")
        }
        State::Disabled { cause: Cause::Gone, .. } => {
            Some("It answered 410 Gone, so nothing is sent to it. If that was a mistake, enable it.")
        }
        State::Disabled { cause: Cause::Failing, .. } => Some(
            "Nothing arrived there for five days. Mend it, then enable it: what was held goes on its way.",
        ),
    }
}

/// What it is sent: `All types`, or the types.
pub fn types(it: &Endpoint) -> Vec<&str> {
    it.types.iter().map(crate::service::events::Pattern::as_str).collect()
}

pub fn status(status: Status) -> Badge {
    match status {
        Status::Pending => Badge::new(Tone::Note, "On its way"),
        Status::Held => Badge::new(Tone::Off, "Held"),
        Status::Delivered => Badge::new(Tone::Ok, "Delivered"),
        Status::Dead => Badge::new(Tone::Bad, "Given up"),
    }
}

/// A delivery as it stands: one that failed and is tried again is not just on its way.
pub fn delivery(it: &Delivery) -> Badge {
    match it.status {
        Status::Pending if it.last_error.is_some() => Badge::new(Tone::Warn, "Tried again"),
        it => status(it),
    }
}

pub fn attempt(it: &Attempt) -> Badge {
    match (it.status, &it.error) {
        (Some(status), None) => Badge::new(Tone::Ok, status.to_string()),
        (Some(status), Some(_)) => Badge::new(Tone::Bad, status.to_string()),
        (None, _) => Badge::new(Tone::Bad, "No answer"),
    }
}

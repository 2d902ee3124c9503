//! Leads, in words.

use super::{shown::Shown, way::What};
use crate::{
    service::{
        deliveries::Status,
        leads::{Cause, Lead, StageState, State},
    },
    web::console::parts::{Badge, Tone},
};

pub fn cause(cause: Cause) -> &'static str {
    match cause {
        Cause::Token => "the token is dead",
        Cause::Access => "no access to it",
        Cause::Throttle => "Meta's limit is used up",
        Cause::Passing => "Meta fails",
    }
}

/// Where a lead stands, its delivery with it.
pub fn state(it: &Lead) -> Badge {
    match &it.state {
        State::Seen => Badge::new(Tone::Note, "Being read"),
        State::Parked { cause: it @ (Cause::Throttle | Cause::Passing), .. } => {
            Badge::new(Tone::Warn, format!("Waits: {}", cause(*it)))
        }
        State::Parked { cause: it, .. } => Badge::new(Tone::Bad, format!("Parked: {}", cause(*it))),
        State::Gone { .. } => Badge::new(Tone::Off, "Gone at Meta"),
        State::Erased { .. } => Badge::new(Tone::Off, "Erased"),
        State::Expired { .. } => Badge::new(Tone::Off, "Expired"),
        State::Hydrated if it.delivered_at.is_some() => Badge::new(Tone::Ok, "Delivered"),
        State::Hydrated => Badge::new(Tone::Note, "Read, not delivered"),
    }
}

pub fn shown(shown: Shown) -> String {
    match shown {
        Shown::All => "Any state",
        Shown::Waiting => "Being read",
        Shown::Parked(None) => "Parked",
        Shown::Parked(Some(it)) => return format!("Parked: {}", cause(it)),
        Shown::Gone => "Gone at Meta",
        Shown::Undelivered => "Read, not delivered",
        Shown::Delivered => "Delivered",
        Shown::Erased => "Erased",
        Shown::Expired => "Expired",
    }
    .to_owned()
}

pub fn source(source: Option<&str>) -> &'static str {
    match source {
        Some("webhook") => "Webhook",
        Some("update") => "Update",
        Some("sweep") => "Sweep",
        Some("backfill") => "Backfill",
        _ => "Unknown",
    }
}

pub fn platform(platform: &str) -> &str {
    match platform {
        "fb" => "Facebook",
        "ig" => "Instagram",
        other => other,
    }
}

/// The mark of a step on a lead's way.
pub fn tone(what: &What) -> Tone {
    match what {
        What::Read | What::Event { .. } => Tone::Ok,
        What::Attempted { attempt, .. } if attempt.error.is_none() => Tone::Ok,
        What::Parked { .. } | What::Attempted { .. } | What::Underway { status: Status::Dead, .. } => {
            Tone::Bad
        }
        What::Ad { .. } | What::Submitted | What::Sighted { .. } | What::Underway { .. } => Tone::Note,
        What::Gone | What::Erased | What::Expired => Tone::Off,
        What::Staged { stage } => match stage.state {
            StageState::Sent { .. } => Tone::Ok,
            StageState::Sending { .. } => Tone::Note,
            StageState::Unknown { .. } => Tone::Warn,
            StageState::Refused { .. } => Tone::Bad,
        },
    }
}

pub fn stage(state: &StageState) -> &'static str {
    match state {
        StageState::Sent { .. } => "Meta has it.",
        StageState::Sending { .. } => "It is being sent.",
        StageState::Unknown { .. } => "Whether Meta has it is not known.",
        StageState::Refused { .. } => "Meta refused it.",
    }
}

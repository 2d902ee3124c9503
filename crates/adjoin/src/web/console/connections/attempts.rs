//! Consents that did not come about since the connection was last connected, in words for the partner.

use adjoin_marketing::dialog;

use crate::{
    service::{
        Who,
        connect_sessions::{ConnectSession, Kind, Refusal, Stage, Waiting},
        connections::Connection,
    },
    time::Timestamp,
    web::{connect::words::not_heard_back, console::parts::Tone},
};

/// Most that are shown: older ones say nothing new.
const MOST: usize = 3;

/// A consent that was refused, or was not finished.
#[derive(Debug)]
pub struct Attempt {
    pub tone: Tone,
    /// When the person went to Facebook, or the link was made when nobody did.
    pub at: Timestamp,
    pub title: String,
    pub message: String,
    /// `None` while it may still go on by itself.
    pub who: Option<Who>,
    pub next_step: String,
    /// Meta's number, when it gave one.
    pub code: Option<i64>,
    /// What Facebook may have refused on a page of its own.
    pub to_look_at: Vec<String>,
}

/// The newest ones, of the connection's sessions, newest first.
pub fn recent(sessions: &[ConnectSession], connection: &Connection) -> Vec<Attempt> {
    sessions
        .iter()
        .take_while(|session| !matches!(session.stage, Stage::Completed { .. }))
        .filter(|session| connection.connected_at.is_none_or(|connected| at(session) > connected))
        .filter_map(attempt)
        .take(MOST)
        .collect()
}

fn at(session: &ConnectSession) -> Timestamp {
    session.started_at.unwrap_or(session.created_at)
}

fn attempt(session: &ConnectSession) -> Option<Attempt> {
    let say = |tone, title: &str, message: &str, who, next_step: &str| Attempt {
        tone,
        at: at(session),
        title: title.to_owned(),
        message: message.to_owned(),
        who,
        next_step: next_step.to_owned(),
        code: None,
        to_look_at: Vec::new(),
    };
    let again = "Let the person begin again, by a new connect link or from your product.";
    Some(match &session.stage {
        Stage::Declined => {
            let known = dialog::explain(Some("access_denied"), None);
            say(Tone::Note, &known.title, &known.what, Some(known.who), &known.next_step)
        }
        Stage::Refused { refusal: Refusal { code, title, message, who, next_step } } => {
            Attempt { code: *code, ..say(Tone::Bad, title, message, Some(*who), next_step) }
        }
        Stage::Expired { waiting_for: Waiting::Start } => say(
            Tone::Note,
            "Nobody went on to Facebook",
            "The link waited for 15 minutes, and nobody pressed the button that leads to Facebook.",
            Some(Who::Account),
            again,
        ),
        Stage::Expired { waiting_for: Waiting::Facebook } => Attempt {
            to_look_at: not_heard_back(None),
            ..say(
                Tone::Warn,
                "Facebook did not send the person back",
                "The person went to Facebook and was not sent back within ten minutes: the window was closed, or \
                 Facebook showed an error of its own.",
                Some(Who::Partner),
                "Ask the person what Facebook showed, compare it with the list, and let them begin again.",
            )
        },
        Stage::Expired { waiting_for: Waiting::Confirmation } => {
            let (who, next_step) = match session.kind {
                Kind::Link => (Who::Account, again),
                Kind::Embedded { .. } => (
                    Who::Partner,
                    "See that your backend calls connect_sessions.complete as soon as the browser comes back to the \
                     return URL. Then let the person begin again.",
                ),
            };
            say(
                Tone::Warn,
                "The consent was not confirmed in time",
                "The person agreed at Facebook, and nobody confirmed it here within two minutes. What Facebook gave was \
                 thrown away unused.",
                Some(who),
                next_step,
            )
        }
        Stage::AtFacebook { .. } => say(
            Tone::Note,
            "Somebody is at Facebook now",
            "The person was sent to Facebook and has not come back yet.",
            None,
            "Wait; this page shows what came of it.",
        ),
        Stage::CodeHeld { .. } | Stage::Finishing { .. } => say(
            Tone::Note,
            "A consent is being confirmed",
            "The person agreed at Facebook, and it is not confirmed yet.",
            None,
            "Wait; this page shows what came of it.",
        ),
        // A link that waits has not been tried; the others are told elsewhere, or were ended on purpose.
        Stage::Created
        | Stage::Opened
        | Stage::OtherIdentity { .. }
        | Stage::Completed { .. }
        | Stage::Cancelled => return None,
    })
}

#[cfg(test)]
pub fn sample(at: Timestamp) -> Attempt {
    let known = dialog::explain(None, Some(1_349_126));
    Attempt {
        tone: Tone::Bad,
        at,
        title: known.title.clone(),
        message: known.what.clone(),
        who: Some(known.who),
        next_step: known.next_step.clone(),
        code: known.error_code,
        to_look_at: not_heard_back(None),
    }
}

//! Forms and subscriptions, in words.

use askama::{Template, filters::HtmlSafe};

use crate::{
    service::{
        canaries::{self, Canary, Outcome, Stage},
        forms::{Completeness, PassKind, Totals},
        subscriptions::{AppState, Object, State},
    },
    time::Timestamp,
    web::console::parts::{Badge, Tone},
};

/// How much of what Meta counts is here, as a bar.
#[derive(Debug, Clone, Copy, Template)]
#[template(path = "console/forms/share.html")]
pub struct Share {
    held: i64,
    missing: i64,
}

impl HtmlSafe for Share {}

impl Share {
    pub fn of(it: &Completeness) -> Self {
        Self { held: it.held, missing: it.missing.unwrap_or_default() }
    }

    /// Of a hundred; what is missing is never rounded away.
    fn here(self) -> i64 {
        match (self.held, self.missing) {
            (0, 0) => 0,
            (_, 0) => 100,
            (held, missing) => (held * 100 / (held + missing)).min(99),
        }
    }
}

/// What a form's missing leads come to.
pub fn missing(it: &Completeness) -> Badge {
    match it.missing.zip(it.missing_at_most) {
        Some(bounds) => between(bounds),
        None => Badge::new(Tone::Off, "Not counted yet"),
    }
}

/// The same for all forms together.
pub fn missing_of_all(totals: &Totals) -> Badge {
    between((totals.missing, totals.missing_at_most))
}

fn between(bounds: (i64, i64)) -> Badge {
    match bounds {
        (_, 0) => Badge::new(Tone::Ok, "None missing"),
        (0, most) => Badge::new(Tone::Note, format!("At most {most} missing")),
        (least, most) if least == most => Badge::new(Tone::Warn, format!("{least} missing")),
        (least, most) => Badge::new(Tone::Warn, format!("{least} to {most} missing")),
    }
}

/// A form's state at Meta.
pub fn status(status: &str) -> Badge {
    match status {
        "ACTIVE" => Badge::new(Tone::Ok, "Active"),
        "ARCHIVED" => Badge::new(Tone::Off, "Archived"),
        "DELETED" => Badge::new(Tone::Off, "Deleted"),
        "DRAFT" => Badge::new(Tone::Note, "Draft"),
        other => Badge::new(Tone::Note, other),
    }
}

/// How the last canary ended, or that one is under way.
pub fn canary(it: &Canary) -> Badge {
    match (&it.under_way, &it.last) {
        (Some(it), _) => Badge::new(
            Tone::Note,
            match it.stage {
                Stage::Sending => "Being sent",
                Stage::Waiting => "Under way",
                Stage::Removing => "Being deleted",
            },
        ),
        (None, None) => Badge::new(Tone::Off, "None yet"),
        (None, Some(Outcome::Passed { .. })) => Badge::new(Tone::Ok, "Arrived"),
        (None, Some(Outcome::Failed { failure, .. })) => Badge::new(
            Tone::Bad,
            match failure.step {
                canaries::Step::Connection | canaries::Step::Form | canaries::Step::Send => "Not sent",
                canaries::Step::Webhook => "Lost at the webhook",
                canaries::Step::Read => "Not read",
                canaries::Step::Deliver => "Not delivered",
                canaries::Step::Remove => "Not deleted",
            },
        ),
    }
}

/// The steps of a canary's way, with when each was.
pub fn steps(it: &Canary) -> Vec<(&'static str, Timestamp)> {
    let way = match (&it.under_way, &it.last) {
        (Some(it), _) => &it.way,
        (None, Some(last)) => last.way(),
        (None, None) => return Vec::new(),
    };
    let all = [
        ("Sent", way.sent_at),
        ("Named by Meta's webhook", way.announced_at),
        ("Read from Meta", way.read_at),
        ("Delivered", way.delivered_at),
        ("Deleted at Meta", way.removed_at),
    ];
    all.into_iter().filter_map(|(what, at)| Some((what, at?))).collect()
}

pub fn pass(kind: PassKind) -> &'static str {
    match kind {
        PassKind::Regular => "what is new",
        PassKind::Daily => "the last 48 hours, as every day",
        PassKind::Weekly => "all that Meta keeps, as every week",
        PassKind::Backfill => "a backfill",
    }
}

/// The plural, as a heading.
pub fn objects(object: Object) -> &'static str {
    match object {
        Object::Page => "Pages",
        Object::AdAccount => "Ad accounts",
    }
}

pub fn subscription(state: &State) -> Badge {
    match state {
        State::Pending => Badge::new(Tone::Note, "Being checked"),
        State::Active { .. } => Badge::new(Tone::Ok, "Webhooks come"),
        State::Faulty { subscribed_since: Some(_), .. } => Badge::new(Tone::Warn, "Needs attention"),
        State::Faulty { .. } => Badge::new(Tone::Bad, "No webhooks"),
        State::Leaving => Badge::new(Tone::Off, "Being taken back"),
    }
}

pub fn app_subscription(state: &AppState) -> Badge {
    match state {
        AppState::Pending => Badge::new(Tone::Note, "Being checked"),
        AppState::Active { .. } => Badge::new(Tone::Ok, "Subscribed"),
        AppState::Faulty { .. } => Badge::new(Tone::Bad, "Not subscribed"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_missing_is_never_rounded_away() {
        let here = |held, missing| Share { held, missing }.here();
        assert_eq!((here(0, 0), here(7, 0), here(99_999, 1), here(0, 3)), (0, 100, 99, 0));
    }
}

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{service::Who, time::Timestamp};

/// Where the canary of a form stands.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct State {
    /// The run under way.
    pub run: Option<Run>,
    /// The test lead that may stand at Meta and is ours.
    pub ours: Option<Ours>,
    /// How the last run ended.
    pub last: Option<Outcome>,
}

/// How far a run is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "at_step", rename_all = "snake_case")]
pub enum Run {
    /// Nothing is sent, or not for sure.
    Asked { at: Timestamp, by: Asked },
    /// Meta has it; it is waited for here.
    Sent { way: Way, until: Timestamp },
    /// What came of it is known, and it is taken away at Meta.
    Removing { outcome: Outcome, tries: u32 },
}

/// Who wants a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Asked {
    /// Somebody, now.
    ByHand,
    /// Nobody: it is sent every day.
    Daily,
}

/// A test lead of ours.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ours {
    /// When we began to send it.
    pub since: Timestamp,
    /// `None`: Meta's answer did not come.
    pub meta_lead_id: Option<String>,
}

/// A write to Meta has ended by then, with the clocks a little apart.
const SENDING_SECONDS: i64 = 120;
const CLOCKS_APART_SECONDS: i64 = 30;

impl Ours {
    /// Whether it is this one of Meta's.
    pub fn is(&self, meta_lead_id: &str, created_at: Option<Timestamp>) -> bool {
        match &self.meta_lead_id {
            Some(id) => id == meta_lead_id,
            None => created_at.is_some_and(|at| {
                at >= self.since.plus_seconds(-CLOCKS_APART_SECONDS)
                    && at <= self.since.plus_seconds(SENDING_SECONDS)
            }),
        }
    }
}

/// The way of a canary, as far as it came.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "CanaryWay")]
pub struct Way {
    /// When Meta took the test lead.
    pub sent_at: Option<Timestamp>,
    /// When Meta's webhook named it.
    pub announced_at: Option<Timestamp>,
    /// When it was read from Meta.
    pub read_at: Option<Timestamp>,
    /// When an endpoint first took it. Null also where no endpoint wants test leads.
    pub delivered_at: Option<Timestamp>,
    /// When it was deleted at Meta.
    pub removed_at: Option<Timestamp>,
}

/// How a run ended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "result", rename_all = "snake_case")]
#[schemars(rename = "CanaryOutcome")]
pub enum Outcome {
    /// It arrived: at an endpoint, or here, where no endpoint wants test leads.
    Passed { at: Timestamp, way: Way },
    /// It was lost, or could not be sent.
    Failed { at: Timestamp, way: Way, failure: Failure },
}

/// Where a canary was lost, and what to do.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "CanaryFailure")]
pub struct Failure {
    pub step: Step,
    pub message: String,
    pub who: Who,
    pub next_step: String,
}

/// The steps of a canary's way.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[schemars(rename = "CanaryStep")]
pub enum Step {
    /// The connection must be usable.
    Connection,
    /// The form must be active.
    Form,
    /// Meta takes the test lead.
    Send,
    /// Meta's webhook names it.
    Webhook,
    /// It is read from Meta.
    Read,
    /// An endpoint takes it.
    Deliver,
    /// It is deleted at Meta.
    Remove,
}

impl Step {
    /// As it stands in JSON.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Connection => "connection",
            Self::Form => "form",
            Self::Send => "send",
            Self::Webhook => "webhook",
            Self::Read => "read",
            Self::Deliver => "deliver",
            Self::Remove => "remove",
        }
    }
}

impl Outcome {
    pub fn at(&self) -> Timestamp {
        match self {
            Self::Passed { at, .. } | Self::Failed { at, .. } => *at,
        }
    }

    pub fn way(&self) -> &Way {
        match self {
            Self::Passed { way, .. } | Self::Failed { way, .. } => way,
        }
    }

    pub fn failure(&self) -> Option<&Failure> {
        match self {
            Self::Passed { .. } => None,
            Self::Failed { failure, .. } => Some(failure),
        }
    }

    /// The same, and it was taken away then.
    #[must_use]
    pub fn removed(mut self, now: Timestamp) -> Self {
        match &mut self {
            Self::Passed { at, way } | Self::Failed { at, way, .. } => {
                *at = now;
                way.removed_at = Some(now);
            }
        }
        self
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_test_lead_is_ours_by_its_id_or_by_when_we_sent_it() {
        let since = Timestamp::from_unix(1_795_514_400);
        let about = |seconds| Some(since.plus_seconds(seconds));
        let unanswered = Ours { since, meta_lead_id: None };
        assert!(unanswered.is("7", about(0)) && unanswered.is("7", about(60)));
        assert!(
            !unanswered.is("7", about(-60)) && !unanswered.is("7", about(600)) && !unanswered.is("7", None)
        );
        let answered = Ours { since, meta_lead_id: Some("7".to_owned()) };
        assert!(answered.is("7", None) && !answered.is("8", about(0)));
    }
}

use adjoin_marketing::dialog;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{
    service::{MetaError, Who, connections::Subject},
    store::connect_sessions::Stored,
    time::Timestamp,
};

/// How far a session has come.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "status", rename_all = "snake_case")]
pub enum Stage {
    Created,
    /// Somebody has seen the page.
    Opened,
    /// The browser was sent to Facebook.
    AtFacebook {
        until: Timestamp,
    },
    /// Consent is given, and Meta's code waits for the confirmation.
    CodeHeld {
        until: Timestamp,
    },
    /// Confirmed; Meta is being asked.
    Finishing {
        until: Timestamp,
    },
    /// Another person or business than before consented; somebody has to accept that.
    OtherIdentity {
        before: Subject,
        now: Subject,
        until: Timestamp,
    },
    /// The connection holds the new token.
    Completed {
        /// Declined permissions were asked for once more already.
        asked_again: bool,
    },
    /// The person pressed Cancel at Facebook. The connection is as it was.
    Declined,
    /// Facebook, Meta or a check of ours said no. The connection is as it was.
    Refused {
        refusal: Refusal,
    },
    /// Nothing came in time.
    Expired {
        waiting_for: Waiting,
    },
    /// Ended by the partner.
    Cancelled,
}

/// Why a consent did not come about.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Refusal {
    /// Meta's number, when it gave one.
    pub code: Option<i64>,
    pub title: String,
    pub message: String,
    pub who: Who,
    pub next_step: String,
}

impl Refusal {
    /// What the dialog's answer means. `redirect_uri` is the one the dialog was sent.
    pub fn of(known: &dialog::Refusal, code: Option<i64>, redirect_uri: Option<&str>) -> Self {
        Self {
            code,
            title: known.title.clone(),
            message: known.what.clone(),
            who: known.who,
            next_step: dialog::filled(&known.next_step, redirect_uri),
        }
    }

    /// Meta did not answer, and may have used the code up.
    pub fn unreachable(error: &MetaError) -> Self {
        Self {
            code: None,
            title: "Meta did not answer".to_owned(),
            message: error.message.clone(),
            who: error.who,
            next_step: "Start again in a few minutes: a code works only once.".to_owned(),
        }
    }
}

/// What a session was waiting for when its time ran out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Waiting {
    /// The press that leads to Facebook.
    Start,
    /// Facebook's answer. Some refusals of Meta's never come back.
    Facebook,
    /// The confirmation.
    Confirmation,
}

impl Stage {
    /// The stage's name, as it stands in JSON.
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Created => "created",
            Self::Opened => "opened",
            Self::AtFacebook { .. } => "at_facebook",
            Self::CodeHeld { .. } => "code_held",
            Self::Finishing { .. } => "finishing",
            Self::OtherIdentity { .. } => "other_identity",
            Self::Completed { .. } => "completed",
            Self::Declined => "declined",
            Self::Refused { .. } => "refused",
            Self::Expired { .. } => "expired",
            Self::Cancelled => "cancelled",
        }
    }
}

/// One visit to Facebook's dialog: what the answer is bound to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Dialog {
    pub client_id: String,
    pub graph_version: String,
    /// Sent again, character by character, when the code is exchanged.
    pub redirect_uri: String,
    /// Permissions the consent should lead to, with everything they need.
    pub wanted: Vec<String>,
    /// Permissions this visit asks for: all that is wanted, or only what is still missing.
    pub asked: Vec<String>,
    /// The Login for Business configuration, when there is one.
    pub config_id: Option<String>,
    pub system_user: bool,
    pub rerequest: bool,
    /// Comes back in the token's metadata.
    pub nonce: String,
}

/// The stage with the clock taken into account: a time that has run out shows at once, whoever cleans up later.
pub fn seen_at(row: &Stored, now: Timestamp) -> Stage {
    match &row.stage.0 {
        Stage::Created | Stage::Opened if row.expires_at <= now => {
            Stage::Expired { waiting_for: Waiting::Start }
        }
        Stage::AtFacebook { until } if *until <= now => Stage::Expired { waiting_for: Waiting::Facebook },
        Stage::CodeHeld { until } | Stage::Finishing { until } | Stage::OtherIdentity { until, .. }
            if *until <= now =>
        {
            Stage::Expired { waiting_for: Waiting::Confirmation }
        }
        stage => stage.clone(),
    }
}

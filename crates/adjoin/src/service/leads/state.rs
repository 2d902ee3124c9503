use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{service::Who, time::Timestamp};

/// Where a lead stands.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "status", rename_all = "snake_case")]
#[schemars(rename = "LeadState")]
pub enum State {
    /// Meta named it; it is to be read.
    Seen,
    /// Read from Meta, with everything the person sent.
    Hydrated,
    /// It could not be read yet. It is read by itself when the cause ends.
    Parked {
        cause: Cause,
        /// Why, in words.
        message: String,
        who: Who,
        next_step: String,
        code: Option<i64>,
        subcode: Option<i64>,
        since: Timestamp,
    },
    /// Meta does not have it any more, although the Page's leads can be read.
    Gone { since: Timestamp },
    /// Erased here on request. The row stays for a while, so that a sweep does not bring the lead back.
    Erased { at: Timestamp },
    /// Kept for as long as the account wanted.
    Expired { at: Timestamp },
}

/// Why a lead cannot be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[schemars(rename = "LeadCause")]
pub enum Cause {
    /// The token is dead: somebody has to connect again.
    Token,
    /// The token works, and does not reach this lead.
    Access,
    /// Meta's limit is used up.
    Throttle,
    /// Meta fails, or cannot be reached.
    Passing,
}

impl Cause {
    pub const ALL: [Self; 4] = [Self::Token, Self::Access, Self::Throttle, Self::Passing];

    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Token => "token",
            Self::Access => "access",
            Self::Throttle => "throttle",
            Self::Passing => "passing",
        }
    }
}

impl State {
    /// The state's name, as it stands in JSON.
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Seen => "seen",
            Self::Hydrated => "hydrated",
            Self::Parked { .. } => "parked",
            Self::Gone { .. } => "gone",
            Self::Erased { .. } => "erased",
            Self::Expired { .. } => "expired",
        }
    }

    /// What the column `cause` holds: why it is parked, or that it is gone.
    pub const fn cause(&self) -> Option<&'static str> {
        match self {
            Self::Parked { cause, .. } => Some(cause.as_str()),
            Self::Gone { .. } => Some("gone"),
            _ => None,
        }
    }

    /// What it says as it stands in the database, but for since when: the beginning of the JSON text, in which `since` is last.
    /// A lead that is parked anew for the same reason is parked since then; another reason is written down.
    pub fn reason(&self) -> String {
        let mut text = serde_json::to_string(self).expect("a state is JSON");
        if let Some(at) = text.rfind(",\"since\":") {
            text.truncate(at);
        }
        text
    }

    /// Whether what the person sent is taken out of it for good.
    pub const fn is_forgotten(&self) -> bool {
        matches!(self, Self::Erased { .. } | Self::Expired { .. })
    }

    /// Whether Meta's answer is still wanted.
    pub const fn is_waiting(&self) -> bool {
        matches!(self, Self::Seen | Self::Parked { .. } | Self::Gone { .. })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reason_is_the_beginning_of_the_state_whenever_it_began() {
        let parked = |message: &str, since: i64| State::Parked {
            cause: Cause::Access,
            message: message.to_owned(),
            who: Who::Account,
            next_step: "say ,\"since\": when".to_owned(),
            code: Some(190),
            subcode: None,
            since: Timestamp::from_unix(since),
        };
        let reason = parked("no leads_retrieval", 1).reason();
        assert!(serde_json::to_string(&parked("no leads_retrieval", 2)).unwrap().starts_with(&reason));
        assert_eq!(reason, parked("no leads_retrieval", 2).reason());
        assert_ne!(reason, parked("Leads Access Manager", 1).reason());
        let gone = |since| State::Gone { since: Timestamp::from_unix(since) };
        assert_eq!(gone(1).reason(), gone(2).reason());
        assert_ne!(gone(1).reason(), State::Hydrated.reason());
    }
}
